//! sprig's numbers: conversions, integer arithmetic, rounding, ranges.

use super::arguments::{any, charge_items, charge_text, float, int, text};
use super::text::sprint;
use super::time::Numbered;
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::value::{ElementType, List, Value};

use Parameter::{Any, Float64, Int, String as Text};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "int", parameters: &[Any], variadic: None, call: int_function },
    Function { name: "int64", parameters: &[Any], variadic: None, call: int64_function },
    Function { name: "float64", parameters: &[Any], variadic: None, call: float64_function },
    Function { name: "atoi", parameters: &[Text], variadic: None, call: atoi },
    Function { name: "toDecimal", parameters: &[Any], variadic: None, call: to_decimal },
    Function { name: "add", parameters: &[], variadic: Some(Any), call: add },
    Function { name: "add1", parameters: &[Any], variadic: None, call: add1 },
    Function { name: "sub", parameters: &[Any, Any], variadic: None, call: sub },
    Function { name: "mul", parameters: &[Any], variadic: Some(Any), call: mul },
    Function { name: "div", parameters: &[Any, Any], variadic: None, call: div },
    Function { name: "mod", parameters: &[Any, Any], variadic: None, call: modulo },
    Function { name: "max", parameters: &[Any], variadic: Some(Any), call: max },
    Function { name: "biggest", parameters: &[Any], variadic: Some(Any), call: max },
    Function { name: "min", parameters: &[Any], variadic: Some(Any), call: min },
    Function { name: "maxf", parameters: &[Any], variadic: Some(Any), call: maxf },
    Function { name: "minf", parameters: &[Any], variadic: Some(Any), call: minf },
    Function { name: "ceil", parameters: &[Any], variadic: None, call: ceil },
    Function { name: "floor", parameters: &[Any], variadic: None, call: floor },
    Function { name: "round", parameters: &[Any, Int], variadic: Some(Float64), call: round },
    Function { name: "until", parameters: &[Int], variadic: None, call: until },
    Function { name: "untilStep", parameters: &[Int, Int, Int], variadic: None, call: until_step },
    Function { name: "seq", parameters: &[], variadic: Some(Int), call: seq },
];

/// Go's panic for a zero divisor.
const DIVIDE_BY_ZERO: &str = "runtime error: integer divide by zero";

/// Go's conversion of a `float64` to `int64` on amd64: toward zero; the smallest integer for what does not fit.
pub(super) fn float_to_int64(number: f64) -> i64 {
    // 2^63 is the first float beyond the range; i64::MIN is exactly -2^63.
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) { number as i64 } else { i64::MIN }
}

/// Any value as an integer; 0 for what is not a number.
// sprig: numeric.go toInt64; cast: caste.go ToInt64E
pub(super) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Uint64(number) => *number as i64,
        Value::Uint8(number) => i64::from(*number),
        Value::Float64(number) => float_to_int64(*number),
        Value::Bool(flag) => i64::from(*flag),
        Value::String(text) => parse_int(trim_zero_decimal(text), 0).unwrap_or(0),
        // A month or weekday.
        Value::Object(object) => object.as_any().downcast_ref::<Numbered>().map_or(0, |named| named.number),
        _ => 0,
    }
}

/// Any value as a float; 0 for what is not a number.
// sprig: numeric.go toFloat64; cast: caste.go ToFloat64E
pub(super) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Int(number) | Value::Int64(number) => *number as f64,
        Value::Uint64(number) => *number as f64,
        Value::Uint8(number) => f64::from(*number),
        Value::Float64(number) => *number,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::String(text) => parse_float(text).unwrap_or(0.0),
        Value::Object(object) => object.as_any().downcast_ref::<Numbered>().map_or(0.0, |named| named.number as f64),
        _ => 0.0,
    }
}

/// Cuts off a `.` that only zeros follow, at least one.
// cast: caste.go trimZeroDecimal
fn trim_zero_decimal(text: &[u8]) -> &[u8] {
    let zeros = text.iter().rev().take_while(|&&byte| byte == b'0').count();
    match text[..text.len() - zeros].split_last() {
        Some((b'.', integer)) if zeros > 0 => integer,
        _ => text,
    }
}

/// Parses an integer in a base of 2 to 16, or by its prefix in base 0 with `_` between digits.
// Go: strconv.ParseInt
pub(crate) fn parse_int(text: &[u8], base: u32) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        (b'+', digits) => (false, digits),
        _ => (false, text),
    };
    let magnitude = i128::from(parse_uint(digits, base)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

pub(crate) fn parse_uint(text: &[u8], base: u32) -> Option<u64> {
    let first = *text.first()?;
    let by_prefix = base == 0;
    let (digits, base) = match (by_prefix, first, text.get(1).map(u8::to_ascii_lowercase)) {
        (true, b'0', Some(b'x')) => (&text[2..], 16),
        (true, b'0', Some(b'o')) => (&text[2..], 8),
        (true, b'0', Some(b'b')) => (&text[2..], 2),
        (true, b'0', Some(_)) => (&text[1..], 8),
        (true, ..) => (text, 10),
        (false, ..) => (text, base),
    };
    if by_prefix && !underscores_are_fine(text) {
        return None;
    }
    let mut number: u64 = 0;
    let mut any_digit = false;
    for &byte in digits {
        if byte == b'_' && by_prefix {
            continue;
        }
        let digit = char::from(byte).to_digit(base)?;
        number = number.checked_mul(u64::from(base))?.checked_add(u64::from(digit))?;
        any_digit = true;
    }
    // A leading zero that was taken for the octal prefix is a digit when only underscores follow.
    any_digit.then_some(number)
}

/// Whether each underscore stands between digits, or between the base prefix and a digit.
// Go: strconv/atoi.go underscoreOK
fn underscores_are_fine(text: &[u8]) -> bool {
    let has_prefix = text.len() >= 2 && text[0] == b'0' && matches!(text[1].to_ascii_lowercase(), b'x' | b'o' | b'b');
    let digits = if has_prefix { &text[2..] } else { text };
    let is_hexadecimal = has_prefix && matches!(text[1], b'x' | b'X');
    // The prefix counts as a digit.
    let mut previous = if has_prefix { b'0' } else { b'^' };
    for &byte in digits {
        let is_digit = byte.is_ascii_digit() || is_hexadecimal && byte.is_ascii_hexdigit();
        if byte == b'_' && previous != b'0' || !is_digit && byte != b'_' && previous == b'_' {
            return false;
        }
        previous = if byte == b'_' {
            b'_'
        } else if is_digit {
            b'0'
        } else {
            b'!'
        };
    }
    previous != b'_'
}

/// Parses a float as Go does: decimal, `inf`, `infinity`, `nan` in any case, hexadecimal with an exponent, `_` between
/// digits.
// Go: strconv.ParseFloat
pub(crate) fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" if unsigned.len() == text.len() => return Some(f64::NAN),
        _ => {}
    }
    if !underscores_are_fine(unsigned.as_bytes()) {
        return None;
    }
    let digits = unsigned.replace('_', "");
    if let Some(hexadecimal) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return parse_hexadecimal(hexadecimal.as_bytes()).map(|magnitude| sign * magnitude);
    }
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    // Go reports what is too large as a range error, which the callers treat as no number.
    digits.parse::<f64>().ok().filter(|number| number.is_finite()).map(|magnitude| sign * magnitude)
}

/// `1.8p3` after `0x`: as many digits of the mantissa as a float can need, scaled by the exponent.
fn parse_hexadecimal(text: &[u8]) -> Option<f64> {
    // 2 to this power is beyond every float, in both directions.
    const POWER_LIMIT: i64 = 1200;
    let exponent_at = text.iter().position(|byte| matches!(byte, b'p' | b'P'))?;
    let exponent: i64 = std::str::from_utf8(&text[exponent_at + 1..]).ok()?.parse().ok()?;
    let (mut mantissa, mut scale) = (0u64, 0i64);
    let (mut any_digit, mut after_point) = (false, false);
    for &byte in &text[..exponent_at] {
        if byte == b'.' && !after_point {
            after_point = true;
            continue;
        }
        let digit = u64::from(char::from(byte).to_digit(16)?);
        any_digit = true;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
            scale -= if after_point { 4 } else { 0 };
        } else {
            // Digits that do not fit only matter for rounding.
            mantissa |= u64::from(digit != 0);
            scale += if after_point { 0 } else { 4 };
        }
    }
    let power = exponent.checked_add(scale)?.clamp(-POWER_LIMIT, POWER_LIMIT) as i32;
    // In two steps, so that a large mantissa with a small power does not vanish early.
    let number = mantissa as f64 * 2f64.powi(power / 2) * 2f64.powi(power - power / 2);
    (any_digit && number.is_finite()).then_some(number)
}

fn int_function(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Int(to_int64(any(arguments, 0)?)))
}

fn int64_function(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Int64(to_int64(any(arguments, 0)?)))
}

fn float64_function(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Float64(to_float64(any(arguments, 0)?)))
}

/// A decimal integer; the limit for what is too large, 0 for everything else that is no integer.
// Go: strconv.Atoi and ParseInt without their errors
pub(super) fn parse_or_limit(text: &[u8]) -> i64 {
    parse_int(text, 10).unwrap_or_else(|| match text.strip_prefix(b"-") {
        Some(digits) if is_decimal(digits) => i64::MIN,
        None if is_decimal(text.strip_prefix(b"+").unwrap_or(text)) => i64::MAX,
        _ => 0,
    })
}

fn atoi(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Int(parse_or_limit(text(arguments, 0)?)))
}

fn is_decimal(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

// sprig: numeric.go toDecimal
fn to_decimal(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Int64(parse_int(&sprint(context, any(arguments, 0)?)?, 8).unwrap_or(0)))
}

/// Folds the integer forms of all arguments, the first being the start.
fn fold_int(arguments: &[Value], step: impl Fn(i64, i64) -> i64) -> CallResult {
    Ok(Value::Int64(arguments.iter().map(to_int64).reduce(step).unwrap_or(0)))
}

fn add(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold_int(arguments, i64::wrapping_add)
}

fn add1(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Int64(to_int64(any(arguments, 0)?).wrapping_add(1)))
}

fn sub(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold_int(arguments, i64::wrapping_sub)
}

fn mul(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold_int(arguments, i64::wrapping_mul)
}

fn divided(arguments: &[Value], operation: fn(i64, i64) -> i64) -> CallResult {
    match to_int64(any(arguments, 1)?) {
        0 => Err(CallError::message(DIVIDE_BY_ZERO)),
        divisor => Ok(Value::Int64(operation(to_int64(any(arguments, 0)?), divisor))),
    }
}

fn div(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    divided(arguments, i64::wrapping_div)
}

fn modulo(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    divided(arguments, i64::wrapping_rem)
}

fn max(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold_int(arguments, i64::max)
}

fn min(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold_int(arguments, i64::min)
}

fn fold_float(arguments: &[Value], step: impl Fn(f64, f64) -> f64) -> CallResult {
    Ok(Value::Float64(arguments.iter().map(to_float64).reduce(step).unwrap_or(0.0)))
}

// Go: math.Max: NaN wins unless an infinity decides; 0 is above -0.
fn maxf(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold_float(arguments, |a, b| {
        if a == f64::INFINITY || b == f64::INFINITY {
            f64::INFINITY
        } else if a.is_nan() || b.is_nan() {
            f64::NAN
        } else if a == 0.0 && b == 0.0 {
            if a.is_sign_negative() { b } else { a }
        } else {
            a.max(b)
        }
    })
}

// Go: math.Min
fn minf(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold_float(arguments, |a, b| {
        if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
            f64::NEG_INFINITY
        } else if a.is_nan() || b.is_nan() {
            f64::NAN
        } else if a == 0.0 && b == 0.0 {
            if a.is_sign_negative() { a } else { b }
        } else {
            a.min(b)
        }
    })
}

fn ceil(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Float64(to_float64(any(arguments, 0)?).ceil()))
}

fn floor(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Float64(to_float64(any(arguments, 0)?).floor()))
}

/// 10 to an integral power, with the rounding of Go's repeated squaring.
// Go: math.Pow
fn power_of_ten(places: i64) -> f64 {
    // Beyond this the result is zero or infinite.
    let mut left = places.unsigned_abs().min(400);
    // 10 is 0.625 times two to the fourth: the fraction is kept apart from the exponent.
    let (mut fraction, mut exponent) = (1.0f64, 0i32);
    let (mut square, mut square_exponent) = (0.625f64, 4i32);
    while left > 0 {
        if left & 1 == 1 {
            fraction *= square;
            exponent += square_exponent;
        }
        square *= square;
        square_exponent *= 2;
        if square < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        left >>= 1;
    }
    if places < 0 {
        (fraction, exponent) = (1.0 / fraction, -exponent);
    }
    // In two steps, so that neither power of two is out of range before the fraction is scaled.
    fraction * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2)
}

// sprig: numeric.go round
fn round(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let threshold = if arguments.len() > 2 { float(arguments, 2)? } else { 0.5 };
    let power = power_of_ten(int(arguments, 1)?);
    let scaled = power * to_float64(any(arguments, 0)?);
    // Go: math.Modf of an infinity has NaN as its fraction.
    let fraction = if scaled.is_infinite() { f64::NAN } else { scaled.fract() };
    let rounded = if fraction >= threshold { scaled.ceil() } else { scaled.floor() };
    Ok(Value::Float64(rounded / power))
}

/// The numbers from `start` in steps of `step` before `end`, charged before they are made.
// sprig: numeric.go untilStep
fn range(context: &Context<'_>, start: i64, end: i64, step: i64) -> Result<Vec<i64>, CallError> {
    let distance = i128::from(end) - i128::from(start);
    if distance == 0 || step == 0 || (distance < 0) != (step < 0) {
        return Ok(Vec::new());
    }
    let count = distance.unsigned_abs().div_ceil(i128::from(step).unsigned_abs());
    charge_items(context, usize::try_from(count).unwrap_or(usize::MAX))?;
    let mut numbers = Vec::new();
    let mut next = start;
    for _ in 0..count {
        numbers.push(next);
        next = next.wrapping_add(step);
    }
    Ok(numbers)
}

fn int_list(numbers: Vec<i64>) -> Value {
    Value::List(List::typed(ElementType::Int, numbers.into_iter().map(Value::Int).collect()))
}

fn until(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let count = int(arguments, 0)?;
    range(context, 0, count, if count < 0 { -1 } else { 1 }).map(int_list)
}

fn until_step(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    range(context, int(arguments, 0)?, int(arguments, 1)?, int(arguments, 2)?).map(int_list)
}

// sprig: numeric.go seq: like seq(1), the end included.
fn seq(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (start, step, end) = match arguments.len() {
        1 => (1, None, int(arguments, 0)?),
        2 => (int(arguments, 0)?, None, int(arguments, 1)?),
        3 => (int(arguments, 0)?, Some(int(arguments, 1)?), int(arguments, 2)?),
        _ => return Ok(Value::string("")),
    };
    let downward = end < start;
    let increment = if downward { -1 } else { 1 };
    if downward && step.is_some_and(|step| step > 0) {
        return Ok(Value::string(""));
    }
    let numbers = range(context, start, end.wrapping_add(increment), step.unwrap_or(increment))?;
    let mut line = String::new();
    for number in numbers {
        if !line.is_empty() {
            line.push(' ');
        }
        charge_text(context, number.to_string().len() + 1)?;
        line.push_str(&number.to_string());
    }
    Ok(Value::string(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{BudgetExceeded, Limits};
    use crate::functions::testing::{call_within, text};

    #[test]
    fn integers_are_read_in_base_zero() {
        let cases = [
            ("1_000", 1000),
            ("0b11", 3),
            ("0o17", 15),
            ("017", 15),
            ("08", 0),
            ("0_7", 7),
            ("_1", 0),
            ("1__0", 0),
            ("0x_f", 15),
            ("-0x10", -16),
            ("+5", 5),
            ("5.00", 5),
            ("5.", 0),
            (".0", 0),
            ("9223372036854775808", 0),
            ("00", 0),
            ("0x", 0),
            ("-", 0),
            ("0_", 0),
            ("-9223372036854775808", i64::MIN),
            (" 5", 0),
            ("1e3", 0),
        ];
        for (input, expected) in cases {
            assert_eq!(to_int64(&Value::string(input)), expected, "{input:?}");
        }
    }

    #[test]
    fn floats_are_read_as_go_literals() {
        let cases = [
            ("0x1p4", 16.0),
            ("1_0", 10.0),
            ("0x1_0p0", 16.0),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("1e400", 0.0),
            ("1e-400", 0.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("0x10", 0.0),
            ("+1.5e3", 1500.0),
            (" 1", 0.0),
            ("+nan", 0.0),
            ("0x.8p1", 1.0),
            ("1_e3", 0.0),
            ("-2.5", -2.5),
            ("0x1.fffffffffffffp1023", f64::MAX),
        ];
        for (input, expected) in cases {
            let number = to_float64(&Value::string(input));
            assert_eq!(number.to_bits(), expected.to_bits(), "{input:?} gave {number}");
        }
    }

    #[test]
    fn seq_includes_its_end() {
        let cases: [(&[i64], &str); 12] = [
            (&[5], "1 2 3 4 5"),
            (&[-2], "1 0 -1 -2"),
            (&[2, -2], "2 1 0 -1 -2"),
            (&[0, 2, 6], "0 2 4 6"),
            (&[6, -2, 0], "6 4 2 0"),
            (&[6, 2, 0], ""),
            (&[0, -1, 5], ""),
            (&[0, 0, 3], ""),
            (&[1, 2, 3, 4], ""),
            (&[3, 3], "3"),
            (&[0], "1 0"),
            (&[5, -3, 0], "5 2"),
        ];
        for (parameters, expected) in cases {
            let arguments: Vec<Value> = parameters.iter().map(|&number| Value::Int(number)).collect();
            assert_eq!(text("seq", &arguments), expected, "{parameters:?}");
        }
    }

    #[test]
    fn a_range_that_is_too_large_is_refused_before_it_is_made() {
        let limits = Limits { bytes: 1 << 20, ..Limits::default() };
        let arguments = [Value::Int(i64::MIN), Value::Int(i64::MAX), Value::Int(1)];
        assert!(matches!(
            call_within(limits, "untilStep", &arguments),
            Err(CallError::Budget(BudgetExceeded::Bytes { .. } | BudgetExceeded::Steps { .. }))
        ));
    }
}
