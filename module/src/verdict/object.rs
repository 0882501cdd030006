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

/// Whether two states of a Module want something else: whether spec or history differ. Texts and lists that are empty are as
/// good as absent: clients written in Go, Cyclops' own among them, write one for the other. Of values nothing is the same.
pub fn content_differs(old: &Value, new: &Value) -> bool {
    ["spec", "history"].iter().any(|field| !same(old.get(field), new.get(field)))
}

fn same(old: Option<&Value>, new: Option<&Value>) -> bool {
    match (present(old), present(new)) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => old.keys().chain(new.keys()).all(|key| {
            let (old, new) = (old.get(key), new.get(key));
            if key == "values" { old == new } else { same(old, new) }
        }),
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(Some(old), Some(new)))
        }
        (old, new) => old == new,
    }
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_go_clients_write_for_nothing_is_no_content() {
        let old = json!({"spec": {"template": {"repo": "a", "path": "", "version": ""}, "values": {"a": null}}});
        let differs = |new: Value| content_differs(&old, &new);
        let template = json!({"repo": "a", "path": "", "version": "", "sourceType": ""});
        assert!(!differs(
            json!({"spec": {"template": template, "targetNamespace": "", "values": {"a": null}}, "history": []})
        ));
        assert!(differs(json!({"spec": {"template": template, "targetNamespace": "a", "values": {"a": null}}})));
        for values in [json!({}), json!({"a": ""}), json!({"a": []}), Value::Null] {
            assert!(differs(json!({"spec": {"template": template, "values": values}})), "{values}");
        }
        let history = |namespace: &str| json!([{"generation": 1, "targetNamespace": namespace, "values": {}}]);
        let with = |history: Value| json!({"spec": old["spec"], "history": history});
        assert!(differs(with(history(""))));
        assert!(!content_differs(&with(json!([{"generation": 1, "values": {}}])), &with(history(""))));
        assert!(content_differs(&with(history("a")), &with(history("b"))));
        assert!(content_differs(&old, &json!({})) && content_differs(&json!({}), &old));
    }
}
