//! Standard output and error: colours, and text from elsewhere made safe to show.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set or TERM is "dumb"
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The process' output streams and how they are coloured.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// Styles for standard output.
    pub(crate) style: Styles,
    /// Styles for standard error.
    pub(crate) error_style: Styles,
}

impl Terminal {
    /// Decides about colours from the flag, the environment and what the streams are.
    pub(crate) fn new(choice: ColorChoice) -> Self {
        let forbidden =
            std::env::var_os("NO_COLOR").is_some() || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colored = |is_terminal: bool| match choice {
            ColorChoice::Auto => is_terminal && !forbidden,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        Self {
            style: Styles { colored: colored(io::stdout().is_terminal()) },
            error_style: Styles { colored: colored(io::stderr().is_terminal()) },
        }
    }

    /// Writes to standard output in one piece.
    pub(crate) fn print(&self, text: &str) -> io::Result<()> {
        self.print_bytes(text.as_bytes())
    }

    /// Writes to standard output in one piece.
    #[expect(clippy::unused_self, reason = "output goes through the terminal, so that one type owns the streams")]
    pub(crate) fn print_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut output = io::stdout().lock();
        output.write_all(bytes)?;
        output.flush()
    }

    /// Writes to standard error. A closed standard error leaves nobody to tell.
    #[expect(clippy::unused_self, reason = "output goes through the terminal, so that one type owns the streams")]
    pub(crate) fn print_error(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// The few styles that the plugin uses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Styles {
    colored: bool,
}

impl Styles {
    /// No colours at all.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colored: false };

    /// A removed line or an old value.
    pub(crate) fn removed(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default(), text)
    }

    /// An added line or a new value.
    pub(crate) fn added(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// The place of a hunk.
    pub(crate) fn place(self, text: &str) -> String {
        self.paint(AnsiColor::Cyan.on_default(), text)
    }

    /// A heading.
    pub(crate) fn heading(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// A lock mark or another thing to notice.
    pub(crate) fn notice(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default(), text)
    }

    /// The label of an error.
    pub(crate) fn error(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// The label of a hint.
    pub(crate) fn hint(self, text: &str) -> String {
        self.paint(AnsiColor::Cyan.on_default().bold(), text)
    }

    fn paint(self, style: Style, text: &str) -> String {
        if self.colored { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Makes control characters visible (`^[` for escape), so that text from a cluster or a chart cannot move the cursor,
/// rewrite what was printed, or colour a refusal like a success. Line feeds and tabs stay.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            _ if !is_unsafe(character) => escaped.push(character),
            '\u{7f}' => escaped.push_str("^?"),
            // Caret notation: the letter 64 above the control character.
            '\0'..='\u{1f}' => {
                escaped.push('^');
                escaped.push(char::from(character as u8 + 0x40));
            }
            _ => escaped.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
        }
    }
    Cow::Owned(escaped)
}

/// Control characters, line breaks that only some programs see, and the marks that reverse the direction of text.
fn is_unsafe(character: char) -> bool {
    let kept = matches!(character, '\n' | '\t');
    let invisible = matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (character.is_control() && !kept) || invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_shows_control_characters() {
        assert_eq!(escape("plain\n\ttext ä"), "plain\n\ttext ä");
        assert_eq!(escape("a\u{1b}[31mred\r\0\u{7f}"), "a^[[31mred^M^@^?");
        assert_eq!(escape("\u{9b}31m\u{202e}"), "\\u{9b}31m\\u{202e}");
    }
}
