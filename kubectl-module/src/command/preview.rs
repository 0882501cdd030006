//! `kubectl module preview`.

use std::collections::BTreeSet;

use clap::Args;
use module::plan::ResourceChange;
use module::preview::{PreviewAnswer, Want};
use serde_json::{Value, json};

use crate::change::ChangeArguments;
use crate::command::SUCCESS;
use crate::failure::{CODE_DIFFERENCE, CODE_REFUSED, Failure};
use crate::global::GlobalArguments;
use crate::output::Format;
use crate::output::report::report;
use crate::target::{FileArguments, Target, TemplateKnowledge};
use crate::terminal::{Terminal, escape};
use crate::values_read::with_integers;

const EXAMPLES: &str = "\
Examples:
  # What another value would do
  kubectl module preview shop -n team-a --set replicas=4

  # What applying a file would do
  kubectl module preview -f apps/team-a/shop.yaml

  # The same without a cluster, for what Git may change
  kubectl module preview -f apps/team-a/shop.yaml --offline --set domain=shop.example.com \\
    --as system:serviceaccount:argocd:argocd-application-controller";

/// Show what a change would do: values, resources, and whether it is allowed
///
/// For a Module in a cluster the server answers; nothing is written. For a file, --offline takes the file as the state
/// now and answers on this machine, for somebody whom no policy names; --as and --as-group name somebody else. A change
/// that is refused ends with code 3.
///
/// With -o, the output is one document: `allowed`, `refusal` (message and causes), `values` (path, old, new, locked),
/// `resources` (change, apiVersion, kind, namespace, name, before, after), `summary` (add, change, delete) and
/// `warnings`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PreviewArguments {
    /// Name of the Module
    #[arg(value_name = "NAME", required_unless_present = "filename")]
    name: Option<String>,

    #[command(flatten)]
    file: FileArguments,

    #[command(flatten)]
    change: ChangeArguments,

    /// End with code 1 if there is a difference
    #[arg(long)]
    exit_code: bool,

    /// Output format
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

impl PreviewArguments {
    pub(crate) fn run(self, globals: &GlobalArguments, terminal: &Terminal) -> Result<u8, Failure> {
        let target = Target::find(self.name.as_deref(), &self.file, globals)?;
        let wanted = target.wanted_spec();
        if self.change.is_empty() && wanted.is_none() {
            return Err(Failure::usage("nothing to preview: say what to change, for example with --set PATH=VALUE"));
        }
        let now = target.values()?;
        let mut doubts = BTreeSet::new();
        let values = if self.change.is_empty() {
            None
        } else {
            let knowledge = TemplateKnowledge::new(&target.ask(None, &[Want::Schema])?);
            let start = match &wanted {
                Some(spec) => spec.get("values").and_then(Value::as_object).cloned().unwrap_or_default(),
                None => now.clone(),
            };
            let values = self.change.apply(&start, &knowledge.schema)?;
            doubts = knowledge.doubts(&Value::Object(start), &Value::Object(values.clone()));
            Some(values)
        };
        let mut spec = wanted.unwrap_or_else(|| target.spec_with(&now));
        if let Some(values) = values {
            spec["values"] = Value::Object(values);
        }
        let mut answer = target.ask(Some(&spec), &[Want::Verdict, Want::Plan])?;
        answer.warnings.extend(doubts);
        let plan = answer.plan.clone().unwrap_or_default();
        let name = format!("{}/{}", target.namespace(), target.name());

        if let Some(format) = self.output {
            terminal.print(&format.write(&document(&name, &answer))?)?;
        } else {
            // Without a plan there is a reason why nothing can be planned.
            if answer.plan.is_some() {
                terminal.print(&report(&plan, terminal.style))?;
            }
            if answer.truncated {
                terminal.print_error("Warning: the answer was too large; parts of it are left out\n");
            }
            for warning in &answer.warnings {
                terminal.print_error(&format!("Warning: {}\n", escape(warning)));
            }
        }
        if let Some(refusal) = &answer.refusal {
            // The document says everything already.
            if self.output.is_some() {
                return Ok(CODE_REFUSED);
            }
            return Err(target.refused(refusal));
        }
        Ok(if self.exit_code && !plan.is_empty() { CODE_DIFFERENCE } else { SUCCESS })
    }
}

/// The answer as one document for programs.
fn document(name: &str, answer: &PreviewAnswer) -> Value {
    let plan = answer.plan.clone().unwrap_or_default();
    let count = |change| plan.resources.iter().filter(|resource: &&ResourceChange| resource.change == change).count();
    with_integers(json!({
        "apiVersion": "module.cyclops-ui.com/v1alpha1",
        "kind": "Preview",
        "module": name,
        "allowed": answer.refusal.is_none(),
        "refusal": answer.refusal.as_ref().map(|refusal| json!({
            "code": refusal.code,
            "message": refusal.message,
            "causes": refusal.causes,
        })),
        "values": plan.values,
        "resources": plan.resources,
        "summary": {
            "add": count(module::plan::Change::Add),
            "change": count(module::plan::Change::Change),
            "delete": count(module::plan::Change::Delete),
        },
        "warnings": answer.warnings,
        "truncated": answer.truncated,
    }))
}
