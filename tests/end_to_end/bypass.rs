//! Every known way round the locks, tried on a real API server: `tests/fixtures/bypass/vectors.yaml` says what is tried
//! and what must come of it.
//!
//! The cluster has no controller, so that nobody but the cases writes their Modules: after a refused write and after a dry
//! run a Module must be the same to the last field. The cases of a row that leave no trace share one; any other case has
//! its own.

mod api;
mod quiet;
mod request;
mod table;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use module::annotations;
use serde_json::Value;
use tests::checkout;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use api::{Answer, Place};
pub(crate) use request::json_patch_of;
use request::{Target, content, everything};
use table::{By, Client, Expect, Hooks, Passes, Refused, Row, Table, Vector, Way};
use world::World;

/// Requests at a time: more than the API server and the webhook have processors to answer.
const IN_FLIGHT: usize = 8;
/// kubectl processes at a time.
const PROCESSES: usize = 3;
/// Whoever writes and names no other field manager.
const MANAGER: &str = "suite";

/// One write of one row.
#[derive(Clone, Debug)]
struct Case {
    row: usize,
    way: Way,
    client: Client,
    dry_run: bool,
    /// The Module's name.
    name: String,
    /// Whether this case is the first that uses the Module, and has to make it.
    makes_module: bool,
}

fn text() -> String {
    std::fs::read_to_string(checkout::root().join("tests/fixtures/bypass/vectors.yaml")).unwrap()
}

#[test]
fn every_vector_has_rows_or_a_reason() {
    let read = |text: &str| Table::read(text, &BTreeMap::new());
    assert_eq!(read(&text()).unwrap().mistakes(), [] as [String; 0]);
    for (right, wrong) in [("vector: B01", "vector: B85"), ("by: hook", "by: luck"), ("denied:", "refused:")] {
        assert!(read(&text().replacen(right, wrong, 1)).is_err(), "{wrong}");
    }
    let unknown = text().replace("vector: B03", "vector: B04");
    assert_eq!(read(&unknown).unwrap().mistakes(), ["B03 has no row and no reason for that"]);
}

#[test]
fn every_case_ends_as_the_table_says() {
    let started = Instant::now();
    let world = World::start(&text());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = cases(&world.table);
    assert!(cases.len() >= 300, "only {} cases", cases.len());
    let world = Arc::new(world);
    let mut failures = Vec::new();
    runtime.block_on(async {
        let makers: Vec<Case> = cases.iter().filter(|case| case.makes_module).cloned().collect();
        each(&makers, |case| {
            let world = Arc::clone(&world);
            async move { world.create(&case).await }
        })
        .await;
        println!("{} Modules after {:.1} s", makers.len(), started.elapsed().as_secs_f32());
        world.metadata_calls_no_hook().await;
        world.move_on().await;
        for hooks in [Hooks::On, Hooks::Stopped, Hooks::Removed] {
            world.enter(hooks).await;
            let cases: Vec<Case> =
                cases.iter().filter(|case| world.table.rows[case.row].hooks == hooks).cloned().collect();
            let ended = each(&cases, |case| {
                let world = Arc::clone(&world);
                async move { world.judge(&case).await }
            });
            failures.extend(ended.await.into_iter().flatten());
            println!("hooks {hooks:?}: {} cases, after {:.1} s", cases.len(), started.elapsed().as_secs_f32());
        }
    });
    println!("{}", summary(&world.table, &cases));
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn cases(table: &Table) -> Vec<Case> {
    let mut cases = Vec::new();
    for (position, row) in table.rows.iter().enumerate() {
        for client in row.through.iter().copied() {
            for way in row.write.ways(row, client) {
                for dry_run in row.dry_run.iter().copied().filter(|dry_run| !dry_run || has_dry_run(row, way)) {
                    let leaves_trace = !dry_run && matches!(row.expect, Expect::Passes(_));
                    let mut name = format!("{}-{position}", row.vector.to_string().to_lowercase());
                    if leaves_trace {
                        write!(name, "-{}", cases.len()).unwrap();
                    }
                    let makes_module = !cases.iter().any(|case: &Case| case.name == name);
                    cases.push(Case { row: position, way, client, dry_run, name, makes_module });
                }
            }
        }
    }
    cases
}

/// kubectl can try neither an edit nor a forced replacement.
fn has_dry_run(row: &Row, way: Way) -> bool {
    way != Way::Edit && !matches!(row.write, table::Write::Recreate(_))
}

/// Does something for all cases, some of them at a time, and returns the results.
async fn each<T: Send + 'static, F>(cases: &[Case], act: impl Fn(Case) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let slots = [Arc::new(Semaphore::new(IN_FLIGHT)), Arc::new(Semaphore::new(PROCESSES))];
    let mut running = JoinSet::new();
    for case in cases {
        let slot = Arc::clone(&slots[usize::from(case.client == Client::Kubectl)]);
        let work = act(case.clone());
        running.spawn(async move {
            let _slot = slot.acquire().await.unwrap();
            work.await
        });
    }
    running.join_all().await
}

impl World {
    /// Writes as the case says, and tells what is wrong with what came of it.
    async fn judge(self: &Arc<Self>, case: &Case) -> Option<String> {
        let row = &self.table.rows[case.row];
        let namespace = self.namespace(&row.setup);
        let place = Place { namespace, name: &case.name };
        let Some(live) = self.api.module(place).await else { return Some(format!("{} is not there", case.name)) };
        let new_name = format!("{}-new", case.name);
        let request = row.write.request(case.way, &live, &new_name);
        let target = match row.write.target() {
            Target::Module | Target::Policy => place,
            Target::NewModule => Place { namespace, name: &new_name },
        };
        let before = match row.write.target() {
            Target::Module => Some(live),
            Target::NewModule | Target::Policy => self.api.module(target).await,
        };
        let manager = row.manager.as_deref().unwrap_or(MANAGER);
        let answer = match case.client {
            Client::Http => self.api.send(&row.identity, target, &request, manager, case.dry_run).await,
            Client::Kubectl => {
                let (world, case, identity) = (Arc::clone(self), case.clone(), row.identity.clone());
                let (namespace, name) = (namespace.to_owned(), target.name.to_owned());
                let manager = manager.to_owned();
                let run = move || {
                    let place = Place { namespace: &namespace, name: &name };
                    world.api.kubectl(&identity, place, &request, &manager, case.dry_run)
                };
                tokio::task::spawn_blocking(run).await.unwrap()
            }
        };
        let after = self.api.module(target).await;
        let is_policy = row.write.target() == Target::Policy;
        let problem =
            problem(&row.expect, case.client, &answer, case.dry_run || is_policy, before.as_ref(), after.as_ref())?;
        let what = row.what.as_deref().unwrap_or_default();
        let client = format!("{:?} {:?} dry run {}", case.client, case.way, case.dry_run);
        Some(format!(
            "{} {what} ({client}) as {} in {}/{}: {problem}\n    {:?}\n    {}",
            row.vector,
            row.identity,
            namespace,
            case.name,
            row.write,
            answer.text.trim()
        ))
    }
}

/// What is wrong with an answer and with what is stored afterwards.
fn problem(
    expect: &Expect,
    client: Client,
    answer: &Answer,
    leaves_no_trace: bool,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Option<String> {
    let same = everything(before) == everything(after);
    match expect {
        Expect::Refused(refused) => refusal_problem(refused, answer, client)
            .or_else(|| (!same).then(|| format!("it was refused, and yet changed what is stored: {after:#?}"))),
        Expect::Passes(_) if !answer.succeeded => Some("it was refused".to_owned()),
        Expect::Passes(_) if leaves_no_trace => (!same).then(|| "a dry run changed what is stored".to_owned()),
        Expect::Passes(Passes::Ignored) => {
            (content(before) != content(after)).then(|| format!("it was not dropped: {after:#?}"))
        }
        Expect::Passes(Passes::Allowed) if same => Some("it was accepted, and yet changed nothing".to_owned()),
        Expect::Passes(Passes::Allowed) => lost(before, after),
    }
}

/// What no write of the table takes away, not even an allowed one: the guard of a deletion, and the webhook's stamps.
fn lost(before: Option<&Value>, after: Option<&Value>) -> Option<String> {
    let after = after?;
    let stamp = |object: &Value, name: &str| object["metadata"]["annotations"][name].clone();
    let is_lost =
        |name: &&str| before.is_some_and(|before| stamp(before, name) == "true") && stamp(after, name) != "true";
    if let Some(name) = [annotations::PROTECTED, annotations::LOCKED].into_iter().find(is_lost) {
        return Some(format!("{name} is lost"));
    }
    (stamp(after, annotations::TEMPLATE_DIGEST) == "forged").then(|| "the digest is forged".to_owned())
}

fn refusal_problem(refused: &Refused, answer: &Answer, client: Client) -> Option<String> {
    if answer.succeeded {
        return Some("it went through".to_owned());
    }
    let by = refuser(&answer.text, client);
    if by != refused.by {
        return Some(format!("it was refused by {by:?}, not by {:?}", refused.by));
    }
    if !answer.text.contains(&refused.denied) {
        return Some(format!("the message lacks `{}`", refused.denied));
    }
    let secret = refused.without.as_ref()?;
    answer.text.contains(secret).then(|| format!("the message shows `{secret}`"))
}

/// Who refused, by what the API server puts before the message. Of an invalid object kubectl shows only the reasons; no
/// row has one that is invalid by its definition.
fn refuser(text: &str, client: Client) -> By {
    let is_invalid = || ["is invalid", "was not valid"].iter().any(|words| text.contains(words));
    if text.contains("failed calling webhook") {
        By::Closed
    } else if text.contains("ValidatingAdmissionPolicy 'module-") {
        By::Policy
    } else if text.contains("admission webhook \"") || client == Client::Kubectl && is_invalid() {
        By::Hook
    } else {
        By::Server
    }
}

/// How many cases there are for each vector, and who refuses them.
fn summary(table: &Table, cases: &[Case]) -> String {
    let mut counts: BTreeMap<Vector, BTreeMap<String, usize>> = BTreeMap::new();
    let mut totals: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases {
        let row = &table.rows[case.row];
        let outcome = match &row.expect {
            Expect::Passes(passes) => format!("{passes:?}"),
            Expect::Refused(refused) => format!("{:?}", refused.by),
        }
        .to_lowercase();
        *counts.entry(row.vector).or_default().entry(outcome.clone()).or_default() += 1;
        *totals.entry(outcome).or_default() += 1;
        *totals.entry(format!("through {:?}", case.client).to_lowercase()).or_default() += 1;
        *totals.entry(if case.dry_run { "dry run" } else { "real" }.to_owned()).or_default() += 1;
    }
    let list = |counts: &BTreeMap<String, usize>| {
        counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    let mut text = String::new();
    for (vector, counts) in &counts {
        writeln!(text, "{vector}  {:>4}  {}", counts.values().sum::<usize>(), list(counts)).unwrap();
    }
    writeln!(text, "{} vectors, {} cases: {}", counts.len(), cases.len(), list(&totals)).unwrap();
    text
}
