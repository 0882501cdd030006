//! Go's built-in template functions (`text/template/funcs.go`), except `slice`, which sprig replaces.

use std::cmp::Ordering;

use super::printf::{sprint, sprintf, sprintln};
use super::unicode::{is_print, runes};
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::value::{GoString, MapType, Value};

const ANY: Option<Parameter> = Some(Parameter::Any);
const REFLECT: Option<Parameter> = Some(Parameter::Reflect);

/// The built-in functions. The evaluator itself handles `and`, `or` and `call`; their entries state their parameters.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function { name: "and", parameters: &[Parameter::Reflect], variadic: REFLECT, call: last },
    Function { name: "or", parameters: &[Parameter::Reflect], variadic: REFLECT, call: last },
    Function { name: "call", parameters: &[Parameter::Reflect], variadic: REFLECT, call: last },
    Function { name: "not", parameters: &[Parameter::Reflect], variadic: None, call: not },
    Function { name: "eq", parameters: &[Parameter::Reflect], variadic: REFLECT, call: eq },
    Function { name: "ne", parameters: &[Parameter::Reflect; 2], variadic: None, call: ne },
    Function { name: "lt", parameters: &[Parameter::Reflect; 2], variadic: None, call: lt },
    Function { name: "le", parameters: &[Parameter::Reflect; 2], variadic: None, call: le },
    Function { name: "gt", parameters: &[Parameter::Reflect; 2], variadic: None, call: gt },
    Function { name: "ge", parameters: &[Parameter::Reflect; 2], variadic: None, call: ge },
    Function { name: "index", parameters: &[Parameter::Reflect], variadic: REFLECT, call: index },
    Function { name: "len", parameters: &[Parameter::Reflect], variadic: None, call: len },
    Function { name: "print", parameters: &[], variadic: ANY, call: print },
    Function { name: "printf", parameters: &[Parameter::String], variadic: ANY, call: printf },
    Function { name: "println", parameters: &[], variadic: ANY, call: println },
    Function { name: "html", parameters: &[], variadic: ANY, call: html },
    Function { name: "js", parameters: &[], variadic: ANY, call: js },
    Function { name: "urlquery", parameters: &[], variadic: ANY, call: urlquery },
];

fn last(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(arguments.last().cloned().unwrap_or(Value::Invalid))
}

fn not(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(!arguments.first().is_some_and(Value::is_true)))
}

// Comparison.

const INVALID_TYPE: &str = "invalid type for comparison";

/// The kinds that compare among themselves (Go: `basicKind`).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Basic<'v> {
    Bool(bool),
    Complex(f64, f64),
    Int(i64),
    Float(f64),
    String(&'v [u8]),
    Uint(u64),
}

impl<'v> Basic<'v> {
    fn of(value: &'v Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Int(value) | Value::Int64(value) => Some(Self::Int(*value)),
            Value::Uint64(value) => Some(Self::Uint(*value)),
            Value::Uint8(value) => Some(Self::Uint(u64::from(*value))),
            Value::Float64(value) => Some(Self::Float(*value)),
            Value::Complex128(real, imaginary) => Some(Self::Complex(*real, *imaginary)),
            Value::String(value) => Some(Self::String(value)),
            // Named numbers: months, durations.
            Value::Object(object) if matches!(object.kind_name(), "int" | "int64") => match object.to_plain() {
                Value::Int(value) | Value::Int64(value) => Some(Self::Int(value)),
                _ => None,
            },
            _ => None,
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Invalid | Value::Nil)
}

fn incompatible(left: &Value, right: &Value) -> CallError {
    CallError::message(format!("incompatible types for comparison: {} and {}", left.type_name(), right.type_name()))
}

/// Whether two values are equal (Go: `eq`).
fn equal(context: &Context<'_>, left: &Value, right: &Value) -> Result<bool, CallError> {
    match (Basic::of(left), Basic::of(right)) {
        (Some(Basic::Int(int)), Some(Basic::Uint(uint))) | (Some(Basic::Uint(uint)), Some(Basic::Int(int))) => {
            Ok(u64::try_from(int).is_ok_and(|int| int == uint))
        }
        (Some(one), Some(other)) => {
            if std::mem::discriminant(&one) != std::mem::discriminant(&other) {
                return Err(incompatible(left, right));
            }
            if let (Basic::String(one), Basic::String(_)) = (one, other) {
                context.budget.charge_reading(one.len() as u64)?;
            }
            Ok(one == other)
        }
        (None, None) => equal_others(context, left, right),
        _ if is_nothing(left) || is_nothing(right) => Ok(false),
        _ => Err(incompatible(left, right)),
    }
}

/// Values that have no order: nothing, lists, maps, objects.
fn equal_others(context: &Context<'_>, left: &Value, right: &Value) -> Result<bool, CallError> {
    let comparable = is_nothing(left) || is_nothing(right) || left.kind_name() == right.kind_name();
    if !comparable {
        return Err(CallError::message(format!(
            "non-comparable types {}: {}, {}: {}",
            shown(context, b"%s", left)?,
            left.type_name(),
            right.type_name(),
            shown(context, b"%v", right)?
        )));
    }
    if left.is_nil() || right.is_nil() {
        return Ok(left.is_nil() == right.is_nil());
    }
    match (left, right) {
        (Value::Object(one), Value::Object(other)) if !matches!(other.kind_name(), "slice" | "map") => {
            context.budget.charge_bytes(one.size().saturating_add(other.size()) as u64)?;
            // Pointers are equal if they are the same, structs if their fields are.
            Ok(std::rc::Rc::ptr_eq(one, other)
                || one.kind_name() != "ptr" && one.type_name() == other.type_name() && one.to_text() == other.to_text())
        }
        _ => Err(CallError::message(format!(
            "non-comparable type {}: {}",
            shown(context, b"%s", right)?,
            right.type_name()
        ))),
    }
}

fn shown(context: &Context<'_>, format: &[u8], value: &Value) -> Result<String, CallError> {
    Ok(String::from_utf8_lossy(&sprintf(context.budget, format, std::slice::from_ref(value))?).into_owned())
}

fn eq(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let Some((first, others)) = arguments.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(CallError::message("missing argument for comparison"));
    };
    for other in others {
        if equal(context, first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn ne(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (left, right) = pair(arguments);
    Ok(Value::Bool(!equal(context, left, right)?))
}

fn pair(arguments: &[Value]) -> (&Value, &Value) {
    (arguments.first().unwrap_or(&Value::Invalid), arguments.get(1).unwrap_or(&Value::Invalid))
}

/// The order of two values, none if a float is not a number (Go: `lt`).
fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, CallError> {
    let (Some(one), Some(other)) = (Basic::of(left), Basic::of(right)) else {
        return Err(CallError::message(INVALID_TYPE));
    };
    match (one, other) {
        (Basic::Int(one), Basic::Uint(other)) => Ok(Some(i128::from(one).cmp(&i128::from(other)))),
        (Basic::Uint(one), Basic::Int(other)) => Ok(Some(i128::from(one).cmp(&i128::from(other)))),
        (Basic::Float(one), Basic::Float(other)) => Ok(one.partial_cmp(&other)),
        (Basic::Int(one), Basic::Int(other)) => Ok(Some(one.cmp(&other))),
        (Basic::Uint(one), Basic::Uint(other)) => Ok(Some(one.cmp(&other))),
        (Basic::String(one), Basic::String(other)) => Ok(Some(one.cmp(other))),
        (Basic::Bool(_), Basic::Bool(_)) | (Basic::Complex(..), Basic::Complex(..)) => {
            Err(CallError::message(INVALID_TYPE))
        }
        _ => Err(incompatible(left, right)),
    }
}

fn lt(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (left, right) = pair(arguments);
    Ok(Value::Bool(order(left, right)? == Some(Ordering::Less)))
}

fn le(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (left, right) = pair(arguments);
    Ok(Value::Bool(matches!(order(left, right)?, Some(Ordering::Less | Ordering::Equal))))
}

// Go computes `gt` and `ge` as the opposites of `le` and `lt`, also for what has no order.

fn gt(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (left, right) = pair(arguments);
    Ok(Value::Bool(!matches!(order(left, right)?, Some(Ordering::Less | Ordering::Equal))))
}

fn ge(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (left, right) = pair(arguments);
    Ok(Value::Bool(order(left, right)? != Some(Ordering::Less)))
}

// Containers.

fn index(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (item, indexes) = arguments.split_first().unwrap_or((&Value::Invalid, &[]));
    if is_nothing(item) {
        return Err(CallError::message("index of untyped nil"));
    }
    let mut item = item.clone();
    for index in indexes {
        if let Value::Object(object) = &item {
            context.budget.charge_bytes(object.entries_size() as u64)?;
        }
        item = index_once(&item, index)?;
    }
    Ok(item)
}

fn index_once(item: &Value, index: &Value) -> CallResult {
    match item {
        Value::Invalid | Value::Nil => Err(CallError::message("index of nil pointer")),
        Value::String(text) => Ok(Value::Uint8(element(text, index, "string")?)),
        Value::Bytes(bytes) => Ok(Value::Uint8(element(bytes, index, "slice")?)),
        Value::List(list) => element(list, index, "slice"),
        Value::Map(map) => {
            let found = map.get(&map_key(index)?);
            Ok(found.unwrap_or(if map.map_type() == MapType::String { Value::string("") } else { Value::Nil }))
        }
        Value::Object(object) => match object.kind_name() {
            "map" => {
                let key = map_key(index)?;
                let entries = object.entries().unwrap_or_default();
                let found = entries.into_iter().find(|(name, _)| *name == key).map(|(_, value)| value);
                Ok(found.or_else(|| object.field(&key.to_str_lossy())).unwrap_or(Value::Nil))
            }
            "slice" => index_once(&object.to_plain(), index),
            _ => Err(cannot_index(item)),
        },
        _ => Err(cannot_index(item)),
    }
}

/// The type of a value, or of what a pointer leads to (Go: `indirect`).
fn pointed_at(item: &Value) -> &'static str {
    item.type_name().trim_start_matches('*')
}

fn cannot_index(item: &Value) -> CallError {
    CallError::message(format!("can't index item of type {}", pointed_at(item)))
}

/// Go: `prepareArg` for a string key.
fn map_key(index: &Value) -> Result<GoString, CallError> {
    match index {
        Value::String(key) => Ok(key.clone()),
        Value::Invalid | Value::Nil => Err(CallError::message("value is nil; should be of type string")),
        other => Err(CallError::message(format!("value has type {}; should be string", other.type_name()))),
    }
}

/// The element at an index that must be an integer in range (Go: `indexArg`, and the panic of `reflect.Value.Index` at
/// the length itself).
fn element<T: Clone>(items: &[T], index: &Value, kind: &str) -> Result<T, CallError> {
    let number = match index {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Uint64(number) => *number as i64,
        Value::Uint8(number) => i64::from(*number),
        Value::Invalid | Value::Nil => return Err(CallError::message("cannot index slice/array with nil")),
        other => {
            return Err(CallError::message(format!("cannot index slice/array with type {}", other.type_name())));
        }
    };
    match usize::try_from(number).ok().filter(|number| *number <= items.len()) {
        Some(number) => {
            items.get(number).cloned().ok_or_else(|| CallError::message(format!("reflect: {kind} index out of range")))
        }
        None => Err(CallError::message(format!("index out of range: {number}"))),
    }
}

fn len(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let item = arguments.first().unwrap_or(&Value::Invalid);
    if let Value::Object(object) = item {
        context.budget.charge_bytes(object.entries_size() as u64)?;
    }
    let length = match item {
        Value::Invalid => return Err(CallError::message("reflect: call of reflect.Value.Type on zero Value")),
        Value::Nil => return Err(CallError::message("len of nil pointer")),
        Value::String(text) => Some(text.len()),
        Value::Bytes(bytes) => Some(bytes.len()),
        Value::List(list) => Some(list.len()),
        Value::Map(map) => Some(map.len()),
        Value::Object(object) => match (object.entries(), object.kind_name()) {
            (Some(entries), _) => Some(entries.len()),
            (None, "slice") => match object.to_plain() {
                Value::List(list) => Some(list.len()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    match length {
        Some(length) => Ok(Value::Int(length as i64)),
        None => Err(CallError::message(format!("len of type {}", pointed_at(item)))),
    }
}

// Text.

fn print(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::string(sprint(context.budget, arguments)?))
}

fn println(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::string(sprintln(context.budget, arguments)?))
}

fn printf(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    match arguments.split_first() {
        Some((Value::String(format), values)) => Ok(Value::string(sprintf(context.budget, format, values)?)),
        _ => Err(CallError::message("the format is not a string")),
    }
}

/// The text of the arguments as the escaping functions see it (Go: `evalArgs`).
fn text(context: &Context<'_>, arguments: &[Value]) -> Result<Vec<u8>, CallError> {
    if let [Value::String(text)] = arguments {
        context.budget.charge_bytes(text.len() as u64)?;
        return Ok(text.to_vec());
    }
    // Every value prints here as it does in an action, with a space between two of which none is a string.
    let mut text = Vec::new();
    let mut after_string = true;
    for argument in arguments {
        let is_string = matches!(argument, Value::String(_)) || is_nothing(argument);
        if !is_string && !after_string {
            text.push(b' ');
        }
        after_string = is_string;
        match argument {
            Value::Invalid | Value::Nil => text.extend(b"<no value>"),
            Value::Object(object) if object.kind_name() == "ptr" => {
                let shown = object.to_addressable_text();
                context.budget.charge_bytes(shown.len() as u64)?;
                text.extend(shown);
            }
            argument => text.extend(sprint(context.budget, std::slice::from_ref(argument))?),
        }
    }
    Ok(text)
}

/// Charges what the escapes of some characters add to a text: up to five bytes each.
fn charge_escapes(context: &Context<'_>, text: &[u8], characters: &[u8]) -> Result<(), CallError> {
    let count = text.iter().filter(|byte| characters.contains(byte)).count();
    Ok(context.budget.charge_bytes((text.len() as u64).saturating_add((count as u64).saturating_mul(5)))?)
}

fn html(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let text = text(context, arguments)?;
    charge_escapes(context, &text, b"\0\"'&<>")?;
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            0 => escaped.extend("\u{fffd}".as_bytes()),
            b'"' => escaped.extend(b"&#34;"),
            b'\'' => escaped.extend(b"&#39;"),
            b'&' => escaped.extend(b"&amp;"),
            b'<' => escaped.extend(b"&lt;"),
            b'>' => escaped.extend(b"&gt;"),
            byte => escaped.push(byte),
        }
    }
    Ok(Value::string(escaped))
}

fn js(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let text = text(context, arguments)?;
    context.budget.charge_bytes(crate::quote::longest(&text))?;
    charge_escapes(context, &text, b"'<>&=")?;
    let mut escaped = Vec::with_capacity(text.len());
    let mut start = 0;
    for (character, width) in runes(&text) {
        let bytes = &text[start..start + width];
        start += width;
        match character {
            '\\' => escaped.extend(br"\\"),
            '\'' => escaped.extend(br"\'"),
            '"' => escaped.extend(br#"\""#),
            '<' | '>' | '&' | '=' | '\0'..' ' => escaped.extend(format!("\\u{:04X}", u32::from(character)).bytes()),
            _ if character.is_ascii() || is_print(character) => escaped.extend(bytes),
            _ => escaped.extend(format!("\\u{:04X}", u32::from(character)).bytes()),
        }
    }
    Ok(Value::string(escaped))
}

/// Go: `url.QueryEscape`.
fn urlquery(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let text = text(context, arguments)?;
    context.budget.charge_bytes(3 * text.len() as u64)?;
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(byte),
            b' ' => escaped.push(b'+'),
            byte => escaped.extend(format!("%{byte:02X}").bytes()),
        }
    }
    Ok(Value::string(escaped))
}
