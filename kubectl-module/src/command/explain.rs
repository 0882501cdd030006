//! `kubectl module explain`.

use clap::Args;
use module::ValuePath;
use module::preview::{PreviewAnswer, Want};
use serde_json::Value;

use crate::command::SUCCESS;
use crate::failure::{CODE_ERROR, Failure};
use crate::global::GlobalArguments;
use crate::output::report::short;
use crate::target::{FileArguments, Target, TemplateKnowledge};
use crate::terminal::{Styles, Terminal, escape};

/// Values nested deeper are not listed by `--recursive`; a schema may describe itself.
const MAX_DEPTH: usize = 12;

const EXAMPLES: &str = "\
Examples:
  # All values of a Module
  kubectl module explain shop

  # One of them, with what is inside
  kubectl module explain shop cache

  # The names of all, with their types and locks
  kubectl module explain shop --recursive

  # The values of a Module in a file
  kubectl module explain -f apps/team-a/shop.yaml --offline cache.version";

/// Describe the values of a Module: type, default, description, lock, and the value now
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExplainArguments {
    /// Name of the Module (not with -f --offline), and the value to describe
    #[arg(value_name = "NAME PATH", num_args = 0..=2)]
    words: Vec<String>,

    #[command(flatten)]
    file: FileArguments,

    /// Values inside values too
    #[arg(short = 'R', long)]
    recursive: bool,
}

impl ExplainArguments {
    pub(crate) fn run(self, globals: &GlobalArguments, terminal: &Terminal) -> Result<u8, Failure> {
        let mut words = self.words.iter();
        let name = if self.file.filename.is_none() { words.next() } else { None };
        let path = words.next().map_or("", String::as_str);
        if words.next().is_some() {
            return Err(Failure::usage("give one PATH"));
        }
        let path = crate::path::parse(path).map_err(Failure::usage)?;
        let target = Target::find(name.map(String::as_str), &self.file, globals)?;
        let answer = target.ask(None, &[Want::Schema])?;
        if let PreviewAnswer { refusal: Some(refusal), schema: None, .. } = &answer {
            return Err(Failure::message(CODE_ERROR, format!("the template is not known: {}", refusal.message)));
        }
        let knowledge = TemplateKnowledge::new(&answer);
        let explanation = Explanation {
            target: &target,
            own: Value::Object(target.values()?),
            knowledge: &knowledge,
            style: terminal.style,
            recursive: self.recursive,
        };
        terminal.print(&explanation.of(&path)?)?;
        Ok(SUCCESS)
    }
}

struct Explanation<'a> {
    target: &'a Target,
    own: Value,
    knowledge: &'a TemplateKnowledge,
    style: Styles,
    recursive: bool,
}

impl Explanation<'_> {
    fn of(&self, path: &ValuePath) -> Result<String, Failure> {
        let description = self.knowledge.schema.describe(path);
        let known = description != crate::schema::Description::default();
        if !path.is_root() && !known && path.get(&self.knowledge.effective).is_none() {
            return Err(self.unknown(path));
        }
        let style = self.style;
        let reference = self.target.object().pointer("/spec/template").cloned().unwrap_or_default();
        let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut output = format!("MODULE:    {}/{}\n", self.target.namespace(), self.target.name());
        let version = text("version");
        let at = if version.is_empty() { String::new() } else { format!(" at {version}") };
        output.push_str(&escape(&format!("TEMPLATE:  {} of {}{at}\n", text("path"), text("repo"))));
        if !path.is_root() {
            output.push_str(&format!("\n{}\n", self.heading(path, "VALUE: ", &path.to_string())));
            output.push_str(&self.facts(path, "  "));
        }
        let children = self.children(path);
        if !children.is_empty() {
            output.push_str(&format!("\n{}\n", style.heading("VALUES:")));
            self.list(path, 1, &mut output);
        }
        Ok(output)
    }

    fn list(&self, path: &ValuePath, depth: usize, output: &mut String) {
        let indent = "  ".repeat(depth);
        for (name, child) in self.children(path) {
            output.push_str(&format!("{}\n", self.heading(&child, &indent, &name)));
            if self.recursive && depth < MAX_DEPTH {
                self.list(&child, depth + 1, output);
            } else {
                output.push_str(&self.facts(&child, &format!("{indent}  ")));
            }
        }
    }

    /// `name <type>  LOCKED`. What is inside has marks of its own where it is listed.
    fn heading(&self, path: &ValuePath, before: &str, name: &str) -> String {
        let types = self.knowledge.schema.describe(path).types;
        let types = if types.is_empty() { self.type_of_value(path) } else { types.join(" or ") };
        let types = if types.is_empty() { String::new() } else { format!(" <{}>", escape(&types)) };
        let lock = match self.is_locked(path) {
            true => format!("  {}", self.style.notice("LOCKED")),
            false if !self.recursive && self.knowledge.locks.is_inside(path, &self.knowledge.schema) => {
                format!("  {}", self.style.notice("partly LOCKED"))
            }
            false => String::new(),
        };
        format!("{before}{}{types}{lock}", escape(name))
    }

    /// Everything else that is known about a value, a line each.
    fn facts(&self, path: &ValuePath, indent: &str) -> String {
        let description = self.knowledge.schema.describe(path);
        let mut lines = Vec::new();
        let about: Vec<&str> =
            [description.title.as_deref(), description.description.as_deref()].into_iter().flatten().collect();
        if !about.is_empty() {
            lines.push(about.join(". "));
        }
        if description.deprecated {
            lines.push("deprecated".to_owned());
        }
        let scalar = |value: &&Value| !value.is_object();
        let shown = |value: &Value| if description.secret { "(hidden)".to_owned() } else { short(value) };
        if let Some(value) = path.get(&self.knowledge.effective).filter(scalar) {
            let origin = if path.get(&self.own).is_some() { "set by the Module" } else { "from the template" };
            lines.push(format!("now: {} ({origin})", shown(value)));
        }
        let default = path.get(&self.knowledge.defaults).or(description.default.as_ref());
        if let Some(default) = default.filter(scalar).filter(|_| path.get(&self.own).is_some()) {
            lines.push(format!("default: {}", shown(default)));
        }
        if !description.allowed.is_empty() {
            let allowed: Vec<String> = description.allowed.iter().map(short).collect();
            lines.push(format!("one of: {}", allowed.join(", ")));
        }
        if !description.bounds.is_empty() {
            lines.push(format!("bounds: {}", description.bounds.join(", ")));
        }
        if self.is_locked(path) {
            lines.push(format!("changed by: {}", self.knowledge.writers.as_deref().unwrap_or("nobody")));
        }
        lines.iter().flat_map(|line| line.lines()).map(|line| format!("{indent}{}\n", escape(line))).collect()
    }

    fn is_locked(&self, path: &ValuePath) -> bool {
        self.knowledge.locks.covers(path, &self.knowledge.schema)
    }

    /// What the schema names, then what is set besides; the item of a list as `[0]`.
    fn children(&self, path: &ValuePath) -> Vec<(String, ValuePath)> {
        let schema = &self.knowledge.schema;
        let mut names = schema.keys(path);
        if let Some(Value::Object(map)) = path.get(&self.knowledge.effective) {
            names.extend(map.keys().filter(|key| !names.contains(key)).cloned().collect::<Vec<_>>());
        }
        if !names.is_empty() {
            return names.into_iter().map(|name| (name.clone(), path.key(&name))).collect();
        }
        let item = path.index(0);
        if schema.keys(&item).is_empty() { Vec::new() } else { vec![("[0]".to_owned(), item)] }
    }

    fn type_of_value(&self, path: &ValuePath) -> String {
        let name = match path.get(&self.knowledge.effective) {
            None | Some(Value::Null) => "",
            Some(Value::Bool(_)) => "boolean",
            Some(Value::Number(_)) => "number",
            Some(Value::String(_)) => "string",
            Some(Value::Array(_)) => "array",
            Some(Value::Object(_)) => "object",
        };
        name.to_owned()
    }

    fn unknown(&self, path: &ValuePath) -> Failure {
        let parent = ValuePath::from(path.tokens()[..path.tokens().len() - 1].to_vec());
        let names: Vec<String> = self.children(&parent).into_iter().map(|(name, _)| name).collect();
        let failure = Failure::message(CODE_ERROR, format!("the template knows no value {path}"));
        let place = if parent.is_root() { "it has".to_owned() } else { format!("{parent} has") };
        if names.is_empty() { failure } else { failure.hint(format!("{place}: {}", names.join(", "))) }
    }
}
