//! sprig's dates and durations.

use super::arguments::{any, charge_text, text};
use super::numbers::parse_or_limit;
use super::time::{Duration, SECOND, Time, Zone, object};
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::value::Value;

use Parameter::{Any, String as Text, Time as Moment};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "now", parameters: &[], variadic: None, call: now },
    Function { name: "ago", parameters: &[Any], variadic: None, call: ago },
    Function { name: "date", parameters: &[Text, Any], variadic: None, call: date },
    Function { name: "dateInZone", parameters: &[Text, Any, Text], variadic: None, call: date_in_zone },
    Function { name: "date_in_zone", parameters: &[Text, Any, Text], variadic: None, call: date_in_zone },
    Function { name: "htmlDate", parameters: &[Any], variadic: None, call: html_date },
    Function { name: "htmlDateInZone", parameters: &[Any, Text], variadic: None, call: html_date_in_zone },
    Function { name: "dateModify", parameters: &[Text, Moment], variadic: None, call: date_modify },
    Function { name: "date_modify", parameters: &[Text, Moment], variadic: None, call: date_modify },
    Function { name: "mustDateModify", parameters: &[Text, Moment], variadic: None, call: must_date_modify },
    Function { name: "must_date_modify", parameters: &[Text, Moment], variadic: None, call: must_date_modify },
    Function { name: "toDate", parameters: &[Text, Text], variadic: None, call: to_date },
    Function { name: "mustToDate", parameters: &[Text, Text], variadic: None, call: must_to_date },
    Function { name: "unixEpoch", parameters: &[Moment], variadic: None, call: unix_epoch },
    Function { name: "duration", parameters: &[Any], variadic: None, call: duration },
    Function { name: "durationRound", parameters: &[Any], variadic: None, call: duration_round },
];

/// The host's clock.
fn current(context: &Context<'_>) -> Time {
    Time::from_nanoseconds(context.host.now())
}

fn now(context: &Context<'_>, _: &[Value]) -> CallResult {
    Ok(object(current(context)))
}

/// A time, or an integer as seconds since the epoch; everything else is now.
// sprig: date.go dateInZone
fn moment(context: &Context<'_>, value: &Value) -> Time {
    match value {
        Value::Int(seconds) | Value::Int64(seconds) => Time::from_seconds(*seconds),
        other => Time::of(other).cloned().unwrap_or_else(|| current(context)),
    }
}

/// Writes a time in a zone, UTC if there is none of that name.
fn written(context: &Context<'_>, layout: &[u8], value: &Value, zone: &[u8]) -> CallResult {
    // An element of a layout can be ten times as long when it is written out: `1` as `-292277022399`.
    charge_text(context, layout.len().saturating_mul(10))?;
    let zone = Zone::load(zone).unwrap_or(Zone::Utc);
    Ok(Value::string(moment(context, value).in_zone(zone).format(layout)))
}

fn date(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    written(context, text(arguments, 0)?, any(arguments, 1)?, b"Local")
}

fn date_in_zone(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    written(context, text(arguments, 0)?, any(arguments, 1)?, text(arguments, 2)?)
}

/// The form of an HTML date input.
const HTML_DATE: &[u8] = b"2006-01-02";

fn html_date(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    written(context, HTML_DATE, any(arguments, 0)?, b"Local")
}

fn html_date_in_zone(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    written(context, HTML_DATE, any(arguments, 0)?, text(arguments, 1)?)
}

/// The time at `index`.
fn time(arguments: &[Value], index: usize) -> Result<&Time, CallError> {
    Time::of(any(arguments, index)?).ok_or_else(|| CallError::message(format!("argument {} is not a time", index + 1)))
}

// sprig: date.go dateModify: without a valid duration the date stays.
fn date_modify(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    charge_duration(context, arguments)?;
    let date = time(arguments, 1)?;
    Ok(object(Duration::parse(text(arguments, 0)?).map_or_else(|_| date.clone(), |duration| date.add(duration))))
}

/// Charges the reading of a duration, of which each part is a decimal number.
fn charge_duration(context: &Context<'_>, arguments: &[Value]) -> Result<(), CallError> {
    const BYTES_PER_STEP: u64 = 4;
    Ok(context.budget.charge_steps(text(arguments, 0)?.len() as u64 / BYTES_PER_STEP)?)
}

fn must_date_modify(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    charge_duration(context, arguments)?;
    let duration = Duration::parse(text(arguments, 0)?).map_err(|error| CallError::message(error.to_string()))?;
    Ok(object(time(arguments, 1)?.add(duration)))
}

// sprig: date.go toDate: the zero time for what cannot be read.
fn to_date(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(object(Time::parse(text(arguments, 0)?, text(arguments, 1)?).unwrap_or_else(|_| Time::zero())))
}

fn must_to_date(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Time::parse(text(arguments, 0)?, text(arguments, 1)?)
        .map(object)
        .map_err(|error| CallError::message(error.to_string()))
}

fn unix_epoch(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::string(time(arguments, 0)?.unix().to_string()))
}

// sprig: date.go dateAgo
fn ago(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let since = current(context).since(&moment(context, any(arguments, 0)?));
    Ok(Value::string(since.round(SECOND).text()))
}

// sprig: date.go duration: seconds as text or int64; every other type is zero.
fn duration(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let seconds = match any(arguments, 0)? {
        Value::String(text) => parse_or_limit(text),
        Value::Int64(seconds) => *seconds,
        _ => 0,
    };
    Ok(Value::string(Duration(seconds.wrapping_mul(SECOND)).text()))
}

/// Nanoseconds of an hour.
const HOUR: u64 = 3_600 * SECOND.unsigned_abs();
/// The units of [`duration_round`] in nanoseconds, the largest first.
const UNITS: [(u64, &str); 6] = [
    (HOUR * 24 * 365, "y"),
    (HOUR * 24 * 30, "mo"),
    (HOUR * 24, "d"),
    (HOUR, "h"),
    (HOUR / 60, "m"),
    (SECOND.unsigned_abs(), "s"),
];

// sprig: date.go durationRound: the largest whole unit.
fn duration_round(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let duration = match any(arguments, 0)? {
        Value::String(text) => Duration::parse(text).unwrap_or(Duration(0)),
        Value::Int64(nanoseconds) => Duration(*nanoseconds),
        other => Time::of(other).map_or(Duration(0), |earlier| current(context).since(earlier)),
    };
    let magnitude = duration.0.unsigned_abs();
    let rounded = UNITS.iter().find(|(unit, _)| magnitude > *unit);
    Ok(Value::string(rounded.map_or_else(|| "0s".to_owned(), |(unit, name)| format!("{}{name}", magnitude / unit))))
}
