//! `format` (santhosh-tekuri/jsonschema 6: `format.go`).

use bstr::ByteSlice;

use crate::address::{self, Address};
use crate::functions::Pattern;
use crate::functions::time::Time;
use crate::quote::{quote, quote_character};
use crate::url::{Url, unescape_path_segment};

/// A format that is checked; others are not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    name: &'static str,
    check: fn(&str) -> Result<(), String>,
}

const FORMATS: [Format; 19] = [
    Format { name: "json-pointer", check: json_pointer },
    Format { name: "relative-json-pointer", check: relative_json_pointer },
    Format { name: "uuid", check: uuid },
    Format { name: "duration", check: duration },
    Format { name: "period", check: period },
    Format { name: "ipv4", check: ipv4 },
    Format { name: "ipv6", check: ipv6 },
    Format { name: "hostname", check: hostname },
    Format { name: "email", check: email },
    Format { name: "date", check: date },
    Format { name: "time", check: time },
    Format { name: "date-time", check: date_time },
    Format { name: "uri", check: uri },
    Format { name: "iri", check: uri },
    Format { name: "uri-reference", check: uri_reference },
    Format { name: "iri-reference", check: uri_reference },
    Format { name: "uri-template", check: uri_template },
    Format { name: "semver", check: semver },
    Format { name: "regex", check: regex },
];

impl Format {
    pub(super) fn named(name: &str) -> Option<Self> {
        FORMATS.into_iter().find(|format| format.name == name)
    }

    /// What comparing a short text takes, in schemas that are applied in the meantime.
    pub(super) fn steps(self) -> usize {
        // A regular expression is compiled.
        if self.name == "regex" { 400 } else { 16 }
    }

    pub(super) fn name(self) -> &'static str {
        self.name
    }

    /// An error is the reason.
    pub(super) fn check(self, text: &str) -> Result<(), String> {
        (self.check)(text)
    }
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, String> {
    Err(reason.into())
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn regex(text: &str) -> Result<(), String> {
    Pattern::check(text)
}

fn json_pointer(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let Some(tokens) = text.strip_prefix('/') else { return refuse("not starting with /") };
    for token in tokens.split('/') {
        let escapes = token.split('~').skip(1);
        if !escapes.into_iter().all(|rest| rest.starts_with(['0', '1'])) {
            return refuse("~ must be followed by 0 or 1");
        }
    }
    Ok(())
}

fn relative_json_pointer(text: &str) -> Result<(), String> {
    match digits(text) {
        0 => refuse("must start with non-negative integer"),
        count if count > 1 && text.starts_with('0') => refuse("starts with zero"),
        count if &text[count..] == "#" => Ok(()),
        count => json_pointer(&text[count..]),
    }
}

fn uuid(text: &str) -> Result<(), String> {
    const LENGTHS: [usize; 5] = [8, 4, 4, 4, 12];
    let groups: Vec<&str> = text.split('-').collect();
    if groups.len() != LENGTHS.len() {
        return refuse(format!("must have {} elements", LENGTHS.len()));
    }
    for (index, (group, length)) in groups.into_iter().zip(LENGTHS).enumerate() {
        if group.len() != length {
            return refuse(format!("element {} must be {length} characters long", index + 1));
        }
        if let Some(other) = group.chars().find(|character| !character.is_ascii_hexdigit()) {
            return refuse(format!("non-hex character {}", quote_character(other, false)));
        }
    }
    Ok(())
}

fn duration(text: &str) -> Result<(), String> {
    const UNITS: [&str; 2] = ["YMD", "HMS"];
    let Some(text) = text.strip_prefix('P') else { return refuse("must start with P") };
    if text.is_empty() {
        return refuse("nothing after P");
    }
    if let Some(weeks) = text.strip_suffix('W') {
        return match weeks {
            "" => refuse("no number in week"),
            weeks if digits(weeks) < weeks.len() => refuse("invalid week"),
            _ => Ok(()),
        };
    }
    for (index, mut part) in text.split('T').enumerate() {
        if index != 0 && part.is_empty() {
            return refuse("no time elements");
        }
        let Some(mut units) = UNITS.get(index).copied() else { return refuse("more than one T") };
        while !part.is_empty() {
            let count = digits(part);
            if count == 0 {
                return refuse("missing number");
            }
            let Some(unit) = part[count..].chars().next() else { return refuse("missing unit") };
            match units.find(unit) {
                Some(place) => units = &units[place + 1..],
                None if UNITS[index].contains(unit) => {
                    return refuse(format!("unit {} out of order", quote_character(unit, false)));
                }
                None => return refuse(format!("invalid unit {}", quote_character(unit, false))),
            }
            part = &part[count + unit.len_utf8()..];
        }
    }
    Ok(())
}

fn period(text: &str) -> Result<(), String> {
    let Some((start, end)) = text.split_once('/') else { return refuse("missing slash") };
    if start.starts_with('P') {
        duration(start).map_err(|reason| format!("invalid start duration: {reason}"))?;
        return date_time(end).map_err(|reason| format!("invalid end date-time: {reason}"));
    }
    date_time(start).map_err(|reason| format!("invalid start date-time: {reason}"))?;
    if end.starts_with('P') {
        duration(end).map_err(|reason| format!("invalid end duration: {reason}"))
    } else {
        date_time(end).map_err(|reason| format!("invalid end date-time: {reason}"))
    }
}

fn ipv4(text: &str) -> Result<(), String> {
    let groups: Vec<&str> = text.split('.').collect();
    if groups.len() != 4 {
        return refuse("expected four decimals");
    }
    for group in groups {
        if group.len() > 1 && group.starts_with('0') {
            return refuse("leading zeros");
        }
        match group.parse::<i64>() {
            Ok(number) if (0..=255).contains(&number) => {}
            Ok(_) => return refuse("decimal must be between 0 and 255"),
            Err(error) => {
                let reason = match error.kind() {
                    std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
                    _ => "invalid syntax",
                };
                return refuse(format!("strconv.Atoi: parsing {}: {reason}", quote(group.as_bytes())));
            }
        }
    }
    Ok(())
}

fn ipv6(text: &str) -> Result<(), String> {
    if !text.contains(':') {
        return refuse("missing colon");
    }
    match address::parse(text.as_bytes())? {
        Address::V6 { has_zone: true } => refuse("zone id is not a part of ipv6 address"),
        _ => Ok(()),
    }
}

fn hostname(text: &str) -> Result<(), String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.len() > 253 {
        return refuse("more than 253 characters long");
    }
    for label in text.split('.') {
        if !(1..=63).contains(&label.len()) {
            return refuse("label must be 1 to 63 characters long");
        }
        if label.starts_with('-') {
            return refuse("label starts with hyphen");
        }
        if label.ends_with('-') {
            return refuse("label ends with hyphen");
        }
        let is_allowed = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
        if let Some(other) = label.chars().find(|character| !is_allowed(character)) {
            return refuse(format!("invalid character {}", quote_character(other, false)));
        }
    }
    Ok(())
}

fn email(text: &str) -> Result<(), String> {
    if text.len() > 254 {
        return refuse("more than 255 characters long");
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return refuse("missing @") };
    if local.len() > 64 {
        return refuse("local part more than 64 characters long");
    }
    let quoted_local = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if let Some(inner) = quoted_local {
        if inner.contains(['\\', '"']) {
            return refuse("backslash and quote are not allowed within quoted local part");
        }
    } else {
        if local.starts_with('.') {
            return refuse("starts with dot");
        }
        if local.ends_with('.') {
            return refuse("ends with dot");
        }
        if local.contains("..") {
            return refuse("consecutive dots");
        }
        let is_allowed =
            |character: char| character.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(character);
        if let Some(other) = local.chars().find(|character| !is_allowed(*character)) {
            return refuse(format!("invalid character {}", quote_character(other, false)));
        }
    }
    if let Some(address) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match address.strip_prefix("IPv6:") {
            Some(address) => ipv6(address).map_err(|reason| format!("invalid ipv6 address: {reason}")),
            None => ipv4(address).map_err(|reason| format!("invalid ipv4 address: {reason}")),
        };
    }
    hostname(domain).map_err(|reason| format!("invalid domain: {reason}"))
}

fn date(text: &str) -> Result<(), String> {
    Time::parse(b"2006-01-02", text.as_bytes()).map(|_| ()).map_err(|error| error.to_string())
}

/// Two numbers or three with colons between them.
fn numbers(text: &str, place: &str) -> Result<Vec<i64>, String> {
    let number = |token: &str| match token.parse::<i64>() {
        Err(_) => Err(format!("invalid {place}")),
        Ok(number) if number < 0 => Err(format!("non-positive {place}")),
        Ok(number) => Ok(number),
    };
    text.split(':').map(number).collect()
}

fn time(text: &str) -> Result<(), String> {
    if text.len() < 9 {
        return refuse("less than 9 characters long");
    }
    let (Some(clock), Some(mut rest)) = (text.get(..8), text.get(8..)) else {
        return refuse("invalid hour/min/sec");
    };
    if clock.as_bytes()[2] != b':' || clock.as_bytes()[5] != b':' {
        return refuse("missing colon in correct place");
    }
    let [mut hour, mut minute, second] = numbers(clock, "hour/min/sec")?[..] else {
        return refuse("missing hour/min/sec");
    };
    if hour > 23 || minute > 59 || second > 60 {
        return refuse("hour/min/sec out of range");
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if count == 0 {
            return refuse("no digits in second fraction");
        }
        rest = &fraction[count..];
    }
    if rest != "z" && rest != "Z" {
        if rest.len() != 6 {
            return refuse("offset must be 6 characters long");
        }
        let (sign, offset) = match (rest.strip_prefix('+'), rest.strip_prefix('-')) {
            (Some(offset), _) => (-1, offset),
            (_, Some(offset)) => (1, offset),
            _ => return refuse("offset must begin with plus/minus"),
        };
        if offset.as_bytes()[2] != b':' {
            return refuse("missing colon in offset in correct place");
        }
        let [offset_hour, offset_minute] = numbers(offset, "hour/min in offset")?[..] else {
            return refuse("invalid hour/min in offset");
        };
        if offset_hour > 23 || offset_minute > 59 {
            return refuse("hour/min in offset out of range");
        }
        let mut minutes = hour * 60 + minute + sign * (offset_hour * 60 + offset_minute);
        if minutes < 0 {
            minutes += 24 * 60;
        }
        (hour, minute) = (minutes / 60, minutes % 60);
    }
    if second >= 60 && (hour != 23 || minute != 59) {
        return refuse("invalid leap second");
    }
    Ok(())
}

fn date_time(text: &str) -> Result<(), String> {
    if text.len() < 20 {
        return refuse("less than 20 characters long");
    }
    let (Some(day), Some(separator), Some(clock)) = (text.get(..10), text.get(10..11), text.get(11..)) else {
        return refuse("11th character must be t or T");
    };
    if separator != "t" && separator != "T" {
        return refuse("11th character must be t or T");
    }
    date(day).map_err(|reason| format!("invalid date element: {reason}"))?;
    time(clock).map_err(|reason| format!("invalid time element: {reason}"))
}

// santhosh-tekuri/jsonschema: parseURL
fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.as_bytes())?;
    let host = url.hostname();
    if host.contains(&b':') {
        if !url.host.contains(&b'[') || !url.host.contains(&b']') {
            return refuse("ipv6 address not enclosed in brackets");
        }
        ipv6(&host.to_str_lossy()).map_err(|reason| format!("invalid ipv6 address: {reason}"))?;
    }
    Ok(url)
}

fn uri(text: &str) -> Result<(), String> {
    if url(text)?.scheme.is_empty() { refuse("relative url") } else { Ok(()) }
}

fn uri_reference(text: &str) -> Result<(), String> {
    if text.contains('\\') {
        return refuse("contains \\");
    }
    url(text).map(|_| ())
}

fn uri_template(text: &str) -> Result<(), String> {
    for token in url(text)?.raw_path.split(|byte| *byte == b'/') {
        let mut open = false;
        for brace in unescape_path_segment(token).into_iter().filter(|byte| matches!(byte, b'{' | b'}')) {
            if (brace == b'{') == open {
                return refuse("nested curly braces");
            }
            open = !open;
        }
        if open {
            return refuse("no matching closing brace");
        }
    }
    Ok(())
}

fn semver(text: &str) -> Result<(), String> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || character == '-';
    let mut text = text;
    if let Some((core, build)) = text.split_once('+') {
        if build.is_empty() {
            return refuse("build is empty");
        }
        for identifier in build.split('.') {
            if identifier.is_empty() {
                return refuse("build identifier is empty");
            }
            if let Some(other) = identifier.chars().find(|character| !is_allowed(*character)) {
                return refuse(format!("invalid character {} in build identifier", quote_character(other, false)));
            }
        }
        text = core;
    }
    if let Some((core, pre_release)) = text.split_once('-') {
        for identifier in pre_release.split('.') {
            if identifier.is_empty() {
                return refuse("pre-release identifier is empty");
            }
            if let Some(other) = identifier.chars().find(|character| !is_allowed(*character)) {
                return refuse(format!(
                    "invalid character {} in pre-release identifier",
                    quote_character(other, false)
                ));
            }
            if digits(identifier) == identifier.len() && identifier.len() > 1 && identifier.starts_with('0') {
                return refuse("pre-release numeric identifier starts with zero");
            }
        }
        text = core;
    }
    let versions: Vec<&str> = text.split('.').collect();
    if versions.len() != 3 {
        return refuse("versionCore must have 3 numbers separated by dot");
    }
    for (name, version) in ["major", "minor", "patch"].into_iter().zip(versions) {
        if version.is_empty() {
            return refuse(format!("{name} is empty"));
        }
        if version.len() > 1 && version.starts_with('0') {
            return refuse(format!("{name} starts with zero"));
        }
        if digits(version) < version.len() {
            return refuse(format!("{name} contains non-digit"));
        }
    }
    Ok(())
}
