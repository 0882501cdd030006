//! Calls of functions and methods, and how their arguments are evaluated and checked.

use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;

use super::super::ExecError;
use super::super::node::{Evaluation, Identifier, NodeReference, Operand};
use super::{Execute, Execution, Reflected, values_methods};
use crate::functions::{CallError, Context, Parameter, Signature};
use crate::value::{ElementType, List, Map, MapType, MethodError, Object, Value};

/// The values of arguments. Few calls have more than fit without an allocation.
type Values = SmallVec<[Value; 4]>;

/// The arguments of a call as they stand in the template.
#[derive(Default)]
pub(super) struct Arguments<'t> {
    pub(super) operands: &'t [Operand],
    /// The result of the command before, which becomes the last argument.
    pub(super) piped: Option<Reflected>,
}

impl Arguments<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.operands.is_empty() && self.piped.is_none()
    }

    fn len(&self) -> usize {
        self.operands.len() + usize::from(self.piped.is_some())
    }
}

impl<'t> Execution<'_, 't> {
    /// Calls a function (Go: `state.evalFunction`, `state.evalCall`).
    pub(super) fn function(
        &mut self,
        dot: &Reflected,
        identifier: &'t Identifier,
        node: NodeReference<'t>,
        arguments: Arguments<'t>,
    ) -> Execute<Reflected> {
        self.at(NodeReference::Identifier(identifier));
        let function = identifier.function;
        let signature = Signature { parameters: function.parameters, variadic: function.variadic };
        self.check_arity(function.name, signature, &arguments)?;
        match identifier.evaluation {
            Evaluation::UntilTruth(decisive) => return self.until_truth(dot, arguments, decisive),
            Evaluation::Call => return self.call(dot, node, signature, arguments),
            Evaluation::Function => {}
        }
        let values = self.arguments(dot, signature, arguments)?;
        self.charge_reading(&values)?;
        let evaluator = self.evaluator;
        let context = Context { budget: evaluator.budget, host: evaluator.host, evaluator };
        match (function.call)(&context, &values) {
            Ok(value) => Ok(Reflected::plain(value)),
            Err(error) => {
                self.at(node);
                Err(self.call_error(function.name, error))
            }
        }
    }

    /// Calls a method of an object.
    pub(super) fn method(
        &mut self,
        dot: &Reflected,
        object: &Rc<dyn Object>,
        name: &str,
        signature: Signature,
        node: &'t Operand,
        arguments: Arguments<'t>,
    ) -> Execute<Reflected> {
        self.check_arity(name, signature, &arguments)?;
        let values = self.arguments(dot, signature, arguments)?;
        self.charge_reading(&values)?;
        self.charge_bytes(object.cost(name, &values))?;
        match object.call(name, &values) {
            Ok(value) => Ok(Reflected::plain(value)),
            Err(MethodError::Failed(message)) => {
                self.at(NodeReference::Operand(node));
                Err(self.call_error(name, CallError::Message(message)))
            }
            Err(MethodError::Unknown) => {
                Err(self.error(format!("can't evaluate field {name} in type {}", object.type_name())))
            }
        }
    }

    /// Calls a method of the named map type of `.Values`.
    pub(super) fn values_method(
        &mut self,
        dot: &Reflected,
        receiver: &Map,
        name: &str,
        signature: Signature,
        node: &'t Operand,
        arguments: Arguments<'t>,
    ) -> Execute<Reflected> {
        self.check_arity(name, signature, &arguments)?;
        let values = self.arguments(dot, signature, arguments)?;
        self.charge_reading(&values)?;
        match values_methods::call(receiver, name, &values, self.evaluator.budget) {
            Ok(value) => Ok(Reflected::plain(value)),
            Err(error) => {
                self.at(NodeReference::Operand(node));
                Err(self.call_error(name, error))
            }
        }
    }

    /// Charges the time in which a function can look at all of its arguments.
    fn charge_reading(&self, arguments: &[Value]) -> Execute<()> {
        /// A call takes about a tenth of a microsecond: the functions that format something, at least.
        const CALL_STEPS: u64 = 8;
        let length = |value: &Value| match value {
            Value::String(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        let steps = CALL_STEPS + arguments.len() as u64;
        let read: usize = arguments.iter().map(length).sum();
        let budget = self.evaluator.budget;
        budget
            .charge_steps(steps)
            .and_then(|()| budget.charge_reading(read as u64))
            .map_err(|exceeded| self.exceeded(exceeded))
    }

    #[cold]
    fn call_error(&self, function: &str, cause: CallError) -> ExecError {
        match (self.frame(), cause) {
            (frame, CallError::Budget(exceeded)) => ExecError::exceeded(frame, exceeded),
            (Some(frame), cause) => ExecError::call(frame, function.to_owned(), cause),
            (None, _) => self.error(format!("error calling {function}")),
        }
    }

    fn check_arity(&self, name: &str, signature: Signature, arguments: &Arguments<'_>) -> Execute<()> {
        let wanted = signature.parameters.len();
        let given = arguments.len();
        if signature.variadic.is_some() {
            if given < wanted {
                // Go leaves the piped argument out of this count.
                let given = arguments.operands.len();
                return Err(self.error(format!("wrong number of args for {name}: want at least {wanted} got {given}")));
            }
        } else if given != wanted {
            return Err(self.error(format!("wrong number of args for {name}: want {wanted} got {given}")));
        }
        Ok(())
    }

    /// `and` and `or`: the operand that decides, and no operand after it is evaluated.
    fn until_truth(&mut self, dot: &Reflected, arguments: Arguments<'t>, decisive: bool) -> Execute<Reflected> {
        let mut value = Reflected::invalid();
        for operand in arguments.operands {
            value = self.argument(dot, Parameter::Reflect, operand)?;
            if value.value.is_true() == decisive {
                return Ok(value);
            }
        }
        Ok(arguments.piped.unwrap_or(value))
    }

    /// `call`: no value that a chart can get hold of is a function (Go: `call` of funcs.go).
    fn call(
        &mut self,
        dot: &Reflected,
        node: NodeReference<'t>,
        signature: Signature,
        arguments: Arguments<'t>,
    ) -> Execute<Reflected> {
        let written = arguments.operands.first().map(|operand| operand.shown(self.source()).to_string());
        let values = self.arguments(dot, signature, arguments)?;
        let message = match values.first() {
            None | Some(Value::Invalid | Value::Nil) => String::from("call of nil"),
            Some(callee) => {
                // A piped callee has no source text; Go shows `<T Value>` then.
                let name = written.unwrap_or_else(|| match callee {
                    Value::String(text) => text.to_string(),
                    callee => format!("<{} Value>", callee.type_name()),
                });
                format!("non-function {name} of type {}", callee.type_name())
            }
        };
        self.at(node);
        Err(self.call_error("call", CallError::Message(message)))
    }

    /// The values of the arguments, converted to the parameters.
    fn arguments(&mut self, dot: &Reflected, signature: Signature, arguments: Arguments<'t>) -> Execute<Values> {
        let mut values = Values::with_capacity(arguments.len());
        let parameter = |index: usize| signature.parameters.get(index).copied().or(signature.variadic);
        for (index, operand) in arguments.operands.iter().enumerate() {
            let parameter = parameter(index).unwrap_or(Parameter::Any);
            values.push(self.argument(dot, parameter, operand)?.value);
        }
        if let Some(piped) = arguments.piped {
            let parameter = parameter(values.len()).unwrap_or(Parameter::Any);
            values.push(self.validate(piped, parameter)?.value);
        }
        Ok(values)
    }

    /// The value of an operand whose type nothing asks for: what stands before `.field`.
    pub(super) fn untyped_argument(&mut self, dot: &Reflected, operand: &'t Operand) -> Execute<Reflected> {
        self.at(NodeReference::Operand(operand));
        Ok(self.evaluated(dot, operand)?.unwrap_or_else(Reflected::invalid))
    }

    /// The value of an operand that is not a literal.
    fn evaluated(&mut self, dot: &Reflected, operand: &'t Operand) -> Execute<Option<Reflected>> {
        Ok(Some(match operand {
            Operand::Dot(_) => dot.clone(),
            Operand::Field(field) => self.field_chain(dot, dot, operand, &field.fields, Arguments::default())?,
            Operand::Variable(_) => self.variable_chain(dot, operand, Arguments::default())?,
            Operand::Pipe(pipe) => self.nested_pipeline(dot, pipe)?,
            Operand::Identifier(identifier) => {
                self.function(dot, identifier, NodeReference::Operand(operand), Arguments::default())?
            }
            Operand::Chain(_) => self.chain(dot, operand, Arguments::default())?,
            Operand::Bool(..) | Operand::Nil(_) | Operand::Number(_) | Operand::String(_) => return Ok(None),
        }))
    }

    /// The value of an argument for a parameter of this type (Go: `state.evalArg`).
    fn argument(&mut self, dot: &Reflected, parameter: Parameter, operand: &'t Operand) -> Execute<Reflected> {
        self.at(NodeReference::Operand(operand));
        if let Some(value) = self.evaluated(dot, operand)? {
            return self.validate(value, parameter);
        }
        let source = self.source();
        let found = || format!("found {}", operand.shown(source));
        let value = match (parameter, operand) {
            (_, Operand::Nil(_)) => match nil_of(parameter) {
                Some(value) => value,
                None => return Err(self.error(format!("cannot assign nil to {}", parameter.type_name()))),
            },
            (Parameter::Any | Parameter::Reflect | Parameter::Bool, Operand::Bool(_, value)) => Value::Bool(*value),
            (Parameter::Any | Parameter::Reflect | Parameter::String, Operand::String(literal)) => {
                Value::String(literal.value.clone())
            }
            (Parameter::Any | Parameter::Reflect, Operand::Number(number)) => return self.constant(operand, number),
            (Parameter::Int | Parameter::Int64, Operand::Number(number)) if number.int.is_some() => {
                let int = number.int.unwrap_or_default();
                if parameter == Parameter::Int { Value::Int(int) } else { Value::Int64(int) }
            }
            (Parameter::Uint32, Operand::Number(number)) if number.uint.is_some() => {
                Value::Uint64(number.uint.unwrap_or_default())
            }
            (Parameter::Float64, Operand::Number(number)) if number.float.is_some() => {
                Value::Float64(number.float.unwrap_or_default())
            }
            (Parameter::Bool, _) => return Err(self.error(format!("expected bool; {}", found()))),
            (Parameter::String, _) => return Err(self.error(format!("expected string; {}", found()))),
            (Parameter::Int | Parameter::Int64, _) => {
                return Err(self.error(format!("expected integer; {}", found())));
            }
            (Parameter::Uint32, _) => return Err(self.error(format!("expected unsigned integer; {}", found()))),
            (Parameter::Float64, _) => return Err(self.error(format!("expected float; {}", found()))),
            _ => {
                let name = parameter.type_name();
                return Err(self.error(format!("can't handle {} for arg of type {name}", operand.shown(source))));
            }
        };
        Ok(Reflected::plain(value))
    }

    /// Checks that a value can be passed to a parameter, and converts it (Go: `state.validateType`).
    fn validate(&self, reflected: Reflected, parameter: Parameter) -> Execute<Reflected> {
        let expected = parameter.type_name();
        let value = match (parameter, reflected.value) {
            (Parameter::Reflect, value) => return Ok(Reflected { value, origin: reflected.origin }),
            (_, Value::Invalid) => match nil_of(parameter) {
                Some(value) => value,
                None => return Err(self.error(format!("invalid value; expected {expected}"))),
            },
            (Parameter::Any, value) => value,
            (Parameter::Map, Value::Map(map)) if map.map_type() != MapType::String => {
                Value::Map(map.with_type(MapType::Any))
            }
            (_, value) if is_assignable(&value, parameter) => value,
            (_, Value::Nil) => {
                return Err(self.error(format!("wrong type for value; expected {expected}; got interface {{}}")));
            }
            (_, value) => {
                let got = value.type_name();
                return Err(self.error(format!("wrong type for value; expected {expected}; got {got}")));
            }
        };
        Ok(Reflected::plain(value))
    }
}

/// Whether a value other than a map can be assigned to a parameter other than `any`.
fn is_assignable(value: &Value, parameter: Parameter) -> bool {
    match (parameter, value) {
        (Parameter::String, Value::String(_))
        | (Parameter::Int, Value::Int(_))
        | (Parameter::Int64, Value::Int64(_))
        | (Parameter::Float64, Value::Float64(_))
        | (Parameter::Bool, Value::Bool(_))
        | (Parameter::Bytes, Value::Bytes(_)) => true,
        (Parameter::List, Value::List(list)) => list.element_type() == ElementType::Any,
        (Parameter::StringList, Value::List(list)) => list.element_type() == ElementType::String,
        (Parameter::Time | Parameter::Object(_), Value::Object(object)) => object.type_name() == parameter.type_name(),
        _ => false,
    }
}

/// The nil of a parameter's type, if it has one (Go: `canBeNil`, `reflect.Zero`).
fn nil_of(parameter: Parameter) -> Option<Value> {
    match parameter {
        Parameter::Any => Some(Value::Nil),
        Parameter::Reflect => Some(Value::Invalid),
        Parameter::Map => Some(Value::Map(Map::nil(MapType::Any))),
        Parameter::List => Some(Value::List(List::nil(ElementType::Any))),
        Parameter::StringList => Some(Value::List(List::nil(ElementType::String))),
        Parameter::Bytes => Some(Value::Bytes(Arc::from([]))),
        _ => None,
    }
}
