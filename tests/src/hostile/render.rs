//! Renders one attack in this process and judges its end.

use renderer::functions::{FixedHost, Host};
use renderer::template::RENDER_STACK_BYTES;
use renderer::values::ValueOptions;
use renderer::{BudgetExceeded, Chart, Limits, RenderOptions};

use super::{Bomb, End, Input};

/// The longest text of an error about a limit: it says where, through all templates, and never what was there.
const LONGEST_LIMIT_ERROR: usize = 64 << 10;

/// How an attack ended.
#[derive(Debug)]
pub struct Ended {
    result: Result<String, String>,
    budget: Option<BudgetExceeded>,
}

/// Renders an attack as the plugin and the webhook do: values, chart, manifests, output.
pub fn render(input: Input, limits: Limits) -> Ended {
    let work = move || rendered(input, limits);
    let worker = std::thread::Builder::new().stack_size(RENDER_STACK_BYTES).spawn(work);
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(ended)) => ended,
        // The child's standard error has the text of the panic.
        Ok(Err(_)) => Ended::failed("panicked"),
        Err(error) => Ended::failed(&error),
    }
}

fn rendered(input: Input, limits: Limits) -> Ended {
    let options = ValueOptions {
        files: vec![("values.yaml".to_owned(), input.values)],
        typed: &input.set,
        json: &input.set_json,
        ..ValueOptions::default()
    };
    let values = match options.merge(renderer::Profile::V4, &mut |_| Err("there are no files".to_owned())) {
        Ok(values) => values,
        Err(error) => return Ended::failed(&error),
    };
    let loaded = match input.archive {
        Some(archive) => Chart::load_archive(&archive),
        None => Chart::load(input.files),
    };
    let chart = match loaded {
        Ok(chart) => chart,
        Err(error) => return Ended::failed(&error),
    };
    let host: &dyn Host = if input.fresh_keys { &FreshKeys(FixedHost::default()) } else { &FixedHost::default() };
    match renderer::render(&chart, &values, &RenderOptions { limits, include_crds: true, ..RenderOptions::new(host) }) {
        Ok(rendered) => {
            // What is printed counts too.
            drop(rendered.to_helm_output());
            let manifests = rendered.manifests.iter().chain(&rendered.hooks).map(|manifest| manifest.content.trim());
            Ended { result: Ok(manifests.collect::<Vec<_>>().join("\n---\n")), budget: None }
        }
        Err(error) => Ended { budget: error.budget(), ..Ended::failed(&error) },
    }
}

/// A host whose keys are needed.
struct FreshKeys(FixedHost);

impl Host for FreshKeys {
    fn now(&self) -> i128 {
        self.0.now()
    }

    fn random(&self, buffer: &mut [u8]) {
        self.0.random(buffer);
    }
}

impl Ended {
    fn failed(error: &(impl ToString + ?Sized)) -> Self {
        Self { result: Err(error.to_string()), budget: None }
    }

    /// Whether this is how it must end.
    pub fn is_as_expected(&self, bomb: &Bomb, limits: Limits, quick: bool) -> bool {
        let expected = match bomb.end {
            End::Steps => BudgetExceeded::Steps { limit: limits.steps },
            End::Bytes => BudgetExceeded::Bytes { limit: limits.bytes },
            End::Held => BudgetExceeded::Held { limit: limits.held },
            End::Depth => BudgetExceeded::Depth { limit: limits.depth },
            End::Refused(part) => return matches!(&self.result, Err(error) if error.contains(part)),
            End::PrintedWith(part) => return matches!(&self.result, Ok(text) if text.contains(part)),
            End::Printed(text) => return self.result.as_deref() == Ok(text),
        };
        let Err(error) = &self.result else { return false };
        // With a part of the limits another one may be reached first.
        let is_expected = if quick { self.budget.is_some() } else { self.budget == Some(expected) };
        is_expected && names_a_place(error) && error.len() <= LONGEST_LIMIT_ERROR
    }

    /// The beginning of what came out.
    pub fn shown(&self) -> String {
        const LONGEST: usize = 400;
        let (kind, text) = match &self.result {
            Ok(text) => ("printed", text),
            Err(error) => ("error", error),
        };
        let beginning: String = text.chars().take(LONGEST).collect();
        let rest = text.len() - beginning.len();
        let rest = if rest == 0 { String::new() } else { format!("... and {rest} bytes more") };
        format!("{kind}: {beginning}{rest}")
    }
}

/// Whether an error begins with a template of the attack and a line: `FILE:LINE:COLUMN`.
fn names_a_place(error: &str) -> bool {
    let place = error.strip_prefix("bomb/").and_then(|rest| rest.split_once(':'));
    place.and_then(|(_, rest)| rest.split(':').next()).is_some_and(|line| line.parse::<usize>().is_ok())
}
