//! URLs as Go reads, refuses and writes them (`net/url`).

use bstr::ByteSlice;

use crate::address::{self, Address};
use crate::quote::quote;

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
    #[error("invalid host: {0}")]
    Address(String),
    #[error("invalid port {0} after host")]
    Port(String),
    #[error("invalid URL escape {0}")]
    Escape(String),
    #[error("invalid character {0} in host name")]
    HostCharacter(String),
}

fn hexadecimal(text: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let value = digit(text.get(1)?)? * 16 + digit(text.get(2)?)?;
    u8::try_from(value).ok()
}

// Go: net/url unescape
fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, UrlError> {
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
                return Err(UrlError::Escape(quote(sequence)));
            }
            unescaped.extend(hexadecimal(rest));
            rest = &rest[3..];
            continue;
        }
        if in_host && byte.is_ascii() && !is_plain(byte, part) {
            return Err(UrlError::HostCharacter(quote(&rest[..1])));
        }
        unescaped.push(byte);
        rest = &rest[1..];
    }
    Ok(unescaped)
}

/// A user name and perhaps a password, as Go writes them.
#[derive(Clone, Debug)]
pub(crate) struct Userinfo {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl Userinfo {
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = escape(&self.name, Part::UserPassword);
        if let Some(password) = &self.password {
            text.push(b':');
            text.extend(escape(password, Part::UserPassword));
        }
        text
    }
}

/// The parts of a URL, unescaped but for `raw_path`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Url {
    pub(crate) scheme: Vec<u8>,
    pub(crate) opaque: Vec<u8>,
    pub(crate) user: Option<Userinfo>,
    pub(crate) host: Vec<u8>,
    pub(crate) path: Vec<u8>,
    /// The path as it was written, if Go would escape it otherwise.
    pub(crate) raw_path: Vec<u8>,
    pub(crate) query: Vec<u8>,
    pub(crate) fragment: Vec<u8>,
}

/// Splits at the first such byte; without one the second part is empty.
fn cut(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    text.split_once_str(&[at]).unwrap_or((text, b""))
}

impl Url {
    // Go: net/url Parse
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let failure = |text: &[u8], error: &UrlError| format!("parse {}: {error}", quote(text));
        let (without_fragment, fragment) = cut(text, b'#');
        let mut url = Self::parse_parts(without_fragment).map_err(|error| failure(without_fragment, &error))?;
        url.fragment = unescape(fragment, Part::Fragment).map_err(|error| failure(text, &error))?;
        Ok(url)
    }

    // Go: net/url parse
    fn parse_parts(text: &[u8]) -> Result<Self, UrlError> {
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
            url.parse_authority(&rest[2..end])?;
            rest = &rest[end..];
        }
        url.path = unescape(rest, Part::Path)?;
        if escape(&url.path, Part::Path) != rest {
            url.raw_path = rest.to_vec();
        }
        Ok(url)
    }

    // Go: net/url parseAuthority
    fn parse_authority(&mut self, authority: &[u8]) -> Result<(), UrlError> {
        let Some(at) = authority.rfind_byte(b'@') else {
            self.host = parse_host(&self.scheme, authority)?;
            return Ok(());
        };
        self.host = parse_host(&self.scheme, &authority[at + 1..])?;
        let userinfo = &authority[..at];
        let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
        if !userinfo.iter().all(valid) {
            return Err(UrlError::Userinfo);
        }
        let (name, password) = match userinfo.split_once_str(":") {
            Some((name, password)) => (name, Some(unescape(password, Part::UserPassword)?)),
            None => (userinfo, None),
        };
        self.user = Some(Userinfo { name: unescape(name, Part::UserPassword)?, password });
        Ok(())
    }

    /// The host without port and brackets.
    // Go: net/url splitHostPort
    pub(crate) fn hostname(&self) -> &[u8] {
        let host = match self.host.rfind_byte(b':') {
            Some(colon) if is_port(&self.host[colon..]) => &self.host[..colon],
            _ => &self.host,
        };
        host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host)
    }

    // Go: net/url URL.String, without the raw forms that sprig does not keep.
    pub(crate) fn text(&self) -> Vec<u8> {
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
fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, UrlError> {
    let check_port = |port: &[u8]| {
        if is_port(port) { Ok(()) } else { Err(UrlError::Port(quote(port))) }
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
            return unescape(host, Part::Host);
        }
    }
    let close = host.rfind_byte(b']').ok_or(UrlError::MissingBracket)?;
    check_port(&host[close + 1..])?;
    let port = unescape(&host[close + 1..], Part::Host)?;
    let name = &host[1..close];
    let mut address = match name.find("%25") {
        Some(zone) => {
            let mut address = unescape(&name[..zone], Part::Host)?;
            address.extend(unescape(&name[zone..], Part::Zone)?);
            address
        }
        None => unescape(name, Part::Host)?,
    };
    if address::parse(&address).map_err(UrlError::Address)? == Address::V4 {
        return Err(UrlError::IpLiteral);
    }
    address.insert(0, b'[');
    address.push(b']');
    address.extend(port);
    Ok(address)
}

/// A text without its escapes; as it is if one of them is none.
// Go: net/url PathUnescape
pub(crate) fn unescape_path_segment(text: &[u8]) -> Vec<u8> {
    unescape(text, Part::PathSegment).unwrap_or_else(|_| text.to_vec())
}
