//! What differs from Helm on purpose (`COMPATIBILITY.md`), pinned.

use renderer::functions::FixedHost;
use renderer::values::from_yaml;
use renderer::{Chart, ChartFile, Profile, RenderOptions, Rendered, render};

fn rendered(files: &[(&str, &str)], values: &str, profile: Profile) -> Result<Rendered, String> {
    let chart_yaml = ("Chart.yaml", "{apiVersion: v2, name: demo, version: 1.0.0}");
    let has_own = files.iter().any(|(name, _)| *name == "Chart.yaml");
    let files = files.iter().chain((!has_own).then_some(&chart_yaml));
    let files = files.map(|(name, text)| ChartFile { name: (*name).to_owned(), data: text.as_bytes().to_vec() });
    let chart = Chart::load_as(files.collect(), profile).unwrap();
    let host = FixedHost::default();
    let options =
        RenderOptions { release_name: "demo".to_owned(), include_crds: true, profile, ..RenderOptions::new(&host) };
    render(&chart, &from_yaml(values.as_bytes()).unwrap(), &options).map_err(|error| error.to_string())
}

fn output(template: &str, profile: Profile) -> String {
    rendered(&[("templates/a.yaml", template)], "", profile).unwrap().manifests[0].content.clone()
}

#[test]
fn keys_and_values_are_sorted() {
    let template = r#"v: with {{ keys (dict "c" 3 "a" 1 "b" 2) (dict "a" 4) }} {{ values (dict "c" 3 "a" 1 "b" 2) }}"#;
    assert_eq!(output(template, Profile::V4), "v: with [a b c a] [1 2 3]");
}

#[test]
fn lists_end_where_their_items_end() {
    let files = [("templates/a.yaml", "v: {{ slice .Values.l 0 4 }}")];
    // Helm: `[1 2 3 <nil>]`.
    let error = rendered(&files, "l: [1, 2, 3]", Profile::V4).unwrap_err();
    assert!(error.ends_with("error calling slice: reflect.Value.Slice: slice index out of bounds"), "{error}");
}

#[test]
fn undeclared_sub_charts_come_by_name() {
    let rendered = rendered(
        &[
            ("charts/b/Chart.yaml", "{apiVersion: v2, name: b, version: 1.0.0}"),
            ("charts/b/crds/x.yaml", "kind: B"),
            ("charts/a/Chart.yaml", "{apiVersion: v2, name: a, version: 1.0.0}"),
            ("charts/a/crds/x.yaml", "kind: A"),
        ],
        "",
        Profile::V4,
    );
    let sources: Vec<String> = rendered.unwrap().crds.into_iter().map(|crd| crd.source).collect();
    assert_eq!(sources, ["demo/charts/a/crds/x.yaml", "demo/charts/b/crds/x.yaml"]);
}

#[test]
fn warnings_come_by_key() {
    let files = [("values.yaml", "{c: 1, a: {m: {x: 1}}, b: 1}"), ("charts/sub/Chart.yaml", SUB)];
    for (profile, expected) in [
        (
            Profile::V3,
            [
                "warning: cannot overwrite table with non table for demo.a.m (map[x:1])",
                "warning: skipped value for demo.b: Not a table.",
                "warning: skipped value for demo.c: Not a table.",
            ],
        ),
        (
            Profile::V4,
            [
                "level=INFO msg=\"warning: cannot overwrite table with non table for demo.a.m (map[x:1])\"",
                "level=INFO msg=\"warning: skipped value for demo.b: Not a table.\"",
                "level=INFO msg=\"warning: skipped value for demo.c: Not a table.\"",
            ],
        ),
    ] {
        let rendered = rendered(&files, "{a: {m: 5}, b: {x: 1}, c: {x: 1}}", profile).unwrap();
        assert_eq!(rendered.warnings, expected);
    }
}

const SUB: &str = "{apiVersion: v2, name: sub, version: 1.0.0}";

/// Both releases wrote these lines for this chart, Helm 3 with a file and line of its source before each.
#[test]
fn warnings_are_helms() {
    let files = [
        (
            "Chart.yaml",
            "{apiVersion: v2, name: w, version: 0.1.0, dependencies: [{name: sub, version: '*', condition: 'sub.x,sub.y', \
             tags: [t], import-values: [none, {child: no.where, parent: p}]}]}",
        ),
        ("values.yaml", "{s: 1, global: {m: {q: 1}}, sub: {x: text, z: {d: {e: 1}}}, tags: {t: text}}"),
        ("charts/sub/Chart.yaml", SUB),
        ("charts/sub/values.yaml", "{z: {d: 3}, global: {m: 4}}"),
        ("templates/h.yaml", "kind: X\nmetadata: {annotations: {helm.sh/hook: 'foo,test'}}\n"),
    ];
    let skipped = "warning: skipped value for w.s: Not a table.";
    let global = "warning: destination for w.sub.global.m is a table. Ignoring non-table value (4)";
    let table = "warning: destination for w.sub.z.d is a table. Ignoring non-table value (3)";
    let v3 = rendered(&files, "{s: {q: 1}}", Profile::V3).unwrap().warnings;
    let expected = [
        skipped,
        global,
        table,
        "Warning: Tag 't' for chart sub returned non-bool value",
        "Warning: Condition path 'sub.x' for chart sub returned non-bool value",
        global,
        table,
        "Warning: ImportValues missing table: \"exports\" is not a table",
        "Warning: ImportValues missing table from chart sub: \"no\" is not a table",
        skipped,
        global,
        table,
        "info: skipping unknown hook: \"foo,test\"",
    ];
    assert_eq!(v3, expected);
    let v4 = rendered(&files, "{s: {q: 1}}", Profile::V4).unwrap().warnings;
    let [skipped, global, table] = [skipped, global, table].map(|text| format!("level=INFO msg=\"{text}\""));
    let expected = [
        &skipped,
        &global,
        &table,
        "level=WARN msg=\"returned non-bool value\" tag=t chart=sub",
        "level=WARN msg=\"returned non-bool value\" path=sub.x chart=sub",
        &global,
        &table,
        "level=WARN msg=\"ImportValues missing table\" error=\"\\\"exports\\\" is not a table\"",
        "level=WARN msg=\"ImportValues missing table from chart\" chart=sub error=\"\\\"no\\\" is not a table\"",
        &skipped,
        &global,
        &table,
        "level=INFO msg=\"skipping unknown hooks\" hookTypes=foo,test",
    ];
    assert_eq!(v4, expected);
}

#[test]
fn addresses_are_constant() {
    let chart = "{apiVersion: v2, name: demo, version: 1.0.0, maintainers: [{name: a}]}";
    let rendered =
        rendered(&[("Chart.yaml", chart), ("templates/a.yaml", "v: with {{ .Chart }}")], "", Profile::V3).unwrap();
    assert_eq!(
        rendered.manifests[0].content,
        "v: with {{demo  [] 1.0.0  [] [0xc000000000]  v2    false map[]  [] } true}"
    );
}

#[test]
fn local_time_is_utc() {
    let template = r#"v: {{ date "2006-01-02 15:04 MST" 0 }}"#;
    assert_eq!(output(template, Profile::V4), "v: 1970-01-01 00:00 UTC");
}

#[test]
fn doubling_sub_charts_end() {
    let mut files = Vec::new();
    for level in 0..14 {
        let prefix = "charts/sub/".repeat(level);
        let name = if level == 0 { "demo" } else { "sub" };
        let text = format!(
            "{{apiVersion: v2, name: {name}, version: 1.0.0, dependencies: [{{name: sub, version: '*', alias: a}}, \
             {{name: sub, version: '*', alias: b}}]}}"
        );
        files.push((format!("{prefix}Chart.yaml"), text));
    }
    files.push((format!("{}Chart.yaml", "charts/sub/".repeat(14)), SUB.to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let error = rendered(&files, "", Profile::V4).unwrap_err();
    assert!(error.ends_with("the chart renders more than 10000 sub-charts"), "{error}");
}

/// A key that was made for this test.
const P384: &str = "-----BEGIN EC PRIVATE KEY-----\n\
    MIGkAgEBBDAPY079fYBj2UuAqOmFb66oIM7kae1OtyYW6NfBNOQufd5gthldrfNW\n\
    MzJQ17JN76agBwYFK4EEACKhZANiAARru8gCDJ95qKMOdCXPxMKur3opdsZLEzdK\n\
    Uk7Q+AUYV+4n7vEWGq9z9Bga3KKuKSCwwBSgUwc4bM5pEtCbfkVWozsOvFpWVAQp\n\
    c1aRA9ghT+eaCpzdCwVOn5k3N3nqU6E=\n\
    -----END EC PRIVATE KEY-----\n";

#[test]
fn keys_are_rsa_or_of_p_256() {
    let refusal = |template: &str| rendered(&[("templates/a.yaml", template)], "", Profile::V4).unwrap_err();
    let text = refusal(r#"a: {{ genPrivateKey "dsa" }}"#);
    assert!(text.ends_with("DSA keys are not supported: use rsa, ecdsa or ed25519"), "{text}");
    // The SEC 1 form of a key on P-384.
    let text = refusal(&format!("a: {{{{ genCAWithKey \"x\" 1 {P384:?} }}}}"));
    assert!(text.contains("error calling genCAWithKey: parsing private key: "), "{text}");
    let text = refusal(r#"a: {{ genCAWithKey "x" 1 (genPrivateKey "ed25519") }}"#);
    assert!(text.contains("error calling genCAWithKey: parsing private key: "), "{text}");
    let text =
        refusal(r#"a: {{ genCAWithKey "x" 1 "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----" }}"#);
    assert!(text.contains("parsing private key: parsing EC private key from PEM: "), "{text}");
}

#[test]
fn times_have_no_fields() {
    let template = r#"v: "{{ toDate "2006-01-02" "2020-03-04" | printf "%d" }}""#;
    assert_eq!(output(template, Profile::V4), r#"v: "%!d(time.Time=2020-03-04 00:00:00 +0000 UTC)""#);
}

#[test]
fn constraints_are_text() {
    let error =
        rendered(&[("templates/a.yaml", r#"v: {{ semverCompare "\xff" "1.2.3" }}"#)], "", Profile::V4).unwrap_err();
    // Helm: `improper constraint: "\xff"`.
    assert!(error.ends_with("error calling semverCompare: improper constraint: \"\u{fffd}\""), "{error}");
}

#[test]
fn bytes_by_unknown_verbs_have_no_type() {
    let files = [("templates/a.yaml", r#"v: with {{ printf "%#w" (.Files.GetBytes "f") }}"#), ("f", "hi")];
    let rendered = rendered(&files, "", Profile::V4).unwrap();
    // Helm: `[]uint8{%!w(uint8=0x68), %!w(uint8=0x69)}`.
    assert_eq!(rendered.manifests[0].content, "v: with [%!w(uint8=0x68) %!w(uint8=0x69)]");
}

#[test]
fn outputs_and_templates_have_limits() {
    let large = |template: &str| rendered(&[("templates/a.yaml", template)], "", Profile::V4).unwrap_err();
    let error = large(r#"v: "{{ range 17 }}{{ repeat 1048576 "x" }}{{ end }}""#);
    assert!(error.ends_with("the chart prints more than 16777216 bytes"), "{error}");
    let error = large("{{ range 20001 }}---\na: 1\n{{ end }}");
    assert!(error.ends_with("the chart prints more than 20000 documents"), "{error}");
    let error = large(&"{{ 1 }}".repeat(300_000));
    assert!(error.ends_with("templates of more than 400000 items"), "{error}");
}

#[test]
fn patterns_nest_to_a_limit() {
    let template = r#"v: {{ .Files.Glob (repeat 1000 "{") }}"#;
    let error = rendered(&[("templates/a.yaml", template)], "", Profile::V4).unwrap_err();
    assert!(error.ends_with("error calling Glob: the pattern has alternatives in more than 500 levels"), "{error}");
}

/// A limit that became a value, such as the map with which `fromYaml` tells errors, would give another output than Helm's
/// and nobody would know.
#[test]
fn limits_end_the_render_and_never_become_values() {
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(400), close.repeat(400));
    for (function, text, limit) in [
        ("fromYaml", format!("a: {}\nb: 1", nested("[", "]")), "exceeded max depth of 200"),
        ("fromYamlArray", nested("[", "]"), "exceeded max depth of 200"),
        ("fromYamlArray", "- 1\n".repeat(300_000), "more than 300000 nodes"),
        ("fromJson", format!("{{\"a\":{}}}", nested("[", "]")), "exceeded max depth of 300"),
        ("fromJsonArray", nested("[", "]"), "exceeded max depth of 300"),
        ("fromToml", format!("a = {}", nested("[", "]")), "nested deeper than 300 levels"),
    ] {
        let template = format!(r#"v: {{{{ len ({function} (.Files.Get "f")) }}}}"#);
        let error = rendered(&[("templates/a.yaml", &template), ("f", &text)], "", Profile::V4).unwrap_err();
        assert!(error.contains(&format!("error calling {function}")) && error.contains(limit), "{function}: {error}");
    }
    let build = r#"{{ $v := dict }}{{ range 400 }}{{ $v = dict "a" $v }}{{ end }}"#;
    for function in ["toYaml", "toYamlPretty", "toJson", "toPrettyJson", "toRawJson", "toToml"] {
        let template = format!("{build}v: {{{{ $v | {function} | len }}}}");
        let error = rendered(&[("templates/a.yaml", &template)], "", Profile::V4).unwrap_err();
        assert!(error.ends_with("the value nests deeper than 300 levels"), "{function}: {error}");
    }
    // A circle is refused by Go too, which these functions tell by an empty text.
    let circle = r#"{{ $v := dict }}{{ $_ := set $v "v" $v }}v: "{{ toJson $v }}{{ toYaml $v }}""#;
    assert_eq!(output(circle, Profile::V4), r#"v: """#);
}
