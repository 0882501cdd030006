//! Where each object of a Module goes, and whether the policies let the Module have it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::ExpansionError;
use super::manifest::{Decoded, describe};
use super::scopes::{Scope, WithDefinitions};
use super::size::json_size;
use super::{MAX_RESOURCE_BYTES, Resource, group};
use crate::annotations;
use crate::policy::EffectivePolicy;

/// Characters of a DNS label.
const MAX_NAMESPACE: usize = 63;

/// Gives an object its namespace and labels. Returns it with its size as JSON, in bytes.
pub(super) fn place(
    decoded: Decoded,
    module: &str,
    target_namespace: &str,
    scopes: &WithDefinitions<'_>,
    policy: Option<&EffectivePolicy>,
) -> Result<(Resource, usize), ExpansionError> {
    let Decoded { mut value, source } = decoded;
    let document = describe(&value, &source);
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (api_version, kind) = (text("/apiVersion"), text("/kind"));
    let (name, namespace) = (text("/metadata/name"), text("/metadata/namespace"));
    if name.is_empty() {
        return Err(ExpansionError::NotAnObject { document, problem: "it has no metadata.name" });
    }
    if !is_name(&name) {
        return Err(ExpansionError::NotAnObject { document, problem: "no object can have its metadata.name" });
    }
    let Some(scope) = scopes.scope(&api_version, &kind) else {
        return Err(ExpansionError::UnknownKind { document, kind, api_version });
    };
    let namespace = match scope {
        Scope::Cluster => None,
        Scope::Namespaced if namespace.is_empty() => Some(target_namespace.to_owned()),
        Scope::Namespaced => Some(namespace),
    };
    if namespace.as_deref().is_some_and(|namespace| !is_namespace(namespace)) {
        return Err(ExpansionError::NotAnObject { document, problem: "no namespace can have its metadata.namespace" });
    }
    if let Some(policy) = policy {
        let kind_allowed = policy.allows_kind(group(&api_version), &kind, scope == Scope::Cluster);
        let problem = match &namespace {
            _ if !kind_allowed && scope == Scope::Cluster => format!(
                "a Module may not create the cluster-scoped kind {kind}; a ModulePolicy can allow it in \
                 spec.expansion.clusterScoped"
            ),
            _ if !kind_allowed => {
                format!("a Module may not create the kind {kind} (spec.expansion of the ModulePolicy)")
            }
            Some(namespace) if namespace != target_namespace && !policy.allows_namespace(namespace) => format!(
                "a Module may not create resources in the namespace {namespace}, only in its target namespace \
                 {target_namespace}; a ModulePolicy can allow others in spec.expansion.namespaces"
            ),
            _ => String::new(),
        };
        if !problem.is_empty() {
            return Err(ExpansionError::Confined { document, problem });
        }
    }
    let metadata = value.get_mut("metadata").and_then(Value::as_object_mut);
    let Some(metadata) = metadata else {
        return Err(ExpansionError::NotAnObject { document, problem: "it has no metadata" });
    };
    match &namespace {
        Some(namespace) => metadata.insert("namespace".to_owned(), namespace.as_str().into()),
        None => metadata.remove("namespace"),
    };
    label(metadata, module).map_err(|problem| ExpansionError::NotAnObject { document: document.clone(), problem })?;
    let bytes = json_size(&value);
    if bytes > MAX_RESOURCE_BYTES {
        return Err(ExpansionError::TooLarge { document, bytes, limit: MAX_RESOURCE_BYTES });
    }
    Ok((Resource { api_version, kind, namespace, name, object: value, source }, bytes))
}

/// Whether this can name an object. The name becomes a part of a URL, where `/` or `?` would lead to something else than
/// what was checked. Kubernetes refuses `.`, `..`, `/` and `%` for every kind (`IsValidPathSegmentName`), and most others
/// by the rules of each kind; of those, RBAC's names are the freest.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@+".contains(&byte);
    name.bytes().all(allowed) && name != "." && name != ".."
}

/// Whether this can name a namespace: a DNS label, as Kubernetes demands.
pub(super) fn is_namespace(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_NAMESPACE).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Cyclops' labels, which say whose resource this is.
fn label(metadata: &mut Map<String, Value>, module: &str) -> Result<(), &'static str> {
    let labels = metadata.entry("labels").or_insert(Value::Null);
    if labels.is_null() {
        *labels = Value::Object(Map::new());
    }
    let labels = labels.as_object_mut().ok_or("its metadata.labels are no mapping")?;
    labels.insert(annotations::MODULE_LABEL.to_owned(), module.into());
    labels.insert(annotations::MANAGED_BY_LABEL.to_owned(), annotations::MANAGED_BY.into());
    Ok(())
}

/// The same object twice would be applied twice, in turns.
pub(super) fn refuse_duplicates(resources: &[Resource]) -> Result<(), ExpansionError> {
    let mut known = BTreeMap::new();
    for resource in resources {
        if let Some(first) = known.insert(resource.key(), resource) {
            return Err(ExpansionError::Duplicate {
                first: describe(&first.object, &first.source),
                second: describe(&resource.object, &resource.source),
            });
        }
    }
    Ok(())
}
