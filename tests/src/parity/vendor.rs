//! Gives charts the sub-charts that they declare, from among the charts at hand.
//!
//! `helm dependency build` would download them; here only `file://` repositories and charts of the same names below the
//! given folders are used, and copied into a temporary folder beside a copy of the chart.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use renderer::semver::{Constraint, Version};
use serde::Deserialize;
use tempfile::TempDir;

use super::{Case, entries};

/// Charts that depend on each other in a circle end here.
const MAX_DEPTH: usize = 6;

/// The charts at hand.
#[derive(Debug)]
pub struct Vendor {
    folder: TempDir,
    charts: BTreeMap<String, Vec<Source>>,
    /// Copied charts by their original folder.
    copies: BTreeMap<PathBuf, PathBuf>,
}

#[derive(Debug)]
struct Source {
    version: String,
    path: PathBuf,
}

#[derive(Default, Deserialize)]
struct Head {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    dependencies: Option<Vec<Dependency>>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    repository: String,
}

impl Vendor {
    /// Takes note of the charts of these cases.
    ///
    /// # Errors
    ///
    /// There is no temporary folder.
    pub fn new<'a>(cases: impl Iterator<Item = &'a Case>) -> Result<Self> {
        let mut charts: BTreeMap<String, Vec<Source>> = BTreeMap::new();
        for case in cases.filter(|case| case.values.is_none() && case.chart.is_dir()) {
            let head = read_head(&case.chart);
            let source = Source { version: head.version, path: case.chart.clone() };
            charts.entry(head.name).or_default().push(source);
        }
        Ok(Self { folder: tempfile::tempdir().context("no temporary folder")?, charts, copies: BTreeMap::new() })
    }

    /// The case with all sub-charts that can be found; the same if nothing is missing.
    ///
    /// # Errors
    ///
    /// A chart cannot be copied.
    pub fn complete(&mut self, case: &Case) -> Result<Case> {
        if let Some(copy) = self.copies.get(&case.chart) {
            return Ok(Case { chart: copy.clone(), values: case.values.clone() });
        }
        let name = case.chart.file_name().context("a chart's folder has no name")?.to_owned();
        let mut chart = case.chart.clone();
        if chart.is_dir() && !self.missing(&chart, &chart).is_empty() {
            // Below a folder of its own: two charts may have one name.
            chart = self.folder.path().join(self.copies.len().to_string()).join(name);
            copy(&case.chart, &chart)?;
            self.fill(&chart, &case.chart, 0)?;
        }
        self.copies.insert(case.chart.clone(), chart.clone());
        Ok(Case { chart, values: case.values.clone() })
    }

    /// Copies what is missing into `chart`, which is a copy of `original`.
    fn fill(&self, chart: &Path, original: &Path, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        for (name, source) in self.missing(chart, original) {
            let target = chart.join("charts").join(&name);
            if target.exists() {
                // Declared twice, under two aliases.
                continue;
            }
            copy(&source, &target)?;
            self.fill(&target, &source, depth + 1)?;
        }
        Ok(())
    }

    /// The names of sub-charts that a chart lacks, and where they are. `original` is what `file://` is relative to.
    fn missing(&self, chart: &Path, original: &Path) -> Vec<(String, PathBuf)> {
        let dependencies = read_head(chart).dependencies.unwrap_or_default();
        let wanted = dependencies.iter().filter(|dependency| !has(chart, &dependency.name));
        wanted
            .filter_map(|dependency| Some((dependency.name.clone(), self.find(dependency, original)?)))
            .filter(|(_, source)| source != original)
            .collect()
    }

    fn find(&self, dependency: &Dependency, original: &Path) -> Option<PathBuf> {
        if let Some(relative) = dependency.repository.strip_prefix("file://") {
            let path = original.join(relative);
            if path.join("Chart.yaml").exists() {
                return path.canonicalize().ok();
            }
        }
        let candidates = self.charts.get(&dependency.name)?;
        let constraint = Constraint::parse(&dependency.version).ok();
        let satisfies = |source: &&Source| {
            let version = Version::parse(&source.version).ok();
            constraint.as_ref().zip(version).is_some_and(|(constraint, version)| constraint.matches(&version))
        };
        // Helm renders a sub-chart of another version too.
        candidates.iter().find(satisfies).or(candidates.first()).map(|source| source.path.clone())
    }
}

/// Whether a chart has a sub-chart of that name, as a folder or an archive.
fn has(chart: &Path, name: &str) -> bool {
    let charts = chart.join("charts");
    charts.join(name).exists()
        || entries(&charts).is_ok_and(|entries| {
            entries.iter().filter_map(|path| path.file_name()).any(|file| {
                file.to_string_lossy()
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('-') && rest.ends_with("gz"))
            })
        })
}

/// A chart that cannot be read has no dependencies here; both programs will tell what is wrong with it.
fn read_head(chart: &Path) -> Head {
    let read = |name: &str| -> Option<Head> { serde_yaml::from_str(&fs::read_to_string(chart.join(name)).ok()?).ok() };
    let mut head = read("Chart.yaml").unwrap_or_default();
    if let Some(requirements) = read("requirements.yaml") {
        head.dependencies = requirements.dependencies.or(head.dependencies);
    }
    head
}

/// Copies a folder; what links lead to is copied, and links to nothing are left out.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let context = || format!("{} could not be copied to {}", from.display(), to.display());
    if from.is_dir() {
        fs::create_dir_all(to).with_context(context)?;
        for entry in entries(from)? {
            let name = entry.file_name().with_context(context)?;
            copy(&entry, &to.join(name))?;
        }
    } else if from.is_file() {
        fs::copy(from, to).with_context(context)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parity::find_cases;

    #[test]
    fn missing_sub_charts_are_found_by_path_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "app/Chart.yaml",
            "name: app\nversion: 1.0.0\ndependencies:\n- {name: lib, version: 2.x, repository: 'https://x.example'}\n\
             - {name: near, version: '*', repository: 'file://../elsewhere/near-1'}\n- {name: far, version: '*'}\n",
        );
        write("lib-1/Chart.yaml", "name: lib\nversion: 1.0.0\n");
        write("lib-2/Chart.yaml", "name: lib\nversion: 2.3.0\ndependencies:\n- {name: deep, version: '*'}\n");
        write("deep/Chart.yaml", "name: deep\nversion: 1.0.0\n");
        write("elsewhere/near-1/Chart.yaml", "name: near\nversion: 1.0.0\n");
        let cases = find_cases(folder.path()).unwrap();
        let mut vendor = Vendor::new(cases.iter()).unwrap();
        let app = vendor.complete(&cases[0]).unwrap().chart;
        assert_ne!(app, cases[0].chart);
        assert_eq!(app.file_name(), cases[0].chart.file_name());
        assert!(fs::read_to_string(app.join("charts/lib/Chart.yaml")).unwrap().contains("2.3.0"));
        assert!(app.join("charts/lib/charts/deep/Chart.yaml").exists());
        assert!(app.join("charts/near/Chart.yaml").exists());
        assert!(!app.join("charts/far").exists());
        assert!(!folder.path().join("app/charts").exists());
        let deep = cases.iter().find(|case| case.chart.ends_with("deep")).unwrap();
        assert_eq!(vendor.complete(deep).unwrap().chart, deep.chart);
    }
}
