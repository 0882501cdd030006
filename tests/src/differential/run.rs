//! Many cases, in two threads with a Helm each.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::{Case, Difference, Helm, Outcome, compare, ours, reaches_limit, shrink};
use crate::generate;
use crate::oracle::Release;

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many cases.
    pub cases: u64,
    /// The seed of the first; each further one has the next.
    pub seed: u64,
    /// With which Helm.
    pub release: Release,
    /// How many differences are told; it goes on counting after that.
    pub told: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Summary {
    /// Cases that were compared.
    pub compared: u64,
    /// Of these, cases that Helm renders.
    pub rendered: u64,
    /// Of these, cases on which Helm agrees with us when it is asked again: it iterates over maps at random.
    pub agreed_later: u64,
    /// Cases on which Helm agrees neither with itself nor with us.
    pub unstable: Vec<u64>,
    /// Cases that have no end for Helm, and that a limit ends here.
    pub endless: Vec<u64>,
    /// Further cases that Helm did not survive.
    pub lost: Vec<u64>,
    /// Seeds of cases that differ, by how.
    pub different: BTreeMap<Difference, Vec<u64>>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Summary {
    /// The number of cases that differ.
    pub fn differences(&self) -> usize {
        self.different.values().map(Vec::len).sum()
    }

    /// The share of the compared cases that Helm renders, in percent.
    pub fn rendered_percent(&self) -> u64 {
        self.rendered * 100 / self.compared.max(1)
    }

    /// Whether all cases that Helm survives were compared, and none differs.
    pub fn is_clean(&self) -> bool {
        self.differences() == 0 && self.unstable.is_empty() && self.lost.is_empty()
    }
}

/// Enough to see an order that Go chooses at random.
const QUESTIONS: usize = 12;

/// How many threads, each with an oracle.
const THREADS: usize = 2;

/// A case and what came of it.
#[derive(Debug)]
pub struct Judged {
    /// How the outcomes differ, if they do.
    pub difference: Option<Difference>,
    /// The case; a reduced one has the seed of the one it was.
    pub case: Case,
    /// What Helm gives.
    pub helm: Outcome,
    /// What ours gives.
    pub ours: Outcome,
}

/// Runs cases. `progress` is told the number of cases done now and then, `tell` every difference that is reduced.
pub fn run(
    programs: &Path,
    plan: Plan,
    progress: &(dyn Fn(u64) + Sync),
    tell: &(dyn Fn(&Judged) + Sync),
) -> Result<Summary> {
    /// Cases between two calls of `progress`.
    const STEP: u64 = 1000;
    let started = Instant::now();
    let (next, told) = (AtomicU64::new(0), AtomicUsize::new(0));
    let summary = Mutex::new(Summary::default());
    let work = || -> Result<()> {
        let mut helm = Helm::start(programs, plan.release)?;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= plan.cases {
                return Ok(());
            }
            if index > 0 && index % STEP == 0 {
                progress(index);
            }
            let seed = plan.seed.wrapping_add(index);
            let case = generate::case(seed, plan.release);
            let verdict = judge(&mut helm, &case, plan.release);
            let mut summary = summary.lock().map_err(|_| anyhow!("the other thread ended"))?;
            match verdict {
                Verdict::Endless => summary.endless.push(seed),
                Verdict::Lost => summary.lost.push(seed),
                Verdict::Unstable => summary.unstable.push(seed),
                Verdict::Same { rendered, later } => {
                    summary.compared += 1;
                    summary.rendered += u64::from(rendered);
                    summary.agreed_later += u64::from(later);
                }
                Verdict::Different(difference, outcomes) => {
                    summary.compared += 1;
                    summary.rendered += u64::from(outcomes.0.is_ok());
                    summary.different.entry(difference).or_default().push(seed);
                    drop(summary);
                    if told.fetch_add(1, Ordering::Relaxed) < plan.told {
                        tell(&reduce(&mut helm, &case, plan.release, difference, *outcomes));
                    }
                }
            }
        }
    };
    on_render_stacks(THREADS, &work)?;
    let mut summary = summary.into_inner().map_err(|_| anyhow!("a thread panicked"))?;
    summary.elapsed = started.elapsed();
    Ok(summary)
}

/// Tells of every one of some cases what comes of it, be that the same or not.
pub fn show(programs: &Path, release: Release, cases: &[Case], tell: &(dyn Fn(&Judged) + Sync)) -> Result<()> {
    on_render_stacks(1, &|| {
        let mut helm = Helm::start(programs, release)?;
        for case in cases {
            let theirs = helm.render(case)?;
            let own = ours(case, release);
            tell(&Judged { difference: compare(&theirs, &own), case: case.clone(), helm: theirs, ours: own });
        }
        Ok(())
    })
}

/// Does the same in several threads with room for deep templates.
fn on_render_stacks(threads: usize, work: &(dyn Fn() -> Result<()> + Sync)) -> Result<()> {
    std::thread::scope(|scope| {
        let threads = (0..threads).map(|_| {
            std::thread::Builder::new().stack_size(renderer::template::RENDER_STACK_BYTES).spawn_scoped(scope, work)
        });
        let threads = threads.collect::<std::io::Result<Vec<_>>>()?;
        for thread in threads {
            thread.join().map_err(|_| anyhow!("a thread panicked"))??;
        }
        Ok(())
    })
}

enum Verdict {
    Same { rendered: bool, later: bool },
    Different(Difference, Box<(Outcome, Outcome)>),
    Unstable,
    Endless,
    Lost,
}

fn judge(helm: &mut Helm, case: &Case, release: Release) -> Verdict {
    let theirs = helm.render(case);
    let own = ours(case, release);
    let Ok(theirs) = theirs else {
        return if reaches_limit(&own) { Verdict::Endless } else { Verdict::Lost };
    };
    let Some(difference) = compare(&theirs, &own) else {
        return Verdict::Same { rendered: theirs.is_ok(), later: false };
    };
    // Go iterates over maps at random: where that shows, each of Helm's answers is right.
    for _ in 0..QUESTIONS {
        match helm.render(case) {
            Err(_) => return Verdict::Lost,
            Ok(again) if compare(&again, &own).is_none() => {
                return Verdict::Same { rendered: again.is_ok(), later: true };
            }
            Ok(again) if again != theirs => return Verdict::Unstable,
            Ok(_) => {}
        }
    }
    Verdict::Different(difference, Box::new((theirs, own)))
}

fn reduce(
    helm: &mut Helm,
    case: &Case,
    release: Release,
    difference: Difference,
    outcomes: (Outcome, Outcome),
) -> Judged {
    let (mut theirs, mut own) = outcomes;
    // The same kind of error on both sides: other differences would win, because they need less.
    let kinds = (kind_of_error(&theirs), kind_of_error(&own));
    let case = shrink(case, &mut |smaller| match judge(helm, smaller, release) {
        Verdict::Different(found, outcomes)
            if found == difference && kinds == (kind_of_error(&outcomes.0), kind_of_error(&outcomes.1)) =>
        {
            (theirs, own) = *outcomes;
            true
        }
        _ => false,
    });
    Judged { difference: Some(difference), case, helm: theirs, ours: own }
}

/// The first words of what an error says at its end, behind all places.
fn kind_of_error(outcome: &Outcome) -> Option<String> {
    let error = outcome.as_ref().err()?;
    let reason = error.rsplit(['\n', ':']).find(|part| part.trim().len() > 2).unwrap_or_default();
    let words = reason.split(|character: char| !character.is_alphabetic()).filter(|word| !word.is_empty());
    Some(words.take(4).collect::<Vec<_>>().join(" "))
}
