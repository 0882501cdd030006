//! Functions that make long texts of short ones.

use super::End::{Bytes, Held, Printed, Refused, Steps};
use super::{Bomb, End, Input, bomb};

/// A text that is made into a longer one in each round.
const fn grown(name: &'static str, end: End, input: fn() -> Input) -> Bomb {
    bomb(name, "a text that grows in each round", end, input)
}

fn growing(step: &str) -> Input {
    Input::template(format!(
        "{{{{ $s := `<x y=\"1\">\\` }}}}{{{{ range until 100000 }}}}{{{{ $s = {step} }}}}{{{{ end }}}}{{{{ len $s }}}}"
    ))
}

/// The same call again and again, on a text of a megabyte.
const fn repeated(name: &'static str, end: End, input: fn() -> Input) -> Bomb {
    bomb(name, "a long text read again and again", end, input)
}

fn reading(call: &str) -> Input {
    Input::template(format!(
        "{{{{ $s := repeat 100000 `Some text ` }}}}{{{{ range 1000000000 }}}}{{{{ $x := {call} }}}}{{{{ end }}}}"
    ))
}

pub(super) const BOMBS: &[Bomb] = &[
    bomb("repeat", "the length of a text", Bytes, || Input::template("{{ repeat 9223372036854775807 `xx` | len }}")),
    bomb("repeat-repeated", "the length of a text", Held, || {
        Input::template("{{ `x` | repeat 10000 | repeat 10000 | repeat 10000 | len }}")
    }),
    bomb("indent", "the width of an indent", Bytes, || Input::template("{{ indent 999999999 `x` | len }}")),
    bomb("indent-lines", "an indent of very many lines", Bytes, || {
        Input::template("{{ repeat 100000 `\n` | indent 100000 | len }}")
    }),
    bomb("nindent-negative", "an indent of less than nothing", Refused("strings: negative Repeat count"), || {
        Input::template("{{ nindent -1 `x` }}")
    }),
    bomb("replace-nothing", "a text put between all characters", Bytes, || {
        Input::template("{{ repeat 100000 `x` | replace `` (repeat 100000 `y`) | len }}")
    }),
    bomb("join", "a long separator", Bytes, || Input::template("{{ until 100000 | join (repeat 100000 `,`) | len }}")),
    bomb("printf-width", "a width that Go refuses", Printed("x: '%!(NOVERB)%!(EXTRA int=1)'"), || {
        Input::template("x: '{{ printf `%999999999d` 1 }}'")
    }),
    bomb("printf-star", "a width from an argument", Printed("x: '%!(BADWIDTH)1'"), || {
        Input::template("x: '{{ printf `%*d` 999999999 1 }}'")
    }),
    bomb("printf-widths", "the largest width many times", Printed("x: 1011988"), || {
        Input::template("x: {{ printf (repeat 1000 `%1000000d`) 1 | len }}")
    }),
    bomb("printf-precisions", "the largest precision many times", Printed("x: 13000"), || {
        Input::template("x: {{ printf (repeat 1000 `%[1].1000000f`) 1.5 | len }}")
    }),
    bomb("printf-list", "a width for each item of a list", Held, || {
        Input::template("{{ printf `%1000000d` (until 1000) | len }}")
    }),
    bomb("printf-indexes", "an argument printed many times", Held, || {
        Input::template("{{ printf (repeat 100000 `%[1]s`) (repeat 100000 `x`) | len }}")
    }),
    bomb("printf-hex", "a text as numbers", Held, || {
        Input::template("{{ $s := `x` }}{{ range 1000000 }}{{ $s = printf `%#x` $s }}{{ end }}")
    }),
    bomb("printf-bad-verbs", "very many wrong verbs", Held, || {
        Input::template(
            "{{ printf (repeat 1000000 `%z`) (repeat 1000 `x`) | len }}{{ printf (repeat 100000 `%[1]z`) (repeat 100000 `x`) | len }}",
        )
    }),
    bomb("printf-no-arguments", "very many verbs without arguments", Printed("n: 14000000"), || {
        Input::template("n: {{ printf (repeat 1000000 `%d`) | replace `%!d(MISSING)` `%!d(MISSING)..` | len }}")
    }),
    grown("print", Held, || growing("print $s $s")),
    grown("cat", Held, || growing("cat $s $s")),
    grown("quote", Held, || growing("quote $s")),
    grown("squote", Held, || growing("squote $s $s")),
    grown("html", Held, || growing("html $s")),
    grown("js", Held, || growing("js $s")),
    grown("urlquery", Held, || growing("urlquery $s")),
    grown("b64enc", Held, || growing("b64enc $s")),
    grown("b32enc", Held, || growing("b32enc $s")),
    grown("regex-quote-meta", Held, || growing("regexQuoteMeta $s")),
    grown("to-json", Held, || growing("toJson $s")),
    grown("to-yaml", Held, || growing("toYaml (list $s $s)")),
    grown("to-toml", Held, || growing("toToml (dict `a` $s)")),
    grown("wrap-with", Held, || growing("wrapWith 1 `xxxxxxxx` $s")),
    grown("replace-doubling", Held, || growing("replace `x` `xx` $s")),
    grown("snakecase", Held, || growing("print (snakecase $s) (kebabcase $s) (camelcase $s)")),
    grown("plural", Held, || growing("print $s (plural $s $s 2)")),
    grown("abbrev", Held, || growing("print (abbrev 1000000000 $s) (abbrevboth 1 1000000000 $s)")),
    grown("substr", Held, || growing("print (substr 0 -1 $s) (trunc 1000000000 $s)")),
    grown("url-join", Held, || growing("urlJoin (dict `host` $s `path` $s)")),
    repeated("upper", Bytes, || reading("upper $s")),
    repeated("title", Bytes, || reading("title $s")),
    repeated("shuffle", Steps, || reading("shuffle $s")),
    repeated("nospace", Bytes, || reading("nospace $s")),
    repeated("initials", Bytes, || reading("initials $s")),
    repeated("trim", Bytes, || reading("trim $s")),
    repeated("trim-all", Steps, || reading("trimAll (trunc 1000 $s) $s")),
    repeated("split-list", Held, || reading("splitList `` $s")),
    repeated("split", Held, || reading("split `` $s")),
    repeated("splitn", Held, || reading("splitn `` 1000000000 $s")),
    repeated("wrap", Bytes, || reading("wrap 1 $s")),
    repeated("contains", Steps, || reading("contains (print $s `x`) (print $s $s)")),
    repeated("contains-almost", Steps, || reading("contains `e text Some text Some texx` $s")),
    repeated("has-prefix", Steps, || reading("hasPrefix $s $s")),
    repeated("equal", Steps, || reading("eq $s (print $s)")),
    repeated("sha256sum", Steps, || reading("sha256sum $s")),
    repeated("sha1sum", Steps, || reading("sha1sum $s")),
    repeated("adler32sum", Steps, || reading("adler32sum $s")),
    repeated("b64dec", Bytes, || reading("b64enc $s | b64dec")),
    repeated("b32dec", Bytes, || reading("b32enc $s | b32dec")),
    repeated("to-strings", Bytes, || reading("toStrings (splitList ` ` $s)")),
    repeated("sort-long-texts", Steps, || reading("sortAlpha (list $s (print $s) $s (print $s))")),
    repeated("url-parse", Bytes, || reading("urlParse (print `http://x/` $s)")),
    repeated("atoi", Steps, || reading("atoi $s")),
    repeated("float64", Bytes, || reading("float64 (repeat 100000 `9`)")),
    repeated("int64", Bytes, || reading("int64 (repeat 100000 `9`)")),
    repeated("add", Bytes, || reading("add (repeat 100000 `9`) 1")),
    repeated("to-decimal", Bytes, || reading("toDecimal (repeat 100000 `7`)")),
    repeated("semver", Steps, || reading("semver `1.2.3` | print")),
    repeated("semver-compare", Steps, || reading("semverCompare (print (repeat 30 `>1.2 ||`) `>1`) `1.2.3`")),
    repeated("type-of", Steps, || reading("typeIs (repeat 1000 `x`) $s")),
    repeated("ternary", Steps, || reading("ternary $s $s true")),
    repeated("index", Steps, || reading("index $s 999999")),
    repeated("slice-text", Bytes, || reading("slice (splitList ` ` $s) 1")),
    bomb("semver-long", "a version of a megabyte", Refused("version string is too long"), || {
        Input::template("{{ semver (repeat 1000000 `1`) }}")
    }),
    bomb("semver-constraint-long", "a constraint of a megabyte", Refused("constraint string is too long"), || {
        Input::template("{{ semverCompare (repeat 1000000 `>1,`) `1.2.3` }}")
    }),
];
