//! Reading YAML, and writing what reads back.

use renderer::value::Value;
use renderer::{Budget, Limits, json, values, yaml};

/// Reads the input as documents, as values and as JSON.
pub fn yaml_read(input: &[u8]) {
    if let Err(error) = yaml::parse_all(input) {
        drop(error.to_string());
    }
    drop(yaml::decode(input));
    drop(values::from_yaml(input));
    drop(json::decode(input));
}

/// Writes a tree that the input describes, and reads it back.
pub fn yaml_write(input: &[u8]) {
    let tree = Description { rest: input }.value(0);
    let survives = survives(&tree);
    let budget = Budget::new(Limits::default());
    let value = Value::from_json(&tree);
    drop(yaml::encode_json(&tree));
    for (style, text) in
        [("toYaml", yaml::encode(&value, &budget)), ("toYamlPretty", yaml::encode_pretty(&value, &budget))]
    {
        let Ok(text) = text else { continue };
        match yaml::decode(text.as_bytes()) {
            Ok(read) if read == tree => {}
            _ if !survives => {}
            other => panic!("{style} of {tree} is\n{text}\nwhich reads as {other:?}"),
        }
    }
}

/// Whether Go reads back what Go writes: in a block of text, the line breaks of YAML 1.1 are read as `\n` and a tab at
/// the start is refused; the key `<<` is read as a merge.
fn survives(tree: &serde_json::Value) -> bool {
    match tree {
        serde_json::Value::String(text) => {
            let has_odd_breaks = text.contains(['\u{85}', '\u{2028}', '\u{2029}']);
            let has_tabs_in_lines = text.contains('\n') && text.contains('\t');
            !has_odd_breaks && !has_tabs_in_lines
        }
        serde_json::Value::Array(items) => items.iter().all(survives),
        serde_json::Value::Object(members) => {
            let key_survives = |key: &str| key != "<<" && survives(&serde_json::Value::from(key));
            members.iter().all(|(key, member)| key_survives(key) && survives(member))
        }
        _ => true,
    }
}

/// Bytes that describe a JSON tree, so that every input is one and a small change of the input a small change of it.
struct Description<'a> {
    rest: &'a [u8],
}

impl Description<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    fn value(&mut self, depth: usize) -> serde_json::Value {
        /// Deeper trees show nothing more.
        const DEEPEST: usize = 12;
        match self.byte() {
            b'[' if depth < DEEPEST => {
                let length = self.byte() % 8;
                (0..length).map(|_| self.value(depth + 1)).collect()
            }
            b'{' if depth < DEEPEST => {
                let length = self.byte() % 8;
                let members = (0..length).map(|_| (self.text(), self.value(depth + 1)));
                serde_json::Value::Object(members.collect())
            }
            b't' => serde_json::Value::Bool(true),
            b'f' => serde_json::Value::Bool(false),
            b'0' => {
                let number = f64::from_le_bytes(std::array::from_fn(|_| self.byte()));
                serde_json::Value::from(if number.is_finite() { number } else { 0.0 })
            }
            b'"' => serde_json::Value::String(self.text()),
            _ => serde_json::Value::Null,
        }
    }

    /// The text up to the next NUL.
    fn text(&mut self) -> String {
        let length = self.rest.iter().position(|byte| *byte == 0).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest.get(1..).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }
}

/// The bytes that describe a JSON tree; what they cannot say becomes null.
pub(crate) fn describe(tree: &serde_json::Value, description: &mut Vec<u8>) {
    let text = |text: &str, description: &mut Vec<u8>| {
        description.extend(text.bytes().filter(|byte| *byte != 0));
        description.push(0);
    };
    match tree {
        serde_json::Value::Null => description.push(b'n'),
        serde_json::Value::Bool(value) => description.push(if *value { b't' } else { b'f' }),
        serde_json::Value::Number(number) => {
            description.push(b'0');
            description.extend(number.as_f64().unwrap_or_default().to_le_bytes());
        }
        serde_json::Value::String(value) => {
            description.push(b'"');
            text(value, description);
        }
        serde_json::Value::Array(items) => {
            let items = &items[..items.len().min(7)];
            description.extend([b'[', items.len() as u8]);
            for item in items {
                describe(item, description);
            }
        }
        serde_json::Value::Object(members) => {
            description.extend([b'{', members.len().min(7) as u8]);
            for (key, member) in members.iter().take(7) {
                text(key, description);
                describe(member, description);
            }
        }
    }
}
