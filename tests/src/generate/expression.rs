//! Expressions: constants, paths into values, calls.

use std::fmt::Write;

use super::corpus;
use super::functions::{CALLS, Call, Kind};
use super::random::Random;
use crate::oracle::Release;

/// What a name stands for where an expression is written.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// How it is written, such as `$x` or `.Values.a.b`.
    pub(super) text: String,
    /// The kind of its value.
    pub(super) kind: Kind,
}

/// What a defined template expects as its dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expects {
    /// What the template of a file has.
    Root,
    /// A map with that as `root` and something as `x`.
    RootAndMore,
    /// Anything.
    Any,
}

/// A defined template.
#[derive(Clone, Debug)]
pub(super) struct Defined {
    /// Its name.
    pub(super) name: String,
    /// Its dot.
    pub(super) expects: Expects,
}

/// What can be named at a place of a template.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Variables.
    pub(super) variables: Vec<Named>,
    /// Paths that start at the values.
    pub(super) values: Vec<Named>,
    /// What else has a name, but cannot be assigned.
    pub(super) given: Vec<Named>,
    /// What stands before the dot of a member of the root, such as `$` of `$.Values`: nothing where the dot is the root.
    /// None where it is out of reach.
    pub(super) root: Option<&'static str>,
    /// The kind of the dot; none is a dot that is not named.
    pub(super) dot: Option<Kind>,
    /// Templates that can be included here without recursion.
    pub(super) templates: Vec<Defined>,
    /// How many `range` are around it.
    pub(super) ranges: usize,
    /// Whether it can be executed more than once: what grows here can grow without end.
    pub(super) repeated: bool,
}

impl Scope {
    /// The templates whose dot can be had here.
    pub(super) fn includable(&self) -> Vec<&Defined> {
        let known = |defined: &&Defined| self.root.is_some() || defined.expects == Expects::Any;
        self.templates.iter().filter(known).collect()
    }
}

/// Writes expressions.
#[derive(Debug)]
pub(super) struct Expressions<'a> {
    /// Where the choices come from.
    pub(super) random: &'a mut Random,
    /// For whom.
    pub(super) release: Release,
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
        if !matches!(kind, Kind::Time | Kind::Small | Kind::Own | Kind::Fresh | Kind::Toml) && self.errs() {
            if depth > 0
                && self.random.chance(50)
                && let Some(text) = self.call_of(kind, scope, depth - 1, true)
            {
                return text;
            }
            let other = KINDS[self.random.below(KINDS.len())];
            return self.proper(other, scope, depth);
        }
        self.proper(kind, scope, depth)
    }

    /// Whether something wrong is due.
    pub(super) fn errs(&mut self) -> bool {
        self.random.below(1000) < self.wrong
    }

    /// Something to iterate over. It ends soon whatever its parts are: a `range` over a number counts up to it.
    pub(super) fn iterable(&mut self, kind: Kind, scope: &Scope) -> String {
        if kind == Kind::Small {
            return self.small(scope, 1);
        }
        if self.wrong == 0 {
            return self.proper(kind, scope, 2);
        }
        let operand = self.operand(kind, scope, 2);
        // Both refuse what is of another kind.
        if kind == Kind::Map { format!("omit {operand} \"\"") } else { format!("concat {operand} list") }
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
            Kind::Templated => return super::template::inline(self, scope, depth),
            Kind::Included => return self.included(scope, depth),
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
        self.call_of(kind, scope, depth, false).unwrap_or_else(|| self.constant(kind))
    }

    fn call_of(&mut self, kind: Kind, scope: &Scope, depth: usize, risky: bool) -> Option<String> {
        let serving = CALLS.iter().filter(|call| call.risky == risky && call.result.serves(kind));
        let serving: Vec<_> = serving.filter(|call| self.is_callable(call, scope)).collect();
        if serving.is_empty() {
            return None;
        }
        let call = serving[self.random.weighted(serving.iter().map(|call| call.weight))];
        let same = [Kind::Text, Kind::Int, Kind::Float, Kind::Bool][self.random.weighted([5, 4, 3, 1])];
        let mut operands = Vec::new();
        for (_, hole) in &call.holes {
            let hole = match hole {
                Kind::Wanted => kind,
                Kind::Same => same,
                other => *other,
            };
            operands.push(if is_several(hole) {
                self.write(hole, scope, depth)
            } else {
                self.operand(hole, scope, depth)
            });
        }
        let mut text = String::new();
        // A last operand that ends the call can stand before it in a pipeline.
        let piped = call.rest.is_empty()
            && call.holes.len() == operands.len()
            && call.holes.last().is_some_and(|(before, kind)| before.ends_with(' ') && !is_several(*kind))
            && self.random.chance(45);
        let last = if piped { operands.pop() } else { None };
        for ((before, _), operand) in call.holes.iter().zip(&operands) {
            let _ = write!(text, "{before}{operand}");
        }
        if let (Some(last), Some((before, _))) = (last, call.holes.last()) {
            return Some(format!("{} | {text}{}", without_parentheses(&last), before.trim_end()));
        }
        text.push_str(call.rest);
        Some(text)
    }

    fn is_callable(&self, call: &Call, scope: &Scope) -> bool {
        (call.holes.iter().all(|(_, hole)| *hole != Kind::Included) || !scope.includable().is_empty())
            && (!call.new_in_v4 || self.release == Release::V4)
    }

    /// Something that has a name in scope and serves.
    fn named(&mut self, kind: Kind, scope: &Scope) -> Option<String> {
        let mut names: Vec<String> = Vec::new();
        let plain = scope.variables.iter().chain(&scope.given);
        names.extend(plain.filter(|named| named.kind.serves(kind)).map(|named| named.text.clone()));
        if let Some(root) = scope.root {
            let serving = scope.values.iter().filter(|named| named.kind.serves(kind));
            names.extend(serving.map(|named| format!("{root}.Values{}", named.text)));
        }
        if scope.dot.is_some_and(|dot| dot.serves(kind)) {
            names.extend([".".to_owned(), ".".to_owned()]);
        }
        let members: &[&str] = match kind {
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
                "Subcharts | len",
            ],
            _ => &[],
        };
        if let Some(root) = scope.root
            && !members.is_empty()
            && self.random.chance(20)
        {
            let path = self.random.pick(members);
            let path = path.replace("(.Files", &format!("({root}.Files"));
            return Some(if path.starts_with('(') { path } else { format!("{root}.{path}") });
        }
        if names.is_empty() { None } else { Some(names.swap_remove(self.random.below(names.len()))) }
    }

    fn dot(&mut self, scope: &Scope, depth: usize) -> String {
        match scope.root {
            Some(root) if self.random.chance(85) => root_itself(root),
            _ => self.operand(Kind::Any, scope, depth.saturating_sub(1)),
        }
    }

    /// `"NAME" DOT`.
    pub(super) fn included(&mut self, scope: &Scope, depth: usize) -> String {
        let includable = scope.includable();
        if includable.is_empty() || self.errs() {
            let name = if self.random.chance(50) { "missing" } else { "c.a" };
            return format!("{name:?} {}", self.operand(Kind::Any, scope, depth.saturating_sub(1)));
        }
        let Defined { name, expects } = includable[self.random.below(includable.len())];
        let dot = match (expects, scope.root) {
            (Expects::Root, Some(root)) => root_itself(root),
            (Expects::RootAndMore, Some(root)) => {
                let more = self.operand(Kind::Any, scope, depth.saturating_sub(1));
                format!("(dict \"root\" {} \"x\" {more})", root_itself(root))
            }
            _ => self.operand(Kind::Any, scope, depth.saturating_sub(1)),
        };
        let name = if self.random.chance(10) {
            format!("(print {})", literal(name, self.random))
        } else {
            format!("{name:?}")
        };
        format!("{name} {dot}")
    }

    /// A scalar or a copy.
    fn fresh(&mut self, scope: &Scope, depth: usize) -> String {
        if scope.repeated {
            return self.bounded(scope, depth);
        }
        match self.random.weighted([70, 15, 15]) {
            0 => self.constant(Kind::Any),
            1 => format!("deepCopy {}", self.named(Kind::Map, scope).unwrap_or_else(|| "(dict)".to_owned())),
            _ => {
                let kind = [Kind::Text, Kind::Int, Kind::Bool][self.random.below(3)];
                self.call(kind, scope, depth.saturating_sub(1))
            }
        }
    }

    /// A scalar that is no larger than a constant, whatever variables hold.
    pub(super) fn bounded(&mut self, scope: &Scope, depth: usize) -> String {
        match self.random.below(4) {
            0 => self.call(Kind::Int, scope, depth.saturating_sub(1)),
            1 => self.call(Kind::Bool, scope, depth.saturating_sub(1)),
            2 => format!("trunc 40 {}", self.operand(Kind::Text, scope, depth.saturating_sub(1))),
            _ => self.scalar(),
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
            return format!("int (min 12 (len {}))", self.operand(Kind::Text, scope, depth - 1));
        }
        if self.errs() {
            return self.random.pick(&["-1", "-2", "-5", "100", "true", "2.0", "1.5", "\"2\""]).to_owned();
        }
        let numbers: &[&str] = if scope.ranges > 0 {
            &["0", "1", "2", "3", "4"]
        } else {
            &["0", "1", "2", "3", "4", "5", "7", "10", "12", "20"]
        };
        self.random.pick(numbers).to_owned()
    }

    /// A constant of a random scalar kind.
    fn scalar(&mut self) -> String {
        let kind = [Kind::Text, Kind::Int, Kind::Bool, Kind::Float][self.random.below(4)];
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
                ];
                numbers[self.random.below(numbers.len())].to_owned()
            }
            Kind::Divisor => {
                self.random.pick(&["1", "2", "3", "7", "-1", "-4", "1000", "1.5", "2.0", "1e3"]).to_owned()
            }
            Kind::Number => {
                let kind = if self.random.chance(40) { Kind::Int } else { Kind::Float };
                self.constant(kind)
            }
            Kind::Float => {
                let numbers = [
                    "1.5",
                    "0.1",
                    "2.0",
                    "-3.75",
                    "1e21",
                    "1e-7",
                    "123456789.125",
                    "0.0",
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
                let texts = if !refused.is_empty() && self.errs() { refused } else { texts };
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

/// Whether what is written in such a hole is more than one operand.
fn is_several(hole: Kind) -> bool {
    matches!(hole, Kind::Printf | Kind::Included | Kind::Templated)
}

/// The root, by what stands before its members.
pub(super) fn root_itself(root: &str) -> String {
    if root.is_empty() { ".".to_owned() } else { root.to_owned() }
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
