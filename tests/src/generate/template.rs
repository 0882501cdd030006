//! Templates: text, actions, control structures, definitions.

use super::corpus;
use super::expression::{Defined, Expects, Expressions, KINDS, Named, Scope, literal, root_itself};
use super::functions::Kind;

/// Writes templates.
#[derive(Debug)]
pub(super) struct Templates<'a> {
    /// What writes the expressions.
    pub(super) expressions: Expressions<'a>,
    chart: String,
    variables: usize,
    blocks: usize,
}

impl<'a> Templates<'a> {
    /// Of a chart, with these expressions.
    pub(super) fn new(chart: &str, expressions: Expressions<'a>) -> Self {
        Self { expressions, chart: chart.to_owned(), variables: 0, blocks: 0 }
    }

    /// Text and actions of one file.
    pub(super) fn file(&mut self, scope: &mut Scope) -> String {
        let statements = self.expressions.random.between(1, 10);
        self.body(scope, statements, 3)
    }

    /// Text and actions.
    pub(super) fn body(&mut self, scope: &mut Scope, statements: usize, depth: usize) -> String {
        // What is declared in here ends here.
        let declared = scope.variables.len();
        let mut text = String::new();
        for _ in 0..statements {
            text.push_str(&self.statement(scope, depth));
        }
        scope.variables.truncate(declared);
        text
    }

    /// One expression as an action; a variable first in some cases.
    pub(super) fn output(&mut self, scope: &Scope, kind: Kind) -> String {
        let expression = self.expressions.write(kind, scope, 3);
        self.action(&expression)
    }

    fn statement(&mut self, scope: &mut Scope, depth: usize) -> String {
        let control = if depth > 0 { 9 } else { 0 };
        let kind = KINDS[self.expressions.random.below(KINDS.len())];
        match self.expressions.random.weighted([
            14,
            40,
            12,
            5,
            control,
            control,
            control,
            5,
            3,
            3,
            5,
            if scope.ranges > 0 { 3 } else { 0 },
            control / 4,
        ]) {
            0 => self.text(),
            1 => self.output(scope, kind) + self.expressions.random.pick(&["", "\n", " ", "|"]),
            2 => self.declaration(scope),
            3 => self.assignment(scope),
            4 => self.condition(scope, depth - 1),
            5 => self.with(scope, depth - 1),
            6 => self.range(scope, depth - 1),
            7 => self.inclusion(scope),
            8 => self.comment(),
            9 => {
                let expression = self.expressions.constant(kind);
                self.action(&expression)
            }
            10 => self.mutation(scope),
            11 => self.leave(scope),
            _ => self.block(scope, depth - 1),
        }
    }

    fn text(&mut self) -> String {
        let texts = [
            "\n", "a: ", "  ", "text ", "- ", "\n\n", "  x: y\n", "{ }", "\"", "'", "\t", "\u{e4}\n", "}} ", "---\n",
            "# c\n", "\r\n", "|",
        ];
        self.expressions.random.pick(&texts).to_owned()
    }

    /// An expression between delimiters, with or without trim markers.
    fn action(&mut self, expression: &str) -> String {
        let random = &mut *self.expressions.random;
        let open = ["{{ ", "{{", "{{- "][random.weighted([70, 10, 20])];
        let close = [" }}", "}}", " -}}"][random.weighted([72, 10, 18])];
        // A number directly behind the trim marker's dash would be a negative number.
        format!("{open}{expression}{close}")
    }

    fn variable(&mut self, scope: &mut Scope, kind: Kind) -> String {
        self.variables += 1;
        let random = &mut *self.expressions.random;
        // Sometimes a name that is taken, in this scope or one around it.
        let text = if !scope.variables.is_empty() && random.chance(15) {
            scope.variables[random.below(scope.variables.len())].text.clone()
        } else {
            format!("$v{}", self.variables)
        };
        scope.variables.retain(|named| named.text != text);
        scope.variables.push(Named { text: text.clone(), kind });
        text
    }

    fn declaration(&mut self, scope: &mut Scope) -> String {
        let kinds =
            [Kind::Text, Kind::Int, Kind::Number, Kind::Bool, Kind::List, Kind::Map, Kind::Map, Kind::Any, Kind::Time];
        let kind = kinds[self.expressions.random.below(kinds.len())];
        let expression = self.expressions.write(kind, scope, 2);
        let name = self.variable(scope, kind);
        self.action(&format!("{name} := {expression}"))
    }

    fn assignment(&mut self, scope: &Scope) -> String {
        if scope.variables.is_empty() {
            return String::new();
        }
        let Named { text, kind } = scope.variables[self.expressions.random.below(scope.variables.len())].clone();
        let expression = match kind {
            // In a loop, what a variable holds grows by little each time.
            Kind::List if scope.ranges > 0 => format!("append {text} {}", self.expressions.constant(Kind::Any)),
            Kind::Map if scope.ranges > 0 => {
                format!("merge (dict \"x\" {}) {text}", self.expressions.constant(Kind::Any))
            }
            Kind::Text | Kind::Any if scope.ranges > 0 => self.expressions.bounded(scope, 2),
            _ => self.expressions.write(kind, scope, 2),
        };
        self.action(&format!("{text} = {expression}"))
    }

    fn condition(&mut self, scope: &mut Scope, depth: usize) -> String {
        let kind = if self.expressions.random.chance(70) { Kind::Bool } else { Kind::Any };
        let mut condition = self.expressions.write(kind, scope, 2);
        let mut inner = scope.clone();
        if self.expressions.random.chance(8) {
            let name = self.variable(&mut inner, kind);
            condition = format!("{name} := {condition}");
        }
        let mut text = self.action(&format!("if {condition}"));
        text += &self.short_body(&mut inner, depth);
        while self.expressions.random.chance(15) {
            let condition = self.expressions.write(Kind::Bool, &inner, 2);
            text += &self.action(&format!("else if {condition}"));
            text += &self.short_body(&mut inner, depth);
        }
        if self.expressions.random.chance(40) {
            text += &self.action("else");
            text += &self.short_body(&mut inner, depth);
        }
        text + &self.action("end")
    }

    fn short_body(&mut self, scope: &mut Scope, depth: usize) -> String {
        let statements = self.expressions.random.between(1, 3);
        self.body(scope, statements, depth)
    }

    fn with(&mut self, scope: &mut Scope, depth: usize) -> String {
        let kind = [Kind::Map, Kind::Text, Kind::List, Kind::Any, Kind::Int][self.expressions.random.below(5)];
        let mut operand = self.expressions.write(kind, scope, 2);
        let mut inner = scope.moved(kind);
        if self.expressions.random.chance(20) {
            let name = self.variable(&mut inner, kind);
            operand = format!("{name} := {operand}");
        }
        let mut text = self.action(&format!("with {operand}"));
        text += &self.short_body(&mut inner, depth);
        let mut outer = scope.clone();
        if self.expressions.random.chance(10) {
            let other = self.expressions.write(Kind::Any, &outer, 2);
            text += &self.action(&format!("else with {other}"));
            text += &self.short_body(&mut scope.moved(Kind::Any), depth);
        }
        if self.expressions.random.chance(35) {
            text += &self.action("else");
            text += &self.short_body(&mut outer, depth);
        }
        text + &self.action("end")
    }

    fn range(&mut self, scope: &mut Scope, depth: usize) -> String {
        let kind = [Kind::List, Kind::Texts, Kind::Map, Kind::Small][self.expressions.random.weighted([4, 3, 4, 2])];
        let operand = self.expressions.iterable(kind, scope);
        let (key, element) = match kind {
            Kind::Texts => (Kind::Int, Kind::Text),
            Kind::Map => (Kind::Key, Kind::Any),
            Kind::Small => (Kind::Int, Kind::Int),
            _ => (Kind::Int, Kind::Any),
        };
        let mut inner = scope.moved(element);
        inner.ranges += 1;
        inner.repeated = true;
        // An integer has no keys.
        let both = if kind == Kind::Small { 1 } else { 30 };
        let declared = match self.expressions.random.weighted([50, 20, both]) {
            0 => String::new(),
            1 => format!("{} := ", self.variable(&mut inner, element)),
            _ => {
                let name = self.variable(&mut inner, key);
                format!("{name}, {} := ", self.variable(&mut inner, element))
            }
        };
        let mut text = self.action(&format!("range {declared}{operand}"));
        text += &self.short_body(&mut inner, depth);
        if self.expressions.random.chance(20) {
            text += &self.action("else");
            let mut outer = scope.clone();
            text += &self.short_body(&mut outer, depth);
        }
        text + &self.action("end")
    }

    fn leave(&mut self, scope: &Scope) -> String {
        let word = if self.expressions.random.chance(50) { "break" } else { "continue" };
        let condition = self.expressions.write(Kind::Bool, scope, 1);
        format!("{}{}{}", self.action(&format!("if {condition}")), self.action(word), self.action("end"))
    }

    fn inclusion(&mut self, scope: &Scope) -> String {
        if scope.includable().is_empty() {
            return String::new();
        }
        let included = self.expressions.included(scope, 2);
        if self.expressions.random.chance(40) && !included.starts_with('(') {
            self.action(&format!("template {included}"))
        } else {
            let ends = ["", " | indent 2", " | nindent 4", " | trim | quote", " | fromYaml | toJson"];
            let end = self.expressions.random.pick(&ends);
            self.action(&format!("include {included}{end}"))
        }
    }

    fn comment(&mut self) -> String {
        let comments =
            ["{{/* c */}}", "{{- /* a\n b */ -}}", "{{/* {{ x }} */}}", "{{- /* c */}}", "{{/**/}}", "{{/* \" */ -}}"];
        self.expressions.random.pick(&comments).to_owned()
    }

    /// A statement for its effect on a map.
    fn mutation(&mut self, scope: &Scope) -> String {
        let maps = scope.variables.iter().filter(|named| named.kind == Kind::Map).map(|named| named.text.clone());
        let mut maps: Vec<String> = maps.collect();
        if let Some(root) = scope.root {
            let named = scope.values.iter().filter(|named| named.kind == Kind::Map);
            maps.extend(named.map(|named| format!("{root}.Values{}", named.text)));
        }
        if maps.is_empty() {
            return String::new();
        }
        let map = maps.swap_remove(self.expressions.random.below(maps.len()));
        let key = self.expressions.constant(Kind::Key);
        let effect = match self.expressions.random.weighted([50, 20, 15, 15]) {
            0 => format!("set {map} {key} {}", self.expressions.operand(Kind::Fresh, scope, 2)),
            1 => format!("unset {map} {key}"),
            // What is merged in holds no reference to what it is merged into.
            2 => format!("merge {map} (dict {key} {})", self.expressions.operand(Kind::Fresh, scope, 2)),
            _ => format!("mergeOverwrite {map} (dict {key} {})", self.expressions.operand(Kind::Fresh, scope, 2)),
        };
        self.action(&format!("$_ := {effect}"))
    }

    fn block(&mut self, scope: &mut Scope, depth: usize) -> String {
        if !self.expressions.errs() {
            self.blocks += 1;
        }
        // A name of its own: Helm takes the last definition, which may be made for another dot.
        let name = format!("{}.block{}", self.chart, self.blocks);
        let (dot, mut inner) = handed(&mut self.expressions, scope, 1);
        inner.repeated = true;
        let mut text = self.action(&format!("block {name:?} {dot}"));
        text += &self.short_body(&mut inner, depth);
        text + &self.action("end")
    }

    /// A `define`. What it can include is in the scope.
    pub(super) fn definition(&mut self, name: &str, file: &Scope) -> (String, Defined) {
        let expects =
            [Expects::Root, Expects::RootAndMore, Expects::Any][self.expressions.random.weighted([60, 20, 20])];
        let scope = Scope { templates: file.templates.clone(), repeated: true, ..Scope::default() };
        let mut scope = match expects {
            Expects::Root => Scope { root: Some(""), values: file.values.clone(), ..scope },
            Expects::RootAndMore => Scope {
                root: Some("$.root"),
                values: file.values.clone(),
                given: vec![Named { text: "$.x".to_owned(), kind: Kind::Any }],
                ..scope
            },
            Expects::Any => Scope { dot: Some(Kind::Any), ..scope },
        };
        let mut text = self.action(&format!("define {name:?}"));
        match self.expressions.random.weighted([30, 30, 40]) {
            0 => {
                text.push('\n');
                for key in ["app", "release", "x"] {
                    text += key;
                    text += ": ";
                    text += &self.output(&scope, Kind::Text);
                    text.push('\n');
                }
            }
            1 => text += &self.output(&scope, Kind::Text),
            _ => {
                let statements = self.expressions.random.between(1, 5);
                text += &self.body(&mut scope, statements, 2);
            }
        }
        (text + &self.action("end") + "\n", Defined { name: name.to_owned(), expects })
    }

    /// One value of a manifest behind its key, and the end of the line.
    pub(super) fn yaml_value(&mut self, scope: &Scope) -> String {
        match self.expressions.random.weighted([30, 15, 15, 10, 10, 8, 2, 10]) {
            0 => format!(" {{{{ {} | quote }}}}\n", self.expressions.write(Kind::Text, scope, 3)),
            1 => format!(" {{{{ {} | toJson }}}}\n", self.expressions.write(Kind::Any, scope, 3)),
            2 => {
                format!(" |-\n    {{{{- {} | toYaml | nindent 4 }}}}\n", self.expressions.operand(Kind::Any, scope, 3))
            }
            3 => format!("\n    {{{{- toYaml {} | nindent 4 }}}}\n", self.expressions.operand(Kind::Map, scope, 2)),
            4 => format!(" {}\n", self.output(scope, Kind::Int)),
            5 => format!(" {{{{ {} | toYaml }}}}\n", self.expressions.write(Kind::Int, scope, 3)),
            // As it is: often no YAML any more.
            6 => format!(" {}\n", self.output(scope, Kind::Text)),
            _ => {
                let texts = [
                    "text",
                    "0755",
                    "'it''s'",
                    "[1, {a: b}]",
                    "|\n    a\n      b\n",
                    ">-\n    a\n    b",
                    "yes",
                    "~",
                    "1e3",
                    "\"\\u00e9\"",
                    "2001-12-14",
                    "# c",
                    "!!str 1",
                    "a #b",
                    "a#b",
                ];
                let text = if self.expressions.errs() { corpus::TEXTS } else { &texts };
                format!(" {}\n", self.expressions.random.pick(text).replace('\n', "\n    "))
            }
        }
    }
}

impl Scope {
    /// The scope of a body whose dot is something else.
    fn moved(&self, dot: Kind) -> Self {
        let mut scope = self.clone();
        scope.dot = Some(dot);
        scope.root = scope.root.map(|root| if root.is_empty() { "$" } else { root });
        scope
    }
}

/// A dot for another template, and what can be named in that.
fn handed(expressions: &mut Expressions<'_>, scope: &Scope, depth: usize) -> (String, Scope) {
    // The variables of the outer template are unknown inside.
    let inner = Scope { variables: Vec::new(), given: Vec::new(), root: None, dot: None, ..scope.clone() };
    match scope.root {
        Some(root) if expressions.random.chance(80) => (root_itself(root), Scope { root: Some(""), ..inner }),
        _ => {
            let kind = KINDS[expressions.random.below(KINDS.len())];
            let dot = expressions.operand(kind, scope, depth.saturating_sub(1));
            (dot, Scope { dot: Some(kind), ..inner })
        }
    }
}

/// The text of a template as an operand, and its dot, for `tpl`.
pub(super) fn inline(expressions: &mut Expressions<'_>, scope: &Scope, depth: usize) -> String {
    let (dot, inner) = handed(expressions, scope, depth);
    let text = if expressions.errs() {
        let texts = [
            "{{",
            "{{ .x }}",
            "{{ nope }}",
            "a\n{{ fail \"f\" }}",
            "{{ include \"c.a\" . }}",
            "{{ .Release.Name.x }}",
            "{{ end }}",
            "{{ $x }}",
            "{{ tpl \"{{\" . }}",
        ];
        let text = expressions.random.pick(&texts);
        literal(text, expressions.random)
    } else if expressions.random.chance(30) {
        let texts = [
            "plain",
            "{{ . | kindOf }}",
            "{{ define \"t\" }}in{{ end }}{{ include \"t\" . }}",
            "",
            "{{ $x := 1 }}{{ $x }}",
            "{{- range $i, $e := list 1 2 }}{{ $i }}{{ $e }}{{ end -}}",
            "{{ tpl \"{{ 1 }}\" . }}",
            "{{- /* c */ -}}\n  a",
            "{{ with $ }}{{ . | empty }}{{ end }}",
        ];
        let texts_of_root = [
            "{{ .Release.Name }}-x",
            "{{ .Values.s0 | quote }}",
            "{{ .Template.Name }}",
            "{{ tpl \"{{ .Release.Name }}\" . }}",
            "{{ .Values.missing }}",
        ];
        let of_root = inner.root.is_some() && expressions.random.chance(40);
        let text = if of_root { expressions.random.pick(&texts_of_root) } else { expressions.random.pick(&texts) };
        literal(text, expressions.random)
    } else {
        let expression = expressions.write(Kind::Text, &inner, depth.saturating_sub(1));
        literal(&format!("a {{{{ {expression} }}}} b"), expressions.random)
    };
    format!("{text} {dot}")
}
