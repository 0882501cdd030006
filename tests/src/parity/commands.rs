//! The two programs as a person runs them: `helm template` and `kubectl-module render`.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Case, Difference};
use crate::command::{self, Outcome};

/// A values file may begin with a line that holds further arguments for both programs.
const ARGUMENTS: &str = "# arguments:";

/// The two programs.
#[derive(Clone, Debug)]
pub struct Renderers {
    /// The oracle.
    pub helm: PathBuf,
    /// Ours.
    pub plugin: PathBuf,
}

/// How the two renderings of a case compare.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// Byte for byte the same.
    Same,
    /// Both refuse to render, whatever the reasons.
    BothRefuse,
    /// Both render, differently; where first.
    Different(Difference),
    /// Only helm renders; our message.
    OnlyHelm(String),
    /// Only we render; helm's message.
    OnlyOurs(String),
}

impl Renderers {
    /// Renders a case with both and compares.
    ///
    /// # Errors
    ///
    /// A program that cannot be started, a values file that cannot be read.
    pub fn compare(&self, case: &Case) -> Result<Comparison> {
        let arguments = arguments(case)?;
        let empty = tempfile::tempdir().context("no temporary folder")?;
        let mut helm = Command::new(&self.helm);
        helm.arg("template").arg("release").arg(&case.chart).args(&arguments);
        // No plugins, repositories or cluster of the person who runs this.
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS"] {
            helm.env(name, empty.path());
        }
        helm.env("KUBECONFIG", "/dev/null");
        let mut ours = Command::new(&self.plugin);
        ours.arg("render").arg("--chart").arg(&case.chart);
        ours.args(["--release", "release"]).args(&arguments).env("KUBECONFIG", "/dev/null");
        Ok(judge(&command::run(&mut helm)?, &command::run(&mut ours)?))
    }
}

/// The arguments that both programs share.
fn arguments(case: &Case) -> Result<Vec<String>> {
    let mut arguments = vec!["--namespace".to_owned(), "somewhere".to_owned()];
    if let Some(values) = &case.values {
        let text = fs::read_to_string(values).with_context(|| format!("{} could not be read", values.display()))?;
        if let Some(further) = text.lines().next().and_then(|line| line.strip_prefix(ARGUMENTS)) {
            arguments.extend(further.split_whitespace().map(str::to_owned));
        }
        arguments.extend(["-f".to_owned(), values.display().to_string()]);
    }
    Ok(arguments)
}

fn judge(helm: &Outcome, ours: &Outcome) -> Comparison {
    match (helm.succeeded(), ours.succeeded()) {
        (false, false) => Comparison::BothRefuse,
        (true, false) => Comparison::OnlyHelm(ours.stderr.trim().to_owned()),
        (false, true) => Comparison::OnlyOurs(helm.stderr.trim().to_owned()),
        (true, true) => Difference::first(&helm.stdout, &ours.stdout).map_or(Comparison::Same, Comparison::Different),
    }
}

impl Comparison {
    /// Tells whether the two programs agree.
    pub fn agrees(&self) -> bool {
        matches!(self, Self::Same | Self::BothRefuse)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => formatter.write_str("same"),
            Self::BothRefuse => formatter.write_str("both refuse"),
            Self::OnlyHelm(message) => write!(formatter, "only helm renders it; ours says: {message}"),
            Self::OnlyOurs(message) => write!(formatter, "only ours renders it; helm says: {message}"),
            Self::Different(difference) => difference.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i32, stdout: &str) -> Outcome {
        Outcome { command: String::new(), code, stdout: stdout.to_owned(), stderr: "reason".to_owned() }
    }

    #[test]
    fn refusals_agree_only_with_refusals() {
        assert!(judge(&said(1, ""), &said(1, "")).agrees());
        assert!(!judge(&said(0, ""), &said(1, "")).agrees());
        assert!(!judge(&said(1, ""), &said(0, "")).agrees());
        assert!(judge(&said(0, "same"), &said(0, "same")).agrees());
        assert!(!judge(&said(0, "a\n"), &said(0, "a")).agrees());
    }
}
