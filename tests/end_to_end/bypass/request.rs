//! What is sent to the API server: a write of the table, made concrete for one Module and one client.

use serde_json::{Value, json};

use super::table::{Client, Row, Way, Write};

/// One write.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Patch {
        kind: Patch,
        body: String,
        subresource: Option<String>,
    },
    Replace {
        body: Value,
        subresource: Option<String>,
    },
    /// `kubectl edit`, in an editor that saves this.
    Edit {
        body: Value,
        subresource: Option<String>,
    },
    Create {
        body: Value,
    },
    Delete,
    /// Of everything with the Module's label.
    DeleteCollection,
    /// `kubectl replace --force`.
    Recreate {
        body: Value,
    },
    CreatePolicy {
        body: Value,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patch {
    Json,
    Merge,
    Strategic,
    Apply,
}

/// Where a request goes to: the Module itself, or one that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Module,
    NewModule,
    Policy,
}

impl Write {
    pub(crate) fn target(&self) -> Target {
        match self {
            Self::Create(_) | Self::ApplyNew(_) | Self::ReplaceNew(_) => Target::NewModule,
            Self::Policy(_) => Target::Policy,
            _ => Target::Module,
        }
    }

    /// The ways in which a row is tried through a client.
    pub(crate) fn ways(&self, row: &Row, client: Client) -> Vec<Way> {
        let mut ways = match self {
            Self::Change(_) | Self::Status(_) => row.ways.clone(),
            Self::Recreate(_) if client == Client::Http => Vec::new(),
            // Only one way.
            _ => vec![Way::Merge],
        };
        // An editor is something for people.
        ways.retain(|way| *way != Way::Edit || client == Client::Kubectl);
        ways
    }

    /// The request for the Module as it is, and what a new object is called.
    pub(crate) fn request(&self, way: Way, live: &Value, new_name: &str) -> Request {
        match self {
            Self::Change(change) => by_way(way, live, change, None),
            Self::Status(change) => by_way(way, live, change, Some("status".to_owned())),
            Self::Json(body) => patch(Patch::Json, body),
            Self::Raw(body) => Request::Patch { kind: Patch::Merge, body: body.clone(), subresource: None },
            Self::Strategic(body) => patch(Patch::Strategic, body),
            Self::Apply(body) => patch(Patch::Apply, &named(live, body)),
            Self::Create(change) => Request::Create { body: renamed(live, change, new_name) },
            Self::ApplyNew(change) => patch(Patch::Apply, &renamed(live, change, new_name)),
            Self::ReplaceNew(change) => Request::Replace { body: renamed(live, change, new_name), subresource: None },
            Self::Delete {} => Request::Delete,
            Self::DeleteCollection {} => Request::DeleteCollection,
            Self::Recreate(change) => Request::Recreate { body: renamed(live, change, text(live, "/metadata/name")) },
            Self::Subresource { name, merge } => {
                Request::Patch { kind: Patch::Merge, body: merge.to_string(), subresource: Some(name.clone()) }
            }
            Self::Policy(spec) => Request::CreatePolicy {
                body: json!({
                    "apiVersion": "policy.cyclops-ui.com/v1alpha1",
                    "kind": "ModulePolicy",
                    "metadata": { "name": new_name },
                    "spec": spec,
                }),
            },
        }
    }
}

fn patch(kind: Patch, body: &Value) -> Request {
    Request::Patch { kind, body: body.to_string(), subresource: None }
}

fn by_way(way: Way, live: &Value, change: &Value, subresource: Option<String>) -> Request {
    let mut changed = live.clone();
    json_patch::merge(&mut changed, change);
    match way {
        Way::Merge => Request::Patch { kind: Patch::Merge, body: change.to_string(), subresource },
        Way::Json => Request::Patch { kind: Patch::Json, body: json_patch_of(live, change).to_string(), subresource },
        Way::Apply => {
            let mut applied = named(live, &json!({}));
            if let Some(metadata) = change.get("metadata") {
                json_patch::merge(&mut applied["metadata"], metadata);
            }
            let fields: &[&str] = if subresource.is_some() { &["status"] } else { &["spec", "history"] };
            for field in fields {
                if let Some(value) = changed.get(field) {
                    applied[field] = value.clone();
                }
            }
            Request::Patch { kind: Patch::Apply, body: applied.to_string(), subresource }
        }
        Way::Replace => Request::Replace { body: changed, subresource },
        Way::Edit => Request::Edit { body: changed, subresource },
    }
}

/// A merge patch as a JSON patch, with one operation for each leaf.
pub(crate) fn json_patch_of(live: &Value, change: &Value) -> Value {
    let mut operations = Vec::new();
    collect_operations(live, change, "", &mut operations);
    operations.into()
}

fn collect_operations(live: &Value, change: &Value, path: &str, operations: &mut Vec<Value>) {
    let (Some(live), Some(change)) = (live.as_object(), change.as_object()) else { return };
    for (key, wanted) in change {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        match (live.get(key), wanted) {
            (None, Value::Null) => {}
            (Some(_), Value::Null) => operations.push(json!({ "op": "remove", "path": path })),
            (Some(now), Value::Object(_)) if now.is_object() => collect_operations(now, wanted, &path, operations),
            (_, wanted) => operations.push(json!({ "op": "add", "path": path, "value": wanted })),
        }
    }
}

/// Kind, name and namespace of a Module, with something besides.
fn named(live: &Value, besides: &Value) -> Value {
    let mut object = json!({
        "apiVersion": live["apiVersion"],
        "kind": live["kind"],
        "metadata": { "name": live["metadata"]["name"], "namespace": live["metadata"]["namespace"] },
    });
    json_patch::merge(&mut object, besides);
    object
}

/// A Module of the same content under another name.
fn renamed(live: &Value, change: &Value, name: &str) -> Value {
    let mut object = named(live, &json!({ "metadata": { "name": name } }));
    object["spec"] = live["spec"].clone();
    json_patch::merge(&mut object, change);
    object
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// What a write must leave as it is if it is refused or only tried.
pub(crate) fn everything(object: Option<&Value>) -> Value {
    object.cloned().unwrap_or_default()
}

/// What a write that is dropped leaves as it is: managers of fields may still be written down.
pub(crate) fn content(object: Option<&Value>) -> Value {
    let mut object = everything(object);
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| !["managedFields", "resourceVersion"].contains(&key.as_str()));
    }
    object
}
