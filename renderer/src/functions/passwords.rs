//! sprig's password functions: bcrypt, htpasswd, derived passwords and AES.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::arguments::{charge_text, text};
use super::encoding::{base64_error, decode_base64};
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::value::Value;

use Parameter::{String as Text, Uint32};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "bcrypt", parameters: &[Text], variadic: None, call: bcrypt_function },
    Function { name: "htpasswd", parameters: &[Text, Text], variadic: None, call: htpasswd },
    Function {
        name: "derivePassword",
        parameters: &[Uint32, Text, Text, Text, Text],
        variadic: None,
        call: derive_password,
    },
    Function { name: "encryptAES", parameters: &[Text, Text], variadic: None, call: encrypt_aes },
    Function { name: "decryptAES", parameters: &[Text, Text], variadic: None, call: decrypt_aes },
];

/// Rounds of bcrypt as a power of two.
// golang.org/x/crypto/bcrypt DefaultCost
const BCRYPT_COST: u32 = 10;
/// The longest password that bcrypt reads.
const BCRYPT_LONGEST: usize = 72;
/// Steps for one hash: about a twentieth of a second on one core.
const BCRYPT_STEPS: u64 = 2_500_000;

// sprig: crypto.go bcrypt: an error is the result's text.
fn bcrypt(context: &Context<'_>, password: &[u8]) -> Result<String, CallError> {
    context.budget.charge_steps(BCRYPT_STEPS)?;
    if password.len() > BCRYPT_LONGEST {
        return Ok("failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".to_owned());
    }
    let mut salt = [0; 16];
    context.host.random(&mut salt);
    // The password ends with a zero byte, if there is room for it.
    let mut key = password.to_vec();
    key.push(0);
    key.truncate(BCRYPT_LONGEST);
    let hash = ::bcrypt::bcrypt(BCRYPT_COST, salt, &key);
    let encoding =
        base64::engine::GeneralPurpose::new(&base64::alphabet::BCRYPT, base64::engine::general_purpose::NO_PAD);
    // The last of the 24 bytes is left out.
    Ok(format!("$2a${BCRYPT_COST}${}{}", encoding.encode(salt), encoding.encode(&hash[..23])))
}

fn bcrypt_function(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    bcrypt(context, text(arguments, 0)?).map(Value::string)
}

// sprig: crypto.go htpasswd
fn htpasswd(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let (user, password) = (text(arguments, 0)?, text(arguments, 1)?);
    charge_text(context, user.len())?;
    if user.contains(&b':') {
        return Ok(Value::string([b"invalid username: ", user.as_bytes()].concat()));
    }
    let hash = bcrypt(context, password)?;
    Ok(Value::string([user.as_bytes(), b":", hash.as_bytes()].concat()))
}

/// The templates of a kind of derived password.
// The Master Password algorithm, version 3: https://masterpassword.app
fn password_templates(kind: &[u8]) -> Option<&'static [&'static [u8]]> {
    Some(match kind {
        b"maximum" => &[b"anoxxxxxxxxxxxxxxxxx", b"axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            b"CvcvnoCvcvCvcv",
            b"CvcvCvcvnoCvcv",
            b"CvcvCvcvCvcvno",
            b"CvccnoCvcvCvcv",
            b"CvccCvcvnoCvcv",
            b"CvccCvcvCvcvno",
            b"CvcvnoCvccCvcv",
            b"CvcvCvccnoCvcv",
            b"CvcvCvccCvcvno",
            b"CvcvnoCvcvCvcc",
            b"CvcvCvcvnoCvcc",
            b"CvcvCvcvCvccno",
            b"CvccnoCvccCvcv",
            b"CvccCvccnoCvcv",
            b"CvccCvccCvcvno",
            b"CvcvnoCvccCvcc",
            b"CvcvCvccnoCvcc",
            b"CvcvCvccCvccno",
            b"CvccnoCvcvCvcc",
            b"CvccCvcvnoCvcc",
            b"CvccCvcvCvccno",
        ],
        b"medium" => &[b"CvcnoCvc", b"CvcCvcno"],
        b"short" => &[b"Cvcn"],
        b"basic" => &[b"aaanaaan", b"aannaaan", b"aaannaaa"],
        b"pin" => &[b"nnnn"],
        _ => return None,
    })
}

/// The characters that a letter of a template stands for.
fn template_characters(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// What scopes the keys of the Master Password algorithm.
const MASTER_PASSWORD_SCOPE: &[u8] = b"com.lyndir.masterpassword";
/// Parameters of scrypt: 2^15 blocks of 8, twice.
const SCRYPT_LOG_N: u8 = 15;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 2;
/// The memory that scrypt takes: 128 bytes for each of its blocks.
const SCRYPT_BYTES: u64 = 128 * (1 << SCRYPT_LOG_N) * SCRYPT_R as u64;
/// Steps for one key: about a tenth of a second on one core.
const SCRYPT_STEPS: u64 = 5_000_000;

// sprig: crypto.go derivePassword
fn derive_password(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let counter = match arguments.first() {
        Some(Value::Uint64(counter)) => *counter as u32,
        _ => 0,
    };
    let (kind, password) = (text(arguments, 1)?, text(arguments, 2)?);
    let (user, site) = (text(arguments, 3)?, text(arguments, 4)?);
    let Some(templates) = password_templates(kind) else {
        return Ok(Value::string([b"cannot find password template ", kind.as_bytes()].concat()));
    };
    context.budget.charge_bytes(SCRYPT_BYTES)?;
    context.budget.charge_steps(SCRYPT_STEPS)?;
    let scoped = |text: &[u8]| [MASTER_PASSWORD_SCOPE, &(text.len() as u32).to_be_bytes(), text].concat();
    let failed = || CallError::message("failed to derive password");
    let parameters = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P).map_err(|_| failed())?;
    let mut key = [0; 64];
    scrypt::scrypt(password, &scoped(user), &parameters, &mut key).map_err(|_| failed())?;
    let mut authenticator = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| failed())?;
    authenticator.update(&scoped(site));
    authenticator.update(&counter.to_be_bytes());
    let seed = authenticator.finalize().into_bytes();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let derived: Vec<u8> = template
        .iter()
        .zip(&seed[1..])
        .map(|(&letter, &byte)| {
            let characters = template_characters(letter);
            characters[usize::from(byte) % characters.len()]
        })
        .collect();
    Ok(Value::string(derived))
}

/// Bytes of an AES block.
const BLOCK: usize = 16;

/// The password as a key: cut or filled with zeros.
fn aes_key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    for (byte, given) in key.iter_mut().zip(password) {
        *byte = *given;
    }
    key
}

// sprig: crypto.go encryptAES: CBC with a random start, which stands in front.
fn encrypt_aes(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let plain = text(arguments, 1)?;
    if plain.is_empty() {
        return Ok(Value::string(""));
    }
    charge_text(context, plain.len().saturating_mul(4).saturating_add(64))?;
    let mut start = [0; BLOCK];
    context.host.random(&mut start);
    let encryptor = cbc::Encryptor::<Aes256>::new(&aes_key(text(arguments, 0)?).into(), &start.into());
    let encrypted = encryptor.encrypt_padded_vec::<Pkcs7>(plain);
    Ok(Value::string(STANDARD.encode([start.as_slice(), &encrypted].concat())))
}

// sprig: crypto.go decryptAES; the texts are those of Go's panics.
fn decrypt_aes(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let encoded = text(arguments, 1)?;
    if encoded.is_empty() {
        return Ok(Value::string(""));
    }
    charge_text(context, encoded.len().saturating_mul(2))?;
    let bytes = decode_base64(encoded).map_err(|position| CallError::message(base64_error(position)))?;
    let Some((start, encrypted)) = bytes.split_first_chunk::<BLOCK>() else {
        // The room that Go's decoder makes: three bytes for every four characters.
        let capacity = encoded.len() / 4 * 3;
        let range = format!("[:{BLOCK}] with capacity {capacity}");
        return Err(CallError::message(format!("runtime error: slice bounds out of range {range}")));
    };
    if encrypted.len() % BLOCK != 0 {
        return Err(CallError::message("crypto/cipher: input not full blocks"));
    }
    let decryptor = cbc::Decryptor::<Aes256>::new(&aes_key(text(arguments, 0)?).into(), &(*start).into());
    let mut plain = decryptor
        .decrypt_padded_vec::<aes::cipher::block_padding::NoPadding>(encrypted)
        .map_err(|_| CallError::message("crypto/cipher: input not full blocks"))?;
    let Some(&padding) = plain.last() else {
        return Err(CallError::message("runtime error: index out of range [-1]"));
    };
    // Go cuts off as many bytes as the last one says, whatever they are.
    let kept = plain.len() as i64 - i64::from(padding);
    match usize::try_from(kept) {
        Ok(kept) => plain.truncate(kept),
        Err(_) => return Err(CallError::message(format!("runtime error: slice bounds out of range [:{kept}]"))),
    }
    Ok(Value::string(plain))
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{message, text};
    use crate::value::Value;

    fn strings(items: &[&str]) -> Vec<Value> {
        items.iter().map(|item| Value::string(*item)).collect()
    }

    #[test]
    fn a_bcrypt_hash_verifies() {
        // With the salt of the repeatable host; golang.org/x/crypto/bcrypt accepts this hash.
        let hash = "$2a$10$p6ybcxkmGMJyXZkfYn32Zev/Bf2vyLXWU7RcaBfKMUyOi7hg3eOs2";
        assert_eq!(text("bcrypt", &strings(&["secret"])), hash);
        assert_eq!(text("htpasswd", &strings(&["u:x", "p"])), "invalid username: u:x");
        let refused = text("bcrypt", &strings(&[&"x".repeat(73)]));
        assert_eq!(refused, "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes");
    }

    #[test]
    fn derived_passwords_are_those_of_the_algorithm() {
        let derive = |kind: &str| {
            let mut arguments = vec![Value::Uint64(1)];
            arguments.extend(strings(&[kind, "password", "user", "example.com"]));
            text("derivePassword", &arguments)
        };
        assert_eq!(derive("long"), "ZedaFaxcZaso9*");
        assert_eq!(derive("zz"), "cannot find password template zz");
    }

    #[test]
    fn aes_decrypts_what_it_encrypted() {
        let long = "x".repeat(40);
        for plain in ["", "text", "exactly 16 bytes", long.as_str()] {
            let encrypted = text("encryptAES", &strings(&["key", plain]));
            assert_eq!(text("decryptAES", &strings(&["key", &encrypted])), plain);
        }
        assert_eq!(message("decryptAES", &strings(&["key", "!"])), "illegal base64 data at input byte 0");
        let odd = "AAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(message("decryptAES", &strings(&["key", odd])), "crypto/cipher: input not full blocks");
    }
}
