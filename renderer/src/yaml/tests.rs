use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::{Limits, json, toml};

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
        bomb = format!("{bomb}a{level}: &a{level} [{previous}]\n");
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

/// The rows of the fixture: a string, and how `toYaml`, `toYamlPretty` and a key of `toYaml` write it; `None` for an
/// error.
fn fixture_rows() -> Vec<(String, [Option<String>; 3])> {
    let column = |text: &str| Some(unquoted(text.trim())).filter(|text| text != "ERR");
    include_str!("../../tests/fixtures/yaml-scalars.txt")
        .lines()
        .filter_map(|line| {
            let (text, rest) = line.split_once(" v2=")?;
            let (v2, rest) = rest.split_once(" v3=")?;
            let (v3, key) = rest.split_once(" key=")?;
            let columns = [column(v2), column(v3), column(key).filter(|key| !key.is_empty())];
            Some((unquoted(text.trim()), columns))
        })
        .collect()
}

#[test]
fn strings_are_written_as_go_writes_them() {
    let rows = fixture_rows();
    assert_eq!(rows.len(), 202);
    for (text, [v2, v3, key]) in rows {
        let value = Value::from(text.as_str());
        let budget = Budget::new(Limits::default());
        assert_eq!(encode(&value, &budget).ok().map(trimmed), v2, "toYaml of {text:?}");
        assert_eq!(encode_pretty(&value, &budget).ok().map(trimmed), v3, "toYamlPretty of {text:?}");
        let map: crate::value::Map = [(text.as_str().into(), Value::Float64(1.0))].into_iter().collect();
        assert_eq!(encode(&Value::Map(map), &budget).ok(), key, "key {text:?}");
    }
}

fn trimmed(text: String) -> String {
    text.strip_suffix('\n').map(str::to_owned).unwrap_or(text)
}

/// Undoes Go's `%q`.
fn unquoted(quoted: &str) -> String {
    let mut text = String::new();
    let mut characters = quoted.strip_prefix('"').unwrap().strip_suffix('"').unwrap().chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        let escape = characters.next().unwrap();
        let mut code = |digits: usize| {
            let digits: String = characters.by_ref().take(digits).collect();
            char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
        };
        text.push(match escape {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => code(2),
            'u' => code(4),
            'U' => code(8),
            other => other,
        });
    }
    text
}

fn rows(fixture: &str) -> impl Iterator<Item = Json> {
    fixture.lines().map(|line| serde_json::from_str(line).unwrap())
}

/// The value as a chart has it: all numbers are floats.
fn value(json: &Json) -> Value {
    json::decode(json.to_string().as_bytes()).unwrap().value
}

fn budget() -> Budget {
    Budget::new(Limits::default())
}

/// Go prints whole floats without a fraction; this makes both sides floats.
fn as_floats(json: &Json) -> Json {
    match json {
        Json::Number(number) => Json::from(number.as_f64().unwrap()),
        Json::Array(items) => items.iter().map(as_floats).collect(),
        Json::Object(members) => members.iter().map(|(key, member)| (key.clone(), as_floats(member))).collect(),
        other => other.clone(),
    }
}

#[test]
fn texts_are_read_as_go_reads_them() {
    for row in rows(include_str!("../../tests/fixtures/yaml-read.jsonl")) {
        let text = row["in"].as_str().unwrap();
        match decode(text.as_bytes()) {
            Ok(json) => assert_eq!((json, None), (as_floats(&row["json"]), row.get("err")), "{text:?}"),
            Err(error) => assert_eq!(Some(error.to_string().as_str()), row["err"].as_str(), "{text:?}"),
        }
    }
}

#[test]
fn values_are_written_as_go_writes_them() {
    for row in rows(include_str!("../../tests/fixtures/yaml-write.jsonl")) {
        let value = value(&row["in"]);
        assert_eq!(trimmed(encode(&value, &budget()).unwrap()), row["v2"], "{}", row["in"]);
        assert_eq!(trimmed(encode_pretty(&value, &budget()).unwrap()), row["v3"], "{}", row["in"]);
    }
    for row in rows(include_str!("../../tests/fixtures/toml-write.jsonl")) {
        assert_eq!(toml::encode(&value(&row["in"]), &budget()).unwrap(), row["toml"], "{}", row["in"]);
    }
}

#[test]
fn json_is_read_as_go_reads_it() {
    for row in rows(include_str!("../../tests/fixtures/json-read.jsonl")) {
        let text = row["in"].as_str().unwrap();
        let result = json::decode(text.as_bytes()).and_then(|decoded| decoded.error.map_or(Ok(decoded.value), Err));
        match result {
            Ok(value) => {
                let encoded = json::encode(&value, json::Style::COMPACT, &budget()).unwrap();
                assert_eq!(serde_json::from_slice::<Json>(&encoded).unwrap(), row["json"], "{text}");
            }
            Err(error) => assert_eq!(Some(error.to_string().as_str()), row["err"].as_str(), "{text}"),
        }
    }
}

/// Trees whose strings are full of characters that mean something to YAML.
fn trees() -> impl Strategy<Value = Json> {
    let text = prop_oneof![
        "[a-z0-9 :#,'\"\\[\\]{}&*!|>%@`?\\\\\n\t~.<=_-]{0,24}",
        "(yes|n|~|0x1F|1e3|2001-12-14|1:30|<<| |\n|---|é|😀){0,4}",
        "([a-z]{1,12} ){0,20}",
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        (-1e9..1e9_f64).prop_map(Json::from),
        text.clone().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::hash_map(text.clone(), inner, 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn shown_trees_read_back(tree in trees()) {
        prop_assert_eq!(decode(encode_json(&tree).as_bytes()).unwrap(), as_floats(&tree));
    }

    #[test]
    fn written_values_read_back(tree in trees()) {
        // Go writes the key `<<` plainly, which merges when it is read.
        prop_assume!(!tree.to_string().contains("<<"));
        let written = encode(&value(&tree), &budget()).unwrap();
        prop_assert_eq!(decode(written.as_bytes()).unwrap(), as_floats(&tree));
        // Go's other writer begins literal blocks with tabs, which its reader refuses.
        prop_assume!(!tree.to_string().contains("\\t"));
        let written = encode_pretty(&value(&tree), &budget()).unwrap();
        prop_assert_eq!(decode(written.as_bytes()).unwrap(), as_floats(&tree));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,80}", pieces in "([-?:,\\[\\]{}#&*!|>'\"%@` \n\ta-z<]{0,60})") {
        let _ = parse_all(text.as_bytes());
        let _ = parse_all(pieces.as_bytes());
    }
}

#[test]
fn the_deepest_trees_fit_the_stack_and_deeper_ones_are_refused() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(decode(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(
        decode(nested(MAX_DEPTH + 1).as_bytes()).unwrap_err().problem(),
        format!("yaml: exceeded max depth of {MAX_DEPTH}")
    );
    assert!(json::decode(nested(json::MAX_DECODE_DEPTH + 2).as_bytes()).is_err());
    let mut value = json::decode(nested(json::MAX_DECODE_DEPTH).as_bytes()).unwrap().value;
    let encode_all = |value: &Value| {
        [
            json::encode(value, json::Style::PRETTY, &budget()).is_ok(),
            encode(value, &budget()).is_ok(),
            encode_pretty(value, &budget()).is_ok(),
            toml::encode(value, &budget()).is_ok(),
        ]
    };
    assert_eq!(encode_all(&value), [true; 4]);
    for _ in 0..2 {
        value = Value::list(vec![value]);
    }
    assert_eq!(encode_all(&value), [false; 4]);
}

/// Go goes through maps in random order: these are among its answers.
#[test]
fn of_several_answers_one_is_given() {
    assert_eq!(decoded("1: a\n'1': b"), r#"{"1":"b"}"#);
    let two_nulls =
        "error: error converting YAML to JSON: unsupported map key of type: %!s(<nil>), key: <nil>, value: ";
    assert_eq!(decoded("a: {~: 1}\nb: {~: 2}"), format!("{two_nulls}1"));
    let keys = ["5.z", "12001", "1e3"];
    let map: crate::value::Map = keys.into_iter().map(|key| (key.into(), Value::Nil)).collect();
    let written = encode(&Value::Map(map), &budget()).unwrap();
    assert!(keys.iter().all(|key| written.contains(key)), "{written}");
}

#[test]
fn shared_values_cannot_multiply_without_bound() {
    let mut value = Value::from("x");
    for _ in 0..64 {
        value = Value::list(vec![value.clone(), value]);
    }
    let exceeded = |result: Result<String, EncodeError>| matches!(result, Err(EncodeError::Budget(_)));
    let budget = || Budget::new(Limits { steps: 10_000, ..Limits::default() });
    assert!(exceeded(encode(&value, &budget())));
    assert!(exceeded(encode_pretty(&value, &budget())));
    assert!(exceeded(toml::encode(&value, &budget())));
    assert!(matches!(json::encode(&value, json::Style::COMPACT, &budget()), Err(EncodeError::Budget(_))));
}
