//! Charts made in memory, with all that they are rendered with.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use renderer::ChartFile;

const CHART_YAML: &str = "apiVersion: v2\nname: bomb\nversion: 1.0.0\n";

/// A chart and what it is rendered with.
#[derive(Default)]
pub struct Input {
    pub(super) files: Vec<ChartFile>,
    /// A packed chart, instead of files.
    pub(super) archive: Option<Vec<u8>>,
    /// The text of `--values`.
    pub(super) values: Vec<u8>,
    /// Arguments of `--set`.
    pub(super) set: Vec<String>,
    /// Arguments of `--set-json`.
    pub(super) set_json: Vec<String>,
    /// Whether keys are really generated, as the controller does.
    pub(super) fresh_keys: bool,
}

impl Input {
    /// A chart without templates.
    pub(super) fn chart() -> Self {
        Self::default().file("Chart.yaml", CHART_YAML)
    }

    /// A chart of one template.
    pub(super) fn template(text: impl Into<Vec<u8>>) -> Self {
        Self::chart().file("templates/bomb.yaml", text)
    }

    /// A chart with this `values.schema.json`, to be rendered with these values.
    pub(super) fn schema(schema: impl Into<Vec<u8>>, values: impl Into<Vec<u8>>) -> Self {
        Self::chart().file("values.schema.json", schema).values(values)
    }

    /// A packed chart.
    pub(super) fn archive(bytes: Vec<u8>) -> Self {
        Self { archive: Some(bytes), ..Self::default() }
    }

    /// Adds a file.
    pub(super) fn file(mut self, name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        self.files.push(ChartFile { name: name.into(), data: text.into() });
        self
    }

    /// Adds many files.
    pub(super) fn files(mut self, files: impl IntoIterator<Item = (String, String)>) -> Self {
        self.files.extend(files.into_iter().map(|(name, text)| ChartFile { name, data: text.into_bytes() }));
        self
    }

    /// Sets `--values`.
    pub(super) fn values(self, text: impl Into<Vec<u8>>) -> Self {
        Self { values: text.into(), ..self }
    }

    /// Adds a `--set`.
    pub(super) fn set(mut self, argument: impl Into<String>) -> Self {
        self.set.push(argument.into());
        self
    }

    /// Adds a `--set-json`.
    pub(super) fn set_json(mut self, argument: impl Into<String>) -> Self {
        self.set_json.push(argument.into());
        self
    }

    /// Has keys generated.
    pub(super) fn with_fresh_keys(self) -> Self {
        Self { fresh_keys: true, ..self }
    }
}

/// `Chart.yaml` of a chart of this name, with more lines.
pub(super) fn chart_yaml(name: &str, more: &str) -> String {
    format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n{more}")
}

/// Something `count` times, each told its number.
pub(super) fn numbered(count: usize, text: impl FnMut(usize) -> String) -> String {
    (0..count).map(text).collect()
}

/// Something inside of itself.
pub(super) fn nested(depth: usize, open: &str, inside: &str, close: &str) -> String {
    [&open.repeat(depth), inside, &close.repeat(depth)].concat()
}

/// A text in gzip compression.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail; if it did, the chart would be refused as no archive.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
