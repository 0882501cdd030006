//! From rendered text to objects.

use renderer::Manifest;
use renderer::yaml;
use serde_json::Value;

use super::error::ExpansionError;

/// Kind of a list of any objects.
const LIST: &str = "List";

/// An object and where it comes from.
pub(super) struct Decoded {
    pub(super) value: Value,
    pub(super) source: String,
}

/// Decodes the documents of a manifest. Empty ones are left out, lists are taken apart.
pub(super) fn decode(manifest: Manifest, objects: &mut Vec<Decoded>) -> Result<(), ExpansionError> {
    let head = match (manifest.kind.as_str(), manifest.name.as_str()) {
        ("", _) => manifest.source.clone(),
        (kind, "") => format!("{} ({kind})", manifest.source),
        (kind, name) => format!("{} ({kind} {name})", manifest.source),
    };
    let invalid = |error: yaml::YamlError| ExpansionError::Yaml { document: head.clone(), problem: error.problem() };
    let documents = match manifest.document {
        Some(document) => vec![document],
        None => yaml::parse_all(manifest.content.as_bytes()).map_err(invalid)?,
    };
    for document in documents {
        add(yaml::to_json(document).map_err(invalid)?, &manifest.source, objects)?;
    }
    Ok(())
}

fn add(value: Value, source: &str, objects: &mut Vec<Decoded>) -> Result<(), ExpansionError> {
    let error = |problem| Err(ExpansionError::NotAnObject { document: describe(&value, source), problem });
    let Some(members) = value.as_object() else {
        return if value.is_null() { Ok(()) } else { error("it is no mapping") };
    };
    if members.is_empty() {
        return Ok(());
    }
    let text = |key: &str| members.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("kind").is_empty() {
        return error("it has no kind");
    }
    if text("apiVersion").is_empty() {
        return error("it has no apiVersion");
    }
    if text("kind") == LIST {
        let Some(Value::Array(items)) = members.get("items") else { return error("it is a List without items") };
        return items.iter().try_for_each(|item| add(item.clone(), source, objects));
    }
    if !members.get("metadata").is_some_and(Value::is_object) {
        return error("it has no metadata");
    }
    objects.push(Decoded { value, source: source.to_owned() });
    Ok(())
}

/// Template file, kind and name, as far as there are.
pub(super) fn describe(object: &Value, source: &str) -> String {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    match (kind, name) {
        ("", _) => source.to_owned(),
        (kind, "") => format!("{source} ({kind})"),
        (kind, name) => format!("{source} ({kind} {name})"),
    }
}
