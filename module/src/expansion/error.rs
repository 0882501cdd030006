//! Why a Module does not expand to resources that it may have.

/// A Module that cannot be expanded.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExpansionError {
    /// The Module has no spec.
    #[error("the Module has no spec: name a template in spec.template and its values in spec.values")]
    MissingSpec,
    /// The Module's name does not fit into the label that each resource carries.
    #[error(
        "the Module's name {name} has more than {limit} characters, which is what fits into a label of its resources"
    )]
    LongName {
        /// The name.
        name: String,
        /// The limit.
        limit: usize,
    },
    /// The target namespace is no name of a namespace.
    #[error("`{name}` is no name of a namespace: use lower case letters, digits and `-`")]
    TargetNamespace {
        /// What it is called.
        name: String,
    },
    /// The values are no mapping.
    #[error(transparent)]
    Values(#[from] renderer::values::ValuesError),
    /// The chart cannot be rendered with the values.
    #[error(transparent)]
    Render(#[from] renderer::RenderError),
    /// A rendered document is no YAML.
    #[error("{document} is not valid: {problem}")]
    Yaml {
        /// Template file and object.
        document: String,
        /// What the reader says.
        problem: String,
    },
    /// A rendered document is no object that a cluster could store.
    #[error("{document} is not a Kubernetes object: {problem}")]
    NotAnObject {
        /// Template file and object.
        document: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// More objects than one Module may have.
    #[error("the Module expands to more than {limit} resources")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// An object is larger than a cluster can store.
    #[error("{document} has {bytes} bytes, more than the {limit} that a cluster stores")]
    TooLarge {
        /// Template file and object.
        document: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The cluster does not know the kind.
    #[error("{document}: the cluster does not know the kind {kind} of {api_version}; is its definition installed?")]
    UnknownKind {
        /// Template file and object.
        document: String,
        /// Kind.
        kind: String,
        /// API version.
        api_version: String,
    },
    /// The policies do not let a Module have such an object.
    #[error("{document}: {problem}")]
    Confined {
        /// Template file and object.
        document: String,
        /// Which rule, and who could change it.
        problem: String,
    },
    /// Two documents are about the same object.
    #[error("{first} and {second} are the same object")]
    Duplicate {
        /// Template file and object.
        first: String,
        /// Template file and object.
        second: String,
    },
}
