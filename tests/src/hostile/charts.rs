//! `Chart.yaml` and sub-charts.

use super::End::{Printed, Refused};
use super::codecs::laughs;
use super::input::{chart_yaml, nested, numbered};
use super::{Bomb, Input, bomb};

/// A chart with this `Chart.yaml`, and a template that is rendered if it is accepted.
fn described(more: &str) -> Input {
    Input::default().file("Chart.yaml", chart_yaml("bomb", more)).file("templates/bomb.yaml", "x: 1")
}

/// Dependencies on a chart `sub` under very many aliases.
fn aliases(count: usize, alias: impl Fn(usize) -> String) -> String {
    let dependencies =
        numbered(count, |index| format!("- {{name: sub, version: '*', repository: '', alias: {}}}\n", alias(index)));
    format!("dependencies:\n{dependencies}")
}

/// Charts in charts, each rendered twice by the one above.
fn doubling(levels: usize) -> impl Iterator<Item = (String, String)> {
    (0..=levels).map(move |level| {
        let name = if level == 0 { "bomb" } else { "sub" };
        let more = if level == levels { String::new() } else { aliases(2, |index| format!("a{index}")) };
        ("charts/sub/".repeat(level) + "Chart.yaml", chart_yaml(name, &more))
    })
}

/// As many charts side by side, each with more files.
fn side_by_side(count: usize, files: &[(&str, &str)]) -> Vec<(String, String)> {
    let chart = |index: usize| {
        let more = files.iter().map(move |(name, text)| (format!("charts/c{index}/{name}"), (*text).to_owned()));
        more.chain([(format!("charts/c{index}/Chart.yaml"), chart_yaml(&format!("c{index}"), ""))])
    };
    (0..count).flat_map(chart).collect()
}

/// A map of maps, as large as some files together.
fn table(maps: usize, keys: usize) -> String {
    numbered(maps, |map| format!("  m{map}: {{{}}}\n", numbered(keys, |key| format!("k{key}: 1, "))))
}

pub(super) const BOMBS: &[Bomb] = &[
    bomb("chart-laughs", "aliases of aliases", Refused("excessive aliasing"), || described(&laughs())),
    bomb("chart-deep", "maps in maps", Refused("could not find expected ':'"), || {
        described(&nested(100_000, "{a: ", "", "}"))
    }),
    bomb("chart-keywords", "very many keywords", Printed("x: 1"), || {
        described(&format!("keywords: [{}]", "x,".repeat(200_000)))
    }),
    bomb("chart-keywords-many", "more keywords than are read", Refused("more than 300000 nodes"), || {
        described(&format!("keywords: [{}]", "x,".repeat(5_000_000)))
    }),
    bomb("chart-name", "a name of a megabyte", Refused("more than 256 bytes"), || {
        Input::default()
            .file("Chart.yaml", chart_yaml(&"x".repeat(1 << 20), ""))
            .files((0..1_000).map(|index| (format!("templates/{index}.yaml"), "x: 1".to_owned())))
    }),
    bomb("chart-name-path", "a name that is a path", Refused("is invalid"), || {
        Input::default().file("Chart.yaml", chart_yaml("../../etc", "")).file("templates/a.yaml", "x: 1")
    }),
    bomb("chart-kube-version", "a constraint of a megabyte", Refused("which is incompatible with Kubernetes"), || {
        described(&format!("kubeVersion: '{}'", ">=1.0.0 || ".repeat(100_000)))
    }),
    bomb("chart-dependencies-missing", "very many missing sub-charts", Refused("missing dependencies"), || {
        described(&format!(
            "dependencies:\n{}",
            numbered(30_000, |index| format!("- {{name: d{index}, version: '1', repository: ''}}\n"))
        ))
    }),
    bomb("chart-dependencies", "each sub-chart compared with each", Printed("x: 1"), || {
        let declared = numbered(3_000, |index| format!("- {{name: c{index}, version: '*', repository: ''}}\n"));
        described(&format!("dependencies:\n{declared}")).files(side_by_side(3_000, &[]))
    }),
    bomb("chart-conditions", "very many conditions", Printed("x: 1"), || {
        described(&format!(
            "dependencies:\n- {{name: sub, version: '*', repository: '', condition: '{}'}}\n",
            "a.b.c,".repeat(200_000)
        ))
        .file("charts/sub/Chart.yaml", chart_yaml("sub", ""))
    }),
    bomb("chart-tags", "very many tags", Printed("x: 1"), || {
        described(&format!(
            "dependencies:\n- {{name: sub, version: '*', repository: '', tags: [{}]}}\n",
            "t,".repeat(200_000)
        ))
        .file("charts/sub/Chart.yaml", chart_yaml("sub", ""))
    }),
    bomb("chart-imports", "very many imported values", Refused("need more than 1000000 steps to be merged"), || {
        let imports = numbered(20_000, |index| format!("{{child: data, parent: p{index}}}, "));
        described(&format!(
            "dependencies:\n- {{name: sub, version: '*', repository: '', import-values: [{imports}]}}\n"
        ))
        .file("charts/sub/Chart.yaml", chart_yaml("sub", ""))
        .file("charts/sub/values.yaml", format!("data:\n{}", table(100, 100)))
    }),
    bomb("chart-import-cycle", "values imported into where they come from", Printed("x: 1"), || {
        described("dependencies:\n- {name: sub, version: '*', repository: '', import-values: [{child: a, parent: sub.a.b}, {child: a.b, parent: sub.a}]}\n")
            .file("charts/sub/Chart.yaml", chart_yaml("sub", ""))
            .file("charts/sub/values.yaml", "a: {b: {c: 1}}")
    }),
    bomb(
        "chart-aliases",
        "very many aliases of a sub-chart",
        Refused("the chart renders more than 10000 sub-charts"),
        || {
            described(&aliases(20_000, |index| format!("a{index}")))
                .file("charts/sub/Chart.yaml", chart_yaml("sub", ""))
        },
    ),
    bomb(
        "chart-aliases-doubling",
        "aliases that double at each level",
        Refused("the chart renders more than 10000 sub-charts"),
        || Input::default().files(doubling(16)),
    ),
    bomb("chart-aliases-long", "long aliases and very many templates", Refused("more than 256 bytes"), || {
        described(&aliases(10, |index| format!("{}{index}", "a".repeat(100_000))))
            .file("charts/sub/Chart.yaml", chart_yaml("sub", ""))
            .files((0..2_000).map(|index| (format!("charts/sub/templates/{index}.yaml"), "x: 1".to_owned())))
    }),
    bomb(
        "chart-aliases-values",
        "aliases of a sub-chart with large values",
        Refused("need more than 1000000 steps to be merged"),
        || {
            described(&aliases(1_000, |index| format!("a{index}")))
                .file("charts/sub/Chart.yaml", chart_yaml("sub", ""))
                .file("charts/sub/values.yaml", format!("data:\n{}", table(100, 100)))
        },
    ),
    bomb(
        "chart-aliases-templates",
        "aliases of a sub-chart with very many templates",
        Refused("bytes for their names"),
        || {
            described(&aliases(5_000, |index| format!("a{index}")))
                .file("charts/sub/Chart.yaml", chart_yaml("sub", ""))
                .files((0..1_000).map(|index| (format!("charts/sub/templates/{index}.yaml"), "x: 1".to_owned())))
        },
    ),
    bomb("chart-nested", "charts in charts in charts", Refused("sub-charts are nested deeper than 16 levels"), || {
        Input::chart().files((1..=100).map(|level| ("charts/sub/".repeat(level) + "Chart.yaml", chart_yaml("sub", ""))))
    }),
    bomb("chart-sub-charts", "very many sub-charts", Refused("more than 10000 sub-charts"), || {
        Input::chart().files(side_by_side(100_000, &[]))
    }),
    bomb("chart-sub-charts-named", "folders that are no charts", Refused("Chart.yaml file is missing"), || {
        Input::chart().files((0..100_000).map(|index| (format!("charts/c{index}/x"), String::new())))
    }),
    bomb(
        "chart-globals",
        "globals handed to very many sub-charts",
        Refused("need more than 1000000 steps to be merged"),
        || {
            Input::chart()
                .file("values.yaml", format!("global:\n{}", table(1_000, 100)))
                .files(side_by_side(5_000, &[("templates/a.yaml", "x: 1")]))
        },
    ),
    bomb(
        "chart-globals-given",
        "globals merged in very many sub-charts",
        Refused("there are more than 300000 values"),
        || {
            let global = format!("global:\n{}", table(100, 20));
            Input::chart().values(global.clone()).files(side_by_side(2_000, &[("values.yaml", global.as_str())]))
        },
    ),
    bomb("chart-globals-deep", "globals handed down many levels", Refused("more than 300000 nodes"), || {
        let charts = (1..=16).map(|level| ("charts/sub/".repeat(level) + "Chart.yaml", chart_yaml("sub", "")));
        Input::chart().file("values.yaml", format!("global:\n{}", table(5_000, 40))).files(charts)
    }),
    bomb("chart-own-values", "values for a sub-chart in a sub-chart", Printed("x: 1"), || {
        let values = nested(60, "sub: {", "a: 1", "}");
        let charts = (1..=16).map(|level| ("charts/sub/".repeat(level) + "Chart.yaml", chart_yaml("sub", "")));
        described("").file("values.yaml", values).files(charts)
    }),
    bomb("chart-lock", "aliases of aliases in the lock file", Refused("excessive aliasing"), || {
        described("").file("Chart.lock", laughs())
    }),
    bomb("chart-files", "very many files", Printed("x: 1"), || {
        described("").files((0..100_000).map(|index| (format!("files/{index}"), String::new())))
    }),
    bomb("chart-values-twice", "a file that is there twice", Printed("x: 2"), || {
        Input::template("x: {{ .Values.a }}").file("values.yaml", "a: 1").file("values.yaml", "a: 2")
    }),
    bomb(
        "chart-too-large",
        "more bytes than Helm loads",
        Refused("chart is larger than the maximum size 104857600"),
        || (0..101).fold(Input::chart(), |input, index| input.file(format!("files/{index}"), vec![0; 1 << 20])),
    ),
];
