//! `tests/differential`: generates charts and compares what Helm and the renderer make of them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use tests::checkout;
use tests::differential::{Case, Judged, Outcome, Plan, Summary, fixture, run, show};
use tests::generate;
use tests::oracle::Release;

/// Renders generated charts with Helm and with ours, and compares output and errors byte for byte
#[derive(Parser)]
#[command(name = "tests/differential")]
struct Arguments {
    /// How many charts
    #[arg(long, default_value_t = 10_000)]
    cases: u64,
    /// The seed of the first chart; each further one has the next. A new one if not given
    #[arg(long)]
    seed: Option<u64>,
    /// Which Helm
    #[arg(long, value_enum, default_value_t = Profile::V4)]
    profile: Profile,
    /// How many differences are reduced and printed; all are counted
    #[arg(long, default_value_t = 10)]
    differences: usize,
    /// Print every case with what Helm and ours make of it, and do not reduce any
    #[arg(long)]
    show: bool,
    /// Write each printed difference to a folder in this one too, as those of tests/fixtures/generated
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Profile {
    /// Helm 4
    V4,
    /// Helm 3
    V3,
}

fn main() -> ExitCode {
    match start(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Tells whether all cases were compared and there is no difference.
fn start(arguments: &Arguments) -> Result<bool> {
    let release = match arguments.profile {
        Profile::V4 => Release::V4,
        Profile::V3 => Release::V3,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    // Room for the seeds of a million cases until the next microsecond.
    let seed = arguments.seed.unwrap_or_else(|| u64::from(now.subsec_micros()) * 1_000_000 + now.as_secs() % 1_000_000);
    let plan = Plan { cases: arguments.cases, seed, release, told: arguments.differences };
    let programs = checkout::helm_programs()?;
    println!("{} cases from seed {seed}", plan.cases);
    // Panics of the renderer are caught and told as differences.
    std::panic::set_hook(Box::new(|_| {}));
    let progress = |done| eprintln!("{done} of {}", arguments.cases);
    if arguments.show {
        let seeds = (0..plan.cases).map(|index| seed.wrapping_add(index));
        let cases: Vec<Case> = seeds.map(|seed| generate::case(seed, release)).collect();
        show(&programs, release, &cases, &print)?;
        return Ok(true);
    }
    let tell = |reduced: &Judged| {
        print(reduced);
        if let Some(folder) = &arguments.record
            && let Err(error) = fixture::write(&reduced.case, &folder.join(reduced.case.seed.to_string()))
        {
            eprintln!("Error: {error:#}");
        }
    };
    let summary = run(&programs, plan, &progress, &tell)?;
    summarise(&summary);
    Ok(summary.is_clean())
}

fn print(reduced: &Judged) {
    let told = |outcome: &Outcome| match outcome {
        Ok(output) => format!("output {:?}", String::from_utf8_lossy(output)),
        Err(error) => format!("error  {error:?}"),
    };
    let case = serde_json::to_string_pretty(&reduced.case).unwrap_or_default();
    let verdict = reduced.difference.map_or_else(|| "no difference".to_owned(), |difference| difference.to_string());
    println!("--- {verdict}\n{case}\nhelm: {}\nours: {}", told(&reduced.helm), told(&reduced.ours));
}

fn summarise(summary: &Summary) {
    let seconds = summary.elapsed.as_secs_f64();
    println!(
        "{} cases compared in {seconds:.0} s, {:.0} a second; helm renders {} of them, {} %, and refuses the rest",
        summary.compared,
        summary.compared as f64 / seconds,
        summary.rendered,
        summary.rendered_percent(),
    );
    if summary.agreed_later > 0 {
        println!("{} on which helm agrees with ours when it is asked again", summary.agreed_later);
    }
    let seeds = |seeds: &[u64]| seeds.iter().take(10).map(u64::to_string).collect::<Vec<_>>().join(" ");
    if !summary.unstable.is_empty() {
        println!("{} on which helm does not agree with itself: {}", summary.unstable.len(), seeds(&summary.unstable));
    }
    if !summary.endless.is_empty() {
        println!("{} without an end, but for ours: {}", summary.endless.len(), seeds(&summary.endless));
    }
    if !summary.lost.is_empty() {
        println!("{} that helm does not survive: {}", summary.lost.len(), seeds(&summary.lost));
    }
    for (difference, found) in &summary.different {
        println!("{} where {difference}: {}", found.len(), seeds(found));
    }
    println!("{} differences", summary.differences());
}
