//! Why a write is refused, in one word.

use std::fmt;

/// The rule that a refusal follows from. A closed set: refusals are counted by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Ground {
    /// A value that the template marks as immutable.
    Lock,
    /// A value that a GitOps tool owns.
    Ownership,
    /// The reference to the template of a Module with locks.
    TemplateReference,
    /// Where the resources of a Module with locks go.
    TargetNamespace,
    /// Where Git keeps a Module with locks, or what is made from a `TemplateStore`.
    GitWrite,
    /// The states that a roll back of a Module with locks would restore.
    History,
    /// A field of the status by which a controller works.
    Status,
    /// Who may create Modules.
    Creation,
    /// Who may delete Modules, or have them deleted.
    Deletion,
    /// Who may write past the locks, and with what reason.
    BreakGlass,
    /// What the webhook itself writes on a Module.
    Stamp,
    /// A source of templates that no policy allows.
    Source,
    /// A reference that names no usable template.
    Template,
    /// A source of templates that does not answer.
    Unreachable,
    /// Values that do not fit the template's schema.
    Schema,
    /// A template that cannot be rendered, or not to objects.
    Render,
    /// Resources that a Module may not have.
    Confinement,
    /// Resources that somebody may not create, change or delete.
    Escalation,
    /// Policies that contradict each other.
    Policy,
    /// An object that is not what its kind asks for.
    #[default]
    Invalid,
    /// A request that is not one that an API server sends.
    Malformed,
    /// Work beyond what one write may take.
    Budget,
    /// Too many writes at a time.
    Overload,
    /// No decision before the API server gives up.
    Deadline,
    /// Something that is not known at the moment.
    Unavailable,
    /// A mistake in this program.
    Internal,
}

impl Ground {
    /// Whether it is something that only GitOps writers may change, so that each cause of the refusal is such a thing.
    pub fn is_lock(self) -> bool {
        matches!(
            self,
            Self::Lock
                | Self::Ownership
                | Self::TemplateReference
                | Self::TargetNamespace
                | Self::GitWrite
                | Self::History
                | Self::Status
        )
    }
}

impl fmt::Display for Ground {
    /// The name of the variant.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}
