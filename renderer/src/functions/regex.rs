//! sprig's regular expressions: Go's `regexp`, with Go's syntax, matching rules and error texts.

mod class;
mod program;
mod syntax;

use std::sync::Arc;

use bstr::ByteSlice;

use super::arguments::{charge_items, charge_text, int, text};
use super::text::quote_text;
use super::{CallError, CallResult, Context, Function, Parameter, unicode};
use crate::value::{ElementType, List, Value};
pub(crate) use program::Expressions;
pub use program::Pattern;
use program::{CompileError, Groups, Program, Subject};

use Parameter::{Int, String as Text};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "regexMatch", parameters: &[Text, Text], variadic: None, call: regex_match },
    Function { name: "mustRegexMatch", parameters: &[Text, Text], variadic: None, call: must_regex_match },
    Function { name: "regexFind", parameters: &[Text, Text], variadic: None, call: regex_find },
    Function { name: "mustRegexFind", parameters: &[Text, Text], variadic: None, call: must_regex_find },
    Function { name: "regexFindAll", parameters: &[Text, Text, Int], variadic: None, call: regex_find_all },
    Function { name: "mustRegexFindAll", parameters: &[Text, Text, Int], variadic: None, call: must_regex_find_all },
    Function { name: "regexReplaceAll", parameters: &[Text, Text, Text], variadic: None, call: regex_replace_all },
    Function {
        name: "mustRegexReplaceAll",
        parameters: &[Text, Text, Text],
        variadic: None,
        call: must_regex_replace_all,
    },
    Function {
        name: "regexReplaceAllLiteral",
        parameters: &[Text, Text, Text],
        variadic: None,
        call: regex_replace_all_literal,
    },
    Function {
        name: "mustRegexReplaceAllLiteral",
        parameters: &[Text, Text, Text],
        variadic: None,
        call: must_regex_replace_all_literal,
    },
    Function { name: "regexSplit", parameters: &[Text, Text, Int], variadic: None, call: regex_split },
    Function { name: "mustRegexSplit", parameters: &[Text, Text, Int], variadic: None, call: must_regex_split },
    Function { name: "regexQuoteMeta", parameters: &[Text], variadic: None, call: regex_quote_meta },
];

/// How an invalid expression is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Invalid {
    /// As an error: the `must` functions.
    Error,
    /// As the panic of `regexp.MustCompile`: the others.
    Panic,
}

/// Compiles the first argument.
fn compile(context: &Context<'_>, arguments: &[Value], invalid: Invalid) -> Result<Arc<Program>, CallError> {
    let pattern = text(arguments, 0)?;
    match Program::compile(context, pattern) {
        Ok(program) => Ok(program),
        Err(CompileError::Call(error)) => Err(error),
        Err(CompileError::Syntax(error)) => Err(CallError::message(match invalid {
            Invalid::Error => error.text(),
            // Go: regexp.go MustCompile
            Invalid::Panic => format!("regexp: Compile({}): {}", quoted(context, pattern)?, error.text()),
        })),
    }
}

/// The expression in backquotes if it may stand there, as a Go string literal otherwise.
// Go: regexp.go quote, strconv.CanBackquote
fn quoted(context: &Context<'_>, pattern: &[u8]) -> Result<String, CallError> {
    let can_backquote = pattern.to_str().is_ok_and(|pattern| {
        pattern.chars().all(|character| {
            !matches!(character, '\u{feff}' | '`' | '\u{7f}') && (character >= ' ' || character == '\t')
        })
    });
    if can_backquote {
        return Ok(format!("`{}`", String::from_utf8_lossy(pattern)));
    }
    Ok(String::from_utf8_lossy(&quote_text(context, pattern)?).into_owned())
}

fn is_match(context: &Context<'_>, program: &Program, subject: &[u8]) -> CallResult {
    let subject = Subject::new(context, subject)?;
    Ok(Value::Bool(program.find(context, &subject, 0)?.is_some()))
}

// sprig: regex.go regexMatch: an invalid expression matches nothing.
fn regex_match(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    match Program::compile(context, text(arguments, 0)?) {
        Ok(program) => is_match(context, &program, text(arguments, 1)?),
        Err(CompileError::Syntax(_)) => Ok(Value::Bool(false)),
        Err(CompileError::Call(error)) => Err(error),
    }
}

fn must_regex_match(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    is_match(context, &*compile(context, arguments, Invalid::Error)?, text(arguments, 1)?)
}

fn find(context: &Context<'_>, arguments: &[Value], invalid: Invalid) -> CallResult {
    let program = compile(context, arguments, invalid)?;
    let subject = Subject::new(context, text(arguments, 1)?)?;
    let found = program.find(context, &subject, 0)?;
    let found = found.as_ref().and_then(whole).map_or(b"".as_slice(), |range| subject.slice(range));
    charge_text(context, found.len())?;
    Ok(Value::string(found))
}

fn whole(groups: &Groups) -> Option<std::ops::Range<usize>> {
    groups.first().cloned().flatten()
}

fn regex_find(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    find(context, arguments, Invalid::Panic)
}

fn must_regex_find(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    find(context, arguments, Invalid::Error)
}

/// All matches from left to right, at most `limit` if it is not negative. An empty match right after another match does
/// not count.
// Go: regexp.go allMatches
fn all_matches(
    context: &Context<'_>,
    program: &Program,
    subject: &Subject<'_>,
    limit: i64,
) -> Result<Vec<std::ops::Range<usize>>, CallError> {
    let limit = usize::try_from(limit).unwrap_or(subject.len() + 1);
    let mut matches = Vec::new();
    let mut position = 0;
    let mut previous_end = None;
    while matches.len() < limit && position <= subject.len() {
        let Some(found) = program.find(context, subject, position)?.as_ref().and_then(whole) else { break };
        let mut accept = true;
        if found.end == position {
            accept = previous_end != Some(found.start);
            position = match subject.width_at(position) {
                0 => subject.len() + 1,
                width => position + width,
            };
        } else {
            position = found.end;
        }
        previous_end = Some(found.end);
        if accept {
            charge_items(context, 1)?;
            matches.push(found);
        }
    }
    Ok(matches)
}

fn strings(context: &Context<'_>, parts: Vec<&[u8]>) -> CallResult {
    charge_items(context, parts.len())?;
    charge_text(context, parts.iter().map(|part| part.len()).sum())?;
    Ok(Value::List(List::typed(ElementType::String, parts.into_iter().map(Value::string).collect())))
}

// Go: regexp.go FindAllString: nil if there is no match.
fn find_all(context: &Context<'_>, arguments: &[Value], invalid: Invalid) -> CallResult {
    let program = compile(context, arguments, invalid)?;
    let subject = Subject::new(context, text(arguments, 1)?)?;
    let matches = all_matches(context, &program, &subject, int(arguments, 2)?)?;
    if matches.is_empty() {
        return Ok(Value::List(List::nil(ElementType::String)));
    }
    strings(context, matches.into_iter().map(|found| subject.slice(found)).collect())
}

fn regex_find_all(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    find_all(context, arguments, Invalid::Panic)
}

fn must_regex_find_all(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    find_all(context, arguments, Invalid::Error)
}

// Go: regexp.go Split
fn split(context: &Context<'_>, arguments: &[Value], invalid: Invalid) -> CallResult {
    let program = compile(context, arguments, invalid)?;
    let limit = int(arguments, 2)?;
    if limit == 0 {
        return Ok(Value::List(List::nil(ElementType::String)));
    }
    let subject = Subject::new(context, text(arguments, 1)?)?;
    if !text(arguments, 0)?.is_empty() && subject.len() == 0 {
        return strings(context, vec![b""]);
    }
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in all_matches(context, &program, &subject, limit)? {
        if parts.len() + 1 >= most {
            break;
        }
        end = found.start;
        if found.end != 0 {
            parts.push(subject.slice(begin..end));
        }
        begin = found.end;
    }
    if end != subject.len() {
        parts.push(subject.slice(begin..subject.len()));
    }
    strings(context, parts)
}

fn regex_split(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    split(context, arguments, Invalid::Panic)
}

fn must_regex_split(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    split(context, arguments, Invalid::Error)
}

/// Replaces all matches by what `replacement` appends for one.
// Go: regexp.go replaceAll
fn replace_all(
    context: &Context<'_>,
    program: &Program,
    subject: &[u8],
    replacement: impl Fn(&Program, &Subject<'_>, &Groups, &mut Vec<u8>) -> Result<(), CallError>,
) -> CallResult {
    let subject = Subject::new(context, subject)?;
    charge_text(context, subject.len())?;
    let mut result = Vec::with_capacity(subject.len());
    let mut last_end = 0;
    let mut position = 0;
    while position <= subject.len() {
        let Some(groups) = program.find(context, &subject, position)? else { break };
        let Some(found) = whole(&groups) else { break };
        result.extend_from_slice(subject.slice(last_end..found.start));
        // Not for an empty match right after another match.
        if found.end > last_end || found.start == 0 {
            replacement(program, &subject, &groups, &mut result)?;
        }
        last_end = found.end;
        let width = subject.width_at(position);
        position = if position + width > found.end {
            position + width
        } else if position + 1 > found.end {
            position + 1
        } else {
            found.end
        };
    }
    result.extend_from_slice(subject.slice(last_end..subject.len()));
    Ok(Value::string(result))
}

fn replace_all_literal(context: &Context<'_>, arguments: &[Value], invalid: Invalid) -> CallResult {
    let program = compile(context, arguments, invalid)?;
    let replacement = text(arguments, 2)?;
    replace_all(context, &program, text(arguments, 1)?, |_, _, _, result| {
        charge_text(context, replacement.len())?;
        result.extend_from_slice(replacement);
        Ok(())
    })
}

fn regex_replace_all_literal(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    replace_all_literal(context, arguments, Invalid::Panic)
}

fn must_regex_replace_all_literal(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    replace_all_literal(context, arguments, Invalid::Error)
}

fn replace_all_expanded(context: &Context<'_>, arguments: &[Value], invalid: Invalid) -> CallResult {
    let program = compile(context, arguments, invalid)?;
    let pieces = template(text(arguments, 2)?);
    replace_all(context, &program, text(arguments, 1)?, |program, subject, groups, result| {
        for piece in &pieces {
            let part = match piece {
                Piece::Text(part) => part,
                Piece::Number(number) => {
                    groups.get(*number).cloned().flatten().map_or(b"".as_slice(), |range| subject.slice(range))
                }
                Piece::Name(name) => {
                    program.named(name, groups).map_or(b"".as_slice(), |range| subject.slice(range.clone()))
                }
            };
            charge_text(context, part.len())?;
            result.extend_from_slice(part);
        }
        Ok(())
    })
}

fn regex_replace_all(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    replace_all_expanded(context, arguments, Invalid::Panic)
}

fn must_regex_replace_all(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    replace_all_expanded(context, arguments, Invalid::Error)
}

/// A part of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a [u8]),
    Number(usize),
    Name(String),
}

/// Splits a replacement at its `$name`, `${name}`, `$1` and `$$`; a `$` that starts none of them is text.
// Go: regexp.go expand
fn template(mut rest: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    while let Some(dollar) = rest.find_byte(b'$') {
        pieces.push(Piece::Text(&rest[..dollar]));
        let (sign, after) = rest[dollar..].split_at(1);
        rest = after;
        if let Some(after) = after.strip_prefix(b"$") {
            pieces.push(Piece::Text(sign));
            rest = after;
        } else if let Some((name, after)) = reference(after) {
            pieces.push(name);
            rest = after;
        } else {
            pieces.push(Piece::Text(sign));
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The group that the text after a `$` names, and the text after that.
// Go: regexp.go extract
fn reference(text: &[u8]) -> Option<(Piece<'_>, &[u8])> {
    let (body, braced) = match text.strip_prefix(b"{") {
        Some(body) => (body, true),
        None => (text, false),
    };
    let length: usize = unicode::runes(body)
        .take_while(|&(character, _)| character == '_' || unicode::is_letter(character) || unicode::is_digit(character))
        .map(|(_, width)| width)
        .sum();
    let (name, mut rest) = body.split_at(length);
    if name.is_empty() {
        return None;
    }
    if braced {
        rest = rest.strip_prefix(b"}")?;
    }
    let name = String::from_utf8_lossy(name).into_owned();
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && (name.len() == 1 || !name.starts_with('0'));
    let piece = match name.parse() {
        // Go stops reading a number at a hundred million.
        Ok(number) if is_number && name.len() <= 9 => Piece::Number(number),
        _ => Piece::Name(name),
    };
    Some((piece, rest))
}

// Go: regexp.go QuoteMeta
fn regex_quote_meta(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let subject = text(arguments, 0)?;
    charge_text(context, subject.len().saturating_mul(2))?;
    let mut quoted = Vec::with_capacity(subject.len() * 2);
    for &byte in subject.iter() {
        if br"\.+*?()|[]{}^$".contains(&byte) {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    Ok(Value::string(quoted))
}

#[cfg(test)]
mod tests {
    use crate::budget::{BudgetExceeded, Limits};
    use crate::functions::CallError;
    use crate::functions::testing::{call, call_within, message, text};
    use crate::value::Value;

    fn strings(items: &[&str]) -> Vec<Value> {
        items.iter().map(|item| Value::string(*item)).collect()
    }

    fn matches(pattern: &str, subject: &str) -> bool {
        matches!(call("mustRegexMatch", &strings(&[pattern, subject])), Ok(Value::Bool(true)))
    }

    #[test]
    fn syntax_is_that_of_go() {
        // From bitnami/common: braces that start no repetition.
        assert!(matches(r"{(v[0-9])*[^}]*}}$", "&{{v1.36.0 v1.36.0 1 36} [v1] {v4.2   go1.26.6 v1.36}}"));
        assert!(matches(r"^\Qa.b\E$", "a.b") && !matches(r"^\Qa.b\E$", "axb"));
        assert!(matches(r"^\141\x62\x{63}$", "abc"));
        assert!(!matches(r"^\w$", "é") && !matches(r"^\d$", "٣") && !matches(r"\s", "\u{b}"));
        assert!(matches("^[a-zA-Z0-9-_.]+$", "a-b_c.D"));
        assert!(matches("(?i)^k$", "\u{212a}"));
        assert!(matches("[a&&b]", "&"));
    }

    #[test]
    fn invalid_utf_8_reads_as_the_replacement_character() {
        let subject = Value::string(b"a\xff\xe2\x82b".as_slice());
        let found = call("regexFind", &[Value::string("^a...b$"), subject]).unwrap();
        assert!(matches!(found, Value::String(found) if found.as_bytes() == b"a\xff\xe2\x82b"));
    }

    #[test]
    fn errors_show_the_expression_as_a_go_literal_where_it_needs_one() {
        assert_eq!(
            message("regexFind", &strings(&["a`[", "x"])),
            "regexp: Compile(\"a`[\"): error parsing regexp: missing closing ]: `[`"
        );
        assert_eq!(
            message("mustRegexFind", &strings(&["a{1001}", "x"])),
            "error parsing regexp: invalid repeat count: `{1001}`"
        );
    }

    #[test]
    fn groups_are_put_into_replacements() {
        let replace = |replacement| text("regexReplaceAll", &strings(&["a(x*)b", "-ab-axxb-", replacement]));
        assert_eq!(replace("$1"), "--xx-");
        assert_eq!(replace("$1W"), "---");
        assert_eq!(replace("${1}W"), "-W-xxW-");
        assert_eq!(replace("$$"), "-$-$-");
    }

    #[test]
    fn expensive_expressions_end_in_an_exceeded_budget() {
        let limits = Limits { steps: 100_000, ..Limits::default() };
        let subject = "a".repeat(2_000);
        for pattern in [r"\pL{900}", "(a*)*(a*)*(a*)*(a*)*b"] {
            let pattern = pattern.repeat(40);
            assert!(
                matches!(
                    call_within(limits, "regexMatch", &strings(&[&pattern, &subject])),
                    Err(CallError::Budget(BudgetExceeded::Steps { .. }))
                ),
                "{pattern}"
            );
        }
    }
}
