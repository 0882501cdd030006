//! Taking values that must not be shown out of texts that somebody else wrote: template errors, schema violations.

use serde_json::Value;

use super::mask::HIDDEN;
use super::{Cursor, LockSet};

/// Shorter texts are found in ordinary words.
const SHORTEST: usize = 4;

/// The values that must not be shown.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    /// Longest first, so that no part of one is left.
    secrets: Vec<String>,
}

impl Redaction {
    /// Collects the values that a schema calls `writeOnly` or a password.
    pub fn new<'a>(locks: &LockSet, values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut secrets = Vec::new();
        for value in values {
            collect(&locks.root(), value, &mut secrets);
        }
        secrets.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        secrets.dedup();
        Self { secrets }
    }

    /// Takes them out of every text of a value.
    pub fn apply_to(&self, value: &mut Value) {
        match value {
            Value::String(text) if self.secrets.iter().any(|secret| text.contains(secret)) => *text = self.apply(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply_to(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.apply_to(member)),
            _ => {}
        }
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The text without them.
    pub fn apply(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }
}

fn collect(cursor: &Cursor<'_>, value: &Value, secrets: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(key, member)| collect(&cursor.key(key), member, secrets)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(&cursor.index(index), item, secrets));
        }
        Value::String(text) if cursor.is_secret() => {
            // As a whole and line by line, because errors often show only one; as it is and as Go quotes it.
            for part in std::iter::once(text.as_str()).chain(text.lines().map(str::trim)) {
                let quoted = Value::from(part).to_string();
                let forms = [part, quoted.trim_matches('"')];
                secrets.extend(forms.into_iter().filter(|form| form.len() >= SHORTEST).map(str::to_owned));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lock::ChartSchema;

    #[test]
    fn secrets_are_taken_out_of_texts() {
        let schema =
            json!({"properties": {"password": {"format": "password"}, "keys": {"writeOnly": true}}}).to_string();
        let schema = ChartSchema { path: Vec::new(), name: "demo".into(), schema: Some(schema.as_bytes()) };
        let locks = LockSet::from_schemas(&[schema]).unwrap();
        let values = json!({"password": "hunter2\nline\"two", "keys": ["hunter2-and-more", "abc"], "open": "visible"});
        let redaction = Redaction::new(&locks, [&values]);
        assert_eq!(
            redaction.apply(r#"bad hunter2-and-more, hunter2, "line\"two"; visible abc"#),
            r#"bad (hidden), (hidden), "(hidden)"; visible abc"#
        );
    }
}
