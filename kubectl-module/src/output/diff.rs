//! Unified differences of texts.

use similar::{ChangeTag, TextDiff};

use crate::terminal::{Styles, escape};

/// Unchanged lines shown around a change, as `diff -u` does.
const CONTEXT: usize = 3;

/// The unified difference of two texts, without file names; empty if they are equal.
pub(crate) fn unified(old: &str, new: &str, style: Styles) -> String {
    let mut text = String::new();
    let diff = TextDiff::from_lines(old, new);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        text.push_str(&style.place(&hunk.header().to_string()));
        text.push('\n');
        for change in hunk.iter_changes() {
            let line = escape(change.value().trim_end_matches(['\n', '\r'])).into_owned();
            let line = match change.tag() {
                ChangeTag::Equal => format!(" {line}"),
                ChangeTag::Delete => style.removed(&format!("-{line}")),
                ChangeTag::Insert => style.added(&format!("+{line}")),
            };
            text.push_str(line.trim_end_matches(' '));
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_no_difference() {
        assert_eq!(unified("a\n", "a\n", Styles::PLAIN), "");
    }

    #[test]
    fn changed_lines_have_context() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let new = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        assert_eq!(unified(old, new, Styles::PLAIN), "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(unified("a\n", "\u{1b}[2J\n", Styles::PLAIN), "@@ -1 +1 @@\n-a\n+^[[2J\n");
    }
}
