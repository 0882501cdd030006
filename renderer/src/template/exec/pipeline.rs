//! Pipelines, commands and literals.

use bstr::ByteSlice;

use super::super::node::{Command, NodeReference, Number, Operand, Pipe};
use super::call::Arguments;
use super::{Execute, Execution, Reflected};
use crate::value::Value;

impl<'t> Execution<'_, 't> {
    /// The value of a pipeline; its variables are declared or assigned (Go: `state.evalPipeline`).
    pub(super) fn pipeline(&mut self, dot: &Reflected, pipe: &'t Pipe) -> Execute<Reflected> {
        self.at(NodeReference::Pipe(pipe));
        let mut value = None;
        for command in &pipe.commands {
            self.charge_step()?;
            value = Some(self.command(dot, command, value)?.without_interface());
        }
        let value = value.unwrap_or_else(Reflected::invalid);
        for (index, variable) in pipe.declarations.iter().enumerate() {
            if pipe.is_assignment {
                self.set_variable(pipe, index, value.clone())?;
            } else {
                self.variables.push((variable.symbol, value.clone()));
            }
        }
        Ok(value)
    }

    /// The value of a parenthesised pipeline.
    pub(super) fn nested_pipeline(&mut self, dot: &Reflected, pipe: &'t Pipe) -> Execute<Reflected> {
        self.enter()?;
        let value = self.pipeline(dot, pipe)?;
        self.leave();
        Ok(value)
    }

    /// The value of a command, whose last argument comes from the command before it, if any (Go:
    /// `state.evalCommand`).
    fn command(&mut self, dot: &Reflected, command: &'t Command, piped: Option<Reflected>) -> Execute<Reflected> {
        let Some((first, operands)) = command.operands.split_first() else { return Ok(Reflected::invalid()) };
        let arguments = Arguments { operands, piped };
        match first {
            Operand::Field(field) => {
                self.at(NodeReference::Operand(first));
                return self.field_chain(dot, dot, first, &field.fields, arguments);
            }
            Operand::Chain(_) => return self.chain(dot, first, arguments),
            Operand::Identifier(identifier) => {
                return self.function(dot, identifier, NodeReference::Command(command), arguments);
            }
            Operand::Pipe(pipe) => {
                self.check_no_arguments(first, &arguments)?;
                return self.nested_pipeline(dot, pipe);
            }
            Operand::Variable(_) => return self.variable_chain(dot, first, arguments),
            _ => {}
        }
        self.at(NodeReference::Operand(first));
        self.check_no_arguments(first, &arguments)?;
        match first {
            Operand::Bool(_, value) => Ok(Reflected::plain(Value::Bool(*value))),
            Operand::Dot(_) => Ok(dot.clone()),
            Operand::Number(number) => self.constant(first, number),
            Operand::String(literal) => Ok(Reflected::plain(Value::String(literal.value.clone()))),
            _ => Err(self.error("nil is not a command")),
        }
    }

    /// Go: `state.notAFunction`.
    pub(super) fn check_no_arguments(&self, operand: &Operand, arguments: &Arguments<'_>) -> Execute<()> {
        if arguments.is_empty() {
            return Ok(());
        }
        Err(self.error(format!("can't give argument to non-function {}", operand.shown(self.source()))))
    }

    /// The value of a number where nothing asks for a type: its syntax decides (Go: `state.idealConstant`).
    pub(super) fn constant(&mut self, operand: &'t Operand, number: &'t Number) -> Execute<Reflected> {
        self.at(NodeReference::Operand(operand));
        if let Some((real, imaginary)) = number.complex {
            return Ok(Reflected::plain(Value::Complex128(real, imaginary)));
        }
        let text = self.source().get(number.text);
        let is_character = text.starts_with(b"'");
        let is_hexadecimal = (text.starts_with(b"0x") || text.starts_with(b"0X")) && text.find_byteset(b"pP").is_none();
        if let Some(float) = number.float
            && !is_character
            && !is_hexadecimal
            && text.find_byteset(b".eEpP").is_some()
        {
            return Ok(Reflected::plain(Value::Float64(float)));
        }
        match number.int {
            Some(int) => Ok(Reflected::plain(Value::Int(int))),
            None => Err(self.error(format!("{} overflows int", text.as_bstr()))),
        }
    }
}
