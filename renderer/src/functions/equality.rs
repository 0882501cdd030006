//! Go's `reflect.DeepEqual` for template values: strict about types, element types and nil.

use std::rc::Rc;

use super::{CallError, Context};
use crate::value::{List, Map, Value};

/// Whether two values are deeply equal. Every comparison is a step of the budget, every level one of its depth.
// Go: reflect/deepequal.go
pub(super) fn deep_equal(context: &Context<'_>, left: &Value, right: &Value) -> Result<bool, CallError> {
    context.budget.charge_steps(1)?;
    Ok(match (left, right) {
        (Value::Invalid | Value::Nil, Value::Invalid | Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) | (Value::Int64(left), Value::Int64(right)) => left == right,
        (Value::Uint64(left), Value::Uint64(right)) => left == right,
        (Value::Uint8(left), Value::Uint8(right)) => left == right,
        #[expect(clippy::float_cmp, reason = "Go compares floats exactly")]
        (Value::Float64(left), Value::Float64(right)) => left == right,
        #[expect(clippy::float_cmp, reason = "Go compares floats exactly")]
        (Value::Complex128(left, imaginary), Value::Complex128(right, other)) => left == right && imaginary == other,
        (Value::String(left), Value::String(right)) => {
            context.budget.charge_reading(left.len() as u64)?;
            left == right
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            context.budget.charge_reading(left.len() as u64)?;
            left == right
        }
        (Value::List(left), Value::List(right)) => lists_equal(context, left, right)?,
        (Value::Map(left), Value::Map(right)) => maps_equal(context, left, right)?,
        (Value::Object(left), Value::Object(right)) => {
            context.budget.charge_bytes(left.size().saturating_add(right.size()) as u64)?;
            Rc::ptr_eq(left, right) || left.type_name() == right.type_name() && left.to_text() == right.to_text()
        }
        _ => false,
    })
}

fn lists_equal(context: &Context<'_>, left: &List, right: &List) -> Result<bool, CallError> {
    if left.element_type() != right.element_type() || left.is_nil() != right.is_nil() || left.len() != right.len() {
        return Ok(false);
    }
    if left.address() == right.address() {
        return Ok(true);
    }
    context.budget.enter()?;
    let mut equal = true;
    for (left, right) in left.iter().zip(right.iter()) {
        if !deep_equal(context, left, right)? {
            equal = false;
            break;
        }
    }
    context.budget.leave();
    Ok(equal)
}

fn maps_equal(context: &Context<'_>, left: &Map, right: &Map) -> Result<bool, CallError> {
    if left.map_type() != right.map_type() || left.is_nil() != right.is_nil() || left.len() != right.len() {
        return Ok(false);
    }
    if left.address() == right.address() {
        return Ok(true);
    }
    super::arguments::charge_items(context, left.len())?;
    context.budget.enter()?;
    let mut equal = true;
    for (key, value) in left.entries() {
        let same = match right.get(&key) {
            Some(other) => deep_equal(context, &value, &other)?,
            None => false,
        };
        if !same {
            equal = false;
            break;
        }
    }
    context.budget.leave();
    Ok(equal)
}
