//! Which version of a chart a Module asks for.

use renderer::semver::{Constraint, Version};

use crate::SourceError;

/// The version among `known` that `wanted` stands for: the one of that very text, or else the highest that satisfies it
/// as a constraint such as `^1.2`; the highest release if it is empty (Helm: `IndexFile.Get` in pkg/repo/v1/index.go).
/// What is known and no version at all is passed over.
pub(crate) fn pick<'a>(
    known: impl Iterator<Item = &'a str> + Clone,
    wanted: &str,
) -> Result<Option<&'a str>, SourceError> {
    if !wanted.is_empty()
        && let Some(same) = known.clone().find(|version| *version == wanted)
    {
        return Ok(Some(same));
    }
    let constraint = Constraint::parse(if wanted.is_empty() { "*" } else { wanted })
        .map_err(|error| SourceError::InvalidConstraint { version: wanted.to_owned(), reason: error.to_string() })?;
    let mut best: Option<(Version, &str)> = None;
    for text in known {
        let Ok(version) = Version::parse(text) else { continue };
        let is_better = best.as_ref().is_none_or(|(best, _)| version.precedence(best).is_gt());
        if constraint.matches(&version) && is_better {
            best = Some((version, text));
        }
    }
    Ok(best.map(|(_, text)| text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_picked_as_helm_picks_them() {
        let known = ["1.9.0", "1.10.0", "v1.11.0", "2.0.0-rc.1", "nonsense", "1.2"];
        for (wanted, expected) in [
            ("", Some("v1.11.0")),
            ("1.9.0", Some("1.9.0")),
            ("~1.9", Some("1.9.0")),
            ("^1.2", Some("v1.11.0")),
            ("<1.11", Some("1.10.0")),
            ("1.x", Some("v1.11.0")),
            (">=1.0.0-0", Some("2.0.0-rc.1")),
            ("2.0.0-rc.1", Some("2.0.0-rc.1")),
            // A text that is there counts before what it could mean.
            ("1.2", Some("1.2")),
            ("nonsense", Some("nonsense")),
            ("1.11.0", Some("v1.11.0")),
            ("3.0.0", None),
            (">2", None),
        ] {
            assert_eq!(pick(known.into_iter(), wanted).unwrap(), expected, "{wanted}");
        }
        assert!(matches!(pick(known.into_iter(), "main"), Err(SourceError::InvalidConstraint { .. })));
        assert_eq!(pick(std::iter::empty(), "").unwrap(), None);
    }
}
