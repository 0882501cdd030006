//! The behaviours in which Helm releases differ.

/// Which Helm release's output bytes are reproduced.
///
/// Only the differences that a template or its output can show are listed here; each names the releases it holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// Helm 4.3.x.
    V4,
}
