//! A Module in a cluster. Questions are asked by a dry-run write of one annotation, with the user's own rights, so that
//! nobody needs access to the template's repository.

use std::path::Path;

use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use module::annotations;
use module::preview::{PreviewAnswer, PreviewQuestion, Want};
use serde_json::{Value, json};

use super::offline::read_module_file;
use crate::cluster::{Cluster, FIELD_MANAGER, resource};
use crate::command::block_on;
use crate::failure::{CODE_ERROR, Failure};
use crate::global::GlobalArguments;
use crate::merge;
use crate::values_read::with_integers;

/// A Module in a cluster, as it was when it was fetched.
pub(crate) struct LiveModule {
    cluster: Cluster,
    name: String,
    object: Value,
    exists: bool,
    /// The spec that a file wants the Module to have.
    wanted: Option<Value>,
}

/// How a write ended.
pub(crate) enum Written {
    /// The Module has the values now.
    Done,
    /// Somebody else wrote the Module since it was fetched.
    Conflict,
}

impl LiveModule {
    /// Fetches a Module by name.
    pub(crate) fn fetch(name: &str, globals: &GlobalArguments) -> Result<Self, Failure> {
        let cluster = block_on(Cluster::connect(globals))?;
        Self::fetch_from(cluster, name)
    }

    fn fetch_from(cluster: Cluster, name: &str) -> Result<Self, Failure> {
        let object = block_on(async {
            let found = cluster.modules().get(name).await;
            found.map_err(|error| cluster.failure(&format!("cannot get module {name}"), error))
        })?;
        Ok(Self { cluster, name: name.to_owned(), object: serde_json::to_value(&object)?, exists: true, wanted: None })
    }

    /// Fetches the Module that a file describes, which does not have to exist yet.
    pub(crate) fn of_file(path: &Path, globals: &GlobalArguments) -> Result<Self, Failure> {
        Self::of_object(&read_module_file(path)?, globals)
    }

    /// Fetches the Module that an object describes, which does not have to exist yet.
    pub(crate) fn of_object(file: &Value, globals: &GlobalArguments) -> Result<Self, Failure> {
        let name = file.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut globals = globals.clone();
        let namespace = file.pointer("/metadata/namespace").and_then(Value::as_str).map(str::to_owned);
        globals.namespace = globals.namespace.or(namespace);
        let (cluster, found) = block_on(async {
            let cluster = Cluster::connect(&globals).await?;
            let found = cluster.modules().get_opt(&name).await;
            let found = found.map_err(|error| cluster.failure(&format!("cannot get module {name}"), error))?;
            Ok((cluster, found))
        })?;
        let exists = found.is_some();
        let object = match found {
            Some(object) => serde_json::to_value(&object)?,
            None => file.clone(),
        };
        Ok(Self { cluster, name, object, exists, wanted: file.get("spec").cloned() })
    }

    /// The Module's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The Module's namespace.
    pub(crate) fn namespace(&self) -> &str {
        self.cluster.namespace()
    }

    /// Whether the Module exists.
    pub(crate) fn exists(&self) -> bool {
        self.exists
    }

    /// The Module as it was fetched.
    pub(crate) fn object(&self) -> &Value {
        &self.object
    }

    /// The spec of the file that the Module was found by.
    pub(crate) fn wanted(&self) -> Option<&Value> {
        self.wanted.as_ref()
    }

    /// Fetches the Module again.
    pub(crate) fn refreshed(&self) -> Result<Self, Failure> {
        Self::fetch_from(self.cluster.clone(), &self.name)
    }

    /// Asks the server.
    pub(crate) fn ask(&self, spec: Option<&Value>, want: &[Want]) -> Result<PreviewAnswer, Failure> {
        let question = PreviewQuestion { spec: spec.cloned(), want: want.to_vec() };
        let question = question.encode().map_err(|error| Failure::new(CODE_ERROR, error))?;
        let attempt = format!("cannot preview module {}", self.name);
        let answered = block_on(async {
            let modules = self.cluster.modules();
            if self.exists {
                let patch = json!({"metadata": {"annotations": {annotations::QUESTION: question}}});
                let parameters = PatchParams {
                    dry_run: true,
                    field_manager: Some(FIELD_MANAGER.to_owned()),
                    ..PatchParams::default()
                };
                let written = modules.patch(&self.name, &parameters, &Patch::Merge(patch)).await;
                return written.map_err(|error| self.cluster.failure(&attempt, error));
            }
            let mut object = DynamicObject::new(&self.name, &resource()).within(self.namespace());
            object.data = json!({"spec": spec.or(self.object.get("spec"))});
            object.metadata.annotations = Some([(annotations::QUESTION.to_owned(), question)].into());
            let parameters = PostParams { dry_run: true, field_manager: Some(FIELD_MANAGER.to_owned()) };
            let written = modules.create(&parameters, &object).await;
            written.map_err(|error| self.cluster.failure(&attempt, error))
        })?;
        let answer = answered.metadata.annotations.unwrap_or_default().remove(annotations::ANSWER);
        let answer = answer.ok_or_else(|| {
            Failure::message(CODE_ERROR, format!("{attempt}: the cluster has no server that answers such questions"))
                .hint("install this project's webhook, or preview a file without a cluster: -f FILE --offline")
        })?;
        PreviewAnswer::decode(&answer).map_err(|error| Failure::new(CODE_ERROR, error))
    }

    /// Writes values, unless somebody else wrote the Module since it was fetched.
    pub(crate) fn write(&self, values: &Value, dry_run: bool) -> Result<Written, Failure> {
        let old = with_integers(self.object.pointer("/spec/values").cloned().unwrap_or_else(|| json!({})));
        let version = self.object.pointer("/metadata/resourceVersion").cloned().unwrap_or_default();
        let parameters =
            PatchParams { dry_run, field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let written = block_on(async {
            let modules = self.cluster.modules();
            let written = if let Some(patch) = merge::merge_patch(&old, values) {
                let patch = json!({"metadata": {"resourceVersion": version}, "spec": {"values": patch}});
                modules.patch(&self.name, &parameters, &Patch::Merge(patch)).await
            } else {
                // A merge patch removes what it calls null; a JSON patch stores it.
                let patch = json!([
                    {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
                    {"op": "add", "path": "/spec/values", "value": values},
                ]);
                let patch = serde_json::from_value(patch)?;
                modules.patch(&self.name, &parameters, &Patch::Json::<()>(patch)).await
            };
            match written {
                Ok(_) => Ok(Written::Done),
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(Written::Conflict),
                Err(error) => Err(self.cluster.write_failure(&format!("{}/{}", self.namespace(), self.name), error)),
            }
        })?;
        Ok(written)
    }
}

#[cfg(test)]
mod tests;
