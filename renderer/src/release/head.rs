//! The head of a rendered document: what Helm reads of it.

use std::collections::BTreeMap;

use crate::chart::{Structure, TypeMismatch};
use crate::quote::quote;
use crate::warning::Warnings;
use crate::yaml::{self, Node, YamlError};
use crate::{BudgetExceeded, Profile};

const HOOK_ANNOTATION: &str = "helm.sh/hook";

/// Events of hooks; `test-success` is an old name of `test`.
const HOOK_EVENTS: [(&str, &str); 10] = [
    ("pre-install", "pre-install"),
    ("post-install", "post-install"),
    ("pre-delete", "pre-delete"),
    ("post-delete", "post-delete"),
    ("pre-upgrade", "pre-upgrade"),
    ("post-upgrade", "post-upgrade"),
    ("pre-rollback", "pre-rollback"),
    ("post-rollback", "post-rollback"),
    ("test", "test"),
    ("test-success", "test"),
];

/// Go's name of the anonymous type that holds a head's metadata.
const METADATA_TYPE: &str =
    r#"struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }"#;

/// A rendered file that holds something other than manifests. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// A document is no YAML.
    #[error("YAML parse error on {file}: {cause}")]
    Yaml {
        /// The rendered file.
        file: String,
        /// What is wrong with it.
        cause: YamlError,
    },
    /// A document is no mapping, or a field of its head has the wrong type.
    #[error("YAML parse error on {file}: {cause}")]
    Type {
        /// The rendered file.
        file: String,
        /// What is wrong with it.
        cause: TypeMismatch,
    },
    /// The chart has more documents than a render may print.
    #[error("{file}: {exceeded}")]
    TooMany {
        /// The file with which the limit was reached.
        file: String,
        /// The limit.
        exceeded: BudgetExceeded,
    },
}

/// `apiVersion`, `kind` and what Helm needs of `metadata`.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    annotations: BTreeMap<String, String>,
    /// The document, if the text has no other.
    pub(super) document: Option<Node>,
}

impl Head {
    /// Reads a document. Nothing is required; a missing `kind` is no error.
    pub(super) fn read(document: &[u8], file: &str, profile: Profile) -> Result<Self, HeadError> {
        let (node, is_only) =
            yaml::parse_first(document).map_err(|cause| HeadError::Yaml { file: file.to_owned(), cause })?;
        let head = Self::decode(&node, profile).map_err(|cause| HeadError::Type { file: file.to_owned(), cause })?;
        Ok(Self { document: is_only.then_some(node), ..head })
    }

    fn decode(node: &Node, profile: Profile) -> Result<Self, TypeMismatch> {
        let Some(root) = Structure::root(node, profile.types.head)? else {
            return Ok(Self::default());
        };
        let mut head = Self { api_version: root.string("apiVersion")?, kind: root.string("kind")?, ..Self::default() };
        if let Some(field) = root.field("metadata")
            && let Some(metadata) = field.structure("", METADATA_TYPE)?
        {
            head.name = metadata.string("name")?;
            head.annotations = metadata.string_map("annotations")?.unwrap_or_default();
        }
        Ok(head)
    }

    /// The events of a hook, or an empty list for an ordinary manifest. None for a hook with an unknown event, which
    /// Helm drops.
    pub(super) fn hooks(&self, warnings: &Warnings) -> Option<Vec<String>> {
        let Some(events) = self.annotations.get(HOOK_ANNOTATION) else {
            return Some(Vec::new());
        };
        let known = |event: &str| {
            let event = event.trim().to_lowercase();
            HOOK_EVENTS.iter().find(|(name, _)| *name == event).map(|(_, event)| (*event).to_owned())
        };
        let hooks: Option<Vec<String>> = events.split(',').map(known).collect();
        if hooks.is_none() {
            let plain = || format!("info: skipping unknown hook: {}", quote(events.as_bytes()));
            warnings.structured("INFO", plain, "skipping unknown hooks", [("hookTypes", events)]);
        }
        hooks
    }
}
