//! Reading Modules as JSON: what is stored may be older than this code, and invalid by now.

use serde_json::Value;

use crate::api::Module;

/// The value at a pointer; null is nothing.
pub(super) fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    object.pointer(pointer).filter(|value| !value.is_null())
}

/// The text at a pointer; anything else is empty.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The value of an annotation.
pub(super) fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get("metadata")?.get("annotations")?.get(name)?.as_str()
}

/// The value of a label.
pub(super) fn label<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get("metadata")?.get("labels")?.get(name)?.as_str()
}

/// `metadata.name`.
pub(super) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// The namespace that the resources go to.
pub(super) fn target_namespace(object: &Value) -> &str {
    match text(object, "/spec/targetNamespace") {
        "" => crate::api::DEFAULT_TARGET_NAMESPACE,
        namespace => namespace,
    }
}

/// Checks that an object is a Module that could be rendered, as far as can be told without its template.
pub(super) fn check(object: &Value) -> Result<(), (&'static str, String)> {
    let Some(spec) = at(object, "/spec") else {
        return Err((
            "spec",
            "the Module has no spec: name a template in spec.template and its values in spec.values".into(),
        ));
    };
    match spec.get("values") {
        None => return Err(("spec.values", "the Module has no values; write {} for the template's defaults".into())),
        Some(Value::Object(_) | Value::Null) => {}
        Some(_) => return Err(("spec.values", "values must be a mapping of names to values".into())),
    }
    if at(spec, "/template").is_none() {
        return Err(("spec.template", "the Module names no template".into()));
    }
    // The status is not the writer's, and must not stand in the way.
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        members.remove("status");
    }
    serde_json::from_value::<Module>(object).map(drop).map_err(|error| ("spec", format!("not a Module: {error}")))
}
