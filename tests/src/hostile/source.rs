//! The text of templates: deep, long, with very many parts.

use super::End::{Printed, Refused};
use super::input::{nested, numbered};
use super::{Bomb, Input, bomb};

/// Deeper than any parser may recurse.
const DEEP: usize = 100_000;
/// More parts than a parsed template may have.
const MANY: usize = 1_000_000;

const TOO_DEEP: &str = "bomb/templates/bomb.yaml:1): max expression depth exceeded";
const TOO_MANY: &str = "templates of more than 400000 items";

pub(super) const BOMBS: &[Bomb] = &[
    bomb("source-parentheses", "parentheses in parentheses", Refused(TOO_DEEP), || {
        Input::template(format!("{{{{ {} }}}}", nested(DEEP, "(", "1", ")")))
    }),
    bomb("source-ifs", "conditions in conditions", Refused(TOO_DEEP), || {
        Input::template(nested(DEEP, "{{ if 1 }}", "", "{{ end }}"))
    }),
    bomb("source-else-ifs", "alternatives of alternatives", Refused(TOO_DEEP), || {
        Input::template(nested(1, "{{ if 1 }}", &"{{ else if 1 }}".repeat(DEEP), "{{ end }}"))
    }),
    bomb("source-unclosed", "conditions without end", Refused(TOO_DEEP), || Input::template("{{ if 1 }}".repeat(DEEP))),
    bomb("source-blocks", "definitions in definitions", Refused(TOO_DEEP), || {
        Input::template(numbered(DEEP, |index| format!("{{{{ block `{index}` . }}}}")))
    }),
    bomb("source-actions", "very many actions", Refused(TOO_MANY), || Input::template("{{1}}".repeat(MANY))),
    bomb("source-actions-in-files", "very many actions in many files", Refused(TOO_MANY), || {
        let files = (0..200).map(|index| (format!("templates/{index}.yaml"), "{{1}}".repeat(MANY / 100)));
        Input::chart().files(files)
    }),
    bomb("source-definitions", "very many definitions", Refused(TOO_MANY), || {
        Input::template(numbered(MANY / 4, |index| format!("{{{{define `{index}`}}}}x{{{{end}}}}")))
    }),
    bomb("source-pipeline", "a very long pipeline", Refused(TOO_MANY), || {
        Input::template(format!("{{{{ 1 {} }}}}", "| print ".repeat(MANY)))
    }),
    bomb("source-fields", "a very long chain of fields", Refused(TOO_MANY), || {
        Input::template(format!("{{{{ $x := dict }}}}{{{{ $x{} }}}}", ".a".repeat(MANY)))
    }),
    bomb("source-fields-of-fields", "chains of fields in parentheses", Refused(TOO_DEEP), || {
        Input::template(format!("{{{{ {} }}}}", nested(DEEP, "(", ".", ").a")))
    }),
    bomb("source-variables", "very many variables", Refused(TOO_MANY), || {
        Input::template(numbered(MANY / 4, |index| format!("{{{{$v{index}:=1}}}}")))
    }),
    bomb("source-comments", "very many comments", Printed("x: 1"), || {
        Input::template(format!("{}x: 1", "{{/**/}}".repeat(MANY / 4)))
    }),
    bomb("source-comment-open", "comments that do not end", Refused("unclosed comment"), || {
        Input::template("{{/*".repeat(MANY))
    }),
    bomb("source-trim", "white space trimmed on both sides", Printed("x: 1"), || {
        Input::template(format!("x: 1{}", " {{- /**/ -}} ".repeat(MANY / 8)))
    }),
    bomb("source-number", "a literal of very many digits", Refused("\"9999999999"), || {
        Input::template(format!("{{{{ {} }}}}", "9".repeat(MANY)))
    }),
    bomb("source-exponent", "a literal with a giant exponent", Refused("\"1e999999999\""), || {
        Input::template("{{ 1e999999999 }}")
    }),
    bomb(
        "source-string",
        "a literal of many escapes",
        Refused("execution error at (bomb/templates/bomb.yaml:1:3)"),
        || Input::template(format!("{{{{ fail \"{}\" }}}}", "\\\"".repeat(MANY))),
    ),
    bomb("source-error-line", "an error on a very long line", Refused("function \"x\" not defined"), || {
        Input::template(format!("{}{{{{ x }}}}", "x".repeat(MANY * 4)))
    }),
    bomb(
        "source-error-node",
        "an error in a very long expression",
        Refused("execution error at (bomb/templates/bomb.yaml:1:3)"),
        || Input::template(format!("{{{{ fail (print {}) }}}}", "\"x\" ".repeat(MANY / 8))),
    ),
];
