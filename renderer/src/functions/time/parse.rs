//! Reads times by Go's layouts.

use super::calendar::{Civil, MONTHS, WEEKDAYS, days_in, is_leap};
use super::duration::quote;
use super::layout::{Element, OffsetStyle, next_chunk};
use super::{Time, Zone};

/// Why a text is not a time of the layout; the texts are Go's.
// Go: time/format.go ParseError
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseTimeError {
    #[error("parsing time {value} as {layout}: cannot parse {rest} as {element}")]
    Mismatch { value: String, layout: String, rest: String, element: String },
    #[error("parsing time {value}: {reason}")]
    Invalid { value: String, reason: String },
}

/// What went wrong at one element.
enum ElementError {
    Mismatch,
    OutOfRange(&'static str),
}

impl From<Mismatch> for ElementError {
    fn from(_: Mismatch) -> Self {
        Self::Mismatch
    }
}

/// The text is not of the form of the element.
struct Mismatch;

/// What has been read so far.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: u32,
    afternoon: bool,
    morning: bool,
    utc: bool,
    offset: Option<i64>,
    zone: Option<Vec<u8>>,
}

/// Reads a time; without a zone in the text it is local, which here is UTC.
// Go: time/format.go parse
pub(super) fn parse(layout: &[u8], value: &[u8]) -> Result<Time, ParseTimeError> {
    let invalid = |reason: String| ParseTimeError::Invalid { value: quote(value), reason };
    let mismatch = |rest: &[u8], element: &[u8]| ParseTimeError::Mismatch {
        value: quote(value),
        layout: quote(layout),
        rest: quote(rest),
        element: quote(element),
    };
    let mut fields = Fields::default();
    let (mut pattern, mut rest) = (layout, value);
    loop {
        let chunk = next_chunk(pattern);
        pattern = chunk.rest;
        rest = skip(rest, chunk.prefix).map_err(|at| mismatch(at, chunk.prefix))?;
        let Some((element, text)) = chunk.element else {
            if rest.is_empty() {
                break;
            }
            return Err(invalid(format!("extra text: {}", quote(rest))));
        };
        let hold = rest;
        fields.read(element, &mut rest, pattern).map_err(|error| match error {
            ElementError::Mismatch => mismatch(hold, text),
            ElementError::OutOfRange(what) => invalid(format!("{what} out of range")),
        })?;
    }
    fields.into_time().map_err(|reason| invalid(reason.to_owned()))
}

/// The text after a literal prefix, in which a space stands for any number of them; otherwise where it differs.
// Go: time/format.go skip
fn skip<'a>(mut value: &'a [u8], mut prefix: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    while let Some(&byte) = prefix.first() {
        if byte == b' ' {
            if value.first().is_some_and(|&byte| byte != b' ') {
                return Err(value);
            }
            prefix = trim_spaces(prefix);
            value = trim_spaces(value);
            continue;
        }
        if value.first() != Some(&byte) {
            return Err(value);
        }
        prefix = &prefix[1..];
        value = &value[1..];
    }
    Ok(value)
}

fn trim_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|&&byte| byte == b' ').count()..]
}

/// Reads one or two digits; with `fixed` exactly two.
// Go: time/format.go getnum
fn two_digits(rest: &mut &[u8], fixed: bool) -> Result<i64, Mismatch> {
    number(rest, if fixed { 2 } else { 1 }, 2)
}

fn number(rest: &mut &[u8], least: usize, most: usize) -> Result<i64, Mismatch> {
    let count = rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    if count < least {
        return Err(Mismatch);
    }
    let (digits, after) = rest.split_at(count);
    *rest = after;
    Ok(digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
}

/// Reads one of the names, in any case; its index.
// Go: time/format.go lookup
fn lookup(rest: &mut &[u8], names: &[&str], length: Option<usize>) -> Result<i64, Mismatch> {
    for (index, name) in names.iter().enumerate() {
        let name = &name.as_bytes()[..length.unwrap_or(name.len())];
        if let Some(start) = rest.get(..name.len())
            && start.eq_ignore_ascii_case(name)
        {
            *rest = &rest[name.len()..];
            return Ok(index as i64);
        }
    }
    Err(Mismatch)
}

/// Reads a separator and `digits` digits of a second; more than nine are dropped. A sign may stand for the first digit.
// Go: time/format.go parseNanoseconds
fn fraction(rest: &mut &[u8], digits: usize) -> Result<u32, ElementError> {
    let text = rest.get(1..=digits).ok_or(Mismatch)?;
    if !matches!(rest[0], b'.' | b',') {
        return Err(ElementError::Mismatch);
    }
    let text = &text[..digits.min(9)];
    let value: i64 = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Mismatch)?;
    let value = u32::try_from(value).map_err(|_| ElementError::OutOfRange("fractional second"))?;
    *rest = &rest[1 + digits..];
    Ok(value * 10u32.pow(9 - text.len() as u32))
}

/// The number of digits after a separator at the start, if there is both.
fn fraction_digits(rest: &[u8]) -> Option<usize> {
    match rest {
        [b'.' | b',', digits @ ..] => {
            Some(digits.iter().take_while(|byte| byte.is_ascii_digit()).count()).filter(|&count| count > 0)
        }
        _ => None,
    }
}

fn in_range(value: i64, range: std::ops::Range<i64>, what: &'static str) -> Result<i64, ElementError> {
    if range.contains(&value) { Ok(value) } else { Err(ElementError::OutOfRange(what)) }
}

impl Fields {
    fn read(&mut self, element: Element, rest: &mut &[u8], pattern: &[u8]) -> Result<(), ElementError> {
        match element {
            Element::Year => {
                // Go reads a sign here, too.
                let text = rest.get(..2).ok_or(Mismatch)?;
                let year: i64 = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(Mismatch)?;
                *rest = &rest[2..];
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
            }
            Element::LongYear => self.year = number(rest, 4, 4)?,
            Element::Month => self.month = Some(lookup(rest, &MONTHS, Some(3))? + 1),
            Element::LongMonth => self.month = Some(lookup(rest, &MONTHS, None)? + 1),
            Element::NumericMonth | Element::ZeroMonth => {
                self.month = Some(in_range(two_digits(rest, element == Element::ZeroMonth)?, 1..13, "month")?);
            }
            Element::Weekday => drop(lookup(rest, &WEEKDAYS, Some(3))?),
            Element::LongWeekday => drop(lookup(rest, &WEEKDAYS, None)?),
            Element::Day | Element::SpacedDay | Element::ZeroDay => {
                if element == Element::SpacedDay {
                    *rest = rest.strip_prefix(b" ").unwrap_or(rest);
                }
                self.day = Some(two_digits(rest, element == Element::ZeroDay)?);
            }
            Element::SpacedYearDay | Element::ZeroYearDay => {
                let fixed = element == Element::ZeroYearDay;
                if !fixed {
                    for _ in 0..2 {
                        *rest = rest.strip_prefix(b" ").unwrap_or(rest);
                    }
                }
                self.year_day = Some(number(rest, if fixed { 3 } else { 1 }, 3)?);
            }
            Element::Hour => self.hour = in_range(two_digits(rest, false)?, 0..24, "hour")?,
            Element::Hour12 | Element::ZeroHour12 => {
                self.hour = in_range(two_digits(rest, element == Element::ZeroHour12)?, 0..13, "hour")?;
            }
            Element::Minute | Element::ZeroMinute => {
                self.minute = in_range(two_digits(rest, element == Element::ZeroMinute)?, 0..60, "minute")?;
            }
            Element::Second | Element::ZeroSecond => {
                self.second = in_range(two_digits(rest, element == Element::ZeroSecond)?, 0..60, "second")?;
                // A fraction may follow that the layout does not name.
                let named = matches!(
                    next_chunk(pattern).element,
                    Some((Element::Fraction { .. } | Element::TrimmedFraction { .. }, _))
                );
                if let Some(digits) = fraction_digits(rest).filter(|_| !named) {
                    self.nanoseconds = fraction(rest, digits)?;
                }
            }
            Element::Fraction { digits, .. } => self.nanoseconds = fraction(rest, digits)?,
            Element::TrimmedFraction { .. } => {
                if let Some(digits) = fraction_digits(rest) {
                    self.nanoseconds = fraction(rest, digits)?;
                }
            }
            Element::UpperMeridiem | Element::LowerMeridiem => {
                let (afternoon, morning) =
                    if element == Element::UpperMeridiem { (b"PM", b"AM") } else { (b"pm", b"am") };
                match rest.get(..2).ok_or(Mismatch)? {
                    text if text == afternoon => self.afternoon = true,
                    text if text == morning => self.morning = true,
                    _ => return Err(ElementError::Mismatch),
                }
                *rest = &rest[2..];
            }
            Element::Offset(style) if style.zulu && rest.first() == Some(&b'Z') => {
                *rest = &rest[1..];
                self.utc = true;
            }
            Element::Offset(style) => self.offset = Some(offset(rest, style)?),
            Element::ZoneName if rest.starts_with(b"UTC") => {
                *rest = &rest[3..];
                self.utc = true;
            }
            Element::ZoneName => {
                let length = zone_name(rest).ok_or(Mismatch)?;
                let (name, after) = rest.split_at(length);
                self.zone = Some(name.to_vec());
                *rest = after;
            }
        }
        Ok(())
    }

    /// The time that the fields make up, or what is wrong with them.
    fn into_time(mut self) -> Result<Time, &'static str> {
        if self.afternoon && self.hour < 12 {
            self.hour += 12;
        } else if self.morning && self.hour == 12 {
            self.hour = 0;
        }
        if let Some(year_day) = self.year_day {
            let (month, day) = month_and_day(self.year, year_day).ok_or("day-of-year out of range")?;
            if self.month.is_some_and(|given| given != month) {
                return Err("day-of-year does not match month");
            }
            if self.day.is_some_and(|given| given != day) {
                return Err("day-of-year does not match day");
            }
            (self.month, self.day) = (Some(month), Some(day));
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if day < 1 || day > days_in(month, self.year) {
            return Err("day out of range");
        }
        let civil = Civil { year: self.year, month, day, hour: self.hour, minute: self.minute, second: self.second };
        let seconds = civil.to_seconds();
        let name = self.zone.map(|name| String::from_utf8_lossy(&name).into_owned());
        let (seconds, zone) = match (self.utc, self.offset, name) {
            (true, ..) => (seconds, Zone::Utc),
            // The local zone has offset 0.
            (false, None | Some(0), None) => (seconds, Zone::Local),
            (false, Some(offset), name) => (seconds - offset, Zone::Fixed { name: name.unwrap_or_default(), offset }),
            (false, None, Some(name)) => {
                // A name alone says nothing about the offset, but for GMT+3 and the like.
                let offset = name.strip_prefix("GMT").and_then(|hours| hours.parse::<i64>().ok()).unwrap_or(0) * 3600;
                (seconds, Zone::Fixed { name, offset })
            }
        };
        Ok(Time { seconds, nanoseconds: self.nanoseconds, zone })
    }
}

fn month_and_day(year: i64, year_day: i64) -> Option<(i64, i64)> {
    let last = if is_leap(year) { 366 } else { 365 };
    let mut left = if (1..=last).contains(&year_day) { year_day } else { return None };
    for month in 1..=12 {
        let days = days_in(month, year);
        if left <= days {
            return Some((month, left));
        }
        left -= days;
    }
    None
}

/// Reads an offset such as `+01:30`, in seconds.
fn offset(rest: &mut &[u8], style: OffsetStyle) -> Result<i64, ElementError> {
    let colon = |index: usize| !style.colon || rest.get(index) == Some(&b':');
    let width = usize::from(style.colon);
    let minutes_at = 3 + width;
    let seconds_at = minutes_at + 2 + width;
    let length = match (style.minutes, style.seconds) {
        (false, _) => 3,
        (true, false) => minutes_at + 2,
        (true, true) => seconds_at + 2,
    };
    if rest.len() < length || style.minutes && !colon(3) || style.seconds && !colon(minutes_at + 2) {
        return Err(ElementError::Mismatch);
    }
    let part = |at: usize| two_digits(&mut rest.get(at..at + 2).unwrap_or_default(), true);
    // Go checks the range of what it could read before it reports what it could not; of several the last counts.
    let hours = part(1);
    let minutes = if style.minutes && hours.is_ok() { part(minutes_at) } else { Ok(0) };
    let seconds = if style.seconds && hours.is_ok() && minutes.is_ok() { part(seconds_at) } else { Ok(0) };
    for (value, limit, what) in [
        (&seconds, 60, "time zone offset second"),
        (&minutes, 60, "time zone offset minute"),
        (&hours, 24, "time zone offset hour"),
    ] {
        in_range(*value.as_ref().unwrap_or(&0), 0..limit + 1, what)?;
    }
    let (hours, minutes, seconds) = (hours?, minutes?, seconds?);
    let total = (hours * 60 + minutes) * 60 + seconds;
    let sign = rest[0];
    *rest = &rest[length..];
    match sign {
        b'+' => Ok(total),
        b'-' => Ok(-total),
        _ => Err(ElementError::Mismatch),
    }
}

/// The length of a zone's abbreviation at the start of the text.
// Go: time/format.go parseTimeZone
fn zone_name(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(offset) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_offset(offset));
    }
    if matches!(text[0], b'+' | b'-') {
        return Some(signed_offset(text)).filter(|&length| length > 0);
    }
    match text.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count() {
        5 if text[4] == b'T' => Some(5),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

/// The length of `+3` or `-11` at the start of the text, 0 if there is none.
// Go: time/format.go parseSignedOffset
fn signed_offset(text: &[u8]) -> usize {
    if !matches!(text.first(), Some(b'+' | b'-')) {
        return 0;
    }
    let digits = text[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let hours = std::str::from_utf8(&text[1..=digits]).ok().and_then(|digits| digits.parse::<u64>().ok());
    if hours.is_some_and(|hours| hours <= 23) { 1 + digits } else { 0 }
}
