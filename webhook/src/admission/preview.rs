//! Answers to previews: what a change would do, without making it.

use std::sync::Arc;

use module::verdict::Refusal;

use super::{Admission, write::Write};

/// Answers the question in the annotation of a dry-run write.
pub(crate) async fn answer(admission: &Admission, write: &Write) -> Result<String, Refusal> {
    let policy = Arc::new(admission.policy(&write.namespace)?);
    admission.load_both(write, &policy, false).await?;
    Err(Refusal::invalid("", "previews are not answered".to_owned()))
}
