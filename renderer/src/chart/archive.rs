//! Chart archives: gzip-compressed tar files (Helm: `pkg/chart/loader/archive`).

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use super::ChartFile;
use crate::Profile;
use crate::quote::quote;

/// What all files of a chart may unpack to (Helm: `MaxDecompressedChartSize`), here with the archives of its sub-charts.
pub(super) const MAX_DECOMPRESSED_BYTES: u64 = 100 << 20;
/// The most entries of one archive. A tar header is 512 bytes, so that empty files alone stay far below Helm's limit of
/// bytes while each of them costs memory here.
const MAX_ENTRIES: usize = 50_000;
/// Go reads this much before it looks at any of it.
const GZIP_HEADER_BYTES: usize = 10;

/// An archive that is no chart. Displays as Helm prints it, where Helm says something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Not a tar file in gzip compression.
    #[error("{detail}")]
    Unreadable {
        /// What is wrong with it.
        detail: String,
    },
    /// No files.
    #[error("no files in chart archive")]
    Empty,
    /// Unpacks to more than Helm loads.
    #[error("decompressed chart is larger than the {what} {MAX_DECOMPRESSED_BYTES}")]
    TooLarge {
        /// What Helm calls the limit.
        what: &'static str,
    },
    /// A file is larger than what Helm 3 loads.
    #[error("decompressed chart file {} is larger than the maximum file size {limit}", quote(.name.as_bytes()))]
    FileTooLarge {
        /// The path in the archive.
        name: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// More entries than this crate reads.
    #[error("chart archive has more than {MAX_ENTRIES} entries")]
    TooManyEntries,
    /// An absolute path.
    #[error("chart illegally contains absolute paths")]
    AbsolutePath,
    /// A path without a first directory.
    #[error("chart illegally contains content outside the base directory: {}", quote(.name.as_bytes()))]
    OutsideBase {
        /// The path in the archive.
        name: String,
    },
    /// A path that leads above the chart.
    #[error("chart illegally references parent directory")]
    ParentDirectory,
    /// A path like `c:/x`.
    #[error("chart contains illegally named files")]
    DrivePath,
    /// `Chart.yaml` is not in a directory.
    #[error("chart yaml not in base directory")]
    ChartYamlNotInBase,
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable { detail: error.to_string() }
    }
}

/// Unpacks an archive. `budget` is what may still be unpacked in bytes; it shrinks by what was.
pub(super) fn read(archive: &[u8], budget: &mut u64, profile: Profile) -> Result<Vec<ChartFile>, ArchiveError> {
    if !archive.starts_with(b"\x1f\x8b") {
        let detail = if archive.len() < GZIP_HEADER_BYTES { "unexpected EOF" } else { "gzip: invalid header" };
        return Err(ArchiveError::Unreadable { detail: detail.to_owned() });
    }
    // Headers and padding count too, so that nothing in the archive can grow without end.
    let unpacked = MultiGzDecoder::new(archive).take(*budget + 1);
    let what = if profile.max_file_bytes.is_some() { "maximum file size" } else { "maximum size" };
    let too_large = ArchiveError::TooLarge { what };
    let mut tar = tar::Archive::new(unpacked);
    let mut files = Vec::new();
    for (count, entry) in tar.entries()?.enumerate() {
        if count >= MAX_ENTRIES {
            return Err(ArchiveError::TooManyEntries);
        }
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_dir() || path.ends_with('/') || kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            continue;
        }
        let name = relative_path(&path)?;
        if entry.size() >= *budget {
            return Err(too_large);
        }
        if let Some(limit) = profile.max_file_bytes.filter(|limit| entry.size() > *limit) {
            return Err(ArchiveError::FileTooLarge { name: path, limit });
        }
        let mut data = Vec::new();
        entry.read_to_end(&mut data)?;
        *budget = budget.checked_sub(data.len() as u64).ok_or_else(|| too_large.clone())?;
        files.push(ChartFile { name, data });
    }
    if files.is_empty() {
        return Err(ArchiveError::Empty);
    }
    Ok(files)
}

/// The path below the archive's first directory, whatever that is called.
fn relative_path(path: &str) -> Result<String, ArchiveError> {
    let delimiter = if path.contains('\\') { '\\' } else { '/' };
    let (first, rest) = path.split_once(delimiter).unwrap_or((path, ""));
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return Err(ArchiveError::AbsolutePath);
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in rest.split('/') {
        match segment {
            "" | "." => {}
            ".." if segments.last().is_some_and(|last| *last != "..") => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let name = segments.join("/");
    if name.is_empty() {
        return Err(ArchiveError::OutsideBase { name: path.to_owned() });
    }
    if name.starts_with("..") {
        return Err(ArchiveError::ParentDirectory);
    }
    if matches!(name.as_bytes(), [drive, b':', b'/', ..] if drive.is_ascii_alphabetic()) {
        return Err(ArchiveError::DrivePath);
    }
    if first == "Chart.yaml" {
        return Err(ArchiveError::ChartYamlNotInBase);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_the_first_directory() {
        for (path, expected) in [
            ("demo/Chart.yaml", Ok("Chart.yaml")),
            ("demo/templates/.//a.yaml", Ok("templates/a.yaml")),
            ("demo\\templates\\a.yaml", Ok("templates/a.yaml")),
            ("demo/x/../a", Ok("a")),
            ("demo//a", Err("chart illegally contains absolute paths")),
            ("demo", Err("chart illegally contains content outside the base directory: \"demo\"")),
            ("demo/../a", Err("chart illegally references parent directory")),
            ("demo/..a", Err("chart illegally references parent directory")),
            ("demo/c:/a", Err("chart contains illegally named files")),
            ("Chart.yaml/a", Err("chart yaml not in base directory")),
        ] {
            let found = relative_path(path).map_err(|error| error.to_string());
            assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{path}");
        }
    }
}
