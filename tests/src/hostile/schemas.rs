//! `values.schema.json`: schemas that never end, values that take long to validate, errors without end.

use super::End::{Printed, Refused};
use super::input::{nested, numbered};
use super::{Bomb, Input, bomb};

/// Far deeper than readers may recurse.
const DEEP: usize = 100_000;

/// A schema whose definitions each refer to the next one twice.
fn doubling(keyword: &str, last: &str) -> String {
    let definitions = numbered(40, |level| {
        let next = format!("{{\"$ref\":\"#/definitions/d{}\"}}", level + 1);
        format!("\"d{level}\":{{\"{keyword}\":[{next},{next}]}},")
    });
    format!("{{\"definitions\":{{{definitions}\"d40\":{last}}},\"$ref\":\"#/definitions/d0\"}}")
}

/// `count` schemas in a list.
fn schemas(count: usize, schema: impl FnMut(usize) -> String) -> String {
    (0..count).map(schema).collect::<Vec<_>>().join(",")
}

/// Values with a list of numbers from 0.
fn numbers(count: usize) -> String {
    format!("a: [{}]", numbered(count, |index| format!("{index},")))
}

pub(super) const BOMBS: &[Bomb] = &[
    bomb("schema-ref-itself", "a schema that is itself", Refused("causing reference cycle"), || {
        Input::schema(r##"{"$ref":"#"}"##, "")
    }),
    bomb("schema-ref-each-other", "schemas that are each other", Refused("causing reference cycle"), || {
        let definitions = r##"{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}"##;
        Input::schema(format!(r##"{{"definitions":{definitions},"$ref":"#/definitions/a"}}"##), "")
    }),
    bomb("schema-all-of-itself", "a schema that requires itself", Refused("causing reference cycle"), || {
        Input::schema(r##"{"allOf":[{"$ref":"#"},{"$ref":"#"}]}"##, "")
    }),
    bomb("schema-dynamic-ref-itself", "a schema that is itself", Refused("causing reference cycle"), || {
        Input::schema(
            r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$dynamicAnchor":"a","$dynamicRef":"#a"}"##,
            "",
        )
    }),
    bomb("schema-ref-chain", "a very long chain of references", Refused("more than 30000 schemas"), || {
        let definitions =
            numbered(50_000, |index| format!("\"d{index}\":{{\"$ref\":\"#/definitions/d{}\"}},", index + 1));
        Input::schema(format!("{{\"definitions\":{{{definitions}\"d50000\":true}},\"$ref\":\"#/definitions/d0\"}}"), "")
    }),
    bomb("schema-ref-file", "a reference to a file", Refused("file:///dev/zero"), || {
        Input::schema(r#"{"$ref":"file:///dev/zero"}"#, "")
    }),
    bomb("schema-ref-http", "a reference to an address", Refused("http://169.254.169.254/"), || {
        Input::schema(r#"{"$ref":"http://169.254.169.254/"}"#, "")
    }),
    bomb("schema-all-of", "schemas required twice at each level", Refused("the schema needs more than"), || {
        Input::schema(doubling("allOf", "true"), "")
    }),
    bomb(
        "schema-any-of",
        "alternatives of alternatives",
        Refused("the violations of the schema take more than"),
        || Input::schema(doubling("anyOf", "false"), ""),
    ),
    bomb(
        "schema-one-of",
        "alternatives of alternatives",
        Refused("the violations of the schema take more than"),
        || Input::schema(doubling("oneOf", "false"), ""),
    ),
    bomb("schema-not", "a very long chain of opposites", Refused("exceeded max depth of"), || {
        Input::schema(nested(DEEP, "{\"not\":", "{}", "}"), "")
    }),
    bomb("schema-deep", "schemas in schemas", Refused("the schema has more than"), || {
        Input::schema(nested(DEEP, "{\"properties\":{\"a\":", "{}", "}}"), "")
    }),
    bomb("schema-many", "very many schemas", Refused("the schema has more than"), || {
        Input::schema(format!("{{\"allOf\":[{}]}}", schemas(1_000_000, |_| "{}".to_owned())), "")
    }),
    bomb(
        "schema-any-of-items",
        "each item compared with each alternative",
        Refused("the violations of the schema take more than"),
        || {
            let alternatives = schemas(10_000, |index| format!("{{\"const\":-{}}}", index + 1));
            Input::schema(
                format!("{{\"properties\":{{\"a\":{{\"items\":{{\"anyOf\":[{alternatives}]}}}}}}}}"),
                numbers(10_000),
            )
        },
    ),
    bomb(
        "schema-enum",
        "each item compared with a huge enumeration",
        Refused("the violations of the schema take more than"),
        || {
            let options = schemas(200_000, |index| format!("-{}", index + 1));
            Input::schema(
                format!("{{\"properties\":{{\"a\":{{\"items\":{{\"enum\":[{options}]}}}}}}}}"),
                numbers(100_000),
            )
        },
    ),
    bomb(
        "schema-enum-told",
        "a huge enumeration told for each item",
        Refused("the violations of the schema take more than"),
        || {
            let options = schemas(10_000, |index| format!("\"option {index}\""));
            Input::schema(
                format!("{{\"properties\":{{\"a\":{{\"items\":{{\"enum\":[{options}]}}}}}}}}"),
                numbers(10_000),
            )
        },
    ),
    bomb("schema-enum-deep", "a value compared with options almost like it", Refused("more than 300000 nodes"), || {
        let option = format!("[{}0]", "1,".repeat(1_000));
        let options = schemas(1_000, |_| option.clone());
        let value = format!("[{}1]", "1,".repeat(1_000));
        let values = format!("a: [{}]", vec![value; 1_000].join(","));
        Input::schema(format!("{{\"properties\":{{\"a\":{{\"items\":{{\"enum\":[{options}]}}}}}}}}"), values)
    }),
    bomb("schema-unique-numbers", "each number compared with each", Printed(""), || {
        Input::schema(r#"{"properties":{"a":{"uniqueItems":true}}}"#, numbers(100_000))
    }),
    bomb("schema-unique-lists", "each list compared with each", Refused("more than 300000 nodes"), || {
        let list = "1,".repeat(100);
        let lists = numbered(3_000, |index| format!("[{list}{index}],"));
        Input::schema(r#"{"properties":{"a":{"uniqueItems":true}}}"#, format!("a: [{lists}]"))
    }),
    bomb("schema-contains", "an item that is not there", Refused("got number, want string"), || {
        Input::schema(r#"{"properties":{"a":{"contains":{"type":"string"}}}}"#, numbers(100_000))
    }),
    bomb("schema-errors", "an error for each of very many items", Refused("got number, want string"), || {
        Input::schema(r#"{"properties":{"a":{"items":{"type":"string"}}}}"#, numbers(100_000))
    }),
    bomb("schema-error-tree", "errors in errors", Refused("'anyOf' failed"), || {
        Input::schema(doubling("anyOf", r#"{"type":"string"}"#).replace("d40", "d15"), "")
    }),
    bomb(
        "schema-error-paths",
        "errors at very long paths",
        Refused("the violations of the schema take more than"),
        || {
            let key = "k".repeat(100_000);
            Input::schema(
                r#"{"additionalProperties":{"items":{"type":"string"}}}"#,
                format!("? {key}\n: [{}]", "1,".repeat(10_000)),
            )
        },
    ),
    bomb("schema-error-values", "a long text told for each pattern", Refused("more than 500 patterns"), || {
        let patterns = schemas(1_000, |index| format!("{{\"pattern\":\"^{index}$\"}}"));
        Input::schema(
            format!("{{\"properties\":{{\"a\":{{\"allOf\":[{patterns}]}}}}}}"),
            format!("a: {}", "x".repeat(1 << 20)),
        )
    }),
    bomb("schema-pattern", "a pattern that makes others backtrack", Refused("does not match pattern"), || {
        Input::schema(r#"{"properties":{"a":{"pattern":"^(a+)+$"}}}"#, format!("a: {}b", "a".repeat(10_000)))
    }),
    bomb(
        "schema-pattern-long-text",
        "very many patterns and a long text",
        Refused("the violations of the schema take more than"),
        || {
            let patterns = schemas(200, |index| format!("{{\"pattern\":\"(a|aa|aaa)*{index}|a\"}}"));
            Input::schema(
                format!("{{\"properties\":{{\"a\":{{\"allOf\":[{patterns}]}}}}}}"),
                format!("a: {}", "b".repeat(4 << 20)),
            )
        },
    ),
    bomb(
        "schema-pattern-large",
        "the largest class many times",
        Refused("pattern of 13 bytes needs more than"),
        || Input::schema(r#"{"properties":{"a":{"pattern":"(\\pL\\PL){500}"}}}"#, "a: b"),
    ),
    bomb("schema-patterns", "very many large patterns", Refused("more than 500 patterns"), || {
        let patterns = schemas(20_000, |index| format!("{{\"pattern\":\"[a-z]{{500}}{index}\"}}"));
        Input::schema(format!("{{\"allOf\":[{patterns}]}}"), "")
    }),
    bomb("schema-pattern-properties", "each key compared with each pattern", Refused("more than 500 patterns"), || {
        let patterns = schemas(5_000, |index| format!("\"(a|aa)+{index}$\":{{}}"));
        Input::schema(
            format!("{{\"patternProperties\":{{{patterns}}}}}"),
            numbered(20_000, |index| format!("{}{index}b: 1\n", "a".repeat(50))),
        )
    }),
    bomb(
        "schema-required",
        "very many missing properties for each item",
        Refused("the violations of the schema take more than"),
        || {
            let names = schemas(10_000, |index| format!("\"name{index}\""));
            Input::schema(
                format!("{{\"properties\":{{\"a\":{{\"items\":{{\"required\":[{names}]}}}}}}}}"),
                format!("a: [{}]", "{},".repeat(10_000)),
            )
        },
    ),
    bomb(
        "schema-unevaluated",
        "properties that each alternative looks at",
        Refused("the schema needs more than"),
        || {
            let alternatives = schemas(5_000, |_| "{\"unevaluatedProperties\":true}".to_owned());
            Input::schema(
                format!(
                    "{{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"allOf\":[{alternatives}],\"unevaluatedProperties\":false}}"
                ),
                numbered(10_000, |index| format!("k{index}: 1\n")),
            )
        },
    ),
    bomb(
        "schema-property-names",
        "a schema for each key",
        Refused("the violations of the schema take more than"),
        || Input::schema(r#"{"propertyNames":{"maxLength":1}}"#, numbered(100_000, |index| format!("k{index}: 1\n"))),
    ),
    bomb(
        "schema-formats",
        "a format for a long text",
        Refused("a text with a format has more than 65536 bytes"),
        || {
            let formats = [
                "date-time",
                "email",
                "hostname",
                "ipv6",
                "uri",
                "uri-template",
                "iri",
                "regex",
                "json-pointer",
                "duration",
                "uuid",
                "idn-email",
                "semver",
                "period",
            ];
            let formats = formats.map(|format| format!("{{\"format\":\"{format}\"}}")).join(",");
            Input::schema(
                format!(
                    "{{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"properties\":{{\"a\":{{\"allOf\":[{formats}]}}}}}}"
                ),
                format!("a: \"{}\"", "a.".repeat(1 << 20)),
            )
        },
    ),
    bomb(
        "schema-format-regex",
        "very many regular expressions as values",
        Refused("the schema needs more than"),
        || {
            Input::schema(
                r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"items":{"format":"regex"}}}}"#,
                format!("a: [{}]", r"'(\pL\PL){400}',".repeat(10_000)),
            )
        },
    ),
    bomb("schema-multiple-of", "divisors of giant exponents", Refused("multipleOf"), || {
        Input::schema(
            r#"{"properties":{"a":{"items":{"multipleOf":1.7e-300}}}}"#,
            format!("a: [{}]", "1.3e300,".repeat(1_000)),
        )
    }),
    bomb("schema-number", "a limit with a giant exponent", Refused("exclusiveMinimum: got 0, want 0"), || {
        Input::schema(r#"{"properties":{"a":{"multipleOf":1e-999999999}}}"#, "a: 1")
    }),
    bomb("schema-number-digits", "a limit of very many digits", Refused("got null, want number"), || {
        Input::schema(format!("{{\"properties\":{{\"a\":{{\"maximum\":{}}}}}}}", "9".repeat(1 << 20)), "a: 1")
    }),
    bomb("schema-no-json", "a schema that does not end", Refused("the schema has more than"), || {
        Input::schema("[".repeat(1 << 20), "")
    }),
    bomb("schema-huge", "a schema of very many bytes", Refused("the schema has more than"), || {
        Input::schema(format!("{{\"description\":\"{}\"}}", "x".repeat(20 << 20)), "")
    }),
    bomb("schema-huge-items", "a schema of very many items", Refused("the schema has more than"), || {
        Input::schema(format!("{{\"examples\":[{}1]}}", "[],".repeat(10 << 20)), "")
    }),
    bomb("schema-invalid", "an error for each part of a schema", Refused("the schema needs more than"), || {
        Input::schema(format!("{{\"allOf\":[{}]}}", schemas(50_000, |_| "{\"type\":1}".to_owned())), "")
    }),
    bomb("schema-anchors", "very many anchors", Refused("the schema needs more than"), || {
        let definitions = schemas(50_000, |index| format!("\"d{index}\":{{\"$anchor\":\"a{index}\"}}"));
        Input::schema(
            format!("{{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$defs\":{{{definitions}}}}}"),
            "",
        )
    }),
    bomb(
        "schema-identifiers",
        "very many schemas of their own",
        Refused("more than 1000 schemas with identifiers"),
        || {
            let definitions =
                schemas(20_000, |index| format!("\"d{index}\":{{\"$id\":\"http://example.com/{index}\"}}"));
            Input::schema(
                format!(
                    "{{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"definitions\":{{{definitions}}}}}"
                ),
                "",
            )
        },
    ),
    bomb("schema-of-sub-charts", "a schema in very many sub-charts", Refused("more than 30000 schemas"), || {
        let schema = format!("{{\"allOf\":[{}]}}", schemas(1_000, |_| "{\"type\":\"object\"}".to_owned()));
        let charts = (0..1_000).flat_map(|index| {
            let chart = super::input::chart_yaml(&format!("c{index}"), "");
            [
                (format!("charts/c{index}/Chart.yaml"), chart),
                (format!("charts/c{index}/values.schema.json"), schema.clone()),
            ]
        });
        Input::chart().files(charts.collect::<Vec<_>>())
    }),
];
