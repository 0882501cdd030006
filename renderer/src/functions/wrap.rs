//! sprig's `wrap` and `wrapWith`: goutils' greedy line breaking, counted in bytes.

use bstr::ByteSlice;

use super::arguments::{charge_text, int, text};
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::value::Value;

use Parameter::{Int, String as Text};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "wrap", parameters: &[Int, Text], variadic: None, call: wrap },
    Function { name: "wrapWith", parameters: &[Int, Text, Text], variadic: None, call: wrap_with },
];

fn wrap(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    wrapped(context, text(arguments, 1)?, int(arguments, 0)?, b"\n", false).map(Value::string)
}

fn wrap_with(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let separator = text(arguments, 1)?;
    let separator = if separator.is_empty() { b"\n".as_slice() } else { separator.as_bytes() };
    wrapped(context, text(arguments, 2)?, int(arguments, 0)?, separator, true).map(Value::string)
}

// goutils: wordutils.go WrapCustom
fn wrapped(
    context: &Context<'_>,
    subject: &[u8],
    width: i64,
    separator: &[u8],
    break_long_words: bool,
) -> Result<Vec<u8>, CallError> {
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    charge_text(context, subject.len())?;
    let mut lines = Vec::with_capacity(subject.len());
    let mut rest = subject;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        // A space at the width itself still ends a line of full width.
        let (end, next) = match rest[..=width].rfind_byte(b' ') {
            Some(space) => (space, space + 1),
            None if break_long_words => (width, width),
            None => match rest[width..].find_byte(b' ') {
                Some(space) => (width + space, width + space + 1),
                None => break,
            },
        };
        // Twice: the text grows, and each time leaves its old place behind.
        charge_text(context, 2 * separator.len())?;
        lines.extend_from_slice(&rest[..end]);
        lines.extend_from_slice(separator);
        rest = &rest[next..];
    }
    lines.extend_from_slice(rest);
    Ok(lines)
}
