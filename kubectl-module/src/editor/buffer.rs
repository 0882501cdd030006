//! The text that is edited: values with remarks about each one.
//!
//! Remarks are YAML comments with a mark of their own, so that comments inside values, such as the ones of a shell
//! script, are never taken for remarks. Reasons for a refusal carry a second mark and are taken away again when the
//! buffer is opened once more.

use serde_json::{Map, Value};

use crate::schema::{Description, SchemaTree};
use crate::terminal::escape;
use crate::values_yaml::{self, Annotations, inline};
use std::fmt;

use module::ValuePath;
use module::path::Token;

/// Begins every remark.
pub(crate) const MARK: &str = "#~";
/// Begins every reason for a refusal.
const REASON_MARK: &str = "#~!";
/// Remarks are broken at this width.
const MAX_WIDTH: usize = 100;
/// Longer lists of allowed values are cut.
const MAX_ALLOWED: usize = 12;

/// What is known about the values besides themselves.
pub(crate) struct Knowledge<'a> {
    /// The template's schema.
    pub(crate) schema: &'a SchemaTree,
    /// What the template sets where the Module does not.
    pub(crate) defaults: &'a Value,
    /// Whether a value is locked.
    pub(crate) is_locked: &'a dyn Fn(&ValuePath) -> bool,
    /// Who may change locked values, if any are.
    pub(crate) owners: Option<&'a str>,
}

/// Why something was refused, and which value it is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reason {
    /// The value; none if it is about the whole or unknown.
    pub(crate) path: Option<ValuePath>,
    /// The line of the buffer that it is about, from 1, if it is about the text rather than a value.
    pub(crate) line: Option<usize>,
    /// The reason.
    pub(crate) message: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) if !path.is_root() => write!(formatter, "{path}: {}", self.message),
            _ => formatter.write_str(&self.message),
        }
    }
}

/// Writes the buffer.
pub(crate) fn build(title: &str, values: &Map<String, Value>, knowledge: &Knowledge<'_>) -> String {
    let mut text = format!("{MARK} {title}\n");
    text.push_str("#~ Lines that begin with \"#~\" are remarks. Save and leave the editor to apply the values;\n");
    text.push_str("#~ leave them unchanged, or the file empty, to cancel.\n");
    if let Some(owners) = knowledge.owners {
        text.push_str(&remark("#~ ", &wrap(&format!("Values marked LOCKED: {owners}"))));
    }
    text.push('\n');
    text.push_str(&values_yaml::write(values, knowledge));
    text
}

/// Whether nothing but comments is left.
pub(crate) fn is_empty(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'))
}

/// The text without reasons of an earlier refusal.
pub(crate) fn without_reasons(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.trim_start().starts_with(REASON_MARK)).collect()
}

/// The text with reasons at the top, and next to the lines they are about.
pub(crate) fn with_reasons(text: &str, heading: &str, reasons: &[Reason]) -> String {
    let text = without_reasons(text);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut marks: Vec<(usize, &Reason)> = Vec::new();
    let mut result = format!("{REASON_MARK} {heading}\n");
    for reason in reasons {
        result.push_str(&remark(&format!("{REASON_MARK} * "), &reason.to_string()));
        let at_path = || reason.path.as_ref().and_then(|path| line_of(&lines, path));
        if let Some(line) = reason.line.map(|line| line.saturating_sub(1)).or_else(at_path) {
            marks.push((line, reason));
        }
    }
    for (number, line) in lines.iter().enumerate() {
        let indent: String = line.chars().take_while(|character| *character == ' ').collect();
        for (_, reason) in marks.iter().filter(|(at, _)| *at == number) {
            result.push_str(&remark(&format!("{indent}{REASON_MARK} "), &reason.message));
        }
        result.push_str(line);
    }
    result
}

/// A remark of one or several lines, each with the mark.
fn remark(mark: &str, text: &str) -> String {
    text.lines().map(|line| format!("{mark}{}\n", escape(line))).collect()
}

/// The lines of a remark, without indentation. A description must not end the comment that it is in: YAML breaks lines
/// at more characters than line feeds.
fn remark_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| format!("{MARK} {}", escape(line))).collect()
}

/// Breaks long lines between words.
fn wrap(text: &str) -> String {
    let mut wrapped = String::new();
    for line in text.lines() {
        let mut width = 0;
        for word in line.split(' ') {
            let length = word.chars().count();
            if width > 0 && width + 1 + length > MAX_WIDTH {
                wrapped.push('\n');
                width = 0;
            } else if width > 0 {
                wrapped.push(' ');
                width += 1;
            }
            wrapped.push_str(word);
            width += length;
        }
        wrapped.push('\n');
    }
    wrapped
}

/// The line, from 0, on which the value at a path begins; the nearest one above it if it is not there.
fn line_of(lines: &[&str], path: &ValuePath) -> Option<usize> {
    let mut from = 0;
    let mut indent = None;
    let mut found = None;
    for step in path.tokens() {
        let Token::Key(key) = step else { break };
        let names = [format!("{key}:"), format!("\"{key}\":"), format!("'{key}':")];
        let mut hit = None;
        for (number, line) in lines.iter().enumerate().skip(from) {
            let content = line.trim_start_matches(' ');
            let depth = line.len() - content.len();
            if content.trim().is_empty() || content.starts_with('#') {
                continue;
            }
            // Less indented than the map's keys: the map has ended.
            if indent.is_some_and(|parent| depth <= parent) {
                break;
            }
            if names.iter().any(|name| content.starts_with(name.as_str())) {
                hit = Some((number, depth));
                break;
            }
        }
        let Some((number, depth)) = hit else { break };
        found = Some(number);
        indent = Some(depth);
        from = number + 1;
    }
    found
}

impl Annotations for Knowledge<'_> {
    fn order(&self, path: &ValuePath) -> Vec<String> {
        self.schema.keys(path)
    }

    fn comments(&self, path: &ValuePath) -> Vec<String> {
        // One remark for each list says enough; its items would only repeat theirs.
        if path.tokens().iter().any(|step| matches!(step, Token::Index(_))) {
            return Vec::new();
        }
        let description = self.schema.describe(path);
        let mut lines = Vec::new();
        let about = [description.title.as_deref(), description.description.as_deref()];
        let about: Vec<&str> = about.into_iter().flatten().collect();
        let facts = facts(&description, path.get(self.defaults));
        match (about.is_empty(), facts.is_empty()) {
            (true, true) => {}
            (true, false) => lines.push(facts),
            (false, true) => lines.push(about.join(". ")),
            (false, false) => lines.push(format!("{} ({facts})", about.join(". "))),
        }
        let parent = ValuePath::from(path.tokens()[..path.tokens().len().saturating_sub(1)].to_vec());
        // A mark covers everything below; saying it once is enough.
        if (self.is_locked)(path) && (parent.is_root() || !(self.is_locked)(&parent)) {
            lines.push("LOCKED".to_owned());
        }
        lines.iter().map(|line| wrap(line)).flat_map(|text| remark_lines(&text)).collect()
    }
}

/// Type, allowed values, bounds and default on one line.
fn facts(description: &Description, default: Option<&Value>) -> String {
    let mut facts = Vec::new();
    let is_map = description.types.iter().any(|name| name == "object");
    if !description.types.is_empty() && !is_map {
        facts.push(description.types.join(" or "));
    }
    if !description.allowed.is_empty() {
        let shown: Vec<String> = description.allowed.iter().take(MAX_ALLOWED).map(inline).collect();
        let more = if description.allowed.len() > MAX_ALLOWED { ", …" } else { "" };
        facts.push(format!("one of {}{more}", shown.join(", ")));
    }
    facts.extend(description.bounds.iter().cloned());
    let default = default.or(description.default.as_ref());
    if let Some(default) = default.filter(|default| !default.is_object() && !default.is_array())
        && !description.secret
    {
        facts.push(format!("default {}", inline(default)));
    }
    if description.deprecated {
        facts.push("deprecated".to_owned());
    }
    facts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn built() -> String {
        let schema = SchemaTree::new(
            json!({
                "order": ["general", "replicas"],
                "properties": {
                    "general": {"type": "object", "title": "General", "properties": {
                        "version": {"type": "string", "title": "Version", "description": "Tag of the image"}
                    }},
                    "replicas": {"type": "integer", "minimum": 0, "description": "How many copies run"},
                    "type": {"enum": ["a", "b"]}
                }
            }),
            BTreeMap::new(),
        );
        let values = json!({
            "replicas": 3, "general": {"version": "1.10"}, "type": "a",
            "script": "#!/bin/sh\n# Waits.\n", "list": [{"type": "a"}],
        });
        let knowledge = Knowledge {
            schema: &schema,
            defaults: &json!({"replicas": 2}),
            is_locked: &|path| path.to_string().starts_with("general.version"),
            owners: Some("changed by Argo CD only."),
        };
        build("Values of module team-a/app", values.as_object().unwrap(), &knowledge)
    }

    const BODY: &str = "\
#~ General
general:
  #~ Version. Tag of the image (string)
  #~ LOCKED
  version: \"1.10\"
#~ How many copies run (integer, at least 0, default 2)
replicas: 3
#~ one of a, b
type: a
list:
  - type: a
script: |
  #!/bin/sh
  # Waits.
";

    #[test]
    fn buffer_has_values_with_remarks() {
        let (header, body) =
            built().split_once("\n\n").map(|(header, body)| (header.to_owned(), body.to_owned())).unwrap();
        assert!(header.starts_with("#~ Values of module team-a/app\n#~ "));
        assert!(header.ends_with("\n#~ Values marked LOCKED: changed by Argo CD only."));
        assert_eq!(body, BODY);
    }

    #[test]
    fn reasons_come_and_go_without_touching_values() {
        let text = BODY.to_owned();
        let reasons = [
            Reason {
                path: Some(crate::path::parse("general.version").unwrap()),
                line: None,
                message: "is locked".into(),
            },
            Reason {
                path: Some(crate::path::parse("list[0].type").unwrap()),
                line: None,
                message: "is odd\ntwice".into(),
            },
            Reason { path: None, line: None, message: "no reason".into() },
        ];
        let marked = with_reasons(&text, "The values were refused:", &reasons);
        assert!(marked.starts_with(
            "#~! The values were refused:\n#~! * general.version: is locked\n#~! * list[0].type: is odd\n#~! * twice\n#~! * no reason\n"
        ));
        assert!(marked.contains("  #~! is locked\n  version: \"1.10\"\n"));
        assert!(marked.contains("#~! is odd\n#~! twice\nlist:\n"));
        assert_eq!(without_reasons(&marked), text);
        // A second refusal replaces the first.
        let again = with_reasons(&marked, "Still:", &[Reason { path: None, line: Some(2), message: "bad".into() }]);
        assert_eq!(again.matches("#~!").count(), 3);
        assert!(again.contains("#~! bad\ngeneral:\n"));
    }

    #[test]
    fn a_description_cannot_leave_its_comment() {
        assert_eq!(remark_lines("a\rb: 1\u{85}c: 1\u{2028}d: 1"), ["#~ a^Mb: 1\\u{85}c: 1\\u{2028}d: 1"]);
    }

    #[test]
    fn long_remarks_are_broken_between_words() {
        let words = "word ".repeat(30);
        assert_eq!(wrap(words.trim()).lines().map(|line| line.chars().count()).collect::<Vec<_>>(), [99, 49]);
        assert_eq!(wrap("a\nb"), "a\nb\n");
    }

    #[test]
    fn empty_means_no_values() {
        assert!(is_empty("#~ x\n\n  # y\n"));
        assert!(!is_empty("#~ x\n{}\n"));
    }
}
