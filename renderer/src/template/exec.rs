//! Executes templates (`text/template/exec.go`).

mod call;
mod field;
mod pipeline;
mod range;
mod values_methods;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use bstr::ByteSlice;
use smallvec::SmallVec;

use super::error::Frame;
use super::node::{Node, NodeReference, Pipe, Source, Symbol, Template, TemplateCall, Variable};
use super::set::Templates;
use super::{ExecError, TemplateSet};
use crate::budget::{Budget, BudgetExceeded};
use crate::functions::{Host, printf};
use crate::value::{GoString, Map, Value};

/// The native stack that a render within the default [`crate::Limits::depth`] may need: run [`crate::render()`] on a thread
/// with at least this much. One level of that depth takes up to 6 KB in an unoptimised build; the rest is for functions
/// that walk values. The memory is only reserved: what a render does not reach is never touched.
pub const RENDER_STACK_BYTES: usize = 64 << 20;

/// Executes the templates of one set.
pub struct Evaluator<'a> {
    set: &'a TemplateSet,
    pub(super) budget: &'a Budget,
    pub(super) host: &'a dyn Host,
    /// The templates of the `tpl` being executed, over those of the set.
    pub(super) layer: RefCell<Option<Rc<Layer>>>,
    /// How many executions of each name through `include` are under way.
    pub(super) included: RefCell<HashMap<GoString, Rc<Cell<usize>>>>,
    /// Buffers for the output of `include` and `tpl`, to be used again.
    buffers: RefCell<Vec<Vec<u8>>>,
    /// The texts that `tpl` has parsed in this render.
    pub(super) parsed: RefCell<HashMap<GoString, Arc<Templates>>>,
    changed: ChangedMaps,
}

/// The maps that templates have changed, by address. A map that was put into itself, directly or not, would never be
/// freed; emptying the changed maps at the end of the render breaks every such circle.
#[derive(Default)]
struct ChangedMaps(RefCell<HashMap<usize, Map>>);

impl Drop for ChangedMaps {
    fn drop(&mut self) {
        for map in self.0.get_mut().values() {
            map.clear();
        }
    }
}

/// Templates that a `tpl` defines over all others while it runs.
pub(super) struct Layer {
    pub(super) templates: Arc<Templates>,
    pub(super) below: Option<Rc<Layer>>,
}

pub(super) type Execute<T> = Result<T, ExecError>;

impl<'a> Evaluator<'a> {
    /// An evaluator for one render. When it is dropped, the maps that templates have changed are emptied: they must not
    /// be used for anything else.
    pub fn new(set: &'a TemplateSet, budget: &'a Budget, host: &'a dyn Host) -> Self {
        Self {
            set,
            budget,
            host,
            layer: RefCell::default(),
            included: RefCell::default(),
            buffers: RefCell::default(),
            parsed: RefCell::default(),
            changed: ChangedMaps::default(),
        }
    }

    /// Executes the named template with this dot and returns its output, in which missing values still read
    /// `<no value>` (see [`super::strip_no_value`]).
    pub fn execute(&self, name: &str, dot: Value) -> Result<Vec<u8>, ExecError> {
        let template = self.set.get(name.as_bytes()).cloned().ok_or_else(|| ExecError::no_template(name.as_bytes()))?;
        let mut output = Vec::new();
        let mark = self.budget.mark();
        self.run(&template, dot, &mut output)?;
        self.budget.forget(mark, output.len());
        Ok(output)
    }

    /// Has to be told of every map that a function changes.
    pub(crate) fn note_changed(&self, map: &Map) {
        self.budget.note_change();
        self.changed.0.borrow_mut().entry(map.address()).or_insert_with(|| map.clone());
    }

    /// The regular expressions that the templates have used.
    pub(crate) fn expressions(&self) -> &crate::functions::Expressions {
        self.set.expressions()
    }

    /// The templates of a text of `tpl`.
    pub(super) fn parse_inner(&self, text: &GoString) -> Result<Arc<Templates>, super::ParseError> {
        self.set.parse_inner(text)
    }

    /// The template of that name, as the innermost `tpl` sees it. The search takes a step for each `tpl` that it passes.
    pub(super) fn lookup(&self, name: &[u8]) -> Result<Option<Arc<Template>>, BudgetExceeded> {
        let layer = self.layer.borrow();
        let mut current = layer.as_deref();
        while let Some(layer) = current {
            self.budget.charge_steps(1)?;
            if let Some(template) = layer.templates.get(name) {
                return Ok(Some(Arc::clone(template)));
            }
            current = layer.below.as_deref();
        }
        Ok(self.set.get(name).cloned())
    }

    /// Executes a template with `.` and `$` set to this value, and gives its output to `then`.
    pub(super) fn output_of<T>(&self, template: &Template, dot: Value, then: impl FnOnce(&[u8]) -> T) -> Execute<T> {
        /// A larger buffer is not kept: a chart could have one at each level of a recursion.
        const LARGEST_KEPT: usize = 64 << 10;
        let mark = self.budget.mark();
        let mut buffer = self.buffers.borrow_mut().pop().unwrap_or_default();
        let result = self.run(template, dot, &mut buffer).map(|()| then(&buffer));
        self.budget.forget(mark, buffer.len());
        if buffer.capacity() <= LARGEST_KEPT {
            buffer.clear();
            self.buffers.borrow_mut().push(buffer);
        }
        result
    }

    fn run(&self, template: &Template, dot: Value, output: &mut Vec<u8>) -> Execute<()> {
        // Go: `reflect.ValueOf(data)` of a nil interface is no value.
        let dot = Reflected::plain(if matches!(dot, Value::Nil) { Value::Invalid } else { dot });
        self.run_into(template, &dot, output)
    }

    fn run_into(&self, template: &Template, dot: &Reflected, output: &mut Vec<u8>) -> Execute<()> {
        let mut variables = Variables::new();
        variables.push((ROOT_VARIABLE, dot.clone()));
        let mut execution = Execution { evaluator: self, template, node: None, variables, output };
        execution.walk(dot, &template.body)?;
        Ok(())
    }
}

/// Variables in scope. Few templates have more than fit without an allocation.
type Variables = SmallVec<[(Symbol, Reflected); 4]>;

/// The symbol of `$`.
const ROOT_VARIABLE: Symbol = 0;

/// What is known about where a value came from: the part of Go's `reflect.Value` that is more than the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// A value of its own type.
    Plain,
    /// An element of a map or list of `interface {}`: messages name that type.
    Interface,
    /// A field of a struct behind a pointer: methods of the pointer apply when it is printed.
    Addressable,
}

/// A value with its origin: Go's `reflect.Value`.
#[derive(Clone, Debug)]
struct Reflected {
    value: Value,
    origin: Origin,
}

impl Reflected {
    fn plain(value: Value) -> Self {
        Self { value, origin: Origin::Plain }
    }

    /// No value.
    fn invalid() -> Self {
        Self::plain(Value::Invalid)
    }

    /// An element of a container of `interface {}`.
    fn element(value: Value) -> Self {
        // Containers hold no invalid values.
        let value = if matches!(value, Value::Invalid) { Value::Nil } else { value };
        Self { value, origin: Origin::Interface }
    }

    /// The concrete value in an interface; a nil interface holds none (Go: `reflect.Value.Elem`).
    fn without_interface(self) -> Self {
        match (self.origin, &self.value) {
            (_, Value::Nil) => Self::invalid(),
            (Origin::Interface, _) => Self::plain(self.value),
            _ => self,
        }
    }

    fn type_name(&self) -> &'static str {
        match (self.origin, &self.value) {
            (Origin::Interface, _) | (_, Value::Nil) => "interface {}",
            _ => self.value.type_name(),
        }
    }
}

/// How a list of nodes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// The execution of one template (Go: `state`).
struct Execution<'e, 't> {
    evaluator: &'e Evaluator<'e>,
    template: &'t Template,
    /// The node being evaluated, for errors.
    node: Option<NodeReference<'t>>,
    /// The variables in scope, the last declared last.
    variables: Variables,
    output: &'e mut Vec<u8>,
}

impl<'t> Execution<'_, 't> {
    fn at(&mut self, node: NodeReference<'t>) {
        self.node = Some(node);
    }

    fn frame(&self) -> Option<Frame> {
        self.node.map(|node| Frame::new(self.template, &node))
    }

    /// What the nodes were parsed from.
    fn source(&self) -> &'t Source {
        &self.template.source
    }

    /// An error at the current node (Go: `state.errorf`).
    #[cold]
    fn error(&self, message: impl Into<String>) -> ExecError {
        match self.frame() {
            Some(frame) => ExecError::message(frame, message.into()),
            None => ExecError::without_frame(message.into()),
        }
    }

    #[cold]
    fn exceeded(&self, exceeded: BudgetExceeded) -> ExecError {
        let frame = self.frame().unwrap_or_else(|| Frame::start_of(self.template));
        ExecError::exceeded(Some(frame), exceeded)
    }

    fn charge_bytes(&self, count: usize) -> Execute<()> {
        self.evaluator.budget.charge_bytes(count as u64).map_err(|exceeded| self.exceeded(exceeded))
    }

    fn charge_step(&self) -> Execute<()> {
        self.evaluator.budget.charge_steps(1).map_err(|exceeded| self.exceeded(exceeded))
    }

    fn enter(&self) -> Execute<()> {
        self.evaluator.budget.enter().map_err(|exceeded| self.exceeded(exceeded))
    }

    fn leave(&self) {
        self.evaluator.budget.leave();
    }

    fn write(&mut self, bytes: &[u8]) -> Execute<()> {
        self.evaluator.budget.charge_bytes(bytes.len() as u64).map_err(|exceeded| self.exceeded(exceeded))?;
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    /// Executes nodes (Go: `state.walk`).
    fn walk(&mut self, dot: &Reflected, nodes: &'t [Node]) -> Execute<Flow> {
        for node in nodes {
            self.charge_step()?;
            let flow = match node {
                Node::Text(text) => {
                    self.write(self.source().get(*text))?;
                    Flow::Next
                }
                Node::Action(pipe) => {
                    let mark = self.evaluator.budget.mark();
                    let value = self.pipeline(dot, pipe)?;
                    if pipe.declarations.is_empty() {
                        let before = self.output.len();
                        self.print(&value)?;
                        self.evaluator.budget.forget(mark, self.output.len() - before);
                    }
                    Flow::Next
                }
                Node::If(branch) => {
                    let in_scope = self.variables.len();
                    let condition = self.pipeline(dot, &branch.pipe)?;
                    let flow = if condition.value.is_true() {
                        self.nested(dot, &branch.body)?
                    } else {
                        self.otherwise(dot, branch.otherwise.as_deref())?
                    };
                    self.variables.truncate(in_scope);
                    flow
                }
                Node::With(branch) => {
                    let in_scope = self.variables.len();
                    let value = self.pipeline(dot, &branch.pipe)?;
                    let flow = if value.value.is_true() {
                        self.nested(&value, &branch.body)?
                    } else {
                        self.otherwise(dot, branch.otherwise.as_deref())?
                    };
                    self.variables.truncate(in_scope);
                    flow
                }
                Node::Range(branch) => self.range(dot, branch)?,
                Node::Template(call) => {
                    self.template_call(dot, call)?;
                    Flow::Next
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Executes the body of a control structure.
    fn nested(&mut self, dot: &Reflected, nodes: &'t [Node]) -> Execute<Flow> {
        self.enter()?;
        let flow = self.walk(dot, nodes)?;
        self.leave();
        Ok(flow)
    }

    fn otherwise(&mut self, dot: &Reflected, nodes: Option<&'t [Node]>) -> Execute<Flow> {
        nodes.map_or(Ok(Flow::Next), |nodes| self.nested(dot, nodes))
    }

    /// Executes another template in place (Go: `state.walkTemplate`).
    fn template_call(&mut self, dot: &Reflected, call: &'t TemplateCall) -> Execute<()> {
        self.at(NodeReference::TemplateCall(call));
        let found = self.evaluator.lookup(&call.name).map_err(|exceeded| self.exceeded(exceeded))?;
        let Some(template) = found else {
            return Err(self.error(format!("template {} not defined", crate::quote::quote(&call.name))));
        };
        let dot = match &call.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Reflected::invalid(),
        };
        self.enter()?;
        self.evaluator.run_into(&template, &dot, self.output)?;
        self.leave();
        Ok(())
    }

    /// Writes what `{{ value }}` shows (Go: `state.printValue`).
    fn print(&mut self, value: &Reflected) -> Execute<()> {
        match &value.value {
            Value::String(text) => self.write(text),
            Value::Invalid | Value::Nil => self.write(b"<no value>"),
            // What a pointer leads to is addressable too.
            Value::Object(object) if value.origin == Origin::Addressable || object.kind_name() == "ptr" => {
                self.charge_bytes(object.size())?;
                let text = object.to_addressable_text();
                self.write(&text)
            }
            other => printf::append_value(self.output, self.evaluator.budget, other)
                .map_err(|exceeded| self.exceeded(exceeded)),
        }
    }

    /// The value of the variable declared last under this name (Go: `state.varValue`).
    fn variable(&self, symbol: Symbol) -> Option<&Reflected> {
        self.variables.iter().rev().find(|(declared, _)| *declared == symbol).map(|(_, value)| value)
    }

    #[cold]
    fn undefined(&self, variable: &Variable) -> ExecError {
        self.error(format!("undefined variable: {}", self.source().get(variable.name).as_bstr()))
    }

    /// Charges the search for a variable where there are so many that it takes time.
    fn charge_search(&self) -> Execute<()> {
        /// So many are searched in the time of a step.
        const VARIABLES_PER_STEP: usize = 16;
        let steps = self.variables.len() / VARIABLES_PER_STEP;
        self.evaluator.budget.charge_steps(steps as u64).map_err(|exceeded| self.exceeded(exceeded))
    }

    /// Go: `state.setVar`.
    fn set_variable(&mut self, pipe: &'t Pipe, index: usize, value: Reflected) -> Execute<()> {
        self.charge_search()?;
        let variable = &pipe.declarations[index];
        match self.variables.iter_mut().rev().find(|(declared, _)| *declared == variable.symbol) {
            Some((_, current)) => {
                *current = value;
                // It outlives the rounds of loops that assign to it.
                self.evaluator.budget.note_change();
                Ok(())
            }
            None => Err(self.undefined(variable)),
        }
    }
}
