//! Helm charts: metadata, default values, templates, files and sub-charts, read from a list of files.

mod archive;
mod decode;
mod dependencies;
mod error;
mod helmignore;
mod load;
mod metadata;

pub use archive::ArchiveError;
pub(crate) use decode::Structure;
pub use decode::TypeMismatch;
pub(crate) use dependencies::{ChartInstance, ChartTree, find_table, is_compatible, table};
pub use error::ChartError;
pub use helmignore::{IgnoreError, IgnoreRules};
pub use metadata::{Dependency, ImportValue, Maintainer, Metadata, MetadataError, ValidationError};

use std::sync::{Arc, OnceLock};

use crate::Profile;
use crate::schema::CompiledSchema;
use crate::template::ParseCache;
use crate::value::FrozenMap;
use crate::values::Values;

/// One file of a chart: its path from the chart's root, with `/`, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    /// Path relative to the chart's root, such as `templates/service.yaml`.
    pub name: String,
    /// The content.
    pub data: Vec<u8>,
}

/// A loaded chart with its sub-charts. `Send + Sync`: load once, render many times.
#[derive(Debug)]
pub struct Chart {
    metadata: Metadata,
    values: Values,
    values_count: usize,
    frozen_values: OnceLock<Arc<FrozenMap>>,
    schema: Option<Arc<[u8]>>,
    templates: Vec<File>,
    files: Vec<File>,
    raw: Vec<File>,
    dependencies: Vec<Self>,
    parsed: ParseCache,
    compiled_schema: CompiledSchema,
    warnings: Vec<String>,
}

/// A file whose content is shared between the lists it is in.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) data: Arc<[u8]>,
}

impl Chart {
    /// The templates that were parsed when this chart, as the root, was rendered before.
    pub(crate) fn parsed(&self) -> &ParseCache {
        &self.parsed
    }

    /// Reads a chart from the files of its directory (Helm: `loader.LoadDir`): what the root's `.helmignore` names is
    /// left out, sub-charts are taken from `charts/`, as directories or as `.tgz` archives.
    pub fn load(files: Vec<ChartFile>) -> Result<Self, ChartError> {
        Self::load_as(files, Profile::default())
    }

    /// As [`Chart::load`], as another release of Helm does.
    pub fn load_as(files: Vec<ChartFile>, profile: Profile) -> Result<Self, ChartError> {
        load::load_directory(files, profile)
    }

    /// Reads a chart from a `.tgz` archive (Helm: `loader.LoadArchive`), whose `.helmignore` was applied when it was
    /// packed.
    pub fn load_archive(archive: &[u8]) -> Result<Self, ChartError> {
        Self::load_archive_as(archive, Profile::default())
    }

    /// As [`Chart::load_archive`], as another release of Helm does.
    pub fn load_archive_as(archive: &[u8], profile: Profile) -> Result<Self, ChartError> {
        load::load_archive(archive, profile)
    }

    /// The name in `Chart.yaml`.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The version in `Chart.yaml`.
    pub fn version(&self) -> &str {
        &self.metadata.version
    }

    /// The icon's URL in `Chart.yaml`; empty if there is none.
    pub fn icon(&self) -> &str {
        &self.metadata.icon
    }

    /// All of `Chart.yaml`.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The default values, all documents of `values.yaml` merged; without those of sub-charts.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// How many values the defaults are, those in each other counted too.
    pub(crate) fn values_count(&self) -> usize {
        self.values_count
    }

    /// [`Chart::values`] as templates see them, made once.
    pub(crate) fn frozen_values(&self) -> &Arc<FrozenMap> {
        self.frozen_values.get_or_init(|| Arc::new(FrozenMap::new(&self.values)))
    }

    /// `values.schema.json` as it is.
    pub fn schema(&self) -> Option<&[u8]> {
        self.schema.as_deref()
    }

    /// The sub-charts in `charts/`, whether enabled or not. Under which name and how often each is rendered is declared
    /// in [`Metadata::dependencies`]: see [`Chart::dependency_names`].
    pub fn dependencies(&self) -> &[Self] {
        &self.dependencies
    }

    /// Pairs of a name and the sub-chart that is configured under it in this chart's values: aliases and names of
    /// declared dependencies that are present, and names of sub-charts that are not declared. Conditions and tags, which
    /// depend on values, do not matter here.
    pub fn dependency_names(&self) -> Vec<(&str, &Self)> {
        dependencies::names(self)
    }

    /// The template files: name and content.
    pub fn templates(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.templates.iter().map(|file| (file.name.as_str(), &*file.data))
    }

    /// The files that `.Files` shows: everything that is not a template, a sub-chart or read by Helm itself.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|file| (file.name.as_str(), &*file.data))
    }

    /// All files of the chart as they were loaded, those of sub-charts included.
    pub fn raw_files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.raw.iter().map(|file| (file.name.as_str(), &*file.data))
    }

    /// The compiled [`Chart::schema`].
    pub(crate) fn compiled_schema(&self) -> &CompiledSchema {
        &self.compiled_schema
    }

    /// What Helm says on stderr while it loads the chart; without those of sub-charts.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn shared_files(&self) -> &[File] {
        &self.files
    }

    pub(crate) fn shared_templates(&self) -> &[File] {
        &self.templates
    }

    /// Whether only partials of this chart are used: `type: library`.
    pub fn is_library(&self) -> bool {
        self.metadata.chart_type.eq_ignore_ascii_case("library")
    }
}

#[cfg(test)]
mod tests;
