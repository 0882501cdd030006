//! Calls functions of the table in unit tests, without a template around them.

use super::{CallError, CallResult, Context, FixedHost, table};
use crate::Profile;
use crate::budget::{Budget, Limits};
use crate::template::{Evaluator, TemplateSet};
use crate::value::Value;

/// Calls the function with arguments that already have the types of its parameters.
pub(super) fn call(name: &str, arguments: &[Value]) -> CallResult {
    call_within(Limits::default(), name, arguments)
}

/// As [`call`], within these limits.
pub(super) fn call_within(limits: Limits, name: &str, arguments: &[Value]) -> CallResult {
    call_and_read(limits, name, arguments, |result| result)
}

/// As [`call_within`], and reads the result before the end of the render, at which maps that were changed become empty.
pub(super) fn call_and_read<T>(
    limits: Limits,
    name: &str,
    arguments: &[Value],
    read: impl FnOnce(CallResult) -> T,
) -> T {
    let table = table(Profile::V4);
    let function = table.get(name).expect("a function of the table");
    let set = TemplateSet::parse([], table).expect("no files to refuse");
    let budget = Budget::new(limits);
    let host = FixedHost::default();
    let evaluator = Evaluator::new(&set, &budget, &host);
    read((function.call)(&Context { budget: &budget, host: &host, evaluator: &evaluator }, arguments))
}

/// The text of a result that is a string.
pub(super) fn text(name: &str, arguments: &[Value]) -> String {
    match call(name, arguments) {
        Ok(Value::String(text)) => text.to_string(),
        other => panic!("{name} {arguments:?} gave {other:?}"),
    }
}

/// The text of an error.
pub(super) fn message(name: &str, arguments: &[Value]) -> String {
    match call(name, arguments) {
        Err(CallError::Message(message)) => message,
        other => panic!("{name} {arguments:?} gave {other:?}"),
    }
}

/// Calls a function with each text alone and compares what the result prints.
#[track_caller]
pub(super) fn check(name: &str, cases: &[(&str, &str)]) {
    for (input, expected) in cases {
        assert_eq!(text(name, &[Value::string(*input)]), *expected, "{name} {input:?}");
    }
}
