//! Go's layouts: how the reference time Mon Jan 2 15:04:05 MST 2006 would be written.

use super::calendar::{Civil, MONTHS, WEEKDAYS};

/// An element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Year,
    LongYear,
    Month,
    LongMonth,
    NumericMonth,
    ZeroMonth,
    Weekday,
    LongWeekday,
    Day,
    SpacedDay,
    ZeroDay,
    SpacedYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    UpperMeridiem,
    LowerMeridiem,
    ZoneName,
    Offset(OffsetStyle),
    /// Digits of a second: exactly so many, after this separator.
    Fraction {
        digits: usize,
        separator: u8,
    },
    /// Digits of a second without trailing zeros: at most so many, after this separator.
    TrimmedFraction {
        digits: usize,
        separator: u8,
    },
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent properties of a layout")]
pub(super) struct OffsetStyle {
    /// `Z` stands for UTC.
    pub(super) zulu: bool,
    pub(super) colon: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

/// The first element of a layout: the text before it, the element, its own text, the text after it. No element: all is
/// text.
pub(super) struct Chunk<'a> {
    pub(super) prefix: &'a [u8],
    pub(super) element: Option<(Element, &'a [u8])>,
    pub(super) rest: &'a [u8],
}

/// The forms of an offset, longest first.
const OFFSETS: [(&[u8], bool, bool, bool); 5] = [
    (b"070000", false, true, true),
    (b"07:00:00", true, true, true),
    (b"0700", false, true, false),
    (b"07:00", true, true, false),
    (b"07", false, false, false),
];

// Go: time/format.go nextStdChunk
pub(super) fn next_chunk(layout: &[u8]) -> Chunk<'_> {
    for start in 0..layout.len() {
        if let Some((element, skip, length)) = element_at(&layout[start..]) {
            return Chunk {
                prefix: &layout[..start + skip],
                element: Some((element, &layout[start + skip..start + length])),
                rest: &layout[start + length..],
            };
        }
    }
    Chunk { prefix: layout, element: None, rest: &[] }
}

/// The element that a text starts with: how many bytes of it are literal after all, and where it ends.
fn element_at(text: &[u8]) -> Option<(Element, usize, usize)> {
    let starts = |prefix: &str| text.starts_with(prefix.as_bytes());
    // A month or weekday must not go on as another word.
    let is_word = |length: usize| !text.get(length).is_some_and(u8::is_ascii_lowercase);
    let found = |element, length| Some((element, 0, length));
    match text[0] {
        b'J' if starts("January") => found(Element::LongMonth, 7),
        b'J' if starts("Jan") && is_word(3) => found(Element::Month, 3),
        b'M' if starts("Monday") => found(Element::LongWeekday, 6),
        b'M' if starts("Mon") && is_word(3) => found(Element::Weekday, 3),
        b'M' if starts("MST") => found(Element::ZoneName, 3),
        b'0' => match text.get(1)? {
            b'1' => found(Element::ZeroMonth, 2),
            b'2' => found(Element::ZeroDay, 2),
            b'3' => found(Element::ZeroHour12, 2),
            b'4' => found(Element::ZeroMinute, 2),
            b'5' => found(Element::ZeroSecond, 2),
            b'6' => found(Element::Year, 2),
            b'0' if text.get(2) == Some(&b'2') => found(Element::ZeroYearDay, 3),
            _ => None,
        },
        b'1' if starts("15") => found(Element::Hour, 2),
        b'1' => found(Element::NumericMonth, 1),
        b'2' if starts("2006") => found(Element::LongYear, 4),
        b'2' => found(Element::Day, 1),
        b'_' if starts("_2006") => Some((Element::LongYear, 1, 5)),
        b'_' if starts("_2") => found(Element::SpacedDay, 2),
        b'_' if starts("__2") => found(Element::SpacedYearDay, 3),
        b'3' => found(Element::Hour12, 1),
        b'4' => found(Element::Minute, 1),
        b'5' => found(Element::Second, 1),
        b'P' if starts("PM") => found(Element::UpperMeridiem, 2),
        b'p' if starts("pm") => found(Element::LowerMeridiem, 2),
        first @ (b'-' | b'Z') => {
            let (form, colon, minutes, seconds) = OFFSETS.into_iter().find(|(form, ..)| text[1..].starts_with(form))?;
            let style = OffsetStyle { zulu: first == b'Z', colon, minutes, seconds };
            found(Element::Offset(style), form.len() + 1)
        }
        separator @ (b'.' | b',') => {
            let kind = *text.get(1).filter(|byte| matches!(byte, b'0' | b'9'))?;
            let digits = text[1..].iter().take_while(|&&byte| byte == kind).count();
            if text.get(1 + digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            let element = if kind == b'0' {
                Element::Fraction { digits, separator }
            } else {
                Element::TrimmedFraction { digits, separator }
            };
            found(element, 1 + digits)
        }
        _ => None,
    }
}

/// What a layout needs to know of a time.
pub(super) struct Moment<'a> {
    pub(super) civil: Civil,
    pub(super) nanoseconds: u32,
    pub(super) zone: &'a str,
    /// Seconds east of UTC.
    pub(super) offset: i64,
}

fn padded(written: &mut Vec<u8>, number: i64, width: usize) {
    let sign = if number < 0 { "-" } else { "" };
    written.extend_from_slice(format!("{sign}{:0width$}", number.unsigned_abs()).as_bytes());
}

fn name(names: &[&'static str], index: i64) -> &'static str {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
}

/// Writes a time by a layout.
// Go: time/format.go appendFormat
pub(super) fn format(moment: &Moment<'_>, mut layout: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(layout.len() + 10);
    let civil = moment.civil;
    let hour12 = if civil.hour % 12 == 0 { 12 } else { civil.hour % 12 };
    while !layout.is_empty() {
        let chunk = next_chunk(layout);
        layout = chunk.rest;
        written.extend_from_slice(chunk.prefix);
        let Some((element, _)) = chunk.element else { break };
        match element {
            Element::Year => padded(&mut written, civil.year.abs() % 100, 2),
            Element::LongYear => padded(&mut written, civil.year, 4),
            Element::Month => written.extend_from_slice(&name(&MONTHS, civil.month - 1).as_bytes()[..3]),
            Element::LongMonth => written.extend_from_slice(name(&MONTHS, civil.month - 1).as_bytes()),
            Element::NumericMonth => padded(&mut written, civil.month, 0),
            Element::ZeroMonth => padded(&mut written, civil.month, 2),
            Element::Weekday => written.extend_from_slice(&name(&WEEKDAYS, civil.weekday()).as_bytes()[..3]),
            Element::LongWeekday => written.extend_from_slice(name(&WEEKDAYS, civil.weekday()).as_bytes()),
            Element::Day => padded(&mut written, civil.day, 0),
            Element::SpacedDay => written.extend_from_slice(format!("{:2}", civil.day).as_bytes()),
            Element::ZeroDay => padded(&mut written, civil.day, 2),
            Element::SpacedYearDay => written.extend_from_slice(format!("{:3}", civil.year_day()).as_bytes()),
            Element::ZeroYearDay => padded(&mut written, civil.year_day(), 3),
            Element::Hour => padded(&mut written, civil.hour, 2),
            Element::Hour12 => padded(&mut written, hour12, 0),
            Element::ZeroHour12 => padded(&mut written, hour12, 2),
            Element::Minute => padded(&mut written, civil.minute, 0),
            Element::ZeroMinute => padded(&mut written, civil.minute, 2),
            Element::Second => padded(&mut written, civil.second, 0),
            Element::ZeroSecond => padded(&mut written, civil.second, 2),
            Element::UpperMeridiem => written.extend_from_slice(if civil.hour >= 12 { b"PM" } else { b"AM" }),
            Element::LowerMeridiem => written.extend_from_slice(if civil.hour >= 12 { b"pm" } else { b"am" }),
            Element::ZoneName if !moment.zone.is_empty() => written.extend_from_slice(moment.zone.as_bytes()),
            // A zone without a name shows its offset.
            Element::ZoneName => {
                let style = OffsetStyle { zulu: false, colon: false, minutes: true, seconds: false };
                offset(&mut written, moment.offset, style);
            }
            Element::Offset(style) => offset(&mut written, moment.offset, style),
            Element::Fraction { digits, separator } => {
                written.push(separator);
                written.extend_from_slice(&nanosecond_digits(moment, digits));
            }
            Element::TrimmedFraction { digits, separator } => {
                let mut fraction = nanosecond_digits(moment, digits);
                let kept = fraction.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
                fraction.truncate(kept);
                if !fraction.is_empty() {
                    written.push(separator);
                    written.extend_from_slice(&fraction);
                }
            }
        }
    }
    written
}

/// The first digits of the nine of a second's fraction; more than nine are zeros.
fn nanosecond_digits(moment: &Moment<'_>, count: usize) -> Vec<u8> {
    let mut digits = format!("{:09}", moment.nanoseconds).into_bytes();
    digits.truncate(count);
    digits
}

fn offset(written: &mut Vec<u8>, seconds: i64, style: OffsetStyle) {
    if style.zulu && seconds == 0 {
        written.push(b'Z');
        return;
    }
    // Go takes the sign from the whole minutes.
    let minutes = seconds / 60;
    written.push(if minutes < 0 { b'-' } else { b'+' });
    padded(written, (minutes / 60).abs(), 2);
    if style.colon {
        written.push(b':');
    }
    if style.minutes {
        padded(written, (minutes % 60).abs(), 2);
    }
    if style.seconds {
        if style.colon {
            written.push(b':');
        }
        padded(written, (seconds % 60).abs(), 2);
    }
}
