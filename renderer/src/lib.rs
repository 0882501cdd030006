//! A Helm-compatible renderer: chart files and values in, Kubernetes manifests out.
//!
//! Pure by design: no disk, network, clock, environment, threads or panics. What a template may learn from
//! outside (time, randomness) is injected by the host through [`RenderOptions`]. The same input gives the same bytes.

mod address;
pub mod budget;
pub mod capabilities;
pub mod chart;
mod files;
pub mod functions;
mod glob;
pub mod json;
pub mod number;
pub mod profile;
pub mod quote;
pub mod release;
pub mod render;
pub mod schema;
pub mod semver;
pub mod template;
pub mod toml;
mod url;
pub mod value;
pub mod values;
mod warning;
pub mod yaml;

pub use budget::{Budget, BudgetExceeded, Limits};
pub use chart::{Chart, ChartError, ChartFile};
pub use profile::Profile;
pub use release::{Manifest, Rendered};
pub use render::{RenderError, RenderOptions, render};
