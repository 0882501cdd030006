//! Broken and unusual YAML, JSON and TOML, made from ordinary texts.

use crate::generate::Random;

/// What means something to YAML, and what it does not allow.
const PIECES: &[&str] = &[
    "\t",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{FEFF}",
    "- ",
    "-",
    "? ",
    "?",
    ": ",
    ":",
    "a: ",
    "b",
    ",",
    "[",
    "]",
    "{",
    "}",
    "[]",
    "{}",
    "[a]",
    "{a: b}",
    "#",
    " # c",
    "&a ",
    "*a",
    "*a ",
    "&b",
    "!x ",
    "!!str ",
    "!!int ",
    "!!float ",
    "!!binary ",
    "!!null ",
    "!!bool ",
    "!!timestamp ",
    "!<tag:x> ",
    "!",
    "|",
    ">",
    "|-",
    ">+",
    "|2",
    "|+1\n",
    "'",
    "\"",
    "''",
    "\\",
    "\\n",
    "\\x41",
    "\\u00e9",
    "\\U0001F600",
    "\\\n",
    "%",
    "%YAML 1.1\n",
    "%YAML 1.2\n",
    "%TAG ! tag:x,2000:\n",
    "%TAG !e! !x\n",
    "---",
    "---\n",
    "--- ",
    "...",
    "...\n",
    "@",
    "`",
    "<<",
    "<<: *a\n",
    "<<: [*a, *b]\n",
    "é",
    "日本",
    "😀",
    "~",
    "null",
    "yes",
    "0x1F",
    "1_000",
    ".inf",
    ".nan",
    "1e3",
    "2001-12-14",
    "1:30",
    "18446744073709551615",
    "=",
    "- - ",
    "- a: b\n  c: d\n",
    "? a\n: b\n",
    "key: |\n  text\n  more\n\n",
    "key: >\n  text\n  more\n\n",
    "\"x\n y\"",
    "'x\n y'",
    "x\n y",
    "!e!x ",
    "&a [1, 2]\n",
    "!!map ",
    "!!seq ",
    "!%41 ",
    "\0",
    "\u{7}",
    "\u{7f}",
    "\u{9b}",
    "\u{fffe}",
];

const JSON_PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\ud83d",
    "\\udc00",
    "1",
    "-",
    "0",
    "1e999",
    "-1e999",
    "1e-999",
    ".5",
    "1.",
    "01",
    "e",
    "E+",
    "true",
    "tru",
    "null",
    "nul",
    "false",
    " ",
    "\n",
    "\t",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "é",
    "'",
    "/*",
    "NaN",
    "\"a\":1",
    "[[",
    "{}",
    "\0",
];

/// Lines that fit and contradict each other.
const TOML_LINES: &[&str] = &[
    "a = 1\n",
    "a.b = 1\n",
    "a.b.c = 'x'\n",
    "b.a = {x = 1, y.z = 2}\n",
    "a = {b = 1, c = {d = 2}}\n",
    "a = {b.c = 1, b.d = 2}\n",
    "a = [{x = 1}, {x = 2, y = [1]}]\n",
    "a = [[1, 2], [\"x\"], []] # c\n",
    "b = [\n  1, # c\n  2,\n]\n",
    "[a]\n",
    "[a.b]\n",
    "[a.\"b c\".'d']\n",
    "[[a]]\n",
    "[[a.b]]\n",
    "[b]\n",
    "[ a . b ]\n",
    "\"\" = 1\n",
    "\"a b\" = \"x\\ty\\u00e9\\x41\\e\"\n",
    "s = \"\"\"\nx\\\n  y\"z\"\"\"\"\n",
    "s = '''\nx'y''''\n",
    "n = -17\nm = +1_000\n",
    "n = 0x1F\nm = 0o17\nk = 0b11\n",
    "f = 1.5e-3\ng = -0.0\n",
    "t = true\nu = false\n",
    "d = 1979-05-27T07:32:00Z\n",
    "d = 1979-05-27 07:32:00.5-07:00\n",
    "d = 1979-05-27\ne = 07:32\n",
    "# comment\r\n",
    "\n",
];

const TOML_PIECES: &[&str] = &[
    "=",
    ".",
    ",",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "#",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "\\",
    "\\n",
    "\\u",
    "\\ud800",
    "\\U00110000",
    "\\x4",
    "\\q",
    "\\\n",
    "\\ ",
    "_",
    "-",
    "+",
    ":",
    "0",
    "01",
    "1_",
    "0x",
    "0b2",
    "9223372036854775808",
    "1e400",
    "1.",
    ".5",
    "1e",
    "inf",
    "nan",
    "+nan",
    "in",
    "true",
    "tru",
    "T",
    "z",
    "é",
    "a",
    "b",
    "a.b",
    "a = 1",
    "= 1",
    "1979-13-01",
    "7:32:00",
    "24:00",
    "\u{FEFF}",
    "\u{7f}",
    "\0",
    "\u{1}",
];

/// Longer texts are cut to a few lines: what is broken in them is mostly at their start.
const LONG: usize = 600;

/// A text made from one or two of the seeds.
pub fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut text = if random.below(12) == 0 { Vec::new() } else { seeds[random.below(seeds.len())].clone() };
    if text.len() > LONG && random.below(10) > 0 {
        let start = line_start(&text, random.below(text.len()));
        let end = line_end(&text, (start + 50 + random.below(500)).min(text.len()));
        text = text[start..end].to_vec();
    }
    let changes = if text.is_empty() { 3 + random.below(14) } else { random.below(4) };
    let many = if random.below(20) == 0 { 8 } else { 0 };
    for _ in 0..changes + many {
        change(random, seeds, &mut text);
    }
    text
}

fn change(random: &mut Random, seeds: &[Vec<u8>], text: &mut Vec<u8>) {
    let place = random.below(text.len() + 1);
    let line = line_start(text, place)..line_end(text, place);
    match random.below(16) {
        0..=5 => insert(text, place, random.pick(PIECES).as_bytes()),
        6 if place < text.len() => drop(text.remove(place)),
        7 if place < text.len() => text[place] = byte(random, b" \n\t:-?[]{},#&*!|>'\"%@`\\ax0"),
        8 if place < text.len() && (random.below(6) == 0) => text[place] = random.number() as u8,
        9 => drop(text.drain(line)),
        10 => {
            let copy = text[line].to_vec();
            let target = random.below(text.len() + 1);
            insert(text, line_start(text, target), &copy);
        }
        11 if random.below(2) == 0 => insert(text, line.start, &b"   "[..=random.below(3)]),
        11 => {
            let spaces = text[line.clone()].iter().take(1 + random.below(3)).take_while(|byte| **byte == b' ').count();
            text.drain(line.start..line.start + spaces);
        }
        12 if random.below(4) == 0 => text.truncate(place),
        13 => {
            let other = &seeds[random.below(seeds.len())];
            let start = random.below(other.len());
            let end = (start + 1 + random.below(60)).min(other.len());
            insert(text, place, &other[start.min(end)..end]);
        }
        14 => {
            insert(text, place, random.pick(PIECES).as_bytes());
            insert(text, place, random.pick(PIECES).as_bytes());
        }
        15 if random.below(30) == 0 => {
            let padding = vec![byte(random, b"a #"); 400 + random.below(900)];
            insert(text, place, &padding);
        }
        _ => {}
    }
}

/// JSON with some bytes changed.
pub fn mutate_json(random: &mut Random, mut text: Vec<u8>) -> Vec<u8> {
    for _ in 0..random.below(4) {
        let place = random.below(text.len() + 1);
        match random.below(4) {
            0 => insert(&mut text, place, random.pick(JSON_PIECES).as_bytes()),
            1 if place < text.len() => drop(text.remove(place)),
            2 if place < text.len() => text[place] = random.number() as u8,
            3 if random.below(3) == 0 => text.truncate(place),
            _ => {}
        }
    }
    text
}

/// TOML from a few lines, with some bytes changed.
pub fn mutate_toml(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..=random.below(5) {
        text.extend_from_slice(random.pick(TOML_LINES).as_bytes());
    }
    for _ in 0..random.below(4) {
        let place = random.below(text.len() + 1);
        match random.below(5) {
            0 | 1 => insert(&mut text, place, random.pick(TOML_PIECES).as_bytes()),
            2 if place < text.len() => drop(text.remove(place)),
            3 if place < text.len() && random.below(4) == 0 => text[place] = random.number() as u8,
            4 if random.below(3) == 0 => text.truncate(place),
            _ => {}
        }
    }
    text
}

fn insert(text: &mut Vec<u8>, place: usize, piece: &[u8]) {
    text.splice(place..place, piece.iter().copied());
}

fn byte(random: &mut Random, from: &[u8]) -> u8 {
    from[random.below(from.len())]
}

fn line_start(text: &[u8], place: usize) -> usize {
    text[..place].iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)
}

/// After the line break that ends the line.
fn line_end(text: &[u8], place: usize) -> usize {
    text[place..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |next| place + next + 1)
}
