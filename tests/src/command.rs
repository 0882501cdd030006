//! Runs a program to its end and keeps what it said, so that a failure can be reported whole.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What a finished program left behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The command as a person would type it.
    pub command: String,
    /// The exit code, -1 when a signal ended the program.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Tells whether the exit code is 0.
    pub fn succeeded(&self) -> bool {
        self.code == 0
    }

    /// Returns standard output, or an error that holds everything the program said.
    pub fn success(self) -> Result<String> {
        if self.succeeded() { Ok(self.stdout) } else { bail!("{self}") }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` ended with exit code {}\n{}{}", self.command, self.code, self.stdout, self.stderr)
    }
}

/// Runs a command without standard input.
pub fn run(command: &mut Command) -> Result<Outcome> {
    finish(command.stdin(Stdio::null()), None)
}

/// Runs a command that reads `input` from its standard input.
pub fn run_with_input(command: &mut Command, input: &str) -> Result<Outcome> {
    finish(command.stdin(Stdio::piped()), Some(input))
}

fn finish(command: &mut Command, input: Option<&str>) -> Result<Outcome> {
    let line = line(command);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{line}` could not be started"))?;
    let writer = child.stdin.take().zip(input.map(str::to_owned));
    let output = std::thread::scope(|scope| {
        // Written beside the reading: a program that answers before it has read everything
        // would otherwise block on a full pipe.
        scope.spawn(|| {
            if let Some((mut stdin, input)) = writer {
                // A program that ends early closes the pipe; its exit code tells the story.
                drop(stdin.write_all(input.as_bytes()));
            }
        });
        child.wait_with_output()
    })
    .with_context(|| format!("`{line}` could not be waited for"))?;
    Ok(Outcome {
        command: line,
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

fn line(command: &Command) -> String {
    let name = std::path::Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(name)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .map(|word| {
            if word.is_empty() || word.contains([' ', '"', '\n', '{', '$']) {
                format!("'{word}'")
            } else {
                word.into_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_command_code_and_output() {
        let outcome = run(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap();
        assert_eq!(outcome.code, 3);
        let message = outcome.success().unwrap_err().to_string();
        assert_eq!(message, "`sh -c 'echo out; echo err >&2; exit 3'` ended with exit code 3\nout\nerr\n");
    }

    #[test]
    fn input_reaches_the_program() {
        let outcome = run_with_input(&mut Command::new("cat"), "hello").unwrap();
        assert_eq!(outcome.success().unwrap(), "hello");
    }
}
