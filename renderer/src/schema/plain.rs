//! Schemas that surely fulfil the schema of their draft.
//!
//! Asking the draft's schema means to read and compile it first, which takes longer than everything else that a small
//! render does. Almost every public schema is made of the keywords below, used as they are meant; whatever is not
//! recognised here is no error, but left to the draft's schema.

use serde_json::{Map, Value};

use super::document::Draft;
use super::format::Format;
use super::message;

/// Deeper schemas are left to the draft's schema.
const MAX_DEPTH: usize = 200;

/// More items than this are not compared with each other.
const MAX_COMPARED: usize = 64;

/// Whether a schema is valid without doubt. False says nothing.
pub(super) fn is_surely_valid(schema: &Value, draft: Draft) -> bool {
    is_schema(schema, draft, 0)
}

fn is_schema(schema: &Value, draft: Draft, depth: usize) -> bool {
    match schema {
        Value::Bool(_) => draft >= Draft::Draft6,
        Value::Object(members) => {
            depth < MAX_DEPTH && members.iter().all(|(keyword, value)| is_member(keyword, value, draft, depth + 1))
        }
        _ => false,
    }
}

/// Where drafts differ, the strictest of them counts.
fn is_member(keyword: &str, value: &Value, draft: Draft, depth: usize) -> bool {
    match keyword {
        "type" => match value {
            Value::String(name) => is_type(name),
            Value::Array(_) => is_set_of_strings(value, 1) && strings(value).all(is_type),
            _ => false,
        },
        "properties" | "definitions" | "$defs" | "dependentSchemas" => is_map_of_schemas(value, draft, depth).is_some(),
        "patternProperties" => is_map_of_schemas(value, draft, depth)
            .is_some_and(|members| members.keys().all(|pattern| has_format("regex", pattern))),
        "additionalProperties" | "additionalItems" if value.is_boolean() => true,
        "items" if value.is_array() => draft < Draft::Draft2020 && is_list_of_schemas(value, draft, depth),
        "items"
        | "additionalProperties"
        | "additionalItems"
        | "not"
        | "if"
        | "then"
        | "else"
        | "contains"
        | "propertyNames"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "contentSchema" => is_schema(value, draft, depth),
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => is_list_of_schemas(value, draft, depth),
        "enum" => is_set(value, 1),
        "required" => is_set_of_strings(value, usize::from(draft == Draft::Draft4)),
        "title" | "description" | "$comment" | "format" | "contentEncoding" | "contentMediaType" => value.is_string(),
        "minimum" | "maximum" => value.is_number(),
        "exclusiveMinimum" | "exclusiveMaximum" => draft >= Draft::Draft6 && value.is_number(),
        "multipleOf" => value.as_f64().is_some_and(|number| number > 0.0),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" | "minContains"
        | "maxContains" => value.as_f64().is_some_and(|number| number >= 0.0 && number.fract() == 0.0),
        "pattern" => value.as_str().is_some_and(|pattern| has_format("regex", pattern)),
        "uniqueItems" | "readOnly" | "writeOnly" | "deprecated" => value.is_boolean(),
        "examples" => value.is_array(),
        "$schema" => value.as_str().is_some_and(|name| Draft::named(name).is_some()),
        "$ref" => value.as_str().is_some_and(|reference| has_format("uri-reference", reference)),
        "$anchor" | "$dynamicAnchor" | "$dynamicRef" | "$id" | "$recursiveAnchor" | "$recursiveRef" | "$vocabulary"
        | "dependencies" | "dependentRequired" | "id" => false,
        // Anything is a `const` or `default`, and drafts say nothing of keywords that they do not know.
        _ => true,
    }
}

fn is_type(name: &str) -> bool {
    message::TYPE_ORDER.contains(&name)
}

fn is_map_of_schemas(value: &Value, draft: Draft, depth: usize) -> Option<&Map<String, Value>> {
    let members = value.as_object()?;
    members.values().all(|member| is_schema(member, draft, depth)).then_some(members)
}

fn is_list_of_schemas(value: &Value, draft: Draft, depth: usize) -> bool {
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(|item| is_schema(item, draft, depth)))
}

fn is_set_of_strings(value: &Value, least: usize) -> bool {
    is_set(value, least) && strings(value).count() == value.as_array().map_or(0, Vec::len)
}

/// Whether all items are simple and different.
fn is_set(value: &Value, least: usize) -> bool {
    let Some(items) = value.as_array() else { return false };
    let same = |left: &Value, right: &Value| match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        _ => left == right,
    };
    (least..=MAX_COMPARED).contains(&items.len())
        && !items.iter().any(|item| item.is_object() || item.is_array())
        && items.iter().enumerate().all(|(index, item)| !items[..index].iter().any(|earlier| same(earlier, item)))
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn has_format(format: &str, text: &str) -> bool {
    Format::named(format).is_some_and(|format| format.check(text).is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::{compile, validate};
    use super::*;

    const DRAFTS: [Draft; 5] = [Draft::Draft4, Draft::Draft6, Draft::Draft7, Draft::Draft2019, Draft::Draft2020];

    fn is_valid(schema: &Value, draft: Draft) -> bool {
        let metaschema = compile::metaschema(draft).expect("a draft's schema is valid");
        validate::validate(metaschema, schema).is_ok_and(|violations| violations.is_empty())
    }

    #[test]
    fn recognises_what_charts_use() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Values",
            "type": "object",
            "required": ["image"],
            "definitions": {"port": {"type": "integer", "minimum": 1, "maximum": 65535}},
            "properties": {
                "image": {"type": "string", "pattern": "^[a-z0-9./:-]+$", "immutable": true, "minLength": 1},
                "ports": {"type": ["array", "null"], "items": {"$ref": "#/definitions/port"}, "uniqueItems": true},
                "kind": {"enum": ["Deployment", "StatefulSet", null], "default": {"any": []}},
                "extra": {"type": "object", "additionalProperties": {"type": "string"}},
                "rest": {"oneOf": [{"type": "string"}, {"not": {"const": [1]}}], "additionalProperties": false},
            },
            "additionalProperties": false,
        });
        for draft in DRAFTS {
            assert!(is_surely_valid(&schema, draft), "{draft:?}");
            assert!(is_valid(&schema, draft), "{draft:?}");
        }
    }

    /// Values of which some fit a keyword and others do not.
    fn argument(schema: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
        let simple = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            prop::sample::select(vec![json!(0), json!(1), json!(1.0), json!(-1), json!(2.5), json!(1e300)]),
            prop::sample::select(vec!["string", "object", "a", "", "#/a", "[", "a b", "%", "urn:x", "text", "^a$"])
                .prop_map(Value::from),
            Just(json!("http://json-schema.org/draft-07/schema#")),
        ];
        let list = prop::collection::vec(simple.clone(), 0..3).prop_map(Value::from);
        let schemas = prop::collection::vec(schema.clone(), 0..3).prop_map(Value::from);
        let names = prop::sample::select(vec!["a", "b", "(", "$ref"]).prop_map(str::to_owned);
        let map = prop::collection::btree_map(names, schema.clone(), 0..3)
            .prop_map(|members| Value::Object(members.into_iter().collect()));
        prop_oneof![3 => simple, 1 => list, 2 => schema, 1 => schemas, 1 => map].boxed()
    }

    fn schema() -> impl Strategy<Value = Value> {
        let keywords = [
            "type",
            "properties",
            "definitions",
            "$defs",
            "dependentSchemas",
            "patternProperties",
            "additionalItems",
            "additionalProperties",
            "not",
            "if",
            "then",
            "else",
            "contains",
            "propertyNames",
            "unevaluatedItems",
            "unevaluatedProperties",
            "contentSchema",
            "items",
            "allOf",
            "anyOf",
            "oneOf",
            "prefixItems",
            "enum",
            "required",
            "title",
            "description",
            "$comment",
            "format",
            "contentEncoding",
            "contentMediaType",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "minProperties",
            "maxProperties",
            "minContains",
            "maxContains",
            "pattern",
            "uniqueItems",
            "readOnly",
            "writeOnly",
            "deprecated",
            "examples",
            "$schema",
            "$ref",
            "const",
            "default",
            "$anchor",
            "$dynamicAnchor",
            "$dynamicRef",
            "$id",
            "$recursiveAnchor",
            "$recursiveRef",
            "$vocabulary",
            "dependencies",
            "dependentRequired",
            "id",
            "immutable",
        ];
        any::<bool>().prop_map(Value::from).boxed().prop_recursive(3, 16, 3, move |inner| {
            let keyword = prop::sample::select(keywords.to_vec()).prop_map(str::to_owned);
            prop::collection::btree_map(keyword, argument(inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect()))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_recognised_is_valid(schema in schema()) {
            for draft in DRAFTS {
                prop_assert!(!is_surely_valid(&schema, draft) || is_valid(&schema, draft), "{draft:?} {schema}");
            }
        }
    }
}
