//! Go's texts of floats in every format (`strconv.FormatFloat`).

use crate::number::format_small_whole;

/// More fraction digits than any float has: further ones are zeros.
const MAX_EXACT_DIGITS: usize = 1_100;

/// Digits of a number without trailing zeros, and where the point is: the value is `0.DIGITS` times ten to `point`.
struct Decimal {
    digits: String,
    point: i32,
}

impl Decimal {
    /// Takes apart what Rust prints for `{:e}`, such as `1.25e-7`.
    fn parse(scientific: &str) -> Self {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Self { digits, point: 0 };
        }
        Self { digits, point: exponent.parse::<i32>().unwrap_or(0) + 1 }
    }

    fn digit(&self, index: i32) -> char {
        usize::try_from(index)
            .ok()
            .and_then(|index| self.digits.as_bytes().get(index))
            .map_or('0', |digit| char::from(*digit))
    }

    /// Go: strconv/ftoa.go fmtE
    fn exponent_form(&self, precision: usize, letter: char) -> String {
        let mut text = String::from(self.digit(0));
        if precision > 0 {
            text.push('.');
            text.extend((1..=precision as i32).map(|index| self.digit(index)));
        }
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{text}{letter}{sign}{:02}", exponent.unsigned_abs())
    }

    /// Go: strconv/ftoa.go fmtF
    fn plain_form(&self, precision: usize) -> String {
        let mut text = String::new();
        if self.point > 0 {
            text.extend((0..self.point).map(|index| self.digit(index)));
        } else {
            text.push('0');
        }
        if precision > 0 {
            text.push('.');
            text.extend((0..precision as i32).map(|index| self.digit(self.point + index)));
        }
        text
    }
}

/// A number in the format of a verb: `e`, `E`, `f`, `g`, `G`, `b`, `x` or `X`; without a precision, the shortest digits
/// that read back as the same number. Negative numbers have a sign, infinities always.
// Go: strconv.FormatFloat
pub(super) fn format(value: f64, verb: char, precision: Option<usize>) -> String {
    if verb == 'g'
        && precision.is_none()
        && let Some(text) = format_small_whole(value)
    {
        return text;
    }
    if value.is_nan() {
        return String::from("NaN");
    }
    if value.is_infinite() {
        return String::from(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
    let magnitude = value.abs();
    let text = match (verb, precision) {
        ('e' | 'E', Some(precision)) => {
            let exact = precision.min(MAX_EXACT_DIGITS);
            Decimal::parse(&format!("{magnitude:.exact$e}")).exponent_form(precision, verb)
        }
        ('e' | 'E', None) => {
            let decimal = Decimal::parse(&format!("{magnitude:e}"));
            decimal.exponent_form(decimal.digits.len().saturating_sub(1), verb)
        }
        ('f', Some(precision)) => {
            let exact = precision.min(MAX_EXACT_DIGITS);
            let mut text = format!("{magnitude:.exact$}");
            text.extend(std::iter::repeat_n('0', precision - exact));
            text
        }
        ('f', None) => format!("{magnitude}"),
        ('b', _) => binary(magnitude),
        ('x' | 'X', precision) => hexadecimal(magnitude, verb, precision),
        (_, precision) => general(magnitude, if verb == 'G' { 'E' } else { 'e' }, precision),
    };
    if value.is_sign_negative() { format!("-{text}") } else { text }
}

/// `%g`: exponent form below 1e-4 and from the precision on, which is 6 for this purpose if there is none.
fn general(magnitude: f64, letter: char, precision: Option<usize>) -> String {
    let (decimal, mut digits, mut limit) = match precision {
        None => {
            let decimal = Decimal::parse(&format!("{magnitude:e}"));
            let digits = decimal.digits.len();
            (decimal, digits, 6)
        }
        Some(precision) => {
            let precision = precision.max(1);
            let exact = (precision - 1).min(MAX_EXACT_DIGITS);
            (Decimal::parse(&format!("{magnitude:.exact$e}")), precision, precision as i32)
        }
    };
    let length = decimal.digits.len() as i32;
    if limit > length && length >= decimal.point {
        limit = length;
    }
    if precision.is_none() {
        limit = 6;
    }
    let exponent = decimal.point - 1;
    if exponent < -4 || exponent >= limit {
        digits = digits.min(decimal.digits.len());
        return decimal.exponent_form(digits.saturating_sub(1), letter);
    }
    decimal.plain_form(usize::try_from(length - decimal.point).unwrap_or(0))
}

const MANTISSA_BITS: u32 = 52;
const EXPONENT_BIAS: i64 = 1_023;

/// The mantissa with its hidden bit, and the exponent of its first bit.
fn parts(magnitude: f64) -> (u64, i64) {
    let bits = magnitude.to_bits();
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1);
    match (bits >> MANTISSA_BITS) as i64 {
        0 => (mantissa, 1 - EXPONENT_BIAS),
        exponent => (mantissa | 1 << MANTISSA_BITS, exponent - EXPONENT_BIAS),
    }
}

// Go: strconv/ftoa.go fmtB
fn binary(magnitude: f64) -> String {
    let (mantissa, exponent) = parts(magnitude);
    format!("{mantissa}p{:+}", exponent - i64::from(MANTISSA_BITS))
}

// Go: strconv/ftoa.go fmtX
fn hexadecimal(magnitude: f64, verb: char, precision: Option<usize>) -> String {
    /// Hexadecimal digits of the mantissa after the point, once its first bit is moved to bit 60.
    const FRACTION_DIGITS: usize = 15;
    let (mut mantissa, mut exponent) = parts(magnitude);
    if mantissa == 0 {
        exponent = 0;
    }
    mantissa <<= 60 - MANTISSA_BITS;
    while mantissa != 0 && mantissa & (1 << 60) == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision) = precision
        && precision < FRACTION_DIGITS
    {
        // Round to even at the last digit shown.
        let shift = precision * 4;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut text = format!("0x{}", (mantissa >> 60) & 1);
    mantissa <<= 4;
    let fraction = format!("{mantissa:016x}");
    let shown = match precision {
        None => fraction.trim_end_matches('0').to_owned(),
        Some(precision) => fraction.chars().chain(std::iter::repeat('0')).take(precision).collect(),
    };
    if !shown.is_empty() {
        text.push('.');
        text.push_str(&shown);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let text = format!("{text}p{sign}{:02}", exponent.unsigned_abs());
    if verb == 'X' { text.to_uppercase() } else { text }
}
