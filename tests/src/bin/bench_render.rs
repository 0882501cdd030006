//! `tests/bench render`: what a rendering costs here and in Helm, in time and memory.
//!
//! Both sides take turns within one run: the machine may be busy with other work, which then meets both. A round is a
//! number of renderings by each side, of which the median counts; of the rounds the best one counts.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use renderer::functions::FixedHost;
use renderer::render::Prepared;
use renderer::template::RENDER_STACK_BYTES;
use renderer::values::Values;
use renderer::{Chart, ChartFile, RenderOptions};
use template_source::{SourceLimits, read_chart_directory};
use tests::oracle::{Measured, Oracle, Release, Request};
use tests::times::milliseconds;
use tests::{checkout, command, large_chart};

// As in the webhook, which renders most.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RELEASE: &str = "release";
const NAMESPACE: &str = "somewhere";
const KUBE_VERSION: &str = "v1.35.0";

/// Measures renderings here and in Helm; figures are comparable only within one run
#[derive(Parser)]
#[command(name = "tests/bench render")]
struct Arguments {
    /// Charts to measure besides the built-in ones
    charts: Vec<PathBuf>,
    /// Rounds, of which the best counts
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds that one side may take for a round
    #[arg(long, default_value_t = 0.7)]
    seconds: f64,
    /// The plugin, to measure whole processes too
    #[arg(long, value_name = "FILE")]
    plugin: Option<PathBuf>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Render one chart again and again, for a profiler
    Repeat {
        /// What to repeat
        #[arg(value_enum)]
        work: Work,
        /// The chart
        chart: PathBuf,
        /// How often
        count: usize,
    },
    /// Run a program and print the peak of its memory in bytes
    #[command(hide = true)]
    Peak {
        /// The program and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
    /// Write the generated chart into a folder
    Generate {
        /// The folder
        folder: PathBuf,
    },
}

/// What is measured of ours.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Work {
    /// Templates of a loaded chart with values ready, parsed and executed
    Parse,
    /// The same with templates parsed already
    Warm,
    /// A loaded chart that has been rendered before: values, templates, manifests in order
    Again,
    /// From the folder to the text that is printed
    Whole,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Renders need more stack than a main thread is sure to have.
    let worker = std::thread::Builder::new().stack_size(RENDER_STACK_BYTES).spawn(move || run(&arguments));
    let result = worker.map_err(anyhow::Error::from).and_then(|worker| {
        worker.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the measurement stopped unexpectedly")))
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.action {
        Some(Action::Repeat { work, chart, count }) => return repeat(*work, chart, *count),
        Some(Action::Peak { command }) => return peak_of(command),
        Some(Action::Generate { folder }) => return large_chart::write(folder, large_chart::LARGE),
        None => {}
    }
    let generated = tempfile::tempdir()?;
    let large = generated.path().join("large");
    std::fs::create_dir(&large)?;
    large_chart::write(&large, large_chart::LARGE)?;
    let mut charts = vec![checkout::root().join("examples/templates/storefront"), large];
    for chart in &arguments.charts {
        charts.push(std::fs::canonicalize(chart).with_context(|| format!("{} does not exist", chart.display()))?);
    }

    let programs = checkout::helm_programs()?;
    println!("{}", machine());
    println!("helm {}", version(&programs.join("helm"))?);
    println!("Milliseconds: the best of {} medians, both sides in turn; memory: MiB", arguments.rounds);
    let mut oracle = Oracle::start(&programs, Release::V4)?;
    let mut measured = Vec::new();
    for chart in &charts {
        let measurement = measure(&mut oracle, chart, arguments)
            .with_context(|| format!("{} could not be measured", chart.display()))?;
        measured.push(measurement);
    }
    print_engine(&measured);
    print_whole(&measured);
    if let Some(plugin) = &arguments.plugin {
        println!("\nProcess to process: `helm template` and `kubectl module render`; peak memory of each");
        println!("{:<37}{:>10}{:>10}{:>8}{:>10}{:>10}{:>8}", "", "helm", "ours", "ratio", "helm", "ours", "part");
        for chart in &charts {
            measure_processes(&programs.join("helm"), plugin, chart, arguments)?;
        }
    }
    Ok(())
}

fn print_engine(measured: &[Measurement]) {
    println!("\nEngine, in process, chart and values ready. helm, parse: templates are parsed and executed;");
    println!("warm: executed, parsed before");
    println!("{:<28}{:>9}{:>10}{:>10}{:>8}{:>10}{:>8}", "", "output", "helm", "parse", "ratio", "warm", "ratio");
    for one in measured {
        let (helm, parse, warm) = (one.helm_engine, one.parse, one.warm);
        print!("{:<28}{:>5} KiB", one.name, one.bytes >> 10);
        print!("{:>10.3}{:>10.3}{:>8.1}", milliseconds(helm), milliseconds(parse), ratio(helm, parse));
        println!("{:>10.3}{:>8.1}", milliseconds(warm), ratio(helm, warm));
    }
}

fn print_whole(measured: &[Measurement]) {
    println!(
        "\nAll of `helm template`, in process. whole: from the chart's folder to the text; again: a chart that has been"
    );
    println!("loaded and rendered before; then the peak memory of each process during the whole");
    print!("{:<28}{:>10}{:>10}{:>8}", "", "helm", "whole", "ratio");
    println!("{:>10}{:>8}{:>9}{:>9}{:>7}", "again", "ratio", "helm", "ours", "part");
    for one in measured {
        let (helm, whole, again) = (one.helm_whole, one.whole, one.again);
        print!("{:<28}{:>10.3}{:>10.3}{:>8.1}", one.name, milliseconds(helm), milliseconds(whole), ratio(helm, whole));
        print!("{:>10.3}{:>8.1}", milliseconds(again), ratio(helm, again));
        let part = share(one.peak, one.helm_peak);
        println!("{:>9.1}{:>9.1}{part:>7.2}", mebibytes(one.helm_peak), mebibytes(one.peak));
    }
}

/// What was measured of one chart.
struct Measurement {
    name: String,
    bytes: usize,
    helm_engine: Duration,
    helm_whole: Duration,
    parse: Duration,
    warm: Duration,
    again: Duration,
    whole: Duration,
    helm_peak: u64,
    peak: u64,
}

fn measure(oracle: &mut Oracle, chart: &Path, arguments: &Arguments) -> Result<Measurement> {
    let name = name(chart);
    let theirs = ask(oracle, Request::render_path(chart))?;
    let ours = whole(chart)?;
    if theirs != ours.as_bytes() {
        // Random passwords differ between any two renderings.
        eprintln!("{name}: the two renderings differ; `tests/parity` tells where");
    }
    let files = read_chart_directory(chart, SourceLimits::default())?;
    let start = Instant::now();
    ask(oracle, Request::bench(chart, 1))?;
    let count = times_in(arguments.seconds, start.elapsed());
    let our_count = |work: Work| -> Result<usize> {
        let start = Instant::now();
        series(work, chart, &files, 1)?;
        Ok(times_in(arguments.seconds, start.elapsed()).min(2000))
    };
    let (parse_count, warm_count) = (our_count(Work::Parse)?, our_count(Work::Warm)?);
    let (again_count, whole_count) = (our_count(Work::Again)?, our_count(Work::Whole)?);
    let most = Duration::MAX;
    let mut measurement = Measurement {
        name,
        bytes: ours.len(),
        helm_engine: most,
        helm_whole: most,
        parse: most,
        warm: most,
        again: most,
        whole: most,
        helm_peak: u64::MAX,
        peak: u64::MAX,
    };
    for _ in 0..arguments.rounds {
        let helm: Measured = serde_json::from_slice(&ask(oracle, Request::bench(chart, count))?)?;
        let best = |field: &mut Duration, time: Duration| *field = time.min(*field);
        best(&mut measurement.helm_engine, Duration::from_nanos(helm.engine.median));
        best(&mut measurement.helm_whole, Duration::from_nanos(helm.whole.median));
        measurement.helm_peak = measurement.helm_peak.min(helm.peak_bytes);
        best(&mut measurement.parse, series(Work::Parse, chart, &files, parse_count)?);
        best(&mut measurement.warm, series(Work::Warm, chart, &files, warm_count)?);
        best(&mut measurement.again, series(Work::Again, chart, &files, again_count)?);
        best(&mut measurement.whole, series(Work::Whole, chart, &files, whole_count)?);
    }
    // In a process of its own, as the oracle is one: this one holds what it compares.
    let program = std::env::current_exe()?.display().to_string();
    let chart = chart.display().to_string();
    measurement.peak = peak(Command::new(&program).args(["peak", "--", &program, "repeat", "whole", &chart, "10"]))?;
    Ok(measurement)
}

/// The median of some renderings.
fn series(work: Work, folder: &Path, files: &[ChartFile], count: usize) -> Result<Duration> {
    let load = || Chart::load(files.to_vec()).with_context(|| format!("{} is no valid chart", folder.display()));
    let warm = load()?;
    renderer::render::render_files(&warm, &Values::new(), &options(&FixedHost::default(), true))?;
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let host = FixedHost::default();
        let options = options(&host, work == Work::Again);
        let cold = if work == Work::Parse { Some(load()?) } else { None };
        let prepared = match work {
            Work::Parse | Work::Warm => Some(Prepared::new(cold.as_ref().unwrap_or(&warm), &Values::new(), &options)?),
            Work::Again | Work::Whole => None,
        };
        let start = Instant::now();
        match work {
            Work::Parse | Work::Warm => {
                black_box(prepared.map(|prepared| prepared.execute(&options)).transpose()?);
            }
            Work::Again => {
                black_box(renderer::render(&warm, &Values::new(), &options)?.to_helm_output());
            }
            Work::Whole => {
                black_box(whole(folder)?);
            }
        }
        times.push(start.elapsed());
    }
    Ok(median(times))
}

fn options(host: &FixedHost, validate_schema: bool) -> RenderOptions<'_> {
    RenderOptions {
        release_name: RELEASE.to_owned(),
        namespace: NAMESPACE.to_owned(),
        kube_version: Some(KUBE_VERSION.to_owned()),
        validate_schema,
        ..RenderOptions::new(host)
    }
}

/// What `helm template` prints.
fn whole(folder: &Path) -> Result<String> {
    let chart = Chart::load(read_chart_directory(folder, SourceLimits::default())?)?;
    let rendered = renderer::render(&chart, &Values::new(), &options(&FixedHost::default(), true))?;
    Ok(rendered.to_helm_output())
}

fn ask(oracle: &mut Oracle, mut request: Request) -> Result<Vec<u8>> {
    RELEASE.clone_into(&mut request.release);
    NAMESPACE.clone_into(&mut request.namespace);
    KUBE_VERSION.clone_into(&mut request.kube_version);
    oracle.ask(&request)?.map_err(|error| anyhow::anyhow!("helm refuses the chart: {error}"))
}

fn repeat(work: Work, chart: &Path, count: usize) -> Result<()> {
    let files = read_chart_directory(chart, SourceLimits::default())?;
    println!("median {:.3} ms", milliseconds(series(work, chart, &files, count)?));
    Ok(())
}

fn measure_processes(helm: &Path, plugin: &Path, chart: &Path, arguments: &Arguments) -> Result<()> {
    let empty = tempfile::tempdir()?;
    let isolated = |mut command: Command| {
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS"] {
            command.env(name, empty.path());
        }
        command.env("KUBECONFIG", "/dev/null");
        command
    };
    let words = |program: &Path, first: &[&str]| -> Vec<String> {
        let mut words = vec![program.display().to_string()];
        words.extend(first.iter().map(|word| (*word).to_owned()));
        words.push(chart.display().to_string());
        words.extend(["--namespace", NAMESPACE, "--kube-version", KUBE_VERSION].map(str::to_owned));
        words
    };
    let theirs = words(helm, &["template", RELEASE]);
    let ours = words(plugin, &["render", "--release", RELEASE, "--chart"]);
    let start = |words: &[String]| {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        isolated(command)
    };
    let start_time = Instant::now();
    time(&mut start(&theirs))?;
    let count = times_in(arguments.seconds, start_time.elapsed()).max(3);
    let (mut helm_best, mut our_best) = (Duration::MAX, Duration::MAX);
    for _ in 0..arguments.rounds {
        let (mut helm_times, mut our_times) = (Vec::new(), Vec::new());
        for _ in 0..count {
            helm_times.push(time(&mut start(&theirs))?);
            our_times.push(time(&mut start(&ours))?);
        }
        helm_best = helm_best.min(median(helm_times));
        our_best = our_best.min(median(our_times));
    }
    let peak_of = |words: &[String]| -> Result<u64> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["peak", "--"]).args(words);
        peak(&mut isolated(command))
    };
    let (helm_peak, our_peak) = (peak_of(&theirs)?, peak_of(&ours)?);
    print!("{:<37}{:>10.3}{:>10.3}", name(chart), milliseconds(helm_best), milliseconds(our_best));
    print!("{:>8.1}", ratio(helm_best, our_best));
    println!("{:>10.1}{:>10.1}{:>8.2}", mebibytes(helm_peak), mebibytes(our_peak), share(our_peak, helm_peak));
    Ok(())
}

fn time(command: &mut Command) -> Result<Duration> {
    let program = Path::new(command.get_program()).display().to_string();
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).output();
    let elapsed = start.elapsed();
    ensure!(status.is_ok_and(|output| output.status.success()), "{program} failed while it was measured");
    Ok(elapsed)
}

/// What this program says under `peak`.
fn peak(command: &mut Command) -> Result<u64> {
    Ok(command::run(command)?.success()?.trim().parse()?)
}

/// In a process of its own, because the kernel counts the peak of all children together.
fn peak_of(words: &[String]) -> Result<()> {
    time(Command::new(&words[0]).args(&words[1..]))?;
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN)?;
    println!("{}", usage.max_rss() << 10);
    Ok(())
}

/// Processor and system, for a table that is kept.
fn machine() -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.trim().strip_prefix(": "));
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{}, {count} of them, {}", model.unwrap_or("unknown processor"), std::env::consts::OS)
}

fn version(helm: &Path) -> Result<String> {
    Ok(command::run(Command::new(helm).args(["version", "--short"]))?.success()?.trim().to_owned())
}

fn name(chart: &Path) -> String {
    chart.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// How often something fits into this time, at least once.
fn times_in(seconds: f64, once: Duration) -> usize {
    let times = seconds / once.as_secs_f64().max(1e-9);
    if times < 1.0 { 1 } else { times as usize }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn ratio(theirs: Duration, ours: Duration) -> f64 {
    theirs.as_secs_f64() / ours.as_secs_f64()
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
