//! The parsed form of a template, with positions and Go's source-like text (`text/template/parse/node.go`).
//!
//! Nodes hold nothing that a render changes, so a parsed template is `Send + Sync`. Names and literals are not copied
//! but are places in the source, without which a node cannot be read.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bstr::ByteSlice;
use smallvec::SmallVec;

use crate::functions::Function;
use crate::quote;
use crate::value::GoString;

/// A byte offset in the source text, which is far shorter than 4 GiB: no chart and no string is as long.
pub(super) type Position = u32;

/// A piece of the source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: Position,
    pub(super) end: Position,
}

/// The names of a field access such as `.Values.image.tag`, without their dots.
pub(super) type Fields = SmallVec<[Span; 3]>;

/// The text that templates were parsed from: one file, or one argument of `tpl`.
#[derive(Debug)]
pub(super) struct Source {
    /// The name that errors show.
    pub(super) name: String,
    pub(super) text: Arc<[u8]>,
    /// How many line breaks there are before each block of the text; counted when an error asks for a line.
    newlines: OnceLock<Vec<usize>>,
}

/// Bytes of a block whose line breaks are counted once.
const NEWLINE_BLOCK: usize = 4 << 10;

/// Nobody reads more of a line. Errors keep one for each place that they passed.
const LONGEST_SHOWN_LINE: usize = 4 << 10;

impl Source {
    pub(super) fn new(name: &str, text: Arc<[u8]>) -> Self {
        Self { name: name.to_owned(), text, newlines: OnceLock::new() }
    }

    /// The bytes of a piece of the text.
    pub(super) fn get(&self, span: Span) -> &[u8] {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// The line, from 1, and the byte column, from 0, of a position (Go: `Tree.ErrorContext`).
    pub(super) fn line_and_column(&self, position: Position) -> (usize, usize) {
        let position = self.text.len().min(position as usize);
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
        let position = self.text.len().min(position as usize);
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
    pub(super) source: Arc<Source>,
    pub(super) body: Vec<Node>,
}

impl Template {
    /// Whether there is nothing but space (Go: `parse.IsEmptyTree`).
    pub(super) fn is_empty(&self) -> bool {
        self.body.iter().all(|node| match node {
            Node::Text(text) => self.source.get(*text).trim().is_empty(),
            _ => false,
        })
    }
}

/// What a template is made of. Comments leave nothing behind.
#[derive(Debug)]
pub(super) enum Node {
    /// Literal text.
    Text(Span),
    Action(Pipe),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
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
    pub(super) commands: SmallVec<[Command; 1]>,
}

/// An operand with its arguments. There is always at least one operand.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) position: Position,
    pub(super) operands: SmallVec<[Operand; 1]>,
}

/// The number of a variable name within one source; `$` is 0.
pub(super) type Symbol = u32;

/// `$name`, with field accesses.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) position: Position,
    pub(super) symbol: Symbol,
    /// The name with its dollar sign.
    pub(super) name: Span,
    pub(super) fields: Fields,
}

/// `.a.b`.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) position: Position,
    pub(super) fields: Fields,
}

/// A parenthesised pipeline or a function with field accesses.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) position: Position,
    pub(super) operand: Operand,
    pub(super) fields: Fields,
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
    /// As written.
    pub(super) text: Span,
    pub(super) int: Option<i64>,
    pub(super) uint: Option<u64>,
    pub(super) float: Option<f64>,
    pub(super) complex: Option<(f64, f64)>,
}

/// A string constant.
#[derive(Debug)]
pub(super) struct StringLiteral {
    /// As written, with quotes.
    pub(super) quoted: Span,
    pub(super) value: GoString,
}

/// What commands are made of.
#[derive(Debug)]
pub(super) enum Operand {
    Bool(Position, bool),
    Dot(Position),
    Nil(Position),
    Number(Box<Number>),
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

impl NodeReference<'_> {
    /// The node as Go shows it, with the names from its source.
    pub(super) fn shown<'n>(&'n self, source: &'n Source) -> Shown<'n, Self> {
        Shown { node: self, source }
    }
}

impl Operand {
    pub(super) fn position(&self) -> Position {
        match self {
            Self::Bool(position, _) | Self::Dot(position) | Self::Nil(position) => *position,
            Self::Number(number) => number.text.start,
            Self::String(literal) => literal.quoted.start,
            Self::Field(field) => field.position,
            Self::Variable(variable) => variable.position,
            Self::Identifier(identifier) => identifier.position,
            Self::Chain(chain) => chain.position,
            Self::Pipe(pipe) => pipe.position,
        }
    }

    /// The operand as Go shows it, with the names from its source.
    pub(super) fn shown<'n>(&'n self, source: &'n Source) -> Shown<'n, Self> {
        Shown { node: self, source }
    }
}

/// A node with the source that it was parsed from.
pub(super) struct Shown<'n, N> {
    node: &'n N,
    source: &'n Source,
}

impl<'n, N> Shown<'n, N> {
    /// A part of the node.
    fn part<P>(&self, node: &'n P) -> Shown<'n, P> {
        Shown { node, source: self.source }
    }

    fn text(&self, span: Span) -> impl fmt::Display + 'n {
        self.source.get(span).as_bstr()
    }

    fn write_fields(&self, formatter: &mut fmt::Formatter<'_>, fields: &[Span]) -> fmt::Result {
        fields.iter().try_for_each(|field| write!(formatter, ".{}", self.text(*field)))
    }
}

impl fmt::Display for Shown<'_, NodeReference<'_>> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node {
            NodeReference::Pipe(pipe) => self.part(*pipe).fmt(formatter),
            NodeReference::Command(command) => self.part(*command).fmt(formatter),
            NodeReference::Operand(operand) => self.part(*operand).fmt(formatter),
            NodeReference::Identifier(identifier) => formatter.write_str(identifier.function.name),
            NodeReference::TemplateCall(call) => self.part(*call).fmt(formatter),
        }
    }
}

impl fmt::Display for Shown<'_, Operand> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node {
            Operand::Bool(_, value) => value.fmt(formatter),
            Operand::Dot(_) => formatter.write_str("."),
            Operand::Nil(_) => formatter.write_str("nil"),
            Operand::Number(number) => self.text(number.text).fmt(formatter),
            Operand::String(literal) => self.text(literal.quoted).fmt(formatter),
            Operand::Field(field) => self.write_fields(formatter, &field.fields),
            Operand::Variable(variable) => self.part(variable).fmt(formatter),
            Operand::Identifier(identifier) => formatter.write_str(identifier.function.name),
            Operand::Chain(chain) => {
                match &chain.operand {
                    Operand::Pipe(pipe) => write!(formatter, "({})", self.part(&**pipe))?,
                    operand => self.part(operand).fmt(formatter)?,
                }
                self.write_fields(formatter, &chain.fields)
            }
            Operand::Pipe(pipe) => self.part(&**pipe).fmt(formatter),
        }
    }
}

impl fmt::Display for Shown<'_, Variable> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(self.node.name).fmt(formatter)?;
        self.write_fields(formatter, &self.node.fields)
    }
}

impl fmt::Display for Shown<'_, Command> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.node.operands.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            match operand {
                Operand::Pipe(pipe) => write!(formatter, "({})", self.part(&**pipe))?,
                operand => self.part(operand).fmt(formatter)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Shown<'_, Pipe> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pipe = self.node;
        for (index, variable) in pipe.declarations.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            self.part(variable).fmt(formatter)?;
        }
        if !pipe.declarations.is_empty() {
            formatter.write_str(if pipe.is_assignment { " = " } else { " := " })?;
        }
        for (index, command) in pipe.commands.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" | ")?;
            }
            self.part(command).fmt(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for Shown<'_, TemplateCall> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{{template {}", quote::quote(&self.node.name))?;
        if let Some(pipe) = &self.node.pipe {
            write!(formatter, " {}", self.part(pipe))?;
        }
        formatter.write_str("}}")
    }
}
