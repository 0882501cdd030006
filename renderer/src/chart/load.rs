//! From files to a chart (Helm: `pkg/chart/v2/loader`).

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::archive::{self, MAX_DECOMPRESSED_BYTES};
use super::decode::Structure;
use super::dependencies::MAX_INSTANCES;
use super::metadata::{MetadataError, RawMetadata};
use super::{Chart, ChartError, ChartFile, File, IgnoreRules, Metadata};
use crate::Profile;
use crate::functions::time;
use crate::schema::CompiledSchema;
use crate::template::ParseCache;
use crate::values::{self, MAX_VALUES, Values, ValuesError};
use crate::warning::Warnings;
use crate::yaml;

/// Charts inside charts. Helm sets no limit; every level is one more archive to unpack.
const MAX_NESTING: usize = 16;

/// The most comparisons of a character of a path with one of `.helmignore`: half a second's worth.
const MAX_COMPARISONS: usize = 1 << 28;

/// Go's layout of the time in a lock file.
const RFC_3339: &[u8] = b"2006-01-02T15:04:05Z07:00";

/// What Helm says of `requirements.yaml` in a chart whose dependencies stand in `Chart.yaml`.
const REQUIREMENTS_WARNING: &str = "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend \
                                    migrating dependencies to Chart.yaml.";
/// What Helm says of `requirements.lock` in such a chart.
const LOCK_WARNING: &str = "Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend \
                            migrating to Chart.lock.";

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

pub(super) fn load_directory(mut files: Vec<ChartFile>, profile: Profile) -> Result<Chart, ChartError> {
    let size: u64 = files.iter().map(|file| file.data.len() as u64).sum();
    if size > MAX_DECOMPRESSED_BYTES {
        return Err(ChartError::TooLarge { limit: MAX_DECOMPRESSED_BYTES });
    }
    // The order of a walk that visits each directory's entries by name.
    files.sort_by(|left, right| left.name.split('/').cmp(right.name.split('/')));
    let compared: usize = files.iter().map(|file| comparisons(&file.name)).sum();
    let ignore_file = files.iter().find(|file| file.name == ".helmignore");
    if compared.saturating_mul(ignore_file.map_or(0, |file| file.data.len())) > MAX_COMPARISONS {
        return Err(ChartError::IgnoreTooLarge { limit: MAX_COMPARISONS });
    }
    let rules = match ignore_file {
        Some(file) => IgnoreRules::parse(&String::from_utf8_lossy(&file.data))?,
        None => IgnoreRules::default(),
    };
    rules.retain(&mut files, |file| &file.name);
    if let Some(limit) = profile.max_file_bytes
        && let Some(file) = files.iter().find(|file| file.data.len() as u64 > limit)
    {
        let name = file.name.rsplit('/').next().unwrap_or(&file.name).to_owned();
        return Err(ChartError::FileTooLarge { name, limit });
    }
    let files = shared(files);
    if profile.detects_api_version {
        let chart_yaml = files.iter().find(|file| file.name == "Chart.yaml").ok_or(ChartError::MissingChartYaml)?;
        detect_api_version(chart_yaml)?;
    }
    renderable(Loader::new(profile, MAX_DECOMPRESSED_BYTES - size).load(files, 0)?, profile)
}

pub(super) fn load_archive(bytes: &[u8], profile: Profile) -> Result<Chart, ChartError> {
    let mut loader = Loader::new(profile, MAX_DECOMPRESSED_BYTES);
    let files = without_marks(archive::read(bytes, &mut loader.budget, profile)?);
    if profile.detects_api_version {
        let chart_yaml = files.iter().find(|file| file.name == "Chart.yaml");
        detect_api_version(chart_yaml.ok_or(ChartError::NoChartYamlInArchive)?)?;
    }
    renderable(loader.load(files, 0)?, profile)
}

/// Helm 4 loads charts of API version 3, but does not render them yet.
fn renderable(chart: Chart, profile: Profile) -> Result<Chart, ChartError> {
    if profile.detects_api_version && chart.metadata.api_version == "v3" {
        return Err(ChartError::InvalidApiVersion);
    }
    Ok(chart)
}

/// Helm 4 looks at the API version of a chart, though not at those of its sub-charts, before it loads it
/// (`pkg/chart/loader`).
fn detect_api_version(chart_yaml: &File) -> Result<(), ChartError> {
    let failed = |cause: MetadataError| ChartError::Metadata { file: "Chart.yaml".to_owned(), cause };
    let node = yaml::parse(&chart_yaml.data).map_err(|cause| failed(cause.into()))?;
    let version = match Structure::root(&node, "loader.chartBase").map_err(|cause| failed(cause.into()))? {
        Some(root) => root.string("apiVersion").map_err(|cause| failed(cause.into()))?,
        None => String::new(),
    };
    match version.as_str() {
        "" | "v1" | "v2" | "v3" => Ok(()),
        _ => Err(ChartError::UnsupportedApiVersion),
    }
}

/// How many characters of a path are compared with each rule: those of the path and of the folders that it leads through.
fn comparisons(path: &str) -> usize {
    path.len() * (1 + path.matches('/').count())
}

fn shared(files: Vec<ChartFile>) -> Vec<File> {
    without_marks(files.into_iter().map(|file| File { name: file.name, data: Arc::from(file.data) }).collect())
}

/// The files without byte order marks.
fn without_marks(mut files: Vec<File>) -> Vec<File> {
    for file in &mut files {
        if let Some(data) = file.data.strip_prefix(UTF8_BOM) {
            file.data = Arc::from(data);
        }
    }
    files
}

/// Loads a chart and its sub-charts.
struct Loader {
    profile: Profile,
    /// What archives of sub-charts may still unpack to in bytes.
    budget: u64,
    /// How many charts have been loaded.
    charts: usize,
    /// How many values and parts of metadata they have.
    values: usize,
}

impl Loader {
    fn new(profile: Profile, budget: u64) -> Self {
        Self { profile, budget, charts: 0, values: 0 }
    }

    /// Sorts the files of one chart into what they are (Helm: `LoadFiles`).
    fn load(&mut self, raw: Vec<File>, nesting: usize) -> Result<Chart, ChartError> {
        if nesting > MAX_NESTING {
            return Err(ChartError::NestedTooDeep { limit: MAX_NESTING });
        }
        self.charts += 1;
        if self.charts > MAX_INSTANCES {
            return Err(ChartError::TooManyCharts { limit: MAX_INSTANCES });
        }
        let profile = self.profile;
        let mut metadata = RawMetadata::new(profile);
        let mut found = false;
        for file in raw.iter().filter(|file| file.name == "Chart.yaml") {
            found = true;
            self.count(lines_and_items(&file.data))?;
            read_metadata(&mut metadata, file)?;
            metadata.default_api_version();
        }
        let mut chart_values = Values::new();
        let mut schema = None;
        let mut templates = Vec::new();
        let mut files = Vec::new();
        let mut subcharts: Vec<(String, Vec<File>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let warnings = Warnings::new(profile);
        for file in &raw {
            match file.name.as_str() {
                "Chart.yaml" => {}
                "Chart.lock" => check_lock(file, profile)?,
                "values.yaml" => {
                    chart_values = values::read(&file.data, profile.values_documents).map_err(ChartError::Values)?;
                    self.count(values::count(&chart_values))?;
                }
                "values.schema.json" => schema = Some(Arc::clone(&file.data)),
                "requirements.yaml" => {
                    found = true;
                    if !metadata.is_v1() {
                        warnings.log(|| REQUIREMENTS_WARNING.to_owned());
                    }
                    self.count(lines_and_items(&file.data))?;
                    read_metadata(&mut metadata, file)?;
                    if metadata.is_v1() {
                        files.push(file.clone());
                    }
                }
                "requirements.lock" => {
                    found = true;
                    check_lock(file, profile)?;
                    if metadata.is_v1() {
                        files.push(file.clone());
                    } else {
                        warnings.log(|| LOCK_WARNING.to_owned());
                    }
                }
                name if name.starts_with("templates/") => templates.push(file.clone()),
                name => match name.strip_prefix("charts/") {
                    Some(rest) if extension(name) != ".prov" => {
                        let group = rest.split('/').next().unwrap_or(rest);
                        let member = File { name: rest.to_owned(), data: Arc::clone(&file.data) };
                        if let Some(place) = places.get(group) {
                            subcharts[*place].1.push(member);
                        } else {
                            places.insert(group.to_owned(), subcharts.len());
                            subcharts.push((group.to_owned(), vec![member]));
                        }
                    }
                    _ => files.push(file.clone()),
                },
            }
        }
        if !found {
            return Err(ChartError::MissingChartYaml);
        }
        let metadata = metadata.validate()?;
        check_names(&metadata)?;
        let mut warnings = warnings.into_lines();
        let mut dependencies = Vec::new();
        for (name, members) in subcharts {
            if name.starts_with(['_', '.']) {
                continue;
            }
            match self.load_subchart(&name, members, nesting + 1) {
                Ok(mut subchart) => {
                    warnings.append(&mut subchart.warnings);
                    dependencies.push(subchart);
                }
                Err(Unloadable::ArchiveName { found }) => {
                    return Err(ChartError::SubchartArchiveName { name, parent: metadata.name, found });
                }
                Err(Unloadable::Chart(cause)) => {
                    return Err(ChartError::Subchart { name, parent: metadata.name, cause: Box::new(cause) });
                }
            }
        }
        Ok(Chart {
            metadata,
            values_count: values::count(&chart_values),
            values: chart_values,
            schema,
            templates,
            files,
            raw,
            dependencies,
            parsed: ParseCache::default(),
            compiled_schema: CompiledSchema::default(),
            frozen_values: OnceLock::new(),
            warnings,
        })
    }

    /// Counts what stays in memory as values of some kind.
    fn count(&mut self, values: usize) -> Result<(), ChartError> {
        self.values += values;
        if self.values > MAX_VALUES {
            return Err(ChartError::Values(ValuesError::TooMany { limit: MAX_VALUES }));
        }
        Ok(())
    }

    /// Loads what is at one name below `charts/`.
    fn load_subchart(&mut self, name: &str, members: Vec<File>, nesting: usize) -> Result<Chart, Unloadable> {
        let files = if extension(name) == ".tgz" {
            match members.first() {
                Some(file) if file.name == name => {
                    without_marks(archive::read(&file.data, &mut self.budget, self.profile).map_err(ChartError::from)?)
                }
                other => {
                    let found = other.map(|file| file.name.clone()).unwrap_or_default();
                    return Err(Unloadable::ArchiveName { found });
                }
            }
        } else {
            let below = members.into_iter().filter_map(|file| {
                let (_, rest) = file.name.split_once('/')?;
                Some(File { name: rest.to_owned(), data: file.data })
            });
            below.collect()
        };
        Ok(self.load(files, nesting)?)
    }
}

/// Why a sub-chart cannot be loaded.
enum Unloadable {
    /// A directory is named like an archive; the file that was found in it.
    ArchiveName {
        found: String,
    },
    Chart(ChartError),
}

impl From<ChartError> for Unloadable {
    fn from(error: ChartError) -> Self {
        Self::Chart(error)
    }
}

/// Go's `filepath.Ext`: from the last dot of the last segment.
fn extension(path: &str) -> &str {
    let segment = path.rsplit('/').next().unwrap_or(path);
    segment.rfind('.').map_or("", |dot| &segment[dot..])
}

/// About the most values that a YAML text can have.
fn lines_and_items(text: &[u8]) -> usize {
    text.iter().filter(|byte| matches!(byte, b'\n' | b',')).count()
}

/// Every template's name begins with the names and aliases of the charts that it is in.
fn check_names(metadata: &Metadata) -> Result<(), ChartError> {
    const LONGEST: usize = 256;
    let dependencies = metadata.dependencies.iter().flatten();
    let names = dependencies.flat_map(|dependency| [&dependency.name, &dependency.alias]);
    if names.chain([&metadata.name]).all(|name| name.len() <= LONGEST) {
        Ok(())
    } else {
        Err(ChartError::NameTooLong { limit: LONGEST })
    }
}

fn read_metadata(metadata: &mut RawMetadata, file: &File) -> Result<(), ChartError> {
    metadata.read(&file.data).map_err(|cause| ChartError::Metadata { file: file.name.clone(), cause })
}

/// A lock file is not used, but one that cannot be read stops Helm.
fn check_lock(file: &File, profile: Profile) -> Result<(), ChartError> {
    let failed = |cause: MetadataError| ChartError::Lock { file: file.name.clone(), cause };
    let node = yaml::parse(&file.data).map_err(|cause| failed(cause.into()))?;
    let Some(root) = Structure::root(&node, profile.types.lock).map_err(|cause| failed(cause.into()))? else {
        return Ok(());
    };
    root.string("digest").map_err(|cause| failed(cause.into()))?;
    if let Some(field) = root.field("dependencies") {
        for item in field.items(profile.types.dependencies).map_err(|cause| failed(cause.into()))? {
            item.structure("Dependency", profile.types.dependency).map_err(|cause| failed(cause.into()))?;
        }
    }
    if let Some(field) = root.field("generated") {
        let yaml::NodeKind::String(generated) = &field.node.kind else {
            let detail = "Time.UnmarshalJSON: input is not a JSON string".to_owned();
            return Err(ChartError::LockTime { file: file.name.clone(), detail });
        };
        if let Err(error) = time::Time::parse(RFC_3339, generated.as_bytes()) {
            return Err(ChartError::LockTime { file: file.name.clone(), detail: error.to_string() });
        }
    }
    Ok(())
}
