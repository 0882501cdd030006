//! Charts from local folders: what the plugin uses without a cluster.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use renderer::ChartFile;

use crate::files::{Collector, digest, segments};
use crate::{FetchedTemplate, SourceError, SourceLimits, TemplateLocation};

/// Deeper folders than this are a loop of links.
const MAX_FOLDER_DEPTH: usize = 32;

/// Folders that stand in for repositories: `spec.template.repo` to a checked-out copy of it.
#[derive(Clone, Debug, Default)]
pub struct LocalTemplates {
    roots: BTreeMap<String, PathBuf>,
    limits: SourceLimits,
}

impl LocalTemplates {
    /// Maps repository URLs to folders.
    pub fn new(roots: BTreeMap<String, PathBuf>) -> Self {
        Self { roots, limits: SourceLimits::default() }
    }

    /// Reads the chart from the folder that stands in for its repository. The version is not looked at: the folder holds
    /// what is checked out. The digest is that of the files.
    pub fn fetch(&self, location: &TemplateLocation) -> Result<FetchedTemplate, SourceError> {
        let root =
            self.roots.get(&location.repo).ok_or_else(|| SourceError::NotMapped { repo: location.repo.clone() })?;
        let folder = segments(&location.path)?.into_iter().fold(root.clone(), |folder, segment| folder.join(segment));
        if !folder.is_dir() {
            return Err(SourceError::PathNotFound {
                repo: location.repo.clone(),
                path: location.path.clone(),
                digest: root.display().to_string(),
            });
        }
        let root = fs::canonicalize(root).map_err(|source| SourceError::File { path: root.clone(), source })?;
        let mut collector = Collector::new(&location.repo, self.limits);
        read_folder(&folder, "", Some(&root), 0, &mut collector)?;
        let files = collector.finish(&location.path)?;
        Ok(FetchedTemplate { digest: digest(&files), files })
    }
}

/// Reads the chart in a folder, following links wherever they lead, as Helm does.
pub fn read_chart_directory(folder: &Path, limits: SourceLimits) -> Result<Vec<ChartFile>, SourceError> {
    let name = folder.display().to_string();
    let mut collector = Collector::new(&name, limits);
    read_folder(folder, "", None, 0, &mut collector)?;
    collector.finish(".")
}

/// Adds everything below `folder`; with `root`, links must not lead out of it.
fn read_folder(
    folder: &Path,
    prefix: &str,
    root: Option<&Path>,
    depth: usize,
    collector: &mut Collector<'_>,
) -> Result<(), SourceError> {
    let file_error = |path: &Path| {
        let path = path.to_owned();
        move |source| SourceError::File { path, source }
    };
    let irregular = |repo: &str, name: &str, reason| {
        Err(SourceError::IrregularFile { repo: repo.to_owned(), path: name.to_owned(), reason })
    };
    if depth > MAX_FOLDER_DEPTH {
        return irregular(collector.repo(), prefix, "its folders nest too deeply");
    }
    for entry in fs::read_dir(folder).map_err(file_error(folder))? {
        let entry = entry.map_err(file_error(folder))?;
        let path = entry.path();
        let Ok(segment) = entry.file_name().into_string() else {
            return irregular(collector.repo(), &path.display().to_string(), "its name is not UTF-8");
        };
        if segment == ".git" {
            continue;
        }
        let name = if prefix.is_empty() { segment } else { format!("{prefix}/{segment}") };
        if let Some(root) = root
            && entry.file_type().map_err(file_error(&path))?.is_symlink()
            && !fs::canonicalize(&path).map_err(file_error(&path))?.starts_with(root)
        {
            return irregular(collector.repo(), &name, "the link leads out of the repository");
        }
        let metadata = fs::metadata(&path).map_err(file_error(&path))?;
        if metadata.is_dir() {
            read_folder(&path, &name, root, depth + 1, collector)?;
        } else if metadata.is_file() {
            collector.admit(&name, metadata.len())?;
            let data = fs::read(&path).map_err(file_error(&path))?;
            collector.add(name, data);
        } else {
            return irregular(collector.repo(), &name, "it is neither a file nor a folder");
        }
    }
    Ok(())
}
