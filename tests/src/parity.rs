//! Compares what our renderer prints for a chart with what the real Helm prints.

mod commands;
mod comparison;
mod difference;
mod mask;
mod ours;
mod table;
mod vendor;

pub use commands::{Comparison, Renderers};
pub use comparison::{Comparer, Verdict};
pub use difference::Difference;
pub use ours::Ours;
pub use table::{Counts, Table};
pub use vendor::Vendor;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One rendering: a chart and what is laid over its values.
#[derive(Clone, Debug)]
pub struct Case {
    /// The chart's folder or archive.
    pub chart: PathBuf,
    /// A values file, or none for the chart's own values alone.
    pub values: Option<PathBuf>,
}

/// Finds every chart below a folder, not those inside charts, each by itself and with each of the
/// values files of its `ci` folder. A `.tgz` file is taken for a chart too.
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
    files.retain(|path| has_extension(path, &["yaml", "yml"]));
    Ok(files)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known))
}

fn collect(folder: &Path, cases: &mut Vec<Case>) -> Result<()> {
    if folder.join("Chart.yaml").exists() {
        cases.push(Case { chart: folder.to_owned(), values: None });
        let mut files = values_files(&folder.join("ci"))?;
        files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains("values")));
        cases.extend(files.into_iter().map(|values| Case { chart: folder.to_owned(), values: Some(values) }));
        return Ok(());
    }
    if folder.is_file() {
        if has_extension(folder, &["tgz"]) {
            cases.push(Case { chart: folder.to_owned(), values: None });
        }
        return Ok(());
    }
    for entry in entries(folder)? {
        // Links are not followed: a link to a folder above would never end.
        if !entry.is_symlink() && !entry.ends_with(".git") {
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

    #[test]
    fn charts_inside_charts_are_no_cases() {
        let folder = tempfile::tempdir().unwrap();
        let paths =
            ["one/Chart.yaml", "one/ci/x-values.yaml", "one/charts/sub/Chart.yaml", "group/two/Chart.yaml", "z.tgz"];
        for path in paths {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let cases = find_cases(folder.path()).unwrap();
        let names: Vec<String> = cases.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["two", "one", "one with x-values.yaml", "z.tgz"]);
    }
}
