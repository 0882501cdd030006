//! The `CustomResourceDefinition`s of this crate's types, as they are installed from `manifests/crds/`.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use kube::core::schema::{OptionalEnum, OptionalIntOrString, StructuralSchemaRewriter};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{GROUP, Module, TemplateAuthRule, TemplateStore, VERSION};
use crate::policy::ModulePolicy;

/// All definitions with their file names below `manifests/crds/`.
pub fn all() -> Result<[(&'static str, CustomResourceDefinition); 4], serde_json::Error> {
    Ok([
        ("modules.yaml", module()?),
        ("templatestores.yaml", strict(&TemplateStore::crd(), true)?),
        ("templateauthrules.yaml", strict(&TemplateAuthRule::crd(), true)?),
        ("modulepolicies.yaml", strict(&ModulePolicy::crd(), false)?),
    ])
}

/// The text of a definition's file. Kubernetes reads YAML 1.1, in which a bare `Off` is a boolean.
pub fn to_yaml(definition: &CustomResourceDefinition) -> Result<String, serde_yaml::Error> {
    let text = serde_yaml::to_string(definition)?;
    Ok(text.lines().fold(String::with_capacity(text.len()), |text, line| {
        let line = match line.strip_suffix(" Off") {
            Some(start) if start.ends_with(['-', ':']) => format!("{start} \"Off\""),
            _ => line.to_owned(),
        };
        text + &line + "\n"
    }))
}

/// The definition of [`Module`]. Its schema comes from the type like a derived one; the root is written here because a
/// derived root requires the spec and has no room for `history`.
fn module() -> Result<CustomResourceDefinition, serde_json::Error> {
    let generator = SchemaSettings::openapi3()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .with_transform(StructuralSchemaRewriter)
        .with_transform(OptionalEnum)
        .with_transform(OptionalIntOrString)
        .into_generator();
    let mut schema = serde_json::to_value(generator.into_root_schema_for::<Module>())?;
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("apiVersion".into(), json!({"type": "string"}));
        properties.insert("kind".into(), json!({"type": "string"}));
        properties.insert("metadata".into(), json!({"type": "object"}));
    }
    // Written by us in any case, but not to be added to what others write.
    for field in ["reconciliationStatus", "templateResolvedVersion"] {
        let field = schema.pointer_mut(&format!("/properties/status/properties/{field}"));
        field.and_then(Value::as_object_mut).and_then(|field| field.remove("default"));
    }
    if let Some(root) = schema.as_object_mut() {
        root.remove("title");
    }
    let column = |name: &str, path: &str, priority: i32| json!({"name": name, "type": "string", "jsonPath": path, "priority": priority});
    let definition = serde_json::from_value(json!({
        "metadata": {"name": format!("modules.{GROUP}")},
        "spec": {
            "group": GROUP,
            "names": {"kind": "Module", "listKind": "ModuleList", "plural": "modules", "singular": "module"},
            "scope": "Namespaced",
            "versions": [{
                "name": VERSION,
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": schema},
                "subresources": {"status": {}},
                "additionalPrinterColumns": [
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                    column("Target Namespace", ".spec.targetNamespace", 1),
                    column("Template", ".spec.template.repo", 0),
                    column("Template path", ".spec.template.path", 1),
                    column("Template version", ".spec.template.version", 1),
                    column("Template resolved version", ".status.templateResolvedVersion", 1),
                    column("Reconciliation Status", ".status.reconciliationStatus.status", 0),
                ],
            }],
        },
    }))?;
    strict(&definition, false)
}

/// Leaves out what the generator adds and Cyclops' definitions do not have: `nullable` (a `null` is pruned instead of
/// stored), number formats that the API server does not know, and empty lists.
fn strict(
    definition: &CustomResourceDefinition,
    with_status: bool,
) -> Result<CustomResourceDefinition, serde_json::Error> {
    let mut definition = serde_json::to_value(definition)?;
    tidy(&mut definition);
    if let Some(version) = definition.pointer_mut("/spec/versions/0").and_then(Value::as_object_mut) {
        let unused = version.get("subresources").is_some_and(|subresources| subresources == &json!({}));
        if unused {
            version.remove("subresources");
        }
        if with_status {
            version.insert("subresources".into(), json!({"status": {}}));
        }
    }
    serde_json::from_value(definition)
}

fn tidy(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("nullable");
            for name in ["shortNames", "categories", "selectableFields", "additionalPrinterColumns"] {
                if members.get(name).is_some_and(|list| list == &json!([])) {
                    members.remove(name);
                }
            }
            members.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_installed_files_are_current() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/crds");
        for (name, definition) in all().unwrap() {
            let current = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            assert!(
                current == to_yaml(&definition).unwrap(),
                "manifests/crds/{name} is out of date: cargo run -p module --example crds -- manifests/crds"
            );
        }
    }

    fn schema(file: &str) -> Value {
        let definition = all().unwrap().into_iter().find(|(name, _)| *name == file).unwrap().1;
        serde_json::to_value(definition).unwrap().pointer("/spec/versions/0/schema/openAPIV3Schema").unwrap().clone()
    }

    #[test]
    fn modules_are_defined_as_cyclops_defines_them() {
        let schema = schema("modules.yaml");
        let at = |pointer: &str| schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is missing"));
        assert_eq!(schema.get("required"), None);
        assert_eq!(at("/properties/spec/required"), &json!(["template", "values"]));
        assert_eq!(at("/properties/spec/properties/template/required"), &json!(["path", "repo", "version"]));
        assert_eq!(
            at("/properties/spec/properties/template/properties/enforceGitOpsWrite/required"),
            &json!(["path", "repo", "version"])
        );
        assert_eq!(
            at("/properties/spec/properties/template/properties/sourceType/enum"),
            &json!(["git", "helm", "oci"])
        );
        for values in ["/properties/spec/properties/values", "/properties/history/items/properties/values"] {
            assert_eq!(at(values).get("x-kubernetes-preserve-unknown-fields"), Some(&json!(true)));
            assert_eq!(at(values).get("type"), None);
        }
        assert_eq!(at("/properties/history/items/required"), &json!(["generation", "template", "values"]));
        let status = at("/properties/status/properties/reconciliationStatus/properties/status");
        assert_eq!(status.get("default"), Some(&json!("unknown")));
        assert_eq!(status.get("enum"), Some(&json!(["unknown", "succeeded", "failed"])));
        assert_eq!(at("/properties/status").get("required"), None);
    }

    /// What the API server calls structural: a type everywhere but where unknown fields are kept, and no keyword that
    /// it does not allow.
    #[test]
    fn all_schemas_are_structural() {
        fn check(schema: &Value, place: &str) {
            let members = schema.as_object().unwrap_or_else(|| panic!("{place} is no schema"));
            let untyped = ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string"];
            assert!(members.contains_key("type") || untyped.iter().any(|key| members.contains_key(*key)), "{place}");
            for forbidden in
                ["$ref", "$schema", "definitions", "$defs", "const", "nullable", "anyOf", "patternProperties"]
            {
                assert!(!members.contains_key(forbidden), "{place} has {forbidden}");
            }
            assert!(members.get("additionalProperties") != Some(&json!(false)), "{place}");
            for (name, property) in members.get("properties").and_then(Value::as_object).into_iter().flatten() {
                check(property, &format!("{place}.{name}"));
            }
            if let Some(items) = members.get("items") {
                check(items, &format!("{place}[]"));
            }
        }
        for (name, _) in all().unwrap() {
            check(&schema(name), name);
        }
    }
}
