//! Conversions between values and text that many families share.

use super::arguments::{charge_items, is_nil_interface};
use super::{CallError, Context};
use crate::value::Value;

/// The text of a value as string functions see it: strings and bytes as they are, everything else as `%v`.
// sprig: strings.go strval
pub(super) fn string_value(context: &Context<'_>, value: &Value) -> Result<Vec<u8>, CallError> {
    match value {
        Value::String(text) => {
            context.budget.charge_bytes(text.len() as u64)?;
            Ok(text.to_vec())
        }
        Value::Bytes(bytes) => {
            context.budget.charge_bytes(bytes.len() as u64)?;
            Ok(bytes.to_vec())
        }
        other => sprint(context, other),
    }
}

/// The texts of the items of a list without the nil ones; any other value is a list of itself, nil an empty list.
// sprig: strings.go strslice
pub(super) fn string_values(context: &Context<'_>, value: &Value) -> Result<Vec<Vec<u8>>, CallError> {
    match value {
        Value::Invalid | Value::Nil => Ok(Vec::new()),
        Value::List(list) => {
            charge_items(context, list.len())?;
            list.iter().filter(|item| !is_nil_interface(item)).map(|item| string_value(context, item)).collect()
        }
        Value::Bytes(bytes) => {
            charge_items(context, bytes.len())?;
            Ok(bytes.iter().map(|byte| byte.to_string().into_bytes()).collect())
        }
        other => Ok(vec![string_value(context, other)?]),
    }
}

/// The value as `%v` prints it.
pub(super) fn sprint(context: &Context<'_>, value: &Value) -> Result<Vec<u8>, CallError> {
    let mut printed = Vec::new();
    print_value(context, value, &mut printed)?;
    Ok(printed)
}

fn print_value(context: &Context<'_>, value: &Value, printed: &mut Vec<u8>) -> Result<(), CallError> {
    context.budget.charge_bytes(16)?;
    match value {
        Value::Invalid | Value::Nil => printed.extend_from_slice(b"<nil>"),
        Value::Bool(flag) => printed.extend_from_slice(flag.to_string().as_bytes()),
        Value::Int(number) | Value::Int64(number) => printed.extend_from_slice(number.to_string().as_bytes()),
        Value::Uint64(number) => printed.extend_from_slice(number.to_string().as_bytes()),
        Value::Float64(number) => printed.extend_from_slice(number.to_string().as_bytes()),
        Value::Complex128(..) => {}
        Value::String(text) => printed.extend_from_slice(text),
        Value::Bytes(bytes) => printed.extend_from_slice(bytes),
        Value::List(list) => {
            printed.push(b'[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    printed.push(b' ');
                }
                print_value(context, item, printed)?;
            }
            printed.push(b']');
        }
        Value::Map(map) => {
            printed.extend_from_slice(b"map[");
            for (index, (key, item)) in map.entries().into_iter().enumerate() {
                if index > 0 {
                    printed.push(b' ');
                }
                printed.extend_from_slice(&key);
                printed.push(b':');
                print_value(context, &item, printed)?;
            }
            printed.push(b']');
        }
        Value::Object(object) => printed.extend_from_slice(&object.to_text()),
    }
    Ok(())
}

/// A Go string literal for the text.
pub(super) fn quote_text(context: &Context<'_>, text: &[u8]) -> Result<Vec<u8>, CallError> {
    context.budget.charge_bytes(text.len() as u64)?;
    Ok(format!("{:?}", String::from_utf8_lossy(text)).into_bytes())
}
