//! The templates that a write is about.

use std::sync::Arc;

use module::{
    Template,
    api::TemplateReference,
    policy::EffectivePolicy,
    verdict::{Cause, Ground, Refusal},
};
use template_source::Access;

use super::{
    Admission,
    write::{Write, admitted_digest, template_reference},
};
use crate::{
    metrics::Stage,
    templates::{TemplateError, Templates, access, describe},
};

/// After how long it is worth asking an unreachable source again.
const RETRY_SECONDS: u32 = 5;

/// The templates of the old and the new Module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded {
    /// The template that the stored Module was admitted with.
    pub(crate) old: Option<Arc<Template>>,
    /// The template of the new Module.
    pub(crate) new: Option<Arc<Template>>,
    /// Whether both name the same template, so that `new` is `old`.
    pub(crate) same: bool,
}

impl Loaded {
    /// The new template if it is another one: what a verdict wants to know.
    pub(crate) fn changed(&self) -> Option<&Template> {
        if self.same { None } else { self.new.as_deref() }
    }
}

impl Admission {
    /// The template of the stored Module: by the digest that it was admitted with, or, for a Module that was stored
    /// before this webhook was installed, by what its reference stands for now.
    pub(crate) async fn load_old(
        &self,
        write: &Write,
        policy: &EffectivePolicy,
    ) -> Result<Option<Arc<Template>>, Refusal> {
        let _time = self.metrics.stage(Stage::Template);
        let Some(old) = &write.old else { return Ok(None) };
        let Ok(reference) = template_reference(old) else { return Ok(None) };
        // Also for what is stored: whoever reaches this port could claim that anything is.
        let access = check_source(policy, &reference)?;
        let loaded = match admitted_digest(old) {
            Some(digest) => self.templates.load(&reference, digest, access).await,
            None => load(&self.templates, &reference, access).await,
        };
        loaded.map(Some).map_err(|error| unusable(&reference, &error))
    }

    /// The template that the new Module names.
    pub(crate) async fn load_new(
        &self,
        write: &Write,
        policy: &EffectivePolicy,
    ) -> Result<Option<Arc<Template>>, Refusal> {
        let _time = self.metrics.stage(Stage::Template);
        let Some(new) = &write.new else { return Ok(None) };
        let reference = template_reference(new)?;
        let access = check_source(policy, &reference)?;
        load(&self.templates, &reference, access).await.map(Some).map_err(|error| unusable(&reference, &error))
    }

    /// The template that a Module will have once this write is stored: the one that it has, if the reference stays.
    pub(crate) async fn load_stored(
        &self,
        write: &Arc<Write>,
        policy: &Arc<EffectivePolicy>,
    ) -> Result<Option<Arc<Template>>, Refusal> {
        if write.keeps_template() {
            return self.load_old(write, policy).await;
        }
        match self.load_new(write, policy).await {
            Err(refusal) => Err(self.locked_reference(write, policy).await.unwrap_or(refusal)),
            loaded => loaded,
        }
    }

    /// Both templates. `need_old`: without the old one nothing can be said; otherwise it is only good to know.
    pub(crate) async fn load_both(
        &self,
        write: &Arc<Write>,
        policy: &Arc<EffectivePolicy>,
        need_old: bool,
    ) -> Result<Loaded, Refusal> {
        let new = self.load_stored(write, policy).await?;
        if write.keeps_template() {
            return Ok(Loaded { old: new.clone(), new, same: true });
        }
        let old = match self.load_old(write, policy).await {
            Err(refusal) if need_old => return Err(refusal),
            old => old.ok().flatten(),
        };
        Ok(Loaded { old, new, same: false })
    }

    /// What the locks say to another reference, whatever it leads to. Whoever may not change it learns that, and not
    /// whether a branch of that name exists.
    async fn locked_reference(&self, write: &Arc<Write>, policy: &Arc<EffectivePolicy>) -> Option<Refusal> {
        let old = self.load_old(write, policy).await.ok().flatten()?;
        // The old template in the new one's place: no lock is lost, so that only the change itself is judged.
        let loaded = Loaded { old: Some(Arc::clone(&old)), new: Some(old), same: false };
        self.verdict(write, policy, &loaded).await.err()
    }
}

/// The template that a reference stands for now.
pub(crate) async fn load(
    templates: &Templates,
    reference: &TemplateReference,
    access: Access,
) -> Result<Arc<Template>, TemplateError> {
    let digest = templates.resolve(reference, access).await?;
    templates.load(reference, &digest, access).await
}

/// Whether the policies allow a template's source, and as whom it is fetched. Asked before anything is.
pub(crate) fn check_source(policy: &EffectivePolicy, reference: &TemplateReference) -> Result<Access, Refusal> {
    policy.check_source(&reference.repo, &reference.path).map_err(|error| Refusal::for_source(&error))?;
    Ok(access(policy))
}

/// A refusal because of a template that cannot be had.
pub(crate) fn unusable(reference: &TemplateReference, error: &TemplateError) -> Refusal {
    match error {
        TemplateError::Invalid { part, problem } => {
            Refusal::invalid(&part.field("spec.template"), problem.clone()).on(Ground::Template)
        }
        TemplateError::Unavailable { problem } => Refusal {
            causes: vec![Cause { field: "spec.template".to_owned(), message: problem.clone() }],
            ..Refusal::unavailable(
                format!(
                    "the template {} cannot be fetched, so nobody can say what it locks; try again in a moment. The reason: \
                     {problem}",
                    describe(reference)
                ),
                RETRY_SECONDS,
            )
            .on(Ground::Unreachable)
        },
    }
}
