//! `tests/cluster`: starts, shows and ends a cluster on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tests::cluster::{Cluster, Layout, Processes};

/// A real Kubernetes control plane without nodes, with our webhook and controller
#[derive(Parser)]
#[command(name = "tests/cluster")]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start a cluster and wait until it is ready
    Up {
        /// Folder for the cluster's files [default: module-cluster in the temporary folder]
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Git repository of charts to serve beside the examples; can be given several times
        #[arg(long, value_name = "GITDIR")]
        templates: Vec<PathBuf>,
        /// End the cluster when standard input closes
        #[arg(long, hide = true)]
        attached: bool,
    },
    /// End the processes of a cluster
    Down {
        /// Folder of the cluster
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Show the processes of a cluster
    Status {
        /// Folder of the cluster
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Serve a folder of git repositories
    #[command(hide = true)]
    ServeGit {
        /// Folder that holds the repositories
        repositories: PathBuf,
        /// Address to listen on
        address: SocketAddr,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().action) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(action: Action) -> Result<ExitCode> {
    match action {
        Action::Up { dir, templates, attached } => up(dir, &templates, attached)?,
        Action::Down { dir } => {
            let layout = Layout::new(dir)?;
            Cluster::open(layout.clone())?.stop();
            println!("The cluster in {} is down.", layout.folder().display());
        }
        Action::Status { dir } => return status(dir),
        Action::ServeGit { repositories, address } => {
            tokio::runtime::Runtime::new()?.block_on(tests::git_server::serve(repositories, address))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn up(dir: Option<PathBuf>, templates: &[PathBuf], attached: bool) -> Result<()> {
    let start = Instant::now();
    let cluster = Cluster::up(Layout::new(dir)?, templates)?;
    let folder = cluster.layout().folder().display();
    let kubeconfig = cluster.layout().kubeconfig();
    println!("The cluster in {folder} is ready after {:.1} s.", start.elapsed().as_secs_f64());
    println!();
    println!("  export KUBECONFIG={}", kubeconfig.display());
    println!("  contexts: admin, developer (alice), gitops (Argo CD's service account)");
    println!("  kubectl:  {}", cluster.description().programs.join("kubectl").display());
    println!("  logs:     {folder}/logs");
    for (name, address) in cluster.templates() {
        println!("  template repository {name}: {address}");
    }
    if attached {
        // Whoever started this closes the pipe when it ends, however it ends.
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
        cluster.stop();
    }
    Ok(())
}

/// Exits with 1 if a process of the cluster is not running.
fn status(dir: Option<PathBuf>) -> Result<ExitCode> {
    let layout = Layout::new(dir)?;
    let description = layout.description()?;
    let processes = Processes::of(&layout);
    println!("API server: https://127.0.0.1:{}", description.ports.api_server);
    println!("kubeconfig: {}", layout.kubeconfig().display());
    let mut all_running = true;
    for name in processes.names() {
        if let Some(id) = processes.id(&name) {
            println!("{name:<24} running, process {id}");
        } else {
            all_running = false;
            println!("{name:<24} not running, see {}", processes.log(&name).display());
        }
    }
    Ok(if all_running { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
