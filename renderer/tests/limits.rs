//! Hostile and deeply nested templates end in an error or in their output, never in an overflow of the native stack.

use std::sync::Arc;

use renderer::functions::{FixedHost, table};
use renderer::template::{Evaluator, ParseError, RENDER_STACK_BYTES, TemplateSet};
use renderer::value::{Map, Value};
use renderer::{Budget, BudgetExceeded, Limits, Profile};

/// The default stack of a spawned thread.
const SMALL_STACK_BYTES: usize = 2 << 20;

fn on_stack<T: Send>(bytes: usize, run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(bytes).spawn_scoped(scope, run).unwrap().join().unwrap()
    })
}

/// What a template gives, or the text of its error with the limit that it reached.
fn run(template: &str, limits: Limits) -> Result<String, (String, Option<BudgetExceeded>)> {
    run_on(RENDER_STACK_BYTES, template, limits)
}

fn run_on(stack: usize, template: &str, limits: Limits) -> Result<String, (String, Option<BudgetExceeded>)> {
    let result = on_stack(stack, || {
        let set = TemplateSet::parse([("t", &Arc::from(template.as_bytes()))], table(Profile::V4)).unwrap();
        let budget = Budget::new(limits);
        let host = FixedHost::default();
        Evaluator::new(&set, &budget, &host).execute("t", Value::Map(Map::new()))
    });
    // The error is told where there may be little stack.
    on_stack(SMALL_STACK_BYTES, || match result {
        Ok(output) => Ok(String::from_utf8(output).unwrap()),
        Err(error) => Err((error.code_frame() + &error.to_string(), error.budget())),
    })
}

fn parse(template: &str) -> Result<(), ParseError> {
    on_stack(SMALL_STACK_BYTES, || {
        let set = TemplateSet::parse([("t", &Arc::from(template.as_bytes()))], table(Profile::V4))?;
        // Dropping a deep tree recurses as well.
        drop(set);
        Ok(())
    })
}

/// A template that includes itself until a counter runs out, nested in control structures as real helpers are.
fn recursion(levels: usize) -> String {
    format!(
        r#"{{{{ define "r" }}}}{{{{ if gt .n 0 }}}}{{{{ with .n }}}}{{{{ printf "%s" (include "r" (dict "n" (int (sub . 1)))) }}}}.{{{{ end }}}}{{{{ end }}}}{{{{ end }}}}{{{{ include "r" (dict "n" {levels}) | len }}}}"#
    )
}

#[test]
fn a_thousand_nested_includes_work() {
    assert_eq!(run(&recursion(1000), Limits::default()), Ok(String::from("1000")));
}

#[test]
fn include_refuses_more_than_helm_does() {
    let (error, limit) = run(&recursion(5000), Limits::default()).unwrap_err();
    assert!(
        error.ends_with("rendering template has a nested reference name: r: unable to execute template"),
        "{error}"
    );
    assert_eq!(limit, None);
}

#[test]
fn endless_recursion_reaches_the_depth_limit() {
    for template in [
        r#"{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}"#,
        r#"{{ define "a" }}{{ range list 1 }}{{ with ((((((((include "b" .)))))))) }}{{ end }}{{ end }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}{{ template "a" . }}"#,
        r#"{{ define "r" }}{{ tpl "{{ template \"r\" . }}" . }}{{ end }}{{ template "r" . }}"#,
        r#"{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $d }}"#,
        r#"{{ $d := dict }}{{ $_ := set $d "d" (list $d) }}{{ printf "%v" $d }}"#,
    ] {
        let (error, limit) = run(template, Limits::default()).unwrap_err();
        assert_eq!(limit, Some(BudgetExceeded::Depth { limit: Limits::default().depth }), "{template}: {error}");
    }
}

#[test]
fn endless_work_reaches_the_step_limit() {
    let limits = Limits { steps: 100_000, ..Limits::default() };
    for template in [
        "{{ range 9223372036854775807 }}{{ end }}",
        "{{ range until 300 }}{{ range until 300 }}{{ range until 300 }}x{{ end }}{{ end }}{{ end }}",
        r#"{{ range until 1000 }}{{ $x := printf "%d" . | len }}{{ range until 1000 }}{{ $x = add $x 1 }}{{ end }}{{ end }}"#,
    ] {
        let (error, limit) = run(template, limits).unwrap_err();
        assert_eq!(limit, Some(BudgetExceeded::Steps { limit: limits.steps }), "{template}: {error}");
    }
}

#[test]
fn large_outputs_reach_the_byte_limit() {
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    for template in [
        r#"{{ printf "%999999d%999999d" 1 1 }}"#,
        r#"{{ printf "%.999999f%.999999f" 1.5 1.5 }}"#,
        r#"{{ $s := "xxxxxxxxxxxxxxxx" }}{{ range until 40 }}{{ $s = print $s $s }}{{ end }}"#,
        r#"{{ $d := list "xxxxxxxxxxxxxxxx" }}{{ range until 40 }}{{ $d = list $d $d }}{{ end }}{{ $d }}"#,
        r#"{{ $d := dict "a" "b" }}{{ range until 40 }}{{ $d = dict "a" $d "b" $d }}{{ end }}{{ printf "%q" $d }}"#,
        r#"{{ define "d" }}{{ if . }}{{ $h := include "d" (rest .) }}{{ $h }}{{ $h }}{{ else }}xxxxxxxxxxxxxxxx{{ end }}{{ end }}{{ include "d" (until 40) }}"#,
    ] {
        let (error, limit) = run(template, limits).unwrap_err();
        assert_eq!(limit, Some(BudgetExceeded::Bytes { limit: limits.bytes }), "{template}: {error}");
    }
}

#[test]
fn nesting_in_the_source_is_limited() {
    let parentheses = |depth: usize| format!("{{{{ {}1{} }}}}", "(".repeat(depth), ")".repeat(depth));
    let conditions = |depth: usize| format!("{}{}", "{{ if 1 }}".repeat(depth), "{{ end }}".repeat(depth));
    let alternatives = |depth: usize| format!("{{{{ if 1 }}}}{}{{{{ end }}}}", "{{ else if 1 }}".repeat(depth));
    let blocks = |depth: usize| {
        let names: Vec<String> = (0..depth).map(|index| format!("{{{{ block \"{index}\" . }}}}")).collect();
        names.concat() + &"{{ end }}".repeat(depth)
    };
    for source in [parentheses, conditions, alternatives, blocks] as [fn(usize) -> String; 4] {
        assert_eq!(parse(&source(140)), Ok(()));
        assert_eq!(parse(&source(100_000)).unwrap_err().message, "max expression depth exceeded");
    }
}

/// Arguments by which the functions below can be called at all.
const CALLS: &[&str] = &[
    "toYaml $v",
    "toYamlPretty $v",
    "toJson $v",
    "toPrettyJson $v",
    "toRawJson $v",
    "toToml $v",
    "deepCopy $v",
    "deepEqual $v $w",
    "has $v (list $w)",
    "uniq (list $v $w)",
    "without (list $v) $w",
    "compact (list $v $v)",
    "merge (dict) $v $w",
    "mergeOverwrite (dict) $v $w",
    "merge (deepCopy $w) $v",
    "print $v",
    "quote $v",
    "squote $v",
    "toString $v",
    "toStrings (list $v)",
    "join \",\" (list $v)",
    "cat $v",
    "html $v",
    "js $v",
    "urlquery $v",
    "printf \"%#v\" $v",
    "printf \"%q\" $v",
    "eq $v $w",
    "empty $v",
    "default $v $w",
    "coalesce $v",
    "ternary $v $w true",
    "keys $v",
    "values $v",
    "pick $v \"a\"",
    "omit $v \"b\"",
    "get $v \"a\"",
    "len $v",
    "typeOf $v",
    "kindOf $v",
    "sortAlpha (list $v $w)",
    "first (list $v)",
    "concat (list $v) (list $w)",
    "dig \"a\" \"a\" \"a\" \"\" $v",
    "fail (print $v)",
    "required \"\" $v",
    "tpl \"{{ . }}\" $v",
    "urlJoin $v",
];

/// Whatever a function does with a value that is very deep or contains itself, it comes back.
#[test]
fn functions_survive_deep_and_circular_values() {
    let deep = r#"{{ $v := dict }}{{ $w := dict }}{{ range until 20000 }}{{ $v = dict "a" $v }}{{ $w = dict "a" $w }}{{ end }}"#;
    let circular = r#"{{ $v := dict }}{{ $_ := set $v "a" $v }}{{ $w := dict }}{{ $_ := set $w "a" (dict "a" $w) }}"#;
    for preparation in [deep, circular] {
        for call in CALLS {
            // A small budget: a function that visits more and more must charge for it.
            let limits = Limits { steps: 2_000_000, bytes: 16 << 20, depth: 1_000, ..Limits::default() };
            let template = format!("{preparation}{{{{ {call} | len }}}}");
            let result = run_on(RENDER_STACK_BYTES / 8, &template, limits);
            if let Err((error, None)) = &result {
                assert!(!error.contains("not defined"), "{call}: {error}");
            }
        }
    }
}
