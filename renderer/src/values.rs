//! Values: reading, merging, `--set`, and coalescing with a chart's defaults.

/// A values tree. Numbers are floats as in Helm, except integers that came from `--set`.
pub type Values = serde_json::Map<String, serde_json::Value>;
