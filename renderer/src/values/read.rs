//! Values files.

use super::{Values, ValuesError, json_type_name, merge_into};
use crate::Profile;
use crate::profile::ValuesDocuments;
use crate::yaml;

/// Reads a values file (Helm: `loader.LoadValues`). Several YAML documents are merged in order; an empty or null
/// document adds nothing.
pub fn from_yaml(bytes: &[u8]) -> Result<Values, ValuesError> {
    read(bytes, ValuesDocuments::All)
}

/// As [`from_yaml`], as another release of Helm does.
pub fn from_yaml_as(bytes: &[u8], profile: Profile) -> Result<Values, ValuesError> {
    read(bytes, profile.values_documents)
}

pub(crate) fn read(bytes: &[u8], documents: ValuesDocuments) -> Result<Values, ValuesError> {
    match documents {
        ValuesDocuments::All => merged(bytes),
        ValuesDocuments::First => match yaml::decode(bytes).map_err(ValuesError::FirstDocument)? {
            serde_json::Value::Null => Ok(Values::new()),
            serde_json::Value::Object(members) => Ok(members),
            other => Err(ValuesError::FirstDocumentNotAMap { found: json_type_name(&other) }),
        },
    }
}

fn merged(bytes: &[u8]) -> Result<Values, ValuesError> {
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
