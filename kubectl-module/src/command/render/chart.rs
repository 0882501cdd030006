//! Charts from the disk: folders and archives, as Helm reads them.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use renderer::chart::IgnoreRules;
use renderer::{Chart, ChartFile, Profile};

use crate::failure::{CODE_ERROR, Failure};

/// Deeper folders than this are a loop of links.
const MAX_FOLDER_DEPTH: usize = 64;
/// What all files of a chart may hold in bytes, and an archive (Helm: `MaxDecompressedChartSize`).
const MAX_CHART_BYTES: u64 = 100 << 20;
/// How a gzip-compressed file begins.
const GZIP: &[u8] = b"\x1f\x8b\x08";

/// Reads the chart in a folder or an archive.
pub(super) fn read(path: &Path, profile: Profile) -> Result<Chart, Failure> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::message(CODE_ERROR, format!("the chart {} does not exist", path.display())));
        }
        Err(error) => return Err(anyhow::Error::new(error).context(format!("cannot read {}", path.display())).into()),
    };
    if metadata.is_dir() { read_folder(path, profile) } else { read_archive(path, profile) }
}

fn read_archive(path: &Path, profile: Profile) -> Result<Chart, Failure> {
    let mut archive = Vec::new();
    let file = fs::File::open(path).and_then(|file| file.take(MAX_CHART_BYTES).read_to_end(&mut archive));
    file.with_context(|| format!("cannot read {}", path.display()))?;
    if !archive.starts_with(GZIP) {
        let is_yaml = path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml");
        let problem = if is_yaml {
            "seems to be a YAML file, but expected a gzipped archive"
        } else {
            "does not appear to be a gzipped archive"
        };
        return Err(Failure::message(CODE_ERROR, format!("file '{}' {problem}", path.display())));
    }
    Ok(Chart::load_archive_as(&archive, profile).with_context(|| format!("{} is no valid chart", path.display()))?)
}

fn read_folder(folder: &Path, profile: Profile) -> Result<Chart, Failure> {
    if profile.detects_api_version
        && let Err(error) = fs::metadata(folder.join("Chart.yaml"))
        && error.kind() == io::ErrorKind::NotFound
    {
        let path = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).join("Chart.yaml");
        let path = path.display();
        let text = format!("unable to detect chart at {path}: open {path}: no such file or directory");
        return Err(Failure::message(CODE_ERROR, text));
    }
    let rules = match fs::read(folder.join(".helmignore")) {
        Ok(text) => IgnoreRules::parse(&String::from_utf8_lossy(&text))?,
        Err(_) => IgnoreRules::default(),
    };
    let mut walk = Walk { rules, files: Vec::new(), bytes: 0 };
    walk.folder(folder, "", 0)?;
    Ok(Chart::load_as(walk.files, profile).with_context(|| format!("{} is no valid chart", folder.display()))?)
}

/// The files of a folder. What is ignored is not looked into.
struct Walk {
    rules: IgnoreRules,
    files: Vec<ChartFile>,
    bytes: u64,
}

impl Walk {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), Failure> {
        if depth > MAX_FOLDER_DEPTH {
            return Err(Failure::message(CODE_ERROR, format!("the folders in {} nest too deeply", folder.display())));
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            names.push(entry.with_context(|| format!("cannot read {}", folder.display()))?.file_name());
        }
        names.sort();
        for name in names {
            let path = folder.join(&name);
            let name = format!("{prefix}{}", name.to_string_lossy());
            // Links are followed wherever they lead.
            let metadata = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
            if self.rules.ignores(&name, metadata.is_dir()) {
                continue;
            }
            if metadata.is_dir() {
                self.folder(&path, &format!("{name}/"), depth + 1)?;
                continue;
            }
            if !metadata.is_file() {
                let path = std::path::absolute(&path).unwrap_or(path);
                let text = format!("cannot load irregular file {} as it has file mode type bits set", path.display());
                return Err(Failure::message(CODE_ERROR, text));
            }
            self.bytes = self.bytes.saturating_add(metadata.len());
            if self.bytes > MAX_CHART_BYTES {
                let text =
                    format!("error reading {name}: chart exceeds maximum decompressed size of {MAX_CHART_BYTES} bytes");
                return Err(Failure::message(CODE_ERROR, text));
            }
            let data = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            self.files.push(ChartFile { name, data });
        }
        Ok(())
    }
}
