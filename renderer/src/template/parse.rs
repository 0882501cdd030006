//! Builds templates from items (`text/template/parse/parse.go`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::lex::{Item, Kind, Lexer};
use super::node::{
    Branch, Chain, Command, Evaluation, Field, Fields, Identifier, Node, Operand, Pipe, Source, Span, StringLiteral,
    Symbol, Template, TemplateCall, Variable,
};
use super::number;
use super::set::Templates;
use crate::functions::FunctionTable;
use crate::quote;
use crate::value::GoString;

/// How deep control structures and parentheses may nest; real charts stay below 20. Go allows 10,000 parentheses on a
/// growing stack; here one level takes up to 9 KB of native stack in an unoptimised build, and charts are parsed on
/// threads that may have as little as 2 MB.
const MAX_NESTING: usize = 150;

/// The most items (words, numbers, texts, delimiters) of all templates of a chart. Each takes about a hundred bytes when
/// it is parsed; the largest public charts have some hundred thousand.
pub(super) const MAX_ITEMS: usize = 400_000;

/// A text that does not parse, as `text/template` says it without the leading `template: NAME:LINE: `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) message: String,
    /// The line of the structure that was still open when the text ended.
    pub(super) open_since: Option<usize>,
}

type Parsed<T> = Result<T, SyntaxError>;

/// Parses a text (Go: `parse.Parse`) into its own body, named like the source, and its definitions. `items_left` is how
/// many more items may be read, and shrinks by those that are.
pub(super) fn parse(source: Arc<Source>, functions: &FunctionTable, items_left: &mut usize) -> Parsed<Templates> {
    let text = Arc::clone(&source);
    let mut parser = Parser {
        lexer: Lexer::new(&text.text),
        source,
        functions,
        items_left,
        has_too_many: false,
        tokens: [Item { kind: Kind::Eof, position: 0, value: b"", line: 0, after_space: false }; 2],
        peeked: 0,
        definitions: Templates::new(),
        symbols: vec![b"$"],
        further_symbols: HashMap::new(),
        tree: Tree::default(),
        nesting: 0,
        open: Vec::new(),
    };
    parser.file()?;
    Ok(parser.definitions)
}

/// What belongs to the template being parsed, as opposed to its file.
struct Tree {
    /// The variables in scope, by symbol, the last declared last.
    variables: Vec<Symbol>,
    /// How many variables of each symbol are in scope.
    in_scope: Vec<u32>,
    range_depth: usize,
    /// The line where the current action began, 0 outside.
    action_line: usize,
}

impl Default for Tree {
    fn default() -> Self {
        Self { variables: vec![0], in_scope: vec![1], range_depth: 0, action_line: 0 }
    }
}

impl Tree {
    fn declare(&mut self, symbol: Symbol) {
        let place = symbol as usize;
        if place >= self.in_scope.len() {
            self.in_scope.resize(place + 1, 0);
        }
        self.in_scope[place] += 1;
        self.variables.push(symbol);
    }

    /// Leaves the scope of all variables but the first ones.
    fn leave_scope(&mut self, left: usize) {
        for symbol in self.variables.drain(left..) {
            self.in_scope[symbol as usize] -= 1;
        }
    }

    fn is_in_scope(&self, symbol: Symbol) -> bool {
        self.in_scope.get(symbol as usize).is_some_and(|count| *count > 0)
    }
}

/// What ends a list of nodes.
enum Terminator {
    End,
    Else,
}

impl Terminator {
    fn text(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

enum Parts {
    Node(Node),
    Terminator(Terminator),
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    source: Arc<Source>,
    functions: &'t FunctionTable,
    items_left: &'t mut usize,
    has_too_many: bool,
    /// Two items of look-ahead; the last one lexed is the zeroth.
    tokens: [Item<'t>; 2],
    peeked: usize,
    definitions: Templates,
    /// Names of variables by symbol, as long as they are few.
    symbols: Vec<&'t [u8]>,
    /// The symbols of all further variables.
    further_symbols: HashMap<&'t [u8], Symbol>,
    tree: Tree,
    nesting: usize,
    /// The lines of the actions whose `end` is still to come.
    open: Vec<usize>,
}

impl<'t> Parser<'t> {
    // Items.

    /// The next item of the lexer, while there may be more.
    fn lexed(&mut self) -> Item<'t> {
        let item = self.lexer.next_item();
        if let Some(left) = self.items_left.checked_sub(1) {
            *self.items_left = left;
            return item;
        }
        self.has_too_many = true;
        Item { kind: Kind::Error, value: b"", ..item }
    }

    fn next(&mut self) -> Item<'t> {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = self.lexed();
        }
        self.tokens[self.peeked]
    }

    fn back_up(&mut self) {
        self.peeked += 1;
    }

    fn back_up_2(&mut self, before: Item<'t>) {
        self.tokens[1] = before;
        self.peeked = 2;
    }

    fn peek(&mut self) -> &Item<'t> {
        if self.peeked == 0 {
            self.peeked = 1;
            self.tokens[0] = self.lexed();
        }
        &self.tokens[self.peeked - 1]
    }

    fn error<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(SyntaxError { line: self.tokens[0].line, message: message.into(), open_since: None })
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Item<'t>> {
        let item = self.next();
        if item.kind == kind { Ok(item) } else { self.unexpected(&item, context) }
    }

    fn unexpected<T>(&self, item: &Item<'_>, context: &str) -> Parsed<T> {
        if item.kind != Kind::Error {
            return self.error(format!("unexpected {} in {context}", item.describe()));
        }
        let mut message = if self.has_too_many {
            format!("templates of more than {MAX_ITEMS} items")
        } else {
            self.lexer.problem().to_owned()
        };
        let line = self.tree.action_line;
        if line != 0 && line != item.line {
            // Go avoids saying "action in action".
            let words = if message.ends_with(" action") { " started at" } else { " in action started at" };
            message = format!("{message}{words} {}:{line}", self.source.name);
        }
        self.error(message)
    }

    fn enter(&mut self) -> Parsed<()> {
        if self.nesting >= MAX_NESTING {
            return self.error("max expression depth exceeded");
        }
        self.nesting += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.nesting -= 1;
    }

    // Lists of nodes.

    /// The whole text (Go: `Tree.parse`).
    fn file(&mut self) -> Parsed<()> {
        let mut body = Vec::new();
        loop {
            match self.peek().kind {
                Kind::Eof => break,
                Kind::LeftDelimiter => {
                    let delimiter = self.next();
                    if self.next().kind == Kind::Define {
                        self.definition()?;
                        continue;
                    }
                    self.back_up_2(delimiter);
                }
                _ => {}
            }
            match self.text_or_action()? {
                Parts::Node(node) => body.push(node),
                Parts::Terminator(terminator) => return self.error(format!("unexpected {}", terminator.text())),
            }
        }
        let name = self.source.name.as_bytes().into();
        self.add(name, body)
    }

    /// `define`, whose keyword has been consumed (Go: `Tree.parseDefinition`).
    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let outer = std::mem::take(&mut self.tree);
        let item = self.next();
        let name = self.template_name(&item, CONTEXT)?;
        self.expect(Kind::RightDelimiter, CONTEXT)?;
        let body = self.body_of(name, CONTEXT);
        self.tree = outer;
        body
    }

    /// The body of a `define` or `block` up to its `end`.
    fn body_of(&mut self, name: Box<[u8]>, context: &str) -> Parsed<()> {
        let (body, terminator) = self.list()?;
        if let Terminator::Else = terminator {
            return self.error(format!("unexpected {} in {context}", terminator.text()));
        }
        self.add(name, body)
    }

    /// Adds a template to those of this text (Go: `Tree.add`).
    fn add(&mut self, name: Box<[u8]>, body: Vec<Node>) -> Parsed<()> {
        let template = Template { name: name.clone(), source: Arc::clone(&self.source), body };
        match self.definitions.get(&name) {
            Some(existing) if !existing.is_empty() => {
                if template.is_empty() {
                    return Ok(());
                }
                self.error(format!("template: multiple definition of template {}", quote::quote(&name)))
            }
            _ => {
                self.definitions.insert(name, Arc::new(template));
                Ok(())
            }
        }
    }

    /// Nodes up to `end` or `else` (Go: `Tree.itemList`).
    fn list(&mut self) -> Parsed<(Vec<Node>, Terminator)> {
        let mut nodes = Vec::new();
        self.open.push(self.tokens[0].line);
        while self.peek().kind != Kind::Eof {
            match self.text_or_action()? {
                Parts::Node(node) => nodes.push(node),
                Parts::Terminator(terminator) => {
                    self.open.pop();
                    return Ok((nodes, terminator));
                }
            }
        }
        let open_since = self.open.last().copied();
        self.error("unexpected EOF").map_err(|error| SyntaxError { open_since, ..error })
    }

    fn text_or_action(&mut self) -> Parsed<Parts> {
        let item = self.next();
        match item.kind {
            Kind::Text => Ok(Parts::Node(Node::Text(item.span()))),
            Kind::LeftDelimiter => {
                self.tree.action_line = item.line;
                let action = self.action()?;
                self.tree.action_line = 0;
                Ok(action)
            }
            _ => self.unexpected(&item, "input"),
        }
    }

    // Actions.

    fn action(&mut self) -> Parsed<Parts> {
        let item = self.next();
        let node = match item.kind {
            Kind::Block => self.block()?,
            Kind::Break => self.loop_control("{{break}}", Node::Break)?,
            Kind::Continue => self.loop_control("{{continue}}", Node::Continue)?,
            Kind::Else => return self.else_control(),
            Kind::End => {
                self.expect(Kind::RightDelimiter, "end")?;
                return Ok(Parts::Terminator(Terminator::End));
            }
            Kind::If => Node::If(Box::new(self.branch("if")?)),
            Kind::Range => Node::Range(Box::new(self.branch("range")?)),
            Kind::Template => self.template_call()?,
            Kind::With => Node::With(Box::new(self.branch("with")?)),
            _ => {
                self.back_up();
                Node::Action(self.pipeline("command", Kind::RightDelimiter)?)
            }
        };
        Ok(Parts::Node(node))
    }

    fn loop_control(&mut self, text: &str, node: Node) -> Parsed<Node> {
        let item = self.next();
        if item.kind != Kind::RightDelimiter {
            return self.unexpected(&item, text);
        }
        if self.tree.range_depth == 0 {
            return self.error(format!("{text} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    /// `else`; the `if` or `with` of an `else if` stays pending.
    fn else_control(&mut self) -> Parsed<Parts> {
        if !matches!(self.peek().kind, Kind::If | Kind::With) {
            self.expect(Kind::RightDelimiter, "else")?;
        }
        Ok(Parts::Terminator(Terminator::Else))
    }

    /// `if`, `with` or `range` after its keyword (Go: `Tree.parseControl`).
    fn branch(&mut self, context: &'static str) -> Parsed<Branch> {
        self.enter()?;
        let in_scope = self.tree.variables.len();
        let pipe = self.pipeline(context, Kind::RightDelimiter)?;
        let is_range = context == "range";
        if is_range {
            self.tree.range_depth += 1;
        }
        let (body, terminator) = self.list()?;
        if is_range {
            self.tree.range_depth -= 1;
        }
        let mut otherwise = None;
        if let Terminator::Else = terminator {
            // `else if` is `else` and `if` with one `end` for both, and so is `else with`.
            otherwise = Some(match (context, self.peek().kind) {
                ("if", Kind::If) => {
                    self.next();
                    vec![Node::If(Box::new(self.branch("if")?))]
                }
                ("with", Kind::With) => {
                    self.next();
                    vec![Node::With(Box::new(self.branch("with")?))]
                }
                _ => {
                    let (nodes, terminator) = self.list()?;
                    if let Terminator::Else = terminator {
                        return self.error(format!("expected end; found {}", terminator.text()));
                    }
                    nodes
                }
            });
        }
        self.tree.leave_scope(in_scope);
        self.leave();
        Ok(Branch { pipe, body, otherwise })
    }

    /// `block` after its keyword: a definition and a call of it.
    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        self.enter()?;
        let item = self.next();
        let name = self.template_name(&item, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelimiter)?;
        let outer = std::mem::take(&mut self.tree);
        self.body_of(name.clone(), CONTEXT)?;
        self.tree = outer;
        self.leave();
        Ok(Node::Template(TemplateCall { position: item.position, name, pipe: Some(pipe) }))
    }

    fn template_call(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let item = self.next();
        let name = self.template_name(&item, CONTEXT)?;
        let mut pipe = None;
        if self.next().kind != Kind::RightDelimiter {
            self.back_up();
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelimiter)?);
        }
        Ok(Node::Template(TemplateCall { position: item.position, name, pipe }))
    }

    fn template_name(&mut self, item: &Item<'t>, context: &str) -> Parsed<Box<[u8]>> {
        match item.kind {
            Kind::String | Kind::RawString => Ok(self.unquote(item)?.into()),
            _ => self.unexpected(item, context),
        }
    }

    fn unquote(&self, item: &Item<'t>) -> Parsed<Cow<'t, [u8]>> {
        quote::unquote(item.value).map_or_else(|| self.error("invalid syntax"), Ok)
    }

    // Pipelines.

    /// Declarations and commands up to the item that ends them (Go: `Tree.pipeline`).
    fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let mut pipe = Pipe {
            position: self.peek().position,
            is_assignment: false,
            declarations: Vec::new(),
            commands: SmallVec::new(),
        };
        self.declarations(context, &mut pipe)?;
        loop {
            let item = self.next();
            match item.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParenthesis => {
                    self.back_up();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&item, context),
            }
        }
        self.check_pipeline(&pipe, context)?;
        Ok(pipe)
    }

    fn declarations(&mut self, context: &str, pipe: &mut Pipe) -> Parsed<()> {
        loop {
            if self.peek().kind != Kind::Variable {
                return Ok(());
            }
            let variable = self.next();
            let next = *self.peek();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.is_assignment = next.kind == Kind::Assign;
                    self.next();
                    self.declare(&variable, pipe);
                    return Ok(());
                }
                Kind::Char if *next.value == *b"," => {
                    self.next();
                    self.declare(&variable, pipe);
                    if context == "range" && pipe.declarations.len() < 2 {
                        match self.peek().kind {
                            Kind::Variable | Kind::RightDelimiter | Kind::RightParenthesis => continue,
                            _ => return self.error("range can only initialize variables"),
                        }
                    }
                    return self.error(format!("too many declarations in {context}"));
                }
                _ => self.back_up_2(variable),
            }
            return Ok(());
        }
    }

    fn declare(&mut self, item: &Item<'t>, pipe: &mut Pipe) {
        let variable = self.variable(item);
        self.tree.declare(variable.symbol);
        pipe.declarations.push(variable);
    }

    /// A variable node of `$name`.
    fn variable(&mut self, item: &Item<'t>) -> Variable {
        /// So many names are found soonest by looking at each.
        const FEW: usize = 32;
        let symbol = match self.symbols.iter().position(|known| *known == item.value) {
            Some(place) => place as Symbol,
            None if self.symbols.len() < FEW => {
                self.symbols.push(item.value);
                self.symbols.len() as Symbol - 1
            }
            None => {
                let next = (FEW + self.further_symbols.len()) as Symbol;
                *self.further_symbols.entry(item.value).or_insert(next)
            }
        };
        Variable { position: item.position, symbol, name: item.span(), fields: Fields::new() }
    }

    /// Go: `Tree.checkPipeline`.
    fn check_pipeline(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            if let Some(
                Operand::Bool(..) | Operand::Dot(_) | Operand::Nil(_) | Operand::Number(_) | Operand::String(_),
            ) = command.operands.first()
            {
                return self.error(format!("non executable command in pipeline stage {}", index + 1));
            }
        }
        Ok(())
    }

    /// Operands up to a pipe, which is consumed, or an end, which is not.
    fn command(&mut self) -> Parsed<Command> {
        let mut command = Command { position: self.peek().position, operands: SmallVec::new() };
        loop {
            let operand = self.operand()?;
            let is_operand = operand.is_some();
            command.operands.extend(operand);
            let item = self.next();
            match item.kind {
                Kind::RightDelimiter | Kind::RightParenthesis => self.back_up(),
                Kind::Pipe => {}
                _ if is_operand && item.after_space => {
                    self.back_up();
                    continue;
                }
                _ => return self.unexpected(&item, "operand"),
            }
            break;
        }
        if command.operands.is_empty() {
            return self.error("empty command");
        }
        Ok(command)
    }

    /// A term with its field accesses; nothing if the next item is no operand.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(term) = self.term()? else { return Ok(None) };
        if !self.is_followed_by_field() {
            return Ok(Some(term));
        }
        let position = self.peek().position;
        let mut fields = Fields::new();
        while self.is_followed_by_field() {
            fields.push(name_of(&self.next()));
        }
        Ok(Some(match term {
            // The position of a longer access is that of its second part.
            Operand::Field(mut field) => {
                field.position = position;
                field.fields.append(&mut fields);
                Operand::Field(field)
            }
            Operand::Variable(mut variable) => {
                variable.position = position;
                variable.fields.append(&mut fields);
                Operand::Variable(variable)
            }
            Operand::Bool(..) | Operand::String(_) | Operand::Number(_) | Operand::Nil(_) | Operand::Dot(_) => {
                let term = term.shown(&self.source).to_string();
                return self.error(format!("unexpected . after term {}", quote::quote(term.as_bytes())));
            }
            operand => Operand::Chain(Box::new(Chain { position, operand, fields })),
        }))
    }

    /// Whether the next item is a field without space before it.
    fn is_followed_by_field(&mut self) -> bool {
        let next = self.peek();
        next.kind == Kind::Field && !next.after_space
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let item = self.next();
        Ok(Some(match item.kind {
            Kind::Identifier => match self.functions.get(&item.text()) {
                Some(function) => {
                    let evaluation = Evaluation::of(function.name);
                    Operand::Identifier(Identifier { position: item.position, function, evaluation })
                }
                None => return self.error(format!("function {} not defined", quote::quote(item.value))),
            },
            Kind::Dot => Operand::Dot(item.position),
            Kind::Nil => Operand::Nil(item.position),
            Kind::Variable => {
                let variable = self.variable(&item);
                if !self.tree.is_in_scope(variable.symbol) {
                    return self.error(format!("undefined variable {}", quote::quote(item.value)));
                }
                Operand::Variable(variable)
            }
            Kind::Field => {
                Operand::Field(Field { position: item.position, fields: Fields::from_iter([name_of(&item)]) })
            }
            Kind::Bool => Operand::Bool(item.position, *item.value == *b"true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => match number::parse(&item) {
                Ok(number) => Operand::Number(Box::new(number)),
                Err(message) => return self.error(message),
            },
            Kind::LeftParenthesis => {
                self.enter()?;
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParenthesis)?;
                self.leave();
                Operand::Pipe(Box::new(pipe))
            }
            Kind::String | Kind::RawString => {
                let value = GoString::from(&*self.unquote(&item)?);
                Operand::String(StringLiteral { quoted: item.span(), value })
            }
            _ => {
                self.back_up();
                return Ok(None);
            }
        }))
    }
}

/// The name of a field without its dot.
fn name_of(field: &Item<'_>) -> Span {
    let span = field.span();
    Span { start: span.start + 1, ..span }
}
