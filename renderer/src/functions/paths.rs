//! sprig's paths: Go's packages `path` and, under `os` names, `path/filepath` of Unix, which agree.

use bstr::ByteSlice;

use super::arguments::{charge_text, text};
use super::{CallResult, Context, Function, Parameter};
use crate::value::Value;

use Parameter::String as Text;

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "base", parameters: &[Text], variadic: None, call: base },
    Function { name: "osBase", parameters: &[Text], variadic: None, call: base },
    Function { name: "dir", parameters: &[Text], variadic: None, call: dir },
    Function { name: "osDir", parameters: &[Text], variadic: None, call: dir },
    Function { name: "ext", parameters: &[Text], variadic: None, call: ext },
    Function { name: "osExt", parameters: &[Text], variadic: None, call: ext },
    Function { name: "clean", parameters: &[Text], variadic: None, call: clean },
    Function { name: "osClean", parameters: &[Text], variadic: None, call: clean },
    Function { name: "isAbs", parameters: &[Text], variadic: None, call: is_abs },
    Function { name: "osIsAbs", parameters: &[Text], variadic: None, call: is_abs },
];

// Go: path.Base
fn base(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let path = text(arguments, 0)?;
    if path.is_empty() {
        return Ok(Value::string("."));
    }
    let trimmed = path.trim_end_with(|character| character == '/');
    let base = match trimmed.rfind_byte(b'/') {
        _ if trimmed.is_empty() => b"/",
        Some(slash) => &trimmed[slash + 1..],
        None => trimmed,
    };
    Ok(Value::string(base))
}

// Go: path.Dir
fn dir(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let path = text(arguments, 0)?;
    charge_text(context, path.len())?;
    let directory = path.rfind_byte(b'/').map_or(b"".as_slice(), |slash| &path[..=slash]);
    Ok(Value::string(cleaned(directory)))
}

// Go: path.Ext
fn ext(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    let path = text(arguments, 0)?;
    let name = path.rfind_byte(b'/').map_or(path.as_bytes(), |slash| &path[slash + 1..]);
    Ok(Value::string(name.rfind_byte(b'.').map_or(b"".as_slice(), |dot| &name[dot..])))
}

fn clean(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let path = text(arguments, 0)?;
    charge_text(context, path.len())?;
    Ok(Value::string(cleaned(path)))
}

/// The shortest equal path: without `.`, inner `..` and repeated slashes.
// Go: path.Clean
fn cleaned(path: &[u8]) -> Vec<u8> {
    let is_rooted = path.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => drop(parts.pop()),
            b".." if is_rooted => {}
            part => parts.push(part),
        }
    }
    let mut joined = parts.join(b"/".as_slice());
    if is_rooted {
        joined.insert(0, b'/');
    } else if joined.is_empty() {
        joined.push(b'.');
    }
    joined
}

fn is_abs(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(Value::Bool(text(arguments, 0)?.starts_with(b"/")))
}
