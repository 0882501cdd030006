//! `--output-dir`: a file for each template instead of text on standard output.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use renderer::{Manifest, Rendered};

use crate::failure::Failure;

/// Where files go.
pub(super) struct OutputDirectory<'a> {
    folder: &'a Path,
    /// Manifests and hooks go into a folder of the release's name. Definitions of custom resources never do, in Helm.
    below: PathBuf,
}

impl<'a> OutputDirectory<'a> {
    pub(super) fn new(folder: &'a Path, release: Option<&str>) -> Self {
        let below = release.map_or_else(|| folder.to_owned(), |release| folder.join(release));
        Self { folder, below }
    }

    /// Writes everything; the text names the files as Helm does.
    pub(super) fn write(&self, rendered: &Rendered) -> Result<String, Failure> {
        let mut told = String::new();
        let mut written = BTreeSet::new();
        let everything = [(self.folder, &rendered.crds), (self.below.as_path(), &rendered.manifests)];
        for (folder, manifests) in everything {
            for manifest in manifests {
                let is_first = written.insert(&manifest.source);
                told.push_str(&write_file(folder, manifest, !is_first)?);
            }
        }
        for hook in &rendered.hooks {
            // Helm goes on in whatever file is there, be it from an earlier time.
            let exists = self.below.join(&hook.source).exists();
            told.push_str(&write_file(&self.below, hook, exists)?);
        }
        Ok(told)
    }
}

fn write_file(folder: &Path, manifest: &Manifest, append: bool) -> Result<String, Failure> {
    let path = PathBuf::from(format!("{}/{}", folder.display(), manifest.source));
    let failed = || format!("cannot write {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(failed)?;
    }
    let file = if append { OpenOptions::new().append(true).open(&path) } else { File::create(&path) };
    let text = format!("---\n# Source: {}\n{}\n", manifest.source, manifest.content);
    file.and_then(|mut file| file.write_all(text.as_bytes())).with_context(failed)?;
    Ok(format!("wrote {}\n", path.display()))
}
