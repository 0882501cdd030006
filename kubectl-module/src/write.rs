//! Writing values: the flags, the way in, and what is said afterwards.

use std::fs;

use anyhow::Context;
use clap::{Args, ValueEnum};
use module::plan::ValueChange;
use module::preview::{PreviewAnswer, Want};
use serde_json::{Map, Value};

use crate::failure::{CODE_CONFLICT, CODE_ERROR, Failure};
use crate::merge;
use crate::output::report;
use crate::target::{FileArguments, FileModule, Target, TemplateKnowledge, Written, is_standard_input};
use crate::terminal::{Terminal, escape};
use crate::values_file;

/// After this many writes by others in between, somebody else is writing in a loop.
pub(crate) const MAX_ATTEMPTS: usize = 5;

/// How a change is written.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct WriteArguments {
    /// Only check the change: "client" asks no cluster to write, "server" lets it check everything and store nothing
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "client", default_value = "none")]
    pub(crate) dry_run: DryRun,

    /// Print only the Module's name
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<WriteFormat>,
}

impl WriteArguments {
    /// Standard input can be read but not changed.
    pub(crate) fn check_place(&self, file: &FileArguments) -> Result<(), Failure> {
        let is_read_only = file.offline && file.filename.as_deref().is_some_and(is_standard_input);
        if is_read_only && self.dry_run == DryRun::None {
            return Err(Failure::usage("standard input cannot be changed")
                .hint("name a file, or look at the change with preview or --dry-run"));
        }
        Ok(())
    }
}

/// Where a change is checked instead of being made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    /// The change is made
    #[default]
    None,
    /// Nothing is sent
    Client,
    /// The server checks everything and stores nothing
    Server,
}

/// What is printed after a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WriteFormat {
    /// The name of the Module
    Name,
}

/// What is known about the template. A cluster without our server cannot tell; then there is nothing to go by.
pub(crate) fn knowledge_or_nothing(target: &Target, terminal: &Terminal) -> Result<TemplateKnowledge, Failure> {
    match target.ask(None, &[Want::Schema]) {
        Ok(PreviewAnswer { refusal: Some(refusal), schema: None, .. }) => {
            terminal.print_error(&format!("Warning: the template is not known: {}\n", escape(&refusal.message)));
            Ok(TemplateKnowledge::default())
        }
        Ok(answer) => Ok(TemplateKnowledge::new(&answer)),
        Err(failure) => match target {
            Target::File(_) => Err(failure),
            Target::Live(_) => {
                terminal.print_error(&format!(
                    "Warning: the template's schema is not known: {}\n",
                    escape(&failure.to_string())
                ));
                Ok(TemplateKnowledge::default())
            }
        },
    }
}

/// Writes values. False: somebody else wrote the Module since it was fetched, and nothing was written.
pub(crate) fn submit(
    target: &Target,
    values: &Value,
    write: &WriteArguments,
    terminal: &Terminal,
) -> Result<bool, Failure> {
    match target {
        Target::Live(_) if write.dry_run == DryRun::Client => Ok(true),
        Target::Live(module) => Ok(matches!(module.write(values, write.dry_run == DryRun::Server)?, Written::Done)),
        Target::File(module) => {
            check_offline(target, module, values, terminal)?;
            if write.dry_run == DryRun::None {
                write_file(module, values)?;
            }
            Ok(true)
        }
    }
}

/// The checks that a server would make.
fn check_offline(target: &Target, module: &FileModule, values: &Value, terminal: &Terminal) -> Result<(), Failure> {
    let empty = Map::new();
    let spec = target.spec_with(values.as_object().unwrap_or(&empty));
    let answer = module.ask(Some(&spec), &[Want::Verdict, Want::Plan])?;
    for warning in &answer.warnings {
        terminal.print_error(&format!("Warning: {}\n", escape(warning)));
    }
    let Some(refusal) = &answer.refusal else { return Ok(()) };
    Err(target.refused(refusal))
}

/// Replaces the values in the Module's file, and nothing else.
fn write_file(module: &FileModule, values: &Value) -> Result<(), Failure> {
    let path = module.path();
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let empty = Map::new();
    let replaced = values_file::replace(&text, values.as_object().unwrap_or(&empty)).ok_or_else(|| {
        Failure::message(
            CODE_ERROR,
            format!("the values in {shown} are written in a way that cannot be replaced safely"),
        )
        .hint("write `spec:` and `values:` as blocks on lines of their own")
    })?;
    fs::write(path, replaced).with_context(|| format!("cannot write {shown}"))?;
    Ok(())
}

/// Says what was changed.
pub(crate) fn print_changes(
    target: &Target,
    old: &Value,
    new: &Value,
    knowledge: &TemplateKnowledge,
    write: &WriteArguments,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let mut text = String::new();
    if write.output.is_none() {
        let changes: Vec<ValueChange> = merge::shown_changes(old, new)
            .into_iter()
            .map(|change| {
                let hidden = knowledge.schema.describe(&change.path).secret;
                let shown =
                    |value: Option<Value>| value.map(|value| if hidden { Value::from("(hidden)") } else { value });
                ValueChange {
                    locked: knowledge.locks.covers(&change.path, &knowledge.schema),
                    path: change.path.to_string(),
                    old: shown(change.old),
                    new: shown(change.new),
                }
            })
            .collect();
        text.push_str(&report::values(&changes, terminal.style));
    }
    let note = match write.dry_run {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    };
    match write.output {
        Some(WriteFormat::Name) => text.push_str(&format!("{}\n", target.shown_name())),
        None => text.push_str(&format!("{} edited{note}\n", target.shown_name())),
    }
    terminal.print(&text)?;
    for doubt in knowledge.doubts(old, new) {
        terminal.print_error(&format!("Warning: {}\n", escape(&doubt)));
    }
    Ok(())
}

/// Gives up after too many writes by others.
pub(crate) fn too_many_conflicts(target: &Target) -> Failure {
    Failure::message(
        CODE_CONFLICT,
        format!("module {} was written by somebody else {MAX_ATTEMPTS} times in a row", target.name()),
    )
    .hint("find out who writes it: kubectl get modules.cyclops-ui.com NAME -o yaml --show-managed-fields")
}
