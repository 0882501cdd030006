//! Cases as folders: a chart as Helm reads it, and what else it is rendered with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Case;

/// The chart's folder.
const CHART: &str = "chart";
/// The case without its files, as JSON. Not there if nothing is left.
const ARGUMENTS: &str = "arguments.json";

/// Writes a case to a folder, which is made.
pub fn write(case: &Case, folder: &Path) -> Result<()> {
    for (name, text) in &case.files {
        write_file(&folder.join(CHART).join(name), text)?;
    }
    let arguments = Case { seed: 0, files: BTreeMap::default(), ..case.clone() };
    if arguments == Case::default() {
        return Ok(());
    }
    write_file(&folder.join(ARGUMENTS), &format!("{}\n", serde_json::to_string_pretty(&arguments)?))
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("{} could not be written", path.display()))
}

/// Reads what [`write()`] has written.
pub fn read(folder: &Path) -> Result<Case> {
    let arguments = folder.join(ARGUMENTS);
    let mut case = if arguments.exists() { serde_json::from_str(&read_file(&arguments)?)? } else { Case::default() };
    add_files(&mut case, &folder.join(CHART), "")?;
    Ok(case)
}

fn add_files(case: &mut Case, folder: &Path, prefix: &str) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            add_files(case, &entry.path(), &format!("{name}/"))?;
        } else {
            case.files.insert(name, read_file(&entry.path())?);
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_survive_being_written() {
        let mut case = Case::default();
        case.files.insert("Chart.yaml".to_owned(), "name: c\r\n".to_owned());
        case.files.insert("charts/sub/templates/t".to_owned(), "{{ . }}".to_owned());
        let folder = tempfile::tempdir().unwrap();
        write(&case, &folder.path().join("plain")).unwrap();
        assert!(!folder.path().join("plain/arguments.json").exists());
        assert_eq!(read(&folder.path().join("plain")).unwrap(), case);

        case.values = vec!["a: \u{1}\n".to_owned()];
        case.only_files = true;
        write(&case, &folder.path().join("with")).unwrap();
        assert_eq!(read(&folder.path().join("with")).unwrap(), case);
    }
}
