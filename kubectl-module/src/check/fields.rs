//! Whether an object has the fields that its definition knows: what an API server says with strict field validation, and
//! with a place for each mistake.

use module::api::definition;
use module::verdict::Cause;
use serde_json::Value;

use super::files::Kind;
use crate::failure::Failure;

/// What every object has.
const COMMON: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// The schemas of the kinds, from the definitions that are installed.
pub(super) struct Definitions(Vec<(Kind, Value)>);

impl Definitions {
    pub(super) fn read() -> Result<Self, Failure> {
        let mut schemas = Vec::new();
        for (_, definition) in definition::all()? {
            let Some(kind) = Kind::named(&definition.spec.names.kind) else { continue };
            let definition = serde_json::to_value(definition)?;
            let schema = definition.pointer("/spec/versions/0/schema/openAPIV3Schema").cloned().unwrap_or_default();
            schemas.push((kind, schema));
        }
        Ok(Self(schemas))
    }

    /// Everything that the definition of a kind does not allow in an object.
    pub(super) fn check(&self, kind: Kind, object: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        if let Some((_, schema)) = self.0.iter().find(|(known, _)| *known == kind) {
            check(schema, object, "", &mut causes);
        }
        causes
    }
}

fn check(schema: &Value, value: &Value, field: &str, causes: &mut Vec<Cause>) {
    let mut complain = |field: &str, message: String| causes.push(Cause { field: field.to_owned(), message });
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
        return;
    }
    let wanted = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    let found = type_name(value);
    if wanted != found && !(wanted == "number" && found == "integer") {
        return complain(field, format!("must be {}, not {}", with_article(wanted), with_article(found)));
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let choices: Vec<String> = choices.iter().map(|choice| choice.as_str().unwrap_or_default().into()).collect();
        return complain(field, format!("{value} is none of: {}", choices.join(", ")));
    }
    match value {
        Value::Object(members) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let others = schema.get("additionalProperties");
            if properties.is_none() && others.is_none() {
                return;
            }
            for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
                let name = name.as_str().unwrap_or_default();
                if members.get(name).is_none_or(Value::is_null) {
                    complain(&below(field, name), "is missing".to_owned());
                }
            }
            for (name, member) in members {
                // Not every definition lists what the API server knows of every object.
                if field.is_empty() && COMMON.contains(&name.as_str()) {
                    continue;
                }
                let place = below(field, name);
                match properties.and_then(|properties| properties.get(name)).or(others) {
                    // A `null` is as good as nothing.
                    _ if member.is_null() => {}
                    Some(schema) => check(schema, member, &place, causes),
                    None => causes.push(Cause { field: place, message: "unknown field".to_owned() }),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check(schema.get("items").unwrap_or(&Value::Null), item, &format!("{field}[{index}]"), causes);
            }
        }
        _ => {}
    }
}

fn below(field: &str, name: &str) -> String {
    if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn with_article(name: &str) -> &str {
    match name {
        "boolean" => "true or false",
        "number" | "integer" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "a mapping",
        _ => "nothing",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(kind: Kind, object: &Value) -> Vec<String> {
        let causes = Definitions::read().unwrap().check(kind, object);
        causes.into_iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect()
    }

    #[test]
    fn mistakes_of_modules_have_a_place() {
        let template = json!({"repo": "r", "path": 1, "sourceType": "svn"});
        let object = json!({
            "apiVersion": "cyclops-ui.com/v1alpha1", "kind": "Module", "metadata": {"anything": "goes"},
            "spec": {"template": template, "vaules": {}, "targetNamespace": null},
        });
        let expected = [
            "spec.values: is missing",
            "spec.template.version: is missing",
            "spec.template.path: must be a text, not a number",
            "spec.template.sourceType: \"svn\" is none of: git, helm, oci",
            "spec.vaules: unknown field",
        ];
        assert_eq!(told(Kind::Module, &object), expected);
    }

    #[test]
    fn mistakes_of_policies_have_a_place() {
        let object = json!({"kind": "ModulePolicy", "metadata": {"name": "a"}, "spec": {
            "gitOpsWriters": [{"user": "a"}, {"serviceAccount": {"namespace": "a", "nmae": "b"}}],
            "immutableValues": "Enforced", "template": {"change": "Any"}, "creation": false,
        }});
        let expected = [
            "spec.creation: must be a text, not true or false",
            "spec.gitOpsWriters[1].serviceAccount.name: is missing",
            "spec.gitOpsWriters[1].serviceAccount.nmae: unknown field",
            "spec.immutableValues: \"Enforced\" is none of: Enforce, Warn, Off",
            "spec.template.change: unknown field",
        ];
        assert_eq!(told(Kind::ModulePolicy, &object), expected);
    }

    #[test]
    fn what_is_stored_by_cyclops_is_no_mistake() {
        let object = json!({
            "spec": {"targetNamespace": "", "template": {"repo": "", "path": "", "version": "",
                "enforceGitOpsWrite": {"repo": "", "path": "", "version": ""}}, "values": {"any": [1, {"x": null}]}},
            "history": [{"generation": 1, "template": {"repo": "", "path": "", "version": ""}, "values": 1}],
        });
        assert_eq!(told(Kind::Module, &object), Vec::<String>::new());
    }
}
