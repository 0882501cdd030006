//! Conversions between values and text that many families share.

use super::arguments::{charge_items, charge_text, is_nil_interface};
use super::{CallError, Context, printf};
use crate::quote;
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
        Value::Object(object) if object.kind_name() == "slice" => {
            charge_text(context, object.size())?;
            string_values(context, &object.to_plain())
        }
        other => Ok(vec![string_value(context, other)?]),
    }
}

/// The value as `%v` prints it.
pub(super) fn sprint(context: &Context<'_>, value: &Value) -> Result<Vec<u8>, CallError> {
    Ok(printf::sprint(context.budget, std::slice::from_ref(value))?)
}

/// A Go string literal for the text.
pub(super) fn quote_text(context: &Context<'_>, text: &[u8]) -> Result<Vec<u8>, CallError> {
    context.budget.charge_bytes(quote::longest(text))?;
    Ok(quote::quote(text).into_bytes())
}
