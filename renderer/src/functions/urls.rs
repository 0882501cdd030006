//! sprig's `urlParse` and `urlJoin`: Go's `net/url`.

use bstr::ByteSlice;

use super::arguments::{charge_text, map, text};
use super::text::quote_text;
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::value::{GoString, Map, Value};

use Parameter::{Map as Dict, String as Text};

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "urlParse", parameters: &[Text], variadic: None, call: url_parse },
    Function { name: "urlJoin", parameters: &[Dict], variadic: None, call: url_join },
];

/// The parts of a URL whose escapes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Path,
    PathSegment,
    Host,
    Zone,
    UserPassword,
    Fragment,
}

/// Whether a byte of that part stands for itself.
// Go: net/url/gen_encoding_table.go shouldEscape
fn is_plain(byte: u8, part: Part) -> bool {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'$' | b'&' | b'+' | b'=' => true,
        b',' | b';' => part != Part::PathSegment,
        b'!' | b'\'' | b'(' | b')' | b'*' => matches!(part, Part::Host | Part::Zone | Part::Fragment),
        b'[' | b']' | b'<' | b'>' | b'"' => matches!(part, Part::Host | Part::Zone),
        b'/' | b'?' => matches!(part, Part::Fragment) || byte == b'/' && part == Part::Path,
        b':' => matches!(part, Part::Path | Part::PathSegment | Part::Host | Part::Zone | Part::Fragment),
        b'@' => matches!(part, Part::Path | Part::PathSegment | Part::Fragment),
        _ => false,
    }
}

// Go: net/url escape
fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for &byte in text {
        if is_plain(byte, part) {
            escaped.push(byte);
        } else {
            escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    escaped
}

/// A text as one segment of the path of a URL.
// Go: net/url PathEscape
pub(crate) fn escape_path_segment(text: &str) -> String {
    String::from_utf8_lossy(&escape(text.as_bytes(), Part::PathSegment)).into_owned()
}

/// Why a text is no URL; the texts are Go's.
#[derive(Debug, thiserror::Error)]
enum UrlError {
    #[error("net/url: invalid control character in URL")]
    ControlCharacter,
    #[error("missing protocol scheme")]
    MissingScheme,
    #[error("first path segment in URL cannot contain colon")]
    ColonInFirstSegment,
    #[error("net/url: invalid userinfo")]
    Userinfo,
    #[error("invalid IP-literal")]
    IpLiteral,
    #[error("missing ']' in host")]
    MissingBracket,
    #[error("invalid host: ParseAddr({0}): unable to parse IP")]
    Address(String),
    #[error("invalid port {0} after host")]
    Port(String),
    #[error("invalid URL escape {0}")]
    Escape(String),
    #[error("invalid character {0} in host name")]
    HostCharacter(String),
    #[error("budget")]
    Call(CallError),
}

impl From<CallError> for UrlError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

fn quoted(context: &Context<'_>, text: &[u8]) -> Result<String, CallError> {
    Ok(String::from_utf8_lossy(&quote_text(context, text)?).into_owned())
}

fn hexadecimal(text: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let value = digit(text.get(1)?)? * 16 + digit(text.get(2)?)?;
    u8::try_from(value).ok()
}

// Go: net/url unescape
fn unescape(context: &Context<'_>, text: &[u8], part: Part) -> Result<Vec<u8>, UrlError> {
    let in_host = matches!(part, Part::Host | Part::Zone);
    let mut unescaped = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        if byte == b'%' {
            let sequence = &rest[..rest.len().min(3)];
            let refused = match hexadecimal(rest) {
                None => true,
                // In a host only what is not ASCII may be escaped, and the percent sign of a zone.
                Some(value) if part == Part::Host => value < 0x80 && sequence != b"%25",
                Some(value) if part == Part::Zone => {
                    sequence != b"%25" && value != b' ' && !is_plain(value, Part::Host)
                }
                Some(_) => false,
            };
            if refused {
                return Err(UrlError::Escape(quoted(context, sequence)?));
            }
            unescaped.extend(hexadecimal(rest));
            rest = &rest[3..];
            continue;
        }
        if in_host && byte.is_ascii() && !is_plain(byte, part) {
            return Err(UrlError::HostCharacter(quoted(context, &rest[..1])?));
        }
        unescaped.push(byte);
        rest = &rest[1..];
    }
    Ok(unescaped)
}

/// A user name and perhaps a password, as Go writes them.
#[derive(Clone, Debug)]
struct Userinfo {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl Userinfo {
    fn text(&self) -> Vec<u8> {
        let mut text = escape(&self.name, Part::UserPassword);
        if let Some(password) = &self.password {
            text.push(b':');
            text.extend(escape(password, Part::UserPassword));
        }
        text
    }
}

/// The parts of a URL, unescaped.
#[derive(Clone, Debug, Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<Userinfo>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

/// Splits at the first such byte; without one the second part is empty.
fn cut(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    text.split_once_str(&[at]).unwrap_or((text, b""))
}

impl Url {
    // Go: net/url Parse
    fn parse(context: &Context<'_>, text: &[u8]) -> Result<Self, String> {
        let failure = |text: &[u8], error: &UrlError| {
            let url = quoted(context, text).unwrap_or_default();
            format!("parse {url}: {error}")
        };
        let (without_fragment, fragment) = cut(text, b'#');
        let mut url =
            Self::parse_parts(context, without_fragment).map_err(|error| failure(without_fragment, &error))?;
        url.fragment = unescape(context, fragment, Part::Fragment).map_err(|error| failure(text, &error))?;
        Ok(url)
    }

    // Go: net/url parse
    fn parse_parts(context: &Context<'_>, text: &[u8]) -> Result<Self, UrlError> {
        if text.iter().any(u8::is_ascii_control) {
            return Err(UrlError::ControlCharacter);
        }
        let mut url = Self::default();
        if text == b"*" {
            url.path = text.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = cut(rest, b'?');
        url.query = query.to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err(UrlError::ColonInFirstSegment);
            }
        }
        if rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///")) {
            let end = rest[2..].find_byte(b'/').map_or(rest.len(), |slash| slash + 2);
            url.parse_authority(context, &rest[2..end])?;
            rest = &rest[end..];
        }
        url.path = unescape(context, rest, Part::Path)?;
        Ok(url)
    }

    // Go: net/url parseAuthority
    fn parse_authority(&mut self, context: &Context<'_>, authority: &[u8]) -> Result<(), UrlError> {
        let Some(at) = authority.rfind_byte(b'@') else {
            self.host = parse_host(context, &self.scheme, authority)?;
            return Ok(());
        };
        self.host = parse_host(context, &self.scheme, &authority[at + 1..])?;
        let userinfo = &authority[..at];
        let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
        if !userinfo.iter().all(valid) {
            return Err(UrlError::Userinfo);
        }
        let (name, password) = match userinfo.split_once_str(":") {
            Some((name, password)) => (name, Some(unescape(context, password, Part::UserPassword)?)),
            None => (userinfo, None),
        };
        self.user = Some(Userinfo { name: unescape(context, name, Part::UserPassword)?, password });
        Ok(())
    }

    /// The host without port and brackets.
    // Go: net/url splitHostPort
    fn hostname(&self) -> &[u8] {
        let host = match self.host.rfind_byte(b':') {
            Some(colon) if is_port(&self.host[colon..]) => &self.host[..colon],
            _ => &self.host,
        };
        host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host)
    }

    // Go: net/url URL.String, without the raw forms that sprig does not keep.
    fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if !self.scheme.is_empty() {
            text.extend_from_slice(&self.scheme);
            text.push(b':');
        }
        if self.opaque.is_empty() {
            let has_authority = !self.host.is_empty() || self.user.is_some();
            if has_authority || !self.scheme.is_empty() && !self.path.is_empty() {
                text.extend_from_slice(b"//");
            }
            if let Some(user) = &self.user {
                text.extend(user.text());
                text.push(b'@');
            }
            text.extend(escape(&self.host, Part::Host));
            let path = if self.path == b"*" { self.path.clone() } else { escape(&self.path, Part::Path) };
            if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
                text.push(b'/');
            }
            // A colon in the first segment would be taken for the end of a scheme.
            if text.is_empty() && cut(&path, b'/').0.contains(&b':') {
                text.extend_from_slice(b"./");
            }
            text.extend(path);
        } else {
            text.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            text.push(b'?');
            text.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            text.push(b'#');
            text.extend(escape(&self.fragment, Part::Fragment));
        }
        text
    }
}

/// The scheme without its colon, and the rest; an empty scheme if there is none.
// Go: net/url getScheme
fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), UrlError> {
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err(UrlError::MissingScheme),
            b':' => return Ok((&text[..index], &text[index + 1..])),
            _ => break,
        }
    }
    Ok((b"", text))
}

/// Whether the text is empty or a colon and digits.
fn is_port(text: &[u8]) -> bool {
    match text.split_first() {
        None => true,
        Some((b':', digits)) => digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    }
}

// Go: net/url parseHost
fn parse_host(context: &Context<'_>, scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, UrlError> {
    let check_port = |port: &[u8]| {
        if is_port(port) { Ok(()) } else { Err(UrlError::Port(quoted(context, port)?)) }
    };
    match host.rfind_byte(b'[') {
        Some(0) => {}
        Some(_) => return Err(UrlError::IpLiteral),
        None => {
            // A database's list of hosts may have several ports; HTTP's may not.
            let strict = matches!(scheme, b"http" | b"https");
            let colon = if strict { host.find_byte(b':') } else { host.rfind_byte(b':') };
            if let Some(colon) = colon {
                check_port(&host[colon..])?;
            }
            return unescape(context, host, Part::Host);
        }
    }
    let close = host.rfind_byte(b']').ok_or(UrlError::MissingBracket)?;
    check_port(&host[close + 1..])?;
    let port = unescape(context, &host[close + 1..], Part::Host)?;
    let name = &host[1..close];
    let mut address = match name.find("%25") {
        Some(zone) => {
            let mut address = unescape(context, &name[..zone], Part::Host)?;
            address.extend(unescape(context, &name[zone..], Part::Zone)?);
            address
        }
        None => unescape(context, name, Part::Host)?,
    };
    let (without_zone, zone) = cut(&address, b'%');
    let text = String::from_utf8_lossy(without_zone);
    if text.parse::<std::net::Ipv4Addr>().is_ok() && zone.is_empty() {
        return Err(UrlError::IpLiteral);
    }
    if text.parse::<std::net::Ipv6Addr>().is_err() || without_zone.len() + 1 == address.len() {
        return Err(UrlError::Address(quoted(context, &address)?));
    }
    address.insert(0, b'[');
    address.push(b']');
    address.extend(port);
    Ok(address)
}

// sprig: url.go urlParse
fn url_parse(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let text = text(arguments, 0)?;
    charge_text(context, text.len().saturating_mul(4))?;
    let url = Url::parse(context, text).map_err(|error| CallError::message(format!("unable to parse url: {error}")))?;
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
        user: None,
    };
    let userinfo = part(parts, "userinfo")?;
    let length = [&url.scheme, &url.host, &url.path, &url.query, &url.opaque, &url.fragment, &userinfo]
        .iter()
        .map(|part| part.len())
        .sum::<usize>();
    charge_text(context, length.saturating_mul(4))?;
    if !userinfo.is_empty() {
        let around = [b"proto://".as_slice(), &userinfo, b"@host"].concat();
        let parsed = Url::parse(context, &around)
            .map_err(|error| CallError::message(format!("unable to parse userinfo in dict: {error}")))?;
        url.user = parsed.user;
    }
    Ok(Value::string(url.text()))
}
