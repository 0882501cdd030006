//! Helm's own `duration` functions, which take every form of a duration and give numbers.

use super::arguments::any;
use super::numbers::{float_to_int64, parse_float};
use super::text::sprint;
use super::time::{Duration, SECOND, object};
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::quote::quote;
use crate::value::Value;

use Parameter::Any;

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "mustToDuration", parameters: &[Any], variadic: None, call: must_to_duration },
    Function { name: "durationSeconds", parameters: &[Any], variadic: None, call: seconds },
    Function { name: "durationMilliseconds", parameters: &[Any], variadic: None, call: milliseconds },
    Function { name: "durationMicroseconds", parameters: &[Any], variadic: None, call: microseconds },
    Function { name: "durationNanoseconds", parameters: &[Any], variadic: None, call: nanoseconds },
    Function { name: "durationMinutes", parameters: &[Any], variadic: None, call: minutes },
    Function { name: "durationHours", parameters: &[Any], variadic: None, call: hours },
    Function { name: "durationDays", parameters: &[Any], variadic: None, call: days },
    Function { name: "durationWeeks", parameters: &[Any], variadic: None, call: weeks },
    Function { name: "durationRoundTo", parameters: &[Any, Any], variadic: None, call: round_to },
    Function { name: "durationTruncateTo", parameters: &[Any, Any], variadic: None, call: truncate_to },
];

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A duration, a text such as `1h2m`, or a number of seconds, also as text.
// Helm: pkg/engine/funcs.go asDuration
fn as_duration(context: &Context<'_>, value: &Value) -> Result<Duration, CallError> {
    match value {
        Value::Invalid | Value::Nil => Err(CallError::message("invalid duration")),
        Value::Int(seconds) | Value::Int64(seconds) => from_seconds(i128::from(*seconds)),
        Value::Uint64(seconds) => from_seconds(i128::from(*seconds)),
        Value::Uint8(seconds) => from_seconds(i128::from(*seconds)),
        Value::Float64(seconds) => from_float(context, *seconds),
        Value::String(text) => {
            let trimmed = super::strings::trim_runes(text, super::unicode::is_space);
            if trimmed.is_empty() {
                return Err(CallError::message("empty duration"));
            }
            if let Ok(duration) = Duration::parse(trimmed) {
                return Ok(duration);
            }
            match parse_float(trimmed) {
                Some(seconds) => from_float(context, seconds),
                None => Err(CallError::message(format!("could not parse duration {}", quote(text)))),
            }
        }
        Value::Object(object) => match object.as_any().downcast_ref::<Duration>() {
            Some(duration) => Ok(*duration),
            // A month or weekday is a number as well.
            None if object.kind_name() == "int" => from_seconds(i128::from(super::numbers::to_int64(value))),
            None => Err(unsupported(value)),
        },
        other => Err(unsupported(other)),
    }
}

fn unsupported(value: &Value) -> CallError {
    CallError::message(format!("unsupported duration type {}", value.type_name()))
}

fn from_seconds(seconds: i128) -> Result<Duration, CallError> {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(SECOND))
        .map(Duration)
        .ok_or_else(|| CallError::message(format!("duration seconds overflow: {seconds}")))
}

fn from_float(context: &Context<'_>, seconds: f64) -> Result<Duration, CallError> {
    let printed =
        || sprint(context, &Value::Float64(seconds)).map(|printed| String::from_utf8_lossy(&printed).into_owned());
    if !seconds.is_finite() {
        return Err(CallError::message(format!("invalid duration seconds: {}", printed()?)));
    }
    let limit = i64::MAX as f64 / SECOND as f64;
    if seconds.abs() > limit {
        return Err(CallError::message(format!("duration seconds overflow: {}", printed()?)));
    }
    Ok(Duration(float_to_int64(seconds * SECOND as f64)))
}

fn must_to_duration(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    as_duration(context, any(arguments, 0)?).map(object)
}

/// The first argument; zero for what is no duration.
fn lenient(context: &Context<'_>, arguments: &[Value]) -> Result<Duration, CallError> {
    match as_duration(context, any(arguments, 0)?) {
        Err(CallError::Message(_)) => Ok(Duration(0)),
        other => other,
    }
}

fn seconds(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Float64(lenient(context, arguments)?.in_units(SECOND)))
}

fn milliseconds(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Int64(lenient(context, arguments)?.0 / 1_000_000))
}

fn microseconds(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Int64(lenient(context, arguments)?.0 / 1_000))
}

fn nanoseconds(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Int64(lenient(context, arguments)?.0))
}

fn minutes(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Float64(lenient(context, arguments)?.in_units(MINUTE)))
}

fn hours(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Float64(lenient(context, arguments)?.in_units(HOUR)))
}

fn days(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Float64(lenient(context, arguments)?.in_units(HOUR) / 24.0))
}

fn weeks(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Float64(lenient(context, arguments)?.in_units(HOUR) / 24.0 / 7.0))
}

/// Applies an operation with the second argument as the unit; without a valid one the duration stays.
fn with_unit(context: &Context<'_>, arguments: &[Value], operation: fn(Duration, i64) -> Duration) -> CallResult {
    let duration = lenient(context, arguments)?;
    match as_duration(context, any(arguments, 1)?) {
        Ok(unit) => Ok(object(operation(duration, unit.0))),
        Err(CallError::Message(_)) => Ok(object(duration)),
        Err(other) => Err(other),
    }
}

fn round_to(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    with_unit(context, arguments, Duration::round)
}

fn truncate_to(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    with_unit(context, arguments, Duration::truncate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::{call, message};

    fn printed(name: &str, arguments: &[Value]) -> String {
        match call(name, arguments).unwrap() {
            Value::Float64(number) => format!("{number:?}"),
            Value::Int64(number) => number.to_string(),
            Value::Object(object) => String::from_utf8(object.to_text()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    // Expectations from Helm 4.3.1's functions.
    #[test]
    fn every_form_of_a_duration_is_read() {
        let text = |text: &str| [Value::string(text)];
        assert_eq!(printed("durationSeconds", &text(" 1m30s ")), "90.0");
        assert_eq!(printed("durationSeconds", &text("2.5")), "2.5");
        assert_eq!(printed("durationSeconds", &text("x")), "0.0");
        assert_eq!(printed("durationMinutes", &[Value::Int(90)]), "1.5");
        assert_eq!(printed("durationMilliseconds", &[Value::Float64(1.5)]), "1500");
        assert_eq!(printed("durationDays", &text("36h")), "1.5");
        assert_eq!(printed("durationWeeks", &text("84h")), "0.5");
        assert_eq!(printed("durationNanoseconds", &[Value::Nil]), "0");
    }

    #[test]
    fn rounding_keeps_a_duration_without_a_unit() {
        let pair = |left: &str, right: &str| [Value::string(left), Value::string(right)];
        assert_eq!(printed("durationRoundTo", &pair("2h13m", "30m")), "2h0m0s");
        assert_eq!(printed("durationRoundTo", &pair("-90s", "1m")), "-2m0s");
        assert_eq!(printed("durationTruncateTo", &pair("2h13m", "10m")), "2h10m0s");
        assert_eq!(printed("durationTruncateTo", &pair("2h13m", "x")), "2h13m0s");
    }

    #[test]
    fn the_strict_form_says_what_is_wrong() {
        assert_eq!(message("mustToDuration", &[Value::string("x")]), "could not parse duration \"x\"");
        assert_eq!(message("mustToDuration", &[Value::string(" ")]), "empty duration");
        assert_eq!(message("mustToDuration", &[Value::Nil]), "invalid duration");
        assert_eq!(message("mustToDuration", &[Value::Bool(true)]), "unsupported duration type bool");
        assert_eq!(message("mustToDuration", &[Value::Float64(1e300)]), "duration seconds overflow: 1e+300");
        assert_eq!(message("mustToDuration", &[Value::Int(1 << 40)]), "duration seconds overflow: 1099511627776");
    }
}
