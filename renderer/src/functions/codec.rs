//! Functions that read and write YAML, JSON and TOML (Helm's `engine/funcs.go`, sprig's `defaults.go`).

use super::{CallError, CallResult, Context, Function, Parameter};
use crate::budget::BudgetExceeded;
use crate::json::{self, DecodeError, EncodeError, MAX_ENCODE_DEPTH, Style};
use crate::value::{ElementType, List, Map, MapType, Value};
use crate::{toml, yaml};

/// The codec functions.
pub(crate) const FUNCTIONS: &[Function] = &[
    encoder("toYaml", |context, arguments| or_empty(to_yaml(context, arguments))),
    encoder("mustToYaml", |context, arguments| or_fail(to_yaml(context, arguments))),
    // What YAML v3 cannot write makes it panic.
    encoder("toYamlPretty", |context, arguments| or_fail(to_yaml_pretty(context, arguments))),
    encoder("toJson", |context, arguments| or_empty(to_json(context, arguments, Style::COMPACT))),
    encoder("mustToJson", |context, arguments| or_fail(to_json(context, arguments, Style::COMPACT))),
    encoder("toPrettyJson", |context, arguments| or_empty(to_json(context, arguments, Style::PRETTY))),
    encoder("mustToPrettyJson", |context, arguments| or_fail(to_json(context, arguments, Style::PRETTY))),
    encoder("toRawJson", |context, arguments| or_fail(to_json(context, arguments, Style::RAW))),
    encoder("mustToRawJson", |context, arguments| or_fail(to_json(context, arguments, Style::RAW))),
    decoder("fromYaml", from_yaml),
    decoder("fromYamlArray", from_yaml_array),
    decoder("fromJson", from_json),
    decoder("fromJsonArray", from_json_array),
    decoder("mustFromJson", must_from_json),
    encoder("toToml", |context, arguments| or_text(to_toml(context, arguments))),
    encoder("mustToToml", |context, arguments| or_fail(to_toml(context, arguments))),
    decoder("fromToml", from_toml),
];

type Call = fn(&Context<'_>, &[Value]) -> CallResult;

const fn encoder(name: &'static str, call: Call) -> Function {
    Function { name, parameters: &[Parameter::Any], variadic: None, call }
}

const fn decoder(name: &'static str, call: Call) -> Function {
    Function { name, parameters: &[Parameter::String], variadic: None, call }
}

const MAP_TYPE: &str = "map[string]interface {}";
const LIST_TYPE: &str = "[]interface {}";

/// Errors give an empty string, except that an exhausted budget ends the render.
fn or_empty(result: Result<Value, EncodeError>) -> CallResult {
    match result {
        Err(EncodeError::Budget(exceeded)) => Err(exceeded.into()),
        Err(_) => Ok(Value::from("")),
        Ok(text) => Ok(text),
    }
}

/// Errors give their text.
fn or_text(result: Result<Value, EncodeError>) -> CallResult {
    match result {
        Err(EncodeError::Budget(exceeded)) => Err(exceeded.into()),
        Err(error @ EncodeError::Panic(_)) => Err(CallError::message(error.to_string())),
        Err(error) => Ok(Value::from(error.to_string())),
        Ok(text) => Ok(text),
    }
}

fn or_fail(result: Result<Value, EncodeError>) -> CallResult {
    result.map_err(|error| match error {
        EncodeError::Budget(exceeded) => exceeded.into(),
        error => CallError::message(error.to_string()),
    })
}

/// Writes the argument. One that is deeper than this crate follows ends the render, but for a circle, which Go refuses too.
fn encoded<T>(
    context: &Context<'_>,
    arguments: &[Value],
    encode: impl FnOnce(&Value) -> Result<T, EncodeError>,
) -> Result<T, EncodeError> {
    let value = first(arguments);
    encode(value).map_err(|error| match error {
        EncodeError::TooDeep(_) => match value.is_circular(context.budget) {
            Ok(true) => error,
            Ok(false) => BudgetExceeded::Nesting { limit: MAX_ENCODE_DEPTH }.into(),
            Err(exceeded) => exceeded.into(),
        },
        error => error,
    })
}

fn to_yaml(context: &Context<'_>, arguments: &[Value]) -> Result<Value, EncodeError> {
    /// Texts are looked at several times: can they be plain, where are they wrapped.
    const BYTES_PER_STEP: u64 = 4;
    let text = encoded(context, arguments, |value| yaml::encode(value, context.budget))?;
    context.budget.charge_steps(text.len() as u64 / BYTES_PER_STEP)?;
    Ok(without_last_break(text))
}

fn to_yaml_pretty(context: &Context<'_>, arguments: &[Value]) -> Result<Value, EncodeError> {
    encoded(context, arguments, |value| yaml::encode_pretty(value, context.budget)).map(without_last_break)
}

fn to_json(context: &Context<'_>, arguments: &[Value], style: Style) -> Result<Value, EncodeError> {
    encoded(context, arguments, |value| json::encode(value, style, context.budget)).map(Value::string)
}

fn to_toml(context: &Context<'_>, arguments: &[Value]) -> Result<Value, EncodeError> {
    encoded(context, arguments, |value| toml::encode(value, context.budget)).map(Value::string)
}

fn without_last_break(mut text: String) -> Value {
    if text.ends_with('\n') {
        text.pop();
    }
    Value::from(text)
}

fn from_yaml(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let result = read_yaml(context, arguments)?.and_then(|value| match value {
        Value::Map(_) => Ok(value),
        // sigs.k8s.io/yaml leaves the target alone.
        Value::Nil => Ok(Value::Map(Map::new())),
        other => Err(yaml_mismatch(&other, MAP_TYPE)),
    });
    Ok(result.unwrap_or_else(error_map))
}

fn from_yaml_array(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let result = read_yaml(context, arguments)?.and_then(|value| match value {
        Value::List(_) => Ok(value),
        Value::Nil => Ok(Value::list(Vec::new())),
        other => Err(yaml_mismatch(&other, LIST_TYPE)),
    });
    Ok(result.unwrap_or_else(error_list))
}

/// The value of a YAML text, or the text of what is wrong with it.
fn read_yaml(context: &Context<'_>, arguments: &[Value]) -> Result<Result<Value, String>, CallError> {
    let text = charged_text(context, arguments)?;
    match yaml::decode_charged(text, context.budget)? {
        Ok(value) => Ok(Ok(value)),
        Err(error) => words(&error, error.is_limit()).map(Err),
    }
}

/// The text of an error that becomes a value. A limit of this crate does not: the text has another value in Helm.
fn words(error: &impl ToString, is_limit: bool) -> Result<String, CallError> {
    let text = error.to_string();
    if is_limit { Err(CallError::message(text)) } else { Ok(text) }
}

fn yaml_mismatch(value: &Value, target: &str) -> String {
    format!("error unmarshaling JSON: while decoding JSON: {}", DecodeError::mismatch(value, target))
}

fn from_json(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let decoded = match json::decode(charged_json(context, arguments)?) {
        Ok(decoded) => decoded,
        Err(error) => return words(&error, error.is_limit()).map(error_map),
    };
    let map = match decoded.value {
        Value::Map(map) => map,
        Value::Nil if decoded.error.is_none() => return Ok(Value::Map(Map::nil(MapType::Any))),
        // A number by itself is of the wrong type before it is too large.
        Value::Nil => return Ok(error_map(DecodeError::mismatch(&Value::Float64(0.0), MAP_TYPE).to_string())),
        other => return Ok(error_map(DecodeError::mismatch(&other, MAP_TYPE).to_string())),
    };
    if let Some(error) = decoded.error {
        map.insert("Error".into(), Value::from(error.to_string()));
    }
    Ok(Value::Map(map))
}

fn from_json_array(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let result =
        json::decode(charged_json(context, arguments)?).and_then(|decoded| match (decoded.value, decoded.error) {
            (Value::Nil, Some(_)) => Err(DecodeError::mismatch(&Value::Float64(0.0), LIST_TYPE)),
            (_, Some(error)) => Err(error),
            (Value::Nil, None) => Ok(Value::List(List::nil(ElementType::Any))),
            (value @ Value::List(_), None) => Ok(value),
            (other, None) => Err(DecodeError::mismatch(&other, LIST_TYPE)),
        });
    result.or_else(|error| words(&error, error.is_limit()).map(error_list))
}

fn must_from_json(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let decoded = json::decode(charged_json(context, arguments)?);
    match decoded {
        Ok(decoded) if decoded.error.is_none() => Ok(decoded.value),
        Ok(decoded) => Err(CallError::message(decoded.error.map(|error| error.to_string()).unwrap_or_default())),
        Err(error) => Err(CallError::message(error.to_string())),
    }
}

fn from_toml(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let text = charged_text(context, arguments)?;
    context.budget.charge_bytes(text.len() as u64 * TOML_BYTES_PER_BYTE)?;
    toml::decode(text).or_else(|error| words(&error, error.is_limit()).map(error_map))
}

fn error_map(text: String) -> Value {
    Value::Map([("Error".into(), Value::from(text))].into_iter().collect())
}

fn error_list(text: String) -> Value {
    Value::list(vec![Value::from(text)])
}

/// What decoding a byte of text costs at least.
const BYTES_PER_BYTE: u64 = 4;
/// What the parser of TOML may need for a byte of text: a table takes ten bytes.
const TOML_BYTES_PER_BYTE: u64 = 96;

/// The JSON text to decode, paid for with the values that it may hold.
fn charged_json<'a>(context: &Context<'_>, arguments: &'a [Value]) -> Result<&'a [u8], CallError> {
    /// What a key, a value, or the map that holds them takes.
    const PART_BYTES: u64 = 96;
    let text = charged_text(context, arguments)?;
    context.budget.charge_bytes(json::parts(text) as u64 * PART_BYTES)?;
    Ok(text)
}

/// The text to decode, paid for.
fn charged_text<'a>(context: &Context<'_>, arguments: &'a [Value]) -> Result<&'a [u8], CallError> {
    let text: &[u8] = match first(arguments) {
        Value::String(text) => text,
        _ => b"",
    };
    context.budget.charge_bytes(text.len() as u64 * BYTES_PER_BYTE)?;
    Ok(text)
}

fn first(arguments: &[Value]) -> &Value {
    arguments.first().unwrap_or(&Value::Nil)
}
