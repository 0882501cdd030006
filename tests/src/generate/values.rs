//! Values and how they are written as YAML.

use std::fmt::Write;

use super::corpus;
use super::expression::Named;
use super::functions::Kind;
use super::random::Random;

/// A value, with scalars as they are written.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    /// A text, written in any style that keeps it.
    Text(String),
    /// A scalar that is written as it is, whatever it means.
    Plain(String),
    /// A list.
    List(Vec<Tree>),
    /// A map.
    Map(Vec<(String, Tree)>),
}

/// Scalars that Helm reads as numbers, or that look as if it did.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "3",
    "42",
    "1000000",
    "1234567",
    "12345678901234567890",
    "9223372036854775807",
    "9007199254740993",
    "1.5",
    "-0.25",
    "1e3",
    "1e21",
    "1.0",
    "0.1",
    "1e-7",
    "100000000000000000000000",
    "2.50",
    "0755",
    "0o17",
    "0x1F",
    "0b11",
    "1_000",
    "+5",
    "-0",
    "-0.0",
    ".5",
    "5.",
    "0x_F",
    "1__0",
    "190:20:30",
    "1:30",
    "0.30000000000000004",
    "123456789.123456789",
];

/// Scalars with a meaning that depends on the reader.
const ODD: &[&str] = &[
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "n",
    "true",
    "False",
    "~",
    "null",
    "Null",
    "NULL",
    "",
    "2001-12-14",
    "2001-12-14T21:59:43Z",
    "2001-12-14 21:59:43.10 -5",
    "=",
    "!!str 5",
    "!!float 1",
    "!!binary aGVsbG8=",
    "!custom x",
    "! 5",
    "!!timestamp 2001-12-14",
    "&anchor 1",
    "&anchor2 text",
    "a b # comment",
    "-x",
    "a:b",
    "a#b",
    "'q'",
    "\"q\\n\"",
    "'it''s'",
    "\"\\u00e9\\x41\\t\"",
    "[1, 2, {a: b}]",
    "{a: 1, b: [x], c: }",
    "[]",
    "{}",
    "{a, b: c}",
    "!!set {a, b}",
    "1.2.3",
    "v1",
    "0x",
    "1e",
    "|\n    literal\n    text",
    ">\n    folded\n    text\n\n    more",
    "|-\n    strip",
    ">+\n    keep\n\n",
    "multi\n    line plain",
    "'a\n    b'",
    "\"a\n    b\\\n    c\"",
];

/// Scalars that mostly make a file one that cannot be read.
const FATAL: &[&str] = &[
    ".inf",
    "-.Inf",
    ".nan",
    ".NaN",
    "!!null x",
    "?x",
    ":x",
    "@x",
    "`x",
    "%x",
    "- x",
    "\"unclosed",
    "[1, 2",
    "*missing",
    "!!int \"3\"",
    "[a, , b]",
    "|2\n      indented",
    "!!bool \"yes\"",
    "!!omap [a: 1]",
    "<<",
];

/// Values that typed expressions can rely on, and the paths to them.
pub(super) fn typed(random: &mut Random) -> (Tree, Vec<Named>) {
    let mut members = Vec::new();
    let mut names = Vec::new();
    let mut add = |name: &str, tree: Tree, kind: Kind| {
        members.push((name.to_owned(), tree));
        names.push(Named { text: format!(".{name}"), kind });
    };
    for index in 0..random.between(1, 3) {
        add(&format!("s{index}"), text(random), Kind::Text);
    }
    for index in 0..random.between(1, 2) {
        let number = random.pick(&["0", "1", "3", "42", "-7", "8080", "1000000", "12345678"]);
        add(&format!("i{index}"), Tree::Plain(number.to_owned()), Kind::Float);
    }
    add("f0", Tree::Plain(random.pick(&["1.5", "0.1", "-2.25", "1e21", "3.0", "1e-7"]).to_owned()), Kind::Float);
    for index in 0..2 {
        add(&format!("b{index}"), Tree::Plain(random.pick(&["true", "false"]).to_owned()), Kind::Bool);
    }
    add("n0", Tree::Plain(random.pick(&["null", "~", ""]).to_owned()), Kind::Any);
    let items = (0..random.below(4)).map(|_| any(random, 1)).collect();
    add("l0", Tree::List(items), Kind::List);
    let items = (0..random.below(4)).map(|_| text(random)).collect();
    add("ls", Tree::List(items), Kind::Texts);
    let items = (0..random.below(4)).map(|_| Tree::Plain(random.pick(NUMBERS).to_owned())).collect();
    add("ln", Tree::List(items), Kind::List);
    let items = (0..random.below(3))
        .map(|_| Tree::Map(vec![("name".to_owned(), text(random)), ("x".to_owned(), any(random, 1))]));
    add("lm", Tree::List(items.collect()), Kind::List);
    let nested = map(random, 1);
    add(
        "m0",
        Tree::Map(vec![
            ("a".to_owned(), text(random)),
            ("b".to_owned(), any(random, 1)),
            ("nested".to_owned(), nested),
        ]),
        Kind::Map,
    );
    add("m1", map(random, 2), Kind::Map);
    add("odd", any(random, 3), Kind::Any);
    names.push(Named { text: ".m0.nested".to_owned(), kind: Kind::Map });
    names.push(Named { text: ".m0.a".to_owned(), kind: Kind::Text });
    names.push(Named { text: ".m0.b".to_owned(), kind: Kind::Any });
    (Tree::Map(members), names)
}

/// A text.
pub(super) fn text(random: &mut Random) -> Tree {
    Tree::Text(random.pick(corpus::TEXTS).to_owned())
}

/// Any value.
pub(super) fn any(random: &mut Random, depth: usize) -> Tree {
    let deeper = if depth == 0 { 0 } else { 20 };
    match random.weighted([30, 20, 20, deeper, deeper]) {
        0 => text(random),
        1 => Tree::Plain(random.pick(NUMBERS).to_owned()),
        2 => {
            // A file has dozens of scalars, and one of these spoils it.
            let scalars = if random.below(500) == 0 { FATAL } else { ODD };
            Tree::Plain(random.pick(scalars).to_owned())
        }
        3 => list(random, depth - 1),
        _ => map(random, depth - 1),
    }
}

/// A list with a few items.
pub(super) fn list(random: &mut Random, depth: usize) -> Tree {
    Tree::List((0..random.below(4)).map(|_| any(random, depth)).collect())
}

/// A map with a few members.
pub(super) fn map(random: &mut Random, depth: usize) -> Tree {
    let mut members: Vec<(String, Tree)> = Vec::new();
    for _ in 0..random.below(5) {
        let key = random.pick(corpus::KEYS);
        if members.iter().all(|(other, _)| other != key) || random.chance(3) {
            members.push((key.to_owned(), any(random, depth)));
        }
    }
    Tree::Map(members)
}

/// Writes a values file.
pub(super) fn write(tree: &Tree, random: &mut Random) -> String {
    let mut text = String::new();
    if random.chance(5) {
        text.push_str(random.pick(&["# comment\n", "---\n", "\n", "--- # c\n", "\u{feff}"]));
    }
    match tree {
        Tree::Map(members) if !members.is_empty() => write_members(members, 0, random, &mut text),
        other => {
            write_inline(other, 0, random, &mut text);
            text.push('\n');
        }
    }
    if random.chance(3) {
        text.push_str(random.pick(&["...\n", "---\n", "---\nlater: 1\n", "# end", "--- \nb1: true\n"]));
    }
    text
}

fn write_members(members: &[(String, Tree)], indent: usize, random: &mut Random, text: &mut String) {
    for (key, value) in members {
        let _ = write!(text, "{:indent$}", "");
        write_key(key, random, text);
        text.push(':');
        write_value(value, indent, random, text);
    }
}

fn write_key(key: &str, random: &mut Random, text: &mut String) {
    let plain = !key.is_empty()
        && key
            .chars()
            .all(|character| character.is_alphanumeric() || "._-/~<=".contains(character) || character == ' ');
    // Null as a key cannot be read, and `<<` merges.
    let fatal = ["~", "null", "<<"].contains(&key) && !random.chance(1);
    if plain && !fatal && !key.starts_with(' ') && random.chance(92) {
        text.push_str(key);
    } else {
        text.push_str(&double_quoted(key, random));
    }
}

/// What follows the colon of a key or the dash of an item, and the end of the line.
fn write_value(value: &Tree, indent: usize, random: &mut Random, text: &mut String) {
    match value {
        Tree::Map(members) if !members.is_empty() && random.chance(85) => {
            text.push('\n');
            write_members(members, indent + 2, random, text);
        }
        Tree::List(items) if !items.is_empty() && random.chance(80) => {
            text.push('\n');
            let indent = if random.chance(50) { indent + 2 } else { indent };
            write_items(items, indent, random, text);
        }
        other => {
            text.push(' ');
            write_inline(other, indent, random, text);
            if random.chance(3) {
                text.push_str(random.pick(&[" # comment", "  ", "\t"]));
            }
            text.push('\n');
        }
    }
}

fn write_items(items: &[Tree], indent: usize, random: &mut Random, text: &mut String) {
    for item in items {
        let _ = write!(text, "{:indent$}-", "");
        match item {
            Tree::Map(members) if !members.is_empty() && random.chance(60) => {
                // The first member behind the dash.
                let mut inner = String::new();
                write_members(members, indent + 2, random, &mut inner);
                text.push(' ');
                text.push_str(inner.trim_start_matches(' '));
            }
            other => write_value(other, indent, random, text),
        }
    }
}

fn write_inline(value: &Tree, indent: usize, random: &mut Random, text: &mut String) {
    match value {
        Tree::Plain(scalar) => {
            text.push_str(&scalar.replace("\n    ", &format!("\n{:width$}", "", width = indent + 4)));
        }
        Tree::Text(scalar) => write_text(scalar, indent, random, text),
        Tree::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write_flow(item, random, text);
            }
            text.push(']');
        }
        Tree::Map(members) => {
            text.push('{');
            for (index, (key, value)) in members.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write_key(key, random, text);
                text.push_str(": ");
                write_flow(value, random, text);
            }
            text.push('}');
        }
    }
}

/// A value inside brackets.
fn write_flow(value: &Tree, random: &mut Random, text: &mut String) {
    match value {
        Tree::Plain(scalar) if scalar.is_empty() || scalar.contains(['\n', '#']) => text.push_str("null"),
        Tree::Text(scalar) => text.push_str(&double_quoted(scalar, random)),
        other => write_inline(other, 0, random, text),
    }
}

fn write_text(scalar: &str, indent: usize, random: &mut Random, text: &mut String) {
    /// In lower case; read as something else than a text.
    const WORDS: &[&str] = &["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let plain = scalar.starts_with(|first: char| first.is_alphabetic() || "/$".contains(first))
        && scalar.trim() == scalar
        && scalar.chars().all(|character| character.is_alphanumeric() || " ._/=+$(){}-".contains(character))
        && !WORDS.contains(&scalar.to_lowercase().as_str());
    let block = scalar.contains('\n')
        && !scalar.contains(['\r', '\u{85}', '\u{2028}', '\u{1}'])
        && !scalar.starts_with([' ', '\n']);
    if block && random.chance(60) {
        let body = scalar.trim_end_matches('\n');
        let header = match (scalar.len() - body.len(), random.chance(75)) {
            (0, true) => "|-",
            (1, true) => "|",
            (_, true) => "|+",
            (0, false) => ">-",
            (1, false) => ">",
            (_, false) => ">+",
        };
        text.push_str(header);
        for line in scalar.strip_suffix('\n').unwrap_or(scalar).split('\n') {
            let width = if line.is_empty() { 0 } else { indent + 2 };
            let _ = write!(text, "\n{:width$}{line}", "");
        }
    } else if plain && random.chance(70) {
        text.push_str(scalar);
    } else if !scalar.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{1}', '\u{7f}']) && random.chance(40) {
        let _ = write!(text, "'{}'", scalar.replace('\'', "''"));
    } else {
        text.push_str(&double_quoted(scalar, random));
    }
}

fn double_quoted(scalar: &str, random: &mut Random) -> String {
    let mut quoted = String::from("\"");
    for character in scalar.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{85}' => quoted.push_str("\\N"),
            '\u{a0}' => quoted.push_str("\\_"),
            '\u{2028}' => quoted.push_str("\\L"),
            character if u32::from(character) < 0x20 || character == '\u{7f}' || character == '\u{feff}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            character if !character.is_ascii() && u32::from(character) < 0xFFFF && random.chance(20) => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
