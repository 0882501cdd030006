//! sprig's dictionary functions. Maps are shared: `set`, `unset`, `merge` and `mergeOverwrite` change what everybody
//! who holds the map sees.

use super::arguments::{any, charge_entries, charge_items, interface, map, text};
use super::text::string_value;
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::value::{ElementType, GoString, List, Map, MapType, Value};

use Parameter::{Any, Map as Dict, String as Text};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "dict", parameters: &[], variadic: Some(Any), call: dict },
    Function { name: "get", parameters: &[Dict, Text], variadic: None, call: get },
    Function { name: "set", parameters: &[Dict, Text, Any], variadic: None, call: set },
    Function { name: "unset", parameters: &[Dict, Text], variadic: None, call: unset },
    Function { name: "hasKey", parameters: &[Dict, Text], variadic: None, call: has_key },
    Function { name: "pluck", parameters: &[Text], variadic: Some(Dict), call: pluck },
    Function { name: "pick", parameters: &[Dict], variadic: Some(Text), call: pick },
    Function { name: "omit", parameters: &[Dict], variadic: Some(Text), call: omit },
    Function { name: "keys", parameters: &[], variadic: Some(Dict), call: keys },
    Function { name: "values", parameters: &[Dict], variadic: None, call: values },
    Function { name: "dig", parameters: &[], variadic: Some(Any), call: dig },
    Function { name: "merge", parameters: &[Dict], variadic: Some(Dict), call: merge },
    Function { name: "mustMerge", parameters: &[Dict], variadic: Some(Dict), call: merge },
    Function { name: "mergeOverwrite", parameters: &[Dict], variadic: Some(Dict), call: merge_overwrite },
    Function { name: "mustMergeOverwrite", parameters: &[Dict], variadic: Some(Dict), call: merge_overwrite },
    Function { name: "deepCopy", parameters: &[Any], variadic: None, call: deep_copy },
    Function { name: "mustDeepCopy", parameters: &[Any], variadic: None, call: must_deep_copy },
];

/// The map as sprig's functions give it back: converted to the plain type, still the same entries.
fn plain(map: &Map) -> Value {
    Value::Map(map.with_type(MapType::Any))
}

// sprig: dict.go dict
fn dict(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    charge_entries(context, arguments.len() / 2 + 1)?;
    let map = Map::new();
    for pair in arguments.chunks(2) {
        let value = pair.get(1).map_or_else(|| Value::string(""), interface);
        map.insert(GoString::from(string_value(context, &pair[0])?), value);
    }
    Ok(Value::Map(map))
}

// sprig: dict.go get
fn get(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(map(arguments, 0)?.get(text(arguments, 1)?).unwrap_or_else(|| Value::string("")))
}

// sprig: dict.go set
fn set(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    charge_entries(context, 2)?;
    let map = map(arguments, 0)?;
    context.evaluator.note_changed(map);
    insert(map, text(arguments, 1)?.clone(), interface(any(arguments, 2)?))?;
    Ok(plain(map))
}

/// Writes an entry; a nil map refuses as in Go.
fn insert(map: &Map, key: GoString, value: Value) -> Result<(), CallError> {
    if map.insert(key, value) { Ok(()) } else { Err(CallError::message("assignment to entry in nil map")) }
}

fn unset(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let map = map(arguments, 0)?;
    map.remove(text(arguments, 1)?);
    Ok(plain(map))
}

fn has_key(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(map(arguments, 0)?.contains_key(text(arguments, 1)?)))
}

fn pluck(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let key = text(arguments, 0)?;
    charge_items(context, arguments.len())?;
    let mut found = Vec::new();
    for index in 1..arguments.len() {
        found.extend(map(arguments, index)?.get(key));
    }
    Ok(Value::list(found))
}

fn pick(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let source = map(arguments, 0)?;
    charge_entries(context, arguments.len())?;
    let picked = Map::new();
    for index in 1..arguments.len() {
        let key = text(arguments, index)?;
        if let Some(value) = source.get(key) {
            picked.insert(key.clone(), value);
        }
    }
    Ok(Value::Map(picked))
}

fn omit(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let source = map(arguments, 0)?;
    charge_entries(context, source.len() + arguments.len())?;
    let kept: Map = source.entries().into_iter().collect();
    for index in 1..arguments.len() {
        kept.remove(text(arguments, index)?);
    }
    Ok(Value::Map(kept))
}

// sprig: dict.go keys, in Go's random order; here sorted, map by map.
fn keys(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let mut all = Vec::new();
    for index in 0..arguments.len() {
        let map = map(arguments, index)?;
        charge_items(context, map.len())?;
        all.extend(map.keys().into_iter().map(Value::String));
    }
    Ok(Value::List(List::typed(ElementType::String, all)))
}

// sprig: dict.go values, in Go's random order; here in the order of the keys.
fn values(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let map = map(arguments, 0)?;
    charge_items(context, map.len())?;
    Ok(Value::list(map.entries().into_iter().map(|(_, value)| value).collect()))
}

/// Go's text for a failed type assertion on an `interface{}`.
fn conversion_error(value: &Value, wanted: &str) -> CallError {
    let actual = match value {
        Value::Invalid | Value::Nil => "nil",
        other => other.type_name(),
    };
    CallError::message(format!("interface conversion: interface {{}} is {actual}, not {wanted}"))
}

fn as_dict(value: &Value) -> Result<&Map, CallError> {
    match value {
        Value::Map(map) if map.map_type() == MapType::Any => Ok(map),
        other => Err(conversion_error(other, "map[string]interface {}")),
    }
}

// sprig: dict.go dig
fn dig(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let [path @ .., default, source] = arguments else {
        return Err(CallError::message("dig needs at least three arguments"));
    };
    let Some((last, parents)) = path.split_last() else {
        return Err(CallError::message("dig needs at least three arguments"));
    };
    let mut current = as_dict(source)?.clone();
    let key = |value: &Value| match value {
        Value::String(key) => Ok(key.clone()),
        other => Err(conversion_error(other, "string")),
    };
    // All keys are checked before the first step.
    path.iter().try_for_each(|part| key(part).map(drop))?;
    for part in parents {
        match current.get(&key(part)?) {
            None => return Ok(interface(default)),
            Some(next) => current = as_dict(&next)?.clone(),
        }
    }
    Ok(current.get(&key(last)?).unwrap_or_else(|| interface(default)))
}

fn merge(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    merged(context, arguments, false)
}

fn merge_overwrite(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    merged(context, arguments, true)
}

fn merged(context: &Context<'_>, arguments: &[Value], overwrite: bool) -> CallResult {
    let mut destination = map(arguments, 0)?.with_type(MapType::Any);
    for index in 1..arguments.len() {
        let source = map(arguments, index)?;
        if destination.is_nil() && !source.is_nil() {
            destination = Map::new();
        }
        merge_into(context, &destination, source, overwrite)?;
    }
    Ok(Value::Map(destination))
}

/// Merges the source into the destination, whose nested maps are changed in place; what is missing there becomes the
/// source's own object.
// mergo: merge.go deepMerge, as sprig uses it: maps of any, with or without overwriting.
fn merge_into(context: &Context<'_>, destination: &Map, source: &Map, overwrite: bool) -> Result<(), CallError> {
    context.budget.enter()?;
    context.evaluator.note_changed(destination);
    charge_entries(context, source.len() + 1)?;
    let keys = source.keys();
    for key in keys {
        let Some(from) = source.get(&key) else { continue };
        let to = destination.get(&key);
        if matches!(from, Value::Invalid | Value::Nil) {
            if overwrite {
                destination.insert(key, Value::Nil);
            }
            continue;
        }
        if let (Value::Map(from), Some(Value::Map(to))) = (&from, &to)
            && !to.is_nil()
        {
            merge_into(context, to, from, overwrite)?;
        }
        // mergo asks the map for the fields of the struct. Those of a time are not exported, and left alone.
        if let (Value::Map(_), Some(Value::Object(to))) = (&from, &to)
            && to.struct_fields().is_some()
            && to.kind_name() == "struct"
        {
            return Err(CallError::message("reflect: call of reflect.Value.Field on map Value"));
        }
        // A map that was empty may have been filled just now: emptiness counts after the nested merge.
        let is_set = to.as_ref().is_some_and(|to| !is_empty_value(to));
        let both_maps = matches!((&from, &to), (Value::Map(_), Some(Value::Map(_))));
        if is_set && (both_maps || !overwrite) {
            continue;
        }
        destination.insert(key, from);
    }
    context.budget.leave();
    Ok(())
}

// mergo: mergo.go isEmptyValue: structs never are.
fn is_empty_value(value: &Value) -> bool {
    super::logic::is_empty(value)
}

// sprig: dict.go deepCopy
fn deep_copy(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    copy(context, any(arguments, 0)?)
}

fn must_deep_copy(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    copy(context, any(arguments, 0)?)
}

// copystructure: copystructure.go Copy; the text is that of reflect's panic.
fn copy(context: &Context<'_>, value: &Value) -> CallResult {
    if matches!(value, Value::Invalid | Value::Nil) {
        return Err(CallError::message("reflect: call of reflect.Value.Type on zero Value"));
    }
    copied(context, value)
}

fn copied(context: &Context<'_>, value: &Value) -> CallResult {
    Ok(match value {
        Value::List(list) if !list.is_nil() => {
            context.budget.enter()?;
            charge_items(context, list.len() + 1)?;
            let items = list.iter().map(|item| copied(context, item)).collect::<Result<_, _>>()?;
            context.budget.leave();
            Value::List(List::typed(list.element_type(), items))
        }
        Value::Map(map) if !map.is_nil() => {
            context.budget.enter()?;
            charge_entries(context, map.len() + 1)?;
            let copy = Map::typed(map.map_type());
            for (key, value) in map.entries() {
                copy.insert(key, copied(context, &value)?);
            }
            context.budget.leave();
            Value::Map(copy)
        }
        Value::Object(object) => object.deep_copy().unwrap_or_else(|| value.clone()),
        other => interface(other),
    })
}
