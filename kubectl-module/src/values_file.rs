//! Replacing the values in the text of a Module's file, with everything else left as it is.

use module::ValuePath;
use module::path::Token;
use renderer::yaml::{self, Node};
use serde_json::{Map, Value};

use crate::values_read::to_json;
use crate::values_yaml::{self, Annotations};

/// The text with other values under `spec.values`. None if the text is laid out in a way that cannot be taken apart
/// line by line; the result is read again to be sure of it.
pub(crate) fn replace(text: &str, values: &Map<String, Value>) -> Option<String> {
    let node = yaml::parse(text.as_bytes()).ok()?;
    let entry = node.get("spec")?.entry("values")?;
    let indent = entry.key_position.column - 1;
    let first = entry.key_position.line - 1;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let key_line = lines.get(first)?;
    if !key_line.trim_start().starts_with("values:") || key_line.len() - key_line.trim_start().len() != indent {
        return None;
    }
    // The block goes on as long as lines are indented more deeply; comments and blank lines before what follows stay.
    let depth = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut end = first + 1;
    for (number, line) in lines.iter().enumerate().skip(first + 1) {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') && depth(line) <= indent {
            continue;
        }
        if depth(line) <= indent || content == "---" || content == "..." {
            break;
        }
        end = number + 1;
    }
    let mut replaced: String = lines[..first].concat();
    let margin = " ".repeat(indent);
    if values.is_empty() {
        replaced.push_str(&format!("{margin}values: {{}}\n"));
    } else {
        replaced.push_str(&format!("{margin}values:\n"));
        for line in values_yaml::write(values, &FileOrder(&entry.value)).split_inclusive('\n') {
            if line.trim().is_empty() {
                replaced.push('\n');
            } else {
                replaced.push_str(&format!("{margin}  {line}"));
            }
        }
    }
    replaced.push_str(&lines[end..].concat());
    is_replaced(&node, &replaced, values).then_some(replaced)
}

/// Keys stay in the order in which the file has them.
struct FileOrder<'a>(&'a Node);

impl Annotations for FileOrder<'_> {
    fn order(&self, path: &ValuePath) -> Vec<String> {
        let node = path.tokens().iter().try_fold(self.0, |node, token| match token {
            Token::Key(key) => node.get(key),
            Token::Index(index) => node.items()?.get(*index),
        });
        let entries = node.and_then(Node::entries).unwrap_or_default();
        entries.iter().map(|entry| entry.key.clone()).collect()
    }

    fn comments(&self, _: &ValuePath) -> Vec<String> {
        Vec::new()
    }
}

/// Whether the new text says what the old one said, with the new values.
fn is_replaced(old: &Node, new: &str, values: &Map<String, Value>) -> bool {
    let read = |node: Node| to_json(node).ok();
    let Some(mut expected) = read(old.clone()) else { return false };
    expected["spec"]["values"] = Value::Object(values.clone());
    yaml::parse(new.as_bytes()).ok().and_then(read).is_some_and(|found| found == expected)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = "\
# The shop.
kind: Module
spec:
  template: {repo: x}  # where from
  values:
    a: 1
    # about b
    b:
      - c

  # after
  targetNamespace: y
";

    #[test]
    fn only_the_values_are_replaced() {
        let values = json!({"a": 2, "b": ["c"], "aa": "x\n\n y\n"});
        let expected = "\
# The shop.
kind: Module
spec:
  template: {repo: x}  # where from
  values:
    a: 2
    b:
      - c
    aa: |
      x

       y

  # after
  targetNamespace: y
";
        assert_eq!(replace(FILE, values.as_object().unwrap()).as_deref(), Some(expected));
        assert!(replace(FILE, &Map::new()).unwrap().contains("  values: {}\n\n  # after\n"));
    }

    #[test]
    fn what_cannot_be_taken_apart_is_left_alone() {
        assert_eq!(replace("spec: {values: {a: 1}}\n", &Map::new()), None);
        assert_eq!(replace("spec:\n  template: {}\n", &Map::new()), None);
    }
}
