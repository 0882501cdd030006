//! TOML text to values.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use crate::functions::time::{Time, Zone, object};
use crate::quote;
use crate::value::{GoString, Map, Value};

/// Decodes a TOML document: integers are `int64`, dates are `time.Time`. The error names the line; its words are Go's for
/// a line that is no assignment, and the parser's for the rest.
pub fn decode(text: &str) -> Result<Value, String> {
    match DeTable::parse(text) {
        Ok(table) => decode_table(table.get_ref()),
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.get(..offset).unwrap_or_default().matches('\n').count() + 1;
            let problem = match error.message() {
                NO_ASSIGNMENT => missing_separator(text.get(offset..).unwrap_or_default()),
                other => other.to_owned(),
            };
            Err(format!("toml: line {line}: {problem}"))
        }
    }
}

/// What the parser says about a key without a value.
const NO_ASSIGNMENT: &str = "key with no value, expected `=`";

/// What Go says about it, given the text after the key.
fn missing_separator(rest: &str) -> String {
    let next = rest.trim_start_matches([' ', '\t']).chars().next();
    match next {
        None => "unexpected EOF; expected key separator '='".to_owned(),
        Some(character) => {
            let quoted = quote::quote(character.to_string().as_bytes());
            format!("expected '.' or '=', but got '{}' instead", &quoted[1..quoted.len() - 1])
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
        DeValue::Datetime(datetime) => time(datetime)?,
        DeValue::Array(items) => Value::list(items.iter().map(decode_value).collect::<Result<_, _>>()?),
        DeValue::Table(table) => decode_table(table)?,
    })
}

/// The moment of a TOML date or time. What has no zone lies in a zone of its own name, as the Go decoder has it.
fn time(datetime: &Datetime) -> Result<Value, String> {
    let date = datetime.date.map_or_else(|| "0000-01-01".to_owned(), |date| date.to_string());
    let time = datetime.time.map_or_else(
        || "00:00:00".to_owned(),
        |time| {
            let (seconds, nanoseconds) = (time.second.unwrap_or(0), time.nanosecond.unwrap_or(0));
            format!("{:02}:{:02}:{seconds:02}.{nanoseconds:09}", time.hour, time.minute)
        },
    );
    let (offset, local) = match (datetime.offset, datetime.date, datetime.time) {
        (Some(offset), ..) => (offset.to_string(), None),
        (None, Some(_), Some(_)) => ("Z".to_owned(), Some("datetime-local")),
        (None, Some(_), None) => ("Z".to_owned(), Some("date-local")),
        (None, None, _) => ("Z".to_owned(), Some("time-local")),
    };
    let text = format!("{date}T{time}{offset}");
    let time = Time::parse(b"2006-01-02T15:04:05.999999999Z07:00", text.as_bytes())
        .map_err(|_| format!("toml: invalid datetime: {text:?}"))?;
    Ok(object(match local {
        Some(name) => time.in_zone(Zone::Fixed { name: name.to_owned(), offset: 0 }),
        None => time,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_print_as_in_go() {
        // Printed by Go with github.com/BurntSushi/toml v1.6.0.
        let rows = [
            ("a = 1979-05-27T07:32:00Z", "1979-05-27 07:32:00 +0000 UTC"),
            ("a = 1979-05-27", "1979-05-27 00:00:00 +0000 date-local"),
            ("a = 07:32:00", "0000-01-01 07:32:00 +0000 time-local"),
            ("a = 1979-05-27T00:32:00.999-07:00", "1979-05-27 00:32:00.999 -0700 -0700"),
            ("a = 1979-05-27 07:32:00", "1979-05-27 07:32:00 +0000 datetime-local"),
        ];
        for (text, printed) in rows {
            let Ok(Value::Map(map)) = decode(text) else { panic!("{text}") };
            let Some(Value::Object(time)) = map.get(b"a") else { panic!("{text}") };
            assert_eq!(String::from_utf8_lossy(&time.to_text()), printed);
        }
    }

    #[test]
    fn lines_that_assign_nothing_are_named_as_in_go() {
        let rows = [
            ("bad", "toml: line 1: unexpected EOF; expected key separator '='"),
            ("a b = 1", "toml: line 1: expected '.' or '=', but got 'b' instead"),
            ("x = 1\na\nb = 1", r"toml: line 2: expected '.' or '=', but got '\n' instead"),
        ];
        for (text, error) in rows {
            assert_eq!(decode(text).unwrap_err(), error);
        }
    }
}
