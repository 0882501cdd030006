//! Loops without end, and lists and maps that grow in them.

use super::End::{Bytes, Held, Printed, Refused, Steps};
use super::input::numbered;
use super::{Bomb, Input, bomb};

/// Rounds that no budget lasts for, while the list of them would fit.
const MANY: &str = "until 100000";

fn looped(body: &str) -> Input {
    Input::template(format!("{{{{ range {MANY} }}}}{body}{{{{ end }}}}"))
}

/// A list or map that grows in a loop.
fn growing(start: &str, step: &str) -> Input {
    Input::template(format!("{{{{ $v := {start} }}}}{{{{ range {MANY} }}}}{{{{ $v = {step} }}}}{{{{ end }}}}"))
}

pub(super) const BOMBS: &[Bomb] = &[
    bomb("range-number", "a loop of 2^63 rounds", Steps, || {
        Input::template("{{ range 9223372036854775807 }}{{ end }}")
    }),
    bomb("range-continue", "a loop that leaves each round at once", Steps, || {
        Input::template("{{ range 9223372036854775807 }}{{ continue }}{{ end }}")
    }),
    bomb("range-nested", "loops in loops", Bytes, || {
        looped("{{ range until 1000 }}{{ range until 1000 }}{{ $x := . }}{{ end }}{{ end }}")
    }),
    bomb("range-growing-map", "a map that grows while a loop visits it", Printed("n: 2"), || {
        Input::template(
            "{{ $m := dict `a` 1 }}{{ range $k, $v := $m }}{{ $_ := set $m (print $k `x`) 1 }}{{ end }}n: {{ len $m }}",
        )
    }),
    bomb("range-over-files", "loops over all files of the chart", Bytes, || {
        let files = (0..2_000).map(|index| (format!("data/{index}.txt"), "x".to_owned()));
        Input::template("{{ range 1000000000 }}{{ range $.Files.Glob `**` }}{{ end }}{{ end }}").files(files)
    }),
    bomb("until", "a list of numbers", Steps, || Input::template("{{ until 999999999 | len }}")),
    bomb("until-step", "a list of numbers", Steps, || Input::template("{{ untilStep 0 9223372036854775807 1 | len }}")),
    bomb("until-step-down", "a list of numbers", Steps, || {
        Input::template("{{ untilStep 9223372036854775807 0 -1 | len }}")
    }),
    bomb("until-step-zero", "a list that makes no progress", Printed("n: 0"), || {
        Input::template("n: {{ untilStep 0 5 0 | len }}")
    }),
    bomb("seq", "a text of numbers", Steps, || Input::template("{{ seq 1 999999999 | len }}")),
    bomb("seq-step", "a text of numbers", Printed("x: 0"), || {
        Input::template("x: {{ seq 1 3 9223372036854775807 | len }}")
    }),
    bomb("seq-zero", "a text that makes no progress", Printed("n: 0"), || Input::template("n: {{ seq 1 0 5 | len }}")),
    bomb("append", "a list copied each time that it grows", Held, || growing("list", "append $v .")),
    bomb("prepend", "a list copied each time that it grows", Held, || growing("list", "prepend $v .")),
    bomb("concat", "a list doubled in each round", Held, || growing("list 1", "concat $v $v")),
    bomb("list-of-lists", "lists in lists in lists", Held, || {
        looped("{{ $_ := set $.Values (toString .) (list . . . .) }}")
    }),
    bomb("set", "a map with ever more keys", Held, || {
        Input::template("{{ range 1000000000 }}{{ $_ := set $.Values (printf `%d` .) . }}{{ end }}")
    }),
    bomb("set-long-keys", "a map with ever longer keys", Held, || {
        Input::template("{{ range 1000000000 }}{{ $_ := set $.Values (repeat . `k`) . }}{{ end }}")
    }),
    bomb("set-texts", "a map that keeps long texts", Held, || {
        looped("{{ $_ := set $.Values (toString .) (repeat 1000000 `x`) }}")
    }),
    bomb("dict-nest", "maps in maps in maps", Held, || growing("dict", "dict `a` $v `b` .")),
    bomb("dict-arguments", "a call with many arguments", Refused("templates of more than 400000 items"), || {
        Input::template(format!("{{{{ dict {} }}}}", numbered(300_000, |index| format!("{index} {index} "))))
    }),
    bomb("merge", "maps merged into each other", Held, || {
        growing("dict", "merge $v (dict (toString .) (dict `a` $v))")
    }),
    bomb("merge-overwrite", "a map merged with its copies", Held, || {
        growing("dict `a` (dict `b` 1)", "mergeOverwrite (dict (toString .) (deepCopy $v)) $v")
    }),
    bomb("deep-copy", "copies of copies", Held, || growing("dict `a` 1", "dict `a` (deepCopy $v) `b` (deepCopy $v)")),
    bomb("pick-omit", "maps copied without a key", Bytes, || {
        Input::template(
            "{{ range until 5000 }}{{ $_ := set $.Values (toString .) . }}{{ end }}{{ range 1000000000 }}{{ $x := omit $.Values `0` }}{{ end }}",
        )
    }),
    bomb("keys", "lists of keys", Bytes, || {
        Input::template(
            "{{ range until 5000 }}{{ $_ := set $.Values (toString .) . }}{{ end }}{{ range 1000000000 }}{{ $x := keys $.Values | sortAlpha }}{{ end }}",
        )
    }),
    bomb("pluck", "one key of many maps", Held, || {
        growing("list 1", "concat $v (pluck `a` (dict `a` $v) (dict `a` $v)) $v")
    }),
    bomb("uniq", "each item compared with each", Held, || Input::template("{{ until 1000000 | uniq | len }}")),
    bomb("without", "each item compared with each", Bytes, || {
        looped("{{ $x := has -1 (until 1000) }}{{ $y := without (until 1000) -1 }}")
    }),
    bomb("sort", "lists sorted again and again", Bytes, || looped("{{ $x := until 10000 | sortAlpha }}")),
    bomb("reverse-rest", "a list taken apart from its start", Held, || growing("until 100000", "rest (reverse $v)")),
    bomb("chunk", "a list cut into pieces", Bytes, || looped("{{ $x := until 10000 | chunk 1 }}")),
    bomb("slice", "a list cut again and again", Bytes, || looped("{{ $x := slice (until 10000) 1 9999 }}")),
    bomb("files-lines", "the lines of a file", Bytes, || {
        Input::template("{{ range 1000000000 }}{{ $x := $.Files.Lines `lines` }}{{ end }}")
            .file("lines", "\n".repeat(100_000))
    }),
    bomb("files-get", "the text of a file", Bytes, || {
        Input::template("{{ range 1000000000 }}{{ $x := $.Files.Get `text` }}{{ end }}")
            .file("text", "x".repeat(1 << 20))
    }),
    bomb("files-as-config", "files written as YAML", Bytes, || {
        Input::template("{{ range 1000000000 }}{{ $x := $.Files.AsConfig }}{{ $y := $.Files.AsSecrets }}{{ end }}")
            .file("text", "\u{1}".repeat(1 << 20))
    }),
    bomb("files-print", "files as decimal numbers", Bytes, || {
        Input::template("{{ range 1000000000 }}{{ $x := print $.Files }}{{ end }}").file("text", "x".repeat(1 << 20))
    }),
    bomb("variables", "a search among many variables", Steps, || {
        let declared = numbered(20_000, |index| format!("{{{{ $v{index} := 1 }}}}"));
        Input::template(format!(
            "{{{{ $first := 1 }}}}{declared}{{{{ range 1000000000 }}}}{{{{ $first = add $first 1 }}}}{{{{ end }}}}"
        ))
    }),
];
