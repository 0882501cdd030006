//! A write of a Module: what was there, what shall be, and who asks.

use module::{
    Requester, annotations,
    api::TemplateReference,
    expansion::{MAX_RESOURCE_BYTES, json_size},
    verdict::{self, Ground, Refusal},
};
use serde_json::Value;

use super::review::{Operation, Request};

/// A write of a Module.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) operation: verdict::Operation,
    pub(crate) namespace: String,
    pub(crate) requester: Requester,
    pub(crate) old: Option<Value>,
    pub(crate) new: Option<Value>,
    pub(crate) dry_run: bool,
}

impl Write {
    /// Reads a request about a Module. Requests that contradict themselves are refused.
    pub(crate) fn new(request: Request) -> Result<Self, Refusal> {
        let dry_run = request.is_dry_run();
        let operation = match (request.operation, request.sub_resource.as_deref().unwrap_or_default()) {
            (Operation::Create, "") => verdict::Operation::Create,
            (Operation::Update, "") => verdict::Operation::Update,
            (Operation::Delete, "") => verdict::Operation::Delete,
            (Operation::Update, "status") => verdict::Operation::Status,
            (operation, subresource) => {
                let problem = format!("{operation:?} of modules/{subresource} is not understood");
                return Err(Refusal::invalid("", problem).on(Ground::Malformed));
            }
        };
        let complete = match operation {
            verdict::Operation::Create => request.object.is_some(),
            verdict::Operation::Update | verdict::Operation::Status => {
                request.object.is_some() && request.old_object.is_some()
            }
            verdict::Operation::Delete => request.old_object.is_some(),
        };
        if !complete {
            let problem = "the request lacks the object that it is about";
            return Err(Refusal::invalid("", problem).on(Ground::Malformed));
        }
        Ok(Self {
            operation,
            namespace: request.namespace,
            requester: request.user_info.into(),
            old: (operation != verdict::Operation::Create).then_some(request.old_object).flatten(),
            new: (operation != verdict::Operation::Delete).then_some(request.object).flatten(),
            dry_run,
        })
    }

    /// Whether the new object fits into the cluster's store, which would only say that some message is too large.
    pub(crate) fn check_size(&self) -> Result<(), Refusal> {
        let Some(new) = &self.new else { return Ok(()) };
        let bytes = json_size(new);
        if bytes <= MAX_RESOURCE_BYTES {
            return Ok(());
        }
        let problem = format!(
            "the Module has {bytes} bytes, most of them probably values; a cluster stores {MAX_RESOURCE_BYTES}"
        );
        Err(Refusal::invalid("spec.values", problem))
    }

    /// Whether spec or history change.
    pub(crate) fn changes_content(&self) -> bool {
        let (Some(old), Some(new)) = (&self.old, &self.new) else { return self.old.is_some() != self.new.is_some() };
        verdict::content_differs(old, new)
    }

    /// The Module that a write of the status makes Cyclops render: it deploys the resolved version, whatever the spec says.
    pub(crate) fn as_deployed(&self) -> Self {
        let mut write = self.clone();
        if let Some(new) = &mut write.new {
            let version = new.pointer("/status/templateResolvedVersion").cloned();
            if let (Some(version), Some(place)) = (version, new.pointer_mut("/spec/template/version")) {
                *place = version;
            }
        }
        write
    }

    /// Whether old and new object name the same template.
    pub(crate) fn keeps_template(&self) -> bool {
        let reference =
            |object: &Option<Value>| object.as_ref().and_then(|object| object.pointer("/spec/template")).cloned();
        match (reference(&self.old), reference(&self.new)) {
            (Some(old), Some(new)) => REFERENCE.iter().all(|key| field(&old, key) == field(&new, key)),
            _ => false,
        }
    }
}

/// What makes a reference another one. Where Modules are written in Git is not part of it.
const REFERENCE: [&str; 4] = ["repo", "path", "version", "sourceType"];

/// Clients that know no `sourceType` drop it, and write others as empty text: neither is a change.
fn field<'a>(reference: &'a Value, key: &str) -> &'a str {
    reference.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

/// The template that a Module names.
pub(crate) fn template_reference(module: &Value) -> Result<TemplateReference, Refusal> {
    let Some(spec) = present(module.get("spec")) else {
        return Err(Refusal::invalid(
            "spec",
            "the Module has no spec: name a template in spec.template and its values in spec.values".to_owned(),
        ));
    };
    let Some(reference) = present(spec.get("template")) else {
        return Err(Refusal::invalid("spec.template", "the Module names no template".to_owned()));
    };
    serde_json::from_value(reference.clone())
        .map_err(|error| Refusal::invalid("spec.template", format!("not a template reference: {error}")))
}

/// The value of an annotation.
pub(crate) fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get("metadata")?.get("annotations")?.get(name)?.as_str()
}

/// The digest that a stored Module was admitted with.
pub(crate) fn admitted_digest(object: &Value) -> Option<&str> {
    annotation(object, annotations::TEMPLATE_DIGEST).filter(|digest| !digest.is_empty())
}
