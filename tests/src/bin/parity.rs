//! `tests/parity`: renders folders of charts with helm and with ours, and compares.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use tests::checkout;
use tests::parity::{Case, Renderers, find_cases};

/// Compares `kubectl-module render` with the real `helm template` on every chart below some folders
#[derive(Parser)]
#[command(name = "tests/parity")]
struct Arguments {
    /// Folders with charts
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Lay this values file over every chart too; can be given several times
    #[arg(short = 'f', long = "values")]
    values: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Tells whether all charts are rendered the same.
fn run(arguments: &Arguments) -> Result<bool> {
    let renderers = Renderers { helm: checkout::control_plane()?.join("helm"), plugin: checkout::programs()?.plugin };
    let (mut count, mut failed) = (0, 0);
    for folder in &arguments.folders {
        let mut cases = find_cases(folder)?;
        ensure!(!cases.is_empty(), "{} holds no chart: no folder below it has a Chart.yaml", folder.display());
        let further: Vec<Case> = cases
            .iter()
            .filter(|case| case.values.is_none())
            .flat_map(|case| {
                arguments.values.iter().map(|values| Case { chart: case.chart.clone(), values: Some(values.clone()) })
            })
            .collect();
        cases.extend(further);
        for case in cases {
            let comparison = renderers.compare(&case)?;
            count += 1;
            let place = case.chart.strip_prefix(folder).unwrap_or(&case.chart).display().to_string();
            let values = case.values.as_ref().and_then(|path| path.file_name()).unwrap_or_default();
            println!("{:<12} {place:<40} {}", comparison.word(), values.display());
            if !comparison.agrees() {
                failed += 1;
                for line in comparison.to_string().lines() {
                    println!("             {line}");
                }
            }
        }
    }
    println!("{} of {count} renderings are the same as helm's", count - failed);
    Ok(failed == 0)
}
