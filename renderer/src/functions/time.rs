//! Go's `time.Time`, `time.Month` and `time.Weekday` as templates see them.
//!
//! There is no local zone here: `Local` is UTC, as on a cluster's nodes and in its containers.

mod calendar;
mod duration;
mod layout;
mod parse;

pub(crate) use duration::{Duration, SECOND};
pub(crate) use parse::ParseTimeError;

use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::{Parameter, Signature};
use crate::quote::quote;
use crate::value::{MethodError, Object, Value};
use calendar::{Civil, MONTHS, WEEKDAYS};
use layout::Moment;

/// A place's offset from UTC.
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    Utc,
    /// The zone that Go would take from the environment: UTC.
    Local,
    /// A zone with one offset, in seconds east of UTC, and a name, possibly empty.
    Fixed {
        name: String,
        offset: i64,
    },
    /// A zone of the tz database.
    Named(TimeZone),
}

impl Zone {
    /// The zone of that name, if the tz database has it.
    // Go: time/zoneinfo.go LoadLocation
    pub(crate) fn load(name: &[u8]) -> Option<Self> {
        match name {
            b"" | b"UTC" => Some(Self::Utc),
            b"Local" => Some(Self::Local),
            _ => {
                // The bundled database, so that a render does not depend on the machine's.
                let zone = TimeZoneDatabase::bundled().get(std::str::from_utf8(name).ok()?).ok()?;
                Some(Self::Named(zone))
            }
        }
    }

    /// The offset in seconds, the abbreviation, and whether it is summer time, at that moment.
    fn at(&self, seconds: i64) -> (i64, String, bool) {
        match self {
            Self::Utc | Self::Local => (0, "UTC".to_owned(), false),
            Self::Fixed { name, offset } => (*offset, name.clone(), false),
            Self::Named(zone) => {
                let (earliest, latest) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
                let clamped = seconds.clamp(earliest.as_second(), latest.as_second());
                let info = zone.to_offset_info(jiff::Timestamp::from_second(clamped).unwrap_or_default());
                (i64::from(info.offset().seconds()), info.abbreviation().to_owned(), info.dst().is_dst())
            }
        }
    }
}

/// A moment in a zone.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    /// Seconds since the Unix epoch.
    seconds: i64,
    /// Nanoseconds of the second.
    nanoseconds: u32,
    zone: Zone,
}

/// Go's zero time, 0001-01-01 00:00:00 UTC, in seconds since the Unix epoch.
const ZERO: i64 = -62_135_596_800;
/// Go's `time.RFC3339Nano`, the form of a time in JSON.
const RFC3339_NANO: &[u8] = b"2006-01-02T15:04:05.999999999Z07:00";
/// The layout of a printed time.
// Go: time/format.go Time.String
const PRINTED: &[u8] = b"2006-01-02 15:04:05.999999999 -0700 MST";

/// The longest layout of a `Format` call in bytes. Methods do not charge the budget, and what a layout writes can be a
/// longer layout.
const LONGEST_LAYOUT: usize = 4096;

/// An object as a value.
pub(crate) fn object(object: impl Object + 'static) -> Value {
    Value::Object(Rc::new(object))
}

/// The duration that is the only argument of a method.
fn duration_argument(arguments: &[Value]) -> Option<Duration> {
    match arguments {
        [Value::Object(object)] => object.as_any().downcast_ref::<Duration>().copied(),
        _ => None,
    }
}

impl Time {
    /// A moment by seconds since the Unix epoch, in the local zone.
    pub(crate) fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanoseconds: 0, zone: Zone::Local }
    }

    /// A moment by nanoseconds since the Unix epoch, in the local zone.
    pub(crate) fn from_nanoseconds(nanoseconds: i128) -> Self {
        let second = i128::from(SECOND);
        Self {
            seconds: nanoseconds.div_euclid(second) as i64,
            nanoseconds: nanoseconds.rem_euclid(second) as u32,
            zone: Zone::Local,
        }
    }

    /// Go's zero time.
    pub(crate) fn zero() -> Self {
        Self { seconds: ZERO, nanoseconds: 0, zone: Zone::Utc }
    }

    /// Reads a time by a layout; without a zone in the text it is local.
    // Go: time.ParseInLocation
    pub(crate) fn parse(layout: &[u8], value: &[u8]) -> Result<Self, ParseTimeError> {
        parse::parse(layout, value)
    }

    /// The time that a value is, if it is one.
    pub(crate) fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// The same moment in another zone.
    pub(crate) fn in_zone(&self, zone: Zone) -> Self {
        Self { zone, ..self.clone() }
    }

    /// Writes the time as TOML: what was read there without a zone has none.
    // toml: encode.go eElement
    pub(crate) fn to_toml(&self) -> Vec<u8> {
        let layout: &[u8] = match &self.zone {
            Zone::Fixed { name, .. } if name == "datetime-local" => b"2006-01-02T15:04:05.999999999",
            Zone::Fixed { name, .. } if name == "date-local" => b"2006-01-02",
            Zone::Fixed { name, .. } if name == "time-local" => b"15:04:05.999999999",
            _ => RFC3339_NANO,
        };
        self.format(layout)
    }

    /// Writes the time by a layout.
    pub(crate) fn format(&self, layout: &[u8]) -> Vec<u8> {
        let (offset, zone, _) = self.zone.at(self.seconds);
        let civil = Civil::from_seconds(self.seconds.wrapping_add(offset));
        layout::format(&Moment { civil, nanoseconds: self.nanoseconds, zone: &zone, offset }, layout)
    }

    /// Seconds since the Unix epoch.
    pub(crate) fn unix(&self) -> i64 {
        self.seconds
    }

    fn unix_nanoseconds(&self) -> i128 {
        i128::from(self.seconds) * i128::from(SECOND) + i128::from(self.nanoseconds)
    }

    /// The time after a duration.
    pub(crate) fn add(&self, duration: Duration) -> Self {
        let moved = Self::from_nanoseconds(self.unix_nanoseconds() + i128::from(duration.0));
        Self { zone: self.zone.clone(), ..moved }
    }

    /// The duration since another time, at most what fits.
    // Go: time/time.go Time.Sub
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let nanoseconds = self.unix_nanoseconds() - earlier.unix_nanoseconds();
        Duration(nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    fn civil(&self) -> Civil {
        Civil::from_seconds(self.seconds.wrapping_add(self.zone.at(self.seconds).0))
    }

    /// Moved by years, months and days of the calendar.
    // Go: time/time.go AddDate, Date
    fn add_date(&self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.civil();
        let moved = Civil {
            year: civil.year.wrapping_add(years),
            month: civil.month.saturating_add(months),
            day: civil.day.saturating_add(days),
            ..civil
        };
        let local = moved.to_seconds();
        // The offset where the local time would be UTC is the right one unless a transition lies between.
        let guess = local.wrapping_sub(self.zone.at(local).0);
        Self { seconds: local.wrapping_sub(self.zone.at(guess).0), ..self.clone() }
    }

    /// Rounded down to a multiple of a duration since Go's zero time.
    fn truncated(&self, unit: i64) -> Self {
        if unit <= 0 {
            return self.clone();
        }
        let since_zero = self.unix_nanoseconds() - i128::from(ZERO) * i128::from(SECOND);
        self.add(Duration(-(since_zero.rem_euclid(i128::from(unit)) as i64)))
    }

    /// Rounded to a multiple of a duration since Go's zero time, half up.
    fn rounded(&self, unit: i64) -> Self {
        if unit <= 0 {
            return self.clone();
        }
        let down = self.truncated(unit);
        let remainder = self.since(&down).0;
        if remainder.unsigned_abs().saturating_mul(2) < unit.unsigned_abs() { down } else { down.add(Duration(unit)) }
    }
}

const NONE: Signature = Signature::fixed(&[]);

impl Object for Time {
    fn type_name(&self) -> &'static str {
        "time.Time"
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "Year" | "Month" | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond" | "Weekday" | "YearDay" | "Unix"
            | "UnixMilli" | "UnixMicro" | "UnixNano" | "UTC" | "Local" | "IsZero" | "IsDST" | "String" => Some(NONE),
            "Format" => Some(Signature::fixed(&[Parameter::String])),
            "Add" | "Truncate" | "Round" => Some(Signature::fixed(&[Parameter::Object("time.Duration")])),
            "AddDate" => Some(Signature::fixed(&[Parameter::Int, Parameter::Int, Parameter::Int])),
            "Sub" | "Before" | "After" | "Equal" | "Compare" => Some(Signature::fixed(&[Parameter::Time])),
            _ => None,
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, MethodError> {
        let civil = self.civil();
        let duration = || duration_argument(arguments).ok_or(MethodError::Unknown);
        let order = || match arguments {
            [other] => Self::of(other)
                .map(|other| self.unix_nanoseconds().cmp(&other.unix_nanoseconds()))
                .ok_or(MethodError::Unknown),
            _ => Err(MethodError::Unknown),
        };
        Ok(match (name, arguments) {
            ("Year", _) => Value::Int(civil.year),
            ("Month", _) => object(Numbered { kind: NumberedKind::Month, number: civil.month }),
            ("Weekday", _) => object(Numbered { kind: NumberedKind::Weekday, number: civil.weekday() }),
            ("Day", _) => Value::Int(civil.day),
            ("YearDay", _) => Value::Int(civil.year_day()),
            ("Hour", _) => Value::Int(civil.hour),
            ("Minute", _) => Value::Int(civil.minute),
            ("Second", _) => Value::Int(civil.second),
            ("Nanosecond", _) => Value::Int(i64::from(self.nanoseconds)),
            ("Unix", _) => Value::Int64(self.seconds),
            ("UnixMilli", _) => Value::Int64((self.unix_nanoseconds().div_euclid(1_000_000)) as i64),
            ("UnixMicro", _) => Value::Int64((self.unix_nanoseconds().div_euclid(1_000)) as i64),
            ("UnixNano", _) => Value::Int64(self.unix_nanoseconds() as i64),
            ("UTC", _) => object(self.in_zone(Zone::Utc)),
            ("Local", _) => object(self.in_zone(Zone::Local)),
            ("IsZero", _) => Value::Bool(self.seconds == ZERO && self.nanoseconds == 0),
            ("IsDST", _) => Value::Bool(self.zone.at(self.seconds).2),
            ("String", _) => Value::string(self.to_text()),
            ("Format", [Value::String(layout)]) if layout.len() > LONGEST_LAYOUT => {
                return Err(MethodError::Failed(format!("layout of more than {LONGEST_LAYOUT} bytes")));
            }
            ("Format", [Value::String(layout)]) => Value::string(self.format(layout)),
            ("Add", _) => object(self.add(duration()?)),
            ("Truncate", _) => object(self.truncated(duration()?.0)),
            ("Round", _) => object(self.rounded(duration()?.0)),
            ("AddDate", [Value::Int(years), Value::Int(months), Value::Int(days)]) => {
                object(self.add_date(*years, *months, *days))
            }
            ("Sub", [other]) => object(self.since(Self::of(other).ok_or(MethodError::Unknown)?)),
            ("Before", _) => Value::Bool(order()?.is_lt()),
            ("After", _) => Value::Bool(order()?.is_gt()),
            ("Equal", _) => Value::Bool(order()?.is_eq()),
            ("Compare", _) => Value::Int(order()? as i64),
            _ => return Err(MethodError::Unknown),
        })
    }

    fn to_text(&self) -> Vec<u8> {
        self.format(PRINTED)
    }

    fn to_plain(&self) -> Value {
        Value::string(self.format(RFC3339_NANO))
    }

    // Go: time/format.go GoString
    fn to_go_syntax(&self) -> Option<Vec<u8>> {
        let Civil { year, month, day, hour, minute, second } = self.civil();
        let month = Numbered { kind: NumberedKind::Month, number: month }.name();
        let zone = match &self.zone {
            Zone::Utc => "time.UTC".to_owned(),
            Zone::Local => "time.Local".to_owned(),
            Zone::Fixed { name, .. } => format!("time.Location({})", quote(name.as_bytes())),
            Zone::Named(zone) => {
                format!("time.Location({})", quote(zone.iana_name().unwrap_or_default().as_bytes()))
            }
        };
        let nanoseconds = self.nanoseconds;
        let date = format!("{year}, time.{month}, {day}, {hour}, {minute}, {second}, {nanoseconds}");
        Some(format!("time.Date({date}, {zone})").into_bytes())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Which of Go's named numbers of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberedKind {
    Month,
    Weekday,
}

/// Go's `time.Month` (from 1) or `time.Weekday` (from Sunday as 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    kind: NumberedKind,
    pub(super) number: i64,
}

impl Numbered {
    fn name(self) -> Cow<'static, str> {
        let (names, index): (&[&'static str], _) = match self.kind {
            NumberedKind::Month => (&MONTHS, self.number - 1),
            NumberedKind::Weekday => (&WEEKDAYS, self.number),
        };
        match usize::try_from(index).ok().and_then(|index| names.get(index)) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("%!{:?}({})", self.kind, self.number)),
        }
    }
}

impl Object for Numbered {
    fn type_name(&self) -> &'static str {
        match self.kind {
            NumberedKind::Month => "time.Month",
            NumberedKind::Weekday => "time.Weekday",
        }
    }

    fn kind_name(&self) -> &'static str {
        "int"
    }

    fn is_true(&self) -> bool {
        self.number != 0
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "String").then_some(NONE)
    }

    fn call(&self, name: &str, _: &[Value]) -> Result<Value, MethodError> {
        if name == "String" { Ok(Value::from(&*self.name())) } else { Err(MethodError::Unknown) }
    }

    fn to_text(&self) -> Vec<u8> {
        self.name().as_bytes().to_vec()
    }

    fn to_plain(&self) -> Value {
        Value::Int(self.number)
    }

    fn with_number(&self, number: i64) -> Option<Value> {
        Some(object(Self { number, ..*self }))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
