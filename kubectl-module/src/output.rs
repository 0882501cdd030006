//! Text for people: tables and differences.

pub(crate) mod diff;
pub(crate) mod report;
pub(crate) mod table;

use clap::ValueEnum;

/// A machine-readable format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// JSON
    Json,
    /// YAML
    Yaml,
}

impl Format {
    /// The value in this format, with a line feed at the end.
    pub(crate) fn write(self, value: &serde_json::Value) -> Result<String, anyhow::Error> {
        match self {
            Self::Json => Ok(serde_json::to_string_pretty(value)? + "\n"),
            Self::Yaml => Ok(serde_yaml::to_string(value)?),
        }
    }
}
