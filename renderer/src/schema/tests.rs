//! Helm's messages. The expected texts were printed by Helm 4.3.1 for the same charts, except for their order.

use super::*;
use crate::ChartFile;

fn chart(files: &[(&str, &str)]) -> Chart {
    let file = |(name, text): &(&str, &str)| ChartFile { name: (*name).to_owned(), data: text.as_bytes().to_vec() };
    Chart::load(files.iter().map(file).collect()).unwrap()
}

fn problems(schema: &str, values: &str) -> String {
    let chart = chart(&[
        ("Chart.yaml", "{apiVersion: v2, name: demo, version: 1.0.0}"),
        ("values.schema.json", schema),
        ("values.yaml", values),
    ]);
    match validate(&chart, &Values::new()) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

const HEADER: &str = "values don't meet the specifications of the schema(s) in the following chart(s):\n";

#[test]
fn words_violations_as_helm_does() {
    for (schema, values, expected) in [
        (r#"{"properties": {"a": {"type": "integer"}}}"#, "a: 5.0", ""),
        (r#"{"properties": {"a": {"type": "integer"}}}"#, "a: 5.5", "- at '/a': got number, want integer\n"),
        (
            r#"{"properties": {"a": {"type": ["string", "null"]}}}"#,
            "a: true",
            "- at '/a': got boolean, want null or string\n",
        ),
        (r#"{"properties": {"a": {"maximum": 100}}}"#, "a: 70000", "- at '/a': maximum: got 70,000, want 100\n"),
        (r#"{"properties": {"a": {"multipleOf": 0.5}}}"#, "a: 1.25", "- at '/a': multipleOf: got 1.25, want 0.5\n"),
        (
            r#"{"properties": {"a": {"minLength": 3, "pattern": "^b"}}}"#,
            "a: \u{e4}",
            "- at '/a': minLength: got 1, want 3\n- at '/a': '\u{e4}' does not match pattern '^b'\n",
        ),
        (
            r#"{"required": ["x", "y"], "additionalProperties": false}"#,
            "zzz: 1",
            "- at '': missing properties 'x', 'y'\n- at '': additional properties 'zzz' not allowed\n",
        ),
        (
            r#"{"properties": {"a": {"enum": ["b", 1, null, true]}}}"#,
            "a: c",
            "- at '/a': value must be one of 'b', 1, <nil>, true\n",
        ),
        // What is of the wrong type or none of what is allowed is not looked at further.
        (
            r#"{"properties": {"a": {"type": "string", "enum": ["x"], "allOf": [{"minLength": 3}]}}}"#,
            "a: 5",
            "- at '/a': got number, want string\n",
        ),
        (
            r#"{"properties": {"a": {"required": ["k"], "properties": {"b": {"minimum": 3, "const": 7}}}}}"#,
            "a: {b: 1}",
            "- at '/a': missing property 'k'\n- at '/a/b': value must be 7\n",
        ),
        (
            r#"{"properties": {"a": {"const": {"x": 1}, "properties": {"b": {"type": "string"}}}}}"#,
            "a: {b: 1}",
            "- at '/a': 'const' failed\n",
        ),
        (
            r#"{"properties": {"a": {"items": {"type": "string", "minLength": 2}}}}"#,
            "a: [1, x, yy]",
            "- at '/a/0': got number, want string\n- at '/a/1': minLength: got 1, want 2\n",
        ),
        (r#"{"properties": {"a": {"const": "b'c"}}}"#, "a: c", "- at '/a': value must be 'b\\'c'\n"),
        (r#"{"properties": {"a/b": false}}"#, "a/b: c", "- at '/a~1b': false schema\n"),
        (
            r#"{"properties": {"a": {"anyOf": [{"type": "string"}, {"required": ["b"]}]}}}"#,
            "a: {c: 1}",
            "- at '/a': 'anyOf' failed\n  - at '/a': got object, want string\n  - at '/a': missing property 'b'\n",
        ),
        (
            r#"{"properties": {"a": {"oneOf": [{"type": "string"}, {"minLength": 1}]}}}"#,
            "a: c",
            "- at '/a': 'oneOf' failed, subschemas 0, 1 matched\n",
        ),
        (r#"{"properties": {"a": {"not": {"type": "string"}}}}"#, "a: c", "- at '/a': 'not' failed\n"),
        (r#"{"properties": {"a": {"uniqueItems": true}}}"#, "a: [x, y, x]", "- at '/a': items at 0 and 2 are equal\n"),
        (
            r##"{"$defs": {"p": {"type": "string"}}, "properties": {"a": {"items": {"$ref": "#/$defs/p"}}}}"##,
            "a: [x, {}]",
            "- at '/a/1': got object, want string\n",
        ),
        (
            r#"{"$schema": "https://json-schema.org/draft-07/schema#", "properties": {"a": {"format": "ipv4"}}}"#,
            "a: 1.2.3.4",
            "",
        ),
        (r#"{"properties": {"a": {"format": "ipv4"}}}"#, "a: x", ""),
        (r#"{"properties": {"a": {"$ref": "urn:example:x"}}}"#, "a: x", ""),
    ] {
        let expected = if expected.is_empty() { String::new() } else { format!("{HEADER}demo:\n{expected}") };
        assert_eq!(problems(schema, values), expected, "{schema} {values}");
    }
}

#[test]
fn refuses_schemas_that_cannot_be_used() {
    for (schema, expected) in [
        ("{", "unexpected EOF"),
        (r#"{"type": "nothing"}"#, "'anyOf' failed"),
        (r#"{"$ref": "https://example.com/schema.json"}"#, "not followed"),
        (r#"{"$ref": "file:///etc/passwd"}"#, "not followed"),
        (r##"{"$ref": "#/$defs/missing"}"##, "missing"),
        (
            r#"{"$schema": "https://example.com/draft"}"#,
            "failing loading \"https://example.com/draft\": references to other documents are not followed",
        ),
        (r#"{"properties": {"a": {"pattern": "(?=x)"}}}"#, "(?=x)"),
    ] {
        let text = problems(schema, "a: x");
        assert!(text.starts_with(HEADER) && text.contains(expected), "{schema}: {text}");
    }
}

#[test]
fn ends_soon_whatever_a_schema_asks_for() {
    // Each level applies the next one twice.
    let doubling: Vec<String> = (0..40)
        .map(|level| {
            let next = format!(r##"{{"$ref": "#/$defs/l{}"}}"##, level + 1);
            format!(r#""l{level}": {{"allOf": [{next}, {next}]}}"#)
        })
        .collect();
    let doubling =
        format!(r##"{{"$ref": "#/$defs/l0", "$defs": {{{}, "l40": {{"minProperties": 1}}}}}}"##, doubling.join(", "));
    let deep = format!("{}{{}}{}", r#"{"not": "#.repeat(250), "}".repeat(250));
    let circle = r##"{"properties": {"a": {"$ref": "#/properties/a"}}}"##;
    for (schema, expected) in [
        (doubling.as_str(), "the schema needs more than 500000 steps"),
        (deep.as_str(), ""),
        (circle, "causing reference cycle"),
        (r#"{"properties": {"a": {"pattern": "(a{0,1000}){0,1000}"}}}"#, "invalid repeat count"),
        (r#"{"properties": {"a": {"pattern": "((\\pL{0,30}){0,30}){0,1}"}}}"#, "pattern of"),
    ] {
        let text = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(crate::template::RENDER_STACK_BYTES);
            thread.spawn_scoped(scope, || problems(schema, "a: x")).unwrap().join().unwrap()
        });
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn validates_enabled_subcharts_under_their_alias() {
    let chart = chart(&[
        (
            "Chart.yaml",
            "{apiVersion: v2, name: demo, version: 1.0.0, dependencies: [{name: db, version: '*', alias: main}, \
             {name: db, version: '*', alias: spare, condition: spare.enabled}]}",
        ),
        ("values.yaml", "{main: {port: x}, spare: {enabled: false}}"),
        ("charts/db/Chart.yaml", "{apiVersion: v2, name: db, version: 1.0.0}"),
        ("charts/db/values.schema.json", r#"{"properties": {"port": {"type": "integer"}}}"#),
        ("charts/db/values.yaml", "port: y"),
    ]);
    let error = validate(&chart, &Values::new()).unwrap_err();
    assert_eq!(error.to_string(), format!("{HEADER}main:\n- at '/port': got string, want integer\n"));
    let ValidationError::Schema(error) = error else { panic!("{error}") };
    assert_eq!(error.charts[0].path, ["main"]);
}
