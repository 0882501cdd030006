//! Access to arguments that the evaluator has already checked against the function's parameters.
//!
//! A mismatch here means that a table entry and its implementation disagree; it is reported, never a panic.

use super::{CallError, Context};
use crate::budget::BudgetExceeded;
use crate::value::{GoString, Map, Value};

/// What a list item costs of the byte budget: a value, and one more while the list grows.
const ITEM_BYTES: u64 = 64;
/// What a map entry costs: a key, a value, half as much again for free places in the nodes of the tree, and the text of
/// a short key.
const ENTRY_BYTES: u64 = 160;

fn mismatch(index: usize, expected: &str) -> CallError {
    CallError::message(format!("argument {} is not a {expected}", index + 1))
}

/// The string at `index`.
pub(super) fn text(arguments: &[Value], index: usize) -> Result<&GoString, CallError> {
    match arguments.get(index) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(mismatch(index, "string")),
    }
}

/// The `int` at `index`.
pub(super) fn int(arguments: &[Value], index: usize) -> Result<i64, CallError> {
    match arguments.get(index) {
        Some(Value::Int(number) | Value::Int64(number)) => Ok(*number),
        _ => Err(mismatch(index, "int")),
    }
}

/// The `float64` at `index`.
pub(super) fn float(arguments: &[Value], index: usize) -> Result<f64, CallError> {
    match arguments.get(index) {
        Some(Value::Float64(number)) => Ok(*number),
        _ => Err(mismatch(index, "float64")),
    }
}

/// The `bool` at `index`.
pub(super) fn boolean(arguments: &[Value], index: usize) -> Result<bool, CallError> {
    match arguments.get(index) {
        Some(Value::Bool(flag)) => Ok(*flag),
        _ => Err(mismatch(index, "bool")),
    }
}

/// The `map[string]interface {}` at `index`, possibly nil.
pub(super) fn map(arguments: &[Value], index: usize) -> Result<&Map, CallError> {
    match arguments.get(index) {
        Some(Value::Map(map)) => Ok(map),
        _ => Err(mismatch(index, "map")),
    }
}

/// The `interface{}` at `index`.
pub(super) fn any(arguments: &[Value], index: usize) -> Result<&Value, CallError> {
    arguments.get(index).ok_or_else(|| mismatch(index, "value"))
}

/// Charges text that is about to be produced.
pub(super) fn charge_text(context: &Context<'_>, length: usize) -> Result<(), BudgetExceeded> {
    context.budget.charge_bytes(length as u64)
}

/// Charges map entries that are about to be produced. A map by itself counts as one.
pub(super) fn charge_entries(context: &Context<'_>, count: usize) -> Result<(), BudgetExceeded> {
    context.budget.charge_steps(count as u64)?;
    context.budget.charge_bytes((count as u64).saturating_mul(ENTRY_BYTES))
}

/// Charges list items that are about to be produced or visited, or map entries that are visited.
pub(super) fn charge_items(context: &Context<'_>, count: usize) -> Result<(), BudgetExceeded> {
    context.budget.charge_steps(count as u64)?;
    context.budget.charge_bytes((count as u64).saturating_mul(ITEM_BYTES))
}

/// Whether an `interface{}` argument is nil: nothing at all, or a nil interface. Typed nils are not.
pub(super) fn is_nil_interface(value: &Value) -> bool {
    matches!(value, Value::Invalid | Value::Nil)
}

/// A value as it is stored in a container or returned: nothing becomes a nil interface.
pub(super) fn interface(value: &Value) -> Value {
    match value {
        Value::Invalid => Value::Nil,
        other => other.clone(),
    }
}
