//! Values files.

use super::{Values, ValuesError, json_type_name, merge_into};
use crate::yaml;

/// Reads a values file (Helm: `loader.LoadValues`). Several YAML documents are merged in order; an empty or null
/// document adds nothing.
pub fn from_yaml(bytes: &[u8]) -> Result<Values, ValuesError> {
    let mut values = Values::new();
    for document in documents(bytes)? {
        match yaml::decode(&document).map_err(ValuesError::Yaml)? {
            serde_json::Value::Null => {}
            serde_json::Value::Object(members) => merge_into(&mut values, members),
            other => return Err(ValuesError::NotAMap { found: json_type_name(&other) }),
        }
    }
    Ok(values)
}

/// Cuts a stream at lines that start with `---` (`k8s.io/apimachinery` `YAMLReader`). A separator before any content
/// stays part of the document that follows; carriage returns at the ends of lines are dropped.
fn documents(bytes: &[u8]) -> Result<Vec<Vec<u8>>, ValuesError> {
    let mut documents = Vec::new();
    let mut current = Vec::new();
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if body.is_empty() {
        return Ok(documents);
    }
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(rest) = line.strip_prefix(b"---") {
            let rest = String::from_utf8_lossy(rest);
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err(ValuesError::Separator { text: rest.to_owned() });
            }
            if !current.is_empty() {
                documents.push(std::mem::take(&mut current));
                continue;
            }
        }
        current.extend_from_slice(line);
        current.push(b'\n');
    }
    if !current.is_empty() {
        documents.push(current);
    }
    Ok(documents)
}
