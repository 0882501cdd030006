//! `TemplateStore` and `TemplateAuthRule`: what Modules are made from, and with which credentials it is fetched.

use module::{
    Requester,
    api::{TemplateAuthRule, TemplateReference, TemplateStore},
    verdict::{Ground, Refusal, Verdict, decide_template_store},
};
use serde_json::Value;
use template_source::RepositoryScope;

use super::{
    Admission,
    loading::{check_source, load},
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
        Object::TemplateAuthRule => template_auth_rule(&request.namespace, &admission.credentials_namespace, new)?,
    });
    Ok(Acceptance { warnings, ..Acceptance::default() })
}

/// A template is offered only if it can be used. An outage of its source is a warning: it says nothing about it.
async fn template_store(admission: &Admission, namespace: &str, new: &Value) -> Result<Vec<String>, Refusal> {
    let store: TemplateStore = serde_json::from_value(new.clone())
        .map_err(|error| Refusal::invalid("spec", format!("not a TemplateStore: {error}")))?;
    let reference: TemplateReference = store.spec.into();
    let policy = admission.policy(namespace)?;
    let access = check_source(&policy, &reference).map_err(relative)?;
    let _time = admission.metrics.stage(Stage::Template);
    match load(&admission.templates, &reference, access).await {
        Ok(_) => Ok(Vec::new()),
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

/// Cyclops reads `spec.repo` as an unanchored regular expression over the whole URL. The webhook takes less for the URL
/// of repositories, and leaves the rest to Cyclops.
fn template_auth_rule(namespace: &str, wanted: &str, new: &Value) -> Result<Vec<String>, Refusal> {
    let rule: TemplateAuthRule = serde_json::from_value(new.clone())
        .map_err(|error| Refusal::invalid("spec", format!("not a TemplateAuthRule: {error}")))?;
    let repo = &rule.spec.repo;
    if repo.trim().is_empty() {
        return Err(Refusal::invalid(
            "spec.repo",
            "an empty expression matches every repository: name scheme and host".to_owned(),
        ));
    }
    let mut warnings = Vec::new();
    if let Err(error) = RepositoryScope::from_expression(repo) {
        warnings.push(format!(
            "spec.repo {repo} is not used by the webhook: {error}. Cyclops looks for the expression anywhere in a URL, \
             and could send the credentials to a server of anybody's"
        ));
    }
    if namespace != wanted {
        warnings.push(format!("TemplateAuthRules are looked for in the namespace {wanted} only"));
    }
    Ok(warnings)
}
