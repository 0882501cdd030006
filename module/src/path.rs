//! Paths into values, written as Kubernetes writes field paths.

use std::fmt;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// A key of a mapping.
    Key(String),
    /// A position in a list.
    Index(usize),
}

/// The place of a value below `spec.values`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValuePath(Vec<Token>);

impl ValuePath {
    /// The root.
    pub fn root() -> Self {
        Self::default()
    }

    /// A path of keys only.
    pub fn of_keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self(keys.into_iter().map(|key| Token::Key(key.to_owned())).collect())
    }

    /// The steps.
    pub fn tokens(&self) -> &[Token] {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This path and one key more.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Token::Key(key.to_owned()))
    }

    /// This path and one position more.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Token::Index(index))
    }

    /// The value at this path.
    pub fn get<'a>(&self, value: &'a serde_json::Value) -> Option<&'a serde_json::Value> {
        self.0.iter().try_fold(value, |value, token| match token {
            Token::Key(key) => value.as_object()?.get(key),
            Token::Index(index) => value.as_array()?.get(*index),
        })
    }

    /// The path as a JSON Pointer (RFC 6901).
    pub fn to_pointer(&self) -> String {
        self.0.iter().fold(String::new(), |pointer, token| match token {
            Token::Key(key) => pointer + "/" + &key.replace('~', "~0").replace('/', "~1"),
            Token::Index(index) => pointer + "/" + &index.to_string(),
        })
    }

    /// The path as a field of the Module, such as `spec.values.image.tag`.
    pub fn to_field(&self) -> String {
        match self.0.first() {
            None => "spec.values".to_owned(),
            Some(Token::Key(key)) if is_plain(key) => format!("spec.values.{self}"),
            Some(_) => format!("spec.values{self}"),
        }
    }

    fn with(&self, token: Token) -> Self {
        let mut tokens = Vec::with_capacity(self.0.len() + 1);
        tokens.extend_from_slice(&self.0);
        tokens.push(token);
        Self(tokens)
    }
}

impl From<Vec<Token>> for ValuePath {
    fn from(tokens: Vec<Token>) -> Self {
        Self(tokens)
    }
}

impl fmt::Display for ValuePath {
    /// `image.tag`, `hosts[0].name`, `annotations["example.com/owner"]`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, token) in self.0.iter().enumerate() {
            match token {
                Token::Key(key) if is_plain(key) => {
                    let dot = if position == 0 { "" } else { "." };
                    write!(formatter, "{dot}{key}")?;
                }
                Token::Key(key) => write!(formatter, "[{}]", serde_json::Value::from(key.as_str()))?,
                Token::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Whether a key can be written after a dot without being misread.
pub(crate) fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|character| character.is_ascii_alphanumeric() || "_-$".contains(character))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_read_like_field_paths() {
        let path = ValuePath::root().key("hosts").index(0).key("a.b/c").key("d");
        assert_eq!(path.to_string(), r#"hosts[0]["a.b/c"].d"#);
        assert_eq!(path.to_field(), r#"spec.values.hosts[0]["a.b/c"].d"#);
        assert_eq!(path.to_pointer(), "/hosts/0/a.b~1c/d");
        assert_eq!(ValuePath::root().key("").to_field(), r#"spec.values[""]"#);
        assert_eq!(ValuePath::root().to_field(), "spec.values");
        assert_eq!(path.get(&json!({"hosts": [{"a.b/c": {"d": 1}}]})), Some(&json!(1)));
        assert_eq!(path.get(&json!({"hosts": {}})), None);
    }
}
