//! What a plain scalar means: the YAML 1.1 rules of `go.yaml.in/yaml` v2 (`resolve.go`).

/// A scalar's type and value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    /// A date or time; its value is the text itself.
    Timestamp,
    /// Anything else.
    String,
}

impl Scalar {
    /// The short tag that error texts name.
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Int(_) | Self::Uint(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Timestamp => "!!timestamp",
            Self::String => "!!str",
        }
    }
}

/// Resolves a scalar by its text. `timestamps` is false where an explicit tag other than `!!timestamp` rules them out.
pub(crate) fn resolve(text: &str, timestamps: bool) -> Scalar {
    if let Some(scalar) = resolve_word(text) {
        return scalar;
    }
    match text.as_bytes().first() {
        Some(b'.') => parse_dotted_float(text).map_or(Scalar::String, Scalar::Float),
        Some(b'+' | b'-' | b'0'..=b'9') => resolve_number(text, timestamps),
        _ => Scalar::String,
    }
}

/// The words with a meaning of their own.
fn resolve_word(text: &str) -> Option<Scalar> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn resolve_number(text: &str, timestamps: bool) -> Scalar {
    if timestamps && is_timestamp(text) {
        return Scalar::Timestamp;
    }
    let plain = text.replace('_', "");
    if let Some(value) = parse_int(&plain) {
        return Scalar::Int(value);
    }
    if let Some(value) = parse_unsigned(&plain) {
        return Scalar::Uint(value);
    }
    if is_float_text(&plain)
        && let Some(value) = parse_finite(&plain)
    {
        return Scalar::Float(value);
    }
    // What remains of binary literals is a sign after the prefix: Go's ParseInt takes `+1` and `-1` as digits.
    if let Some(digits) = plain.strip_prefix("0b") {
        if let Some(value) = parse_signed_binary(digits) {
            return Scalar::Int(value);
        }
    } else if let Some(digits) = plain.strip_prefix("-0b")
        && let Some(value) = parse_signed_binary(&format!("-{digits}"))
    {
        return Scalar::Int(value);
    }
    Scalar::String
}

fn parse_signed_binary(text: &str) -> Option<i64> {
    i64::from_str_radix(text, 2).ok()
}

/// Go's `strconv.ParseInt(text, 0, 64)` for text without underscores.
fn parse_int(text: &str) -> Option<i64> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = parse_unsigned(unsigned)?;
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Go's `strconv.ParseUint(text, 0, 64)` for text without underscores.
fn parse_unsigned(text: &str) -> Option<u64> {
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    // Rust would accept a sign here.
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float_text(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(index) => (&unsigned[..index], Some(&unsigned[index + 1..])),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_fits && exponent_fits
}

/// A decimal number that does not overflow.
fn parse_finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Go's `strconv.ParseFloat` for text that starts with a dot: underscores may stand between digits.
fn parse_dotted_float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let between_digits = |index: usize| {
        index > 0
            && bytes[index - 1].is_ascii_digit()
            && bytes.get(index + 1).is_some_and(|&next| next.is_ascii_digit())
    };
    if bytes.iter().enumerate().any(|(index, &byte)| byte == b'_' && !between_digits(index)) {
        return None;
    }
    let plain = text.replace('_', "");
    if is_float_text(&plain) { parse_finite(&plain) } else { None }
}

/// Whether the text is a date or a time in one of the four layouts that `parseTimestamp` tries.
fn is_timestamp(text: &str) -> bool {
    let Some(day) = Cursor::date(text) else { return false };
    let mut rest = day.clone();
    if rest.is_at_end() {
        return true;
    }
    if rest.take(b'T') || rest.take(b't') {
        return rest.time().is_some() && rest.zone().is_some() && rest.is_at_end();
    }
    let mut rest = day;
    rest.take(b' ') && {
        while rest.take(b' ') {}
        rest.time().is_some() && rest.is_at_end()
    }
}

/// Reads numbers of a date from the front of a text, as Go's `time.Parse` does.
#[derive(Clone)]
struct Cursor<'text> {
    rest: &'text [u8],
}

impl<'text> Cursor<'text> {
    /// Reads `YYYY-M-D` with a day that exists.
    fn date(text: &'text str) -> Option<Self> {
        let mut cursor = Self { rest: text.as_bytes() };
        let year_digits = cursor.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if year_digits != 4 {
            return None;
        }
        let year = cursor.rest[..4].iter().fold(0_u32, |year, digit| year * 10 + u32::from(digit - b'0'));
        cursor.rest = &cursor.rest[4..];
        cursor.expect(b'-')?;
        let month = cursor.number(1, 12)?;
        cursor.expect(b'-')?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        cursor.number(1, days)?;
        Some(cursor)
    }

    /// Reads `h:m:s` and a fraction of a second.
    fn time(&mut self) -> Option<()> {
        self.number(0, 23)?;
        self.expect(b':')?;
        self.number(0, 59)?;
        self.expect(b':')?;
        self.number(0, 59)?;
        if let [b'.' | b',', digit, ..] = self.rest
            && digit.is_ascii_digit()
        {
            let digits = self.rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.rest = &self.rest[1 + digits..];
        }
        Some(())
    }

    /// Reads `Z` or `±hh:mm`.
    fn zone(&mut self) -> Option<()> {
        if self.take(b'Z') {
            return Some(());
        }
        if !(self.take(b'+') || self.take(b'-')) {
            return None;
        }
        // Go takes offsets of exactly 24 hours and 60 minutes.
        self.two_digits(24)?;
        self.expect(b':')?;
        self.two_digits(60)
    }

    fn two_digits(&mut self, maximum: u32) -> Option<()> {
        let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = self.rest else { return None };
        let value = u32::from(tens - b'0') * 10 + u32::from(ones - b'0');
        self.rest = rest;
        (value <= maximum).then_some(())
    }

    /// Reads one or two digits.
    fn number(&mut self, minimum: u32, maximum: u32) -> Option<u32> {
        let digits = self.rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
        let value = self.rest[..digits].iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        self.rest = &self.rest[digits..];
        (digits > 0 && (minimum..=maximum).contains(&value)).then_some(value)
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }

    fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}
