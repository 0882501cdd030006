//! The mutating hook: stamps, and the answers to previews.

use std::{collections::BTreeMap, sync::Arc};

use module::{
    annotations,
    verdict::{Operation, Refusal},
};

use super::{
    Admission, preview,
    review::{Acceptance, Request},
    stamps::{self, Stamps},
    validate::is_module,
    write::{Write, annotation},
};

/// Stamps a write. Refuses only what the validating hook would refuse as well.
pub(crate) async fn mutate(admission: &Admission, request: Request) -> Result<Acceptance, Refusal> {
    if !is_module(&request) {
        return Err(super::validate::not_understood(&request));
    }
    let write = Arc::new(Write::new(request)?);
    let (Operation::Create | Operation::Update, Some(new)) = (write.operation, &write.new) else {
        return Ok(Acceptance::default());
    };
    let carries = |name| annotation(new, name).is_some();
    if write.dry_run && carries(annotations::ANSWER) && !carries(annotations::QUESTION) {
        // Called again, after another webhook changed something: the question is answered.
        return Ok(Acceptance::default());
    }
    let mut wanted: BTreeMap<&'static str, Option<String>> = BTreeMap::new();
    if write.dry_run && carries(annotations::QUESTION) {
        // Removed from what is returned: the API server limits all annotations together.
        wanted.insert(annotations::QUESTION, None);
        wanted.insert(annotations::ANSWER, Some(preview::answer(admission, &write).await?));
    } else {
        if !write.dry_run {
            wanted.insert(annotations::QUESTION, None);
            wanted.insert(annotations::ANSWER, None);
        }
        wanted.extend(stamp(admission, &write).await?);
    }
    Ok(Acceptance { patch: Some(stamps::patch(new, &wanted)), ..Acceptance::default() })
}

async fn stamp(admission: &Admission, write: &Arc<Write>) -> Result<Stamps, Refusal> {
    if !write.changes_content() {
        return Ok(stamps::kept(write));
    }
    let policy = Arc::new(admission.policy(&write.namespace)?);
    let template = admission.load_stored(write, &policy).await?;
    Ok(template.map(|template| stamps::renewed(write, &template, &policy)).unwrap_or_default())
}
