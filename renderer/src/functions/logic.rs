//! sprig's defaults, conditions and type questions.

use super::arguments::{any, boolean, interface, text};
use super::equality::deep_equal;
use super::{CallResult, Context, Function, Parameter};
use crate::value::Value;

use Parameter::{Any, Bool, String as Text};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "default", parameters: &[Any], variadic: Some(Any), call: default },
    Function { name: "empty", parameters: &[Any], variadic: None, call: empty },
    Function { name: "coalesce", parameters: &[], variadic: Some(Any), call: coalesce },
    Function { name: "ternary", parameters: &[Any, Any, Bool], variadic: None, call: ternary },
    Function { name: "all", parameters: &[], variadic: Some(Any), call: all },
    Function { name: "any", parameters: &[], variadic: Some(Any), call: any_function },
    Function { name: "deepEqual", parameters: &[Any, Any], variadic: None, call: deep_equal_function },
    Function { name: "typeOf", parameters: &[Any], variadic: None, call: type_of },
    Function { name: "typeIs", parameters: &[Text, Any], variadic: None, call: type_is },
    Function { name: "typeIsLike", parameters: &[Text, Any], variadic: None, call: type_is_like },
    Function { name: "kindOf", parameters: &[Any], variadic: None, call: kind_of },
    Function { name: "kindIs", parameters: &[Text, Any], variadic: None, call: kind_is },
    Function { name: "hello", parameters: &[], variadic: None, call: hello },
    Function { name: "getHostByName", parameters: &[Text], variadic: None, call: get_host_by_name },
];

/// Whether a value is its type's zero or has no elements. Structs and pointers never are.
// sprig: defaults.go empty
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => !matches!(object.kind_name(), "struct" | "ptr") && !object.is_true(),
        other => !other.is_true(),
    }
}

// sprig: defaults.go dfault
fn default(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let chosen = match arguments.get(1) {
        Some(given) if !is_empty(given) => given,
        _ => any(arguments, 0)?,
    };
    Ok(interface(chosen))
}

fn empty(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(is_empty(any(arguments, 0)?)))
}

fn coalesce(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(arguments.iter().find(|value| !is_empty(value)).cloned().unwrap_or(Value::Nil))
}

fn ternary(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let chosen = if boolean(arguments, 2)? { any(arguments, 0)? } else { any(arguments, 1)? };
    Ok(interface(chosen))
}

fn all(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(!arguments.iter().any(is_empty)))
}

fn any_function(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(!arguments.iter().all(is_empty)))
}

fn deep_equal_function(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    deep_equal(context, any(arguments, 0)?, any(arguments, 1)?).map(Value::Bool)
}

fn type_of(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::string(any(arguments, 0)?.type_name()))
}

fn type_is(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(text(arguments, 0)?.as_bytes() == any(arguments, 1)?.type_name().as_bytes()))
}

// sprig: reflect.go typeIsLike: a pointer to the type counts too.
fn type_is_like(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (target, name) = (text(arguments, 0)?.as_bytes(), any(arguments, 1)?.type_name().as_bytes());
    Ok(Value::Bool(target == name || name.strip_prefix(b"*") == Some(target)))
}

fn kind_of(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::string(any(arguments, 0)?.kind_name()))
}

fn kind_is(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(text(arguments, 0)?.as_bytes() == any(arguments, 1)?.kind_name().as_bytes()))
}

fn hello(_: &Context<'_>, _: &[Value]) -> CallResult {
    Ok(Value::string("Hello!"))
}

// Helm: a render without a cluster answers nothing (engine/funcs.go).
fn get_host_by_name(_: &Context<'_>, _: &[Value]) -> CallResult {
    Ok(Value::string(""))
}
