//! The renderer beside Helm on one case: what both give, and whether that is the same.

pub mod fixture;
mod helm;
mod ours;
mod run;
mod shrink;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use helm::Helm;
pub use ours::ours;
pub use run::{Judged, Plan, Summary, run, show};
pub use shrink::shrink;

/// A chart and the arguments of `helm template`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of `helm template`")]
pub struct Case {
    /// What it was generated from.
    #[serde(skip_serializing_if = "is_default")]
    pub seed: u64,
    /// The chart: texts by path.
    #[serde(skip_serializing_if = "is_default")]
    pub files: BTreeMap<String, String>,
    /// YAML texts.
    #[serde(skip_serializing_if = "is_default")]
    pub values: Vec<String>,
    /// `--set`.
    #[serde(skip_serializing_if = "is_default")]
    pub set: Vec<String>,
    /// `--set-string`.
    #[serde(skip_serializing_if = "is_default")]
    pub set_string: Vec<String>,
    /// `--set-json`.
    #[serde(skip_serializing_if = "is_default")]
    pub set_json: Vec<String>,
    /// `--set-literal`.
    #[serde(skip_serializing_if = "is_default")]
    pub set_literal: Vec<String>,
    /// Name of the release, `release-name` if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub release: String,
    /// Namespace, `default` if empty.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// `--kube-version`.
    #[serde(skip_serializing_if = "is_default")]
    pub kube_version: String,
    /// `--api-versions`.
    #[serde(skip_serializing_if = "is_default")]
    pub api_versions: Vec<String>,
    /// `--is-upgrade`.
    #[serde(skip_serializing_if = "is_default")]
    pub is_upgrade: bool,
    /// `--include-crds`.
    #[serde(skip_serializing_if = "is_default")]
    pub include_crds: bool,
    /// `--no-hooks`.
    #[serde(skip_serializing_if = "is_default")]
    pub no_hooks: bool,
    /// `--skip-tests`.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_tests: bool,
    /// `--show-only`.
    #[serde(skip_serializing_if = "is_default")]
    pub show_only: Vec<String>,
    /// Compare what each template gives, before it is cut into manifests and sorted.
    #[serde(skip_serializing_if = "is_default")]
    pub only_files: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Case {
    /// A case without files.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }
}

/// What a renderer gives: the text that `helm template` prints, or of [`Case::only_files`] a JSON object; or an error.
pub type Outcome = Result<Vec<u8>, String>;

/// How two outcomes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Difference {
    /// Both render, differently.
    Output,
    /// Both refuse, with different words.
    Words,
    /// Ours refuses.
    OnlyHelm,
    /// Helm refuses.
    OnlyOurs,
    /// Ours panics, which it never may.
    Panic,
}

/// What our side says of a panic.
pub(crate) const PANIC: &str = "panic in the renderer: ";

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Output => "the output differs",
            Self::Words => "the errors differ",
            Self::OnlyHelm => "only helm renders it",
            Self::OnlyOurs => "only ours renders it",
            Self::Panic => "ours panics",
        })
    }
}

/// Tells how two outcomes differ, if they do.
pub fn compare(helm: &Outcome, ours: &Outcome) -> Option<Difference> {
    match (helm, ours) {
        (_, Err(error)) if error.starts_with(PANIC) => Some(Difference::Panic),
        (Ok(helm), Ok(ours)) => (helm != ours).then_some(Difference::Output),
        // Both end a template without end, at limits of their own (`COMPATIBILITY.md`).
        (Err(helm), Err(ours)) if helm.contains(HELM_DEPTH) && ours.contains(OUR_DEPTH) => None,
        (Err(helm), Err(ours)) => (stable(helm) != stable(ours)).then_some(Difference::Words),
        (Ok(_), Err(_)) => Some(Difference::OnlyHelm),
        (Err(_), Ok(_)) => Some(Difference::OnlyOurs),
    }
}

/// Whether a render here ended at a limit of its budget.
pub fn reaches_limit(ours: &Outcome) -> bool {
    const LIMITS: [&str; 4] =
        ["the template needs more than", "the template produces more than", "the template holds more than", OUR_DEPTH];
    matches!(ours, Err(error) if LIMITS.iter().any(|limit| error.contains(limit)))
}

/// What the limits of nested templates say.
const HELM_DEPTH: &str = "exceeded maximum template depth";
const OUR_DEPTH: &str = "the template nests deeper than";

/// What `helm template` appends to every error of a chart that was loaded: advice on its own flags.
const ADVICE: &str = "\n\nUse --debug flag to render out invalid YAML";

/// An error without what is not the chart's: the only place where errors are changed before they are compared.
fn stable(error: &str) -> &str {
    error.strip_suffix(ADVICE).unwrap_or(error)
}
