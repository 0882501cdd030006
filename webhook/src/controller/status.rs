//! The status of a Module: Cyclops' fields, and Kubernetes' conditions.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use module::api::{Module, ModuleStatus, ReconciliationState, ReconciliationStatus};
use serde_json::{Map, Value, json};

use super::FIELD_MANAGER;

/// How the last attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Everything is applied.
    Succeeded,
    /// Something failed that may succeed later: it is tried again.
    Retrying,
    /// It fails until the Module or its template is changed.
    Stalled,
}

impl Attempt {
    /// Writes the outcome into a status. `reason`: a CamelCase word; `message`: for people.
    pub(super) fn report(
        self,
        module: &Module,
        status: &mut ModuleStatus,
        reason: &str,
        message: &str,
        errors: Vec<String>,
    ) {
        let generation = module.metadata.generation;
        status.observed_generation = generation;
        status.reconciliation_status = match self {
            Self::Succeeded => {
                ReconciliationStatus { status: ReconciliationState::Succeeded, ..ReconciliationStatus::default() }
            }
            Self::Retrying | Self::Stalled => {
                ReconciliationStatus { status: ReconciliationState::Failed, reason: message.to_owned(), errors }
            }
        };
        let ready = if self == Self::Succeeded { "True" } else { "False" };
        // kstatus: Reconciling and Stalled are there only while they are true.
        let mut conditions = vec![condition("Ready", ready, reason, message, generation)];
        match self {
            Self::Succeeded => {}
            Self::Retrying => conditions.push(condition("Reconciling", "True", reason, message, generation)),
            Self::Stalled => conditions.push(condition("Stalled", "True", reason, message, generation)),
        }
        conditions.push(match module.annotation(module::annotations::TEMPLATE_DIGEST) {
            Some(digest) => {
                condition("Admitted", "True", "Admitted", &format!("with the template {digest}"), generation)
            }
            None => condition(
                "Admitted",
                "False",
                "NotStamped",
                "stored before the webhook was installed, or past it",
                generation,
            ),
        });
        for condition in &mut conditions {
            let unchanged =
                status.conditions.iter().find(|old| old.type_ == condition.type_ && old.status == condition.status);
            if let Some(unchanged) = unchanged {
                condition.last_transition_time = unchanged.last_transition_time.clone();
            }
        }
        status.conditions = conditions;
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str, generation: Option<i64>) -> Condition {
    Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        last_transition_time: Time(Timestamp::now()),
        observed_generation: generation,
    }
}

/// Writes a status, if it differs from the stored one.
pub(super) async fn write(client: &Client, module: &Module, status: &ModuleStatus) -> Result<(), kube::Error> {
    let old = module.status.clone().unwrap_or_default();
    let (Some(namespace), Some(name)) = (&module.metadata.namespace, &module.metadata.name) else { return Ok(()) };
    if old == *status {
        return Ok(());
    }
    let api: Api<Module> = Api::namespaced(client.clone(), namespace);
    let parameters = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let patch = json!({"status": explicit(&old, status)});
    match api.patch_status(name, &parameters, &Patch::Merge(&patch)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// A merge patch keeps what it does not name: what the new status leaves out is named with null.
fn explicit(old: &ModuleStatus, new: &ModuleStatus) -> Value {
    let (Ok(Value::Object(old)), Ok(Value::Object(new))) = (serde_json::to_value(old), serde_json::to_value(new))
    else {
        return Value::Null;
    };
    Value::Object(merge(&old, new))
}

fn merge(old: &Map<String, Value>, mut new: Map<String, Value>) -> Map<String, Value> {
    for (key, value) in old {
        match (value, new.get_mut(key)) {
            (_, None) => {
                new.insert(key.clone(), Value::Null);
            }
            (Value::Object(old), Some(Value::Object(inner))) => *inner = merge(old, std::mem::take(inner)),
            (_, Some(_)) => {}
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module() -> Module {
        serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "team-a", "generation": 3},
            "spec": {"template": {"repo": "https://example.com/charts", "path": "demo", "version": "main"}, "values": {}},
        }))
        .unwrap()
    }

    #[test]
    fn a_success_clears_an_earlier_failure() {
        let mut failed = ModuleStatus::default();
        Attempt::Retrying.report(&module(), &mut failed, "ApplyFailed", "1 of 2 failed", vec!["one".into()]);
        let types = |status: &ModuleStatus| -> Vec<_> {
            status.conditions.iter().map(|condition| format!("{}={}", condition.type_, condition.status)).collect()
        };
        assert_eq!(types(&failed), ["Ready=False", "Reconciling=True", "Admitted=False"]);
        let mut succeeded = failed.clone();
        Attempt::Succeeded.report(&module(), &mut succeeded, "Applied", "", Vec::new());
        assert_eq!(types(&succeeded), ["Ready=True", "Admitted=False"]);
        let patch = explicit(&failed, &succeeded);
        assert_eq!(patch["reconciliationStatus"], json!({"status": "succeeded", "reason": null, "errors": null}));
    }

    #[test]
    fn the_time_of_a_condition_is_that_of_its_change() {
        let mut status = ModuleStatus::default();
        Attempt::Succeeded.report(&module(), &mut status, "Applied", "", Vec::new());
        let past = Time(Timestamp::UNIX_EPOCH);
        for condition in &mut status.conditions {
            condition.last_transition_time = past.clone();
        }
        Attempt::Stalled.report(&module(), &mut status, "TemplateInvalid", "no chart", Vec::new());
        let time = |kind: &str| {
            status.conditions.iter().find(|condition| condition.type_ == kind).unwrap().last_transition_time.clone()
        };
        assert_eq!(time("Admitted"), past);
        assert_ne!(time("Ready"), past);
    }
}
