//! Patterns that take long to compile or to match: regular expressions, `.Files.Glob`, `.helmignore`.

use super::End::{Bytes, Held, Printed, Refused, Steps};
use super::input::numbered;
use super::{Bomb, Input, bomb};

/// Letters that almost match.
fn matching(pattern: &str) -> Input {
    Input::template(format!(
        "{{{{ $s := repeat 100000 `a` }}}}{{{{ range 1000000000 }}}}{{{{ $x := regexMatch `{pattern}` $s }}}}{{{{ end }}}}"
    ))
}

fn compiling(pattern: &str) -> Input {
    Input::template(format!("x: {{{{ regexMatch `{pattern}` `a` }}}}"))
}

/// A file whose name almost matches patterns of many stars.
fn almost(name_length: usize) -> String {
    format!("{}c", "a".repeat(name_length))
}

pub(super) const BOMBS: &[Bomb] = &[
    bomb("regex-backtracking", "a pattern that makes others backtrack", Steps, || matching("^(a+)+$b")),
    bomb("regex-alternatives", "alternatives that match the same", Steps, || matching("^(a|a|aa)*b$")),
    bomb("regex-optional", "very many optional letters", Steps, || {
        matching(&format!("^{}{}b", "a?".repeat(200), "a".repeat(200)))
    }),
    bomb("regex-repeat", "the largest repetition", Printed("x: false"), || {
        Input::template("x: {{ regexMatch `a{1000}` `a` }}")
    }),
    bomb("regex-repeat-too-large", "a larger repetition", Printed("x: false"), || compiling("a{1001}")),
    bomb("regex-repeats", "repetitions of repetitions", Printed("x: false"), || compiling("((a{100}){100}){100}")),
    bomb("regex-classes", "large classes many times", Refused("when compiled"), || {
        Input::template(r"{{ range 1000000000 }}{{ $x := regexMatch `(\pL\PN){400}` `a` }}{{ end }}")
    }),
    bomb("regex-class-huge", "a class repeated as often as allowed", Refused("when compiled"), || {
        compiling(r"\pL{1000}\PL{1000}\pL{1000}\PL{1000}")
    }),
    bomb("regex-long", "a pattern of a megabyte", Refused("a|ba|b"), || compiling(&"a|b".repeat(400_000))),
    bomb("regex-deep", "groups in groups", Printed("x: false"), || {
        compiling(&format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000)))
    }),
    bomb("regex-many", "ever new patterns", Steps, || {
        Input::template(
            "{{ range 1000000000 }}{{ $x := regexMatch (printf `[a-z]{%d}x%d` (mod . 500) .) `a` }}{{ end }}",
        )
    }),
    bomb("regex-find-all", "very many empty matches", Steps, || {
        Input::template(
            "{{ $s := repeat 1000000 `a` }}{{ range 1000000000 }}{{ $x := regexFindAll `` $s -1 }}{{ end }}",
        )
    }),
    bomb("regex-find-quadratic", "a search to the end for each match", Steps, || {
        Input::template("{{ $s := repeat 1000000 `a` }}{{ regexFindAll `a.*b|a` $s -1 | len }}")
    }),
    bomb("regex-replace-growing", "a text that grows by its matches", Held, || {
        Input::template("{{ $s := `a` }}{{ range until 1000 }}{{ $s = regexReplaceAll `.*` $s `${0}${0}` }}{{ end }}")
    }),
    bomb("regex-replace-empty", "a long text for each empty match", Held, || {
        Input::template("{{ regexReplaceAll `` (repeat 100000 `a`) (repeat 100000 `b`) | len }}")
    }),
    bomb("regex-replace-literal", "a long text for each empty match", Held, || {
        Input::template("{{ regexReplaceAllLiteral `` (repeat 100000 `a`) (repeat 100000 `b`) | len }}")
    }),
    bomb("regex-split", "a text split at every letter", Steps, || {
        Input::template("{{ $s := repeat 1000000 `a` }}{{ range 1000000000 }}{{ $x := regexSplit `` $s -1 }}{{ end }}")
    }),
    bomb("regex-invalid-text", "bytes that are no text", Bytes, || {
        Input::template(
            "{{ $s := b64dec (repeat 100000 `////`) }}{{ range 1000000000 }}{{ $x := regexFind `x` $s }}{{ end }}",
        )
    }),
    bomb("glob-stars", "a pattern of many stars", Bytes, || {
        Input::template(format!(
            "{{{{ range 1000000000 }}}}{{{{ $x := $.Files.Glob `{}b` }}}}{{{{ end }}}}",
            "*a".repeat(100)
        ))
        .file(almost(200), "x")
    }),
    bomb("glob-alternatives", "alternatives of alternatives", Printed("n: 0"), || {
        Input::template(format!("n: {{{{ $.Files.Glob `{}` | len }}}}", "{a,b}".repeat(200))).file(almost(200), "x")
    }),
    bomb("glob-deep", "alternatives in alternatives", Printed("n: 1"), || {
        Input::template(format!("n: {{{{ $.Files.Glob `{}` | len }}}}", "{a,".repeat(300) + &"}".repeat(300)))
            .file("a", "x")
    }),
    bomb("glob-many-files", "a costly pattern and many files", Bytes, || {
        let files = (0..5_000).map(|index| (format!("{}{index}", "a".repeat(200)), "x".to_owned()));
        Input::template(format!(
            "{{{{ range 1000000000 }}}}{{{{ $x := $.Files.Glob `{}b` }}}}{{{{ end }}}}",
            "**a".repeat(100)
        ))
        .files(files)
    }),
    bomb("helmignore-stars", "a rule of many stars", Printed("x: 1"), || {
        Input::template("x: 1").file(".helmignore", "*a".repeat(200) + "b").file(almost(200), "x")
    }),
    bomb(
        "helmignore-stars-and-files",
        "such a rule and many files",
        Refused("need more than 268435456 comparisons"),
        || {
            let files = (0..5_000).map(|index| (format!("files/{}{index}", "a".repeat(200)), "x".to_owned()));
            Input::template("x: 1").file(".helmignore", "*a".repeat(100) + "b").files(files)
        },
    ),
    bomb("helmignore-rules", "very many rules and files", Refused("need more than 268435456 comparisons"), || {
        let files = (0..5_000).map(|index| (format!("files/{index}/{}", "a".repeat(100)), "x".to_owned()));
        Input::template("x: 1").file(".helmignore", numbered(100_000, |index| format!("*a*{index}*b\n"))).files(files)
    }),
    bomb("helmignore-class", "a class without end", Refused("syntax error in pattern"), || {
        Input::template("x: 1").file(".helmignore", "[".repeat(1 << 20))
    }),
];
