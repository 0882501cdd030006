//! The template repositories of a cluster: the examples' one, and folders given by the caller.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::layout::{Layout, Ports};
use crate::{checkout, command};

/// The name of the repository made from `examples/templates`.
pub const EXAMPLES: &str = "templates";

/// Puts every repository where the git server looks, and returns their addresses by name.
pub fn prepare(layout: &Layout, ports: Ports, folders: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let examples = layout.path("git").join(EXAMPLES);
    copy_charts(&checkout::root().join("examples/templates"), &examples)?;
    commit_all(&examples, "Publish the example templates")?;
    git(&examples, &["tag", "v1"])?;

    let mut names = vec![EXAMPLES.to_owned()];
    for folder in folders {
        names.push(link(layout, folder)?);
    }
    Ok(names
        .into_iter()
        .map(|name| {
            let address = format!("http://127.0.0.1:{}/{name}", ports.git);
            (name, address)
        })
        .collect())
}

/// Makes a folder a git repository, if it is none, and commits everything in it on `main`.
pub fn commit_all(folder: &Path, message: &str) -> Result<()> {
    if !folder.join(".git").exists() {
        git(folder, &["init", "--quiet", "--initial-branch=main"])?;
    }
    git(folder, &["add", "--all"])?;
    // Who commits and when is fixed: the same files give the same commit everywhere.
    let mut commit = Command::new("git");
    commit.current_dir(folder).args(["commit", "--quiet", "--no-verify", "--message", message]);
    for role in ["AUTHOR", "COMMITTER"] {
        commit.env(format!("GIT_{role}_NAME"), "Module tests");
        commit.env(format!("GIT_{role}_EMAIL"), "tests@example.com");
        commit.env(format!("GIT_{role}_DATE"), "2026-01-01T00:00:00Z");
    }
    commit.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command::run(&mut commit)?.success()?;
    Ok(())
}

/// Copies a tree of charts.
pub fn copy_charts(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("{} could not be made", to.display()))?;
    let entries = std::fs::read_dir(from).with_context(|| format!("{} could not be read", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_charts(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)
                .with_context(|| format!("{} could not be written", target.display()))?;
        }
    }
    Ok(())
}

fn link(layout: &Layout, folder: &Path) -> Result<String> {
    let folder =
        folder.canonicalize().with_context(|| format!("--templates {}: there is no such folder", folder.display()))?;
    ensure!(
        folder.join(".git").exists() || folder.join("HEAD").exists(),
        "--templates {}: the folder is not a git repository",
        folder.display()
    );
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .map(|name| name.trim_end_matches(".git").to_owned())
        .filter(|name| !name.is_empty())
        .with_context(|| format!("--templates {}: the folder has no usable name", folder.display()))?;
    let place = layout.path("git").join(&name);
    if place.exists() {
        bail!("--templates {}: another repository is called `{name}` already", folder.display());
    }
    std::os::unix::fs::symlink(&folder, &place).with_context(|| format!("{} could not be made", place.display()))?;
    Ok(name)
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    command::run(Command::new("git").current_dir(folder).args(arguments))?.success()
}
