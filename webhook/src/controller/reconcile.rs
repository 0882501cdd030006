//! One round for one Module.

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use kube::{core::DeserializeGuard, runtime::controller::Action};
use module::{
    Template, annotations,
    api::{Module, ModuleStatus, ReconciliationState, TemplateReference},
    expansion::{Expansion, ExpansionError, ExpansionOptions, expand, unasked},
    policy::{EffectivePolicy, Escalation, ServiceAccountConflict},
    verdict::Refusal,
};
use renderer::{
    Limits,
    functions::{FixedHost, Host},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use template_source::Access;

use super::{
    Context,
    apply::apply,
    finalize::{add_finalizer, delete_resources, has_finalizer, remove_finalizer},
    status::{self, Attempt},
    tenant::{Tenant, TenantError},
};
use crate::{
    host::SystemHost,
    metrics::Outcome,
    templates::{TemplateError, access, chain},
};

/// Resources that are being deleted are looked at again after this long.
const DELETION_POLL: Duration = Duration::from_secs(1);

/// Changes whenever the controller would apply the same Module differently.
const FORMAT: &str = "1";

/// Why a round ended early. Everything that a person can act on is in the status instead.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReconcileError {
    #[error("the ModulePolicies have not been read yet")]
    PoliciesUnknown,
    #[error("cannot {action}")]
    Kubernetes {
        action: &'static str,
        #[source]
        source: kube::Error,
    },
    #[error("cannot look for the Module's resources")]
    Resources(#[source] TenantError),
}

/// Why a Module could not be applied at all.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the template cannot be used")]
    Template(#[source] TemplateError),
    #[error("the template cannot be rendered: {0}")]
    Expansion(String),
    #[error("nobody is named to apply it")]
    ServiceAccount(#[source] ServiceAccountConflict),
    #[error(
        "the template makes {kind} {name} of another time or another random value than when the rights to it were asked for, \
         so nobody was asked for the right to that; let it not depend on these, or let the ModulePolicy ask for the rights of \
         the service account (escalation: ServiceAccount)"
    )]
    Unasked { kind: String, name: String },
    #[error("{0}")]
    Unusable(String),
    #[error("{0}")]
    Temporary(String),
}

/// The outcome of a round.
type Round<T> = Result<T, ReconcileError>;

/// Brings the cluster to what a Module says.
pub(super) async fn reconcile(module: Arc<DeserializeGuard<Module>>, context: Arc<Context>) -> Round<Action> {
    let module = match &module.0 {
        Ok(module) => module,
        Err(invalid) => {
            let (namespace, name) = (&invalid.metadata.namespace, &invalid.metadata.name);
            tracing::warn!(?namespace, ?name, error = invalid.error, "not a valid Module; skipped");
            return Ok(Action::await_change());
        }
    };
    let started = Instant::now();
    let outcome = if module.metadata.deletion_timestamp.is_some() {
        finalize(module, &context).await
    } else {
        update(module, &context).await
    };
    let (namespace, name) = (module.metadata.namespace.as_deref().unwrap_or_default(), module.name());
    let (result, label) = match outcome {
        Ok((action, label)) => (Ok(action), label),
        Err(error) => {
            tracing::warn!(namespace, name, error = &error as &dyn std::error::Error, "cannot reconcile a Module");
            (Err(error), Outcome::Failed)
        }
    };
    if label != Outcome::Failed {
        context.succeeded(namespace, name);
    }
    context.controller.metrics.reconciliation(label, started.elapsed());
    result
}

/// When to try again after a round that ended early.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the controller runtime asks for")]
pub(super) fn failed(module: Arc<DeserializeGuard<Module>>, _: &ReconcileError, context: Arc<Context>) -> Action {
    use kube::ResourceExt;
    Action::requeue(context.failed(&module.namespace().unwrap_or_default(), &module.name_any()))
}

async fn update(module: &Module, context: &Context) -> Round<(Action, Outcome)> {
    let controller = &context.controller;
    let namespace = module.metadata.namespace.as_deref().unwrap_or_default();
    let policy = controller.policies.effective(namespace).ok_or(ReconcileError::PoliciesUnknown)?;
    if !has_finalizer(module) {
        add_finalizer(&controller.client, module)
            .await
            .map_err(|source| ReconcileError::Kubernetes { action: "add the finalizer", source })?;
        // The change of the Module brings the next round.
        return Ok((Action::await_change(), Outcome::Unchanged));
    }
    let mut status = module.status.clone().unwrap_or_default();
    let (attempt, outcome) = match apply_module(module, context, &policy, &mut status).await {
        Ok(None) => {
            status.observed_generation = module.metadata.generation;
            (Attempt::Succeeded, Outcome::Unchanged)
        }
        Ok(Some(errors)) if errors.is_empty() => {
            let message = format!("{} resources applied", status.inventory.len());
            Attempt::Succeeded.report(module, &mut status, "Applied", &message, errors);
            (Attempt::Succeeded, Outcome::Succeeded)
        }
        Ok(Some(errors)) => {
            let message = format!("some resources failed: {}", errors.join("; "));
            Attempt::Retrying.report(module, &mut status, "ApplyFailed", &message, errors);
            (Attempt::Retrying, Outcome::Failed)
        }
        Err(failure) => {
            let (attempt, reason) = failure.class();
            attempt.report(module, &mut status, reason, &chain(&failure), Vec::new());
            (attempt, Outcome::Failed)
        }
    };
    status::write(&controller.client, module, &status)
        .await
        .map_err(|source| ReconcileError::Kubernetes { action: "write the status", source })?;
    let action = match attempt {
        Attempt::Succeeded => Action::await_change(),
        Attempt::Retrying | Attempt::Stalled => {
            tracing::warn!(
                namespace,
                name = module.name(),
                reason = status.reconciliation_status.reason,
                "not applied"
            );
            // Also what is stalled: a policy, a right or a kind may change without the Module.
            Action::requeue(context.failed(namespace, module.name()))
        }
    };
    Ok((action, outcome))
}

/// Renders with the admitted template and applies. Returns the failed resources' lines; nothing if there was nothing
/// to do.
async fn apply_module(
    module: &Module,
    context: &Context,
    policy: &EffectivePolicy,
    status: &mut ModuleStatus,
) -> Result<Option<Vec<String>>, Failure> {
    let controller = &context.controller;
    let Some(spec) = &module.spec else {
        return Err(Failure::Unusable("the Module has no spec".to_owned()));
    };
    let reference = &spec.template;
    policy
        .check_source(&reference.repo, &reference.path)
        .map_err(|error| Failure::Unusable(format!("spec.template.repo: {error}")))?;
    let service_account = policy.service_account_name().map_err(Failure::ServiceAccount)?;
    let access = access(policy);
    let digest = pinned_digest(module, context, reference, access).await?;
    let applied_digest = digest_of_apply(module, &digest, service_account);
    let done = status.last_applied_digest.as_ref() == Some(&applied_digest)
        && status.reconciliation_status.status == ReconciliationState::Succeeded;
    if done {
        return Ok(None);
    }
    let template = controller.templates.load(reference, &digest, access).await.map_err(Failure::Template)?;
    let expansion = expand_module(module, &template, policy, context, status).await?;
    let namespace = module.metadata.namespace.as_deref().unwrap_or_default();
    let tenant = Tenant::new(&controller.client, namespace, module.name(), service_account)
        .map_err(|error| Failure::Unusable(format!("the service account {service_account}: {error}")))?;
    let applied = apply(&tenant, &controller.kinds, &expansion, &status.inventory).await;

    status.inventory = applied.inventory;
    for group_version_resource in applied.types {
        if !status.managed_gvrs.contains(&group_version_resource) {
            status.managed_gvrs.push(group_version_resource);
        }
    }
    template.chart().icon().clone_into(&mut status.icon_url);
    digest.clone_into(&mut status.template_resolved_version);
    status.template_digest = Some(digest);
    if applied.errors.is_empty() {
        if status.last_applied_digest.as_ref() != Some(&applied_digest) {
            status.revision = Some(status.revision.unwrap_or_default() + 1);
        }
        status.last_applied_digest = Some(applied_digest);
    }
    Ok(Some(applied.errors))
}

/// The digest that the Module was admitted with. One that was stored before the webhook was installed has none, and is
/// resolved as it stands.
async fn pinned_digest(
    module: &Module,
    context: &Context,
    reference: &TemplateReference,
    access: Access,
) -> Result<String, Failure> {
    match module.annotation(annotations::TEMPLATE_DIGEST).filter(|digest| !digest.is_empty()) {
        Some(digest) => Ok(digest.to_owned()),
        None => context.controller.templates.resolve(reference, access).await.map_err(Failure::Template),
    }
}

async fn expand_module(
    module: &Module,
    template: &Arc<Template>,
    policy: &EffectivePolicy,
    context: &Context,
    status: &ModuleStatus,
) -> Result<Expansion, Failure> {
    let controller = &context.controller;
    let mut refreshed = false;
    loop {
        let (module, template, policy) = (module.clone(), Arc::clone(template), policy.clone());
        let kinds = controller.kinds.current();
        let revision = status.revision.unwrap_or_default() + 1;
        let work = move || {
            let expand = |host: &dyn Host| {
                let options = ExpansionOptions {
                    policy: Some(&policy),
                    scopes: kinds.as_ref(),
                    host,
                    kube_version: kinds.kube_version.clone(),
                    api_versions: Arc::clone(&kinds.api_versions),
                    revision,
                    limits: Limits::default(),
                };
                expand(template.chart(), &module, &options)
            };
            // What must not be shown of the values is taken out: a status is read by more people than the values are.
            let failed = |error: ExpansionError| {
                let values = module.spec.as_ref().map(|spec| &spec.values);
                let refusal = Refusal::for_expansion(&error, template.locks(), values.unwrap_or(&Value::Null));
                Failure::Expansion(refusal.message)
            };
            let host =
                SystemHost::new().map_err(|_| Failure::Temporary("the system gives no randomness".to_owned()))?;
            let made = expand(&host).map_err(failed)?;
            // The service account may do more than whoever has written this, and was asked about what came of it without
            // a clock.
            if policy.escalations().contains(&Escalation::Requester)
                && let Some(resource) = unasked(&expand(&FixedHost::default()).map_err(failed)?, &made).first()
            {
                return Err(Failure::Unasked { kind: resource.kind.clone(), name: resource.name.clone() });
            }
            Ok(made)
        };
        let expansion = controller.workers.run(work).await.map_err(|error| Failure::Temporary(error.to_string()))?;
        if expansion.is_err() && !refreshed && controller.kinds.refresh().await {
            refreshed = true;
            continue;
        }
        return expansion;
    }
}

/// Everything that decides what is applied and by whom.
fn digest_of_apply(module: &Module, template: &str, service_account: &str) -> String {
    let spec = serde_json::to_string(&module.spec).unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [FORMAT, &spec, template, service_account] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn finalize(module: &Module, context: &Context) -> Round<(Action, Outcome)> {
    if !has_finalizer(module) {
        return Ok((Action::await_change(), Outcome::Unchanged));
    }
    let controller = &context.controller;
    let namespace = module.metadata.namespace.as_deref().unwrap_or_default();
    let policy = controller.policies.effective(namespace).ok_or(ReconcileError::PoliciesUnknown)?;
    let mut status = module.status.clone().unwrap_or_default();
    let tenant = policy.service_account_name().map_err(|conflict| conflict.to_string()).and_then(|name| {
        Tenant::new(&controller.client, namespace, module.name(), name).map_err(|error| error.to_string())
    });
    let errors = match tenant {
        Ok(tenant) => {
            let remains = delete_resources(&controller.client, &tenant, &controller.kinds, module)
                .await
                .map_err(ReconcileError::Resources)?;
            if remains.resources.is_empty() {
                remove_finalizer(&controller.client, module)
                    .await
                    .map_err(|source| ReconcileError::Kubernetes { action: "remove the finalizer", source })?;
                return Ok((Action::await_change(), Outcome::Succeeded));
            }
            if remains.errors.is_empty() {
                return Ok((Action::requeue(DELETION_POLL), Outcome::Unchanged));
            }
            remains.errors
        }
        Err(problem) => vec![problem],
    };
    let message = format!("the Module's resources cannot be deleted: {}", errors.join("; "));
    tracing::warn!(namespace, name = module.name(), reason = message, "not deleted");
    Attempt::Retrying.report(module, &mut status, "DeletionFailed", &message, errors);
    status::write(&controller.client, module, &status)
        .await
        .map_err(|source| ReconcileError::Kubernetes { action: "write the status", source })?;
    Ok((Action::requeue(context.failed(namespace, module.name())), Outcome::Failed))
}

impl Failure {
    fn class(&self) -> (Attempt, &'static str) {
        match self {
            Self::Template(TemplateError::Unavailable { .. }) => (Attempt::Retrying, "TemplateUnavailable"),
            Self::Template(_) => (Attempt::Stalled, "TemplateInvalid"),
            Self::Expansion(_) => (Attempt::Stalled, "RenderFailed"),
            Self::Unasked { .. } => (Attempt::Stalled, "RightsNotAsked"),
            Self::ServiceAccount(_) => (Attempt::Stalled, "ServiceAccountConflict"),
            Self::Unusable(_) => (Attempt::Stalled, "ModuleInvalid"),
            Self::Temporary(_) => (Attempt::Retrying, "Busy"),
        }
    }
}
