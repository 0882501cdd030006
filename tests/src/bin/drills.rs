//! `tests/drills`: certificates and restarts under load.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tests::cluster::{Cluster, Layout};
use tests::drills::{self, Report, Size};

/// Renews certificates, replaces authorities and restarts replicas while Modules are written; exits with 1 if a call fails
#[derive(Parser)]
#[command(name = "tests/drills")]
struct Arguments {
    /// Renewals of the served certificate
    #[arg(long, default_value_t = 10)]
    leaves: usize,
    /// Replacements of the certificate authority
    #[arg(long, default_value_t = 3)]
    authorities: usize,
    /// Replacements of a mounted Secret
    #[arg(long, default_value_t = 5)]
    swaps: usize,
    /// Rolling restarts of both replicas
    #[arg(long, default_value_t = 20)]
    restarts: usize,
    /// Writes a second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
}

fn main() -> ExitCode {
    let Arguments { leaves, authorities, swaps, restarts, rate } = Arguments::parse();
    match run(Size { leaves, authorities, swaps, restarts, rate }) {
        Ok(report) => {
            print!("{report}");
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(size: Size) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let cluster = Cluster::up(Layout::new(Some(folder.path().join("cluster")))?, &[])?;
    let report = drills::run(&cluster, size);
    cluster.stop();
    report
}
