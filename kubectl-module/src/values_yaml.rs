//! Values as YAML for people: keys in a wanted order, comments above keys, and every text of several lines as a block.
//!
//! The writer is careful rather than short: what YAML 1.1 or 1.2 could read as anything but text is quoted.

use serde_json::{Map, Value};

use module::ValuePath;

/// How the writer asks for the order of keys and the comments above them.
pub(crate) trait Annotations {
    /// The keys of a map in the order to write them; keys left out follow in alphabetical order.
    fn order(&self, path: &ValuePath) -> Vec<String>;

    /// Comment lines for the key at this path, each complete with its mark.
    fn comments(&self, path: &ValuePath) -> Vec<String>;
}

/// Writes a map as a YAML document.
pub(crate) fn write(values: &Map<String, Value>, annotations: &dyn Annotations) -> String {
    let mut writer = Writer { annotations, text: String::new() };
    if values.is_empty() {
        writer.text.push_str("{}\n");
    } else {
        writer.mapping(&ValuePath::default(), values, 0, false);
    }
    writer.text
}

/// A value on one line, as in `path: old -> new`.
pub(crate) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

struct Writer<'a> {
    annotations: &'a dyn Annotations,
    text: String,
}

impl Writer<'_> {
    /// Writes the entries of a map; `continued` if the first one stands on a line that is already indented (`- a: 1`).
    fn mapping(&mut self, path: &ValuePath, map: &Map<String, Value>, indent: usize, continued: bool) {
        let mut keys: Vec<String> =
            self.annotations.order(path).into_iter().filter(|key| map.contains_key(key)).collect();
        let mut rest: Vec<String> = map.keys().filter(|key| !keys.contains(key)).cloned().collect();
        // Items of lists are known by their names.
        if continued {
            rest.sort_by_key(|key| key != "name");
        }
        keys.extend(rest);
        let mut first = continued;
        for key in keys {
            let Some(value) = map.get(&key) else { continue };
            let path = path.key(&key);
            if !first {
                for comment in self.annotations.comments(&path) {
                    self.line(indent, &comment);
                }
                self.indent(indent);
            }
            first = false;
            self.text.push_str(&if is_plain(&key) { key } else { quoted(&key) });
            self.text.push(':');
            match value {
                Value::Object(map) if !map.is_empty() => {
                    self.text.push('\n');
                    self.mapping(&path, map, indent + 2, false);
                }
                Value::Array(items) if !items.is_empty() => {
                    self.text.push('\n');
                    self.sequence(&path, items, indent + 2);
                }
                scalar => {
                    self.text.push(' ');
                    self.scalar(scalar, indent);
                }
            }
        }
    }

    fn sequence(&mut self, path: &ValuePath, items: &[Value], indent: usize) {
        for (position, item) in items.iter().enumerate() {
            let path = path.index(position);
            self.indent(indent);
            match item {
                Value::Object(map) if !map.is_empty() => {
                    self.text.push_str("- ");
                    self.mapping(&path, map, indent + 2, true);
                }
                Value::Array(items) if !items.is_empty() => {
                    self.text.push_str("-\n");
                    self.sequence(&path, items, indent + 2);
                }
                scalar => {
                    self.text.push_str("- ");
                    self.scalar(scalar, indent);
                }
            }
        }
    }

    /// Writes a scalar or an empty collection that belongs to a collection at `indent`, and ends the line.
    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::String(text) if is_plain(text) => self.text.push_str(text),
            Value::String(text) if fits_block(text) => {
                self.block(text, indent);
                return;
            }
            Value::String(text) => self.text.push_str(&quoted(text)),
            other => self.text.push_str(&other.to_string()),
        }
        self.text.push('\n');
    }

    fn block(&mut self, text: &str, indent: usize) {
        self.text.push('|');
        // Without it a reader takes the first line's own blanks for indentation.
        if text.starts_with([' ', '\t', '\n']) {
            self.text.push('2');
        }
        match text.strip_suffix('\n') {
            None => self.text.push('-'),
            Some(rest) if rest.ends_with('\n') => self.text.push('+'),
            Some(_) => {}
        }
        self.text.push('\n');
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.indent(indent + 2);
                self.text.push_str(line);
            }
            self.text.push('\n');
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.indent(indent);
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn indent(&mut self, indent: usize) {
        self.text.extend(std::iter::repeat_n(' ', indent));
    }
}

/// Whether a text can stand without quotes in a map or a list and is still read as this text.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let safe = |character: char| character.is_ascii_alphanumeric() || " _./:@+,=()-".contains(character);
    let starts_well = first.is_ascii_alphabetic() || first == '/' || first == '_' || first.is_ascii_digit();
    if !starts_well || !text.chars().all(safe) || text.ends_with([' ', ':']) || text.contains(": ") {
        return false;
    }
    if first.is_ascii_digit() {
        // A letter that no number, date or time of any YAML version contains.
        return text.to_ascii_lowercase().contains(|character| "ghijklmnpqrsuvwy".contains(character));
    }
    let lower = text.to_ascii_lowercase();
    !matches!(lower.as_str(), "y" | "yes" | "n" | "no" | "true" | "false" | "on" | "off" | "null" | "nan" | "inf")
}

/// Whether a text has several lines that a block can hold without changing any of them.
fn fits_block(text: &str) -> bool {
    let printable = text.chars().all(|character| {
        matches!(character, '\n' | '\t')
            || !(character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}'))
    });
    let last = text.strip_suffix('\n').unwrap_or(text).rsplit('\n').next().unwrap_or_default();
    let ends_in_text = text.ends_with("\n\n") || !last.trim().is_empty();
    // A line that looks like our own remark would be taken away when the buffer is opened again.
    let ours = text.lines().any(|line| line.trim_start().starts_with(crate::editor::buffer::MARK));
    text.contains('\n') && !text.trim().is_empty() && printable && ends_in_text && !ours
}

/// A double-quoted scalar.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            _ if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Plain;

    impl Annotations for Plain {
        fn order(&self, _: &ValuePath) -> Vec<String> {
            Vec::new()
        }

        fn comments(&self, _: &ValuePath) -> Vec<String> {
            Vec::new()
        }
    }

    fn written(value: &Value) -> String {
        write(value.as_object().unwrap(), &Plain)
    }

    #[test]
    fn collections() {
        let value = json!({"a": {"b": [1, {"c": "x", "name": []}, [true, null]]}, "e": {}});
        assert_eq!(
            written(&value),
            "a:\n  b:\n    - 1\n    - name: []\n      c: x\n    -\n      - true\n      - null\ne: {}\n"
        );
        assert_eq!(written(&json!({})), "{}\n");
    }

    #[test]
    fn several_lines_are_a_block() {
        let value = json!({"s": "#!/bin/sh\n# Waits.\nexec x  \n", "t": "a\nb", "u": "a\n\n", "v": "  a\nb\n"});
        assert_eq!(
            written(&value),
            "s: |\n  #!/bin/sh\n  # Waits.\n  exec x  \nt: |-\n  a\n  b\nu: |+\n  a\n\nv: |2\n    a\n  b\n"
        );
    }

    #[test]
    fn ambiguous_texts_are_quoted() {
        for text in [
            "1.10",
            "1",
            "yes",
            "No",
            "on",
            "null",
            "~",
            "",
            " a",
            "a ",
            "a: b",
            "a:",
            "#a",
            "a #b",
            "0x1F",
            "0o17",
            "1e3",
            "1_000",
            "12:30",
            "2001-12-14",
            ".5",
            "-1",
            "+1",
            "-",
            "- a",
            "? a",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "{a",
            "[a",
            "|",
            ">",
            "'a",
            "\"a",
            "=",
            "<<",
            "y",
            ".inf",
            ".nan",
            "a\u{85}b",
            "a\rb",
            "\u{feff}",
        ] {
            let line = written(&json!({ "k": text }));
            assert!(line.starts_with("k: \""), "{text:?} gave {line:?}");
        }
        for text in ["a", "128Mi", "100m", "allkeys-lru", "/tmp", "docker.io/library/nginx:1.29", "a-b_c.d", "10m"] {
            assert_eq!(written(&json!({ "k": text })), format!("k: {text}\n"));
        }
    }
}
