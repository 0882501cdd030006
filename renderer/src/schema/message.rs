//! The words of violations (santhosh-tekuri/jsonschema 6: `kind/kind.go`, with numbers as English text has them).

use serde_json::Value;

/// The order in which several types are named.
pub(super) const TYPE_ORDER: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];

/// Several violations of one schema.
pub(super) const GROUP: &str = "validation failed";
/// Violations of schemas all of which have to be fulfilled.
pub(super) const ALL_OF: &str = "'allOf' failed";

/// What `const` asks for.
pub(super) fn constant(wanted: &Value) -> String {
    match wanted {
        Value::Array(_) | Value::Object(_) => "'const' failed".to_owned(),
        wanted => format!("value must be {}", display(wanted)),
    }
}

/// What `enum` asks for.
pub(super) fn options(options: &[Value]) -> String {
    if options.iter().any(|option| option.is_array() || option.is_object()) {
        return "'enum' failed".to_owned();
    }
    match options {
        [only] => format!("value must be {}", display(only)),
        options => {
            let options: Vec<String> = options.iter().map(display).collect();
            format!("value must be one of {}", options.join(", "))
        }
    }
}

/// JSON's name of a value's type.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        other => crate::values::json_type_name(other),
    }
}

/// A text in single quotes with Go's escapes.
pub(super) fn quote(text: &str) -> String {
    let literal = crate::quote::quote(text.as_bytes());
    let inner = literal[1..literal.len() - 1].replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{inner}'")
}

pub(super) fn quoted(texts: &[&str]) -> String {
    texts.iter().map(|text| quote(text)).collect::<Vec<_>>().join(", ")
}

fn display(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Null => "<nil>".to_owned(),
        Value::Number(number) => crate::number::format_json(number.as_f64().unwrap_or_default()).unwrap_or_default(),
        other => other.to_string(),
    }
}

/// A number as `golang.org/x/text/message` prints it under `%v`.
pub(super) fn number(value: f64) -> String {
    const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..MAX_PLAIN_EXPONENT).contains(&exponent) {
        let text = value.to_string();
        return match text.split_once('.') {
            Some((whole, fraction)) => format!("{}.{fraction}", separated(whole)),
            None => separated(&text),
        };
    }
    let digits = format!("{:02}", exponent.unsigned_abs());
    let digits: String = digits.bytes().map(|digit| SUPERSCRIPTS[usize::from(digit - b'0')]).collect();
    let sign = if exponent < 0 { "⁻" } else { "" };
    format!("{mantissa}×10{sign}{digits}")
}

/// From this power of ten on, numbers are printed with one.
const MAX_PLAIN_EXPONENT: i32 = 6;

/// A count with separators for thousands.
pub(super) fn grouped(count: u64) -> String {
    separated(&count.to_string())
}

fn separated(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
