//! `tests/hostile`: renders charts that attack the renderer, each in a process of its own, and measures them.

use std::num::NonZero;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use clap::Parser;
use tests::hostile::{Bomb, Report, bombs, report, run};

// As in the webhook, which is what an attacker would aim at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What an attack may cost.
const MILLISECONDS: u64 = 2_000;
/// Where keys must be random, which is never so at admission: a chart that makes a few keys of 4096 bits must still render,
/// and how long one takes is a matter of luck.
const MILLISECONDS_WITH_KEYS: u64 = 10_000;
const PEAK_BYTES: u64 = 128 << 20;

/// Renders hostile charts and tells how each ended, in how much time and memory
#[derive(Parser)]
#[command(name = "tests/hostile")]
struct Arguments {
    /// Parts of the names of attacks; all if none is given
    names: Vec<String>,
    /// A part of the limits, several attacks at once, and no look at time and memory: for unoptimised builds
    #[arg(long)]
    quick: bool,
    /// Print all that came out
    #[arg(long)]
    verbose: bool,
    /// Render one attack in this process
    #[arg(long, hide = true)]
    report: Option<String>,
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

/// Tells whether every attack came to nothing.
fn start(arguments: &Arguments) -> Result<bool> {
    if let Some(name) = &arguments.report {
        let bomb = bombs().find(|bomb| bomb.name == name).with_context(|| format!("there is no attack {name}"))?;
        println!("{}", serde_json::to_string(&report(bomb, arguments.quick)?)?);
        return Ok(true);
    }
    let is_chosen = |bomb: &&Bomb| {
        arguments.names.is_empty() || arguments.names.iter().any(|part| bomb.name.contains(part.as_str()))
    };
    let chosen: Vec<&Bomb> = bombs().filter(is_chosen).collect();
    let (next, repelled) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let largest = Mutex::new((0, 0));
    let work = || -> Result<()> {
        while let Some(bomb) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            let report = measured(bomb, arguments.quick)?;
            repelled.fetch_add(usize::from(tell(bomb, &report, arguments)), Ordering::Relaxed);
            if let Ok(mut largest) = largest.lock() {
                *largest = (largest.0.max(report.milliseconds), largest.1.max(report.peak_bytes));
            }
        }
        Ok(())
    };
    // Side by side they would disturb each other's times.
    let workers = if arguments.quick { std::thread::available_parallelism().map_or(1, NonZero::get) } else { 1 };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| anyhow::bail!("a worker stopped")))
    })?;
    let (milliseconds, bytes) = largest.into_inner().unwrap_or_default();
    let repelled = repelled.into_inner();
    println!("{repelled} of {} attacks came to nothing; at most {milliseconds} ms, {} MiB", chosen.len(), bytes >> 20);
    Ok(repelled == chosen.len() && !chosen.is_empty())
}

fn measured(bomb: &Bomb, quick: bool) -> Result<Report> {
    let mut program = Command::new(std::env::current_exe()?);
    program.args(["--report", bomb.name]).args(quick.then_some("--quick"));
    run(&mut program).with_context(|| format!("{} could not be run", bomb.name))
}

/// Prints a row of the table, and whether the attack came to nothing.
fn tell(bomb: &Bomb, report: &Report, arguments: &Arguments) -> bool {
    let time = if report.makes_keys { MILLISECONDS_WITH_KEYS } else { MILLISECONDS };
    let is_cheap = report.milliseconds <= time && report.peak_bytes <= PEAK_BYTES;
    let is_repelled = report.is_as_expected && (is_cheap || arguments.quick);
    let verdict = if is_repelled { "ok" } else { "FAILED" };
    let Report { milliseconds, peak_bytes, ended, .. } = report;
    let mebibytes = peak_bytes >> 20;
    println!("{:<34} {:<44} {milliseconds:>5} ms {mebibytes:>4} MiB  {verdict}", bomb.name, bomb.attacks);
    if !is_repelled {
        println!("    expected {:?}", bomb.end);
    }
    if !is_repelled || arguments.verbose {
        println!("    {}", ended.replace('\n', "\n    "));
    }
    is_repelled
}
