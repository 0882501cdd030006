//! Methods of `common.Values`, the named type of `.Values`, `.Template` and the root context (Helm:
//! `pkg/chart/common/values.go`; in Helm 3 `chartutil.Values`).

use crate::budget::Budget;
use crate::chart::find_table;
use crate::functions::{CallError, Parameter, Signature};
use crate::json::EncodeError;
use crate::quote::quote;
use crate::value::{Map, MapType, Value};
use crate::yaml;

/// The parameters of the method of that name, if the map's type has it.
pub(super) fn signature(map: &Map, name: &[u8]) -> Option<Signature> {
    if !matches!(map.map_type(), MapType::Values | MapType::ChartutilValues) {
        return None;
    }
    match name {
        b"AsMap" | b"YAML" => Some(Signature::fixed(&[])),
        b"Table" | b"PathValue" => Some(Signature::fixed(&[Parameter::String])),
        // No value of a template is such a writer.
        b"Encode" => Some(Signature::fixed(&[Parameter::Object("io.Writer")])),
        _ => None,
    }
}

/// Calls a method with arguments that match its signature.
pub(super) fn call(map: &Map, name: &str, arguments: &[Value], budget: &Budget) -> Result<Value, CallError> {
    match (name, arguments) {
        ("AsMap", []) if map.is_empty() => Ok(Value::Map(Map::new())),
        ("AsMap", []) => Ok(Value::Map(map.with_type(MapType::Any))),
        ("YAML", []) => match yaml::encode(&Value::Map(map.clone()), budget) {
            Ok(text) => Ok(Value::from(text)),
            Err(EncodeError::Budget(exceeded)) => Err(exceeded.into()),
            Err(error) => Err(CallError::message(error.to_string())),
        },
        ("Table", [Value::String(path)]) => {
            let path = path.to_str_lossy();
            let table = find_table(map, &path).map_err(|key| not_a("table", key))?;
            Ok(Value::Map(table.with_type(map.map_type())))
        }
        ("PathValue", [Value::String(path)]) => path_value(map, &path.to_str_lossy()),
        _ => Err(CallError::message(format!("{name} cannot be called like this"))),
    }
}

/// What stands at a dotted path, if that is no map.
// Helm: Values.PathValue
fn path_value(map: &Map, path: &str) -> Result<Value, CallError> {
    if path.is_empty() {
        return Err(CallError::message("YAML path cannot be empty"));
    }
    let (table, key) = match path.rsplit_once('.') {
        Some((table, key)) => (find_table(map, table).ok(), key),
        None => (Some(map.clone()), path),
    };
    match table.and_then(|table| table.get(key.as_bytes())) {
        Some(Value::Map(found)) if found.map_type() == MapType::Any => Err(not_a("value", key)),
        Some(value) => Ok(value),
        None => Err(not_a("value", key)),
    }
}

fn not_a(kind: &str, key: &str) -> CallError {
    CallError::message(format!("{} is not a {kind}", quote(key.as_bytes())))
}
