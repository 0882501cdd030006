//! The checkout that these tests belong to: its folders, and the programs built from it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::command;

/// The root folder of the checkout.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// The programs built from this workspace that a cluster runs.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The admission webhook and controller.
    pub webhook: PathBuf,
    /// The kubectl plugin.
    pub plugin: PathBuf,
    /// This crate's `cluster`, which serves git repositories.
    pub cluster: PathBuf,
}

/// Builds the workspace's programs as `tests/build` does, which costs nothing when they are current.
pub fn programs() -> Result<Programs> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        #[serde(default)]
        executable: Option<PathBuf>,
    }

    let profile = std::env::var("MODULE_PROFILE").unwrap_or_else(|_| "release".to_owned());
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(root());
    build.args(["build", "--profile", &profile, "--locked", "--bins"]);
    build.args(["-p", "tests", "-p", "module-webhook", "-p", "kubectl-module"]);
    build.arg("--message-format=json-render-diagnostics");
    // What `cargo test` exports for the package under test is not meant for another build.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&*name);
        }
    }
    let output = command::run(&mut build)?.success()?;
    let executables: Vec<PathBuf> = output
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .filter_map(|message| message.executable)
        .collect();
    let find = |name: &str| {
        executables
            .iter()
            .find(|path| path.file_stem().is_some_and(|stem| stem == name))
            .cloned()
            .with_context(|| format!("cargo build named no executable `{name}`"))
    };
    Ok(Programs { webhook: find("module-webhook")?, plugin: find("kubectl-module")?, cluster: find("cluster")? })
}

/// The folder with etcd, kube-apiserver, kube-controller-manager, kubectl and what
/// [`helm_programs`] has, built first if it has to be.
pub fn control_plane() -> Result<PathBuf> {
    build_control_plane(&[])
}

/// A folder with helm, helm3 and their oracles, built first if it has to be.
pub fn helm_programs() -> Result<PathBuf> {
    build_control_plane(&["--helm"])
}

fn build_control_plane(arguments: &[&str]) -> Result<PathBuf> {
    let script = root().join("tests/control-plane/build");
    // Not `command::run`: a first build takes minutes, and its progress belongs on the terminal.
    let output = Command::new(&script)
        .args(arguments)
        .stderr(std::process::Stdio::inherit())
        .output()
        .with_context(|| format!("{} could not be started", script.display()))?;
    if !output.status.success() {
        bail!("the control plane could not be built: see the messages above");
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let folder = stdout.lines().last().with_context(|| format!("{} named no folder", script.display()))?;
    Ok(PathBuf::from(folder))
}
