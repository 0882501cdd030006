//! What ends a command early, and the one place that tells people about it.

use std::fmt;
use std::io;
use std::process::ExitCode;

use module::verdict::Cause;

use crate::terminal::{Terminal, escape};

/// A general error.
pub(crate) const CODE_ERROR: u8 = 1;
/// A difference was found and `--exit-code` asked to say so.
pub(crate) const CODE_DIFFERENCE: u8 = 1;
/// The command line makes no sense.
pub(crate) const CODE_USAGE: u8 = 2;
/// A lock, a policy or the template refuses the change.
pub(crate) const CODE_REFUSED: u8 = 3;
/// Somebody else changed the same thing at the same time.
pub(crate) const CODE_CONFLICT: u8 = 4;

/// Why a command stops, which code the process ends with, and what the reader can do next.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    error: anyhow::Error,
    details: Vec<String>,
    causes: Vec<Cause>,
    hints: Vec<String>,
}

impl Failure {
    /// A failure with an exit code.
    pub(crate) fn new(code: u8, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into(), details: Vec::new(), causes: Vec::new(), hints: Vec::new() }
    }

    /// A failure with an exit code and a text.
    pub(crate) fn message(code: u8, text: impl Into<String>) -> Self {
        Self::new(code, anyhow::Error::msg(text.into()))
    }

    /// A command line that makes no sense.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::message(CODE_USAGE, text)
    }

    /// Adds lines that are printed below the error, as they are.
    pub(crate) fn details(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(lines);
        self
    }

    /// Adds the fields that a refusal is about. They are not printed: `details` say it in full.
    pub(crate) fn causes(mut self, causes: impl IntoIterator<Item = Cause>) -> Self {
        self.causes.extend(causes);
        self
    }

    /// Adds something that the reader can do.
    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// The fields that a refusal is about.
    pub(crate) fn fields(&self) -> &[Cause] {
        &self.causes
    }

    /// Prints the failure to standard error.
    pub(crate) fn report(&self, terminal: &Terminal) -> ExitCode {
        // Whoever reads our output has seen enough: `kubectl module render … | head`.
        if self.is_broken_pipe() {
            return ExitCode::SUCCESS;
        }
        let style = &terminal.error_style;
        let mut text = format!("{} {}\n", style.error("Error:"), escape(&self.error.to_string()));
        let mut previous = self.error.to_string();
        for cause in self.error.chain().skip(1) {
            let cause = cause.to_string();
            // Many libraries repeat their source's text in their own.
            if !previous.contains(&cause) {
                text.push_str(&format!("{} {}\n", style.error("Caused by:"), escape(&cause)));
            }
            previous = cause;
        }
        for line in &self.details {
            text.push_str(line);
            text.push('\n');
        }
        for hint in &self.hints {
            text.push_str(&format!("{} {}\n", style.hint("Hint:"), escape(hint)));
        }
        terminal.print_error(&text);
        ExitCode::from(self.code)
    }

    fn is_broken_pipe(&self) -> bool {
        self.error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#}", self.error)
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(CODE_ERROR, error)
    }
}
