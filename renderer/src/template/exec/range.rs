//! `range`.

use super::super::node::{Branch, Pipe};
use super::{Execute, Execution, Flow, Reflected};
use crate::functions::printf;
use crate::value::{ElementType, GoString, MapType, Value};

impl<'t> Execution<'_, 't> {
    /// Executes a `range` (Go: `state.walkRange`).
    pub(super) fn range(&mut self, dot: &Reflected, branch: &'t Branch) -> Execute<Flow> {
        let in_scope = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?.value;
        let flow = if self.iterate(&value, branch)? {
            Flow::Next
        } else {
            match self.otherwise(dot, branch.otherwise.as_deref())? {
                // It is of the loop around this one, but walkRange ends at every `break`; a `continue` it passes on.
                Flow::Break => Flow::Next,
                flow => flow,
            }
        };
        self.variables.truncate(in_scope);
        Ok(flow)
    }

    /// Runs the body for each element. Whether there was one.
    fn iterate(&mut self, value: &Value, branch: &'t Branch) -> Execute<bool> {
        match value {
            Value::Invalid | Value::Nil => return Ok(false),
            Value::Int(end) => return self.count(*end, value, branch, Value::Int),
            Value::Int64(end) => return self.count(*end, value, branch, Value::Int64),
            Value::Uint64(end) => {
                let end = i64::try_from(*end).unwrap_or(i64::MAX);
                return self.count(end, value, branch, |index| Value::Uint64(index as u64));
            }
            Value::Uint8(end) => {
                return self.count(i64::from(*end), value, branch, |index| Value::Uint8(index as u8));
            }
            Value::List(list) => {
                let wrap = if list.element_type() == ElementType::Any { Reflected::element } else { Reflected::plain };
                let indexes = (0..).map(|index| Reflected::plain(Value::Int(index)));
                return self.each(branch, indexes.zip(list.iter().map(|element| wrap(element.clone()))));
            }
            Value::Bytes(bytes) => {
                let indexes = (0..).map(|index| Reflected::plain(Value::Int(index)));
                let elements = bytes.iter().map(|byte| Reflected::plain(Value::Uint8(*byte)));
                return self.each(branch, indexes.zip(elements));
            }
            Value::Map(map) => {
                self.charge_items(map.len())?;
                let wrap = if map.map_type() == MapType::String { Reflected::plain } else { Reflected::element };
                // The entries as they are now: the body may change the map.
                let entries = map.entries().into_iter();
                return self
                    .each(branch, entries.map(|(key, value)| (Reflected::plain(Value::String(key)), wrap(value))));
            }
            Value::Object(object) => {
                self.charge_bytes(object.entries_size())?;
                if let Some(entries) = object.entries() {
                    let entries = entries.into_iter();
                    return self.each(
                        branch,
                        entries.map(|(key, value)| (Reflected::plain(Value::String(key)), Reflected::plain(value))),
                    );
                }
                if object.kind_name() == "slice" {
                    return self.iterate(&object.to_plain(), branch);
                }
                if let (true, Value::Int(end) | Value::Int64(end)) =
                    (object.with_number(0).is_some(), object.to_plain())
                {
                    return self.count(end, value, branch, |index| object.with_number(index).unwrap_or(Value::Nil));
                }
            }
            _ => {}
        }
        let shown = self.shown(value)?;
        Err(self.error(format!("range can't iterate over {shown}")))
    }

    /// Charges the copy of a container's entries.
    fn charge_items(&self, count: usize) -> Execute<()> {
        let bytes = count.saturating_mul(size_of::<(GoString, Value)>());
        self.evaluator.budget.charge_steps(count as u64).map_err(|exceeded| self.exceeded(exceeded))?;
        self.charge_bytes(bytes)
    }

    fn each(&mut self, branch: &'t Branch, elements: impl Iterator<Item = (Reflected, Reflected)>) -> Execute<bool> {
        let mut visited = false;
        for (index, element) in elements {
            visited = true;
            if self.iteration(branch, index, &element)? == Flow::Break {
                break;
            }
        }
        Ok(visited)
    }

    /// `range` over a number.
    fn count(&mut self, end: i64, value: &Value, branch: &'t Branch, element: impl Fn(i64) -> Value) -> Execute<bool> {
        if branch.pipe.declarations.len() > 1 {
            let shown = self.shown(value)?;
            return Err(self.error(format!("can't use {shown} to iterate over more than one variable")));
        }
        self.each(branch, (0..end).map(|index| (Reflected::invalid(), Reflected::plain(element(index)))))
    }

    fn shown(&self, value: &Value) -> Execute<String> {
        let shown = printf::sprint(self.evaluator.budget, std::slice::from_ref(value))
            .map_err(|exceeded| self.exceeded(exceeded))?;
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    fn iteration(&mut self, branch: &'t Branch, index: Reflected, element: &Reflected) -> Execute<Flow> {
        self.charge_step()?;
        self.bind(&branch.pipe, index, element)?;
        let (in_scope, written) = (self.variables.len(), self.output.len());
        let mark = self.evaluator.budget.mark();
        let flow = self.nested(element, &branch.body)?;
        self.variables.truncate(in_scope);
        self.evaluator.budget.forget(mark, self.output.len() - written);
        Ok(flow)
    }

    /// Sets the loop variables: index and element, or the element alone.
    fn bind(&mut self, pipe: &'t Pipe, index: Reflected, element: &Reflected) -> Execute<()> {
        let count = pipe.declarations.len();
        if pipe.is_assignment {
            match count {
                0 => {}
                1 => self.set_variable(pipe, 0, element.clone())?,
                _ => {
                    self.set_variable(pipe, 0, index)?;
                    self.set_variable(pipe, 1, element.clone())?;
                }
            }
            return Ok(());
        }
        // They were declared last, the element's variable above the index's.
        let mut variables = self.variables.iter_mut().rev();
        if count > 0
            && let Some((_, current)) = variables.next()
        {
            *current = element.clone();
        }
        if count > 1
            && let Some((_, current)) = variables.next()
        {
            *current = index;
        }
        Ok(())
    }
}
