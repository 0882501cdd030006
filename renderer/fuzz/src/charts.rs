//! Charts: archives and lists of files.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use module::lock::LockSet;
use renderer::values::{self, Values};
use renderer::{Chart, ChartError, ChartFile};

use crate::SEPARATOR;

/// Loads a chart. The first byte says what the rest is: an archive (`z`), a tar file to be compressed first (`t`), or
/// files, each a line with its name and then its content, with separators between them.
pub fn chart_archive(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    match load(*kind, rest) {
        Ok(chart) => inspect(&chart),
        Err(error) => drop(error.to_string()),
    }
}

fn load(kind: u8, bytes: &[u8]) -> Result<Chart, ChartError> {
    match kind {
        b'z' => Chart::load_archive(bytes),
        b't' => Chart::load_archive(&compressed(bytes)),
        _ => Chart::load(files(bytes)),
    }
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_else(|error| panic!("{error}"))
}

/// The files of an input. An archive among them is written as the tar file that it packs.
fn files(bytes: &[u8]) -> Vec<ChartFile> {
    let mut files = Vec::new();
    let mut rest = bytes;
    loop {
        let end = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        let file = &rest[..end.unwrap_or(rest.len())];
        let name_end = file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len());
        let name = String::from_utf8_lossy(&file[..name_end]).into_owned();
        let data = file.get(name_end + 1..).unwrap_or_default();
        let data = if name.rsplit_once('.').is_some_and(|(_, extension)| extension == "tgz") {
            compressed(data)
        } else {
            data.to_vec()
        };
        files.push(ChartFile { name, data });
        match end {
            Some(end) => rest = &rest[end + SEPARATOR.len()..],
            None => return files,
        }
    }
}

/// Asks a chart for what admission asks.
fn inspect(chart: &Chart) {
    drop(values::effective(chart, &Values::new()));
    drop(renderer::schema::validate(chart, &Values::new()));
    drop(LockSet::from_chart(chart));
    let length: usize = chart.raw_files().chain(chart.files()).map(|(_, data)| data.len()).sum();
    let _ = (length, chart.templates().count(), chart.dependency_names().len());
}
