//! The kubectl plugin. The binary is a call of [`run`]; everything else is private to this crate.

#![expect(clippy::doc_markdown, reason = "documentation of arguments is help text, where backticks are noise")]
#![expect(clippy::format_push_string, clippy::format_collect, reason = "texts for people are short; this reads best")]

mod arguments;
mod change;
mod check;
mod cluster;
mod command;
mod config;
mod editor;
mod failure;
mod global;
mod host;
mod identity;
mod lock;
mod merge;
mod output;
mod path;
mod refusal;
mod schema;
mod target;
mod terminal;
mod values_file;
mod values_read;
mod values_yaml;
mod write;

use std::process::ExitCode;

use clap::Parser;

/// Reads the process arguments, runs the command they name, and reports what went wrong.
pub fn run() -> ExitCode {
    let arguments = match arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and version are such errors too; clap knows their stream and code (2 for wrong usage).
        Err(error) => error.exit(),
    };
    let terminal = terminal::Terminal::new(arguments.globals.color);
    match arguments.command.run(&arguments.globals, &terminal) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.report(&terminal),
    }
}
