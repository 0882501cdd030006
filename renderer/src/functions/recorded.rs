//! Calls that the real sprig answered (`tests/fixtures/sprig-calls.jsonl`), answered again here.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::CallError;
use super::testing::call_and_read;
use super::time::{Time, object};
use crate::budget::Limits;
use crate::value::{ElementType, GoString, List, Map, MapType, Value};

const CALLS: &str = include_str!("../../tests/fixtures/sprig-calls.jsonl");
/// How the file writes times.
const TIME: &[u8] = b"2006-01-02 15:04:05.999999999 -0700 MST";

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(json: &Json) -> T {
    json.as_str().unwrap().parse().unwrap()
}

/// A value in the notation of the file.
fn value(json: &Json) -> Value {
    let Json::Object(typed) = json else {
        return match json {
            Json::Null => Value::Nil,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::String(text) => Value::string(text.as_str()),
            other => panic!("{other}"),
        };
    };
    let (name, contents) = typed.iter().next().unwrap();
    let list = |element_type| match contents {
        Json::Null => Value::List(List::nil(element_type)),
        items => Value::List(List::typed(element_type, items.as_array().unwrap().iter().map(value).collect())),
    };
    let map = |map_type| {
        let entries = contents.as_object().unwrap().iter();
        let entries: Map = entries.map(|(key, item)| (GoString::from(key.as_str()), value(item))).collect();
        Value::Map(entries.with_type(map_type))
    };
    match name.as_str() {
        "bytes" => Value::string(STANDARD.decode(contents.as_str().unwrap()).unwrap()),
        "int" => Value::Int(number(contents)),
        "int64" => Value::Int64(number(contents)),
        "uint8" => Value::Uint8(number(contents)),
        "float64" => Value::Float64(number(contents)),
        "time.Time" => object(Time::parse(TIME, contents.as_str().unwrap().as_bytes()).unwrap()),
        "[]interface {}" => list(ElementType::Any),
        "[]string" => list(ElementType::String),
        "[]int" => list(ElementType::Int),
        "[][]interface {}" => list(ElementType::AnyList),
        "map[string]interface {}" => map(MapType::Any),
        "map[string]string" => map(MapType::String),
        other => panic!("{other}"),
    }
}

/// A text that is equal for equal values of equal types only.
fn shown(value: &Value) -> String {
    match value {
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(shown).collect();
            let name = list.element_type().slice_name();
            if list.is_nil() { format!("{name}(nil)") } else { format!("{name}{items:?}") }
        }
        Value::Map(map) => {
            let entries: Vec<_> = map.entries().iter().map(|(key, item)| (key.clone(), shown(item))).collect();
            format!("{}{entries:?}", map.map_type().name())
        }
        Value::Object(object) => format!("{} {}", object.type_name(), String::from_utf8_lossy(&object.to_text())),
        other => format!("{other:?}"),
    }
}

#[test]
fn recorded_calls_give_what_sprig_gave() {
    let mut problems = String::new();
    for line in CALLS.lines().skip(1) {
        let call: Json = serde_json::from_str(line).unwrap();
        let name = call["function"].as_str().unwrap();
        let values = |part: &Json| part.as_array().unwrap().iter().map(value).collect::<Vec<Value>>();
        let arguments = values(&call["arguments"]);
        let expected = match call.get("error") {
            Some(error) => format!("error {}", error.as_str().unwrap()),
            // A zone without a name has no form that could be read.
            None if call["result"].get("time.Time").is_some() => {
                format!("time.Time {}", call["result"]["time.Time"].as_str().unwrap())
            }
            None => shown(&value(&call["result"])),
        };
        let (actual, after) = call_and_read(Limits::default(), name, &arguments, |result| {
            let actual = match result {
                Ok(value) => shown(&value),
                Err(CallError::Message(message)) => format!("error {message}"),
                Err(other) => format!("{other:?}"),
            };
            (actual, arguments.iter().map(shown).collect::<Vec<_>>())
        });
        if actual != expected {
            writeln!(problems, "{line}\n  expected {expected}\n  actual   {actual}").unwrap();
        }
        if let Some(expected) = call.get("after") {
            let expected: Vec<String> = values(expected).iter().map(shown).collect();
            if after != expected {
                writeln!(problems, "{line}\n  expected after it {expected:?}\n  actual {after:?}").unwrap();
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
}
