//! The validating hook: may this be stored?

use std::{collections::BTreeMap, sync::Arc};

use module::{
    annotations,
    policy::EffectivePolicy,
    verdict::{self, Allowance, Controllers, Ground, Operation, Question, Refusal, Verdict},
};

use super::{
    Admission,
    loading::{Loaded, check_source, unusable},
    policy_objects,
    review::{Acceptance, BREAK_GLASS, LOCKED_CHANGES, Request},
    stamps, template_objects, worker_refusal,
    write::{Write, admitted_digest, annotation, template_reference},
};
use crate::metrics::Stage;

/// Decides a write.
pub(crate) async fn validate(admission: &Admission, request: Request) -> Result<Acceptance, Refusal> {
    if is_module(&request) {
        return module(admission, Write::new(request)?).await;
    }
    if policy_objects::is_policy(&request) {
        return policy_objects::validate(admission, &request).await;
    }
    match template_objects::Object::of(&request) {
        Some(object) => template_objects::validate(admission, object, &request).await,
        None => Err(not_understood(&request)),
    }
}

/// Whether a request is about a Module in the version that is understood.
pub(crate) fn is_module(request: &Request) -> bool {
    request.kind.group == module::api::GROUP
        && request.kind.version == module::api::VERSION
        && request.kind.kind == "Module"
        && request.resource.group == module::api::GROUP
        && request.resource.version == module::api::VERSION
        && request.resource.resource == "modules"
}

/// The refusal of a request about something else: what is not understood is not allowed.
pub(crate) fn not_understood(request: &Request) -> Refusal {
    Refusal::invalid(
        "",
        format!(
            "this webhook does not know {}.{}/{}; its configuration sends it requests that it cannot decide",
            request.kind.kind, request.kind.group, request.kind.version
        ),
    )
    .on(Ground::Malformed)
}

async fn module(admission: &Admission, write: Write) -> Result<Acceptance, Refusal> {
    if write.dry_run && write.new.as_ref().is_some_and(|new| annotation(new, annotations::ANSWER).is_some()) {
        // A preview: nothing is stored, and what was asked is answered in the annotation.
        return Ok(Acceptance::default());
    }
    let policy = Arc::new(admission.policy(&write.namespace)?);
    let write = Arc::new(write);
    // A Module without a template is never stored, whatever the locks say.
    if let (Operation::Create | Operation::Update, Some(new), true) =
        (write.operation, &write.new, write.changes_content())
    {
        template_reference(new)?;
        write.check_size()?;
    }
    let required = question(&admission.controllers, &write, &policy, &Loaded::default()).required_templates();
    let stored = matches!(write.operation, Operation::Create | Operation::Update) && write.changes_content();
    let loaded = if stored {
        admission.load_both(&write, &policy, required.old).await?
    } else if required.old || required.new {
        let old = if required.old { admission.load_old(&write, &policy).await? } else { None };
        let new = if required.new { admission.load_new(&write.as_deployed(), &policy).await? } else { None };
        Loaded { same: new.is_none(), new: new.or_else(|| old.clone()), old }
    } else {
        Loaded::default()
    };
    let allowance = admission.verdict(&write, &policy, &loaded).await?;
    let mut acceptance = acceptance(&write, &policy, &loaded, allowance);
    if matches!(write.operation, Operation::Create | Operation::Update) {
        admission.check_stamps(&write, &policy, &loaded).await?;
    }
    if stored {
        let consequences = admission.consequences(&write, &policy, &loaded).await?;
        acceptance.warnings.extend(consequences.after.warnings.iter().cloned());
        admission.check_escalation(&write, &policy, &consequences).await?;
    }
    Ok(acceptance)
}

fn acceptance(write: &Write, policy: &EffectivePolicy, loaded: &Loaded, allowance: Allowance) -> Acceptance {
    let mut audit = BTreeMap::new();
    audit.insert("gitops", policy.is_git_ops_writer(&write.requester).to_string());
    if let Some(template) = &loaded.new {
        audit.insert("template-digest", template.digest().to_owned());
    }
    if !allowance.locked_changes.is_empty() {
        audit.insert(LOCKED_CHANGES, allowance.locked_changes.join(","));
    }
    if let Some(reason) = allowance.break_glass {
        audit.insert(BREAK_GLASS, reason);
    }
    Acceptance { warnings: allowance.warnings, audit, patch: None }
}

/// The question to the rules.
pub(crate) fn question<'a>(
    controllers: &'a Controllers,
    write: &'a Write,
    policy: &'a EffectivePolicy,
    loaded: &'a Loaded,
) -> Question<'a> {
    Question {
        operation: write.operation,
        old: write.old.as_ref(),
        new: write.new.as_ref(),
        requester: &write.requester,
        policy,
        old_template: loaded.old.as_deref(),
        new_template: loaded.changed(),
        controllers,
    }
}

impl Admission {
    /// The policies for a namespace.
    pub(crate) fn policy(&self, namespace: &str) -> Result<EffectivePolicy, Refusal> {
        self.policies
            .effective(namespace)
            .ok_or_else(|| Refusal::unavailable("the ModulePolicies have not been read yet; try again in a moment", 1))
    }

    /// The verdict of the locks and policies.
    pub(crate) async fn verdict(
        &self,
        write: &Arc<Write>,
        policy: &Arc<EffectivePolicy>,
        loaded: &Loaded,
    ) -> Result<Allowance, Refusal> {
        let _time = self.metrics.stage(Stage::Verdict);
        let (write, policy, loaded) = (Arc::clone(write), Arc::clone(policy), loaded.clone());
        let controllers = self.controllers.clone();
        let verdict = self.workers.run(move || verdict::decide(&question(&controllers, &write, &policy, &loaded)));
        match verdict.await.map_err(worker_refusal)? {
            Verdict::Allowed(allowance) => Ok(allowance),
            Verdict::Refused(refusal) => Err(refusal),
        }
    }

    /// Whether the object carries the stamps that this webhook gives it, and no others.
    async fn check_stamps(&self, write: &Write, policy: &EffectivePolicy, loaded: &Loaded) -> Result<(), Refusal> {
        let Some(new) = &write.new else { return Ok(()) };
        if !write.changes_content() {
            return agree(new, &stamps::kept(write));
        }
        let Some(template) = &loaded.new else { return Ok(()) };
        let expected = stamps::renewed(write, template, policy);
        let pinned = loaded.same && write.old.as_ref().is_some_and(|old| admitted_digest(old).is_some());
        if stamps::differing(new, &expected) == [annotations::TEMPLATE_DIGEST] && !pinned {
            // The reference may have moved between the hooks, or between what two replicas remember.
            let _time = self.metrics.stage(Stage::Template);
            let reference = template_reference(new)?;
            let digest = self
                .templates
                .resolve_again(&reference, check_source(policy, &reference)?)
                .await
                .map_err(|error| unusable(&reference, &error))?;
            if annotation(new, annotations::TEMPLATE_DIGEST) != Some(&digest) || template.digest() != digest {
                return Err(moved());
            }
            return Ok(());
        }
        agree(new, &expected)
    }
}

fn moved() -> Refusal {
    Refusal::unavailable("the template's version moved while this write was being decided; try again", 1)
}

fn agree(new: &serde_json::Value, expected: &stamps::Stamps) -> Result<(), Refusal> {
    let differing = stamps::differing(new, expected);
    if differing.is_empty() {
        return Ok(());
    }
    let message = "only the webhook writes this annotation; leave it as it is. If you did not touch it, the mutating \
                   webhook was not called: try again";
    let causes = differing
        .iter()
        .map(|name| verdict::Cause { field: format!("metadata.annotations[{name}]"), message: message.to_owned() })
        .collect();
    Err(Refusal::because(causes).on(Ground::Stamp))
}
