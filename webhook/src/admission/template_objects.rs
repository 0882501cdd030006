//! `TemplateStore` and `TemplateAuthRule`: what Modules are made from, and with which credentials it is fetched.

use module::{
    Requester,
    api::{TemplateAuthRule, TemplateReference, TemplateStore},
    verdict::{Ground, Refusal, Verdict, decide_template_store},
};
use serde_json::Value;

use super::{
    Admission,
    loading::check_source,
    review::{Acceptance, Operation, Request},
};
use crate::{metrics::Stage, templates::TemplateError};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    TemplateStore,
    TemplateAuthRule,
}

impl Object {
    /// The kind of a request's object, in the version that is understood.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        if request.kind.group != module::api::GROUP || request.kind.version != module::api::VERSION {
            return None;
        }
        match (request.kind.kind.as_str(), request.resource.resource.as_str()) {
            ("TemplateStore", "templatestores") => Some(Self::TemplateStore),
            ("TemplateAuthRule", "templateauthrules") => Some(Self::TemplateAuthRule),
            _ => None,
        }
    }
}

/// Decides a write of either.
pub(crate) async fn validate(admission: &Admission, object: Object, request: &Request) -> Result<Acceptance, Refusal> {
    let mut warnings = Vec::new();
    if object == Object::TemplateStore {
        let policy = admission.policy(&request.namespace)?;
        let requester = Requester::from(request.user_info.clone());
        match decide_template_store(request.old_object.as_ref(), request.object.as_ref(), &requester, &policy) {
            Verdict::Refused(refusal) => return Err(refusal),
            Verdict::Allowed(allowance) => warnings = allowance.warnings,
        }
    }
    let (Operation::Create | Operation::Update, Some(new)) = (request.operation, &request.object) else {
        return Ok(Acceptance { warnings, ..Acceptance::default() });
    };
    warnings.extend(match object {
        Object::TemplateStore => template_store(admission, &request.namespace, new).await?,
        Object::TemplateAuthRule => template_auth_rule(new)?,
    });
    Ok(Acceptance { warnings, ..Acceptance::default() })
}

/// A template is offered only if it can be used. An outage of its source is a warning: it says nothing about it.
async fn template_store(admission: &Admission, namespace: &str, new: &Value) -> Result<Vec<String>, Refusal> {
    let store: TemplateStore = serde_json::from_value(new.clone())
        .map_err(|error| Refusal::invalid("spec", format!("not a TemplateStore: {error}")))?;
    let reference: TemplateReference = store.spec.into();
    let policy = admission.policy(namespace)?;
    check_source(&policy, &reference).map_err(relative)?;
    let _time = admission.metrics.stage(Stage::Template);
    let loaded = match admission.templates.resolve(&reference).await {
        Ok(digest) => admission.templates.load(&reference, &digest).await.map(drop),
        Err(error) => Err(error),
    };
    match loaded {
        Ok(()) => Ok(Vec::new()),
        Err(TemplateError::Invalid { part, problem }) => {
            Err(Refusal::invalid(&part.field("spec"), problem).on(Ground::Template))
        }
        Err(TemplateError::Unavailable { problem }) => {
            Ok(vec![format!("the template could not be checked: {problem}")])
        }
    }
}

/// `spec` of a `TemplateStore` is what `spec.template` of a Module is.
fn relative(mut refusal: Refusal) -> Refusal {
    for cause in &mut refusal.causes {
        cause.field = cause.field.replace("spec.template", "spec");
    }
    refusal.message = refusal.message.replace("spec.template", "spec");
    refusal
}

/// Cyclops reads `spec.repo` as an unanchored regular expression over the whole URL: without scheme and host in front
/// it matches addresses of anybody.
fn template_auth_rule(new: &Value) -> Result<Vec<String>, Refusal> {
    let rule: TemplateAuthRule = serde_json::from_value(new.clone())
        .map_err(|error| Refusal::invalid("spec", format!("not a TemplateAuthRule: {error}")))?;
    let repo = rule.spec.repo.trim();
    if repo.is_empty() {
        return Err(Refusal::invalid(
            "spec.repo",
            "an empty expression matches every repository: name scheme and host".to_owned(),
        ));
    }
    let anchored = repo.strip_prefix('^').unwrap_or(repo);
    let host = anchored.strip_prefix("https://").unwrap_or_default().split('/').next().unwrap_or_default();
    let mut warnings = Vec::new();
    if host.is_empty() || host.contains(['*', '+', '?', '(', '[', '|']) {
        warnings.push(format!(
            "spec.repo {repo} does not begin with https:// and a host: the credentials could be sent to a server of anybody's"
        ));
    }
    Ok(warnings)
}
