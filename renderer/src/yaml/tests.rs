use super::*;

fn decoded(text: &str) -> String {
    match decode(text.as_bytes()) {
        Ok(json) => json.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn plain_scalars_resolve_by_yaml_1_1() {
    let rows = [
        ("yes", "true"),
        ("n", "false"),
        ("nO", "\"nO\""),
        ("", "null"),
        ("~", "null"),
        ("0x1F", "31.0"),
        ("0o17", "15.0"),
        ("014", "12.0"),
        ("089", "89.0"),
        ("0b11", "3.0"),
        ("1_000", "1000.0"),
        ("1e3", "1000.0"),
        (".5", "0.5"),
        ("5.", "5.0"),
        ("1e400", "\"1e400\""),
        ("18446744073709551615", "1.8446744073709552e+19"),
        ("1:30", "\"1:30\""),
        ("2001-12-14", "\"2001-12-14\""),
        ("_1", "\"_1\""),
        ("0x", "\"0x\""),
        ("+", "\"+\""),
        ("1.2.3", "\"1.2.3\""),
        ("'5'", "\"5\""),
        ("!!str 5", "\"5\""),
        ("!!int \"5\"", "5.0"),
        ("!!float 3", "3.0"),
        ("!!bool \"yes\"", "true"),
        ("!!binary aGk=", "\"hi\""),
        ("!x 5", "\"5\""),
    ];
    for (text, json) in rows {
        assert_eq!(decoded(text), json, "{text}");
    }
}

#[test]
fn mappings_follow_go_yaml() {
    let rows = [
        ("y: 1\nn: 2", r#"{"false":2.0,"true":1.0}"#),
        ("1: a\n1.5: b\n~x: c", r#"{"1":"a","1.5":"b","~x":"c"}"#),
        ("a: 1\na: 2", r#"{"a":2.0}"#),
        ("a: &x {k: 1}\nb: *x", r#"{"a":{"k":1.0},"b":{"k":1.0}}"#),
        ("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  k: 3", r#"{"a":{"k":1.0,"l":2.0},"b":{"k":3.0,"l":2.0}}"#),
        ("a:\n- b:\n", r#"{"a":[{"b":null}]}"#),
        ("a: 1\n---\nb: 2", r#"{"a":1.0}"#),
    ];
    for (text, json) in rows {
        assert_eq!(decoded(text), json, "{text}");
    }
}

#[test]
fn aliases_cannot_multiply_without_bound() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let previous = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
    }
    assert_eq!(decoded(&bomb), "error: error converting YAML to JSON: yaml: document contains excessive aliasing");
    assert_eq!(decoded("a: &a [*a]"), "error: error converting YAML to JSON: yaml: anchor 'a' value contains itself");
}

#[test]
fn positions_point_at_keys_and_values() {
    let node = parse(b"a:\n  b: 1\n  c:   [x]\n").unwrap();
    let entry = node.get("a").unwrap().entry("c").unwrap();
    assert_eq!(entry.key_position, Position { line: 3, column: 3 });
    assert_eq!(entry.value.position, Position { line: 3, column: 8 });
}
