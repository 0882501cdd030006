//! Go's character classes: Perl, POSIX and Unicode ones.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

fn ranges(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|&(start, end)| ClassUnicodeRange::new(start, end)))
}

/// The class of one character.
pub(super) fn single(character: char) -> ClassUnicode {
    ranges(&[(character, character)])
}

/// Every character.
pub(super) fn any() -> ClassUnicode {
    ranges(&[('\0', char::MAX)])
}

/// Every character but a line feed.
pub(super) fn any_but_newline() -> ClassUnicode {
    negated(single('\n'))
}

/// The other characters.
pub(super) fn negated(mut class: ClassUnicode) -> ClassUnicode {
    class.negate();
    class
}

/// The class with all case variants of its characters.
pub(super) fn folded(mut class: ClassUnicode) -> ClassUnicode {
    // Fails only without Unicode tables, which this crate always has.
    let _ = class.try_case_fold_simple();
    class
}

fn signed(class: ClassUnicode, fold_case: bool, is_negated: bool) -> ClassUnicode {
    let class = if fold_case { folded(class) } else { class };
    if is_negated { negated(class) } else { class }
}

/// Whether `\` and this letter name a Perl class.
pub(super) fn is_perl(letter: u8) -> bool {
    matches!(letter, b'd' | b'D' | b's' | b'S' | b'w' | b'W')
}

/// A Perl class, which is ASCII in Go; white space has no vertical tab.
// Go: regexp/syntax/perl_groups.go
pub(super) fn perl(letter: u8, fold_case: bool) -> ClassUnicode {
    let class = match letter.to_ascii_lowercase() {
        b'd' => ranges(&[('0', '9')]),
        b's' => ranges(&[('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')]),
        _ => ranges(&[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
    };
    signed(class, fold_case, letter.is_ascii_uppercase())
}

/// A POSIX class by its whole text, such as `[:^alpha:]`.
// Go: regexp/syntax/perl_groups.go
pub(super) fn posix(text: &[u8], fold_case: bool) -> Option<ClassUnicode> {
    let name = text.strip_prefix(b"[:")?.strip_suffix(b":]")?;
    let (name, is_negated) = match name.strip_prefix(b"^") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let class = match name {
        b"alnum" => ranges(&[('0', '9'), ('A', 'Z'), ('a', 'z')]),
        b"alpha" => ranges(&[('A', 'Z'), ('a', 'z')]),
        b"ascii" => ranges(&[('\0', '\u{7f}')]),
        b"blank" => ranges(&[('\t', '\t'), (' ', ' ')]),
        b"cntrl" => ranges(&[('\0', '\u{1f}'), ('\u{7f}', '\u{7f}')]),
        b"digit" => ranges(&[('0', '9')]),
        b"graph" => ranges(&[('!', '~')]),
        b"lower" => ranges(&[('a', 'z')]),
        b"print" => ranges(&[(' ', '~')]),
        b"punct" => ranges(&[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
        b"space" => ranges(&[('\t', '\r'), (' ', ' ')]),
        b"upper" => ranges(&[('A', 'Z')]),
        b"word" => ranges(&[('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_')]),
        b"xdigit" => ranges(&[('0', '9'), ('A', 'F'), ('a', 'f')]),
        _ => return None,
    };
    Some(signed(class, fold_case, is_negated))
}

/// The scripts whose names have four letters.
const SHORT_SCRIPTS: [&str; 8] = ["ahom", "cham", "kawi", "lisu", "modi", "newa", "thai", "toto"];

/// A Unicode general category or script by its name, of Unicode 15.0 as in Go.
// Go: regexp/syntax/parse.go unicodeTable
pub(super) fn unicode(name: &str, fold_case: bool) -> Option<ClassUnicode> {
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ')) {
        return None;
    }
    let canonical: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let assigned = r"\p{Age:15.0}";
    let pattern = match canonical.as_str() {
        "" => return None,
        "any" => return Some(any()),
        // Surrogates are no characters.
        "cs" | "surrogate" => return Some(ClassUnicode::empty()),
        "ascii" => return Some(signed(ranges(&[('\0', '\u{7f}')]), fold_case, false)),
        "assigned" => assigned.to_owned(),
        // What was assigned later is unassigned in Go.
        "cn" | "unassigned" => format!("[^{assigned}]"),
        "c" | "other" => format!(r"[\p{{gc=C}}[^{assigned}]]"),
        _ => format!(r"[\p{{gc={canonical}}}&&{assigned}]"),
    };
    let class = class_of(&pattern).or_else(|| {
        // Scripts go by their names, not by ISO 15924's codes of four letters; `Unknown` is none.
        let is_code = canonical.len() == 4 && !SHORT_SCRIPTS.contains(&canonical.as_str());
        if is_code || canonical == "unknown" {
            return None;
        }
        class_of(&format!(r"[\p{{sc={canonical}}}&&{assigned}]"))
    })?;
    Some(if fold_case { folded(class) } else { class })
}

/// The class that an expression of the `regex` crate is.
fn class_of(pattern: &str) -> Option<ClassUnicode> {
    let hir = regex_syntax::parse(pattern).ok()?;
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class.clone()),
        // A class of one character.
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok()?.chars().next().map(single),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_and_scripts_go_by_go_names() {
        for name in ["L", "Lu", "letter", "Zl", "Cs", "LC", "Any", "Assigned", "Greek", "thai", "Common", "digit"] {
            assert!(unicode(name, false).is_some(), "{name}");
        }
        for name in ["", "Grek", "Zyyy", "Unknown", "Alphabetic", "gc=L", "Emoji"] {
            assert!(unicode(name, false).is_none(), "{name}");
        }
        assert_eq!(unicode("Zl", false), Some(single('\u{2028}')));
        assert_eq!(unicode("Cs", false), Some(ClassUnicode::empty()));
    }
}
