//! sprig's random text: every bit comes from the host, so that a repeatable host gives a repeatable render.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::arguments::{charge_text, int, text};
use super::{CallError, CallResult, Context, Function, Parameter, unicode};
use crate::value::Value;

use Parameter::{Int, String as Text};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "randAlphaNum", parameters: &[Int], variadic: None, call: rand_alpha_num },
    Function { name: "randAlpha", parameters: &[Int], variadic: None, call: rand_alpha },
    Function { name: "randNumeric", parameters: &[Int], variadic: None, call: rand_numeric },
    Function { name: "randAscii", parameters: &[Int], variadic: None, call: rand_ascii },
    Function { name: "randBytes", parameters: &[Int], variadic: None, call: rand_bytes },
    Function { name: "randInt", parameters: &[Int, Int], variadic: None, call: rand_int },
    Function { name: "shuffle", parameters: &[Text], variadic: None, call: shuffle },
    Function { name: "uuidv4", parameters: &[], variadic: None, call: uuidv4 },
];

/// A uniformly distributed number below the bound, which must not be zero.
fn below(context: &Context<'_>, bound: u64) -> u64 {
    // Numbers above the largest multiple of the bound would favour small remainders; they are drawn again.
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let mut word = [0; 8];
        context.host.random(&mut word);
        let number = u64::from_le_bytes(word);
        if number < limit {
            return number % bound;
        }
    }
}

/// Text of characters from the alphabet. A negative count gives no text: sprig drops the error.
// goutils: cryptorandomstringutils.go CryptoRandom
fn random_text(context: &Context<'_>, arguments: &[Value], alphabet: &[u8]) -> CallResult {
    let count = usize::try_from(int(arguments, 0)?).unwrap_or_default();
    charge_text(context, count)?;
    context.budget.charge_steps(count as u64)?;
    let characters: Vec<u8> = (0..count)
        .map(|_| {
            let index = below(context, alphabet.len() as u64);
            alphabet.get(usize::try_from(index).unwrap_or_default()).copied().unwrap_or_default()
        })
        .collect();
    Ok(Value::string(characters))
}

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn rand_alpha_num(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    random_text(context, arguments, ALPHANUMERIC)
}

fn rand_alpha(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    random_text(context, arguments, &ALPHANUMERIC[..52])
}

fn rand_numeric(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    random_text(context, arguments, &ALPHANUMERIC[52..])
}

fn rand_ascii(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let printable: Vec<u8> = (b' '..=b'~').collect();
    random_text(context, arguments, &printable)
}

// sprig: crypto.go randBytes; Go refuses a negative length of a slice.
fn rand_bytes(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let count = usize::try_from(int(arguments, 0)?)
        .map_err(|_| CallError::message("runtime error: makeslice: len out of range"))?;
    charge_text(context, count.saturating_mul(3))?;
    let mut bytes = vec![0; count];
    context.host.random(&mut bytes);
    Ok(Value::string(STANDARD.encode(bytes)))
}

// sprig: functions.go randInt; the text is that of math/rand's panic.
fn rand_int(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (minimum, maximum) = (int(arguments, 0)?, int(arguments, 1)?);
    match u64::try_from(maximum.wrapping_sub(minimum)) {
        Ok(span) if span > 0 => Ok(Value::Int(minimum.wrapping_add(below(context, span) as i64))),
        _ => Err(CallError::message("invalid argument to Intn")),
    }
}

// xstrings: convert.go Shuffle
fn shuffle(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let subject = text(arguments, 0)?;
    charge_text(context, subject.len().saturating_mul(4))?;
    context.budget.charge_steps(subject.len() as u64)?;
    let mut characters: Vec<char> = unicode::runes(subject).map(|(character, _)| character).collect();
    for last in (1..characters.len()).rev() {
        let other = usize::try_from(below(context, last as u64 + 1)).unwrap_or_default();
        characters.swap(last, other);
    }
    Ok(Value::string(characters.into_iter().collect::<String>()))
}

// RFC 9562: version 4, variant 10.
fn uuidv4(context: &Context<'_>, _: &[Value]) -> CallResult {
    /// What reads and writes so few bytes takes longer than they say.
    const STEPS: u64 = 32;
    context.budget.charge_steps(STEPS)?;
    let mut bytes = [0; 16];
    context.host.random(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = super::encoding::hexadecimal(&bytes);
    Ok(Value::string(format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    )))
}
