//! Collecting a chart's files within the limits.

use renderer::ChartFile;
use sha2::{Digest, Sha256};

use crate::{SourceError, SourceLimits};

/// The files of one chart, as they are read.
pub(crate) struct Collector<'a> {
    repo: &'a str,
    limits: SourceLimits,
    bytes: u64,
    files: Vec<ChartFile>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(repo: &'a str, limits: SourceLimits) -> Self {
        Self { repo, limits, bytes: 0, files: Vec::new() }
    }

    pub(crate) fn repo(&self) -> &'a str {
        self.repo
    }

    /// Refuses a file by its size before it is read.
    pub(crate) fn admit(&mut self, name: &str, size: u64) -> Result<(), SourceError> {
        let too_large = |limit: u64, unit: &'static str| SourceError::TooLarge {
            repo: self.repo.to_owned(),
            path: name.to_owned(),
            limit,
            unit,
        };
        if self.files.len() >= self.limits.files {
            return Err(too_large(self.limits.files as u64, "files"));
        }
        if size > self.limits.file_bytes {
            return Err(too_large(self.limits.file_bytes, "bytes in one file"));
        }
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.chart_bytes {
            return Err(too_large(self.limits.chart_bytes, "bytes"));
        }
        Ok(())
    }

    pub(crate) fn add(&mut self, name: String, data: Vec<u8>) {
        self.files.push(ChartFile { name, data });
    }

    /// The files sorted by name, if they make a chart.
    pub(crate) fn finish(mut self, path: &str) -> Result<Vec<ChartFile>, SourceError> {
        self.files.sort_by(|left, right| left.name.cmp(&right.name));
        if self.files.binary_search_by(|file| file.name.as_str().cmp("Chart.yaml")).is_err() {
            return Err(SourceError::NotAChart { repo: self.repo.to_owned(), path: path.to_owned() });
        }
        Ok(self.files)
    }
}

/// `sha256:` and the hash over names, lengths and contents of sorted files: two folders have the same digest exactly
/// when they hold the same files.
pub(crate) fn digest(files: &[ChartFile]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        for part in [file.name.as_bytes(), &file.data] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    format!("sha256:{}", hexadecimal(&hash.finalize()))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Splits a chart path into its segments; `.` and empty segments vanish.
pub(crate) fn segments(path: &str) -> Result<Vec<&str>, SourceError> {
    let invalid = || SourceError::InvalidPath { path: path.to_owned() };
    if path.starts_with('/') || path.contains(['\\', '\0']) {
        return Err(invalid());
    }
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect();
    if segments.contains(&"..") { Err(invalid()) } else { Ok(segments) }
}
