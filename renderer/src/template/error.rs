//! What can go wrong in a template, told as Helm tells it and with more detail for people.

use std::fmt::{self, Write};

use super::node::{Node, NodeReference, Source, Template};
use super::parse::SyntaxError;
use crate::BudgetExceeded;
use crate::functions::CallError;
use crate::profile::ExecErrorText;
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
    /// The line, from 1, and the text of the action whose `end` is missing, if that is what is wrong.
    pub open_since: Option<Box<(usize, String)>>,
}

impl ParseError {
    pub(super) fn new(source: &Source, error: SyntaxError) -> Self {
        let SyntaxError { line, message: detail, open_since } = error;
        // Helm (engine.go `cleanupParseError`) keeps what follows the last colon.
        let message = detail.rsplit(": ").next().unwrap_or_default().to_owned();
        let text_of = |line: usize| {
            let text = source.text.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
            String::from_utf8_lossy(text).trim_end_matches('\r').to_owned()
        };
        let open_since = open_since.map(|line| Box::new((line, text_of(line))));
        Self { file: source.name.clone(), line, message, detail, source_line: text_of(line), open_since }
    }

    /// Place, message and the line of source.
    pub fn code_frame(&self) -> String {
        let mut text = format!("{}\n", self.detail);
        match &self.open_since {
            // The end of the text shows nothing.
            Some(open) => {
                let (line, source_line) = &**open;
                text.push_str("this needs an {{ end }}:\n");
                write_source(&mut text, &self.file, *line, None, source_line);
            }
            None => write_source(&mut text, &self.file, self.line, None, &self.source_line),
        }
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
            node: shortened(node, &template.source),
            source_line: template.source.line_text(position),
        }
    }

    /// The beginning of a template, when nothing of it has been evaluated yet.
    pub(super) fn start_of(template: &Template) -> Self {
        let start = template.body.first().map_or(0, Node::position);
        let (line, column) = template.source.line_and_column(start);
        let name = String::from_utf8_lossy(&template.name).into_owned();
        Self {
            file: template.source.name.clone(),
            line,
            column,
            node: name.clone(),
            template: name,
            source_line: template.source.line_text(start),
        }
    }

    /// How Go introduces a message from this place (exec.go `state.errorf`).
    fn text(&self) -> String {
        let Self { file, line, column, template, node, .. } = self;
        let template = quote::quote(template.as_bytes());
        format!("template: {file}:{line}:{column}: executing {template} at <{node}>: ")
    }

    fn bytes(&self) -> usize {
        self.file.len() + self.template.len() + self.node.len() + self.source_line.len()
    }
}

/// The source-like text of a node, or the beginning of a very long one.
fn shortened(node: &NodeReference<'_>, source: &Source) -> String {
    /// A literal of this length says nothing more.
    const LONGEST: usize = 16 << 10;
    struct Beginning(String);
    impl Write for Beginning {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.push_str(text);
            // An error ends the formatting.
            if self.0.len() > LONGEST { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut text = Beginning(String::new());
    let _ = write!(text, "{}", node.shown(source));
    text.0
}

/// The most text that an error keeps of the places it passed; a recursion has thousands of them. Beyond it only the
/// outermost place replaces the one before.
const MAX_FRAME_BYTES: usize = 1 << 20;

/// A call of a function or method that failed, and the words that it put in front of the error from further in.
#[derive(Clone, Debug)]
struct Call {
    frame: Frame,
    function: String,
    words: Vec<String>,
}

/// What went wrong at the innermost place.
#[derive(Clone, Debug)]
enum Reason {
    /// The evaluator's own message, or that of a function that was called.
    Message(String),
    /// The chart's author ended the render.
    Author(String),
    /// A limit was reached.
    Budget(BudgetExceeded),
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) | Self::Author(message) => formatter.write_str(message),
            Self::Budget(exceeded) => exceeded.fmt(formatter),
        }
    }
}

/// A failed execution: where, in which template, and why. Displays as Helm prints it.
///
/// The places lie flat in a list, so that dropping or printing the error of a deep recursion needs no deep stack.
#[derive(Clone, Debug)]
pub struct ExecError {
    /// In a box, because results travel through many calls.
    details: Box<Details>,
}

#[derive(Clone, Debug)]
struct Details {
    /// The innermost place if it is not a call.
    frame: Option<Frame>,
    /// Calls from the innermost outwards.
    calls: Vec<Call>,
    reason: Reason,
    frame_bytes: usize,
    text: ExecErrorText,
}

impl ExecError {
    fn new(frame: Option<Frame>, reason: Reason) -> Self {
        Self {
            details: Box::new(Details {
                frame,
                calls: Vec::new(),
                reason,
                frame_bytes: 0,
                text: ExecErrorText::MultiLine,
            }),
        }
    }

    /// A failure before anything was executed.
    pub(super) fn without_frame(message: String) -> Self {
        Self::new(None, Reason::Message(message))
    }

    pub(super) fn message(frame: Frame, message: String) -> Self {
        Self::new(Some(frame), Reason::Message(message))
    }

    pub(super) fn exceeded(frame: Option<Frame>, exceeded: BudgetExceeded) -> Self {
        Self::new(frame, Reason::Budget(exceeded))
    }

    /// A call that failed, or through which an error came.
    pub(super) fn call(frame: Frame, function: String, mut cause: CallError) -> Self {
        let mut words = Vec::new();
        let mut error = loop {
            cause = match cause {
                CallError::Wrapped { prefix, cause } => {
                    words.push(prefix);
                    *cause
                }
                CallError::Message(message) => break Self::new(None, Reason::Message(message)),
                CallError::Fail(message) => break Self::new(None, Reason::Author(message)),
                CallError::Budget(exceeded) => break Self::new(None, Reason::Budget(exceeded)),
                CallError::Template(error) => break error,
            };
        };
        let details = &mut *error.details;
        if details.frame_bytes > MAX_FRAME_BYTES {
            details.calls.pop();
        }
        details.frame_bytes += frame.bytes() + words.iter().map(String::len).sum::<usize>();
        details.calls.push(Call { frame, function, words });
        error
    }

    /// The same error as it is told by another release of Helm.
    pub(crate) fn told(mut self, text: ExecErrorText) -> Self {
        self.details.text = text;
        self
    }

    /// The limit that was reached, if that is what ended the render.
    pub fn budget(&self) -> Option<BudgetExceeded> {
        match &self.details.reason {
            Reason::Budget(exceeded) => Some(*exceeded),
            Reason::Message(_) | Reason::Author(_) => None,
        }
    }

    /// The text that the chart's author ended the render with (`fail`, `required`), if that is what happened.
    pub fn author_message(&self) -> Option<&str> {
        match &self.details.reason {
            Reason::Author(message) => Some(message),
            Reason::Message(_) | Reason::Budget(_) => None,
        }
    }

    /// The places from the executed file inwards: each further one was reached by `include` or `tpl` of the one before.
    pub fn frames(&self) -> impl DoubleEndedIterator<Item = &Frame> {
        self.details.calls.iter().rev().map(|call| &call.frame).chain(&self.details.frame)
    }

    /// What is wrong at the innermost place, without any place.
    pub fn reason(&self) -> String {
        let Details { frame, calls, reason, .. } = &*self.details;
        match (frame, calls.first(), reason) {
            (None, Some(call), Reason::Message(message)) => format!("error calling {}: {message}", call.function),
            _ => reason.to_string(),
        }
    }

    /// The reason with the innermost place, its line of source, and how execution got there.
    pub fn code_frame(&self) -> String {
        /// How many places are listed.
        const SHOWN_PLACES: usize = 20;
        let mut text = format!("{}\n", self.reason());
        let mut frames = self.frames().rev();
        if let Some(innermost) = frames.next() {
            write_source(&mut text, &innermost.file, innermost.line, Some(innermost.column), &innermost.source_line);
        }
        for frame in frames.by_ref().take(SHOWN_PLACES) {
            let Frame { file, line, column, source_line, .. } = frame;
            let _ = writeln!(text, "from {file}:{line}:{} {}", column + 1, source_line.trim());
        }
        if frames.next().is_some() {
            text.push_str("from further places\n");
        }
        text
    }

    /// Go's own text, in one line.
    pub fn go_text(&self) -> String {
        let mut text = String::new();
        for call in self.details.calls.iter().rev() {
            text.push_str(&call.text());
            for words in &call.words {
                text.push_str(words);
                text.push_str(": ");
            }
        }
        if let Some(frame) = &self.details.frame {
            text.push_str(&frame.text());
        }
        let _ = write!(text, "{}", self.details.reason);
        text
    }

    /// The texts of this error and of all that it wraps, outermost first, each without what it wraps itself.
    fn chain(&self) -> Vec<String> {
        let Details { frame, calls, reason, .. } = &*self.details;
        let mut texts = Vec::new();
        for (index, call) in calls.iter().enumerate().rev() {
            let wraps_template_error = call.words.is_empty() && (index > 0 || frame.is_some());
            texts.push(if wraps_template_error {
                format!("{}template:", call.text())
            } else if let Some(words) = call.words.first() {
                format!("{}{words}", call.text())
            } else {
                format!("{}{reason}", call.text())
            });
            texts.extend(call.words.iter().cloned());
        }
        texts.push(match frame {
            Some(frame) => format!("{}{reason}", frame.text()),
            None => reason.to_string(),
        });
        texts
    }
}

impl Call {
    fn text(&self) -> String {
        format!("{}error calling {}: ", self.frame.text(), self.function)
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
    /// Helm: `pkg/engine/engine.go` `reformatExecErrorMsg`, in Helm 3 `cleanupExecError`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(outermost) = self.frames().next() else { return formatter.write_str(&self.go_text()) };
        if let Some(message) = self.author_message() {
            let Frame { file, line, column, .. } = outermost;
            return write!(formatter, "execution error at ({file}:{line}:{column}): {message}");
        }
        if self.details.text == ExecErrorText::SingleLine {
            return formatter.write_str(&self.go_text());
        }
        let texts = self.chain();
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
