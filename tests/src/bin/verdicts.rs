//! `tests/verdicts`: decides random changes of Modules by the rules and by an oracle, and compares.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use tests::generate::Random;
use tests::verdicts::{Case, Decision, agree, case, shrink};

/// Compares verdicts on random charts and changes of values with what an oracle says, which looks at every value on its
/// own
#[derive(Parser)]
#[command(name = "tests/verdicts")]
struct Arguments {
    /// Changes to decide
    #[arg(long, default_value_t = 1_000_000)]
    count: usize,
    /// Where random numbers start; the same seed gives the same changes
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Disagreements that are shown.
const SHOWN: usize = 5;

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let started = Instant::now();
    let mut random = Random::new(arguments.seed);
    let mut shares = [("allowed", 0), ("refused by a lock", 0), ("malformed", 0), ("unreadable", 0)];
    let mut disagreements = 0;
    for _ in 0..arguments.count {
        let case = case(&mut random);
        let (rules, oracle) = (case.decide()?, case.expect()?);
        shares[kind(&oracle)].1 += 1;
        if agree(&rules, &oracle) {
            continue;
        }
        disagreements += 1;
        if disagreements <= SHOWN {
            show(&shrink(case, &is_wrong))?;
        }
    }
    let count = arguments.count.max(1) as f64;
    println!("{} changes in {} s", arguments.count, started.elapsed().as_secs());
    for (what, number) in shares {
        println!("{number:>9} {:>5.1} %  {what}", f64::from(number) / count * 100.0);
    }
    println!("{disagreements:>9} disagreements");
    Ok(if disagreements == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn kind(decision: &Decision) -> usize {
    match decision {
        Decision::Allowed => 0,
        Decision::Locked(_) => 1,
        Decision::Malformed => 2,
        Decision::Unreadable => 3,
    }
}

fn is_wrong(case: &Case) -> bool {
    matches!((case.decide(), case.expect()), (Ok(rules), Ok(oracle)) if !agree(&rules, &oracle))
}

fn show(case: &Case) -> Result<()> {
    println!("{case}rules       {:?}\noracle      {:?}\n", case.decide()?, case.expect()?);
    Ok(())
}
