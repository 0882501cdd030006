//! JSON text to values, with the errors of Go's `encoding/json`.

use crate::quote;
use crate::value::{GoString, Map, Value};

/// The deepest nesting that is read. Go reads 10,000 levels; native stack bounds what recursion can take.
pub const MAX_DECODE_DEPTH: usize = 300;

/// A text that cannot be decoded, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct DecodeError {
    text: String,
    is_limit: bool,
}

impl DecodeError {
    pub(crate) fn new(text: String) -> Self {
        Self { text, is_limit: false }
    }

    /// A limit of this crate, where Go reads on.
    pub(crate) fn limit(text: String) -> Self {
        Self { text, is_limit: true }
    }

    /// Whether the text is only too much for this crate. Whoever turns errors into values must not do so with these: the
    /// text has another value in Helm.
    pub fn is_limit(&self) -> bool {
        self.is_limit
    }

    /// A JSON value of one kind where Go's target type takes another.
    pub(crate) fn mismatch(value: &Value, target: &str) -> Self {
        let kind = match value {
            Value::Bool(_) => "bool",
            Value::String(_) => "string",
            Value::List(_) => "array",
            Value::Map(_) => "object",
            _ => "number",
        };
        Self::new(format!("json: cannot unmarshal {kind} into Go value of type {target}"))
    }
}

/// A decoded text. Go goes on after a number that is too large: its value is nil, and the first such error is reported
/// beside the result.
#[derive(Debug)]
pub struct Decoded {
    /// The value; all numbers are `float64`.
    pub value: Value,
    /// A number that does not fit.
    pub error: Option<DecodeError>,
}

/// Decodes a text into `any` as `json.Unmarshal` does. Invalid UTF-8 becomes U+FFFD, of equal keys the last counts.
pub fn decode(text: &[u8]) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder { text, place: 0, error: None };
    let value = decoder.value(0)?;
    decoder.skip_space();
    match decoder.peek() {
        Some(_) => Err(decoder.unexpected("after top-level value")),
        None => Ok(Decoded { value, error: decoder.error }),
    }
}

struct Decoder<'text> {
    text: &'text [u8],
    place: usize,
    error: Option<DecodeError>,
}

impl Decoder<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.place).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.place += 1;
        }
    }

    /// The error at the current byte, or at the end of the text.
    fn unexpected(&self, context: &str) -> DecodeError {
        match self.peek() {
            Some(byte) => Self::invalid(byte, context),
            None => DecodeError::new("unexpected end of JSON input".to_owned()),
        }
    }

    /// The error at the current byte inside a token: Go ends the text with a space and complains about that.
    fn unexpected_inside(&self, context: &str) -> DecodeError {
        Self::invalid(self.peek().unwrap_or(b' '), context)
    }

    fn invalid(byte: u8, context: &str) -> DecodeError {
        let character = match byte {
            b'\'' => r"\'".to_owned(),
            b'"' => "\"".to_owned(),
            _ => {
                let quoted = quote::quote(char::from(byte).to_string().as_bytes());
                quoted[1..quoted.len() - 1].to_owned()
            }
        };
        DecodeError::new(format!("invalid character '{character}' {context}"))
    }

    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        if depth > MAX_DECODE_DEPTH {
            return Err(DecodeError::limit(format!("exceeded max depth of {MAX_DECODE_DEPTH}")));
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Value::String(GoString::from(self.string()?))),
            Some(b't') => self.literal("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.literal("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.literal("null").map(|()| Value::Nil),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let map = Map::new();
        self.place += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.place += 1;
            return Ok(Value::Map(map));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = GoString::from(self.string()?);
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.place += 1;
            let value = self.value(depth + 1)?;
            map.insert(key, value);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.place += 1,
                Some(b'}') => {
                    self.place += 1;
                    return Ok(Value::Map(map));
                }
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let mut items = Vec::new();
        self.place += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.place += 1;
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.place += 1,
                Some(b']') => {
                    self.place += 1;
                    return Ok(Value::list(items));
                }
                _ => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn literal(&mut self, literal: &str) -> Result<(), DecodeError> {
        for expected in literal.bytes() {
            if self.peek() != Some(expected) {
                let context = format!("in literal {literal} (expecting '{}')", char::from(expected));
                return Err(self.unexpected_inside(&context));
            }
            self.place += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, DecodeError> {
        let start = self.place;
        if self.peek() == Some(b'-') {
            self.place += 1;
        }
        match self.peek() {
            Some(b'0') => self.place += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected_inside("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.place += 1;
            self.some_digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.place += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.place += 1;
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        let text = String::from_utf8_lossy(&self.text[start..self.place]);
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Value::Float64(value)),
            _ => {
                let error =
                    DecodeError::new(format!("json: cannot unmarshal number {text} into Go value of type float64"));
                self.error.get_or_insert(error);
                Ok(Value::Nil)
            }
        }
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.place += 1;
        }
    }

    fn some_digits(&mut self, context: &str) -> Result<(), DecodeError> {
        match self.peek() {
            Some(b'0'..=b'9') => {
                self.digits();
                Ok(())
            }
            _ => Err(self.unexpected_inside(context)),
        }
    }

    /// Reads a string, from its opening quote to past its closing one.
    fn string(&mut self) -> Result<String, DecodeError> {
        self.place += 1;
        let mut text = String::new();
        loop {
            let start = self.place;
            while let Some(b' '..=b'!' | b'#'..=b'[' | b']'..) = self.peek() {
                self.place += 1;
            }
            text.push_str(&super::valid_utf8(&self.text[start..self.place]));
            match self.peek() {
                Some(b'"') => {
                    self.place += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.place += 1;
                    text.push(self.escape()?);
                }
                _ => return Err(self.unexpected("in string literal")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, DecodeError> {
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.place += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.unexpected_inside("in string escape code")),
        };
        self.place += 1;
        Ok(character)
    }

    /// Reads four digits, and a second escape where the first is half of a surrogate pair. A lone half becomes U+FFFD.
    fn unicode_escape(&mut self) -> Result<char, DecodeError> {
        let first = self.hexadecimal()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        if first < 0xDC00 && self.text[self.place..].starts_with(b"\\u") {
            let resume = self.place;
            self.place += 2;
            let second = self.hexadecimal()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.place = resume;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hexadecimal(&mut self) -> Result<u32, DecodeError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.unexpected_inside(r"in \u hexadecimal character escape"))?;
            self.place += 1;
        }
        Ok(code)
    }
}
