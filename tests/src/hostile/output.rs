//! What is printed: manifests, hooks, notes.

use super::End::{Held, Printed, PrintedWith, Refused};
use super::codecs::laughs;
use super::input::{nested, numbered};
use super::{Bomb, Input, bomb};

const TOO_LONG: &str = "bomb/templates/bomb.yaml: the chart prints more than 16777216 bytes";
const TOO_MANY: &str = "the chart prints more than 20000 documents";

pub(super) const BOMBS: &[Bomb] = &[
    bomb("output-text", "a very long document", Refused(TOO_LONG), || Input::template("x: {{ repeat 20000000 `x` }}")),
    bomb("output-loop", "a document without end", Held, || {
        Input::template(
            "{{ range 1000000000000 }}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{{ end }}",
        )
    }),
    bomb("output-files", "very many long documents", Refused("the chart prints more than 16777216 bytes"), || {
        Input::chart()
            .files((0..100).map(|index| (format!("templates/{index}.yaml"), "x: {{ repeat 1000000 `x` }}".to_owned())))
    }),
    bomb("output-documents", "very many documents", Refused(TOO_MANY), || {
        Input::template("{{ range $i := until 30000 }}---\nx: {{ $i }}\n{{ end }}")
    }),
    bomb("output-most-documents", "as many documents as are printed, all hooks", Printed(""), || {
        Input::template(
            "{{ range $i := until 20000 }}---\nkind: Job\nmetadata: {annotations: {helm.sh/hook: unknown}}\n{{ end }}",
        )
    }),
    bomb("output-empty-documents", "very many empty documents", Printed("x: 1"), || {
        Input::template("{{ repeat 1000000 `---\n` }}x: 1")
    }),
    bomb("output-hooks", "very many hooks", Refused(TOO_MANY), || {
        let hook = "---\\nkind: Job\\nmetadata: {annotations: {helm.sh/hook: pre-install}}\\n";
        Input::template(format!("{{{{ repeat 30000 \"{hook}\" }}}}"))
    }),
    bomb("output-hook-events", "very many events of a hook", PrintedWith("test,test,test"), || {
        Input::template("kind: Job\nmetadata: {annotations: {helm.sh/hook: '{{ repeat 100000 `test,` }}test'}}")
    }),
    bomb("output-annotations", "very many annotations", PrintedWith("\n    a9999: b"), || {
        Input::template(
            "kind: Job\nmetadata:\n  annotations:\n{{ range $i := until 10000 }}    a{{ $i }}: b\n{{ end }}",
        )
    }),
    bomb("output-laughs", "aliases of aliases in a manifest", Refused("excessive aliasing"), || {
        Input::template(laughs())
    }),
    bomb("output-deep", "maps in maps in a manifest", Refused("YAML parse error on bomb/templates/bomb.yaml"), || {
        Input::template(nested(100_000, "{a: ", "", "}"))
    }),
    bomb("output-nodes", "a manifest of very many values", Refused("more than 300000 nodes"), || {
        Input::template(format!("a: [{}]", "1,".repeat(4_000_000)))
    }),
    bomb("output-keys", "a manifest of very many keys", Refused("more than 300000 nodes"), || {
        Input::template(numbered(700_000, |index| format!("k{index}: 1\n")))
    }),
    bomb("output-no-value", "very many missing values", Printed("x:"), || {
        Input::template("x: {{ range until 100000 }}{{ $.Values.x }}{{ end }}")
    }),
    bomb("output-templates", "very many templates", Refused(TOO_MANY), || {
        Input::chart().files((0..40_000).map(|index| (format!("templates/{index}.yaml"), "x: 1".to_owned())))
    }),
    bomb("output-partials", "very many partials", Printed("x: 1"), || {
        Input::template("x: 1").files((0..40_000).map(|index| (format!("templates/_{index}.tpl"), "x: 1".to_owned())))
    }),
    bomb("output-notes", "very long notes", Refused("NOTES.txt: the chart prints more than 16777216 bytes"), || {
        Input::chart().file("templates/NOTES.txt", "{{ repeat 20000000 `x` }}")
    }),
    bomb("output-crds", "very many definitions of resources", Refused("the chart prints more than"), || {
        (0..90).fold(Input::chart(), |input, index| input.file(format!("crds/{index}.yaml"), vec![b'x'; 1 << 19]))
    }),
    bomb("output-include-passing", "an output passed through many functions", Held, || {
        Input::template(format!("{{{{ repeat 1000000 `x` {} | len }}}}", "| indent 1 ".repeat(1_000)))
    }),
];
