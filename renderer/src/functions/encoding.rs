//! sprig's encodings and checksums.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest;

use super::arguments::{charge_text, text};
use super::{CallResult, Context, Function, Parameter};
use crate::value::Value;

use Parameter::String as Text;

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "b64enc", parameters: &[Text], variadic: None, call: b64enc },
    Function { name: "b64dec", parameters: &[Text], variadic: None, call: b64dec },
    Function { name: "b32enc", parameters: &[Text], variadic: None, call: b32enc },
    Function { name: "b32dec", parameters: &[Text], variadic: None, call: b32dec },
    Function { name: "sha1sum", parameters: &[Text], variadic: None, call: sha1sum },
    Function { name: "sha256sum", parameters: &[Text], variadic: None, call: sha256sum },
    Function { name: "sha512sum", parameters: &[Text], variadic: None, call: sha512sum },
    Function { name: "adler32sum", parameters: &[Text], variadic: None, call: adler32sum },
];

const BASE32_ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const PADDING: u8 = b'=';

fn b64enc(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let input = text(arguments, 0)?;
    charge_text(context, input.len().div_ceil(3).saturating_mul(4))?;
    Ok(Value::string(STANDARD.encode(input.as_bytes())))
}

// sprig: strings.go base64decode: the error's text is the result.
fn b64dec(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let input = text(arguments, 0)?;
    charge_text(context, input.len())?;
    Ok(match decode_base64(input) {
        Ok(bytes) => Value::string(bytes),
        Err(position) => Value::string(base64_error(position)),
    })
}

/// Go's `base64.CorruptInputError`.
pub(super) fn base64_error(position: usize) -> String {
    format!("illegal base64 data at input byte {position}")
}

/// Decodes standard Base64 with padding; line breaks are skipped, stray bits of the last character are ignored. The
/// error is the position that Go names.
// Go: encoding/base64 decodeQuantum
pub(super) fn decode_base64(input: &[u8]) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(input.len() / 4 * 3);
    let mut quantum: u32 = 0;
    let mut filled = 0;
    let skip_breaks =
        |from: usize| from + input[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let mut position = 0;
    while let Some(&byte) = input.get(position) {
        position += 1;
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'\r' | b'\n' => continue,
            PADDING if filled >= 2 => {
                if filled == 2 {
                    position = skip_breaks(position);
                    match input.get(position) {
                        None => return Err(input.len()),
                        Some(&PADDING) => position += 1,
                        Some(_) => return Err(position - 1),
                    }
                }
                position = skip_breaks(position);
                if position < input.len() {
                    return Err(position);
                }
                let whole = quantum << (6 * (4 - filled));
                bytes.extend_from_slice(&whole.to_be_bytes()[1..filled]);
                return Ok(bytes);
            }
            _ => return Err(position - 1),
        };
        quantum = quantum << 6 | u32::from(digit);
        filled += 1;
        if filled == 4 {
            bytes.extend_from_slice(&quantum.to_be_bytes()[1..]);
            (quantum, filled) = (0, 0);
        }
    }
    if filled == 0 { Ok(bytes) } else { Err(input.len() - filled) }
}

fn b32enc(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let input = text(arguments, 0)?;
    charge_text(context, input.len().div_ceil(5).saturating_mul(8))?;
    let mut encoded = Vec::with_capacity(input.len().div_ceil(5) * 8);
    for chunk in input.chunks(5) {
        let mut group = [0; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(group);
        let digits = (chunk.len() * 8).div_ceil(5);
        for index in 0..8 {
            let digit = usize::try_from(bits >> (35 - 5 * index) & 31).unwrap_or_default();
            encoded.push(if index < digits { BASE32_ALPHABET[digit] } else { PADDING });
        }
    }
    Ok(Value::string(encoded))
}

// sprig: strings.go base32decode
fn b32dec(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let input = text(arguments, 0)?;
    charge_text(context, input.len())?;
    Ok(match decode_base32(input) {
        Ok(bytes) => Value::string(bytes),
        Err(position) => Value::string(format!("illegal base32 data at input byte {position}")),
    })
}

// Go: encoding/base32 decode, after DecodeString has dropped all line breaks.
fn decode_base32(input: &[u8]) -> Result<Vec<u8>, usize> {
    let input: Vec<u8> = input.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let mut bytes = Vec::with_capacity(input.len() / 8 * 5);
    let mut position = 0;
    while position < input.len() {
        let mut bits: u64 = 0;
        let mut filled = 0;
        let mut ends = false;
        while filled < 8 {
            let Some(&byte) = input.get(position) else { return Err(position - filled) };
            position += 1;
            let left = input.len() - position;
            if byte == PADDING && filled >= 2 && left < 8 {
                if left + filled < 7 {
                    return Err(input.len());
                }
                let padding = &input[position..(position + 7 - filled).min(input.len())];
                if let Some(wrong) = padding.iter().position(|&byte| byte != PADDING) {
                    return Err((position + wrong).saturating_sub(1));
                }
                if matches!(filled, 1 | 3 | 6) {
                    return Err(position - 1);
                }
                ends = true;
                break;
            }
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'2'..=b'7' => byte - b'2' + 26,
                _ => return Err(position - 1),
            };
            bits = bits << 5 | u64::from(digit);
            filled += 1;
        }
        let whole = (bits << (5 * (8 - filled))).to_be_bytes();
        bytes.extend_from_slice(&whole[3..3 + filled * 5 / 8]);
        if ends {
            break;
        }
    }
    Ok(bytes)
}

/// Bytes as lower case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// A checksum reads its input once and gives a short text.
fn checksum(context: &Context<'_>, arguments: &[Value], sum: impl FnOnce(&[u8]) -> String) -> CallResult {
    let input = text(arguments, 0)?;
    context.budget.charge_steps(input.len() as u64 / 64)?;
    Ok(Value::string(sum(input)))
}

fn sha1sum(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    checksum(context, arguments, |input| hexadecimal(&sha1::Sha1::digest(input)))
}

fn sha256sum(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    checksum(context, arguments, |input| hexadecimal(&sha2::Sha256::digest(input)))
}

fn sha512sum(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    checksum(context, arguments, |input| hexadecimal(&sha2::Sha512::digest(input)))
}

// Go: hash/adler32, RFC 1950.
fn adler32sum(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    const MODULUS: u32 = 65521;
    checksum(context, arguments, |input| {
        /// So many bytes are added up before a sum can overflow.
        const BLOCK: usize = 5552;
        let (low, high) = input.chunks(BLOCK).fold((1, 0), |sums, block| {
            let (low, high) = block.iter().fold(sums, |(low, high), &byte| {
                let low = low + u32::from(byte);
                (low, high + low)
            });
            (low % MODULUS, high % MODULUS)
        });
        (high << 16 | low).to_string()
    })
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn base64_errors_name_the_byte_that_go_names() {
        check("b64dec", &[("ab==\n", "i"), ("YWJj\nZGVm", "abcdef"), ("", "")]);
        let cases =
            [("a", 0), ("ab=", 3), ("ab=c", 2), ("abc=d", 4), ("YWI", 0), ("YW=\n=x", 5), ("=", 0), ("a===", 1)];
        let later = [("YWJjZ", 4), ("YWJj-_", 4), ("YWJjZA==ZA==", 8)];
        for (input, position) in cases.into_iter().chain(later) {
            check("b64dec", &[(input, &format!("illegal base64 data at input byte {position}"))]);
        }
    }

    #[test]
    fn base32_errors_name_the_byte_that_go_names() {
        check("b32dec", &[("ME======", "a"), ("MFRGG===", "abc"), ("MF\nRGG===", "abc"), ("MFRGG===A", "abc")]);
        let cases =
            [("M", 0), ("ME=====", 7), ("ME==A===", 3), ("m", 0), ("MFRGGZ==", 6), ("M=======", 1), ("MFR=====", 3)];
        for (input, position) in cases {
            check("b32dec", &[(input, &format!("illegal base32 data at input byte {position}"))]);
        }
    }

    // The test vectors of RFC 4648, FIPS 180 and RFC 1950.
    #[test]
    fn encodings_and_checksums_are_the_standards() {
        check("b32enc", &[("", ""), ("f", "MY======"), ("foob", "MZXW6YQ="), ("fooba", "MZXW6YTB")]);
        check("b64enc", &[("", ""), ("f", "Zg=="), ("foobar", "Zm9vYmFy")]);
        check("sha1sum", &[("abc", "a9993e364706816aba3e25717850c26c9cd0d89d")]);
        check("sha256sum", &[("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]);
        check("adler32sum", &[("Wikipedia", "300286872"), ("", "1")]);
    }
}
