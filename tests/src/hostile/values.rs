//! Values: files, `--set`, and what a chart's defaults make of them.

use super::End::{Printed, Refused};
use super::codecs::laughs;
use super::input::{nested, numbered};
use super::{Bomb, Input, bomb};

/// Far deeper than readers may recurse.
const DEEP: usize = 100_000;

fn defaults(text: impl Into<Vec<u8>>) -> Input {
    Input::template("x: {{ len .Values }}").file("values.yaml", text)
}

fn given(text: impl Into<Vec<u8>>) -> Input {
    Input::template("x: {{ len .Values }}").values(text)
}

fn set(argument: impl Into<String>) -> Input {
    Input::template("x: {{ len .Values }}").set(argument)
}

pub(super) const BOMBS: &[Bomb] = &[
    bomb("values-huge", "a text longer than any that is read", Refused("text is longer than 16777216 bytes"), || {
        defaults(format!("a: {}", "x".repeat(17 << 20)))
    }),
    bomb("values-long-text", "a long text, rendered", Printed("x: 16000000"), || {
        Input::template("x: {{ len .Values.a }}").file("values.yaml", format!("a: {}", "x".repeat(16_000_000)))
    }),
    bomb("values-nodes", "very many values", Refused("more than 300000 nodes"), || {
        defaults(format!("a: [{}]", "1,".repeat(4_000_000)))
    }),
    bomb("values-most-nodes", "as many values as are read", Refused("more than 300000 nodes"), || {
        defaults(format!("a: [{}]", "1,".repeat(2_900_000)))
    }),
    bomb("values-keys", "very many keys", Refused("more than 300000 nodes"), || {
        defaults(numbered(700_000, |index| format!("k{index}: 1\n")))
    }),
    bomb("values-given-keys", "very many keys from the user", Refused("more than 300000 nodes"), || {
        given(numbered(700_000, |index| format!("k{index}: 1\n")))
    }),
    bomb("values-small-maps", "very many small maps", Refused("more than 300000 nodes"), || {
        defaults(format!("a: [{}]", "{a: {}},".repeat(1_000_000)))
    }),
    bomb("values-deep", "maps in maps", Refused("exceeded max depth of"), || defaults(nested(DEEP, "{a: ", "", "}"))),
    bomb("values-deep-given", "maps in maps from the user", Refused("exceeded max depth of"), || {
        given(nested(DEEP, "{a: ", "", "}"))
    }),
    bomb("values-deepest", "maps as deep as they are read", Printed("x: 1"), || {
        defaults(nested(190, "{a: ", "1", "}"))
    }),
    bomb("values-laughs", "aliases of aliases", Refused("excessive aliasing"), || defaults(laughs())),
    bomb("values-laughs-given", "aliases of aliases from the user", Refused("excessive aliasing"), || given(laughs())),
    bomb("values-alias-text", "a long text in many aliases", Refused("aliases make the document too large"), || {
        defaults(format!("a: &a {}\nb: [{}]", "x".repeat(1 << 20), "*a,".repeat(90)))
    }),
    bomb("values-documents", "very many documents", Printed("x: 1"), || defaults("a: 1\n---\n".repeat(100_000))),
    bomb("values-documents-merged", "documents merged into each other", Printed("x: 50000"), || {
        defaults(numbered(50_000, |index| format!("k{index}: 1\n---\n")))
    }),
    bomb("values-nulls", "very many nulls", Printed("x: 0"), || {
        let nulls = numbered(100_000, |index| format!("k{index}: null\n"));
        defaults(nulls.clone()).values(nulls)
    }),
    bomb("values-conflicts", "a warning for very many values", Printed("x: 20000"), || {
        defaults(numbered(20_000, |index| format!("k{index}: {{a: 1}}\n")))
            .values(numbered(20_000, |index| format!("k{index}: 1\n")))
    }),
    bomb("values-conflict-deep", "a warning for a deep value", Printed("x: 1"), || {
        defaults(format!("a: {}", nested(190, "{a: ", "1", "}"))).values("a: 1")
    }),
    bomb("values-subchart-no-map", "an error for a long value", Refused("more than 300000 nodes"), || {
        given(format!("sub: [{}]", "\"xxxxxxxx\",".repeat(1_000_000)))
            .file("charts/sub/Chart.yaml", super::input::chart_yaml("sub", ""))
    }),
    bomb("set-index", "an index of a billion", Refused("index of 999999999 is greater than"), || set("a[999999999]=1")),
    bomb("set-index-negative", "an index below zero", Refused("negative -1 index not allowed"), || set("a[-1]=1")),
    bomb("set-index-many", "the largest index many times", Refused("list indexes skip more than 262144 items"), || {
        set(numbered(1_000, |index| format!("k{index}[65536]=1,")))
    }),
    bomb(
        "set-index-nested",
        "the largest index in itself",
        Refused("list indexes skip more than 262144 items"),
        || set(format!("a{}=1", "[65536]".repeat(200))),
    ),
    bomb("set-index-flags", "the largest index in many flags", Refused("there are more than 300000 values"), || {
        (0..1_000).fold(set("a=1"), |input, index| input.set(format!("k{index}[65536]=1")))
    }),
    bomb("set-indexes", "an index of an index of an index", Refused("more than 256 list indexes in one key"), || {
        set(format!("a{}=1", "[0]".repeat(DEEP)))
    }),
    bomb("set-deep", "a key of very many parts", Refused("nested level is greater than maximum"), || {
        set(format!("{}a=1", "a.".repeat(DEEP)))
    }),
    bomb("set-deep-steps", "indexes and dots in turn", Refused("more than 256 list indexes in one key"), || {
        set(format!("{}a=1", "a[0].".repeat(DEEP)))
    }),
    bomb("set-deeper", "values set below values set before", Printed("x: 2"), || {
        (0..100).fold(set("a=1"), |input, _| input.set(format!("{}a=1", "b.".repeat(29))))
    }),
    bomb("set-many", "very many keys", Printed("x: 200000"), || {
        set(numbered(200_000, |index| format!("k{index}=1,")) + "k0=1")
    }),
    bomb("set-list", "a list of very many items", Refused("there are more than 300000 values"), || {
        set(format!("a={{{}}}", "x,".repeat(500_000)))
    }),
    bomb("set-list-open", "a list that does not end", Refused("list must terminate"), || {
        set(format!("a={{{}", "x,".repeat(500_000)))
    }),
    bomb("set-json-deep", "lists in lists", Refused("failed parsing --set-json data"), || {
        Input::template("x: 1").set_json(format!("a={}", nested(DEEP, "[", "", "]")))
    }),
    bomb("set-json-object-deep", "maps in maps", Refused("failed parsing --set-json data"), || {
        Input::template("x: 1").set_json(nested(DEEP, "{\"a\":", "1", "}"))
    }),
    bomb("set-json-items", "very many items", Refused("there are more than 300000 values"), || {
        Input::template("x: 1").set_json(format!("a=[{}1]", "[],".repeat(2_000_000)))
    }),
];
