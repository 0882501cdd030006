//! YAML, JSON and TOML in templates.

use super::End::{Bytes, Held, Printed, Refused, Steps};
use super::input::{nested, numbered};
use super::{Bomb, End, Input, bomb};

/// A text far deeper than readers may recurse.
const DEEP: usize = 100_000;

/// A text that a template reads.
fn reading(function: &str, text: &str) -> Input {
    Input::template(format!("x: {{{{ .Files.Get `text` | {function} | toString | quote }}}}")).file("text", text)
}

/// As [`reading`], again and again.
fn reading_again(function: &str, text: &str) -> Input {
    Input::template(format!(
        "{{{{ $s := .Files.Get `text` }}}}{{{{ range 1000000000 }}}}{{{{ $x := {function} $s }}}}{{{{ end }}}}"
    ))
    .file("text", text)
}

/// Lists that each hold the one before ten times: a billion items on ten lines.
pub(super) fn laughs() -> String {
    let lists = numbered(10, |level| {
        format!("l{}: &l{} [{}]\n", level + 1, level + 1, vec![format!("*l{level}"); 10].join(", "))
    });
    format!("l0: &l0 [lol]\n{lists}")
}

/// The billion laughs as maps that are merged.
fn merged_laughs() -> String {
    let maps =
        numbered(30, |level| format!("m{}: &m{} {{<<: [*m{level}, *m{level}], k{level}: 1}}\n", level + 1, level + 1));
    format!("m0: &m0 {{a: 1}}\n{maps}")
}

/// A value of which every part is there twice at each level.
const fn shared(name: &'static str, end: End, input: fn() -> Input) -> Bomb {
    bomb(name, "a value shared twice at each level", end, input)
}

fn writing_shared(function: &str) -> Input {
    Input::template(format!(
        "{{{{ $d := dict `a` `b` }}}}{{{{ range until 60 }}}}{{{{ $d = dict `a` $d `b` $d }}}}{{{{ end }}}}x: {{{{ {function} }}}}"
    ))
}

pub(super) const BOMBS: &[Bomb] = &[
    shared("shared-to-yaml", Held, || writing_shared("toYaml $d | len")),
    shared("shared-to-yaml-pretty", Held, || writing_shared("toYamlPretty $d | len")),
    shared("shared-to-json", Held, || writing_shared("toJson $d | len")),
    shared("shared-to-pretty-json", Held, || writing_shared("toPrettyJson $d | len")),
    shared("shared-to-toml", Held, || writing_shared("toToml $d | len")),
    shared("shared-print", Held, || writing_shared("print $d | len")),
    shared("shared-deep-copy", Held, || writing_shared("deepCopy $d | len")),
    shared("shared-deep-equal", Held, || writing_shared("deepEqual $d (deepCopy (dict `a` $d.a `b` $d.b))")),
    shared("shared-merge", Held, || writing_shared("merge (deepCopy $d) $d | len")),
    shared("shared-list", Held, || {
        Input::template("{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ toJson $l | len }}")
    }),
    bomb("to-pretty-json-deep", "an indent that grows with the depth", Held, || {
        Input::template(
            "{{ $d := dict }}{{ range until 299 }}{{ $d = dict `a` $d `b` (until 1000) }}{{ end }}{{ range 1000000000 }}{{ $x := toPrettyJson $d }}{{ end }}",
        )
    }),
    bomb("to-yaml-long-lines", "words that are wrapped", Steps, || {
        Input::template(
            "{{ $s := repeat 100000 `word: # - ` }}{{ range 1000000000 }}{{ $x := toYaml (list $s) }}{{ end }}",
        )
    }),
    bomb("to-toml-nested", "names of tables that grow with the depth", Held, || {
        Input::template(
            "{{ $d := dict }}{{ range until 299 }}{{ $d = dict (repeat 1000 `k`) $d `x` 1 }}{{ end }}{{ range 1000000000 }}{{ $x := toToml $d }}{{ end }}",
        )
    }),
    bomb("codec-round-trip", "a text written and read again and again", Held, || {
        Input::template(
            "{{ $v := dict `a` (until 10000) }}{{ range 1000000000 }}{{ $v = fromYaml (toYaml $v) }}{{ end }}",
        )
    }),
    bomb("json-escapes", "a text of which each letter is escaped", Held, || {
        Input::template("{{ $s := `<` }}{{ range until 1000 }}{{ $s = toJson $s }}{{ end }}")
    }),
    bomb(
        "from-yaml-laughs",
        "aliases of aliases",
        Printed("x: \"map[Error:error converting YAML to JSON: yaml: document contains excessive aliasing]\""),
        || reading("fromYaml", &laughs()),
    ),
    bomb(
        "from-yaml-merges",
        "merges of merges",
        Printed("x: \"map[Error:error converting YAML to JSON: yaml: document contains excessive aliasing]\""),
        || reading("fromYaml", &merged_laughs()),
    ),
    bomb("from-yaml-alias-text", "a long text in many aliases", Refused("aliases make the document too large"), || {
        reading("fromYamlArray", &format!("- &a {}\n{}", "x".repeat(1 << 20), "- *a\n".repeat(300)))
    }),
    bomb(
        "from-yaml-alias-itself",
        "an anchor that contains its alias",
        Printed("x: \"map[Error:error converting YAML to JSON: yaml: anchor 'a' value contains itself]\""),
        || reading("fromYaml", "a: &a [*a]"),
    ),
    bomb(
        "from-yaml-deep-flow",
        "lists in lists",
        Printed("x: \"[error converting YAML to JSON: yaml: exceeded max depth of 10000]\""),
        || reading("fromYamlArray", &nested(DEEP, "[", "", "]")),
    ),
    bomb(
        "from-yaml-deep-open",
        "lists without end",
        Printed("x: \"[error converting YAML to JSON: yaml: exceeded max depth of 10000]\""),
        || reading("fromYamlArray", &"[".repeat(DEEP)),
    ),
    bomb(
        "from-yaml-deep-maps",
        "maps in maps",
        Printed("x: \"map[Error:error converting YAML to JSON: yaml: exceeded max depth of 10000]\""),
        || reading("fromYaml", &nested(DEEP, "{a: ", "", "}")),
    ),
    bomb(
        "from-yaml-deep-block",
        "lists in lists on one line",
        Printed("x: \"[error converting YAML to JSON: yaml: exceeded max depth of 10000]\""),
        || reading("fromYamlArray", &"- ".repeat(DEEP)),
    ),
    bomb("from-yaml-deep-lines", "maps indented further and further", Refused("exceeded max depth of"), || {
        reading("fromYaml", &numbered(3_000, |index| format!("{}a:\n", " ".repeat(index))))
    }),
    bomb("from-yaml-long-key", "a key of a megabyte", Printed("x: \"1\""), || {
        reading("fromYaml | len", &format!("{}: 1", "k".repeat(1 << 20)))
    }),
    bomb(
        "from-yaml-question-keys",
        "keys that are maps",
        Printed("x: \"map[Error:error converting YAML to JSON: yaml: exceeded max depth of 10000]\""),
        || reading("fromYaml", &"? ".repeat(DEEP)),
    ),
    bomb("from-yaml-documents", "very many documents", Printed("x: \"1\""), || {
        reading("fromYaml | len", &"a: 1\n---\n".repeat(DEEP))
    }),
    bomb("from-yaml-nodes", "very many nodes", Refused("more than 300000 nodes"), || {
        reading("fromYamlArray | len", &format!("[{}]", "1,".repeat(2_000_000)))
    }),
    bomb("from-yaml-keys", "very many keys", Refused("more than 300000 nodes"), || {
        reading("fromYaml | len", &numbered(500_000, |index| format!("k{index}: 1\n")))
    }),
    bomb("from-yaml-anchors", "very many anchors", Refused("more than 300000 nodes"), || {
        reading("fromYamlArray | len", &numbered(300_000, |index| format!("- &a{index} 1\n")))
    }),
    bomb("from-yaml-simple-keys", "keys that could have been", Refused("more than 300000 nodes"), || {
        reading("fromYaml | len", &format!("{{{}}}", "a,".repeat(1_000_000)))
    }),
    bomb("from-yaml-tags", "a tag of a megabyte", Printed("x: \"map[a:1]\""), || {
        reading("fromYaml", &format!("a: !{} 1", "x".repeat(1 << 20)))
    }),
    bomb(
        "from-yaml-tag-handles",
        "very many long tags of a short handle",
        Refused("tags make the document too large"),
        || {
            let handle = format!("%TAG !a! {}\n---\n", "x".repeat(100_000));
            reading("fromYamlArray | len", &(handle + &"- !a!b 1\n".repeat(10_000)))
        },
    ),
    bomb("from-yaml-number", "a number of very many digits", Printed("x: \"1048583\""), || {
        reading("fromYaml | toString | len", &format!("a: {}", "9".repeat(1 << 20)))
    }),
    bomb("from-yaml-exponent", "a number with a giant exponent", Printed("x: \"map[a:1e999999999]\""), || {
        reading("fromYaml", "a: 1e999999999")
    }),
    bomb("from-yaml-sexagesimal", "a number of very many places", Printed("x: \"300008\""), || {
        reading("fromYaml | toString | len", &format!("a: 1{}", ":59".repeat(100_000)))
    }),
    bomb("from-yaml-comments", "very many comments", Printed("x: \"1\""), || {
        reading("fromYaml | len", &("# comment\n".repeat(500_000) + "a: 1"))
    }),
    bomb("from-yaml-folded", "a text of very many folded lines", Printed("x: \"1\""), || {
        reading("fromYaml | len", &format!("a: >\n{}", "  x\n\n".repeat(500_000)))
    }),
    bomb("from-yaml-binary", "a long binary value", Printed("x: \"1\""), || {
        reading("fromYaml | len", &format!("a: !!binary {}", "AAAA".repeat(1 << 20)))
    }),
    bomb("from-yaml-again", "a text read again and again", Bytes, || {
        reading_again("fromYaml", &numbered(10_000, |index| format!("k{index}: [1, 2, {{a: b}}]\n")))
    }),
    bomb("from-json-deep", "lists in lists", Refused("exceeded max depth of"), || {
        reading("fromJsonArray", &nested(DEEP, "[", "", "]"))
    }),
    bomb("from-json-deep-maps", "maps in maps", Refused("exceeded max depth of"), || {
        reading("fromJson", &nested(DEEP, "{\"a\":", "1", "}"))
    }),
    bomb("from-json-items", "very many items", Held, || {
        reading("fromJsonArray | len", &format!("[{}1]", "1,".repeat(2_000_000)))
    }),
    bomb("from-json-number", "a number of very many digits", Printed("x: \"1048655\""), || {
        reading("fromJson | toString | len", &format!("{{\"a\":{}}}", "9".repeat(1 << 20)))
    }),
    bomb(
        "from-json-exponent",
        "a number with a giant exponent",
        Printed("x: \"map[Error:json: cannot unmarshal number 1e999999999 into Go value of type float64 a:<nil>]\""),
        || reading("fromJson", "{\"a\":1e999999999}"),
    ),
    bomb("from-json-duplicates", "very many equal keys", Held, || {
        reading("fromJson | len", &format!("{{{}\"a\":1}}", "\"a\":1,".repeat(500_000)))
    }),
    bomb("from-json-again", "a text read again and again", Bytes, || {
        reading_again("fromJson", &format!("{{\"a\":[{}1]}}", "[],".repeat(100_000)))
    }),
    bomb("from-toml-deep", "lists in lists", Refused("nested deeper than 300 levels"), || {
        reading("fromToml", &format!("a = {}", nested(DEEP, "[", "", "]")))
    }),
    bomb("from-toml-deep-tables", "tables in tables", Refused("nested deeper than 300 levels"), || {
        reading("fromToml", &format!("a = {}", nested(DEEP, "{a=", "1", "}")))
    }),
    bomb("from-toml-dotted", "a key of very many parts", Refused("nested deeper than 300 levels"), || {
        reading("fromToml | toString | len", &format!("a{} = 1", ".a".repeat(DEEP)))
    }),
    bomb("from-toml-dotted-table", "a table of very many parts", Refused("nested deeper than 300 levels"), || {
        reading("fromToml | toString | len", &format!("[a{}]\nb = 1", ".a".repeat(DEEP)))
    }),
    bomb("from-toml-tables", "very many tables", Held, || reading("fromToml | len", &"[[a]]\nb=1\n".repeat(200_000))),
    bomb("from-toml-again", "a text read again and again", Bytes, || {
        reading_again("fromToml", &numbered(10_000, |index| format!("k{index} = [1, 2, {{a = 1}}]\n")))
    }),
];
