//! Names of releases.

use crate::Profile;
use crate::profile::ErrorWords;
use crate::quote::quote;

/// The longest name of a release (Helm: `maxReleaseNameLen`), which leaves charts room to add to it.
const MAX_NAME_BYTES: usize = 53;

/// A name that Helm gives to no release. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing.
    #[error("{}release name \"\": no name provided", introduction(*.words))]
    Missing {
        /// Whose words it is told in.
        words: ErrorWords,
    },
    /// Characters that a DNS name cannot have, or too many of them.
    #[error(
        "{}release name {}: invalid release name, must match regex \
         ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than \
         {MAX_NAME_BYTES}",
        introduction(*.words), quote(.name.as_bytes())
    )]
    Invalid {
        /// The name.
        name: String,
        /// Whose words it is told in.
        words: ErrorWords,
    },
}

fn introduction(words: ErrorWords) -> &'static str {
    match words {
        ErrorWords::V3 => "",
        ErrorWords::V4 => "release name check failed: ",
    }
}

/// Whether Helm accepts a name for a release (Helm: `ValidateReleaseName`): lower-case letters, digits and dashes between
/// dots, 53 bytes at most.
pub fn check_name(name: &str, profile: Profile) -> Result<(), NameError> {
    let words = profile.error_words;
    if name.is_empty() {
        return Err(NameError::Missing { words });
    }
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        ends.iter().all(|end| end.is_some_and(|byte| is_alphanumeric(*byte)))
            && bytes.iter().all(|byte| is_alphanumeric(*byte) || *byte == b'-')
    };
    if name.len() <= MAX_NAME_BYTES && name.split('.').all(is_label) {
        Ok(())
    } else {
        Err(NameError::Invalid { name: name.to_owned(), words })
    }
}
