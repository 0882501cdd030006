//! Version constraints: `>=1.19-0 <2 || ^3.1`.

use std::cmp::Ordering;
use std::sync::OnceLock;

use regex_automata::meta::Regex;

use super::Version;
use crate::quote::quote;

/// Longest accepted constraint in bytes (semver 3.5 `MaxConstraintLen`).
const MAX_CONSTRAINT_LENGTH: usize = 512;
/// Most alternatives between `||` (semver 3.5 `MaxConstraintGroups`).
const MAX_CONSTRAINT_GROUPS: usize = 32;

/// Alternatives, one of which must hold; each is a list of comparators that must all hold.
#[derive(Clone, Debug)]
pub struct Constraint {
    groups: Vec<Group>,
}

#[derive(Clone, Debug)]
struct Group {
    comparators: Vec<Comparator>,
    /// A comparator names a pre-release, which opts the whole group in to pre-releases.
    prerelease: bool,
}

#[derive(Clone, Debug)]
struct Comparator {
    operator: Operator,
    /// The operand with missing and `x` parts as 0.
    version: Version,
    precision: Precision,
}

/// How much of the operand was given as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    Nothing,
    Major,
    Minor,
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// Why a text is not a constraint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintError {
    /// A group that is empty or not a list of comparators.
    #[error("improper constraint: {}", quote(.group.as_bytes()))]
    Improper {
        /// The group's text.
        group: String,
    },
    /// An operand such as `1x` that has the right characters and no meaning.
    #[error("constraint parser error")]
    Operand,
    /// Longer than 512 bytes.
    #[error("constraint string is too long (max {MAX_CONSTRAINT_LENGTH} bytes)")]
    TooLong,
    /// More than 32 alternatives.
    #[error("too many constraint groups (max {MAX_CONSTRAINT_GROUPS})")]
    TooManyGroups,
}

impl Constraint {
    /// Parses a constraint.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        if text.len() > MAX_CONSTRAINT_LENGTH {
            return Err(ConstraintError::TooLong);
        }
        let text = rewrite_hyphen_ranges(text);
        let groups: Vec<&str> = text.split("||").collect();
        if groups.len() > MAX_CONSTRAINT_GROUPS {
            return Err(ConstraintError::TooManyGroups);
        }
        let groups = groups.into_iter().map(Group::parse).collect::<Result<_, _>>()?;
        Ok(Self { groups })
    }

    /// Whether the version satisfies one of the alternatives. A pre-release satisfies only alternatives that name a
    /// pre-release themselves.
    pub fn matches(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            (group.prerelease || version.prerelease.is_empty())
                && group.comparators.iter().all(|comparator| comparator.matches(version))
        })
    }
}

/// `1.2 - 1.4.5` means `>=1.2, <=1.4.5`; the spaces around the hyphen are required.
fn rewrite_hyphen_ranges(text: &str) -> String {
    const OPERAND: &str = r"(v?[0-9xX*|]+(?:\.[0-9xX*|]+){0,2}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)";
    static RANGE: OnceLock<Option<Regex>> = OnceLock::new();
    let has_range =
        text.match_indices('-').any(|(at, _)| text[..at].ends_with(is_space) && text[at + 1..].starts_with(is_space));
    if !has_range {
        return text.to_owned();
    }
    let range = RANGE.get_or_init(|| {
        let space = r"[\t\n\f\r ]";
        Regex::new(&format!("{space}*{OPERAND}{space}+-{space}+{OPERAND}{space}*")).ok()
    });
    let mut rewritten = text.to_owned();
    for captures in range.iter().flat_map(|range| range.captures_iter(text)) {
        if let (Some(all), Some(low), Some(high)) = (captures.get_match(), captures.get_group(1), captures.get_group(2))
        {
            let comparators = format!(">= {}, <= {} ", &text[low.range()], &text[high.range()]);
            rewritten = rewritten.replacen(&text[all.range()], &comparators, 1);
        }
    }
    rewritten
}

fn is_space(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

impl Group {
    fn parse(text: &str) -> Result<Self, ConstraintError> {
        let improper = || ConstraintError::Improper { group: text.to_owned() };
        let mut rest = text.trim_start_matches(is_space);
        let mut operands = Vec::new();
        loop {
            let (operator, after) = Operator::parse(rest);
            let after = after.trim_start_matches(is_space);
            let length = operand_length(after).ok_or_else(improper)?;
            operands.push((operator, &after[..length]));
            let after = &after[length..];
            rest = after.trim_start_matches(is_space);
            if let Some(after_comma) = rest.strip_prefix(',') {
                rest = after_comma.trim_start_matches(is_space);
            } else if rest.is_empty() {
                break;
            } else if rest.len() == after.len() {
                return Err(improper());
            }
        }
        let comparators = operands
            .into_iter()
            .map(|(operator, operand)| Comparator::parse(operator, operand))
            .collect::<Result<Vec<_>, _>>()?;
        let prerelease = comparators.iter().any(|comparator| !comparator.version.prerelease.is_empty());
        Ok(Self { comparators, prerelease })
    }
}

/// The length of the longest operand at the start of the text, such as `v1.x` or `1.2.3-rc.1+build`.
fn operand_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let run = |start: usize, member: fn(u8) -> bool| {
        start + bytes[start.min(bytes.len())..].iter().take_while(|byte| member(**byte)).count()
    };
    let number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|');
    let identifier = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let dotted = |start: usize, member: fn(u8) -> bool, most: usize| {
        let mut end = run(start, member);
        if end == start {
            return None;
        }
        for _ in 1..most {
            if bytes.get(end) != Some(&b'.') {
                break;
            }
            let next = run(end + 1, member);
            if next == end + 1 {
                break;
            }
            end = next;
        }
        Some(end)
    };
    let mut end = dotted(usize::from(text.starts_with('v')), number, 3)?;
    for introducer in [b'-', b'+'] {
        if bytes.get(end) == Some(&introducer)
            && let Some(next) = dotted(end + 1, identifier, usize::MAX)
        {
            end = next;
        }
    }
    Some(end)
}

impl Operator {
    fn parse(text: &str) -> (Self, &str) {
        const OPERATORS: [(&str, Operator); 11] = [
            ("!=", Operator::NotEqual),
            (">=", Operator::GreaterOrEqual),
            ("=>", Operator::GreaterOrEqual),
            ("<=", Operator::LessOrEqual),
            ("=<", Operator::LessOrEqual),
            ("~>", Operator::Tilde),
            ("=", Operator::Equal),
            (">", Operator::Greater),
            ("<", Operator::Less),
            ("~", Operator::Tilde),
            ("^", Operator::Caret),
        ];
        for (token, operator) in OPERATORS {
            if let Some(rest) = text.strip_prefix(token) {
                return (operator, rest);
            }
        }
        (Self::Equal, text)
    }
}

impl Comparator {
    fn parse(operator: Operator, operand: &str) -> Result<Self, ConstraintError> {
        let unprefixed = operand.strip_prefix('v').unwrap_or(operand);
        let numbers_end = unprefixed.find(['-', '+']).unwrap_or(unprefixed.len());
        let segments: Vec<&str> = unprefixed[..numbers_end].split('.').collect();
        let given = |index: usize| segments.get(index).is_some_and(|segment| !matches!(*segment, "x" | "X" | "*"));
        let without_metadata = unprefixed.split('+').next().unwrap_or_default();
        let prerelease = without_metadata.get(numbers_end..).unwrap_or_default();
        let (precision, text) = if !given(0) {
            (Precision::Nothing, format!("0.0.0{prerelease}"))
        } else if !given(1) {
            (Precision::Major, format!("{}.0.0{prerelease}", segments[0]))
        } else if !given(2) {
            (Precision::Minor, format!("{}.{}.0{prerelease}", segments[0], segments[1]))
        } else {
            (Precision::Full, operand.to_owned())
        };
        let version = Version::parse(&text).map_err(|_| ConstraintError::Operand)?;
        Ok(Self { operator, version, precision })
    }

    fn matches(&self, version: &Version) -> bool {
        let operand = &self.version;
        let ordering = version.precedence(operand);
        match self.operator {
            Operator::Equal if self.precision == Precision::Full => ordering == Ordering::Equal,
            Operator::Equal | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => match self.precision {
                Precision::Full | Precision::Nothing => ordering != Ordering::Equal,
                Precision::Major => version.major != operand.major,
                Precision::Minor => {
                    (version.major, version.minor) != (operand.major, operand.minor)
                        || version.prerelease != operand.prerelease
                }
            },
            Operator::Greater => match self.precision {
                Precision::Major => version.major > operand.major,
                Precision::Minor => (version.major, version.minor) > (operand.major, operand.minor),
                Precision::Nothing if version.major != operand.major => version.major > operand.major,
                Precision::Nothing | Precision::Full => ordering == Ordering::Greater,
            },
            Operator::Less => ordering == Ordering::Less,
            Operator::GreaterOrEqual => ordering != Ordering::Less,
            Operator::LessOrEqual => match self.precision {
                Precision::Full => ordering != Ordering::Greater,
                Precision::Major => version.major <= operand.major,
                Precision::Nothing | Precision::Minor => {
                    (version.major, version.minor) <= (operand.major, operand.minor)
                }
            },
            Operator::Caret => self.caret(version),
        }
    }

    /// `~1.2.3` is `>=1.2.3 <1.3.0`, `~1` is `>=1 <2`; `~0.0.0` and `~*` are anything from 0.0.0.
    fn tilde(&self, version: &Version) -> bool {
        let operand = &self.version;
        if version.precedence(operand) == Ordering::Less {
            return false;
        }
        let zero = (operand.major, operand.minor, operand.patch) == (0, 0, 0);
        if zero && matches!(self.precision, Precision::Nothing | Precision::Full) {
            return true;
        }
        version.major == operand.major && (self.precision == Precision::Major || version.minor == operand.minor)
    }

    /// `^1.2.3` keeps the first number that is not zero: `^0.2.3` is `>=0.2.3 <0.3.0`, `^0.0.3` is `0.0.3`.
    fn caret(&self, version: &Version) -> bool {
        let operand = &self.version;
        if version.precedence(operand) == Ordering::Less {
            return false;
        }
        if operand.major > 0 || self.precision == Precision::Major {
            return version.major == operand.major;
        }
        if version.major > 0 {
            return false;
        }
        if operand.minor > 0 || self.precision == Precision::Minor {
            return version.minor == operand.minor;
        }
        version.minor == 0 && version.patch == operand.patch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row per constraint: versions that satisfy it, versions that do not. The rows follow from the rules of
    /// semver 3.5 and were checked with it.
    const TABLE: &[(&str, &[&str], &[&str])] = &[
        ("1.2.3", &["1.2.3", "v1.2.3+meta"], &["1.2.4", "1.2.3-rc"]),
        ("=1", &["1.0.0", "1.9.9"], &["0.9.9", "2.0.0"]),
        ("1.2", &["1.2.0", "1.2.9"], &["1.3.0", "1.1.9"]),
        (">1.2", &["1.3.0", "2.0.0"], &["1.2.0", "1.2.9"]),
        (">1", &["2.0.0"], &["1.9.0"]),
        ("<=1.2", &["1.2.9", "0.1.0"], &["1.3.0"]),
        ("<=1", &["1.9.0"], &["2.0.0"]),
        ("<1.2", &["1.1.9"], &["1.2.0"]),
        (">=1.2", &["1.2.0"], &["1.1.9"]),
        ("=>1.2 =<1.3.0", &["1.2.0", "1.3.0"], &["1.3.1"]),
        ("!=1.2", &["1.3.0", "1.1.0"], &["1.2.0", "1.2.7"]),
        ("!=1", &["2.0.0"], &["1.5.0"]),
        ("!=1.2.3", &["1.2.4"], &["1.2.3"]),
        ("~1.2.3", &["1.2.3", "1.2.9"], &["1.3.0", "1.2.2"]),
        ("~>1", &["1.0.0", "1.9.0"], &["2.0.0"]),
        ("~0.0.0", &["0.0.0", "5.6.7"], &["1.0.0-a"]),
        ("^1.2.3", &["1.2.3", "1.9.0"], &["2.0.0", "1.2.2"]),
        ("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "1.2.3"]),
        ("^0.0.3", &["0.0.3"], &["0.0.4", "0.1.3"]),
        ("^0", &["0.0.0", "0.9.0"], &["1.0.0"]),
        ("^0.0", &["0.0.9"], &["0.1.0"]),
        ("*", &["0.0.0", "9.9.9"], &["1.0.0-a"]),
        ("1.x", &["1.4.0"], &["2.0.0"]),
        (">= 1.2, < 2 || 3", &["1.5.0", "3.1.0"], &["2.0.0", "4.0.0"]),
        ("1.2 - 1.4.5", &["1.2.0", "1.4.5"], &["1.4.6", "1.1.0"]),
        (">=1.19", &["1.20.0"], &["1.20.5-gke.100"]),
        (">=1.19-0", &["1.20.5-gke.100", "1.19.0", "1.19.0-0"], &["1.18.9"]),
        ("<1.22-0", &["1.21.9"], &["1.22.0-beta.1", "1.22.0"]),
        (">=1.19-0 <2", &["1.20.5-x", "2.0.0-a"], &["2.0.0"]),
        ("*-0", &["1.0.0-a", "1.0.0"], &[]),
    ];

    #[test]
    fn matches_versions() {
        for (text, accepted, rejected) in TABLE {
            let constraint = Constraint::parse(text).unwrap();
            for version in *accepted {
                assert!(constraint.matches(&Version::parse(version).unwrap()), "{text} accepts {version}");
            }
            for version in *rejected {
                assert!(!constraint.matches(&Version::parse(version).unwrap()), "{text} rejects {version}");
            }
        }
    }

    #[test]
    fn names_the_improper_group() {
        for (text, expected) in [
            ("", r#"improper constraint: """#),
            ("foo", r#"improper constraint: "foo""#),
            (">=1 || ", r#"improper constraint: " ""#),
            ("1.2.3.4", r#"improper constraint: "1.2.3.4""#),
            (">=1<2", r#"improper constraint: ">=1<2""#),
            (">=1,", r#"improper constraint: ">=1,""#),
            (">=1,,<2", r#"improper constraint: ">=1,,<2""#),
            ("> =1", r#"improper constraint: "> =1""#),
            ("1x", "constraint parser error"),
        ] {
            assert_eq!(
                Constraint::parse(text).map(|_| ()).map_err(|error| error.to_string()),
                Err(expected.to_owned())
            );
        }
        assert_eq!(Constraint::parse(&"1 ".repeat(300)).err(), Some(ConstraintError::TooLong));
        assert_eq!(Constraint::parse(&["1"; 33].join("||")).err(), Some(ConstraintError::TooManyGroups));
    }
}
