//! Templates that call themselves, and values that contain themselves.

use super::End::{Bytes, Depth, Held, Printed, Refused, Steps};
use super::input::numbered;
use super::{Bomb, End, Input, bomb};

/// How deep values are nested here: far deeper than the native stack would allow a careless function to go.
const DEEP: usize = 100_000;

/// A use of a map that contains itself.
const fn circular(name: &'static str, end: End, input: fn() -> Input) -> Bomb {
    bomb(name, "a map that contains itself", end, input)
}

fn in_circle(use_of_it: &str) -> Input {
    Input::template(format!("{{{{ $d := dict `a` 1 }}}}{{{{ $_ := set $d `d` $d }}}}x: {{{{ {use_of_it} }}}}"))
}

/// A use of maps in maps in maps.
fn deep(use_of_it: &str) -> Input {
    let made = format!("{{{{ $v := dict `a` 1 }}}}{{{{ range until {DEEP} }}}}{{{{ $v = dict `a` $v }}}}{{{{ end }}}}");
    Input::template(format!("{made}x: {{{{ {use_of_it} }}}}"))
}

pub(super) const BOMBS: &[Bomb] = &[
    bomb("include-itself", "a template that includes itself", Refused("nested reference name: r"), || {
        Input::template("{{ define `r` }}{{ include `r` . }}{{ end }}{{ include `r` . }}")
    }),
    bomb("template-itself", "a template that calls itself", Depth, || {
        Input::template("{{ define `r` }}{{ template `r` . }}{{ end }}{{ template `r` . }}")
    }),
    bomb("include-each-other", "two templates that include each other", Refused("nested reference name: a"), || {
        Input::template(
            "{{ define `a` }}{{ include `b` . }}{{ end }}{{ define `b` }}{{ include `a` . }}{{ end }}{{ include `a` . }}",
        )
    }),
    bomb("include-many-names", "names enough that none repeats too often", Depth, || {
        let defined = numbered(100, |index| {
            format!("{{{{ define `t{index}` }}}}{{{{ include `t{}` . }}}}{{{{ end }}}}", (index + 1) % 100)
        });
        Input::template(format!("{defined}{{{{ include `t0` . }}}}"))
    }),
    bomb("include-twice", "a template that includes itself twice", Steps, || {
        Input::template(
            "{{ define `r` }}{{ if . }}{{ include `r` (rest .) }}{{ include `r` (rest .) }}{{ end }}{{ end }}{{ include `r` (until 60) }}",
        )
    }),
    bomb("include-doubling", "an output that doubles at each level", Held, || {
        Input::template(
            "{{ define `r` }}{{ if . }}{{ $x := include `r` (rest .) }}{{ $x }}{{ $x }}{{ else }}xxxxxxxxxxxxxxxx{{ end }}{{ end }}{{ include `r` (until 60) }}",
        )
    }),
    bomb("include-passing-up", "an output copied at each level", Bytes, || {
        Input::template(
            "{{ define `r` }}{{ if . }}{{ include `r` (rest .) }}{{ else }}{{ repeat 1000000 `x` }}{{ end }}{{ end }}{{ include `r` (until 900) }}",
        )
    }),
    bomb("tpl-itself", "a text that passes itself to tpl", Depth, || {
        Input::template("{{ tpl .Values.t . }}").values("t: '{{ tpl .Values.t . }}'")
    }),
    bomb("tpl-and-template", "a template that calls itself through tpl", Depth, || {
        Input::template("{{ define `r` }}{{ tpl `{{ template \"r\" . }}` . }}{{ end }}{{ template `r` . }}")
    }),
    bomb("tpl-redefines", "a text that defines the template that runs it", Depth, || {
        Input::template("{{ define `r` }}{{ tpl .Values.t . }}{{ end }}{{ include `r` . }}")
            .values("t: '{{ define \"r\" }}{{ tpl .Values.t . }}{{ end }}{{ template \"r\" . }}'")
    }),
    bomb("tpl-growing", "ever longer texts for tpl", Held, || {
        Input::template("{{ range until 100000 }}{{ $x := tpl (print `{{ 1 }}` (repeat . `{{ 1 }}`)) $ }}{{ end }}")
    }),
    bomb("tpl-many", "ever new texts for tpl", Held, || {
        Input::template("{{ range 1000000000 }}{{ $x := tpl (printf `{{ %d }}` .) $ }}{{ end }}")
    }),
    bomb("tpl-broken", "the error of a long text in many tpl", Refused("function \"x\" not defined"), || {
        Input::template("{{ tpl .Values.t . }}").values(format!("t: '{{{{ x }}}}{}'", "\"".repeat(1 << 20)))
    }),
    bomb("define-cycle", "sub-charts that replace each other's templates", Refused("nested reference name: r"), || {
        Input::template("{{ include `r` . }}")
            .file("charts/a/Chart.yaml", super::input::chart_yaml("a", ""))
            .file("charts/a/templates/_r.tpl", "{{ define `r` }}{{ include `s` . }}{{ end }}")
            .file("charts/b/Chart.yaml", super::input::chart_yaml("b", ""))
            .file("charts/b/templates/_s.tpl", "{{ define `s` }}{{ include `r` . }}{{ end }}")
    }),
    circular("circular-print", Depth, || in_circle("$d")),
    circular("circular-printf", Depth, || in_circle("printf `%#v` $d")),
    circular("circular-quote", Depth, || in_circle("quote $d")),
    circular("circular-to-yaml", Printed("x:"), || in_circle("toYaml $d")),
    circular("circular-to-json", Printed("x:"), || in_circle("toJson $d")),
    circular("circular-must-to-json", Refused("json: unsupported value: encountered a cycle"), || {
        in_circle("mustToJson $d")
    }),
    circular("circular-to-toml", Refused("mapping values are not allowed in this context"), || in_circle("toToml $d")),
    circular("circular-deep-copy", Refused("nests deeper than"), || in_circle("deepCopy $d | len")),
    circular("circular-deep-equal", Printed("x: true"), || in_circle("deepEqual $d (dict `a` 1 `d` $d)")),
    circular("circular-coalesce", Printed("x: 2"), || in_circle("coalesce nil $d | len")),
    circular("circular-merge", Printed("x: 2"), || in_circle("merge (dict) $d | len")),
    circular("circular-merge-itself", Refused("nests deeper than"), || in_circle("mergeOverwrite $d $d | len")),
    circular("circular-merge-deep", Printed("x: 2"), || {
        in_circle("merge (dict `a` 1 `d` (dict `d` (dict `d` (dict)))) $d | len")
    }),
    circular("circular-uniq", Printed("x: 1"), || in_circle("uniq (list $d (dict `a` 1 `d` $d)) | len")),
    circular("circular-join", Depth, || in_circle("join `,` (list $d)")),
    circular("circular-dig", Printed("x: 1"), || in_circle("dig `d` `d` `d` `a` 0 $d")),
    circular("circular-fail", Depth, || in_circle("fail (print $d)")),
    circular("circular-values", Depth, || Input::template("{{ $_ := set .Values `v` .Values }}{{ toString .Values }}")),
    circular("circular-across-files", Held, || {
        Input::template("{{ $_ := set .Values `root` $ }}").file("templates/a.yaml", "x: {{ .Values | print | len }}")
    }),
    circular("circular-range", Refused("nested reference name: r"), || {
        Input::template(
            "{{ define `r` }}{{ range . }}{{ include `r` . }}{{ end }}{{ end }}{{ $d := dict }}{{ $_ := set $d `d` $d }}{{ include `r` $d }}",
        )
    }),
    circular("circular-and-forgotten", Held, || {
        Input::template("{{ range 1000000000 }}{{ $d := dict }}{{ $_ := set $d `d` $d }}{{ end }}")
    }),
    bomb("deep-print", "maps in maps in maps", Depth, || deep("print $v | len")),
    bomb("deep-to-yaml", "maps in maps in maps", Refused("nests deeper than"), || deep("toYaml $v")),
    bomb("deep-to-json", "maps in maps in maps", Refused("nests deeper than"), || deep("toJson $v")),
    bomb("deep-copy-deep", "maps in maps in maps", Refused("nests deeper than"), || deep("deepCopy $v | len")),
    bomb("deep-equal-deep", "maps in maps in maps", Refused("nests deeper than"), || {
        deep("deepEqual $v (deepCopy $v)")
    }),
    bomb("deep-merge", "maps in maps in maps", Refused("nests deeper than"), || deep("merge $v (dict `a` $v) | len")),
    bomb("deep-coalesce", "maps in maps in maps", Printed("x: 1"), || deep("coalesce $v | len")),
    bomb("deep-forgotten", "maps in maps in maps, left to be freed", Printed("x: 1"), || deep("len $v")),
];
