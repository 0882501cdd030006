//! `tests/bench`: what an admission and a rendering cost, beside what they are measured against.

mod allow_all;
mod api_server;
mod direct;
mod load;
mod process;
mod rendering;
mod subject;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use tests::cluster::{Cluster, Layout, NAME, NAMESPACE};

use allow_all::{ALLOW_ALL, AllowAll};

/// Measures admissions and renderings; figures are comparable only within one run
#[derive(Parser)]
#[command(name = "tests/bench")]
struct Arguments {
    /// Seconds of each load
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Writes a second of each kind through the API server
    #[arg(long, default_value_t = 20)]
    rate: u32,
    /// Renderings by each program
    #[arg(long, default_value_t = 30)]
    renderings: usize,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Allow everything: the same HTTP and TLS as the webhook's, and nothing else
    #[command(hide = true)]
    ServeNothing {
        /// Address to listen on
        address: SocketAddr,
        /// Certificate, a PEM file
        certificate: PathBuf,
        /// Private key, a PEM file
        key: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    // The first installation in this process cannot fail.
    drop(rustls::crypto::ring::default_provider().install_default());
    if let Some(Action::ServeNothing { address, certificate, key }) = arguments.action {
        return allow_all::serve(address, &certificate, &key).await;
    }
    let folder = tempfile::tempdir()?;
    let charts = subject::large_chart_repository(folder.path())?;
    let layout = Layout::new(Some(folder.path().join("cluster")))?;
    let cluster = Cluster::up(layout, &[charts])?;
    let measured = measure_admissions(&cluster, arguments.rate, arguments.seconds).await;
    cluster.stop();
    measured?;
    println!();
    rendering::measure(&cluster, arguments.renderings)
}

async fn measure_admissions(cluster: &Cluster, rate: u32, seconds: u32) -> Result<()> {
    let webhook = cluster.processes().id(NAME).context("the webhook does not run")?.unsigned_abs();
    println!("Memory, idle, with controller: {:.1} MiB", process::memory(webhook)?);
    let allow_all = AllowAll::start(cluster.layout().folder(), &format!("{ALLOW_ALL}.{NAMESPACE}.svc")).await?;
    let client = cluster.client("admin")?;
    api_server::changes(cluster, &client, &allow_all, rate, seconds).await?;
    api_server::silent_writes(cluster, &client).await?;
    let turn = Duration::from_secs(1.max(u64::from(seconds) / 5));
    direct::measure(cluster, &allow_all, webhook, turn).await?;
    println!("Memory afterwards: {:.1} MiB", process::memory(webhook)?);
    Ok(())
}
