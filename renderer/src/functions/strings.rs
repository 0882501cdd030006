//! sprig's string functions.

use bstr::ByteSlice;

use super::arguments::{any, charge_entries, charge_items, charge_text, int, is_nil_interface, text};
use super::text::{quote_text, sprint, string_value, string_values};
use super::{CallError, CallResult, Context, Function, Parameter, unicode};
use crate::value::{ElementType, GoString, List, Map, MapType, Value};

use Parameter::{Any, Int, String as Text};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "trim", parameters: &[Text], variadic: None, call: trim },
    Function { name: "trimAll", parameters: &[Text, Text], variadic: None, call: trim_all },
    Function { name: "trimall", parameters: &[Text, Text], variadic: None, call: trim_all },
    Function { name: "trimPrefix", parameters: &[Text, Text], variadic: None, call: trim_prefix },
    Function { name: "trimSuffix", parameters: &[Text, Text], variadic: None, call: trim_suffix },
    Function { name: "nospace", parameters: &[Text], variadic: None, call: nospace },
    Function { name: "initials", parameters: &[Text], variadic: None, call: initials },
    Function { name: "trunc", parameters: &[Int, Text], variadic: None, call: trunc },
    Function { name: "substr", parameters: &[Int, Int, Text], variadic: None, call: substr },
    Function { name: "abbrev", parameters: &[Int, Text], variadic: None, call: abbrev },
    Function { name: "abbrevboth", parameters: &[Int, Int, Text], variadic: None, call: abbrevboth },
    Function { name: "repeat", parameters: &[Int, Text], variadic: None, call: repeat },
    Function { name: "contains", parameters: &[Text, Text], variadic: None, call: contains },
    Function { name: "hasPrefix", parameters: &[Text, Text], variadic: None, call: has_prefix },
    Function { name: "hasSuffix", parameters: &[Text, Text], variadic: None, call: has_suffix },
    Function { name: "replace", parameters: &[Text, Text, Text], variadic: None, call: replace },
    Function { name: "plural", parameters: &[Text, Text, Int], variadic: None, call: plural },
    Function { name: "quote", parameters: &[], variadic: Some(Any), call: quote },
    Function { name: "squote", parameters: &[], variadic: Some(Any), call: squote },
    Function { name: "cat", parameters: &[], variadic: Some(Any), call: cat },
    Function { name: "indent", parameters: &[Int, Text], variadic: None, call: indent },
    Function { name: "nindent", parameters: &[Int, Text], variadic: None, call: nindent },
    Function { name: "toString", parameters: &[Any], variadic: None, call: to_string },
    Function { name: "toStrings", parameters: &[Any], variadic: None, call: to_strings },
    Function { name: "join", parameters: &[Text, Any], variadic: None, call: join },
    Function { name: "split", parameters: &[Text, Text], variadic: None, call: split },
    Function { name: "splitn", parameters: &[Text, Int, Text], variadic: None, call: splitn },
    Function { name: "splitList", parameters: &[Text, Text], variadic: None, call: split_list },
    Function { name: "sortAlpha", parameters: &[Any], variadic: None, call: sort_alpha },
];

/// Why Go's `strings.Repeat` refuses a count.
const NEGATIVE_REPEAT: &str = "strings: negative Repeat count";

fn string(context: &Context<'_>, bytes: &[u8]) -> CallResult {
    charge_text(context, bytes.len())?;
    Ok(Value::string(bytes))
}

// Go: strings.TrimSpace
fn trim(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    string(context, trim_runes(text(arguments, 0)?, unicode::is_space))
}

pub(super) fn trim_runes(bytes: &[u8], strip: impl Fn(char) -> bool) -> &[u8] {
    let mut start = 0;
    for (character, width) in unicode::runes(bytes) {
        if !strip(character) {
            break;
        }
        start += width;
    }
    let mut rest = &bytes[start..];
    loop {
        // Go: unicode/utf8 DecodeLastRune; an invalid last byte is one U+FFFD.
        let (character, width) = match bstr::decode_last_utf8(rest) {
            (_, 0) => return rest,
            (Some(character), width) => (character, width),
            (None, _) => (char::REPLACEMENT_CHARACTER, 1),
        };
        if !strip(character) {
            return rest;
        }
        rest = &rest[..rest.len() - width];
    }
}

// Go: strings.Trim
fn trim_all(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let cutset: Vec<char> = unicode::runes(text(arguments, 0)?).map(|(character, _)| character).collect();
    let subject = text(arguments, 1)?;
    context.budget.charge_steps((cutset.len() as u64).saturating_mul(subject.len() as u64) / 64)?;
    string(context, trim_runes(subject, |character| cutset.contains(&character)))
}

fn trim_prefix(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let subject = text(arguments, 1)?;
    string(context, subject.strip_prefix(text(arguments, 0)?.as_bytes()).unwrap_or(subject))
}

fn trim_suffix(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let subject = text(arguments, 1)?;
    string(context, subject.strip_suffix(text(arguments, 0)?.as_bytes()).unwrap_or(subject))
}

/// A byte as the rune of the same number, which is how goutils reads a string: Latin-1.
fn latin1(byte: u8) -> char {
    char::from(byte)
}

// goutils: stringutils.go DeleteWhiteSpace. Without white space the string comes back unchanged; with some, each byte
// above 127 is written as the rune of its number.
fn nospace(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let subject = text(arguments, 0)?;
    if !subject.iter().any(|&byte| unicode::is_space(latin1(byte))) {
        return Ok(Value::String(subject.clone()));
    }
    charge_text(context, subject.len().saturating_mul(2))?;
    let mut kept = Vec::with_capacity(subject.len());
    for character in subject.iter().map(|&byte| latin1(byte)).filter(|&character| !unicode::is_space(character)) {
        unicode::push(&mut kept, character);
    }
    Ok(Value::string(kept))
}

// goutils: wordutils.go Initials; bytewise as nospace.
fn initials(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let subject = text(arguments, 0)?;
    charge_text(context, subject.len().saturating_mul(2))?;
    let mut letters = Vec::new();
    let mut after_gap = true;
    for character in subject.iter().map(|&byte| latin1(byte)) {
        if unicode::is_space(character) {
            after_gap = true;
        } else if after_gap {
            unicode::push(&mut letters, character);
            after_gap = false;
        }
    }
    Ok(Value::string(letters))
}

// sprig: strings.go trunc
fn trunc(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (count, subject) = (int(arguments, 0)?, text(arguments, 1)?);
    let limit = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if limit >= subject.len() {
        return Ok(Value::String(subject.clone()));
    }
    string(context, if count < 0 { &subject[subject.len() - limit..] } else { &subject[..limit] })
}

// sprig: strings.go substring; the texts are Go's panics of a slice expression.
fn substr(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (start, end, subject) = (int(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?);
    let length = subject.len();
    let position = |index: i64| usize::try_from(index).ok().filter(|&index| index <= length);
    let out_of_range =
        |bounds: String| CallError::message(format!("runtime error: slice bounds out of range {bounds}"));
    if start < 0 {
        return match position(end) {
            Some(end) => string(context, &subject[..end]),
            None if end < 0 => Err(out_of_range(format!("[:{end}]"))),
            None => Err(out_of_range(format!("[:{end}] with length {length}"))),
        };
    }
    match position(end) {
        None => match position(start) {
            Some(start) => string(context, &subject[start..]),
            None => Err(out_of_range(format!("[{start}:{length}]"))),
        },
        Some(to) => match position(start).filter(|&from| from <= to) {
            Some(from) => string(context, &subject[from..to]),
            None => Err(out_of_range(format!("[{start}:{end}]"))),
        },
    }
}

// sprig: strings.go abbrev
fn abbrev(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (width, subject) = (int(arguments, 0)?, text(arguments, 1)?);
    if width < 4 {
        return Ok(Value::String(subject.clone()));
    }
    let abbreviated = abbreviate(subject, 0, usize::try_from(width).unwrap_or(usize::MAX));
    string(context, &abbreviated)
}

// sprig: strings.go abbrevboth
fn abbrevboth(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (left, right, subject) = (int(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?);
    if right < 4 || left > 0 && right < 7 {
        return Ok(Value::String(subject.clone()));
    }
    let abbreviated = abbreviate(subject, left, usize::try_from(right).unwrap_or(usize::MAX));
    string(context, &abbreviated)
}

// goutils: stringutils.go AbbreviateFull; callers guarantee a width of at least 4, and of 7 with an offset.
fn abbreviate(subject: &[u8], offset: i64, width: usize) -> Vec<u8> {
    const MARKER: &[u8] = b"...";
    let length = subject.len();
    if length <= width {
        return subject.to_vec();
    }
    let kept = width - MARKER.len();
    // What the tail must hold at least, so that the result is as wide as allowed.
    let offset = offset.min((length - kept) as i64);
    let Some(offset) = usize::try_from(offset).ok().filter(|&offset| offset > 4) else {
        return [&subject[..kept], MARKER].concat();
    };
    if offset + kept < length {
        return [MARKER, &abbreviate(&subject[offset..], 0, kept)].concat();
    }
    [MARKER, &subject[length - kept..]].concat()
}

// Go: strings.Repeat
fn repeat(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (count, subject) = (int(arguments, 0)?, text(arguments, 1)?);
    repeated(context, subject, count).map(Value::string)
}

fn repeated(context: &Context<'_>, subject: &[u8], count: i64) -> Result<Vec<u8>, CallError> {
    let count = usize::try_from(count).map_err(|_| CallError::message(NEGATIVE_REPEAT))?;
    charge_text(context, subject.len().saturating_mul(count))?;
    Ok(subject.repeat(count))
}

fn contains(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(text(arguments, 1)?.contains_str(text(arguments, 0)?.as_bytes())))
}

fn has_prefix(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(text(arguments, 1)?.starts_with(text(arguments, 0)?)))
}

fn has_suffix(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(text(arguments, 1)?.ends_with(text(arguments, 0)?)))
}

// Go: strings.ReplaceAll
fn replace(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (old, new, subject) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    replaced(context, subject, old, new).map(Value::string)
}

fn replaced(context: &Context<'_>, subject: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<u8>, CallError> {
    charge_text(context, subject.len())?;
    let mut result = Vec::with_capacity(subject.len());
    if old.is_empty() {
        // An empty pattern matches before every rune and at the end.
        let count = unicode::runes(subject).count() + 1;
        charge_text(context, new.len().saturating_mul(count))?;
        let mut position = 0;
        for (_, width) in unicode::runes(subject) {
            result.extend_from_slice(new);
            result.extend_from_slice(&subject[position..position + width]);
            position += width;
        }
        result.extend_from_slice(new);
        return Ok(result);
    }
    let count = subject.find_iter(old).count();
    charge_text(context, new.len().saturating_mul(count))?;
    let mut rest = 0;
    for position in subject.find_iter(old) {
        result.extend_from_slice(&subject[rest..position]);
        result.extend_from_slice(new);
        rest = position + old.len();
    }
    result.extend_from_slice(&subject[rest..]);
    Ok(result)
}

fn plural(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let chosen = if int(arguments, 2)? == 1 { text(arguments, 0)? } else { text(arguments, 1)? };
    Ok(Value::String(chosen.clone()))
}

/// The arguments that are not nil, each converted, separated by one space.
fn spaced(
    context: &Context<'_>,
    arguments: &[Value],
    convert: impl Fn(&Value) -> Result<Vec<u8>, CallError>,
) -> CallResult {
    let mut line = Vec::new();
    for (index, argument) in arguments.iter().filter(|argument| !is_nil_interface(argument)).enumerate() {
        if index > 0 {
            line.push(b' ');
        }
        let converted = convert(argument)?;
        charge_text(context, converted.len())?;
        line.extend_from_slice(&converted);
    }
    Ok(Value::string(line))
}

// sprig: strings.go quote
fn quote(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    spaced(context, arguments, |argument| quote_text(context, &string_value(context, argument)?))
}

// sprig: strings.go squote
fn squote(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    spaced(context, arguments, |argument| {
        let mut quoted = vec![b'\''];
        quoted.extend(sprint(context, argument)?);
        quoted.push(b'\'');
        Ok(quoted)
    })
}

// sprig: strings.go cat
fn cat(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    spaced(context, arguments, |argument| sprint(context, argument))
}

fn indented(context: &Context<'_>, spaces: i64, subject: &[u8], prefix: &[u8]) -> CallResult {
    let spaces = usize::try_from(spaces).map_err(|_| CallError::message(NEGATIVE_REPEAT))?;
    let lines = memchr::memchr_iter(b'\n', subject).count() + 1;
    charge_text(context, spaces.saturating_mul(lines).saturating_add(subject.len() + prefix.len()))?;
    let pad = vec![b' '; spaces];
    let mut result = Vec::with_capacity(spaces * lines + subject.len() + prefix.len());
    result.extend_from_slice(prefix);
    for (index, line) in subject.split(|&byte| byte == b'\n').enumerate() {
        if index > 0 {
            result.push(b'\n');
        }
        result.extend_from_slice(&pad);
        result.extend_from_slice(line);
    }
    Ok(Value::string(result))
}

// sprig: strings.go indent: every line, empty ones too.
fn indent(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    indented(context, int(arguments, 0)?, text(arguments, 1)?, b"")
}

fn nindent(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    indented(context, int(arguments, 0)?, text(arguments, 1)?, b"\n")
}

fn to_string(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::string(string_value(context, any(arguments, 0)?)?))
}

fn string_list(context: &Context<'_>, texts: Vec<Vec<u8>>) -> CallResult {
    charge_items(context, texts.len())?;
    Ok(Value::List(List::typed(ElementType::String, texts.into_iter().map(Value::string).collect())))
}

fn to_strings(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    match any(arguments, 0)? {
        // sprig: strings.go strslice gives a []string back as it is, nil or not.
        Value::List(list) if list.element_type() == ElementType::String => Ok(Value::List(list.clone())),
        other => string_list(context, string_values(context, other)?),
    }
}

// sprig: strings.go join
fn join(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let separator = text(arguments, 0)?;
    let texts = string_values(context, any(arguments, 1)?)?;
    let length = texts.iter().map(Vec::len).sum::<usize>();
    charge_text(context, length.saturating_add(separator.len().saturating_mul(texts.len())))?;
    Ok(Value::string(texts.join(separator.as_bytes())))
}

/// Go's `strings.SplitN`: at most `limit` parts, all if it is negative, none (nil) if it is zero. An empty separator
/// splits into runes.
fn split_parts<'a>(
    context: &Context<'_>,
    subject: &'a [u8],
    separator: &[u8],
    limit: i64,
) -> Result<Vec<&'a [u8]>, CallError> {
    let limit = match limit {
        0 => return Ok(Vec::new()),
        limit => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    charge_text(context, subject.len())?;
    let mut parts = Vec::new();
    if separator.is_empty() {
        let mut position = 0;
        for (_, width) in unicode::runes(subject) {
            if parts.len() + 1 == limit {
                break;
            }
            charge_items(context, 1)?;
            parts.push(&subject[position..position + width]);
            position += width;
        }
        if position < subject.len() {
            parts.push(&subject[position..]);
        }
        return Ok(parts);
    }
    let mut rest = 0;
    for position in subject.find_iter(separator) {
        if parts.len() + 1 == limit {
            break;
        }
        charge_items(context, 1)?;
        parts.push(&subject[rest..position]);
        rest = position + separator.len();
    }
    parts.push(&subject[rest..]);
    Ok(parts)
}

/// Parts under the keys `_0`, `_1`, and so on.
fn numbered(context: &Context<'_>, parts: &[&[u8]]) -> CallResult {
    charge_entries(context, parts.len())?;
    let map = Map::typed(MapType::String);
    for (index, part) in parts.iter().enumerate() {
        map.insert(GoString::from(format!("_{index}")), Value::string(*part));
    }
    Ok(Value::Map(map))
}

fn split(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    numbered(context, &split_parts(context, text(arguments, 1)?, text(arguments, 0)?, -1)?)
}

fn splitn(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let limit = int(arguments, 1)?;
    numbered(context, &split_parts(context, text(arguments, 2)?, text(arguments, 0)?, limit)?)
}

fn split_list(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let parts = split_parts(context, text(arguments, 1)?, text(arguments, 0)?, -1)?;
    charge_items(context, parts.len())?;
    Ok(Value::List(List::typed(ElementType::String, parts.into_iter().map(Value::string).collect())))
}

/// Charges comparisons: each text takes part in about as many as there are digits in their number.
fn charge_sorting(context: &Context<'_>, texts: &[Vec<u8>]) -> Result<(), CallError> {
    let bytes: usize = texts.iter().map(Vec::len).sum();
    let comparisons = u64::from(texts.len().checked_ilog2().unwrap_or_default()) + 1;
    context.budget.charge_steps((texts.len() as u64).saturating_mul(comparisons))?;
    Ok(context.budget.charge_reading((bytes as u64).saturating_mul(comparisons))?)
}

// sprig: list.go sortAlpha
fn sort_alpha(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let value = any(arguments, 0)?;
    let mut texts = match value {
        // As for toStrings: a nil []string stays one.
        Value::List(list) if list.is_nil() && list.element_type() == ElementType::String => return Ok(value.clone()),
        Value::List(_) | Value::Bytes(_) => string_values(context, value)?,
        other => vec![string_value(context, other)?],
    };
    charge_sorting(context, &texts)?;
    texts.sort_unstable();
    string_list(context, texts)
}
