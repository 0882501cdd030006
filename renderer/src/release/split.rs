//! Cutting a rendered file into YAML documents.

use bstr::ByteSlice;

use crate::Profile;

/// The documents of a rendered file, in order; those with nothing but white space are left out.
///
/// Helm 4.2.4 and later cut at every line that starts with `---`, whatever follows it: `---apiVersion: v1` starts a
/// document with `apiVersion: v1`. White space before a document goes, white space after it stays.
pub(super) fn documents(text: &[u8], profile: Profile) -> Vec<&[u8]> {
    match profile {
        Profile::V4 => split_lines(text),
    }
}

fn split_lines(text: &[u8]) -> Vec<&[u8]> {
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
            let found: Vec<_> = documents(text.as_bytes(), Profile::V4)
                .into_iter()
                .map(|document| document.to_str().unwrap())
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
