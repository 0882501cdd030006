//! Chart archives: gzip-compressed tar files (Helm: `pkg/chart/loader/archive`).

use std::io::{self, Read};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::File;
use crate::Profile;
use crate::quote::quote;

/// What all files of a chart may unpack to (Helm: `MaxDecompressedChartSize`), here with the archives of its sub-charts.
pub(super) const MAX_DECOMPRESSED_BYTES: u64 = 100 << 20;
/// The most entries of one archive. A tar header is 512 bytes, so that empty files alone stay far below Helm's limit of
/// bytes while each of them costs memory here.
const MAX_ENTRIES: usize = 50_000;
/// What the header of an entry takes of the limit of bytes, which holds for archives in archives together.
const HEADER_BYTES: u64 = 512;
/// The longest path in an archive, which is also the longest that Linux takes. Every document that is printed tells it.
const MAX_PATH_BYTES: usize = 4096;
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
    /// A path longer than this crate reads.
    #[error("chart archive has a path of more than {MAX_PATH_BYTES} bytes")]
    PathTooLong,
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
        // Go has this text for every reader that ends too early.
        let detail =
            if error.kind() == io::ErrorKind::UnexpectedEof { "unexpected EOF".to_owned() } else { error.to_string() };
        Self::Unreadable { detail }
    }
}

/// Unpacks an archive. `budget` is what may still be unpacked in bytes; it shrinks by what was.
pub(super) fn read(archive: &[u8], budget: &mut u64, profile: Profile) -> Result<Vec<File>, ArchiveError> {
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
    let mut long_path = None;
    // Raw: the crate reads long paths and other extensions into memory however large they are.
    for (count, entry) in tar.entries()?.raw(true).enumerate() {
        if count >= MAX_ENTRIES {
            return Err(ArchiveError::TooManyEntries);
        }
        *budget = budget.checked_sub(HEADER_BYTES).ok_or_else(|| too_large.clone())?;
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() {
            let text = extension(&mut entry)?;
            long_path = text.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
            continue;
        }
        if kind.is_pax_local_extensions() {
            long_path = pax_path(&extension(&mut entry)?)?.or(long_path);
            continue;
        }
        if kind.is_gnu_longlink() || kind.is_pax_global_extensions() {
            continue;
        }
        if kind.is_gnu_sparse() {
            return Err(ArchiveError::Unreadable { detail: "sparse files are not supported".to_owned() });
        }
        let path = long_path.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        if path.len() > MAX_PATH_BYTES {
            return Err(ArchiveError::PathTooLong);
        }
        let path = String::from_utf8_lossy(&path).into_owned();
        if kind.is_dir() || path.ends_with('/') {
            continue;
        }
        let name = relative_path(&path)?;
        if entry.size() >= *budget {
            return Err(too_large);
        }
        if let Some(limit) = profile.max_file_bytes.filter(|limit| entry.size() > *limit) {
            return Err(ArchiveError::FileTooLarge { name: path, limit });
        }
        let data = content(&mut entry)?;
        *budget = budget.checked_sub(data.len() as u64).ok_or_else(|| too_large.clone())?;
        files.push(File { name, data });
    }
    if files.is_empty() {
        return Err(ArchiveError::Empty);
    }
    Ok(files)
}

/// The text of an entry that says more about the next one (Go: `archive/tar` `readSpecialFile`).
fn extension(entry: &mut tar::Entry<'_, impl Read>) -> Result<Vec<u8>, ArchiveError> {
    const LONGEST: u64 = 1 << 20;
    if entry.size() > LONGEST {
        return Err(ArchiveError::Unreadable { detail: "archive/tar: header field too long".to_owned() });
    }
    let mut text = Vec::new();
    entry.read_to_end(&mut text)?;
    Ok(text)
}

/// The path among the records of an entry, if there is one. Only files of more than 8 GiB need their size there.
fn pax_path(records: &[u8]) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut path = None;
    for record in tar::PaxExtensions::new(records) {
        let record = record?;
        match record.key_bytes() {
            b"path" => path = Some(record.value_bytes().to_vec()),
            b"size" => {
                return Err(ArchiveError::Unreadable {
                    detail: "sizes in extended headers are not supported".to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(path)
}

/// The bytes of a file, put at once where they stay: a copy of the largest file would take as much memory again.
fn content(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<Arc<[u8]>> {
    let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
    let mut data: Arc<[u8]> = std::iter::repeat_n(0, size).collect();
    let mut filled = 0;
    if let Some(bytes) = Arc::get_mut(&mut data) {
        loop {
            match entry.read(&mut bytes[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
    }
    // Whatever ends an archive early is told when its next entry is read.
    Ok(if filled < size { data[..filled].into() } else { data })
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
