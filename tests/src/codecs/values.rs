//! Values as JSON texts: strings that writers have to quote, numbers at the edges of formats, odd keys.

use std::fmt::Write as _;

use crate::generate::Random;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Any value.
    Any,
    /// A string.
    Text,
    /// A map.
    Map,
}

/// What means something to YAML or JSON, alone or beside something else.
const PIECES: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\r",
    "\r\n",
    ":",
    ": ",
    "#",
    " #",
    "- ",
    "? ",
    "-",
    "?",
    ",",
    "[",
    "]",
    "{",
    "}",
    "&",
    "*",
    "!",
    "|",
    ">",
    "'",
    "\"",
    "%",
    "@",
    "`",
    "---",
    "...",
    "--- ",
    "<<",
    "=",
    "~",
    "null",
    "yes",
    "no",
    "y",
    "n",
    "on",
    "true",
    "True",
    "1",
    "0",
    "012",
    "0x1f",
    "0b1",
    "0o7",
    "1_000",
    "1.5",
    "1e3",
    "1e400",
    ".5",
    ".inf",
    ".nan",
    "+",
    "-1",
    "1:30",
    "1:30:45.5",
    "2001-12-14",
    "2001-12-14T21:59:43Z",
    "12:",
    "é",
    "ß",
    "日本",
    "😀",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{e000}",
    "\u{d7ff}",
    "\0",
    "\u{1}",
    "\u{7}",
    "\u{1b}",
    "\u{7f}",
    "\u{80}",
    "\u{9f}",
    "\\",
    "\\n",
    "<",
    ">",
    "word",
    "longer words here",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "a",
    "b",
    "a1",
    "a10",
    "a02",
    "_",
    ".",
];

const WORDS: &[&str] = &["lorem ", "ipsum ", "dolor", " sit", " ", "amet, ", "x"];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-0.0",
    "1e21",
    "1e20",
    "1e-6",
    "1e-7",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1e6",
    "123456789.5",
    "0.1",
    "1e100",
    "5e-324",
    "1.7976931348623157e308",
];

/// Deeper values are scalars.
const DEEPEST: usize = 5;

/// A random value.
pub fn value(random: &mut Random, shape: Shape) -> String {
    let mut json = String::new();
    match shape {
        Shape::Any => any(random, &mut json, 0),
        Shape::Text => quoted(&mut json, &text(random)),
        Shape::Map => map(random, &mut json, 0),
    }
    json
}

fn any(random: &mut Random, json: &mut String, depth: usize) {
    let kinds = match depth {
        0 => 12,
        1..=DEEPEST => 9,
        _ => 6,
    };
    match random.below(kinds) {
        0 => json.push_str("null"),
        1 => json.push_str(random.pick(&["true", "false"])),
        2 => number(random, json),
        3..=5 => quoted(json, &text(random)),
        6 | 9 => {
            json.push('[');
            for index in 0..random.below(5) {
                json.push_str(if index > 0 { "," } else { "" });
                any(random, json, depth + 1);
            }
            json.push(']');
        }
        _ => map(random, json, depth),
    }
}

fn map(random: &mut Random, json: &mut String, depth: usize) {
    json.push('{');
    for index in 0..random.below(5) {
        json.push_str(if index > 0 { "," } else { "" });
        let mut key = if random.below(3) == 0 {
            text(random)
        } else {
            let start = random.pick(&["a", "b", "key", "a-", "x_", "é", ""]);
            format!("{start}{}{}", random.below(30), random.pick(&["", "", ".z", "-1", " "]))
        };
        if random.below(60) == 0 {
            key = key.repeat(40);
        }
        quoted(json, &key);
        json.push(':');
        any(random, json, depth + 1);
    }
    json.push('}');
}

fn text(random: &mut Random) -> String {
    let mut text = String::new();
    match random.below(8) {
        0 => {
            for _ in 0..10 + random.below(40) {
                text.push_str(if random.below(6) == 0 { random.pick(PIECES) } else { random.pick(WORDS) });
            }
        }
        1 => {
            for _ in 0..random.below(6) {
                text.extend(char::from_u32((random.number() % 0x500) as u32));
            }
        }
        _ => {
            for _ in 0..random.below(7) {
                text.push_str(random.pick(PIECES));
            }
        }
    }
    text
}

fn number(random: &mut Random, json: &mut String) {
    let written = match random.below(8) {
        0 => write!(json, "{}", random.number() % 100),
        1 => write!(json, "-{}", random.number() % 100_000),
        2 => write!(json, "{}", random.number()),
        3 => {
            let value = f64::from_bits(random.number());
            write!(json, "{:e}", if value.is_finite() { value } else { 1.0 })
        }
        4 => write!(json, "{}", (random.number() % 1_000_000_000) as f64 / 1000.0),
        5 => write!(json, "{}.0", random.number() % 1000),
        6 => write!(json, "{}e{}", random.number() % 1000, random.below(40)),
        _ => write!(json, "{}", random.pick(NUMBERS)),
    };
    debug_assert!(written.is_ok(), "writing to a string does not fail");
}

fn quoted(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::from(text).to_string());
}
