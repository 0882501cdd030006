//! sprig's list functions. They accept every slice type and give new lists back.

use std::borrow::Cow;

use super::arguments::{any, charge_items, int, interface};
use super::equality::deep_equal;
use super::logic::is_empty;
use super::numbers::to_int64;
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::value::{ElementType, List, Object, Value};

use Parameter::{Any, Int};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "list", parameters: &[], variadic: Some(Any), call: list },
    Function { name: "tuple", parameters: &[], variadic: Some(Any), call: list },
    Function { name: "first", parameters: &[Any], variadic: None, call: first },
    Function { name: "mustFirst", parameters: &[Any], variadic: None, call: first },
    Function { name: "last", parameters: &[Any], variadic: None, call: last },
    Function { name: "mustLast", parameters: &[Any], variadic: None, call: last },
    Function { name: "rest", parameters: &[Any], variadic: None, call: rest },
    Function { name: "mustRest", parameters: &[Any], variadic: None, call: rest },
    Function { name: "initial", parameters: &[Any], variadic: None, call: initial },
    Function { name: "mustInitial", parameters: &[Any], variadic: None, call: initial },
    Function { name: "append", parameters: &[Any, Any], variadic: None, call: append },
    Function { name: "mustAppend", parameters: &[Any, Any], variadic: None, call: append },
    Function { name: "push", parameters: &[Any, Any], variadic: None, call: append },
    Function { name: "mustPush", parameters: &[Any, Any], variadic: None, call: append },
    Function { name: "prepend", parameters: &[Any, Any], variadic: None, call: prepend },
    Function { name: "mustPrepend", parameters: &[Any, Any], variadic: None, call: prepend },
    Function { name: "concat", parameters: &[], variadic: Some(Any), call: concat },
    Function { name: "reverse", parameters: &[Any], variadic: None, call: reverse },
    Function { name: "mustReverse", parameters: &[Any], variadic: None, call: reverse },
    Function { name: "uniq", parameters: &[Any], variadic: None, call: uniq },
    Function { name: "mustUniq", parameters: &[Any], variadic: None, call: uniq },
    Function { name: "without", parameters: &[Any], variadic: Some(Any), call: without },
    Function { name: "mustWithout", parameters: &[Any], variadic: Some(Any), call: without },
    Function { name: "compact", parameters: &[Any], variadic: None, call: compact },
    Function { name: "mustCompact", parameters: &[Any], variadic: None, call: compact },
    Function { name: "has", parameters: &[Any, Any], variadic: None, call: has },
    Function { name: "mustHas", parameters: &[Any, Any], variadic: None, call: has },
    Function { name: "slice", parameters: &[Any], variadic: Some(Any), call: slice },
    Function { name: "mustSlice", parameters: &[Any], variadic: Some(Any), call: slice },
    Function { name: "chunk", parameters: &[Int, Any], variadic: None, call: chunk },
    Function { name: "mustChunk", parameters: &[Int, Any], variadic: None, call: chunk },
];

/// Go's panic when the type of a nil interface is asked for.
const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";
/// Go's panic for a slice of negative length.
const BAD_LENGTH: &str = "runtime error: makeslice: len out of range";

/// The items of any slice. `refusal` says what is wrong with a value of another kind.
fn items<'a>(
    context: &Context<'_>,
    value: &'a Value,
    refusal: impl FnOnce(&str) -> String,
) -> Result<Cow<'a, [Value]>, CallError> {
    let items = match value {
        Value::Invalid | Value::Nil => return Err(CallError::message(NIL_DEREFERENCE)),
        Value::List(list) => Cow::Borrowed(&**list),
        Value::Bytes(bytes) => {
            charge_items(context, bytes.len())?;
            Cow::Owned(bytes.iter().map(|&byte| Value::Uint8(byte)).collect())
        }
        Value::Object(object) if object.kind_name() == "slice" => match charged_plain(context, object.as_ref())? {
            Value::List(list) => Cow::Owned(list.to_vec()),
            _ => Cow::Borrowed([].as_slice()),
        },
        other => return Err(CallError::message(refusal(other.kind_name()))),
    };
    context.budget.charge_steps(items.len() as u64)?;
    Ok(items)
}

fn charged_plain(context: &Context<'_>, object: &dyn Object) -> Result<Value, CallError> {
    context.budget.charge_bytes(object.size() as u64)?;
    Ok(object.to_plain())
}

/// The items of the first argument, for a function whose refusal is `Cannot find VERB on type KIND`.
fn found<'a>(context: &Context<'_>, arguments: &'a [Value], verb: &str) -> Result<Cow<'a, [Value]>, CallError> {
    items(context, any(arguments, 0)?, |kind| format!("Cannot find {verb} on type {kind}"))
}

fn new_list(context: &Context<'_>, items: Vec<Value>) -> CallResult {
    charge_items(context, items.len() + 1)?;
    Ok(Value::list(items))
}

fn list(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    new_list(context, arguments.iter().map(interface).collect())
}

// sprig: list.go mustFirst
fn first(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(found(context, arguments, "first")?.first().cloned().unwrap_or(Value::Nil))
}

// sprig: list.go mustLast
fn last(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(found(context, arguments, "last")?.last().cloned().unwrap_or(Value::Nil))
}

// sprig: list.go mustRest: nil for an empty list.
fn rest(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    match found(context, arguments, "rest")?.split_first() {
        Some((_, rest)) => new_list(context, rest.to_vec()),
        None => Ok(Value::List(List::nil(ElementType::Any))),
    }
}

// sprig: list.go mustInitial: nil for an empty list.
fn initial(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    match found(context, arguments, "initial")?.split_last() {
        Some((_, initial)) => new_list(context, initial.to_vec()),
        None => Ok(Value::List(List::nil(ElementType::Any))),
    }
}

// sprig: list.go mustPush
fn append(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let items = items(context, any(arguments, 0)?, |kind| format!("Cannot push on type {kind}"))?;
    charge_items(context, items.len())?;
    let mut appended = items.into_owned();
    appended.push(interface(any(arguments, 1)?));
    new_list(context, appended)
}

// sprig: list.go mustPrepend
fn prepend(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let items = items(context, any(arguments, 0)?, |kind| format!("Cannot prepend on type {kind}"))?;
    charge_items(context, items.len())?;
    let mut prepended = vec![interface(any(arguments, 1)?)];
    prepended.extend_from_slice(&items);
    new_list(context, prepended)
}

// sprig: list.go concat: nil if there is no item at all.
fn concat(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let mut all = Vec::new();
    for argument in arguments {
        let items = items(context, argument, |kind| format!("Cannot concat type {kind} as list"))?;
        charge_items(context, items.len())?;
        all.extend_from_slice(&items);
    }
    if all.is_empty() {
        return Ok(Value::List(List::nil(ElementType::Any)));
    }
    Ok(Value::list(all))
}

// sprig: list.go mustReverse
fn reverse(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let items = found(context, arguments, "reverse")?;
    charge_items(context, items.len())?;
    Ok(Value::list(items.iter().rev().cloned().collect()))
}

fn is_in(context: &Context<'_>, haystack: &[Value], needle: &Value) -> Result<bool, CallError> {
    for item in haystack {
        if deep_equal(context, needle, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

// sprig: list.go mustUniq
fn uniq(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let mut unique = Vec::new();
    for item in found(context, arguments, "uniq")?.iter() {
        if !is_in(context, &unique, item)? {
            charge_items(context, 1)?;
            unique.push(item.clone());
        }
    }
    Ok(Value::list(unique))
}

// sprig: list.go mustWithout
fn without(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let omitted = arguments.get(1..).unwrap_or_default();
    let mut kept = Vec::new();
    for item in found(context, arguments, "without")?.iter() {
        if !is_in(context, omitted, item)? {
            charge_items(context, 1)?;
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

// sprig: list.go mustCompact
fn compact(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let items = items(context, any(arguments, 0)?, |kind| format!("Cannot compact on type {kind}"))?;
    charge_items(context, items.len())?;
    Ok(Value::list(items.iter().filter(|item| !is_empty(item)).cloned().collect()))
}

// sprig: list.go mustHas: nothing has no items.
fn has(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (needle, haystack) = (any(arguments, 0)?, any(arguments, 1)?);
    if matches!(haystack, Value::Invalid | Value::Nil) {
        return Ok(Value::Bool(false));
    }
    let items = items(context, haystack, |kind| format!("Cannot find has on type {kind}"))?;
    is_in(context, &items, needle).map(Value::Bool)
}

// sprig: list.go mustSlice: the type of the list is kept; nil for an empty list.
fn slice(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let value = any(arguments, 0)?;
    let items = items(context, value, |kind| format!("list should be type of slice or array but {kind}"))?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let position = |index: usize, otherwise: usize| match arguments.get(index) {
        Some(argument) => usize::try_from(to_int64(argument)).ok(),
        None => Some(otherwise),
    };
    let range = position(1, 0).zip(position(2, items.len())).and_then(|(start, end)| items.get(start..end));
    let Some(range) = range else {
        return Err(CallError::message("reflect.Value.Slice: slice index out of bounds"));
    };
    charge_items(context, range.len())?;
    Ok(match value {
        Value::List(list) => Value::List(List::typed(list.element_type(), range.to_vec())),
        Value::Bytes(bytes) => {
            let start = position(1, 0).unwrap_or_default();
            Value::Bytes(bytes.get(start..start + range.len()).unwrap_or_default().into())
        }
        _ => Value::List(List::typed(ElementType::String, range.to_vec())),
    })
}

// sprig: list.go mustChunk, whose arithmetic on floats gives sizes below one a meaning of their own.
fn chunk(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let size = int(arguments, 0)?;
    let items = items(context, any(arguments, 1)?, |kind| format!("Cannot chunk type {kind}"))?;
    let Ok(length) = usize::try_from(size) else {
        // A negative size: the number of chunks is the rounded-down quotient plus one, the last chunk the remainder.
        let negative_quotient = items.len().saturating_sub(1).div_ceil(size.unsigned_abs() as usize);
        let chunks = match (items.len(), negative_quotient) {
            (1, _) if size != -1 => vec![Value::list(items.to_vec())],
            (2.., 1) => Vec::new(),
            _ => return Err(CallError::message(BAD_LENGTH)),
        };
        return Ok(Value::List(List::typed(ElementType::AnyList, chunks)));
    };
    if length == 0 {
        return Err(CallError::message(BAD_LENGTH));
    }
    charge_items(context, items.len().saturating_mul(2))?;
    let chunks = items.chunks(length).map(|chunk| Value::list(chunk.to_vec())).collect();
    Ok(Value::List(List::typed(ElementType::AnyList, chunks)))
}
