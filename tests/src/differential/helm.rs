//! Helm's side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::{Case, Outcome};
use crate::oracle::{Oracle, Release, Request};

/// Generated charts are rendered in milliseconds: one that takes this long has a loop without end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running Helm, started again when a case ended it.
#[derive(Debug)]
pub struct Helm {
    programs: PathBuf,
    release: Release,
    oracle: Oracle,
}

impl Helm {
    /// Starts the oracle of a release from the folder of [`crate::checkout::helm_programs`].
    pub fn start(programs: &Path, release: Release) -> Result<Self> {
        Ok(Self { programs: programs.to_owned(), release, oracle: start(programs, release)? })
    }

    /// Renders a case.
    ///
    /// # Errors
    ///
    /// Helm did not survive it, or takes too long. It is ready for the next case nevertheless.
    pub fn render(&mut self, case: &Case) -> Result<Outcome> {
        let answer = self.oracle.ask(&request(case));
        if answer.is_err() {
            self.oracle = start(&self.programs, self.release)?;
        }
        // Both sides write the JSON alike.
        match answer {
            Ok(Ok(files)) if case.only_files => {
                let files: BTreeMap<String, String> = serde_json::from_slice(&files)?;
                Ok(Ok(serde_json::to_vec(&files)?))
            }
            answer => answer,
        }
    }
}

fn start(programs: &Path, release: Release) -> Result<Oracle> {
    Ok(Oracle::start(programs, release)?.with_patience(PATIENCE))
}

fn request(case: &Case) -> Request {
    let files = case.files.iter().map(|(name, text)| (name.as_str(), text.as_bytes()));
    let mut request = Request::render(files);
    request.values.clone_from(&case.values);
    request.set.clone_from(&case.set);
    request.set_string.clone_from(&case.set_string);
    request.set_json.clone_from(&case.set_json);
    request.set_literal.clone_from(&case.set_literal);
    request.release.clone_from(&case.release);
    request.namespace.clone_from(&case.namespace);
    request.kube_version.clone_from(&case.kube_version);
    request.api_versions.clone_from(&case.api_versions);
    request.is_upgrade = case.is_upgrade;
    request.include_crds = case.include_crds;
    request.no_hooks = case.no_hooks;
    request.skip_tests = case.skip_tests;
    request.show_only.clone_from(&case.show_only);
    if case.only_files { request.files() } else { request }
}
