//! Compares what `kubectl-module render` prints with what the real `helm template` prints.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

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

/// One rendering: a chart and what is laid over its values.
#[derive(Clone, Debug)]
pub struct Case {
    /// The chart's folder.
    pub chart: PathBuf,
    /// A values file, or none for the chart's own values alone.
    pub values: Option<PathBuf>,
}

/// How the two renderings of a case compare.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// Byte for byte the same.
    Same,
    /// Both refuse to render, whatever the reasons.
    BothRefuse,
    /// Both render, differently; where first.
    Different {
        /// The first line that differs, counted from one.
        line: usize,
        /// That line in helm's output, if it has one.
        helm: Option<String>,
        /// That line in ours, if it has one.
        ours: Option<String>,
    },
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
        let arguments = case.arguments()?;
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

impl Case {
    /// The arguments that both programs share.
    fn arguments(&self) -> Result<Vec<String>> {
        let mut arguments = vec!["--namespace".to_owned(), "somewhere".to_owned()];
        if let Some(values) = &self.values {
            let text = fs::read_to_string(values).with_context(|| format!("{} could not be read", values.display()))?;
            if let Some(further) = text.lines().next().and_then(|line| line.strip_prefix(ARGUMENTS)) {
                arguments.extend(further.split_whitespace().map(str::to_owned));
            }
            arguments.extend(["-f".to_owned(), values.display().to_string()]);
        }
        Ok(arguments)
    }
}

/// Finds every chart below a folder, not those inside charts, each by itself and with each of the
/// values files of its `ci` folder.
pub fn find_cases(folder: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    collect(folder, &mut cases)?;
    Ok(cases)
}

/// Lists the YAML files of a folder by name; none if there is no such folder.
pub fn values_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = entries(folder)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    Ok(files)
}

fn collect(folder: &Path, cases: &mut Vec<Case>) -> Result<()> {
    if folder.join("Chart.yaml").exists() {
        cases.push(Case { chart: folder.to_owned(), values: None });
        let mut files = values_files(&folder.join("ci"))?;
        files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains("values")));
        cases.extend(files.into_iter().map(|values| Case { chart: folder.to_owned(), values: Some(values) }));
        return Ok(());
    }
    for entry in entries(folder)? {
        // Links are not followed: a link to a folder above would never end.
        if entry.is_dir() && !entry.is_symlink() && !entry.ends_with(".git") {
            collect(&entry, cases)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>())
        .with_context(|| format!("{} could not be read", folder.display()))?;
    entries.sort();
    Ok(entries)
}

fn judge(helm: &Outcome, ours: &Outcome) -> Comparison {
    match (helm.succeeded(), ours.succeeded()) {
        (false, false) => Comparison::BothRefuse,
        (true, false) => Comparison::OnlyHelm(ours.stderr.trim().to_owned()),
        (false, true) => Comparison::OnlyOurs(helm.stderr.trim().to_owned()),
        (true, true) if helm.stdout == ours.stdout => Comparison::Same,
        (true, true) => first_difference(&helm.stdout, &ours.stdout),
    }
}

fn first_difference(helm: &str, ours: &str) -> Comparison {
    // Lines with their ends: a missing last newline is a difference too.
    let (mut helm, mut ours) = (helm.split_inclusive('\n'), ours.split_inclusive('\n'));
    let mut line = 1;
    loop {
        let (theirs, own) = (helm.next(), ours.next());
        if theirs != own || theirs.is_none() {
            return Comparison::Different { line, helm: theirs.map(str::to_owned), ours: own.map(str::to_owned) };
        }
        line += 1;
    }
}

impl Comparison {
    /// Tells whether the two programs agree.
    pub fn agrees(&self) -> bool {
        matches!(self, Self::Same | Self::BothRefuse)
    }

    /// One word for a table.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::BothRefuse => "both refuse",
            Self::Different { .. } => "DIFFERENT",
            Self::OnlyHelm(_) => "ONLY HELM",
            Self::OnlyOurs(_) => "ONLY OURS",
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same | Self::BothRefuse => formatter.write_str(self.word()),
            Self::OnlyHelm(message) => write!(formatter, "only helm renders it; ours says: {message}"),
            Self::OnlyOurs(message) => write!(formatter, "only ours renders it; helm says: {message}"),
            Self::Different { line, helm, ours } => {
                writeln!(formatter, "line {line} differs:")?;
                let mut side = |name: &str, text: &Option<String>| match text {
                    Some(text) => writeln!(formatter, "  {name} {text:?}"),
                    None => writeln!(formatter, "  {name} has ended"),
                };
                side("helm:", helm)?;
                side("ours:", ours)
            }
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let chart = name(&self.chart).unwrap_or_default();
        match self.values.as_deref().and_then(name) {
            Some(values) => write!(formatter, "{chart} with {values}"),
            None => write!(formatter, "{chart}"),
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
    fn the_first_difference_is_found() {
        let comparison = judge(&said(0, "a\nb\nc\n"), &said(0, "a\nB\nc\n"));
        assert_eq!(comparison.to_string(), "line 2 differs:\n  helm: \"b\\n\"\n  ours: \"B\\n\"\n");
        let comparison = judge(&said(0, "a\nb"), &said(0, "a\n"));
        assert_eq!(comparison.to_string(), "line 2 differs:\n  helm: \"b\"\n  ours: has ended\n");
        assert!(!judge(&said(0, "a\n"), &said(0, "a")).agrees());
    }

    #[test]
    fn refusals_agree_only_with_refusals() {
        assert!(judge(&said(1, ""), &said(1, "")).agrees());
        assert!(!judge(&said(0, ""), &said(1, "")).agrees());
        assert!(!judge(&said(1, ""), &said(0, "")).agrees());
        assert!(judge(&said(0, "same"), &said(0, "same")).agrees());
    }

    #[test]
    fn charts_inside_charts_are_no_cases() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["one/Chart.yaml", "one/ci/x-values.yaml", "one/charts/sub/Chart.yaml", "group/two/Chart.yaml"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let cases = find_cases(folder.path()).unwrap();
        let names: Vec<String> = cases.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["two", "one", "one with x-values.yaml"]);
    }
}
