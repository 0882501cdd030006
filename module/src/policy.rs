//! `ModulePolicy`: who may write what, and how strictly.

mod effective;
mod glob;
mod source;
mod types;
mod validate;

pub use effective::{EffectivePolicy, NamedPolicy, Policies, Rule, ServiceAccountConflict};
pub use glob::{Glob, GlobError};
pub use source::{SourceError, canonical_repository};
pub use types::{
    Creation, Deletion, Escalation, ExpansionPolicy, ImmutableValues, KindPattern, ModulePolicy, ModulePolicySpec,
    ModulePolicyStatus, Ownership, PolicyMatch, ReplicaStatus, ServiceAccountReference, Subject, TemplateChanges,
    TemplatePolicy, TemplateSource, TemplateTracking,
};
pub use validate::{PolicyError, doubts, validate};

/// The API group of `ModulePolicy`.
pub const GROUP: &str = "policy.cyclops-ui.com";
/// The version of `ModulePolicy`.
pub const VERSION: &str = "v1alpha1";
