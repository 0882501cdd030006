//! From files to a chart (Helm: `pkg/chart/v2/loader`).

use std::sync::Arc;

use super::archive::{self, MAX_DECOMPRESSED_BYTES};
use super::decode::Structure;
use super::metadata::{MetadataError, RawMetadata};
use super::{Chart, ChartError, ChartFile, File, IgnoreRules};
use crate::template::ParseCache;
use crate::values::{self, Values};
use crate::yaml;

/// Charts inside charts. Helm sets no limit; every level is one more archive to unpack.
const MAX_NESTING: usize = 16;

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

pub(super) fn load_directory(mut files: Vec<ChartFile>) -> Result<Chart, ChartError> {
    let size: u64 = files.iter().map(|file| file.data.len() as u64).sum();
    if size > MAX_DECOMPRESSED_BYTES {
        return Err(ChartError::TooLarge { limit: MAX_DECOMPRESSED_BYTES });
    }
    // The order of a walk that visits each directory's entries by name.
    files.sort_by(|left, right| left.name.split('/').cmp(right.name.split('/')));
    let rules = match files.iter().find(|file| file.name == ".helmignore") {
        Some(file) => IgnoreRules::parse(&String::from_utf8_lossy(&file.data))?,
        None => IgnoreRules::default(),
    };
    files.retain(|file| !rules.ignores_file(&file.name));
    let mut budget = MAX_DECOMPRESSED_BYTES;
    load_files(shared(files), &mut budget, 0)
}

pub(super) fn load_archive(bytes: &[u8]) -> Result<Chart, ChartError> {
    let mut budget = MAX_DECOMPRESSED_BYTES;
    load_files(shared(archive::read(bytes, &mut budget)?), &mut budget, 0)
}

fn shared(files: Vec<ChartFile>) -> Vec<File> {
    let share = |file: ChartFile| File {
        name: file.name,
        data: Arc::from(file.data.strip_prefix(UTF8_BOM).unwrap_or(&file.data)),
    };
    files.into_iter().map(share).collect()
}

/// Sorts the files of one chart into what they are. `budget` is what archives of sub-charts may still unpack to.
fn load_files(raw: Vec<File>, budget: &mut u64, nesting: usize) -> Result<Chart, ChartError> {
    if nesting > MAX_NESTING {
        return Err(ChartError::NestedTooDeep { limit: MAX_NESTING });
    }
    let mut metadata = RawMetadata::default();
    let mut found = false;
    for file in raw.iter().filter(|file| file.name == "Chart.yaml") {
        found = true;
        read_metadata(&mut metadata, file)?;
    }
    let mut chart_values = Values::new();
    let mut schema = None;
    let mut templates = Vec::new();
    let mut files = Vec::new();
    let mut subcharts: Vec<(String, Vec<File>)> = Vec::new();
    for file in &raw {
        match file.name.as_str() {
            "Chart.yaml" => {}
            "Chart.lock" => check_lock(file)?,
            "values.yaml" => chart_values = values::from_yaml(&file.data).map_err(ChartError::Values)?,
            "values.schema.json" => schema = Some(Arc::clone(&file.data)),
            "requirements.yaml" | "requirements.lock" => {
                if file.name == "requirements.yaml" {
                    read_metadata(&mut metadata, file)?;
                } else {
                    check_lock(file)?;
                }
                if metadata.is_v1() {
                    files.push(file.clone());
                }
            }
            name if name.starts_with("templates/") => templates.push(file.clone()),
            name => match name.strip_prefix("charts/") {
                Some(rest) if extension(name) != ".prov" => {
                    let group = rest.split('/').next().unwrap_or(rest);
                    let member = File { name: rest.to_owned(), data: Arc::clone(&file.data) };
                    match subcharts.iter_mut().find(|(name, _)| name == group) {
                        Some((_, members)) => members.push(member),
                        None => subcharts.push((group.to_owned(), vec![member])),
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
    let mut dependencies = Vec::new();
    for (name, members) in subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let subchart = if extension(&name) == ".tgz" {
            match members.first() {
                Some(file) if file.name == name => {
                    archive::read(&file.data, budget).map_err(ChartError::from).map(shared)
                }
                other => {
                    let found = other.map(|file| file.name.clone()).unwrap_or_default();
                    return Err(ChartError::SubchartArchiveName { name, parent: metadata.name, found });
                }
            }
        } else {
            let below = members.into_iter().filter_map(|file| {
                let (_, rest) = file.name.split_once('/')?;
                Some(File { name: rest.to_owned(), data: file.data })
            });
            Ok(below.collect())
        };
        match subchart.and_then(|members| load_files(members, budget, nesting + 1)) {
            Ok(subchart) => dependencies.push(subchart),
            Err(cause) => {
                return Err(ChartError::Subchart { name, parent: metadata.name, cause: Box::new(cause) });
            }
        }
    }
    Ok(Chart {
        metadata,
        values: chart_values,
        schema,
        templates,
        files,
        raw,
        dependencies,
        parsed: ParseCache::default(),
    })
}

/// Go's `filepath.Ext`: from the last dot of the last segment.
fn extension(path: &str) -> &str {
    let segment = path.rsplit('/').next().unwrap_or(path);
    segment.rfind('.').map_or("", |dot| &segment[dot..])
}

fn read_metadata(metadata: &mut RawMetadata, file: &File) -> Result<(), ChartError> {
    metadata.read(&file.data).map_err(|cause| ChartError::Metadata { file: file.name.clone(), cause })
}

/// A lock file is not used, but one that cannot be read stops Helm.
fn check_lock(file: &File) -> Result<(), ChartError> {
    let failed = |cause: MetadataError| ChartError::Lock { file: file.name.clone(), cause };
    let node = yaml::parse(&file.data).map_err(|cause| failed(cause.into()))?;
    let Some(root) = Structure::root(&node, "v2.Lock").map_err(|cause| failed(cause.into()))? else {
        return Ok(());
    };
    root.string("digest").map_err(|cause| failed(cause.into()))?;
    if let Some(field) = root.field("dependencies") {
        for item in field.items("[]*v2.Dependency").map_err(|cause| failed(cause.into()))? {
            item.structure("Dependency", "v2.Dependency").map_err(|cause| failed(cause.into()))?;
        }
    }
    if let Some(field) = root.field("generated") {
        let yaml::NodeKind::String(generated) = &field.node.kind else {
            let detail = "Time.UnmarshalJSON: input is not a JSON string".to_owned();
            return Err(ChartError::LockTime { file: file.name.clone(), detail });
        };
        if generated.parse::<jiff::Timestamp>().is_err() {
            let detail = format!("parsing time {generated:?} as \"2006-01-02T15:04:05Z07:00\": it is no such time");
            return Err(ChartError::LockTime { file: file.name.clone(), detail });
        }
    }
    Ok(())
}
