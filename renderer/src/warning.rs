//! What Helm says on stderr while it goes on.

use std::cell::{Cell, RefCell};
use std::fmt::Write;

use crate::Profile;
use crate::profile::LogFormat;
use crate::quote::{is_print, quote};

/// The most text of warnings that one render keeps, so that a hostile chart cannot fill the memory with them.
const MAX_BYTES: usize = 256 << 10;

/// Collects warnings in the order in which they are given. What does not fit is left out.
#[derive(Debug)]
pub(crate) struct Warnings {
    format: LogFormat,
    lines: RefCell<Vec<String>>,
    bytes: Cell<usize>,
}

impl Warnings {
    pub(crate) fn new(profile: Profile) -> Self {
        Self { format: profile.log_format, lines: RefCell::default(), bytes: Cell::new(0) }
    }

    /// What both releases write through Go's `log` package.
    pub(crate) fn log(&self, message: impl FnOnce() -> String) {
        self.add(|format| match format {
            LogFormat::Plain => message(),
            LogFormat::Structured => format!("level=INFO msg={}", quoted_if_needed(&message())),
        });
    }

    /// What Helm 3 writes as a text and Helm 4 as a message with attributes (`log/slog`).
    pub(crate) fn structured<const N: usize>(
        &self,
        level: &str,
        plain: impl FnOnce() -> String,
        message: &str,
        attributes: [(&str, &str); N],
    ) {
        self.add(|format| match format {
            LogFormat::Plain => plain(),
            LogFormat::Structured => {
                let mut line = format!("level={level} msg={}", quoted_if_needed(message));
                for (name, text) in attributes {
                    let _ = write!(line, " {name}={}", quoted_if_needed(text));
                }
                line
            }
        });
    }

    fn add(&self, line: impl FnOnce(LogFormat) -> String) {
        if self.bytes.get() >= MAX_BYTES {
            return;
        }
        let line = line(self.format);
        self.bytes.set(self.bytes.get() + line.len());
        self.lines.borrow_mut().push(line);
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.into_inner()
    }
}

/// Go: `log/slog` `needsQuoting`.
fn quoted_if_needed(text: &str) -> String {
    let plain = |character: char| match character {
        ' ' | '=' | '"' | '\u{fffd}' => false,
        _ => is_print(character) && !character.is_whitespace(),
    };
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quote(text.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_lines_as_each_release_does() {
        for (profile, expected) in [
            (Profile::V3, ["warning: a", "Warning: tag t"]),
            (Profile::V4, ["level=INFO msg=\"warning: a\"", "level=WARN msg=no tag=t chart=\"a\\\"b\""]),
        ] {
            let warnings = Warnings::new(profile);
            warnings.log(|| "warning: a".to_owned());
            warnings.structured("WARN", || "Warning: tag t".to_owned(), "no", [("tag", "t"), ("chart", "a\"b")]);
            assert_eq!(warnings.into_lines(), expected);
        }
    }

    #[test]
    fn keeps_a_bounded_number() {
        let warnings = Warnings::new(Profile::V4);
        for _ in 0..1_000 {
            warnings.log(|| "x".repeat(1_000));
        }
        assert!(warnings.into_lines().len() < 300);
    }
}
