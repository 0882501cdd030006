//! `kubectl module edit`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use crate::command::SUCCESS;
use crate::config::parse_template_root;
use crate::editor::buffer::{self, Knowledge, Reason};
use crate::editor::{EditedFile, Editor};
use crate::failure::{CODE_CONFLICT, CODE_ERROR, CODE_REFUSED, Failure};
use crate::global::GlobalArguments;
use crate::merge::{self, ValueChange};
use crate::output::report::short;
use crate::refusal;
use crate::target::{FileArguments, Target, TemplateKnowledge, read_text};
use crate::terminal::{Terminal, escape};
use crate::values_read::{ReadError, read_edited};
use crate::write::{MAX_ATTEMPTS, WriteArguments, knowledge_or_nothing, print_changes, submit, too_many_conflicts};

const EXAMPLES: &str = "\
Examples:
  # A Module in the cluster
  kubectl module edit shop -n team-a

  # The same in another editor, without storing anything
  KUBE_EDITOR='code --wait' kubectl module edit shop -n team-a --dry-run=server

  # A file of a Git repository
  kubectl module edit -f apps/team-a/shop.yaml --offline";

/// Edit the values of a Module in an editor
///
/// The editor shows the values alone, with what the template says about each one, and marks those that are locked. A
/// change that is refused comes back into the editor with the reasons. Somebody else's change in the meantime is merged;
/// where both changed the same value, the editor opens again. The editor is KUBE_EDITOR, EDITOR, VISUAL or vi.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EditArguments {
    /// Name of the Module
    #[arg(value_name = "NAME", required_unless_present = "filename")]
    name: Option<String>,

    /// File that names the Module, edited in place with --offline; together with NAME, values to begin with
    #[arg(short, long, value_name = "FILE")]
    filename: Option<PathBuf>,

    /// Ask no cluster: edit the values in the file, with templates from folders of this machine
    #[arg(long, requires = "filename", conflicts_with = "name")]
    offline: bool,

    /// Folder that holds a repository of templates, for --offline; can be repeated
    #[arg(long, value_name = "REPO=DIR", requires = "offline", value_parser = parse_template_root)]
    template_root: Vec<(String, PathBuf)>,

    #[command(flatten)]
    write: WriteArguments,
}

/// What came of looking at the edited text.
enum Step {
    /// The values are written.
    Done { old: Value, new: Value },
    /// The editor has to open again.
    Again { code: u8, heading: String, reasons: Vec<Reason> },
}

/// A text that was refused.
struct Refused {
    code: u8,
    text: String,
    reasons: Vec<String>,
}

impl EditArguments {
    pub(crate) fn run(self, globals: &GlobalArguments, terminal: &Terminal) -> Result<u8, Failure> {
        let editor = Editor::from_environment().ok_or_else(|| {
            Failure::usage("there is no terminal for an editor")
                .hint("change values without an editor: kubectl module set NAME PATH=VALUE")
        })?;
        let start = match (&self.name, &self.filename) {
            (Some(_), Some(file)) => Some(read_text(file)?),
            _ => None,
        };
        let file = match self.name {
            Some(_) => FileArguments::default(),
            None => FileArguments {
                filename: self.filename.clone(),
                offline: self.offline,
                template_root: self.template_root.clone(),
            },
        };
        self.write.check_place(&file)?;
        let target = Target::find(self.name.as_deref(), &file, globals)?;
        let knowledge = knowledge_or_nothing(&target, terminal)?;
        let session = Session::open(target, knowledge, start, globals.context.clone())?;
        session.run(&editor, &self.write, terminal)
    }
}

/// One edit from the first opening of the editor to the write.
struct Session {
    target: Target,
    knowledge: TemplateKnowledge,
    file: EditedFile,
    /// The values that the user's changes are relative to.
    base: Value,
    /// Whether the text to begin with came from an earlier edit.
    resumed: bool,
    /// The context that was named.
    context: Option<String>,
}

impl Session {
    fn open(
        target: Target,
        knowledge: TemplateKnowledge,
        start: Option<String>,
        context: Option<String>,
    ) -> Result<Self, Failure> {
        let values = target.values()?;
        let resumed = start.is_some();
        let text = start.unwrap_or_else(|| first_text(&target, &values, &knowledge));
        let file = EditedFile::create(target.name(), &text)?;
        Ok(Self { target, knowledge, file, base: Value::Object(values), resumed, context })
    }

    fn run(mut self, editor: &Editor, write: &WriteArguments, terminal: &Terminal) -> Result<u8, Failure> {
        let mut refused: Option<Refused> = None;
        loop {
            if let Err(error) = editor.open(self.file.path()) {
                return Err(self.saved(Failure::from(error)));
            }
            let text = buffer::without_reasons(&self.file.read()?);
            if buffer::is_empty(&text) {
                terminal.print_error("Edit cancelled, saved file was empty.\n");
                self.file.remove();
                return Ok(SUCCESS);
            }
            if let Some(Refused { code, reasons, .. }) = refused.take_if(|refused| refused.text == text) {
                let failure = Failure::message(code, "Edit cancelled, no valid changes were saved");
                let lines = reasons.iter().flat_map(|reason| reason.trim_end().lines());
                return Err(self.saved(failure.details(lines.map(|line| format!("  {}", escape(line))))));
            }
            let values = read_edited(&text);
            if let Ok(values) = &values
                && (!self.resumed || refused.is_some())
                && merge::changes(&self.base, &Value::Object(values.clone())).is_empty()
            {
                terminal.print_error("Edit cancelled, no changes made.\n");
                self.file.remove();
                return Ok(SUCCESS);
            }
            let step = match values {
                Err(error) => unreadable(&error),
                Ok(values) => match self.write(Value::Object(values), write, terminal) {
                    Ok(step) => step,
                    Err(failure) if failure.code() == CODE_REFUSED || !failure.fields().is_empty() => Step::Again {
                        code: failure.code(),
                        heading: "The values were refused:".to_owned(),
                        reasons: refusal::reasons(failure.fields(), &failure.to_string()),
                    },
                    Err(failure) => return Err(self.saved(failure)),
                },
            };
            match step {
                Step::Done { old, new } => {
                    print_changes(&self.target, &old, &new, &self.knowledge, write, terminal)?;
                    self.file.remove();
                    return Ok(SUCCESS);
                }
                Step::Again { code, heading, reasons } => {
                    self.file.write(&buffer::with_reasons(&text, &heading, &reasons))?;
                    let reasons = reasons.iter().map(ToString::to_string).collect();
                    refused = Some(Refused { code, text, reasons });
                }
            }
        }
    }

    /// Writes the values, merged with what others wrote in the meantime.
    fn write(&mut self, values: Value, write: &WriteArguments, terminal: &Terminal) -> Result<Step, Failure> {
        let mut values = values;
        for _ in 0..MAX_ATTEMPTS {
            let old = Value::Object(self.target.values()?);
            if submit(&self.target, &values, write, terminal)? {
                return Ok(Step::Done { old, new: values });
            }
            self.target = self.target.refreshed()?;
            let theirs = Value::Object(self.target.values()?);
            let merged = merge::three_way(&self.base, &values, &theirs);
            self.base = theirs;
            match merged {
                Ok(merged) => values = merged,
                Err(conflicts) => {
                    return Ok(Step::Again {
                        code: CODE_CONFLICT,
                        heading: "Somebody else changed the same values in the meantime:".to_owned(),
                        reasons: conflicts.iter().map(conflict).collect(),
                    });
                }
            }
        }
        Err(too_many_conflicts(&self.target))
    }

    /// A failure that says where the edited text is, and how to go on.
    fn saved(self, failure: Failure) -> Failure {
        let path = self.file.path().display();
        let resume = match &self.target {
            Target::Live(_) => {
                let context = self.context.iter().map(|name| format!(" --context {name}")).collect::<String>();
                format!(
                    "your text is in {path}; go on with: kubectl module edit {} -n {}{context} -f {path}",
                    self.target.name(),
                    self.target.namespace()
                )
            }
            Target::File(_) => format!("your text is in {path}"),
        };
        failure.hint(resume)
    }
}

fn first_text(target: &Target, values: &Map<String, Value>, knowledge: &TemplateKnowledge) -> String {
    let TemplateKnowledge { schema, locks, defaults, writers, .. } = knowledge;
    let title = format!("Values of module {}/{}", target.namespace(), target.name());
    let owners = match writers {
        Some(writers) => format!("{writers} may change them."),
        None => "nobody may change them.".to_owned(),
    };
    let owners = (!locks.is_empty()).then_some(owners.as_str());
    let is_locked = |path: &module::ValuePath| locks.covers(path, schema);
    buffer::build(&title, values, &Knowledge { schema, defaults, is_locked: &is_locked, owners })
}

fn unreadable(error: &ReadError) -> Step {
    let reason = Reason { path: None, line: error.line(), message: error.to_string() };
    Step::Again { code: CODE_ERROR, heading: "The values cannot be read:".to_owned(), reasons: vec![reason] }
}

fn conflict(change: &ValueChange) -> Reason {
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "removed".to_owned(), short);
    let message = format!("is {} by now; you want {}", shown(&change.old), shown(&change.new));
    Reason { path: Some(change.path.clone()), line: None, message }
}
