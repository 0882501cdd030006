//! Renders a case with Helm and with ours until it is clear whether they agree.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Case, Difference, Ours, mask};
use crate::oracle::{Oracle, Release, Request};

/// How often Helm renders a chart at most: what is random may be the same in two runs by chance.
const RUNS: usize = 6;
/// Runs further apart than this do not print the same second.
const APART: Duration = Duration::from_millis(1_100);

/// What Helm's command adds to failures of a render: a flag of its own.
const HINT: &str = "\n\nUse --debug flag to render out invalid YAML";

/// How a case ended.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Byte for byte the same.
    Identical,
    /// The same but for what differs between two runs of Helm.
    Masked,
    /// Both refuse the chart because sub-charts are not there.
    Unvendored,
    /// Both refuse, with one text.
    SameRefusal,
    /// Both refuse, with these texts.
    OtherRefusal {
        /// Helm's.
        helm: String,
        /// Ours.
        ours: String,
    },
    /// Both render, differently.
    Different(Difference),
    /// Only Helm renders; our text.
    OnlyHelm(String),
    /// Only we render; Helm's text.
    OnlyOurs(String),
}

/// What one thread compares with.
#[derive(Debug)]
pub struct Comparer<'a> {
    ours: &'a Ours,
    release: Release,
    programs: &'a Path,
    oracle: Oracle,
}

/// Both outputs of a case, the first of Helm's.
type Outputs = (Result<String, String>, Result<String, String>);

impl<'a> Comparer<'a> {
    /// Starts the release's oracle from the folder of [`crate::checkout::helm_programs`].
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn new(ours: &'a Ours, release: Release, programs: &'a Path) -> Result<Self> {
        Ok(Self { ours, release, programs, oracle: Oracle::start(programs, release)? })
    }

    /// Renders a case with both and judges; also returns both outputs, to be looked at.
    ///
    /// # Errors
    ///
    /// The oracle cannot be asked, or the values file cannot be read.
    pub fn compare(&mut self, case: &Case) -> Result<(Verdict, Outputs)> {
        let helm = self.helm(case)?;
        let ours = self.ours.render(case, self.release);
        let verdict = self.judge(case, &helm, &ours)?;
        Ok((verdict, (helm, ours)))
    }

    fn judge(&mut self, case: &Case, helm: &Result<String, String>, ours: &Result<String, String>) -> Result<Verdict> {
        match (helm, ours) {
            (Ok(helm), Ok(ours)) if helm == ours => Ok(Verdict::Identical),
            (Ok(helm), Ok(ours)) => self.judge_random(case, helm, ours),
            (Ok(_), Err(ours)) => Ok(Verdict::OnlyHelm(ours.clone())),
            (Err(helm), Ok(_)) => Ok(Verdict::OnlyOurs(helm.clone())),
            (Err(helm), Err(ours)) if helm != ours => {
                Ok(Verdict::OtherRefusal { helm: helm.clone(), ours: ours.clone() })
            }
            (Err(text), Err(_)) if text.contains("missing in charts/ directory") => Ok(Verdict::Unvendored),
            (Err(_), Err(_)) => Ok(Verdict::SameRefusal),
        }
    }

    fn judge_random(&mut self, case: &Case, helm: &str, ours: &str) -> Result<Verdict> {
        let mut runs = vec![helm.to_owned()];
        while runs.len() < RUNS {
            if runs.len() == 2 {
                sleep(APART);
            }
            match self.helm(case)? {
                Ok(output) => runs.push(output),
                Err(text) => return Ok(Verdict::OnlyOurs(text)),
            }
            if mask::first_difference(&runs, ours).is_none() {
                return Ok(Verdict::Masked);
            }
            if runs.len() == 3 && runs.iter().all(|run| run == helm) {
                break;
            }
        }
        Ok(mask::first_difference(&runs, ours).map_or(Verdict::Masked, Verdict::Different))
    }

    fn helm(&mut self, case: &Case) -> Result<Result<String, String>> {
        let path = case.chart.canonicalize().with_context(|| format!("{} is not there", case.chart.display()))?;
        let values = match &case.values {
            Some(path) => {
                vec![std::fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?]
            }
            None => Vec::new(),
        };
        let mut request = Request::render_path(path);
        request.values = values;
        request.release.clone_from(&self.ours.release_name);
        request.namespace.clone_from(&self.ours.namespace);
        request.kube_version.clone_from(&self.ours.kube_version);
        request.include_crds = true;
        request.skip_schema_validation = !self.ours.validate_schema;
        match self.oracle.ask(&request) {
            Ok(Ok(output)) => Ok(Ok(String::from_utf8_lossy(&output).into_owned())),
            Ok(Err(text)) => Ok(Err(text.strip_suffix(HINT).unwrap_or(&text).to_owned())),
            // Go cannot recover from a stack that is too deep: Helm ends there as well.
            Err(error) => {
                self.oracle = Oracle::start(self.programs, self.release)?;
                Ok(Err(format!("{error:#}")))
            }
        }
    }
}

impl Verdict {
    /// Whether Helm and ours do the same; two refusals with unlike texts do.
    pub fn agrees(&self) -> bool {
        !matches!(self, Self::Different(_) | Self::OnlyHelm(_) | Self::OnlyOurs(_))
    }
}
