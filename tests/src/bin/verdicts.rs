//! `tests/verdicts`: decides random writes of Modules by the rules and by an oracle, and compares.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use tests::generate::Random;
use tests::verdicts::{Case, Kind, Outcome, Who, agree, case, shrink};

/// Compares verdicts on random writes, charts and policies with what an oracle says, which looks at every value on its own
#[derive(Parser)]
#[command(name = "tests/verdicts")]
struct Arguments {
    /// Writes to decide
    #[arg(long, default_value_t = 1_000_000)]
    count: usize,
    /// Where random numbers start; the same seed gives the same writes
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Disagreements that are shown.
const SHOWN: usize = 5;
/// Among so many writes every outcome has to be.
const ENOUGH: usize = 10_000;

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let started = Instant::now();
    let mut random = Random::new(arguments.seed);
    let mut tally = Tally::default();
    let mut disagreements = 0;
    for _ in 0..arguments.count {
        let case = case(&mut random);
        let (rules, oracle) = (case.decide()?, case.expect()?);
        tally.add(&case, oracle.outcome());
        if agree(&rules, &oracle) {
            continue;
        }
        disagreements += 1;
        if disagreements <= SHOWN {
            show(&shrink(case, &is_wrong))?;
        }
    }
    println!("{} writes in {} s", arguments.count, started.elapsed().as_secs());
    tally.print();
    let missing = if arguments.count < ENOUGH { Vec::new() } else { tally.missing() };
    if !missing.is_empty() {
        println!("none of them ended like this, so that nothing is known of it: {missing:?}");
    }
    println!("{disagreements} disagreements");
    Ok(if disagreements == 0 && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How many writes of which kind, by whom, ended how.
#[derive(Default)]
struct Tally {
    ends: BTreeMap<(Outcome, Kind), usize>,
    people: BTreeMap<Who, usize>,
}

impl Tally {
    fn add(&mut self, case: &Case, outcome: Outcome) {
        *self.ends.entry((outcome, case.kind)).or_default() += 1;
        *self.people.entry(case.who).or_default() += 1;
    }

    fn count(&self, outcome: Option<Outcome>, kind: Option<Kind>) -> usize {
        let ends = self.ends.iter();
        ends.filter(|((end, of), _)| {
            outcome.is_none_or(|outcome| outcome == *end) && kind.is_none_or(|kind| kind == *of)
        })
        .map(|(_, count)| count)
        .sum()
    }

    /// Shares in a hundred: of all writes, and of each kind.
    fn print(&self) {
        let all = self.count(None, None);
        let share = |part: usize, whole: usize| format!("{:.1}", part as f64 / whole.max(1) as f64 * 100.0);
        let kinds = Kind::ALL.map(|kind| format!("{kind:?}"));
        let line = |name: &str, cells: Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:>10}")).collect();
            println!("{name:<24}{}", cells.concat());
        };
        line("%", [vec!["All".to_owned()], kinds.to_vec()].concat());
        let of_kind =
            |outcome| Kind::ALL.map(|kind| share(self.count(outcome, Some(kind)), self.count(None, Some(kind))));
        for outcome in Outcome::ALL {
            let cells = [vec![share(self.count(Some(outcome), None), all)], of_kind(Some(outcome)).to_vec()].concat();
            line(&format!("{outcome:?}"), cells);
        }
        let kinds = Kind::ALL.map(|kind| share(self.count(None, Some(kind)), all));
        line("of all", [vec![share(all, all)], kinds.to_vec()].concat());
        for who in Who::ALL {
            line(&format!("by {who:?}"), vec![share(self.people.get(&who).copied().unwrap_or_default(), all)]);
        }
    }

    fn missing(&self) -> Vec<Outcome> {
        Outcome::ALL.into_iter().filter(|outcome| self.count(Some(*outcome), None) == 0).collect()
    }
}

fn is_wrong(case: &Case) -> bool {
    matches!((case.decide(), case.expect()), (Ok(rules), Ok(oracle)) if !agree(&rules, &oracle))
}

fn show(case: &Case) -> Result<()> {
    println!("{case}rules       {:?}\noracle      {:?}\n", case.decide()?, case.expect()?);
    Ok(())
}
