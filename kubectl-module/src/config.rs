//! `kubectl-module.yaml`: where templates and policies are found on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

/// The file's name, looked for next to a Module's file and in the folders above it.
pub(crate) const FILE_NAME: &str = "kubectl-module.yaml";

/// The file as it is written. Paths are relative to the file.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    /// Repository of templates to the folder that holds it.
    #[serde(default)]
    templates: BTreeMap<String, PathBuf>,
    /// A file of `ModulePolicy` objects.
    policy: Option<PathBuf>,
}

/// What the file says, with usable paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// The file that was read, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// Repository of templates to the folder that holds it.
    pub(crate) templates: BTreeMap<String, PathBuf>,
    /// A file of `ModulePolicy` objects.
    pub(crate) policy: Option<PathBuf>,
}

impl Config {
    /// Reads the nearest file at or above the folder of `module_file`; nothing found gives an empty configuration.
    pub(crate) fn find(module_file: &Path) -> Result<Self, anyhow::Error> {
        let absolute = std::path::absolute(module_file)
            .with_context(|| format!("cannot find the folder of {}", module_file.display()))?;
        Ok(Self::nearest(absolute.ancestors().skip(1))?.unwrap_or_default())
    }

    /// As [`Config::find`], but looks no higher than `top`, and tells whether anything was found.
    pub(crate) fn find_below(top: &Path, module_file: &Path) -> Result<Option<Self>, anyhow::Error> {
        Self::nearest(module_file.ancestors().skip(1).take_while(|folder| folder.starts_with(top)))
    }

    fn nearest<'a>(folders: impl Iterator<Item = &'a Path>) -> Result<Option<Self>, anyhow::Error> {
        for folder in folders {
            let candidate = folder.join(FILE_NAME);
            match fs::read_to_string(&candidate) {
                Ok(text) => return Self::parse(&text, &candidate).map(Some),
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot read {}", candidate.display()));
                }
            }
        }
        Ok(None)
    }

    fn parse(text: &str, file: &Path) -> Result<Self, anyhow::Error> {
        let read: ConfigFile =
            serde_yaml::from_str(text).with_context(|| format!("{} is not valid", file.display()))?;
        let base = file.parent().unwrap_or(Path::new(""));
        Ok(Self {
            file: Some(file.to_owned()),
            templates: read.templates.into_iter().map(|(repository, path)| (repository, base.join(path))).collect(),
            policy: read.policy.map(|path| base.join(path)),
        })
    }
}

/// Reads a `--template-root REPO=DIR` flag. A repository may contain `=`, a folder's name rarely does.
pub(crate) fn parse_template_root(text: &str) -> Result<(String, PathBuf), String> {
    match text.rsplit_once('=') {
        Some((repository, folder)) if !repository.is_empty() && !folder.is_empty() => {
            Ok((repository.to_owned(), PathBuf::from(folder)))
        }
        _ => Err("expected REPO=DIR".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_file_wins_and_paths_are_relative_to_it() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("apps/team-a");
        fs::create_dir_all(&below).unwrap();
        fs::write(root.path().join(FILE_NAME), "templates:\n  https://far.example.com: far\n").unwrap();
        let far = Config::find(&below.join("shop.yaml")).unwrap();
        assert_eq!(far.templates["https://far.example.com"], root.path().join("far"));
        assert_eq!(far.policy, None);

        fs::write(root.path().join("apps").join(FILE_NAME), "policy: p.yaml\n").unwrap();
        let near = Config::find(&below.join("shop.yaml")).unwrap();
        assert_eq!(near.templates, BTreeMap::new());
        assert_eq!(near.policy, Some(root.path().join("apps/p.yaml")));
    }

    #[test]
    fn unknown_fields_are_errors_that_name_the_file() {
        let error = Config::parse("template: {}\n", Path::new("x/kubectl-module.yaml")).unwrap_err();
        assert_eq!(error.to_string(), "x/kubectl-module.yaml is not valid");
        assert!(format!("{error:#}").contains("unknown field `template`"));
    }

    #[test]
    fn template_root_splits_at_the_last_equals_sign() {
        let parsed = parse_template_root("https://x/y?a=b=dir").unwrap();
        assert_eq!(parsed, ("https://x/y?a=b".to_owned(), PathBuf::from("dir")));
        assert!(parse_template_root("dir").is_err());
    }
}
