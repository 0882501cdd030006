//! What the webhook itself writes on a Module: the template's digest, the last writer, whether deletion is
//! guarded, and whether the template has locks.
//!
//! The mutating hook sets the stamps whatever the client sent. The validating hook computes them again and refuses
//! anything else, so that they hold even if the mutating hook was not called.

use std::collections::BTreeMap;

use json_patch::{
    AddOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation,
    jsonptr::{PointerBuf, Token},
};
use module::{Template, annotations, policy::EffectivePolicy};
use serde_json::{Value, json};

use super::write::{Write, annotation};

/// The values of all stamps; none: the annotation must be absent.
pub(crate) type Stamps = BTreeMap<&'static str, Option<String>>;

/// The stamps of the old object: what they stay if nothing of substance changes.
pub(crate) fn kept(write: &Write) -> Stamps {
    let old = write.old.as_ref();
    annotations::STAMPS
        .into_iter()
        .map(|name| (name, old.and_then(|old| annotation(old, name)).map(str::to_owned)))
        .collect()
}

/// The stamps after a change of substance.
pub(crate) fn renewed(write: &Write, template: &Template, policy: &EffectivePolicy) -> Stamps {
    let mut stamps = Stamps::new();
    stamps.insert(annotations::TEMPLATE_DIGEST, Some(template.digest().to_owned()));
    stamps.insert(annotations::WRITTEN_BY, Some(write.requester.username.clone()));
    let stamp = |holds: bool| holds.then(|| "true".to_owned());
    stamps.insert(annotations::PROTECTED, stamp(protected(write, template, policy)));
    stamps.insert(annotations::LOCKED, stamp(!template.locks().is_empty()));
    stamps
}

/// Whether deletion must be asked about.
fn protected(write: &Write, template: &Template, policy: &EffectivePolicy) -> bool {
    let claimed = policy.is_git_ops_writer(&write.requester)
        || write.old.as_ref().and_then(|old| annotation(old, annotations::PROTECTED)) == Some("true");
    policy.guards_deletion(claimed, !template.locks().is_empty())
}

/// The stamps that an object carries and should not, or lacks.
pub(crate) fn differing(object: &Value, stamps: &Stamps) -> Vec<&'static str> {
    stamps.iter().filter(|(name, value)| annotation(object, name) != value.as_deref()).map(|(name, _)| *name).collect()
}

/// The patch that gives an object these annotations; absent ones are removed.
pub(crate) fn patch(object: &Value, wanted: &BTreeMap<&'static str, Option<String>>) -> Patch {
    let annotations = object.pointer("/metadata/annotations").filter(|annotations| annotations.is_object());
    let mut operations = Vec::new();
    if annotations.is_none() && wanted.values().any(Option::is_some) {
        let path = PointerBuf::from_tokens(["metadata", "annotations"]);
        operations.push(PatchOperation::Add(AddOperation { path, value: json!({}) }));
    }
    for (name, value) in wanted {
        let path = PointerBuf::from_tokens([Token::new("metadata"), Token::new("annotations"), Token::new(*name)]);
        let present = annotations.and_then(|annotations| annotations.get(*name));
        match (present, value) {
            (Some(present), Some(value)) if present.as_str() != Some(value) => {
                operations.push(PatchOperation::Replace(ReplaceOperation { path, value: json!(value) }));
            }
            (None, Some(value)) => operations.push(PatchOperation::Add(AddOperation { path, value: json!(value) })),
            (Some(_), None) => operations.push(PatchOperation::Remove(RemoveOperation { path })),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    Patch(operations)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(mut object: Value, wanted: &[(&'static str, Option<&str>)]) -> Value {
        let wanted = wanted.iter().map(|(name, value)| (*name, value.map(str::to_owned))).collect();
        let operations = patch(&object, &wanted);
        json_patch::patch(&mut object, &operations).unwrap();
        assert_eq!(patch(&object, &wanted), Patch(Vec::new()), "a second patch changes nothing");
        object
    }

    #[test]
    fn patches_add_replace_and_remove() {
        let wanted = [("a/b~c", Some("1")), ("gone", None)];
        let expected = json!({"metadata": {"annotations": {"a/b~c": "1"}}});
        assert_eq!(patched(json!({"metadata": {}}), &wanted), expected);
        assert_eq!(patched(json!({"metadata": {"annotations": null}}), &wanted), expected);
        assert_eq!(patched(json!({"metadata": {"annotations": {"gone": "x"}}}), &wanted), expected);
        assert_eq!(patched(json!({"metadata": {"annotations": {"a/b~c": "0"}}}), &wanted), expected);
        assert_eq!(patched(json!({"metadata": {}}), &[("gone", None)]), json!({"metadata": {}}));
    }
}
