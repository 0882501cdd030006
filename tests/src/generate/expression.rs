//! Expressions: constants, paths into values, calls.

use std::fmt::Write;

use super::corpus;
use super::functions::{CALLS, Call, Kind};
use super::random::Random;

/// What a name stands for where an expression is written.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// How it is written, such as `$x` or `.Values.a.b`.
    pub(super) text: String,
    /// The kind of its value.
    pub(super) kind: Kind,
}

/// What can be named at a place of a template.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Variables.
    pub(super) variables: Vec<Named>,
    /// Paths that start at the values.
    pub(super) values: Vec<Named>,
    /// What leads to the values from here, such as `.Values` or `$.Values`; none where they are out of reach.
    pub(super) values_prefix: Option<&'static str>,
    /// The kind of the dot; none is the root.
    pub(super) dot: Option<Kind>,
    /// Names of templates that can be included here without recursion.
    pub(super) templates: Vec<String>,
    /// Inside a `range`.
    pub(super) in_range: bool,
}

/// Writes expressions.
#[derive(Debug)]
pub(super) struct Expressions<'a> {
    /// Where the choices come from.
    pub(super) random: &'a mut Random,
    /// In so many of a thousand places, something of another kind than wanted is written.
    pub(super) wrong: usize,
}

/// The kinds of whole expressions, the common ones more than once.
pub(super) const KINDS: &[Kind] = &[
    Kind::Text,
    Kind::Text,
    Kind::Text,
    Kind::Int,
    Kind::Number,
    Kind::Bool,
    Kind::List,
    Kind::Texts,
    Kind::Map,
    Kind::Map,
    Kind::Any,
    Kind::Yaml,
    Kind::Json,
];

impl Expressions<'_> {
    /// An expression, without parentheses around it.
    pub(super) fn write(&mut self, kind: Kind, scope: &Scope, depth: usize) -> String {
        if !matches!(kind, Kind::Time | Kind::Small | Kind::Own | Kind::Fresh | Kind::Toml)
            && self.random.below(1000) < self.wrong
        {
            let other = KINDS[self.random.below(KINDS.len())];
            return self.proper(other, scope, depth);
        }
        self.proper(kind, scope, depth)
    }

    /// An operand of a call: in parentheses if it needs them.
    pub(super) fn operand(&mut self, kind: Kind, scope: &Scope, depth: usize) -> String {
        let text = self.write(kind, scope, depth);
        if is_operand(&text) { text } else { format!("({text})") }
    }

    fn proper(&mut self, kind: Kind, scope: &Scope, depth: usize) -> String {
        match kind {
            Kind::Wanted | Kind::Same | Kind::Any => {
                let kind = KINDS[self.random.below(KINDS.len() - 3)];
                if kind != Kind::Any && self.random.chance(85) {
                    return self.proper(kind, scope, depth);
                }
            }
            Kind::Dot => return self.dot(scope, depth),
            Kind::Fresh => return self.fresh(scope, depth),
            Kind::Own => return self.own(scope, depth),
            Kind::Template => return super::template::inline(self, scope, depth),
            Kind::TemplateName => return self.template_name(scope),
            Kind::Printf => return self.printf(scope, depth),
            Kind::Time => return self.time(scope, depth),
            Kind::Small => return self.small(scope, depth),
            Kind::Toml => return self.constant(kind),
            _ => {}
        }
        let call = if depth == 0 { 0 } else { 45 };
        match self.random.weighted([25, 35, call]) {
            0 => self.constant(kind),
            1 => self.named(kind, scope).unwrap_or_else(|| self.constant(kind)),
            _ => self.call(kind, scope, depth - 1),
        }
    }

    /// A call that gives the kind, or a constant if nothing does.
    fn call(&mut self, kind: Kind, scope: &Scope, depth: usize) -> String {
        let serving = CALLS.iter().filter(|call| call.result.serves(kind));
        let serving: Vec<_> = serving.filter(|call| callable(call, scope)).collect();
        if serving.is_empty() {
            return self.constant(kind);
        }
        let call = serving[self.random.weighted(serving.iter().map(|call| call.weight))];
        let same = [Kind::Text, Kind::Int, Kind::Number, Kind::Bool][self.random.weighted([5, 4, 3, 1])];
        let mut operands = Vec::new();
        for (_, hole) in &call.holes {
            let hole = match hole {
                Kind::Wanted => kind,
                Kind::Same => same,
                other => *other,
            };
            operands.push(match hole {
                Kind::Printf | Kind::TemplateName => self.write(hole, scope, depth),
                _ => self.operand(hole, scope, depth),
            });
        }
        let mut text = String::new();
        // A last operand that ends the call can stand before it in a pipeline.
        let piped = call.rest.is_empty()
            && call.holes.len() == operands.len()
            && call.holes.last().is_some_and(|(before, kind)| before.ends_with(' ') && *kind != Kind::Printf)
            && self.random.chance(45);
        let last = if piped { operands.pop() } else { None };
        for ((before, _), operand) in call.holes.iter().zip(&operands) {
            let _ = write!(text, "{before}{operand}");
        }
        if let (Some(last), Some((before, _))) = (last, call.holes.last()) {
            return format!("{} | {text}{}", without_parentheses(&last), before.trim_end());
        }
        text.push_str(call.rest);
        text
    }

    /// Something that has a name in scope and serves.
    fn named(&mut self, kind: Kind, scope: &Scope) -> Option<String> {
        let mut names: Vec<String> = Vec::new();
        names.extend(scope.variables.iter().filter(|named| named.kind.serves(kind)).map(|named| named.text.clone()));
        if let Some(prefix) = scope.values_prefix {
            let serving = scope.values.iter().filter(|named| named.kind.serves(kind));
            names.extend(serving.map(|named| format!("{prefix}{}", named.text)));
        }
        if scope.dot.is_some_and(|dot| dot.serves(kind)) {
            names.extend([".".to_owned(), ".".to_owned()]);
        }
        let root: &[&str] = match kind {
            Kind::Text => &[
                "Release.Name",
                "Release.Namespace",
                "Chart.Name",
                "Chart.Version",
                "Chart.AppVersion",
                "Template.Name",
                "Template.BasePath",
                "Release.Service",
                "Files.Get \"a.txt\"",
                "(.Files.Glob \"conf/*\").AsConfig",
                "(.Files.Glob \"**\").AsSecrets",
                "Capabilities.KubeVersion.Version",
                "Capabilities.KubeVersion | toString",
                "Capabilities.KubeVersion.Minor",
                "Capabilities.HelmVersion.Version",
            ],
            Kind::Int => &["Release.Revision", "Capabilities.APIVersions | len"],
            Kind::Bool => &["Release.IsInstall", "Release.IsUpgrade", "Capabilities.APIVersions.Has \"apps/v1\""],
            Kind::Map => &["Values", "Release"],
            Kind::Texts => &["Files.Lines \"a.txt\""],
            Kind::Any => &[
                "Values",
                "Values.missing",
                "Values.m0.missing",
                "Chart.Annotations",
                "Chart.IsRoot",
                "Chart.Keywords",
                "Capabilities.KubeVersion",
                "Files.GetBytes \"a.txt\"",
                "Chart.Dependencies",
                "Subcharts",
            ],
            _ => &[],
        };
        if !root.is_empty() && scope.values_prefix.is_some() && self.random.chance(20) {
            let path = self.random.pick(root);
            let start = if scope.dot.is_none() { "." } else { "$." };
            let path = path.replace("(.Files", &format!("({start}Files"));
            names.push(if path.starts_with('(') { path } else { format!("{start}{path}") });
            return names.pop();
        }
        if names.is_empty() { None } else { Some(names.swap_remove(self.random.below(names.len()))) }
    }

    fn dot(&mut self, scope: &Scope, depth: usize) -> String {
        match self.random.weighted([60, 20, 10, 10]) {
            0 => ".".to_owned(),
            1 => "$".to_owned(),
            2 => format!("dict \"root\" $ \"x\" {}", self.operand(Kind::Any, scope, depth.saturating_sub(1))),
            _ => self.proper(Kind::Any, scope, depth.saturating_sub(1)),
        }
    }

    fn template_name(&mut self, scope: &Scope) -> String {
        if scope.templates.is_empty() || self.random.chance(1) {
            return "\"missing\"".to_owned();
        }
        let name = &scope.templates[self.random.below(scope.templates.len())];
        if self.random.chance(10) { format!("(print {})", literal(name, self.random)) } else { format!("{name:?}") }
    }

    /// A scalar or a copy.
    fn fresh(&mut self, scope: &Scope, depth: usize) -> String {
        match self.random.weighted([70, 15, 15]) {
            0 => self.constant(Kind::Any),
            1 => format!("deepCopy {}", self.named(Kind::Map, scope).unwrap_or_else(|| "(dict)".to_owned())),
            _ => {
                let kind = [Kind::Text, Kind::Int, Kind::Bool][self.random.below(3)];
                self.call(kind, scope, depth.saturating_sub(1))
            }
        }
    }

    fn own(&mut self, scope: &Scope, depth: usize) -> String {
        if self.random.chance(40) {
            return format!("(deepCopy {})", self.named(Kind::Map, scope).unwrap_or_else(|| "(dict)".to_owned()));
        }
        let key = self.constant(Kind::Key);
        format!("(dict {key} {})", self.operand(Kind::Any, scope, depth.saturating_sub(1)))
    }

    fn time(&mut self, scope: &Scope, depth: usize) -> String {
        if let Some(variable) = scope.variables.iter().find(|named| named.kind == Kind::Time) {
            return variable.text.clone();
        }
        let layouts = [
            "\"2006-01-02\" \"2024-02-29\"",
            "\"2006-01-02T15:04:05Z07:00\" \"2020-06-15T23:59:59+02:00\"",
            "\"2006-01-02\" \"no date\"",
            "\"2006-01-02 15:04:05.000\" \"1969-07-20 20:17:40.123\"",
            "\"2006-01-02\" \"0001-01-01\"",
        ];
        let date = format!("toDate {}", self.random.pick(&layouts));
        if depth > 0 && self.random.chance(25) {
            return format!("dateModify {} ({date})", self.constant(Kind::Duration));
        }
        date
    }

    fn small(&mut self, scope: &Scope, depth: usize) -> String {
        // Never a large number: functions build as much as they are told.
        if depth > 0 && self.random.chance(10) {
            return format!("len {}", self.operand(Kind::Text, scope, depth - 1));
        }
        let numbers = if self.random.chance(3) {
            ["-1", "-2", "-5", "100", "x", "2.0", "1.5", "\"2\""].as_slice()
        } else {
            ["0", "1", "2", "3", "4", "5", "7", "10", "12", "20"].as_slice()
        };
        match self.random.pick(numbers) {
            "x" => "true".to_owned(),
            number => number.to_owned(),
        }
    }

    /// A constant of a random scalar kind.
    fn scalar(&mut self) -> String {
        let kind = [Kind::Text, Kind::Int, Kind::Bool, Kind::Number][self.random.below(4)];
        self.constant(kind)
    }

    /// A constant of the kind.
    pub(super) fn constant(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Int | Kind::Small => {
                let numbers = [
                    "0",
                    "1",
                    "2",
                    "3",
                    "5",
                    "7",
                    "10",
                    "42",
                    "100",
                    "-1",
                    "-7",
                    "1000000",
                    "1234567890123",
                    "9223372036854775807",
                    "-9223372036854775808",
                    "0x1F",
                    "0o17",
                    "0b101",
                    "1_000",
                    "'a'",
                    "1e3",
                ];
                numbers[self.random.below(numbers.len())].to_owned()
            }
            Kind::Number => {
                let numbers = [
                    "1.5",
                    "0.1",
                    "2.0",
                    "-3.75",
                    "1e21",
                    "1e-7",
                    "123456789.125",
                    "0.0",
                    "3",
                    "1e6",
                    "1e20",
                    "2.5",
                    "-0.5",
                    "100000.0",
                    "1e100",
                    "0x1p-2",
                    "1e3",
                ];
                numbers[self.random.below(numbers.len())].to_owned()
            }
            Kind::Bool => (if self.random.chance(50) { "true" } else { "false" }).to_owned(),
            Kind::List => {
                let count = self.random.below(4);
                let items: Vec<String> = (0..count).map(|_| self.scalar()).collect();
                format!("list {}", items.join(" ")).trim_end().to_owned()
            }
            Kind::Texts => {
                let items: Vec<String> = (0..self.random.below(4)).map(|_| self.constant(Kind::Text)).collect();
                format!("list {}", items.join(" ")).trim_end().to_owned()
            }
            Kind::Map | Kind::Own => {
                let count = self.random.below(3);
                let items: Vec<String> = (0..count).flat_map(|_| [self.constant(Kind::Key), self.scalar()]).collect();
                format!("dict {}", items.join(" ")).trim_end().to_owned()
            }
            Kind::Any | Kind::Wanted | Kind::Same | Kind::Fresh => self.scalar(),
            other => {
                let texts = corpus::texts(other).unwrap_or(corpus::TEXTS);
                let refused = corpus::refused(other);
                let texts = if !refused.is_empty() && self.random.chance(2) { refused } else { texts };
                let text = self.random.pick(texts);
                literal(text, self.random)
            }
        }
    }

    /// `"FORMAT" ARGUMENT...`.
    fn printf(&mut self, scope: &Scope, depth: usize) -> String {
        let mut format = String::new();
        let mut operands = String::new();
        for _ in 0..self.random.between(1, 4) {
            match self.random.weighted([30, 60, 4, 3, 3]) {
                0 => format.push_str(self.random.pick(&["a", "-", " ", ": ", "%%", "\u{e4}", "\\n", "/"])),
                1 => {
                    let (verb, kind) = match self.random.weighted([40, 25, 10, 10, 5, 10]) {
                        0 => ("s", Kind::Text),
                        1 => ("d", Kind::Int),
                        2 => (self.random.pick(&["f", "g", "e", "G", "E", "F"]), Kind::Number),
                        3 => (self.random.pick(&["v", "T", "+v", "#v"]), Kind::Any),
                        4 => ("t", Kind::Bool),
                        _ => (
                            self.random
                                .pick(&["x", "X", "q", "c", "U", "o", "b", "p", "O", "#x", "#q", "+q", "w", "z"]),
                            [Kind::Text, Kind::Int][self.random.below(2)],
                        ),
                    };
                    let verb = if verb == "p" { "v" } else { verb };
                    format.push('%');
                    if self.random.chance(25) {
                        format.push_str(self.random.pick(&["-", "+", "0", " ", "#", "-0", "+ "]));
                    }
                    if self.random.chance(25) {
                        let _ = write!(format, "{}", self.random.below(15));
                    }
                    if self.random.chance(20) {
                        let _ = write!(format, ".{}", self.random.below(6));
                    }
                    if self.random.chance(3) {
                        format.push_str("[1]");
                    }
                    format.push_str(verb);
                    let _ = write!(operands, " {}", self.operand(kind, scope, depth.saturating_sub(1)));
                }
                2 => {
                    format.push_str("%*d");
                    let _ = write!(operands, " {} {}", self.random.below(9), self.random.below(999));
                }
                3 => format.push_str(self.random.pick(&["%d", "%s", "%", "%!", "%[2]s", "%[x]d", "%.", "%-"])),
                _ => {
                    let _ = write!(operands, " {}", self.operand(Kind::Any, scope, depth.saturating_sub(1)));
                }
            }
        }
        format!("\"{format}\"{operands}")
    }
}

fn callable(call: &Call, scope: &Scope) -> bool {
    !scope.templates.is_empty() || call.holes.iter().all(|(_, hole)| *hole != Kind::TemplateName)
}

fn without_parentheses(text: &str) -> &str {
    text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).filter(|inner| balanced(inner)).unwrap_or(text)
}

/// Whether an expression can be an operand as it is.
fn is_operand(text: &str) -> bool {
    let quoted = text.starts_with(['"', '`']);
    if quoted {
        return !text[1..].contains(&text[..1]) || text[1..].find(&text[..1]) == Some(text.len() - 2);
    }
    !text.contains([' ', '|']) && (!text.starts_with('(') || text.ends_with(')'))
}

fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    let (mut quote, mut escaped) = (None, false);
    for character in text.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"') if character == '\\' => escaped = true,
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None => match character {
                '"' | '`' => quote = Some(character),
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            },
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && quote.is_none()
}

/// A Go string constant.
pub(super) fn literal(text: &str, random: &mut Random) -> String {
    if !text.contains(['`', '\r']) && random.chance(if text.contains(['\\', '\n', '"']) { 50 } else { 5 }) {
        return format!("`{text}`");
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            character if u32::from(character) < 0x20 || (!character.is_ascii() && random.chance(30)) => {
                let code = u32::from(character);
                let _ = if code > 0xFFFF { write!(quoted, "\\U{code:08x}") } else { write!(quoted, "\\u{code:04x}") };
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
