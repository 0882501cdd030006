//! `kubectl module set`.

use clap::Args;
use serde_json::Value;

use crate::change::ChangeArguments;
use crate::command::SUCCESS;
use crate::failure::Failure;
use crate::global::GlobalArguments;
use crate::target::{FileArguments, Target, TemplateKnowledge};
use crate::terminal::Terminal;
use crate::write::{WriteArguments, knowledge_or_nothing, print_changes, submit};

const EXAMPLES: &str = "\
Examples:
  # Two values
  kubectl module set shop -n team-a replicas=4 'env[0].value=debug'

  # Back to the template's default
  kubectl module set shop -n team-a --unset replicas

  # Ask the server whether it may be done
  kubectl module set shop -n team-a replicas=4 --dry-run=server

  # A file of a Git repository
  kubectl module set -f apps/team-a/shop.yaml --offline replicas=4";

/// Change values of a Module
///
/// What the template's schema calls a text stays one: version=1.10 does not become 1.1. A change of a locked value is
/// refused with code 3; a change that collides with somebody else's ends with code 4.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SetArguments {
    /// Name of the Module (not with -f --offline), and the values to set
    #[arg(value_name = "NAME PATH=VALUE")]
    words: Vec<String>,

    #[command(flatten)]
    file: FileArguments,

    #[command(flatten)]
    change: ChangeArguments,

    #[command(flatten)]
    write: WriteArguments,
}

impl SetArguments {
    pub(crate) fn run(self, globals: &GlobalArguments, terminal: &Terminal) -> Result<u8, Failure> {
        let Self { words, file, mut change, write } = self;
        let (name, expressions) = match words.split_first() {
            Some((first, rest)) if file.filename.is_none() => (Some(first.as_str()), rest),
            _ => (None, words.as_slice()),
        };
        if let Some(word) = expressions.iter().find(|word| !word.contains('=')) {
            return Err(Failure::usage(format!("{word}: expected PATH=VALUE")));
        }
        if let Some(name) = name.filter(|name| name.contains('=')) {
            return Err(Failure::usage(format!("{name} stands where the Module's NAME should")));
        }
        change.set.extend_from_slice(expressions);
        if change.is_empty() {
            return Err(Failure::usage("nothing to set: give PATH=VALUE"));
        }
        write.check_place(&file)?;
        let target = Target::find(name, &file, globals)?;
        let knowledge: TemplateKnowledge = knowledge_or_nothing(&target, terminal)?;
        let mut target = target;
        // Somebody else's write only matters if it touches the same values: the change is applied to what is there now.
        for _ in 0..crate::write::MAX_ATTEMPTS {
            let now = target.values()?;
            let values = change.apply(&now, &knowledge.schema)?;
            let (old, new) = (Value::Object(now), Value::Object(values));
            if crate::merge::changes(&old, &new).is_empty() {
                terminal.print(&format!("{} unchanged\n", target.shown_name()))?;
                return Ok(SUCCESS);
            }
            if submit(&target, &new, &write, terminal)? {
                print_changes(&target, &old, &new, &knowledge, &write, terminal)?;
                return Ok(SUCCESS);
            }
            target = target.refreshed()?;
        }
        Err(crate::write::too_many_conflicts(&target))
    }
}
