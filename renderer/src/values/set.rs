//! The grammar of `--set` and its relatives (Helm: `pkg/strvals`).
//!
//! `a.b[2].c=value,d={x,y}`: dots nest, brackets index lists, commas separate, braces make a list, and a backslash
//! takes the next character literally. Every function changes the values in place, so that several flags add up.

use serde_json::Value;

use super::Values;
use crate::quote::quote;

/// Highest list index (Helm: `MaxIndex`).
const MAX_INDEX: i64 = 65_536;
/// Most dots in one key (Helm: `MaxNestedNameLevel`).
const MAX_NESTED_NAME_LEVEL: usize = 30;
/// Most nulls that the indexes of one argument may fill lists with.
const MAX_FILLED: usize = 4 * MAX_INDEX as usize;
/// Most indexes in one key. Helm sets no limit; the parser calls itself for each.
const MAX_INDEXES: usize = 256;

/// Why a `--set` argument cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// The argument ends after a key.
    #[error("key {} has no value", quote(.key.as_bytes()))]
    NoValue {
        /// The key.
        key: String,
    },
    /// A comma follows a key.
    #[error("key {} has no value (cannot end with ,)", quote(.key.as_bytes()))]
    EndsWithComma {
        /// The key.
        key: String,
    },
    /// Nothing is set below a key that ends with a dot.
    #[error("key map {} has no value", quote(.key.as_bytes()))]
    EmptyMap {
        /// The key before the dot.
        key: String,
    },
    /// A list without its closing brace.
    #[error("list must terminate with '}}'")]
    UnterminatedList,
    /// An index below 0.
    #[error("negative {index} index not allowed")]
    NegativeIndex {
        /// The index.
        index: i64,
    },
    /// An index above 65536.
    #[error("index of {index} is greater than maximum supported index of {MAX_INDEX}")]
    IndexTooLarge {
        /// The index.
        index: i64,
    },
    /// An index that is no number.
    #[error("error parsing index: strconv.Atoi: parsing {}: {reason}", quote(.index.as_bytes()))]
    InvalidIndex {
        /// The text between the brackets.
        index: String,
        /// Go's reason: `invalid syntax` or `value out of range`.
        reason: &'static str,
    },
    /// An index without its `]`, which Helm 4 drops together with what was to be set.
    #[error("error parsing index: EOF")]
    OpenIndex,
    /// Text between `]` and the next `.`, `[` or `=`.
    #[error("unexpected data at end of array index: {}", quoted_characters(.data))]
    DataAfterIndex {
        /// The text.
        data: String,
    },
    /// More than 30 dots in a key.
    #[error("value name nested level is greater than maximum supported nested level of {MAX_NESTED_NAME_LEVEL}")]
    NestedTooDeep,
    /// More indexes in one key than this crate follows.
    #[error("more than {MAX_INDEXES} list indexes in one key")]
    TooManyIndexes,
    /// Indexes fill lists with more nulls than this crate makes.
    #[error("list indexes skip more than {MAX_FILLED} items")]
    TooManyFilled,
    /// A key leads into a value that is no map or no list.
    #[error("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}")]
    WrongType {
        /// Go's name of the type that is there.
        found: &'static str,
        /// Go's name of the type that the key needs.
        wanted: &'static str,
    },
    /// A value of `--set-json` that is no JSON.
    #[error("invalid JSON: {detail}")]
    Json {
        /// What is wrong with it.
        detail: String,
    },
    /// The file of a `--set-file` value could not be read; the caller says why.
    #[error("{detail}")]
    File {
        /// The caller's text.
        detail: String,
    },
}

/// Applies `--set`: `true`, `false`, `null` and whole numbers without a leading zero get their type, the rest are
/// strings.
pub fn set(argument: &str, values: &mut Values) -> Result<(), SetError> {
    Parser::new(argument, Mode::Typed).run(values)
}

/// Applies `--set-string`: every value is a string.
pub fn set_string(argument: &str, values: &mut Values) -> Result<(), SetError> {
    Parser::new(argument, Mode::String).run(values)
}

/// Applies `--set-file`: every value is a path, `read` gives the file's text or says why it cannot.
pub fn set_file(
    argument: &str,
    values: &mut Values,
    read: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<(), SetError> {
    Parser::new(argument, Mode::File(read)).run(values)
}

/// Applies `--set-json`: one JSON object, which is merged, or `key=json` pairs.
pub fn set_json(argument: &str, values: &mut Values) -> Result<(), SetError> {
    let trimmed = argument.trim();
    if trimmed.starts_with('{') {
        let mut object: Value =
            serde_json::from_str(trimmed).map_err(|error| SetError::Json { detail: error.to_string() })?;
        super::numbers_to_floats(&mut object);
        if let Value::Object(object) = object {
            super::merge_into(values, object);
        }
        return Ok(());
    }
    set_json_pairs(argument, values)
}

/// Applies `--set-json` as Helm 3 does, which takes `key=json` pairs only.
pub(super) fn set_json_pairs(argument: &str, values: &mut Values) -> Result<(), SetError> {
    Parser::new(argument, Mode::Json).run(values)
}

/// Applies `--set-literal`: one key, and everything after the first `=` is the value. No escapes.
pub fn set_literal(argument: &str, values: &mut Values) -> Result<(), SetError> {
    Parser::new(argument, Mode::Literal).run(values)
}

/// How values are read.
enum Mode<'a> {
    Typed,
    String,
    Literal,
    Json,
    File(&'a mut dyn FnMut(&str) -> Result<String, String>),
}

/// What stops the parser: the regular end of the argument, which can come at places where Helm silently drops what it
/// was about to set, or an error.
enum Stop {
    End,
    Failed(SetError),
}

impl From<SetError> for Stop {
    fn from(error: SetError) -> Self {
        Self::Failed(error)
    }
}

struct Parser<'a> {
    rest: &'a str,
    mode: Mode<'a>,
    indexes: usize,
    /// How many nulls have been put into lists.
    filled: usize,
}

impl<'a> Parser<'a> {
    fn new(argument: &'a str, mode: Mode<'a>) -> Self {
        Self { rest: argument, mode, indexes: 0, filled: 0 }
    }

    fn run(mut self, values: &mut Values) -> Result<(), SetError> {
        loop {
            self.indexes = 0;
            match self.key(values, 0) {
                Ok(()) => {}
                Err(Stop::End) => return Ok(()),
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next()?;
        self.rest = characters.as_str();
        Some(next)
    }

    /// Reads to one of the stop characters, which is consumed and returned; none at the end of the argument.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let escapes = !matches!(self.mode, Mode::Literal);
        let mut taken = String::new();
        while let Some(next) = self.next() {
            if stops.contains(&next) {
                return (taken, Some(next));
            }
            if next == '\\' && escapes {
                match self.next() {
                    Some(literal) => taken.push(literal),
                    None => break,
                }
            } else {
                taken.push(next);
            }
        }
        (taken, None)
    }

    fn key(&mut self, data: &mut Values, level: usize) -> Result<(), Stop> {
        let stops: &[char] = if matches!(self.mode, Mode::Literal) { &['=', '[', '.'] } else { &['=', '[', ',', '.'] };
        let (key, stop) = self.until(stops);
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => Err(SetError::NoValue { key }.into()),
            Some('[') => {
                let index = self.index()?;
                let mut list = match data.get_mut(&key) {
                    None => Vec::new(),
                    Some(Value::Array(list)) => std::mem::take(list),
                    Some(other) => return Err(wrong_type(other, "[]interface {}")),
                };
                let outcome = self.list_item(&mut list, index, level);
                insert(data, key, Value::Array(list));
                outcome
            }
            Some('.') => {
                let level = level + 1;
                if level > MAX_NESTED_NAME_LEVEL {
                    return Err(SetError::NestedTooDeep.into());
                }
                let (mut inner, existed) = match data.get_mut(&key) {
                    None => (Values::new(), false),
                    Some(Value::Object(inner)) => (std::mem::take(inner), true),
                    Some(other) => return Err(wrong_type(other, "map[string]interface {}")),
                };
                let outcome = self.key(&mut inner, level);
                if outcome.is_ok() && inner.is_empty() {
                    return Err(SetError::EmptyMap { key }.into());
                }
                if existed || !inner.is_empty() {
                    insert(data, key, Value::Object(inner));
                }
                outcome
            }
            Some(',') => Err(SetError::EndsWithComma { key }.into()),
            Some(_) => match self.value() {
                Ok(value) => {
                    insert(data, key, value);
                    Ok(())
                }
                Err(Stop::End) => {
                    insert(data, key, Value::String(String::new()));
                    Err(Stop::End)
                }
                Err(failed) => Err(failed),
            },
        }
    }

    /// Reads a list index and the `]` after it.
    fn index(&mut self) -> Result<i64, Stop> {
        self.indexes += 1;
        if self.indexes > MAX_INDEXES {
            return Err(SetError::TooManyIndexes.into());
        }
        let (index, stop) = self.until(&[']']);
        if stop.is_none() {
            return Err(SetError::OpenIndex.into());
        }
        index.parse().map_err(|error: std::num::ParseIntError| {
            let reason = match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            SetError::InvalidIndex { index, reason }.into()
        })
    }

    /// Reads what follows `]` and sets the list's item.
    fn list_item(&mut self, list: &mut Vec<Value>, index: i64, level: usize) -> Result<(), Stop> {
        let Ok(position) = usize::try_from(index) else {
            return Err(SetError::NegativeIndex { index }.into());
        };
        let (data, stop) = self.until(&['[', '.', '=']);
        if !data.is_empty() {
            return Err(SetError::DataAfterIndex { data }.into());
        }
        match stop {
            None => Err(Stop::End),
            Some('[') => {
                let inner_index = self.index()?;
                let mut inner = match list.get(position) {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(existing)) => existing.clone(),
                    Some(other) => return Err(wrong_type(other, "[]interface {}")),
                };
                self.list_item(&mut inner, inner_index, level)?;
                set_index(&mut self.filled, list, position, Value::Array(inner))
            }
            Some('.') => {
                let existing = list.get_mut(position);
                let existed = existing.is_some();
                let mut inner = match existing {
                    Some(Value::Object(inner)) => std::mem::take(inner),
                    _ => Values::new(),
                };
                let outcome = self.key(&mut inner, level);
                if existed || outcome.is_ok() {
                    set_index(&mut self.filled, list, position, Value::Object(inner))?;
                }
                outcome
            }
            Some(_) => {
                let value = match self.value() {
                    Ok(value) => value,
                    Err(Stop::End) => Value::String(String::new()),
                    Err(failed) => return Err(failed),
                };
                set_index(&mut self.filled, list, position, value)
            }
        }
    }

    /// Reads a value and the comma after it. [`Stop::End`] if the argument ends where the value would start.
    fn value(&mut self) -> Result<Value, Stop> {
        match self.mode {
            Mode::Json => self.json_value(),
            Mode::Literal => Ok(Value::String(std::mem::take(&mut self.rest).to_owned())),
            _ if self.rest.is_empty() => Err(Stop::End),
            _ if self.rest.starts_with('{') => {
                self.next();
                let mut list = Vec::new();
                loop {
                    let (text, stop) = self.until(&[',', '}']);
                    if stop.is_none() {
                        return Err(SetError::UnterminatedList.into());
                    }
                    list.push(self.token(text)?);
                    if stop == Some('}') {
                        break;
                    }
                }
                self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
                Ok(Value::Array(list))
            }
            _ => {
                let (text, _) = self.until(&[',']);
                Ok(self.token(text)?)
            }
        }
    }

    /// The value that one token stands for.
    fn token(&mut self, text: String) -> Result<Value, SetError> {
        match &mut self.mode {
            Mode::Typed => Ok(typed(text)),
            Mode::File(read) => read(&text).map(Value::String).map_err(|detail| SetError::File { detail }),
            _ => Ok(Value::String(text)),
        }
    }

    fn json_value(&mut self) -> Result<Value, Stop> {
        if self.skip_empty_value() {
            return Ok(Value::Null);
        }
        let (mut value, length) = json_prefix(self.rest).map_err(|detail| SetError::Json { detail })?;
        super::numbers_to_floats(&mut value);
        self.rest = &self.rest[length..];
        self.skip_empty_value();
        Ok(value)
    }

    /// Skips spaces and one comma; true if there was nothing else before the comma or the end.
    fn skip_empty_value(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(',') {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => self.rest.is_empty(),
        }
    }
}

/// Reads the JSON value at the start of the text, which may be followed by anything (`json.Decoder`). Returns the value
/// and its length in bytes.
fn json_prefix(text: &str) -> Result<(Value, usize), String> {
    let bytes = text.as_bytes();
    let length = match bytes.first() {
        Some(b'{' | b'[' | b'"') => {
            let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
            return match stream.next() {
                Some(Ok(value)) => Ok((value, stream.byte_offset())),
                Some(Err(error)) => Err(error.to_string()),
                None => Err("unexpected end of JSON input".to_owned()),
            };
        }
        Some(b't' | b'n') => 4,
        Some(b'f') => 5,
        _ => number_length(bytes),
    };
    let token = text.get(..length).unwrap_or(text);
    serde_json::from_str(token).map(|value| (value, token.len())).map_err(|error| error.to_string())
}

/// The length of the longest JSON number at the start, or of what spoils it.
fn number_length(bytes: &[u8]) -> usize {
    let digits = |start: usize| start + bytes.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = usize::from(bytes.first() == Some(&b'-'));
    end = if bytes.get(end) == Some(&b'0') { end + 1 } else { digits(end) };
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        end = digits(end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-'))));
    }
    end
}

fn typed(text: String) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return Value::Bool(true);
    }
    // Go folds U+017F to `s`, so that this spelling is `false` too.
    if text.replace('\u{17f}', "s").eq_ignore_ascii_case("false") {
        return Value::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Null;
    }
    if text == "0" {
        return Value::from(0);
    }
    if !text.starts_with('0')
        && let Ok(integer) = text.parse::<i64>()
    {
        return Value::from(integer);
    }
    Value::String(text)
}

/// Sets an entry, unless the key is empty.
fn insert(data: &mut Values, key: String, value: Value) {
    if !key.is_empty() {
        data.insert(key, value);
    }
}

fn set_index(filled: &mut usize, list: &mut Vec<Value>, position: usize, value: Value) -> Result<(), Stop> {
    if position > MAX_INDEX as usize {
        return Err(SetError::IndexTooLarge { index: position as i64 }.into());
    }
    if list.len() <= position {
        *filled += position - list.len();
        if *filled > MAX_FILLED {
            return Err(SetError::TooManyFilled.into());
        }
        list.resize(position + 1, Value::Null);
    }
    list[position] = value;
    Ok(())
}

fn wrong_type(found: &Value, wanted: &'static str) -> Stop {
    SetError::WrongType { found: super::go_type_name(found), wanted }.into()
}

/// Go's `%q` of a slice of characters.
fn quoted_characters(text: &str) -> String {
    let characters: Vec<String> = text
        .chars()
        .map(|character| {
            let literal = quote(character.to_string().as_bytes());
            let inner = &literal[1..literal.len() - 1];
            match character {
                '"' => "'\"'".to_owned(),
                '\'' => "'\\''".to_owned(),
                _ => format!("'{inner}'"),
            }
        })
        .collect();
    format!("[{}]", characters.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Apply = fn(&str, &mut Values) -> Result<(), SetError>;

    fn applied(apply: Apply, arguments: &[&str]) -> Result<Value, String> {
        let mut values = Values::new();
        for argument in arguments {
            apply(argument, &mut values).map_err(|error| error.to_string())?;
        }
        Ok(Value::Object(values))
    }

    #[test]
    fn sets_typed_values() {
        for (arguments, expected) in [
            (&["a=1,b=2"][..], json!({"a": 1, "b": 2})),
            (&["a.b.c=1"], json!({"a": {"b": {"c": 1}}})),
            (&[r"a\.b=1"], json!({"a.b": 1})),
            (&[" a =b"], json!({" a ": "b"})),
            (&["a[1]=x"], json!({"a": [null, "x"]})),
            (&["a[0][1]=x"], json!({"a": [[null, "x"]]})),
            (&["a[0].b=x,a[0].c=y"], json!({"a": [{"b": "x", "c": "y"}]})),
            (&["a=b=c"], json!({"a": "b=c"})),
            (&["a={x,1,true,null}"], json!({"a": ["x", 1, true, null]})),
            (&["a={x,y},b=1"], json!({"a": ["x", "y"], "b": 1})),
            (&["a={}"], json!({"a": [""]})),
            (&["a="], json!({"a": ""})),
            (&["a=,b=1"], json!({"a": "", "b": 1})),
            (&["=1"], json!({})),
            (&[r"a=x\,y"], json!({"a": "x,y"})),
            (&[r"a=x\"], json!({"a": "x"})),
            (&["a=TRUE,b=fAlse,c=Null"], json!({"a": true, "b": false, "c": null})),
            (&["a=0,b=01,c=00,d=+1,e=-5"], json!({"a": 0, "b": "01", "c": "00", "d": 1, "e": -5})),
            (&["a=1.5,b=1e3,c=yes"], json!({"a": "1.5", "b": "1e3", "c": "yes"})),
            (&["a=99999999999999999999"], json!({"a": "99999999999999999999"})),
            (&["a.b=1", "a.c=2"], json!({"a": {"b": 1, "c": 2}})),
            (&["a[0]=x", "a[2]=y"], json!({"a": ["x", null, "y"]})),
            (&["a[0]"], json!({"a": []})),
            (&["a[0]=x", "a[0].b=y"], json!({"a": [{"b": "y"}]})),
            (&["a={x}b=1"], json!({"a": ["x"], "b": 1})),
            (&[""], json!({})),
            (&["a=\"x\""], json!({"a": "\"x\""})),
        ] {
            assert_eq!(applied(set, arguments), Ok(expected), "{arguments:?}");
        }
    }

    #[test]
    fn explains_what_is_wrong() {
        for (arguments, expected) in [
            (&["a"][..], r#"key "a" has no value"#),
            (&["a,b=1"], r#"key "a" has no value (cannot end with ,)"#),
            (&["a={1,2"], "list must terminate with '}'"),
            (&["a[-1]=1"], "negative -1 index not allowed"),
            (&["a[70000]=1"], "index of 70000 is greater than maximum supported index of 65536"),
            (&["a[x]=1"], r#"error parsing index: strconv.Atoi: parsing "x": invalid syntax"#),
            (&["a[]=1"], r#"error parsing index: strconv.Atoi: parsing "": invalid syntax"#),
            (
                &["a[99999999999999999999]=1"],
                r#"error parsing index: strconv.Atoi: parsing "99999999999999999999": value out of range"#,
            ),
            (&["a[0"], "error parsing index: EOF"),
            (&["a.b.=1"], r#"key map "b" has no value"#),
            (&["a[0]x'=1"], r"unexpected data at end of array index: ['x' '\'']"),
            (
                &["a=1", "a.b=2"],
                "unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}",
            ),
            (
                &["a=null", "a[0]=2"],
                "unable to parse key: interface conversion: interface {} is nil, not []interface {}",
            ),
            (
                &["a.b=1", "a[0]=2"],
                "unable to parse key: interface conversion: interface {} is map[string]interface {}, not []interface {}",
            ),
        ] {
            assert_eq!(applied(set, arguments), Err(expected.to_owned()), "{arguments:?}");
        }
        let deep = format!("{}z=1", "a.".repeat(31));
        assert_eq!(
            applied(set, &[&deep]),
            Err("value name nested level is greater than maximum supported nested level of 30".to_owned())
        );
        assert!(applied(set, &[&format!("a{}=1", "[0]".repeat(100_000))]).is_err());
    }

    #[test]
    fn sets_strings_and_literals() {
        assert_eq!(applied(set_string, &["a=null,b=1,c={true}"]), Ok(json!({"a": "null", "b": "1", "c": ["true"]})));
        assert_eq!(applied(set_literal, &[r"a.b[1]=x,y\z={1}"]), Ok(json!({"a": {"b": [null, r"x,y\z={1}"]}})));
        assert_eq!(applied(set_literal, &["a,b="]), Ok(json!({"a,b": ""})));
    }

    #[test]
    fn sets_json() {
        for (argument, expected) in [
            (r#"a={"b":[1,null]},c=2"#, json!({"a": {"b": [1.0, null]}, "c": 2.0})),
            ("a=1 , b=2", json!({"a": 1.0, " b": 2.0})),
            ("a=,b=true", json!({"a": null, "b": true})),
            ("a=", json!({"a": null})),
            (r#"a[0].b="x""#, json!({"a": [{"b": "x"}]})),
            (r#" {"a": {"b": 1}} "#, json!({"a": {"b": 1.0}})),
            ("a=-1.5e3,b=0", json!({"a": -1500.0, "b": 0.0})),
        ] {
            assert_eq!(applied(set_json, &[argument]), Ok(expected), "{argument}");
        }
        for argument in ["a=xyz", "{a}", "a=[1", "a=-", "a=1.", "a=1e400", "a=nul"] {
            assert!(applied(set_json, &[argument]).is_err(), "{argument}");
        }
    }

    #[test]
    fn sets_file_contents() {
        let mut values = Values::new();
        let mut read = |path: &str| {
            if path == "key.pem" { Ok("text\n".to_owned()) } else { Err(format!("open {path}: no such file")) }
        };
        set_file("tls.key=key.pem", &mut values, &mut read).unwrap();
        assert_eq!(Value::Object(values.clone()), json!({"tls": {"key": "text\n"}}));
        let error = set_file("a=missing", &mut values, &mut read).unwrap_err();
        assert_eq!(error.to_string(), "open missing: no such file");
    }
}
