//! IP addresses as Go reads and refuses them (`net/netip`).

use bstr::ByteSlice;

use crate::quote::quote;

/// What an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    V4,
    V6 { has_zone: bool },
}

/// Reads an address; the error is Go's text.
// Go: net/netip ParseAddr
pub(crate) fn parse(text: &[u8]) -> Result<Address, String> {
    let refuse = |problem: &str| refused(text, problem, b"");
    match text.iter().find(|byte| matches!(byte, b'.' | b':' | b'%')) {
        Some(b'.') => parse_fields(text, text).map(|()| Address::V4),
        Some(b':') => parse_v6(text),
        Some(_) => refuse("missing IPv6 address"),
        None => refuse("unable to parse IP"),
    }
}

/// The text of an error in an address, from some place on if it is known.
fn refused<T>(text: &[u8], problem: &str, place: &[u8]) -> Result<T, String> {
    let place = if place.is_empty() { String::new() } else { format!(" (at {})", quote(place)) };
    Err(format!("ParseAddr({}): {problem}{place}", quote(text)))
}

/// Four decimals with dots between them, in a text that may be longer.
// Go: net/netip parseIPv4Fields
fn parse_fields(text: &[u8], fields: &[u8]) -> Result<(), String> {
    let (mut value, mut digits, mut dots) = (0, 0, 0);
    for (index, byte) in fields.iter().enumerate() {
        let rest = &fields[index..];
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return refused(text, "IPv4 field has octet with leading zero", b"");
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return refused(text, "IPv4 field has value >255", b"");
                }
            }
            b'.' => {
                if index == 0 || rest.len() == 1 || fields[index - 1] == b'.' {
                    return refused(text, "IPv4 field must have at least one digit", rest);
                }
                if dots == 3 {
                    return refused(text, "IPv4 address too long", b"");
                }
                dots += 1;
                (value, digits) = (0, 0);
            }
            _ => return refused(text, "unexpected character", rest),
        }
    }
    if dots < 3 { refused(text, "IPv4 address too short", b"") } else { Ok(()) }
}

// Go: net/netip parseIPv6
fn parse_v6(text: &[u8]) -> Result<Address, String> {
    let refuse = |problem: &str, place: &[u8]| refused(text, problem, place);
    let (mut rest, zone) = text.split_once_str("%").map_or((text, None), |(address, zone)| (address, Some(zone)));
    if zone.is_some_and(<[u8]>::is_empty) {
        return refuse("zone must be a non-empty string", b"");
    }
    let address = Ok(Address::V6 { has_zone: zone.is_some() });
    let mut has_ellipsis = false;
    if let Some(after) = rest.strip_prefix(b"::") {
        has_ellipsis = true;
        rest = after;
        if rest.is_empty() {
            return address;
        }
    }
    // Bytes of the address so far.
    let mut length = 0;
    while length < 16 {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits > 4 {
            return refuse("each group must have 4 or less digits", rest);
        }
        if digits == 0 {
            return refuse("each colon-separated field must have at least one digit", rest);
        }
        if rest.get(digits) == Some(&b'.') {
            if !has_ellipsis && length != 12 {
                return refuse("embedded IPv4 address must replace the final 2 fields of the address", rest);
            }
            if length > 12 {
                return refuse("too many hex fields to fit an embedded IPv4 at the end of the address", rest);
            }
            parse_fields(text, rest)?;
            rest = b"";
            length += 4;
            break;
        }
        length += 2;
        rest = &rest[digits..];
        match rest {
            [] => break,
            [b':'] => return refuse("colon must be followed by more characters", rest),
            [b':', ..] => rest = &rest[1..],
            _ => return refuse("unexpected character, want colon", rest),
        }
        if rest[0] == b':' {
            if has_ellipsis {
                return refuse("multiple :: in address", rest);
            }
            has_ellipsis = true;
            rest = &rest[1..];
            if rest.is_empty() {
                break;
            }
        }
    }
    if !rest.is_empty() {
        return refuse("trailing garbage after address", rest);
    }
    match (length < 16, has_ellipsis) {
        (true, false) => refuse("address string too short", b""),
        (false, true) => refuse("the :: must expand to at least one field of zeros", b""),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_refused_as_in_go() {
        // Said by Go 1.26.
        for (text, expected) in [
            ("1.2.3.4", Ok(Address::V4)),
            ("::", Ok(Address::V6 { has_zone: false })),
            ("1::", Ok(Address::V6 { has_zone: false })),
            ("::ffff:1.2.3.4", Ok(Address::V6 { has_zone: false })),
            ("fe80::1%eth0", Ok(Address::V6 { has_zone: true })),
            ("1.2.3", Err(r#"ParseAddr("1.2.3"): IPv4 address too short"#)),
            ("1.2.3.04", Err(r#"ParseAddr("1.2.3.04"): IPv4 field has octet with leading zero"#)),
            ("1.2.3.256", Err(r#"ParseAddr("1.2.3.256"): IPv4 field has value >255"#)),
            ("1..2.3", Err(r#"ParseAddr("1..2.3"): IPv4 field must have at least one digit (at ".2.3")"#)),
            ("1.2.3.4%z", Err(r#"ParseAddr("1.2.3.4%z"): unexpected character (at "%z")"#)),
            ("%z", Err(r#"ParseAddr("%z"): missing IPv6 address"#)),
            ("x", Err(r#"ParseAddr("x"): unable to parse IP"#)),
            ("::1%", Err(r#"ParseAddr("::1%"): zone must be a non-empty string"#)),
            ("::zz", Err(r#"ParseAddr("::zz"): each colon-separated field must have at least one digit (at "zz")"#)),
            ("12345::", Err(r#"ParseAddr("12345::"): each group must have 4 or less digits (at "12345::")"#)),
            ("1:2", Err(r#"ParseAddr("1:2"): address string too short"#)),
            ("1:", Err(r#"ParseAddr("1:"): colon must be followed by more characters (at ":")"#)),
            ("1::2::3", Err(r#"ParseAddr("1::2::3"): multiple :: in address (at ":3")"#)),
            ("1:2x", Err(r#"ParseAddr("1:2x"): unexpected character, want colon (at "x")"#)),
            ("1:2:3:4:5:6:7:8:9", Err(r#"ParseAddr("1:2:3:4:5:6:7:8:9"): trailing garbage after address (at "9")"#)),
            (
                "::1:2:3:4:5:6:7:8",
                Err(r#"ParseAddr("::1:2:3:4:5:6:7:8"): the :: must expand to at least one field of zeros"#),
            ),
            (
                "1:1.2.3.4",
                Err(
                    r#"ParseAddr("1:1.2.3.4"): embedded IPv4 address must replace the final 2 fields of the address (at "1.2.3.4")"#,
                ),
            ),
        ] {
            assert_eq!(parse(text.as_bytes()), expected.map_err(str::to_owned), "{text}");
        }
    }
}
