//! The parsed form of a template, with positions and Go's source-like text (`text/template/parse/node.go`).
//!
//! Nodes hold nothing that a render changes, so a parsed template is `Send + Sync`.

use std::fmt;
use std::sync::OnceLock;

use bstr::ByteSlice;

use crate::functions::Function;
use crate::quote;
use crate::value::GoString;

/// A byte offset in the source text.
pub(super) type Position = usize;

/// The text that templates were parsed from: one file, or one argument of `tpl`.
#[derive(Debug)]
pub(super) struct Source {
    /// The name that errors show.
    pub(super) name: String,
    pub(super) text: Box<[u8]>,
    /// How many line breaks there are before each block of the text; counted when an error asks for a line.
    newlines: OnceLock<Vec<usize>>,
}

/// Bytes of a block whose line breaks are counted once.
const NEWLINE_BLOCK: usize = 4 << 10;

/// Nobody reads more of a line. Errors keep one for each place that they passed.
const LONGEST_SHOWN_LINE: usize = 4 << 10;

impl Source {
    pub(super) fn new(name: &str, text: &[u8]) -> Self {
        Self { name: name.to_owned(), text: text.into(), newlines: OnceLock::new() }
    }

    /// The line, from 1, and the byte column, from 0, of a position (Go: `Tree.ErrorContext`).
    pub(super) fn line_and_column(&self, position: Position) -> (usize, usize) {
        let position = position.min(self.text.len());
        let newlines = |text: &[u8]| text.find_iter(b"\n").count();
        // A recursion that fails asks for one place thousands of times.
        let before_blocks = self.newlines.get_or_init(|| {
            let mut sum = 0;
            let before = self.text.chunks(NEWLINE_BLOCK).map(|block| {
                let before = sum;
                sum += newlines(block);
                before
            });
            before.collect()
        });
        let block = (position / NEWLINE_BLOCK).min(before_blocks.len().saturating_sub(1));
        let before = before_blocks.get(block).copied().unwrap_or_default();
        let line = 1 + before + newlines(&self.text[block * NEWLINE_BLOCK..position]);
        let start = self.text[..position].rfind(b"\n").map_or(0, |newline| newline + 1);
        (line, position - start)
    }

    /// The line of text around a position, or its beginning if it is very long.
    pub(super) fn line_text(&self, position: Position) -> String {
        let position = position.min(self.text.len());
        let start = self.text[..position].rfind(b"\n").map_or(0, |newline| newline + 1);
        let limit = self.text.len().min(start + LONGEST_SHOWN_LINE);
        let end = self.text[start..limit].find(b"\n").map_or(limit, |length| start + length);
        self.text[start..end].to_str_lossy().trim_end_matches('\r').to_owned()
    }
}

/// One named template: a file's body or a `define`.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) name: Box<[u8]>,
    pub(super) source: std::sync::Arc<Source>,
    pub(super) body: Vec<Node>,
}

impl Template {
    /// Whether there is nothing but space (Go: `parse.IsEmptyTree`).
    pub(super) fn is_empty(&self) -> bool {
        self.body.iter().all(|node| match node {
            Node::Text(text) => self.text(text).trim().is_empty(),
            _ => false,
        })
    }

    /// The bytes of a piece of text.
    pub(super) fn text(&self, text: &Text) -> &[u8] {
        self.source.text.get(text.start..text.end).unwrap_or_default()
    }
}

/// Literal text: a range of the source.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) start: Position,
    pub(super) end: Position,
}

/// What a template is made of. Comments leave nothing behind.
#[derive(Debug)]
pub(super) enum Node {
    Text(Text),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template(TemplateCall),
    Break,
    Continue,
}

impl Node {
    /// Where it stands; nothing is known of `break` and `continue`.
    pub(super) fn position(&self) -> Position {
        match self {
            Self::Text(text) => text.start,
            Self::Action(pipe) => pipe.position,
            Self::If(branch) | Self::With(branch) | Self::Range(branch) => branch.pipe.position,
            Self::Template(call) => call.position,
            Self::Break | Self::Continue => 0,
        }
    }
}

/// `if`, `with` or `range`.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) body: Vec<Node>,
    pub(super) otherwise: Option<Vec<Node>>,
}

/// `{{template "name" pipeline}}`, also what a `block` leaves in its place.
#[derive(Debug)]
pub(super) struct TemplateCall {
    pub(super) position: Position,
    pub(super) name: Box<[u8]>,
    pub(super) pipe: Option<Pipe>,
}

/// Commands joined by `|`, with the variables that take the result.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) position: Position,
    /// The variables exist already.
    pub(super) is_assignment: bool,
    pub(super) declarations: Vec<Variable>,
    pub(super) commands: Vec<Command>,
}

/// An operand with its arguments. There is always at least one operand.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) position: Position,
    pub(super) operands: Vec<Operand>,
}

/// The number of a variable name within one source; `$` is 0.
pub(super) type Symbol = u32;

/// `$name`, with field accesses.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) position: Position,
    pub(super) symbol: Symbol,
    /// The name with its dollar sign.
    pub(super) name: Box<str>,
    pub(super) fields: Vec<Box<str>>,
}

/// `.a.b`.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) position: Position,
    pub(super) fields: Vec<Box<str>>,
}

/// A parenthesised pipeline or a function with field accesses.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) position: Position,
    pub(super) operand: Operand,
    pub(super) fields: Vec<Box<str>>,
}

/// The name of a function.
#[derive(Debug)]
pub(super) struct Identifier {
    pub(super) position: Position,
    pub(super) function: &'static Function,
    pub(super) evaluation: Evaluation,
}

/// How a call is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evaluation {
    /// All arguments, then the function.
    Function,
    /// `and`, `or`: arguments until one has this truth.
    UntilTruth(bool),
    /// `call`.
    Call,
}

impl Evaluation {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "and" => Self::UntilTruth(false),
            "or" => Self::UntilTruth(true),
            "call" => Self::Call,
            _ => Self::Function,
        }
    }
}

/// A number under all the types that can hold it: Go's untyped constant.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) position: Position,
    pub(super) text: Box<str>,
    pub(super) int: Option<i64>,
    pub(super) uint: Option<u64>,
    pub(super) float: Option<f64>,
    pub(super) complex: Option<(f64, f64)>,
}

/// A string constant.
#[derive(Debug)]
pub(super) struct StringLiteral {
    pub(super) position: Position,
    /// As written, with quotes.
    pub(super) quoted: Box<[u8]>,
    pub(super) value: GoString,
}

/// What commands are made of.
#[derive(Debug)]
pub(super) enum Operand {
    Bool(Position, bool),
    Dot(Position),
    Nil(Position),
    Number(Number),
    String(StringLiteral),
    Field(Field),
    Variable(Variable),
    Identifier(Identifier),
    Chain(Box<Chain>),
    Pipe(Box<Pipe>),
}

/// The node that is being evaluated, for error messages.
#[derive(Clone, Copy, Debug)]
pub(super) enum NodeReference<'t> {
    Pipe(&'t Pipe),
    Command(&'t Command),
    Operand(&'t Operand),
    Identifier(&'t Identifier),
    TemplateCall(&'t TemplateCall),
}

impl NodeReference<'_> {
    pub(super) fn position(&self) -> Position {
        match self {
            Self::Pipe(pipe) => pipe.position,
            Self::Command(command) => command.position,
            Self::Operand(operand) => operand.position(),
            Self::Identifier(identifier) => identifier.position,
            Self::TemplateCall(call) => call.position,
        }
    }
}

impl fmt::Display for NodeReference<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pipe(pipe) => pipe.fmt(formatter),
            Self::Command(command) => command.fmt(formatter),
            Self::Operand(operand) => operand.fmt(formatter),
            Self::Identifier(identifier) => formatter.write_str(identifier.function.name),
            Self::TemplateCall(call) => call.fmt(formatter),
        }
    }
}

impl Operand {
    pub(super) fn position(&self) -> Position {
        match self {
            Self::Bool(position, _) | Self::Dot(position) | Self::Nil(position) => *position,
            Self::Number(number) => number.position,
            Self::String(literal) => literal.position,
            Self::Field(field) => field.position,
            Self::Variable(variable) => variable.position,
            Self::Identifier(identifier) => identifier.position,
            Self::Chain(chain) => chain.position,
            Self::Pipe(pipe) => pipe.position,
        }
    }
}

fn write_fields(formatter: &mut fmt::Formatter<'_>, fields: &[Box<str>]) -> fmt::Result {
    fields.iter().try_for_each(|field| write!(formatter, ".{field}"))
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(_, value) => value.fmt(formatter),
            Self::Dot(_) => formatter.write_str("."),
            Self::Nil(_) => formatter.write_str("nil"),
            Self::Number(number) => formatter.write_str(&number.text),
            Self::String(literal) => literal.quoted.as_bstr().fmt(formatter),
            Self::Field(field) => write_fields(formatter, &field.fields),
            Self::Variable(variable) => variable.fmt(formatter),
            Self::Identifier(identifier) => formatter.write_str(identifier.function.name),
            Self::Chain(chain) => {
                match &chain.operand {
                    Self::Pipe(pipe) => write!(formatter, "({pipe})")?,
                    operand => operand.fmt(formatter)?,
                }
                write_fields(formatter, &chain.fields)
            }
            Self::Pipe(pipe) => pipe.fmt(formatter),
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        write_fields(formatter, &self.fields)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.operands.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            match operand {
                Operand::Pipe(pipe) => write!(formatter, "({pipe})")?,
                operand => operand.fmt(formatter)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, variable) in self.declarations.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            variable.fmt(formatter)?;
        }
        if !self.declarations.is_empty() {
            formatter.write_str(if self.is_assignment { " = " } else { " := " })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" | ")?;
            }
            command.fmt(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for TemplateCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{{template {}", quote::quote(&self.name))?;
        if let Some(pipe) = &self.pipe {
            write!(formatter, " {pipe}")?;
        }
        formatter.write_str("}}")
    }
}
