//! Frees values that lie in each other without recursing: a template can nest them deeper than a native stack allows.

use super::Value;

fn is_container(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

/// Takes the containers out of values that are about to be freed, and frees them one after the other.
pub(super) fn dismantle<'v>(values: impl Iterator<Item = &'v mut Value>) {
    let mut pending = Vec::new();
    take_containers(&mut pending, values);
    while let Some(mut value) = pending.pop() {
        match &mut value {
            Value::List(list) => take_containers(&mut pending, list.unshared().iter_mut()),
            Value::Map(map) => {
                if let Some(entries) = map.unshared() {
                    take_containers(&mut pending, entries.values_mut());
                }
            }
            _ => {}
        }
    }
}

fn take_containers<'v>(pending: &mut Vec<Value>, values: impl Iterator<Item = &'v mut Value>) {
    pending.extend(values.filter(|value| is_container(value)).map(|value| std::mem::replace(value, Value::Nil)));
}

#[cfg(test)]
mod tests {
    use super::super::{GoString, Map};
    use super::*;

    #[test]
    fn deep_values_are_freed_on_a_small_stack() {
        let free = || {
            let mut value = Value::Nil;
            for level in 0..200_000 {
                value = if level % 2 == 0 {
                    Value::list(vec![Value::Int(1), value])
                } else {
                    Value::Map([(GoString::from("a"), value)].into_iter().collect())
                };
            }
            drop(value);
        };
        std::thread::Builder::new().stack_size(256 << 10).spawn(free).unwrap().join().unwrap();
    }

    #[test]
    fn shared_values_live_on() {
        let inner = Map::new();
        inner.insert(GoString::from("a"), Value::list(vec![Value::Int(1)]));
        let outer = Value::list(vec![Value::Map(inner.clone()), Value::Map(inner.clone())]);
        drop(outer);
        assert!(matches!(inner.get(b"a"), Some(Value::List(list)) if list.len() == 1));
    }
}
