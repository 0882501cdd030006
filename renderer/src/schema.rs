//! Validation of values against `values.schema.json`, with Helm's messages.
