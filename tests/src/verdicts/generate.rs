//! Writes at random: charts, values and changes of values, so that locks are touched and left alone about as often, and
//! who writes what else under which policies.

use std::collections::BTreeSet;

use module::policy::{Creation, Deletion, ImmutableValues, Ownership, TemplateChanges};
use serde_json::{Map, Value, json};

use super::oracle::PATTERNS;
use super::{Aside, Case, ChartText, Kind, Naming, PolicyText, Reason, SchemaText, SubChart, Who, expect};
use crate::generate::Random;

/// Keys of values, those of sub-charts and what they share among them.
const KEYS: [&str; 9] = ["a", "b", "c", "x1", "xb", "d/e", "db", "store", "global"];
/// Names of definitions; each is used for anchors and addresses as well.
const DEFINITIONS: [&str; 3] = ["one", "t/wo", "three%"];
/// Where each definition stands. The last is no place for definitions, but may be referred to.
const PLACES: [&str; 3] = ["$defs", "definitions", "shared"];
/// Drafts of JSON Schema. None changes what is locked.
const DRAFTS: [&str; 5] = [
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
];
/// Texts that are no schema.
const BROKEN: [&str; 5] = [
    "{",
    "[]",
    "7",
    r#"{"properties": {"a": {"immutable": false, "immutable": true}}}"#,
    r#"{"properties": {"a": {}}} {}"#,
];

/// Of so many in a hundred charts that are no templates, one is kept: a write that names such a chart tells little.
const KEPT_MALFORMED: usize = 12;

/// A write of a Module, and the charts that it is about.
pub fn case(random: &mut Random) -> Case {
    loop {
        let case = any_case(random);
        // What is stored had a template when it was.
        let is_kept = case.kind != Kind::Deletion && random.chance(KEPT_MALFORMED);
        if is_kept || !expect::is_malformed(&case) {
            return case;
        }
    }
}

fn any_case(random: &mut Random) -> Case {
    let kind = Kind::ALL[random.weighted([10, 65, 12, 13])];
    let old_chart = chart(random);
    let new_chart = (kind == Kind::Update && random.chance(20)).then(|| another_chart(random, &old_chart));
    let base = values(random);
    let old_chart = ChartText { values: mutated(random, &base, 2), ..old_chart };
    let old_values = mutated(random, &base, 2);
    let mut new_values = old_values.clone();
    if matches!(kind, Kind::Creation | Kind::Update) {
        new_values = mutated(random, &old_values, 1);
        if random.chance(30) {
            new_values = written_down(random, &new_values, &old_chart.values);
        }
    }
    let new_chart = new_chart.map(|new_chart| {
        let changed = mutated(random, &old_chart.values, 1);
        ChartText { values: if random.chance(60) { old_chart.values.clone() } else { changed }, ..new_chart }
    });
    Case {
        kind,
        who: who(random, kind),
        policies: (0..random.weighted([5, 75, 20])).map(|_| policy(random)).collect(),
        reason: reason(random, kind),
        asides: asides(random, kind, new_chart.is_some()),
        is_claimed: random.chance(50),
        owned: owned(random, &old_values),
        is_source_down: new_chart.is_none() && random.chance(4),
        old_chart,
        new_chart,
        old_values,
        new_values,
    }
}

fn who(random: &mut Random, kind: Kind) -> Who {
    let cleaners = if kind == Kind::Deletion { 8 } else { 1 };
    Who::ALL[random.weighted([45, 22, 15, 5, 8, cleaners, cleaners])]
}

fn policy(random: &mut Random) -> PolicyText {
    let writers = [Naming::Nobody, Naming::User, Naming::Group, Naming::ServiceAccount, Naming::Similar];
    PolicyText {
        writer: writers[random.weighted([15, 25, 25, 25, 10])],
        lists_rescuer: random.chance(70),
        values: [ImmutableValues::Enforce, ImmutableValues::Warn, ImmutableValues::Off][random.weighted([75, 15, 10])],
        ownership: [Ownership::Off, Ownership::Warn, Ownership::Enforce][random.weighted([65, 12, 23])],
        template: [TemplateChanges::GitOpsOnly, TemplateChanges::Version, TemplateChanges::Any]
            [random.weighted([40, 40, 20])],
        creation: [Creation::Anyone, Creation::GitOpsOnly][random.weighted([55, 45])],
        deletion: [Deletion::ProtectGitOps, Deletion::GitOpsOnly, Deletion::Anyone][random.weighted([60, 25, 15])],
    }
}

fn reason(random: &mut Random, kind: Kind) -> Reason {
    if kind == Kind::Deletion && random.chance(30) {
        return Reason::ForDeletion;
    }
    let reasons = [Reason::None, Reason::New, Reason::Other, Reason::Stored, Reason::Removed, Reason::Blank];
    reasons[random.weighted([76, 10, 4, 5, 3, 2])]
}

fn asides(random: &mut Random, kind: Kind, has_new_chart: bool) -> BTreeSet<Aside> {
    let mut asides = BTreeSet::new();
    match kind {
        Kind::Update => {
            // A template that is another one under the same words needs none of them.
            if has_new_chart && random.chance(90) {
                let others = [Aside::Version, Aside::Path, Aside::Repository, Aside::SourceType];
                asides.insert(others[random.weighted([70, 10, 10, 10])]);
            }
            for aside in Aside::OF_UPDATES {
                if random.chance(4) && (has_new_chart || !aside.names_another_template()) {
                    asides.insert(aside);
                }
            }
        }
        Kind::Status => {
            let resolved = [Aside::ResolvedVersion, Aside::FirstResolvedVersion, Aside::Icon];
            asides.insert(resolved[random.weighted([50, 25, 25])]);
            if random.chance(15) {
                asides.insert(Aside::Memory);
            }
        }
        Kind::Creation | Kind::Deletion => {}
    }
    // One thing cannot become two.
    for (change, loss) in [
        (Aside::SourceType, Aside::SourceTypeLost),
        (Aside::EnforceGitOpsWrite, Aside::EnforceGitOpsWriteLost),
        (Aside::TargetNamespace, Aside::TargetNamespaceSpelled),
    ] {
        if asides.contains(&change) {
            asides.remove(&loss);
        }
    }
    asides
}

/// Some values that Git owns: what is below a mapping each on its own, a list as a whole.
fn owned(random: &mut Random, values: &Value) -> BTreeSet<Vec<String>> {
    fn add(random: &mut Random, value: &Value, path: &[String], owned: &mut BTreeSet<Vec<String>>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    add(random, member, &[path, std::slice::from_ref(key)].concat(), owned);
                }
            }
            _ if random.chance(30) => drop(owned.insert(path.to_vec())),
            _ => {}
        }
    }
    let mut owned = BTreeSet::new();
    if random.chance(60) {
        add(random, values, &[], &mut owned);
    }
    owned
}

fn chart(random: &mut Random) -> ChartText {
    let mut sub_charts = Vec::new();
    if random.chance(30) {
        sub_charts.push(sub_chart(random, "db", true));
    }
    if random.chance(15) {
        sub_charts.push(SubChart { alias: Some("store".into()), ..sub_chart(random, "cache", false) });
    }
    ChartText { schema: random.chance(92).then(|| schema_text(random)), values: json!({}), sub_charts }
}

fn sub_chart(random: &mut Random, name: &str, may_have_its_own: bool) -> SubChart {
    let base = values(random);
    let mut chart = ChartText {
        schema: random.chance(80).then(|| schema_text(random)),
        values: mutated(random, &base, 1),
        sub_charts: Vec::new(),
    };
    if may_have_its_own && random.chance(25) {
        chart.sub_charts.push(SubChart { alias: Some("c".into()), ..sub_chart(random, "inner", false) });
    }
    let condition = match random.below(4) {
        0 => Some("a".to_owned()),
        1 => Some(format!("{name}.b")),
        _ => None,
    };
    SubChart { name: name.to_owned(), alias: None, condition, tag: random.chance(25).then(|| "b".to_owned()), chart }
}

fn another_chart(random: &mut Random, old: &ChartText) -> ChartText {
    let mut new = old.clone();
    match (random.below(4), &old.schema) {
        (0, _) => return chart(random),
        (1, _) => {}
        (2, _) if !new.sub_charts.is_empty() => {
            let index = random.below(new.sub_charts.len());
            new.sub_charts.remove(index);
        }
        (_, Some(SchemaText::Json(schema))) => new.schema = Some(SchemaText::Json(changed_schema(random, schema))),
        _ => {}
    }
    new
}

/// A schema with a mark moved, added or taken away.
fn changed_schema(random: &mut Random, schema: &Value) -> Value {
    let mut schema = schema.clone();
    let mut pointers = Vec::new();
    pointers_to_objects(&schema, String::new(), &mut pointers);
    if pointers.is_empty() {
        return schema;
    }
    let pointer = pointers[random.below(pointers.len())].clone();
    if let Some(Value::Object(members)) = schema.pointer_mut(&pointer) {
        match random.below(3) {
            0 => drop(members.insert("immutable".into(), json!(true))),
            1 => drop(members.remove("immutable")),
            _ => {
                let keys: Vec<String> = members.keys().cloned().collect();
                if !keys.is_empty() {
                    members.remove(&keys[random.below(keys.len())]);
                }
            }
        }
    }
    schema
}

fn pointers_to_objects(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let token = key.replace('~', "~0").replace('/', "~1");
                pointers_to_objects(value, format!("{pointer}/{token}"), pointers);
            }
            // A mark there would be one more regular expression, which the oracle does not know.
            if !pointer.ends_with("/patternProperties") {
                pointers.push(pointer);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                pointers_to_objects(value, format!("{pointer}/{index}"), pointers);
            }
        }
        _ => {}
    }
}

fn schema_text(random: &mut Random) -> SchemaText {
    if random.chance(1) {
        return SchemaText::Broken(random.pick(&BROKEN).to_owned());
    }
    let definitions = random.below(DEFINITIONS.len() + 1);
    let mut schema = schema(random, 3, definitions);
    let Value::Object(members) = &mut schema else { return SchemaText::Json(schema) };
    if random.chance(40) {
        members.insert("$schema".into(), json!(random.pick(&DRAFTS)));
    }
    for (index, name) in DEFINITIONS.iter().take(definitions).enumerate() {
        let mut definition = self::schema(random, 2, definitions);
        if let Value::Object(definition) = &mut definition {
            let names = [("$anchor", format!("anchor{index}")), ("$id", format!("#anchor{index}"))];
            let names = [names.as_slice(), &[("$dynamicAnchor", format!("anchor{index}"))]].concat();
            let (keyword, name) = names[random.below(names.len())].clone();
            definition.insert(keyword.into(), json!(name));
            if random.chance(60) {
                definition.insert("$id".into(), json!(format!("https://example.com/schemas/{index}.json")));
            }
        }
        members.entry(PLACES[index]).or_insert_with(|| json!({}))[*name] = definition;
    }
    SchemaText::Json(schema)
}

fn schema(random: &mut Random, depth: usize, definitions: usize) -> Value {
    if random.chance(4) {
        return json!(random.chance(80));
    }
    let mut schema = Map::new();
    if random.chance(if depth == 3 { 3 } else { 22 }) {
        let keyword = random.pick(&["immutable", "immutable", "immutable", "Immutable"]);
        schema.insert(keyword.into(), json!(random.chance(85)));
    }
    for _ in 0..random.between(usize::from(depth == 3), 2) {
        if depth > 0 {
            add_keyword(random, &mut schema, depth - 1, definitions);
        }
    }
    if random.chance(1) {
        break_keyword(random, &mut schema);
    }
    Value::Object(schema)
}

fn add_keyword(random: &mut Random, schema: &mut Map<String, Value>, depth: usize, definitions: usize) {
    let below = |random: &mut Random| self::schema(random, depth, definitions);
    let list = |random: &mut Random| -> Vec<Value> { (0..random.between(1, 2)).map(|_| below(random)).collect() };
    let (keyword, value) = match random.weighted([40, 8, 12, 8, 4, 6, 4, 8, 6, 4, 3, 2, 2, 2]) {
        0 => {
            let names = (0..random.between(1, 3)).map(|_| (random.pick(&KEYS).to_owned(), below(random)));
            ("properties", Value::Object(names.collect()))
        }
        1 => {
            let patterns = (0..random.between(1, 2)).map(|_| (random.pick(&PATTERNS).to_owned(), below(random)));
            ("patternProperties", Value::Object(patterns.collect()))
        }
        2 => (random.pick(&["$ref", "$ref", "$dynamicRef", "$recursiveRef"]), json!(reference(random, definitions))),
        3 => ("additionalProperties", below(random)),
        4 => ("unevaluatedProperties", below(random)),
        5 => (random.pick(&["allOf", "anyOf", "oneOf"]), json!(list(random))),
        6 => (random.pick(&["if", "then", "else"]), below(random)),
        7 => ("items", if random.chance(35) { json!(list(random)) } else { below(random) }),
        8 => ("prefixItems", json!(list(random))),
        9 => (random.pick(&["additionalItems", "unevaluatedItems", "contains"]), below(random)),
        10 => {
            let keyword = random.pick(&["dependentSchemas", "dependencies"]);
            let value = if random.chance(20) { json!(["b"]) } else { below(random) };
            (keyword, json!({ "a": value }))
        }
        11 => ("propertyNames", below(random)),
        12 => (random.pick(&["not", "default", "const"]), json!({ "immutable": true })),
        _ => ("examples", json!([{ "immutable": "no mark" }])),
    };
    schema.insert(keyword.into(), value);
}

fn reference(random: &mut Random, definitions: usize) -> String {
    if definitions == 0 || random.chance(6) {
        return random.pick(&["#", "#/properties/a", "values.schema.json#"]).to_owned();
    }
    let index = random.below(definitions);
    let name = DEFINITIONS[index].replace('/', "~1").replace('%', "%25");
    match random.below(16) {
        0 => format!("#anchor{index}"),
        1 => format!("{index}.json"),
        2 => format!("https://example.com/schemas/{index}.json"),
        3 => format!("#/x-shared/{name}"),
        _ => format!("#/{}/{name}", PLACES[index]),
    }
}

/// Something that no schema may say.
fn break_keyword(random: &mut Random, schema: &mut Map<String, Value>) {
    let (keyword, value) = match random.below(12) {
        0 => ("immutable", json!("true")),
        1 => ("IMMUTABLE", json!(null)),
        2 => ("properties", json!([])),
        3 => ("allOf", json!({})),
        4 => ("items", json!(1)),
        5 => ("$ref", json!("https://elsewhere.example.com/schema.json")),
        6 => ("$ref", json!("#/$defs/missing")),
        7 => ("$ref", json!("#")),
        8 => ("additionalProperties", json!("no")),
        9 => ("extends", json!({ "properties": { "a": { "immutable": true } } })),
        10 => ("$anchor", json!(7)),
        _ => ("prefixItems", json!({})),
    };
    schema.insert(keyword.into(), value);
}

/// Values of a Module or the defaults of a chart.
fn values(random: &mut Random) -> Value {
    Value::Object((0..random.between(1, 5)).map(|_| entry(random, 2)).collect())
}

fn entry(random: &mut Random, depth: usize) -> (String, Value) {
    (random.pick(&KEYS).to_owned(), value(random, depth))
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.weighted([55, if depth > 0 { 30 } else { 0 }, if depth > 0 { 15 } else { 0 }]) {
        0 => scalar(random),
        1 => Value::Object((0..random.between(0, 3)).map(|_| entry(random, depth - 1)).collect()),
        _ => (0..random.between(0, 3)).map(|_| value(random, depth - 1)).collect(),
    }
}

fn scalar(random: &mut Random) -> Value {
    match random.below(16) {
        0 => json!(null),
        1 | 2 => json!(true),
        3 | 4 => json!(false),
        5 | 6 => json!(1),
        7 => json!(1.0),
        8 => json!("1"),
        9 => json!(9_007_199_254_740_992_u64),
        10 => json!(9_007_199_254_740_993_u64),
        11 => json!([]),
        12 => json!({}),
        13 => json!(""),
        14 => json!(-0.0),
        _ => json!("text"),
    }
}

/// The values with some changes.
fn mutated(random: &mut Random, values: &Value, changes: usize) -> Value {
    let mut values = values.clone();
    for _ in 0..random.between(0, 2 * changes) {
        mutate(random, &mut values, 2);
    }
    values
}

fn mutate(random: &mut Random, value: &mut Value, depth: usize) {
    match value {
        Value::Object(members) => {
            let keys: Vec<String> = members.keys().cloned().collect();
            let inner = random.chance(60) && depth > 0;
            match keys.get(random.below(keys.len() + 1)) {
                Some(key) if inner => mutate(random, &mut members[key], depth - 1),
                Some(key) if random.chance(50) => drop(members.remove(key)),
                Some(key) => members[key] = self::value(random, depth),
                None => {
                    let (key, value) = entry(random, depth);
                    members.insert(key, value);
                }
            }
        }
        Value::Array(items) if !items.is_empty() && random.chance(80) => {
            let index = random.below(items.len());
            match random.below(5) {
                0 => drop(items.remove(index)),
                1 => items.push(self::value(random, depth.saturating_sub(1))),
                2 => items.swap(0, index),
                3 => items.insert(index, self::value(random, depth.saturating_sub(1))),
                _ => mutate(random, &mut items[index], depth.saturating_sub(1)),
            }
        }
        Value::Number(number) if random.chance(40) => {
            *value = number.as_i64().filter(|number| *number < 10).map_or(json!(1), |number| json!(number as f64));
        }
        other => *other = self::value(random, depth),
    }
}

/// The values with some of the defaults written down, as a form does.
fn written_down(random: &mut Random, values: &Value, defaults: &Value) -> Value {
    let (Value::Object(values), Value::Object(defaults)) = (values, defaults) else { return values.clone() };
    let mut written = values.clone();
    for (key, default) in defaults {
        match values.get(key) {
            None if random.chance(50) => drop(written.insert(key.clone(), default.clone())),
            Some(value) => drop(written.insert(key.clone(), written_down(random, value, default))),
            None => {}
        }
    }
    Value::Object(written)
}
