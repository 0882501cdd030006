//! Where in a file a field is.

use module::path::Token;
use renderer::yaml::{Node, Position};

/// The place of a field, or of what is nearest around it: a value that was removed is missing where it was.
pub(super) fn of_field(object: &Node, field: &str) -> Position {
    let mut place = object.position;
    let mut node = object;
    for step in steps(field) {
        let found = match &step {
            Token::Key(key) => node.entry(key).map(|entry| (entry.key_position, &entry.value)),
            Token::Index(index) => node.items().and_then(|items| items.get(*index)).map(|item| (item.position, item)),
        };
        let Some((position, below)) = found else { break };
        (place, node) = (position, below);
    }
    place
}

/// The steps of a field of an object: `spec.values.hosts[0]["a.b"]`, `metadata.annotations[example.com/a]`.
fn steps(field: &str) -> Vec<Token> {
    let key = |text: &str| Token::Key(text.to_owned());
    if let Some(name) = field.strip_prefix("metadata.annotations[").and_then(|rest| rest.strip_suffix(']')) {
        return vec![key("metadata"), key("annotations"), key(name)];
    }
    // The prefix that the parser takes off.
    let below_values =
        field.strip_prefix("spec.values").is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let Ok(path) = crate::path::parse(field) else { return vec![key("spec")] };
    let start = if below_values { vec![key("spec"), key("values")] } else { Vec::new() };
    start.into_iter().chain(path.tokens().iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
kind: Module
metadata:
  annotations:
    cyclops-ui.com/write-repo: x
spec:
  template: {repo: a, path: b}
  values:
    hosts:
      - name: a
      - {name: b}
    a.b: 1
";

    #[test]
    fn fields_are_found_or_what_is_around_them() {
        let node = renderer::yaml::parse(FILE.as_bytes()).unwrap();
        for (field, line, column) in [
            ("", 1, 1),
            ("spec", 5, 1),
            ("spec.template.path", 6, 23),
            ("spec.values", 7, 3),
            ("spec.values.hosts[1].name", 10, 10),
            (r#"spec.values["a.b"]"#, 11, 5),
            ("spec.values.gone.far", 7, 3),
            ("spec.values.hosts[7]", 8, 5),
            ("metadata.annotations[cyclops-ui.com/write-repo]", 4, 5),
            ("metadata.annotations[gone]", 3, 3),
            ("history", 1, 1),
        ] {
            assert_eq!(of_field(&node, field), Position { line, column }, "{field}");
        }
    }
}
