//! sprig's `urlParse` and `urlJoin`.

use super::arguments::{charge_text, map, text};
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::url::{Url, Userinfo};
use crate::value::{GoString, Map, Value};

use Parameter::{Map as Dict, String as Text};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "urlParse", parameters: &[Text], variadic: None, call: url_parse },
    Function { name: "urlJoin", parameters: &[Dict], variadic: None, call: url_join },
];

/// A URL, or an error that begins with this text.
fn parse(context: &Context<'_>, text: &[u8], failure: &str) -> Result<Url, CallError> {
    Url::parse(text).or_else(|error| {
        charge_text(context, error.len())?;
        Err(CallError::message(format!("{failure}: {error}")))
    })
}

// sprig: url.go urlParse
fn url_parse(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let text = text(arguments, 0)?;
    charge_text(context, text.len().saturating_mul(4))?;
    let url = parse(context, text, "unable to parse url")?;
    let hostname = url.hostname().to_vec();
    let userinfo = url.user.as_ref().map(Userinfo::text).unwrap_or_default();
    let parts = [
        ("scheme", url.scheme),
        ("host", url.host),
        ("hostname", hostname),
        ("path", url.path),
        ("query", url.query),
        ("opaque", url.opaque),
        ("fragment", url.fragment),
        ("userinfo", userinfo),
    ];
    let parts = parts.into_iter().map(|(name, part)| (GoString::from(name), Value::string(part)));
    Ok(Value::Map(parts.collect::<Map>()))
}

/// A part that must be a string if it is there.
// sprig: url.go dictGetOrEmpty
fn part(parts: &Map, key: &str) -> Result<Vec<u8>, CallError> {
    match parts.get(key.as_bytes()) {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(text.to_vec()),
        Some(Value::Invalid | Value::Nil) => {
            Err(CallError::message("runtime error: invalid memory address or nil pointer dereference"))
        }
        Some(other) => Err(CallError::message(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            other.kind_name()
        ))),
    }
}

// sprig: url.go urlJoin
fn url_join(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let parts = map(arguments, 0)?;
    let mut url = Url {
        scheme: part(parts, "scheme")?,
        host: part(parts, "host")?,
        path: part(parts, "path")?,
        query: part(parts, "query")?,
        opaque: part(parts, "opaque")?,
        fragment: part(parts, "fragment")?,
        ..Url::default()
    };
    let userinfo = part(parts, "userinfo")?;
    let length = [&url.scheme, &url.host, &url.path, &url.query, &url.opaque, &url.fragment, &userinfo]
        .iter()
        .map(|part| part.len())
        .sum::<usize>();
    charge_text(context, length.saturating_mul(4))?;
    if !userinfo.is_empty() {
        let around = [b"proto://".as_slice(), &userinfo, b"@host"].concat();
        url.user = parse(context, &around, "unable to parse userinfo in dict")?.user;
    }
    Ok(Value::string(url.text()))
}
