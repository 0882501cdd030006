//! Number literals (`text/template/parse/node.go` `newNumber`).

use bstr::ByteSlice;

use super::lex::{Item, Kind};
use super::node::Number;
use crate::functions::numbers::{parse_float, parse_int, parse_uint};
use crate::quote;

/// Two to the power of 63: the first float that no `int64` can hold.
const INT64_END: f64 = 9_223_372_036_854_775_808.0;
/// Two to the power of 64.
const UINT64_END: f64 = 18_446_744_073_709_551_616.0;

/// The literal under all types that can hold it, or what is wrong with it.
pub(super) fn parse(item: &Item<'_>) -> Result<Number, String> {
    let text = item.value;
    let mut number = Number { text: item.span(), int: None, uint: None, float: None, complex: None };
    match item.kind {
        Kind::CharConstant => character(&mut number, text)?,
        Kind::Complex => {
            let (real, imaginary) = complex_parts(text).ok_or_else(|| illegal(text))?;
            set_complex(&mut number, real, imaginary);
        }
        _ => {
            let imaginary = text.strip_suffix(b"i").and_then(parse_float);
            match imaginary {
                Some(imaginary) => set_complex(&mut number, 0.0, imaginary),
                None => real(&mut number, text)?,
            }
        }
    }
    Ok(number)
}

fn illegal(text: &[u8]) -> String {
    format!("illegal number syntax: {}", quote::quote(text))
}

fn character(number: &mut Number, text: &[u8]) -> Result<(), String> {
    let inside = text.get(1..).unwrap_or_default();
    let (code, rest) =
        quote::unquote_character(inside, b'\'', &mut Vec::new()).ok_or_else(|| String::from("invalid syntax"))?;
    if rest != b"'" {
        return Err(format!("malformed character constant: {}", text.as_bstr()));
    }
    number.int = Some(i64::from(code));
    number.uint = Some(u64::from(code));
    number.float = Some(f64::from(code));
    Ok(())
}

/// Splits `1+2i` at the sign between the parts.
fn complex_parts(text: &[u8]) -> Option<(f64, f64)> {
    let text = text.strip_suffix(b"i")?;
    let sign = (1..text.len()).rev().find(|&index| {
        matches!(text[index], b'+' | b'-') && !matches!(text[index - 1].to_ascii_lowercase(), b'e' | b'p')
    })?;
    Some((parse_float(&text[..sign])?, parse_float(&text[sign..])?))
}

// Go: NumberNode.simplifyComplex
fn set_complex(number: &mut Number, real: f64, imaginary: f64) {
    number.complex = Some((real, imaginary));
    if imaginary == 0.0 {
        number.float = Some(real);
        number.int = float_to_int(real);
        number.uint = float_to_uint(real);
    }
}

fn float_to_int(float: f64) -> Option<i64> {
    (float.fract().abs() <= 0.0 && (-INT64_END..INT64_END).contains(&float)).then_some(float as i64)
}

fn float_to_uint(float: f64) -> Option<u64> {
    (float.fract().abs() <= 0.0 && (0.0..UINT64_END).contains(&float)).then_some(float as u64)
}

fn real(number: &mut Number, text: &[u8]) -> Result<(), String> {
    number.uint = parse_uint(text, 0);
    number.int = parse_int(text, 0);
    if number.int == Some(0) {
        // `-0` is no unsigned literal.
        number.uint = Some(0);
    }
    if let Some(int) = number.int {
        number.float = Some(int as f64);
    } else if let Some(uint) = number.uint {
        number.float = Some(uint as f64);
    } else if let Some(float) = parse_float(text) {
        if text.find_byteset(b".eEpP").is_none() {
            return Err(format!("integer overflow: {}", quote::quote(text)));
        }
        number.float = Some(float);
        number.int = float_to_int(float);
        number.uint = float_to_uint(float);
    } else {
        return Err(illegal(text));
    }
    Ok(())
}
