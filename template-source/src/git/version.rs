//! Which commit a version names.

use std::fmt;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::protocol::handshake::Ref;

use crate::SourceError;

/// A version as written in a Module, by the way it is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// The server's `HEAD`.
    Default,
    /// A full commit id.
    Commit(ObjectId),
    /// A full name of a branch or tag, such as `refs/heads/main`.
    Reference(String),
    /// A tag or branch name.
    Name(String),
}

pub(super) fn parse(version: &str) -> Result<Version, SourceError> {
    if version.is_empty() {
        return Ok(Version::Default);
    }
    if version.len() == 40
        && let Ok(commit) = ObjectId::from_hex(version.as_bytes())
    {
        return Ok(Version::Commit(commit));
    }
    // Others are not the owner's word: hosts put there what anybody proposes (`refs/pull/`, `refs/merge-requests/`).
    let is_full = version.starts_with("refs/heads/") || version.starts_with("refs/tags/");
    if version.starts_with("refs/") && !is_full {
        return Err(SourceError::InvalidVersion { version: version.to_owned() });
    }
    let (full, parsed) = if is_full {
        (version.to_owned(), Version::Reference(version.to_owned()))
    } else {
        (format!("refs/heads/{version}"), Version::Name(version.to_owned()))
    };
    // A name with a wildcard, a colon or a plus would be read as part of a refspec.
    match gix::validate::reference::name(full.as_bytes().as_bstr()) {
        Ok(_) => Ok(parsed),
        Err(_) => Err(SourceError::InvalidVersion { version: version.to_owned() }),
    }
}

impl Version {
    /// The references to ask the server for.
    pub(super) fn references(&self) -> Vec<String> {
        match self {
            Self::Default | Self::Commit(_) => vec!["HEAD".to_owned()],
            Self::Reference(name) => vec![name.clone()],
            Self::Name(name) => vec![format!("refs/tags/{name}"), format!("refs/heads/{name}")],
        }
    }

    /// The commit among the references that the server listed.
    pub(super) fn pick(&self, listed: &[Ref]) -> Option<ObjectId> {
        self.references().iter().find_map(|wanted| {
            listed.iter().find_map(|reference| match reference {
                Ref::Peeled { full_ref_name, object, .. }
                | Ref::Direct { full_ref_name, object }
                | Ref::Symbolic { full_ref_name, object, .. } => {
                    (full_ref_name.as_slice() == wanted.as_bytes()).then_some(*object)
                }
                Ref::Unborn { .. } => None,
            })
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("HEAD"),
            Self::Commit(commit) => commit.fmt(formatter),
            Self::Reference(name) | Self::Name(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(name: &str, digit: u8) -> Ref {
        Ref::Direct { full_ref_name: name.into(), object: ObjectId::from([digit; 20]) }
    }

    #[test]
    fn tags_come_before_branches() {
        let listed = [direct("refs/heads/v1", 1), direct("refs/tags/v1", 2)];
        assert_eq!(parse("v1").unwrap().pick(&listed), Some(ObjectId::from([2; 20])));
        assert_eq!(parse("refs/heads/v1").unwrap().pick(&listed), Some(ObjectId::from([1; 20])));
        assert_eq!(parse("v2").unwrap().pick(&listed), None);
    }

    #[test]
    fn an_annotated_tag_is_the_commit_it_points_to() {
        let listed = [Ref::Peeled {
            full_ref_name: "refs/tags/v1".into(),
            tag: ObjectId::from([1; 20]),
            object: ObjectId::from([2; 20]),
        }];
        assert_eq!(parse("v1").unwrap().pick(&listed), Some(ObjectId::from([2; 20])));
    }

    #[test]
    fn only_branches_and_tags_are_the_owners_word() {
        assert!(parse("refs/tags/v1").is_ok());
        for version in
            ["refs/pull/7/head", "refs/merge-requests/7/head", "refs/notes/commits", "refs/for/main", "refs/"]
        {
            assert!(matches!(parse(version), Err(SourceError::InvalidVersion { .. })), "{version}");
        }
        // A branch of that name is a branch.
        let listed = [direct("refs/pull/7/head", 1)];
        assert_eq!(parse("pull/7/head").unwrap().pick(&listed), None);
    }

    #[test]
    fn names_that_would_change_a_refspec_are_refused() {
        for version in ["a:b", "*", "a..b", "+main", "-x y", "a\0b", "^main", "refs/heads/*", "a^{commit}", "@{1}"] {
            // A leading plus is a legal part of a name below refs/heads/, and stays one.
            let allowed = version == "+main";
            assert_eq!(parse(version).is_ok(), allowed, "{version}");
        }
    }
}
