//! Whether a value lies in itself.

use std::collections::HashSet;

use super::Value;
use crate::budget::{Budget, BudgetExceeded};

impl Value {
    /// Whether a list or map can be reached from itself. Takes a step for each value that is looked at; each list and map
    /// is looked into once.
    pub(crate) fn is_circular(&self, budget: &Budget) -> Result<bool, BudgetExceeded> {
        enum Visit {
            Enter(Value),
            Leave(usize),
        }
        let (mut open, mut done) = (HashSet::new(), HashSet::new());
        let mut pending = vec![Visit::Enter(self.clone())];
        while let Some(visit) = pending.pop() {
            let value = match visit {
                Visit::Leave(address) => {
                    open.remove(&address);
                    done.insert(address);
                    continue;
                }
                Visit::Enter(value) => value,
            };
            let (address, inner): (usize, Vec<Value>) = match &value {
                Value::Map(map) => (map.address(), map.entries().into_iter().map(|(_, value)| value).collect()),
                Value::List(list) => (list.address(), list.to_vec()),
                _ => continue,
            };
            budget.charge_steps(1 + inner.len() as u64)?;
            if open.contains(&address) {
                return Ok(true);
            }
            if address != 0 && !done.contains(&address) {
                open.insert(address);
                pending.push(Visit::Leave(address));
                pending.extend(inner.into_iter().map(Visit::Enter));
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Map;
    use super::*;
    use crate::Limits;

    fn is_circular(value: &Value) -> bool {
        value.is_circular(&Budget::new(Limits::default())).unwrap()
    }

    #[test]
    fn tells_circles_from_depth_and_from_sharing() {
        let deep = (0..1000).fold(Value::Nil, |inner, _| Value::list(vec![inner]));
        assert!(!is_circular(&deep));
        // Without a look at what was seen, two to the power of 100.
        let shared = (0..100).fold(Value::Nil, |inner, _| Value::list(vec![inner.clone(), inner]));
        assert!(!is_circular(&shared));
        let map = Map::new();
        map.insert("a".into(), Value::Map(Map::new()));
        assert!(!is_circular(&Value::Map(map.clone())));
        map.insert("b".into(), Value::list(vec![Value::Nil, Value::Map(map.clone())]));
        assert!(is_circular(&Value::list(vec![Value::Map(map.clone())])));
        map.clear();
    }
}
