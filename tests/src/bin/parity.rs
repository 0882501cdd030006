//! `tests/parity`: renders folders of charts with Helm and with ours, and compares.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use clap::{Parser, ValueEnum};
use renderer::template::RENDER_STACK_BYTES;
use tests::checkout;
use tests::oracle::Release;
use tests::parity::{Case, Comparer, Counts, Ours, Table, Vendor, Verdict, find_cases};

/// Compares our rendering with the real Helm's on every chart below some folders
///
/// Each chart is rendered with its own values and with each `ci/*values*.yaml`. What differs between two runs of Helm
/// (random strings, generated keys, times) is left out of the comparison. Ends with exit code 1 if anything differs.
#[derive(Parser)]
#[command(name = "tests/parity")]
struct Arguments {
    /// Folders with charts, as folders or .tgz files
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Lay this values file over every chart too; can be given several times
    #[arg(short = 'f', long = "values", value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Which Helm to compare with
    #[arg(long, value_enum, default_value = "both")]
    profile: Profile,
    /// Version of Kubernetes that charts see
    #[arg(long, value_name = "VERSION", default_value = "1.34.0")]
    kube_version: String,
    /// Fill in missing sub-charts from file:// repositories and from the charts of the same names below the folders
    #[arg(long)]
    vendor: bool,
    /// Do not check values against schemas: those of some charts refer to others on the net, which only Helm fetches
    #[arg(long)]
    skip_schema_validation: bool,
    /// Threads, as many as cores if not given
    #[arg(short, long, value_name = "COUNT")]
    jobs: Option<NonZero<usize>>,
    /// Write both outputs of every case that differs into this folder
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// Also tell about cases that both refuse with unlike texts
    #[arg(long)]
    texts: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Profile {
    V4,
    V3,
    Both,
}

impl Profile {
    fn releases(self) -> &'static [Release] {
        match self {
            Self::V4 => &[Release::V4],
            Self::V3 => &[Release::V3],
            Self::Both => &[Release::V4, Release::V3],
        }
    }
}

/// The name of the renderer's profile.
fn profile(release: Release) -> &'static str {
    match release {
        Release::V4 => "v4",
        Release::V3 => "v3",
    }
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

/// A case with its number of folder, and its name for people.
struct Job {
    folder: usize,
    name: String,
    case: Case,
}

/// Tells whether all charts are rendered the same.
fn run(arguments: &Arguments) -> Result<bool> {
    let programs = checkout::helm_programs()?;
    // The vendor's folder holds charts until it is dropped.
    let (jobs, _vendor) = jobs(arguments)?;
    let releases = arguments.profile.releases();
    let ours = Ours {
        kube_version: arguments.kube_version.clone(),
        release_name: "release".to_owned(),
        namespace: "somewhere".to_owned(),
        validate_schema: !arguments.skip_schema_validation,
    };
    if let Some(folder) = &arguments.keep {
        fs::create_dir_all(folder).with_context(|| format!("{} could not be made", folder.display()))?;
    }
    let counts = Mutex::new(vec![Counts::default(); arguments.folders.len() * releases.len()]);
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        let mut comparers =
            releases.iter().map(|release| Comparer::new(&ours, *release, &programs)).collect::<Result<Vec<_>>>()?;
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            for (index, comparer) in comparers.iter_mut().enumerate() {
                let (verdict, outputs) = comparer.compare(&job.case).with_context(|| job.name.clone())?;
                let name = format!("{} {}", profile(releases[index]), job.name);
                tell(&name, &verdict, arguments.texts);
                if let (Some(folder), false) = (&arguments.keep, verdict.agrees()) {
                    keep(folder, &name, &outputs)?;
                }
                if let Ok(mut counts) = counts.lock() {
                    counts[job.folder * releases.len() + index].add(&verdict);
                }
            }
        }
        Ok(())
    };
    let threads = arguments.jobs.or(thread::available_parallelism().ok()).map_or(1, NonZero::get);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| thread::Builder::new().stack_size(RENDER_STACK_BYTES).spawn_scoped(scope, work))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread.context("a thread could not be started")?.join().map_err(|_| anyhow!("a thread has panicked"))?
        })
    })?;
    let counts = counts.into_inner().map_err(|_| anyhow!("a thread has panicked"))?;
    let mut table = Table::default();
    for (index, counts) in counts.into_iter().enumerate() {
        let folder = arguments.folders[index / releases.len()].display();
        table.push(format!("{folder} {}", profile(releases[index % releases.len()])), counts);
    }
    print!("\n{table}");
    Ok(table.agrees())
}

fn jobs(arguments: &Arguments) -> Result<(Vec<Job>, Option<Vendor>)> {
    let mut jobs = Vec::new();
    for (index, folder) in arguments.folders.iter().enumerate() {
        let mut cases = find_cases(folder)?;
        ensure!(!cases.is_empty(), "{} holds no chart: no folder below it has a Chart.yaml", folder.display());
        let charts: Vec<Case> = cases.iter().filter(|case| case.values.is_none()).cloned().collect();
        cases.extend(charts.iter().flat_map(|case| {
            let further = |values: &PathBuf| Case { chart: case.chart.clone(), values: Some(values.clone()) };
            arguments.values.iter().map(further)
        }));
        jobs.extend(cases.into_iter().map(|case| Job { folder: index, name: name(&case, folder), case }));
    }
    if !arguments.vendor {
        return Ok((jobs, None));
    }
    let mut vendor = Vendor::new(jobs.iter().map(|job| &job.case))?;
    for job in &mut jobs {
        job.case = vendor.complete(&job.case)?;
    }
    Ok((jobs, Some(vendor)))
}

fn name(case: &Case, folder: &Path) -> String {
    let chart = case.chart.strip_prefix(folder).unwrap_or(&case.chart).display();
    match case.values.as_ref().and_then(|path| path.file_name()) {
        Some(values) => format!("{}/{chart} with {}", folder.display(), values.to_string_lossy()),
        None => format!("{}/{chart}", folder.display()),
    }
}

fn tell(name: &str, verdict: &Verdict, texts: bool) {
    match verdict {
        Verdict::Different(difference) => print!("{name}: {difference}"),
        Verdict::OnlyHelm(text) => println!("{name}: only helm renders it; ours says:\n  {text}"),
        Verdict::OnlyOurs(text) => println!("{name}: only ours renders it; helm says:\n  {text}"),
        Verdict::OtherRefusal { helm, ours } if texts => {
            println!("{name}: both refuse\n  helm: {helm}\n  ours: {ours}");
        }
        _ => {}
    }
}

fn keep(folder: &Path, name: &str, outputs: &(Result<String, String>, Result<String, String>)) -> Result<()> {
    let base = name.trim_start_matches(['.', '/']).replace(['/', ' '], "_");
    for (side, output) in [("helm", &outputs.0), ("ours", &outputs.1)] {
        let path = folder.join(format!("{base}.{side}"));
        let (Ok(text) | Err(text)) = output;
        fs::write(&path, text).with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(())
}
