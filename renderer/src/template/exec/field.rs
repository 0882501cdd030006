//! Field accesses and method calls.

use super::super::node::{NodeReference, Operand, Span};
use super::call::Arguments;
use super::values_methods;
use super::{Execute, Execution, Origin, Reflected};
use crate::value::{MapType, Value};

impl<'t> Execution<'_, 't> {
    /// `(pipeline).a.b` or `function.a.b` (Go: `state.evalChainNode`).
    pub(super) fn chain(&mut self, dot: &Reflected, node: &'t Operand, arguments: Arguments<'t>) -> Execute<Reflected> {
        self.at(NodeReference::Operand(node));
        let Operand::Chain(chain) = node else { return Ok(Reflected::invalid()) };
        let receiver = self.untyped_argument(dot, &chain.operand)?;
        self.field_chain(dot, &receiver, node, &chain.fields, arguments)
    }

    /// `$x` or `$x.a.b` (Go: `state.evalVariableNode`).
    pub(super) fn variable_chain(
        &mut self,
        dot: &Reflected,
        node: &'t Operand,
        arguments: Arguments<'t>,
    ) -> Execute<Reflected> {
        self.at(NodeReference::Operand(node));
        let Operand::Variable(variable) = node else { return Ok(Reflected::invalid()) };
        let Some(value) = self.variable(variable.symbol).cloned() else {
            return Err(self.undefined(variable));
        };
        self.charge_search()?;
        if variable.fields.is_empty() {
            self.check_no_arguments(node, &arguments)?;
            return Ok(value);
        }
        self.field_chain(dot, &value, node, &variable.fields, arguments)
    }

    /// Walks along fields; the last one, if it is a method, takes the arguments (Go: `state.evalFieldChain`).
    pub(super) fn field_chain(
        &mut self,
        dot: &Reflected,
        receiver: &Reflected,
        node: &'t Operand,
        fields: &'t [Span],
        arguments: Arguments<'t>,
    ) -> Execute<Reflected> {
        let Some((last, leading)) = fields.split_last() else { return Ok(receiver.clone()) };
        let mut inner = None;
        for field in leading {
            let receiver = inner.as_ref().unwrap_or(receiver);
            inner = Some(self.field(dot, *field, node, Arguments::default(), receiver)?);
        }
        self.field(dot, *last, node, arguments, inner.as_ref().unwrap_or(receiver))
    }

    /// One step of a chain (Go: `state.evalField`).
    fn field(
        &mut self,
        dot: &Reflected,
        name: Span,
        node: &'t Operand,
        arguments: Arguments<'t>,
        receiver: &Reflected,
    ) -> Execute<Reflected> {
        let key = self.source().get(name);
        // The lexer lets only letters, digits and underscores through.
        let name = || std::str::from_utf8(key).unwrap_or_default();
        match &receiver.value {
            Value::Invalid => return Ok(Reflected::invalid()),
            Value::Nil => return Err(self.error(format!("nil pointer evaluating interface {{}}.{}", name()))),
            Value::Map(map) => {
                // Methods come before keys.
                if let Some(signature) = values_methods::signature(map, key) {
                    return self.values_method(dot, map, name(), signature, node, arguments);
                }
                if !arguments.is_empty() {
                    return Err(self.error(format!("{} is not a method but has arguments", name())));
                }
                let value = map.get(key);
                return Ok(match map.map_type() {
                    // Helm sets the option missingkey=zero.
                    MapType::String => Reflected::plain(value.unwrap_or_else(|| Value::string(""))),
                    MapType::Any | MapType::Values | MapType::ChartutilValues => {
                        Reflected::element(value.unwrap_or(Value::Nil))
                    }
                });
            }
            Value::Object(object) => {
                let name = name();
                if let Some(signature) = object.method(name) {
                    return self.method(dot, object, name, signature, node, arguments);
                }
                self.charge_step()?;
                if let Some(value) = object.field(name) {
                    if !arguments.is_empty() {
                        return Err(self.error(if object.kind_name() == "map" {
                            format!("{name} is not a method but has arguments")
                        } else {
                            format!("{name} has arguments but cannot be invoked as function")
                        }));
                    }
                    let origin = match (object.kind_name(), &value) {
                        ("ptr", Value::Object(_)) => Origin::Addressable,
                        _ => Origin::Plain,
                    };
                    return Ok(Reflected { value, origin });
                }
            }
            _ => {}
        }
        Err(self.error(format!("can't evaluate field {} in type {}", name(), receiver.type_name())))
    }
}
