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

/// The text of a definition's file.
pub fn to_yaml(definition: &CustomResourceDefinition) -> Result<String, serde_yaml::Error> {
    serde_yaml::to_string(definition)
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
