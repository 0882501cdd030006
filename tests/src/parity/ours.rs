//! Our renderer, in this process.

use std::cell::RefCell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use renderer::functions::{FixedHost, Host};
use renderer::values::{self, Values};
use renderer::{Chart, Profile, RenderOptions};
use template_source::{SourceLimits, read_chart_directory};

use super::Case;
use crate::oracle::Release;

/// Our renderer and what it is told besides charts.
#[derive(Clone, Debug)]
pub struct Ours {
    /// The version of Kubernetes that templates see.
    pub kube_version: String,
    /// `.Release.Name`.
    pub release_name: String,
    /// `.Release.Namespace`.
    pub namespace: String,
    /// Whether values are checked against the charts' schemas.
    pub validate_schema: bool,
}

impl Ours {
    /// What `helm template --include-crds` would print, or the text of the error. Needs
    /// [`renderer::template::RENDER_STACK_BYTES`] of stack.
    pub fn render(&self, case: &Case, release: Release) -> Result<String, String> {
        catch_unwind(AssertUnwindSafe(|| self.render_unguarded(case, release)))
            .unwrap_or_else(|_| Err("the renderer panicked: its message is on standard error".to_owned()))
    }

    fn render_unguarded(&self, case: &Case, release: Release) -> Result<String, String> {
        let profile = release.profile();
        let chart = load(&case.chart, profile)?;
        let user = match &case.values {
            None => Values::new(),
            Some(path) => {
                let text = fs::read(path).map_err(|error| error.to_string())?;
                let read = values::from_yaml_as(&text, profile);
                // The oracle calls the only values file so.
                read.map_err(|error| format!("failed to parse values-0.yaml: {error}"))?
            }
        };
        let clock = Clock::default();
        let options = RenderOptions {
            release_name: self.release_name.clone(),
            namespace: self.namespace.clone(),
            kube_version: Some(self.kube_version.clone()),
            validate_schema: self.validate_schema,
            include_crds: true,
            profile,
            ..RenderOptions::new(&clock)
        };
        let rendered = renderer::render(&chart, &user, &options).map_err(|error| error.to_string())?;
        Ok(rendered.to_helm_output())
    }
}

fn load(path: &Path, profile: Profile) -> Result<Chart, String> {
    if path.is_dir() {
        let files = read_chart_directory(path, SourceLimits::default()).map_err(|error| error.to_string())?;
        Chart::load_as(files, profile).map_err(|error| error.to_string())
    } else {
        let archive = fs::read(path).map_err(|error| error.to_string())?;
        Chart::load_archive_as(&archive, profile).map_err(|error| error.to_string())
    }
}

/// The machine's clock, and randomness that costs little.
#[derive(Default)]
struct Clock {
    random: RefCell<FixedHost>,
}

impl Host for Clock {
    fn now(&self) -> i128 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i128::try_from(since.as_nanos()).unwrap_or_default()
    }

    fn random(&self, buffer: &mut [u8]) {
        self.random.borrow().random(buffer);
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}
