//! The two glob dialects of Helm: Go's `filepath.Match` (`.helmignore`, `--show-only`) and that of `.Files.Glob`.

mod files;
mod path;

pub(crate) use files::{FilesPattern, PatternTooDeep};
pub(crate) use path::{BadPattern, PathPattern};
