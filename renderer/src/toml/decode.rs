//! TOML text to values.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::{Datetime, Offset};

use crate::value::{GoString, Map, Value};

/// Decodes a TOML document: integers are `int64`, dates are their Go text. The error names the line.
pub fn decode(text: &str) -> Result<Value, String> {
    match DeTable::parse(text) {
        Ok(table) => decode_table(table.get_ref()),
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.get(..offset).unwrap_or_default().matches('\n').count() + 1;
            Err(format!("toml: line {line}: {}", error.message()))
        }
    }
}

fn decode_table(table: &DeTable<'_>) -> Result<Value, String> {
    let map = Map::new();
    for (key, value) in table {
        map.insert(GoString::from(key.get_ref().as_ref()), decode_value(value)?);
    }
    Ok(Value::Map(map))
}

fn decode_value(value: &Spanned<DeValue<'_>>) -> Result<Value, String> {
    Ok(match value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map(Value::Int64)
            .map_err(|_| format!("toml: {integer} is out of range for int64"))?,
        DeValue::Float(float) => {
            Value::Float64(float.as_str().parse().map_err(|_| format!("toml: {} is no valid float", float.as_str()))?)
        }
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(datetime) => Value::from(datetime_text(datetime)),
        DeValue::Array(items) => Value::list(items.iter().map(decode_value).collect::<Result<_, _>>()?),
        DeValue::Table(table) => decode_table(table)?,
    })
}

/// What Go prints for the time: absent parts are zero, absent zones local to nowhere.
fn datetime_text(datetime: &Datetime) -> String {
    let (year, month, day) = datetime.date.map_or((0, 1, 1), |date| (date.year, date.month, date.day));
    let time = datetime.time.map_or_else(
        || "00:00:00".to_owned(),
        |time| {
            let seconds = time.second.unwrap_or(0);
            let nanoseconds = time.nanosecond.unwrap_or(0);
            let fraction = format!(".{nanoseconds:09}");
            let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
            format!("{:02}:{:02}:{seconds:02}{fraction}", time.hour, time.minute)
        },
    );
    let zone = match datetime.offset {
        Some(Offset::Z) => "+0000 UTC".to_owned(),
        Some(Offset::Custom { minutes }) => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            let digits = format!("{sign}{:02}{:02}", minutes / 60, minutes % 60);
            format!("{digits} {digits}")
        }
        None => {
            let name = match (datetime.date, datetime.time) {
                (Some(_), Some(_)) => "datetime-local",
                (Some(_), None) => "date-local",
                _ => "time-local",
            };
            format!("+0000 {name}")
        }
    };
    format!("{year:04}-{month:02}-{day:02} {time} {zone}")
}
