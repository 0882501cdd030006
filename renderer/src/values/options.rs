//! A user's values: files and `--set` flags, merged (Helm: `pkg/cli/values` `Options.MergeValues`).

use super::set::{self, SetError};
use super::{MAX_VALUES, Values, ValuesError, check_size, from_yaml_as, merge_into};
use crate::Profile;
use crate::json;

/// What a user gives on the command line, each kind in the order of its flags.
#[derive(Clone, Debug, Default)]
pub struct ValueOptions<'a> {
    /// `--values`: name and content of files.
    pub files: Vec<(String, Vec<u8>)>,
    /// `--set-json`.
    pub json: &'a [String],
    /// `--set`.
    pub typed: &'a [String],
    /// `--set-string`.
    pub strings: &'a [String],
    /// `--set-file`.
    pub file_contents: &'a [String],
    /// `--set-literal`.
    pub literals: &'a [String],
}

/// Values that cannot be merged. Displays as Helm prints it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// A file cannot be read as values.
    #[error("failed to parse {file}: {cause}")]
    File {
        /// The name of the file.
        file: String,
        /// What is wrong with it.
        cause: ValuesError,
    },
    /// `--set-json` with something that is no JSON object, though it begins like one.
    #[error("failed parsing --set-json data JSON: {argument}")]
    JsonObject {
        /// The argument.
        argument: String,
    },
    /// `--set-json` with a path or value that cannot be read.
    #[error("failed parsing --set-json data {argument}")]
    Json {
        /// The argument.
        argument: String,
        /// What is wrong with it, which Helm does not tell.
        cause: SetError,
    },
    /// All of it together is too much.
    #[error(transparent)]
    Size(ValuesError),
    /// Another `--set` flag.
    #[error("failed parsing {flag} data: {cause}")]
    Set {
        /// The flag.
        flag: &'static str,
        /// What is wrong with its argument.
        cause: SetError,
    },
}

impl ValueOptions<'_> {
    /// Merges everything in Helm's order. `read` gives the text of a file that `--set-file` names, or says why it cannot.
    pub fn merge(
        self,
        profile: Profile,
        read: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<Values, OptionError> {
        let mut values = Values::new();
        let allowed = |outcome| match outcome {
            Err(SetError::OpenIndex) if !profile.refuses_open_indexes => Ok(()),
            other => other,
        };
        for (file, text) in self.files {
            match from_yaml_as(&text, profile) {
                Ok(read) => {
                    merge_into(&mut values, read);
                    check_size(&values).map_err(OptionError::Size)?;
                }
                Err(cause) => return Err(OptionError::File { file, cause }),
            }
        }
        for argument in self.json {
            if json::parts(argument.as_bytes()) > 2 * MAX_VALUES {
                return Err(OptionError::Size(ValuesError::TooMany { limit: MAX_VALUES }));
            }
            if profile.merges_json_objects && argument.trim().starts_with('{') {
                merge_into(&mut values, object(argument)?);
            } else {
                allowed(set::set_json_pairs(argument, &mut values))
                    .map_err(|cause| OptionError::Json { argument: argument.clone(), cause })?;
            }
        }
        check_size(&values).map_err(OptionError::Size)?;
        // An index fills a list with nulls.
        let check_fill = |argument: &str, values: &Values| {
            if argument.contains('[') { check_size(values).map_err(OptionError::Size) } else { Ok(()) }
        };
        let failed = |flag| move |cause| OptionError::Set { flag, cause };
        for argument in self.typed {
            allowed(set::set(argument, &mut values)).map_err(failed("--set"))?;
            check_fill(argument, &values)?;
        }
        for argument in self.strings {
            allowed(set::set_string(argument, &mut values)).map_err(failed("--set-string"))?;
            check_fill(argument, &values)?;
        }
        for argument in self.file_contents {
            allowed(set::set_file(argument, &mut values, read)).map_err(failed("--set-file"))?;
            check_fill(argument, &values)?;
        }
        for argument in self.literals {
            allowed(set::set_literal(argument, &mut values)).map_err(failed("--set-literal"))?;
            check_fill(argument, &values)?;
        }
        check_size(&values).map_err(OptionError::Size)?;
        Ok(values)
    }
}

fn object(argument: &str) -> Result<Values, OptionError> {
    let failed = || OptionError::JsonObject { argument: argument.to_owned() };
    let decoded = json::decode(argument.trim().as_bytes()).map_err(|_| failed())?;
    match (decoded.value, decoded.error) {
        (crate::value::Value::Map(map), None) => Ok(super::to_values(&map)),
        _ => Err(failed()),
    }
}
