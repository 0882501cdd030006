//! Calls every function with random arguments of the right types: whatever a chart passes, the answer is a value or an
//! error, within the limits.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;

use super::testing::call_and_read;
use super::time::{Duration, Time, object};
use super::{Function, Parameter, table};
use crate::Profile;
use crate::budget::Limits;
use crate::value::{ElementType, GoString, List, Map, MapType, Value};

/// Small, so that a function that forgets to charge for its work shows.
const LIMITS: Limits = Limits { steps: 200_000, bytes: 1 << 20, held: 1 << 20, depth: 64 };

/// Texts that mean something to some function.
const TEXTS: [&str; 24] = [
    "",
    "a",
    "a/b/../c",
    "-5",
    "0x1f",
    "1.50",
    "1e400",
    "héllo wörld",
    "日本語",
    "a,b,,c",
    "{{ . }}",
    "^(a|b)*$",
    "[",
    "(?P<n>a){2,}?",
    "%d %s %!",
    ">=1.2.3-0 || <2",
    "v1.2.3-rc.1+x",
    "2006-01-02T15:04:05Z07:00",
    "-1h30m.5s",
    "https://u:p@[::1]:80/a?b#c",
    "a: [1, {b: c}]\n",
    "{\"a\": [1, null]}",
    "YWJj",
    "\u{0}\u{7f}\n\t\"",
];

fn text() -> impl Strategy<Value = GoString> {
    prop_oneof![
        3 => proptest::sample::select(TEXTS.as_slice()).prop_map(GoString::from),
        2 => "\\PC{0,12}".prop_map(GoString::from),
        1 => vec(any::<u8>(), 0..12).prop_map(GoString::from),
    ]
}

fn int() -> impl Strategy<Value = i64> {
    prop_oneof![3 => -3..9i64, 1 => any::<i64>(), 1 => Just(i64::MIN), 1 => Just(i64::MAX), 1 => Just(1 << 40)]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![proptest::num::f64::ANY, (-9..9i32).prop_map(f64::from)]
}

fn time() -> impl Strategy<Value = Value> {
    int().prop_map(|seconds| object(Time::from_seconds(seconds)))
}

fn duration() -> impl Strategy<Value = Value> {
    int().prop_map(|nanoseconds| object(Duration(nanoseconds)))
}

fn list(items: Vec<Value>) -> Value {
    Value::list(items)
}

fn map(entries: Vec<(GoString, Value)>) -> Value {
    Value::Map(entries.into_iter().collect())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        int().prop_map(Value::Int),
        int().prop_map(Value::Int64),
        any::<u64>().prop_map(Value::Uint64),
        float().prop_map(Value::Float64),
        text().prop_map(Value::String),
        vec(any::<u8>(), 0..4).prop_map(|bytes| Value::Bytes(bytes.into())),
        time(),
        duration(),
        Just(Value::List(List::nil(ElementType::String))),
        Just(Value::Map(Map::nil(MapType::Any))),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(list), vec((text(), inner), 0..4).prop_map(map)]
    })
}

/// A value of the parameter's type; none if the type has no random values here.
fn argument(parameter: Parameter) -> Option<BoxedStrategy<Value>> {
    Some(match parameter {
        Parameter::Any => value().boxed(),
        Parameter::Reflect => prop_oneof![9 => value(), 1 => Just(Value::Invalid)].boxed(),
        Parameter::String => text().prop_map(Value::String).boxed(),
        Parameter::Int => int().prop_map(Value::Int).boxed(),
        Parameter::Int64 => int().prop_map(Value::Int64).boxed(),
        Parameter::Float64 => float().prop_map(Value::Float64).boxed(),
        Parameter::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Parameter::Map => prop_oneof![
            9 => vec((text(), value()), 0..4).prop_map(map),
            1 => Just(Value::Map(Map::nil(MapType::Any))),
        ]
        .boxed(),
        Parameter::List => prop_oneof![
            9 => vec(value(), 0..4).prop_map(list),
            1 => Just(Value::List(List::nil(ElementType::Any))),
        ]
        .boxed(),
        Parameter::StringList => vec(text().prop_map(Value::String), 0..4)
            .prop_map(|items| Value::List(List::typed(ElementType::String, items)))
            .boxed(),
        Parameter::Bytes => vec(any::<u8>(), 0..9).prop_map(|bytes| Value::Bytes(bytes.into())).boxed(),
        Parameter::Time => time().boxed(),
        Parameter::Object("time.Duration") => duration().boxed(),
        Parameter::Uint32 => any::<u32>().prop_map(|number| Value::Uint64(number.into())).boxed(),
        Parameter::Object(_) => return None,
    })
}

fn arguments(function: &Function) -> Option<BoxedStrategy<Vec<Value>>> {
    let fixed: Vec<_> = function.parameters.iter().map(|parameter| argument(*parameter)).collect::<Option<_>>()?;
    Some(match function.variadic {
        None => fixed.boxed(),
        Some(parameter) => (fixed, vec(argument(parameter)?, 0..4))
            .prop_map(|(mut arguments, more)| {
                arguments.extend(more);
                arguments
            })
            .boxed(),
    })
}

/// A function of the table with arguments for it.
fn calls() -> impl Strategy<Value = (&'static str, Vec<Value>)> {
    let table = table(Profile::V4);
    let mut names: Vec<&'static str> = table.names().collect();
    names.sort_unstable();
    let calls = names.into_iter().filter_map(|name| {
        let arguments = arguments(table.get(name)?)?;
        Some(arguments.prop_map(move |arguments| (name, arguments)).boxed())
    });
    Union::new(calls)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_call_panics((name, arguments) in calls()) {
        call_and_read(LIMITS, name, &arguments, |result| {
            // Reading the answer must be as safe as making it.
            let _ = result.map(|value| format!("{value:?}"));
        });
    }
}
