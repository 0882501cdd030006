//! Semantic versions and constraints with the leniency of Masterminds' semver 3.5, which Helm uses everywhere.

mod constraint;

pub use constraint::{Constraint, ConstraintError};

use std::cmp::Ordering;
use std::fmt;

/// Longest accepted version in bytes (semver 3.5 `MaxVersionLen`).
const MAX_VERSION_LENGTH: usize = 256;

/// A version: one to three numbers, a pre-release, build metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number, 0 if it was left out.
    pub minor: u64,
    /// The third number, 0 if it was left out.
    pub patch: u64,
    /// What follows `-`, without it.
    pub prerelease: String,
    /// What follows `+`, without it.
    pub metadata: String,
    /// The text that was parsed.
    pub original: String,
}

/// Why a text is not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VersionError {
    /// Not of the form `v1.2.3-pre+meta`.
    #[error("invalid semantic version")]
    Invalid,
    /// A pre-release identifier is a number with a leading zero.
    #[error("version segment starts with 0")]
    SegmentStartsZero,
    /// A number above 2^64 - 1.
    #[error("error parsing version segment: strconv.ParseUint: parsing \"{segment}\": value out of range")]
    OutOfRange {
        /// The digits.
        segment: String,
    },
    /// Longer than 256 bytes.
    #[error("version string is too long (max {MAX_VERSION_LENGTH} bytes)")]
    TooLong,
}

impl Version {
    /// Parses leniently (`NewVersion`): an optional `v`, missing numbers are 0, leading zeros are tolerated in numbers
    /// but not in pre-release identifiers.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if text.len() > MAX_VERSION_LENGTH {
            return Err(VersionError::TooLong);
        }
        let rest = text.strip_prefix('v').unwrap_or(text);
        let (rest, metadata) = match rest.split_once('+') {
            Some((rest, metadata)) => (rest, Some(metadata)),
            None => (rest, None),
        };
        let (numbers, prerelease) = match rest.split_once('-') {
            Some((numbers, prerelease)) => (numbers, Some(prerelease)),
            None => (rest, None),
        };
        let well_formed = |part: Option<&str>| {
            part.is_none_or(|part| {
                part.split('.').all(|identifier| {
                    !identifier.is_empty()
                        && identifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                })
            })
        };
        let segments: Vec<&str> = numbers.split('.').collect();
        if segments.len() > 3
            || segments.iter().any(|segment| segment.is_empty() || !segment.bytes().all(|byte| byte.is_ascii_digit()))
            || !well_formed(prerelease)
            || !well_formed(metadata)
        {
            return Err(VersionError::Invalid);
        }
        let number = |index: usize| match segments.get(index) {
            Some(segment) => segment.parse().map_err(|_| VersionError::OutOfRange { segment: (*segment).to_owned() }),
            None => Ok(0),
        };
        let (major, minor, patch) = (number(0)?, number(1)?, number(2)?);
        let prerelease = prerelease.unwrap_or_default();
        if prerelease.split('.').any(|identifier| {
            identifier.len() > 1 && identifier.starts_with('0') && identifier.bytes().all(|byte| byte.is_ascii_digit())
        }) {
            return Err(VersionError::SegmentStartsZero);
        }
        Ok(Self {
            major,
            minor,
            patch,
            prerelease: prerelease.to_owned(),
            metadata: metadata.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        })
    }

    /// Precedence by the rules of Semantic Versioning 2: numbers, then pre-release; build metadata does not count.
    pub fn precedence(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| compare_prerelease(&self.prerelease, &other.prerelease))
    }
}

/// The version without `v` and with all three numbers.
impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(formatter, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(formatter, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// Compares pre-releases: none is the highest, then identifier by identifier, a missing one being the lowest.
fn compare_prerelease(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let ordering = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => match (left.parse::<u64>(), right.parse::<u64>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => left.cmp(right),
            },
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_leniently() {
        for (text, expected) in [
            ("1", "1.0.0"),
            ("v1.2", "1.2.0"),
            ("1.2.3-alpha.1+b.01", "1.2.3-alpha.1+b.01"),
            ("01.002.3", "1.2.3"),
            ("1.2-beta", "1.2.0-beta"),
            ("1.0.0-0a", "1.0.0-0a"),
            ("1+x-y", "1.0.0+x-y"),
        ] {
            assert_eq!(Version::parse(text).map(|version| version.to_string()), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_version() {
        for text in
            ["", "v", "V1", "1.2.3.4", "1.", ".1", "1.x", "1.2.3-", "1.2.3+", "1.2.3-a..b", "1.2.3-a_b", " 1", "latest"]
        {
            assert_eq!(Version::parse(text), Err(VersionError::Invalid), "{text}");
        }
        assert_eq!(Version::parse("1.0.0-01"), Err(VersionError::SegmentStartsZero));
        assert_eq!(Version::parse(&"1".repeat(257)), Err(VersionError::TooLong));
        assert_eq!(
            Version::parse("99999999999999999999").map_err(|error| error.to_string()),
            Err("error parsing version segment: strconv.ParseUint: parsing \"99999999999999999999\": value out of range"
                .to_owned())
        );
    }

    #[test]
    fn orders_by_precedence() {
        let ascending = [
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-11",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-beta",
            "1.0.0",
            "1.0.1",
            "1.1.0",
            "2",
        ];
        let versions: Vec<Version> = ascending.iter().map(|text| Version::parse(text).unwrap()).collect();
        for (left_index, left) in versions.iter().enumerate() {
            for (right_index, right) in versions.iter().enumerate() {
                assert_eq!(left.precedence(right), left_index.cmp(&right_index), "{left} {right}");
            }
        }
        let metadata = Version::parse("1.0.0+a").unwrap();
        assert_eq!(metadata.precedence(&Version::parse("1.0.0+b").unwrap()), Ordering::Equal);
    }
}
