//! Rendering from the start to the end of a process, beside `helm template`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tests::cluster::Cluster;
use tests::times::{milliseconds, percentile};
use tests::{checkout, command};

/// Renders the same chart in turn with both programs, from start to end of the process.
pub(crate) fn measure(cluster: &Cluster, count: usize) -> Result<()> {
    let chart = checkout::root().join("examples/templates/storefront");
    let helm = || {
        let mut helm = Command::new(cluster.description().programs.join("helm"));
        helm.args(["template", "release"]).arg(&chart).args(["--namespace", "somewhere"]);
        helm
    };
    let ours = || {
        let mut ours = Command::new(&cluster.description().plugin);
        ours.arg("render").arg("--chart").arg(&chart);
        ours.args(["--release", "release", "--namespace", "somewhere"]);
        ours
    };
    ensure!(
        command::run(&mut helm())?.success()? == command::run(&mut ours())?.success()?,
        "the two programs render storefront differently: see tests/parity examples/templates"
    );
    let (mut helm_times, mut our_times) = (Vec::new(), Vec::new());
    for _ in 0..count {
        helm_times.push(time(&mut helm())?);
        our_times.push(time(&mut ours())?);
    }
    let (helm, ours) = (percentile(&mut helm_times, 50), percentile(&mut our_times, 50));
    println!("Rendering examples/templates/storefront, process to process, {count} each, in turn");
    println!("{:<22}{:>12}", "", "median");
    println!("{:<22}{:>9.2} ms", "helm template", milliseconds(helm));
    println!("{:<22}{:>9.2} ms", "kubectl module render", milliseconds(ours));
    println!("helm takes {:.1} times as long", helm.as_secs_f64() / ours.as_secs_f64());
    Ok(())
}

fn time(command: &mut Command) -> Result<Duration> {
    let program = Path::new(command.get_program()).display().to_string();
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output();
    let elapsed = start.elapsed();
    ensure!(output.is_ok_and(|output| output.status.success()), "{program} failed while it was measured");
    Ok(elapsed)
}
