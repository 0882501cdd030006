//! What can go wrong in a template, told as Helm tells it and with more detail for people.

use std::fmt::{self, Write};

use super::node::{NodeReference, Source, Template};
use super::parse::SyntaxError;
use crate::BudgetExceeded;
use crate::functions::CallError;
use crate::quote;

/// A template file that is not a template. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parse error at ({file}:{line}): {message}")]
pub struct ParseError {
    /// The template file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, as far as Helm tells it.
    pub message: String,
    /// The whole message of the parser.
    pub detail: String,
    /// The text of the line.
    pub source_line: String,
}

impl ParseError {
    pub(super) fn new(source: &Source, error: SyntaxError) -> Self {
        let SyntaxError { line, message: detail } = error;
        // Helm (engine.go `cleanupParseError`) keeps what follows the last colon.
        let message = detail.rsplit(": ").next().unwrap_or_default().to_owned();
        let source_line = source.text.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
        let source_line = String::from_utf8_lossy(source_line).trim_end_matches('\r').to_owned();
        Self { file: source.name.clone(), line, message, detail, source_line }
    }

    /// Place, message and the line of source.
    pub fn code_frame(&self) -> String {
        let mut text = format!("{}\n", self.detail);
        write_source(&mut text, &self.file, self.line, None, &self.source_line);
        text
    }
}

/// A place in a template where an execution failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The file, or `gotpl` for the text of a `tpl`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The byte column, from 0 as in Go's messages.
    pub column: usize,
    /// The template being executed: the file itself or a `define`.
    pub template: String,
    /// The source-like text of the node that was evaluated last.
    pub node: String,
    /// The text of the line.
    pub source_line: String,
}

impl Frame {
    pub(super) fn new(template: &Template, node: &NodeReference<'_>) -> Self {
        let position = node.position();
        let (line, column) = template.source.line_and_column(position);
        Self {
            file: template.source.name.clone(),
            line,
            column,
            template: String::from_utf8_lossy(&template.name).into_owned(),
            node: node.to_string(),
            source_line: template.source.line_text(position),
        }
    }
}

/// Why a place failed.
#[derive(Clone, Debug)]
enum Failure {
    /// The evaluator's own message.
    Message(String),
    /// A function or method reported an error.
    Call { function: String, cause: CallError },
    /// A limit was reached.
    Budget(BudgetExceeded),
}

/// A failed execution: where, in which template, and why. Displays as Helm 4 prints it.
#[derive(Clone, Debug)]
pub struct ExecError {
    frame: Option<Box<Frame>>,
    failure: Failure,
}

impl ExecError {
    /// A failure before anything was executed.
    pub(super) fn without_frame(message: String) -> Self {
        Self { frame: None, failure: Failure::Message(message) }
    }

    pub(super) fn message(frame: Frame, message: String) -> Self {
        Self { frame: Some(Box::new(frame)), failure: Failure::Message(message) }
    }

    pub(super) fn call(frame: Frame, function: String, cause: CallError) -> Self {
        Self { frame: Some(Box::new(frame)), failure: Failure::Call { function, cause } }
    }

    pub(super) fn exceeded(frame: Option<Frame>, exceeded: BudgetExceeded) -> Self {
        Self { frame: frame.map(Box::new), failure: Failure::Budget(exceeded) }
    }

    /// The limit that was reached, if that is what ended the render.
    pub fn budget(&self) -> Option<BudgetExceeded> {
        match &self.failure {
            Failure::Message(_) => None,
            Failure::Budget(exceeded) => Some(*exceeded),
            Failure::Call { cause, .. } => match innermost(cause) {
                CallError::Budget(exceeded) => Some(*exceeded),
                CallError::Template(error) => error.budget(),
                _ => None,
            },
        }
    }

    /// The text that the chart's author ended the render with (`fail`, `required`), if that is what happened.
    pub fn author_message(&self) -> Option<&str> {
        match &self.failure {
            Failure::Call { cause, .. } => match innermost(cause) {
                CallError::Fail(message) => Some(message),
                CallError::Template(error) => error.author_message(),
                _ => None,
            },
            _ => None,
        }
    }

    /// The places from the executed file inwards: each further one was reached by `include` or `tpl` of the one before.
    pub fn frames(&self) -> Vec<&Frame> {
        let mut frames: Vec<&Frame> = self.frame.as_deref().into_iter().collect();
        if let Failure::Call { cause, .. } = &self.failure
            && let CallError::Template(error) = innermost(cause)
        {
            frames.extend(error.frames());
        }
        frames
    }

    /// What is wrong at the innermost place, without any place.
    pub fn reason(&self) -> String {
        match &self.failure {
            Failure::Message(message) => message.clone(),
            Failure::Budget(exceeded) => exceeded.to_string(),
            Failure::Call { function, cause } => match innermost(cause) {
                CallError::Template(error) => error.reason(),
                CallError::Fail(message) => message.clone(),
                CallError::Budget(exceeded) => exceeded.to_string(),
                cause => format!("error calling {function}: {}", call_text(cause)),
            },
        }
    }

    /// The reason with the innermost place, its line of source, and how execution got there.
    pub fn code_frame(&self) -> String {
        let mut text = format!("{}\n", self.reason());
        let frames = self.frames();
        if let Some((innermost, outer)) = frames.split_last() {
            write_source(&mut text, &innermost.file, innermost.line, Some(innermost.column), &innermost.source_line);
            for frame in outer.iter().rev() {
                let _ = writeln!(
                    text,
                    " from {}:{}:{} {}",
                    frame.file,
                    frame.line,
                    frame.column + 1,
                    frame.source_line.trim()
                );
            }
        }
        text
    }

    /// Go's own text, in one line.
    pub fn go_text(&self) -> String {
        let message = match &self.failure {
            Failure::Message(message) => message.clone(),
            Failure::Budget(exceeded) => exceeded.to_string(),
            Failure::Call { function, cause } => format!("error calling {function}: {}", call_text(cause)),
        };
        match self.frame.as_deref() {
            // Go: exec.go `state.errorf`
            Some(Frame { file, line, column, template, node, .. }) => {
                let template = quote::quote(template.as_bytes());
                format!("template: {file}:{line}:{column}: executing {template} at <{node}>: {message}")
            }
            None => message,
        }
    }

    /// The texts of this error and of all that it wraps, outermost first.
    fn chain(&self, texts: &mut Vec<String>) {
        texts.push(self.go_text());
        let Failure::Call { cause, .. } = &self.failure else { return };
        let mut cause = cause;
        loop {
            match cause {
                CallError::Template(error) => return error.chain(texts),
                CallError::Wrapped { cause: wrapped, .. } => {
                    texts.push(call_text(cause));
                    cause = wrapped;
                }
                cause => return texts.push(call_text(cause)),
            }
        }
    }
}

/// The error inside all words put in front of it.
fn innermost(mut error: &CallError) -> &CallError {
    while let CallError::Wrapped { cause, .. } = error {
        error = cause;
    }
    error
}

fn call_text(error: &CallError) -> String {
    match error {
        CallError::Message(message) | CallError::Fail(message) => message.clone(),
        CallError::Template(error) => error.go_text(),
        CallError::Wrapped { prefix, cause } => format!("{prefix}: {}", call_text(cause)),
        CallError::Budget(exceeded) => exceeded.to_string(),
    }
}

fn write_source(text: &mut String, file: &str, line: usize, column: Option<usize>, source_line: &str) {
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let shown_column = column.map_or_else(String::new, |column| format!(":{}", column + 1));
    let _ = write!(text, "{margin}--> {file}:{line}{shown_column}\n{margin} |\n{number} | {source_line}\n");
    if let Some(column) = column {
        // Tabs are kept, so that the caret stands below its character however wide they are shown.
        let before = source_line.get(..column).unwrap_or(source_line);
        let indent: String = before.chars().map(|character| if character == '\t' { '\t' } else { ' ' }).collect();
        let _ = writeln!(text, "{margin} | {indent}^");
    }
}

impl fmt::Display for ExecError {
    /// Helm: `pkg/engine/engine.go` `reformatExecErrorMsg`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(frame) = &self.frame else { return formatter.write_str(&self.go_text()) };
        if let Some(message) = self.author_message() {
            return write!(formatter, "execution error at ({}:{}:{}): {message}", frame.file, frame.line, frame.column);
        }
        let mut texts = Vec::new();
        self.chain(&mut texts);
        let locations: Option<Vec<Location<'_>>> = texts.iter().map(|text| Location::parse(text)).collect();
        let Some(mut locations) = locations else { return formatter.write_str(&self.go_text()) };
        locations.dedup();
        let text: String = locations.iter().map(Location::to_string).collect();
        formatter.write_str(text.trim())
    }
}

impl std::error::Error for ExecError {}

/// One error of a chain as Helm takes its text apart (engine.go `parseTemplateExecErrorString`).
#[derive(Debug, PartialEq, Eq)]
struct Location<'t> {
    place: &'t str,
    executed: Option<(&'t str, &'t str)>,
    message: &'t str,
}

impl<'t> Location<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Self { place: "", executed: None, message: text });
        }
        Self::parse_execution(rest).or_else(|| {
            let (place, message) = rest.rsplit_once(": ")?;
            Some(Self { place, executed: None, message: without_wrapped(message) })
        })
    }

    fn parse_execution(text: &'t str) -> Option<Self> {
        let (place, rest) = text.split_once(": executing ")?;
        let (template, rest) = rest.strip_prefix('"')?.split_once('"')?;
        let (node, message) = rest.strip_prefix(" at <")?.split_once(">: ")?;
        Some(Self { place, executed: Some((template, node)), message: without_wrapped(message) })
    }
}

/// The message without the template error that it wraps, which has its own place in the chain.
fn without_wrapped(message: &str) -> &str {
    message.find(" template:").map_or(message, |end| &message[..end])
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(formatter, "{}\n  ", self.place)?;
        }
        if let Some((template, node)) = self.executed {
            write!(formatter, "executing \"{template}\" at <{node}>:\n    ")?;
        }
        if !self.message.is_empty() {
            writeln!(formatter, "{}", self.message)?;
        }
        Ok(())
    }
}
