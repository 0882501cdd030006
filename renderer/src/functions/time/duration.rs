//! Go's `time.Duration`: nanoseconds in 64 bits.

use std::any::Any;

use crate::functions::{Parameter, Signature};
use crate::value::{MethodError, Object, Value};

/// Nanoseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A span of time in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Duration(pub(crate) i64);

/// Why a text is no duration; the texts are Go's.
// Go: time/format.go ParseDuration
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseDurationError {
    #[error("time: invalid duration {0}")]
    Invalid(String),
    #[error("time: missing unit in duration {0}")]
    MissingUnit(String),
    #[error("time: unknown unit {unit} in duration {duration}")]
    UnknownUnit { unit: String, duration: String },
}

/// A Go string literal as package `time` writes it: everything outside printable ASCII byte by byte.
// Go: time/format.go quote
pub(super) fn quote(text: &[u8]) -> String {
    use std::fmt::Write;
    let mut quoted = String::from("\"");
    for &byte in text {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            b' '..=0x7f => quoted.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => drop(write!(quoted, "\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

fn unit(name: &[u8]) -> Option<u64> {
    let nanoseconds = match name {
        b"ns" => 1,
        // Micro sign and Greek letter mu.
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => SECOND,
        b"m" => MINUTE,
        b"h" => HOUR,
        _ => return None,
    };
    Some(nanoseconds.unsigned_abs())
}

impl Duration {
    /// Parses `1h15m30.918s`, `-1.5h`, `0`.
    // Go: time/format.go ParseDuration
    pub(crate) fn parse(text: &[u8]) -> Result<Self, ParseDurationError> {
        /// One more than the largest duration.
        const LIMIT: u64 = 1 << 63;
        let invalid = || ParseDurationError::Invalid(quote(text));
        let (negative, mut rest) = match text.split_first() {
            Some((b'-', rest)) => (true, rest),
            Some((b'+', rest)) => (false, rest),
            _ => (false, text),
        };
        if rest == b"0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            if !matches!(rest[0], b'.' | b'0'..=b'9') {
                return Err(invalid());
            }
            let digits = digits(rest);
            let whole = rest[..digits].iter().try_fold(0u64, |value, byte| {
                let value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
                (value <= LIMIT).then_some(value)
            });
            let mut whole = whole.ok_or_else(invalid)?;
            rest = &rest[digits..];
            let (mut fraction, mut scale, mut fraction_digits) = (0u64, 1f64, 0);
            if let Some(after) = rest.strip_prefix(b".") {
                fraction_digits = self::digits(after);
                for byte in &after[..fraction_digits] {
                    // What does not fit is below a nanosecond.
                    if fraction > (LIMIT - 1) / 10 {
                        break;
                    }
                    fraction = fraction * 10 + u64::from(byte - b'0');
                    scale *= 10.0;
                }
                rest = &after[fraction_digits..];
            }
            if digits == 0 && fraction_digits == 0 {
                return Err(invalid());
            }
            let unit_length = rest.iter().take_while(|byte| !matches!(byte, b'.' | b'0'..=b'9')).count();
            if unit_length == 0 {
                return Err(ParseDurationError::MissingUnit(quote(text)));
            }
            let (name, after) = rest.split_at(unit_length);
            rest = after;
            let unit = unit(name)
                .ok_or_else(|| ParseDurationError::UnknownUnit { unit: quote(name), duration: quote(text) })?;
            whole = whole.checked_mul(unit).filter(|&value| value <= LIMIT).ok_or_else(invalid)?;
            whole += (fraction as f64 * (unit as f64 / scale)) as u64;
            total = total.saturating_add(whole);
            if whole > LIMIT || total > LIMIT {
                return Err(invalid());
            }
        }
        match (negative, i64::try_from(total)) {
            (true, _) => Ok(Self((total as i64).wrapping_neg())),
            (false, Ok(total)) => Ok(Self(total)),
            (false, Err(_)) => Err(invalid()),
        }
    }

    /// The nearest multiple of `unit`, half away from zero; unchanged for a unit that is not positive.
    // Go: time/time.go Duration.Round
    pub(crate) fn round(self, unit: i64) -> Self {
        if unit <= 0 {
            return self;
        }
        let remainder = self.0 % unit;
        let below_half = remainder.unsigned_abs().saturating_mul(2) < unit.unsigned_abs();
        let down = self.0 - remainder;
        let rounded = match (below_half, self.0 < 0) {
            (true, _) => Some(down),
            (false, true) => down.checked_sub(unit),
            (false, false) => down.checked_add(unit),
        };
        Self(rounded.unwrap_or(if self.0 < 0 { i64::MIN } else { i64::MAX }))
    }

    /// The next multiple of `unit` toward zero; unchanged for a unit that is not positive.
    // Go: time/time.go Duration.Truncate
    pub(crate) fn truncate(self, unit: i64) -> Self {
        if unit <= 0 { self } else { Self(self.0 - self.0 % unit) }
    }

    /// Go's `1h2m3.5s`.
    // Go: time/time.go Duration.String
    pub(crate) fn text(self) -> String {
        let total = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let second = SECOND.unsigned_abs();
        if total == 0 {
            return "0s".to_owned();
        }
        if total < second {
            let (unit, name, places) = match total {
                0..1_000 => (1, "ns", 0),
                1_000..1_000_000 => (1_000, "µs", 3),
                _ => (1_000_000, "ms", 6),
            };
            return format!("{sign}{}{}{name}", total / unit, decimals(total % unit, places));
        }
        let seconds = total / second;
        let last = format!("{}{}s", seconds % 60, decimals(total % second, 9));
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        if hours > 0 {
            format!("{sign}{hours}h{minutes}m{last}")
        } else if minutes > 0 {
            format!("{sign}{minutes}m{last}")
        } else {
            format!("{sign}{last}")
        }
    }

    /// In units of so many nanoseconds, as a float computed like Go's.
    // Go: time/time.go Duration.Hours
    pub(crate) fn in_units(self, unit: i64) -> f64 {
        (self.0 / unit) as f64 + (self.0 % unit) as f64 / unit as f64
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// A point and the fraction's digits without trailing zeros; nothing for zero.
fn decimals(fraction: u64, places: usize) -> String {
    if fraction == 0 {
        return String::new();
    }
    let digits = format!("{fraction:0places$}");
    format!(".{}", digits.trim_end_matches('0'))
}

const NONE: Signature = Signature::fixed(&[]);
const ONE_DURATION: Signature = Signature::fixed(&[Parameter::Object("time.Duration")]);

impl Object for Duration {
    fn type_name(&self) -> &'static str {
        "time.Duration"
    }

    fn kind_name(&self) -> &'static str {
        "int64"
    }

    fn is_true(&self) -> bool {
        self.0 != 0
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "Hours" | "Minutes" | "Seconds" | "Milliseconds" | "Microseconds" | "Nanoseconds" | "String" | "Abs" => {
                Some(NONE)
            }
            "Round" | "Truncate" => Some(ONE_DURATION),
            _ => None,
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, MethodError> {
        let unit = || super::duration_argument(arguments).map(|unit| unit.0).ok_or(MethodError::Unknown);
        Ok(match name {
            "Hours" => Value::Float64(self.in_units(HOUR)),
            "Minutes" => Value::Float64(self.in_units(MINUTE)),
            "Seconds" => Value::Float64(self.in_units(SECOND)),
            "Milliseconds" => Value::Int64(self.0 / 1_000_000),
            "Microseconds" => Value::Int64(self.0 / 1_000),
            "Nanoseconds" => Value::Int64(self.0),
            "String" => Value::string(self.text()),
            "Abs" => super::object(Self(self.0.saturating_abs())),
            "Round" => super::object(self.round(unit()?)),
            "Truncate" => super::object(self.truncate(unit()?)),
            _ => return Err(MethodError::Unknown),
        })
    }

    fn to_text(&self) -> Vec<u8> {
        self.text().into_bytes()
    }

    fn to_plain(&self) -> Value {
        Value::Int64(self.0)
    }

    fn with_number(&self, number: i64) -> Option<Value> {
        Some(super::object(Self(number)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
