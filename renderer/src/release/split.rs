//! Cutting a rendered file into YAML documents.

use bstr::ByteSlice;

use crate::profile::DocumentSplitter;

/// The documents of a rendered file, in order.
pub(super) fn documents(text: &[u8], splitter: DocumentSplitter) -> Vec<&[u8]> {
    match splitter {
        DocumentSplitter::LineStarts => at_line_starts(text),
        DocumentSplitter::Trimmed => {
            let pieces = at_separators(text.trim()).into_iter();
            pieces.filter(|piece| !piece.is_empty()).map(ByteSlice::trim).collect()
        }
        DocumentSplitter::TrimmedAtStart => without_blanks(at_separators(text.trim_start())),
    }
}

/// Cuts at every line that starts with `---`, whatever follows it: `---apiVersion: v1` starts a document with
/// `apiVersion: v1`. White space before a document goes, white space after it stays.
fn at_line_starts(text: &[u8]) -> Vec<&[u8]> {
    let text = text.trim_start();
    let mut documents = Vec::new();
    let mut start = 0;
    let mut line = 0;
    loop {
        let rest = &text[line..];
        if rest.starts_with(b"---") {
            documents.push(&text[start..line]);
            let blanks = rest[3..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            start = line + 3 + blanks;
        }
        match rest.find_byte(b'\n') {
            Some(end) => line += end + 1,
            None => break,
        }
    }
    documents.push(&text[start..]);
    without_blanks(documents)
}

/// Cuts at `---` after a line break or at the start, with the white space around it. A separator swallows the line
/// break before the next line, so that of two that follow each other the second stays text.
fn at_separators(text: &[u8]) -> Vec<&[u8]> {
    let is_space = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ');
    let end_of = |dashes: usize| dashes + 3 + text[dashes + 3..].iter().take_while(|byte| is_space(byte)).count();
    let mut pieces = Vec::new();
    let mut start = if text.starts_with(b"---") { end_of(0) } else { 0 };
    while let Some(found) = text[start..].find(b"\n---") {
        let piece = &text[start..start + found];
        let spaces = piece.iter().rev().take_while(|byte| is_space(byte)).count();
        pieces.push(&piece[..piece.len() - spaces]);
        start = end_of(start + found + 1);
    }
    pieces.push(&text[start..]);
    pieces
}

fn without_blanks(documents: Vec<&[u8]>) -> Vec<&[u8]> {
    documents.into_iter().map(ByteSlice::trim_start).filter(|document| !document.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_where_helm_cuts() {
        for (text, expected) in [
            ("", &[][..]),
            (" \n\t\n", &[]),
            ("a: 1\n", &["a: 1\n"]),
            ("\n\n---\na: 1\n\n---\nb: 2", &["a: 1\n\n", "b: 2"]),
            ("---apiVersion: v1\n", &["apiVersion: v1\n"]),
            ("a: 1\n--- # comment\nb: 2\n", &["a: 1\n", "# comment\nb: 2\n"]),
            ("a: 1\n---\n---\nb: 2\n", &["a: 1\n", "b: 2\n"]),
            ("a: |\n  ---\n  x\n", &["a: |\n  ---\n  x\n"]),
            ("a: 1\r\n---\r\nb: 2\r\n", &["a: 1\r\n", "b: 2\r\n"]),
            ("# only\n---\n# comments\n", &["# only\n", "# comments\n"]),
            ("a: 1\n------\nb: 2", &["a: 1\n", "---\nb: 2"]),
            ("a: 1\n---", &["a: 1\n"]),
        ] {
            let found: Vec<_> = documents(text.as_bytes(), DocumentSplitter::LineStarts)
                .into_iter()
                .map(|document| document.to_str().unwrap())
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn cuts_as_earlier_releases() {
        for (text, trimmed, trimmed_at_start) in [
            ("", &[][..], &[][..]),
            ("a: 1\n\n", &["a: 1"], &["a: 1\n\n"]),
            ("\n---\na: 1\n\n---\n\n  b: 2\n", &["a: 1", "b: 2"], &["a: 1", "b: 2\n"]),
            ("---apiVersion: v1\n", &["apiVersion: v1"], &["apiVersion: v1\n"]),
            ("a: 1\n--- # c\nb: 2", &["a: 1", "# c\nb: 2"], &["a: 1", "# c\nb: 2"]),
            ("---\n---\nb: 2", &["---\nb: 2"], &["---\nb: 2"]),
            ("a: 1\n---\n---\nb: 2", &["a: 1", "---\nb: 2"], &["a: 1", "---\nb: 2"]),
            ("a: 1\r\n---\r\nb: 2\r\n", &["a: 1", "b: 2"], &["a: 1", "b: 2\r\n"]),
            ("a: 1\n---", &["a: 1"], &["a: 1"]),
            ("a: 1\n------\nb: 2", &["a: 1", "---\nb: 2"], &["a: 1", "---\nb: 2"]),
        ] {
            for (splitter, expected) in
                [(DocumentSplitter::Trimmed, trimmed), (DocumentSplitter::TrimmedAtStart, trimmed_at_start)]
            {
                let found: Vec<_> = documents(text.as_bytes(), splitter)
                    .into_iter()
                    .map(|document| document.to_str().unwrap())
                    .collect();
                assert_eq!(found, expected, "{text:?} {splitter:?}");
            }
        }
    }
}
