//! sprig's semantic versions.

use std::any::Any as AnyType;

use super::arguments::text;
use super::time::object;
use super::{CallError, CallResult, Context, Function, Parameter, Signature};
use crate::semver::{Constraint, Version};
use crate::value::{GoString, MethodError, Object, StructField, Value};

use Parameter::String as Text;

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "semver", parameters: &[Text], variadic: None, call: semver },
    Function { name: "semverCompare", parameters: &[Text, Text], variadic: None, call: semver_compare },
];

/// Steps for each byte of a constraint, which is parsed at every call.
const STEPS_PER_BYTE: u64 = 2;

fn parse(version: &GoString) -> Result<Version, CallError> {
    Version::parse(&version.to_str_lossy()).map_err(|error| CallError::message(error.to_string()))
}

// sprig: semver.go semver
fn semver(_: &Context<'_>, arguments: &[Value]) -> CallResult {
    Ok(object(VersionObject { version: parse(text(arguments, 0)?)?, is_pointer: true }))
}

// sprig: semver.go semverCompare: the constraint is read first.
fn semver_compare(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let constraint = text(arguments, 0)?;
    context.budget.charge_steps(constraint.len() as u64 * STEPS_PER_BYTE)?;
    let constraint =
        Constraint::parse(&constraint.to_str_lossy()).map_err(|error| CallError::message(error.to_string()))?;
    Ok(Value::Bool(constraint.matches(&parse(text(arguments, 1)?)?)))
}

/// `*semver.Version`, or `semver.Version` as its methods give it back.
#[derive(Clone, Debug)]
struct VersionObject {
    version: Version,
    is_pointer: bool,
}

/// The Go type of a version that templates hold and compare.
const POINTER: &str = "*semver.Version";

impl VersionObject {
    /// The next version: a new object without pre-release and metadata.
    // semver: version.go IncMajor, IncMinor, IncPatch
    fn incremented(&self, name: &str) -> Value {
        let Version { major, minor, patch, prerelease, .. } = &self.version;
        let (major, minor, patch) = match name {
            "IncMajor" => (major.wrapping_add(1), 0, 0),
            "IncMinor" => (*major, minor.wrapping_add(1), 0),
            // A pre-release comes before its own version.
            _ if prerelease.is_empty() => (*major, *minor, patch.wrapping_add(1)),
            _ => (*major, *minor, *patch),
        };
        let prefix = if self.version.original.starts_with('v') { "v" } else { "" };
        let version = Version {
            major,
            minor,
            patch,
            prerelease: String::new(),
            metadata: String::new(),
            original: format!("{prefix}{major}.{minor}.{patch}"),
        };
        object(Self { version, is_pointer: false })
    }
}

impl Object for VersionObject {
    fn type_name(&self) -> &'static str {
        if self.is_pointer { POINTER } else { "semver.Version" }
    }

    fn kind_name(&self) -> &'static str {
        if self.is_pointer { "ptr" } else { "struct" }
    }

    fn size(&self) -> usize {
        64 + self.version.original.len()
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "Original" | "String" | "IncMajor"
            | "IncMinor" | "IncPatch" => Some(Signature::fixed(&[])),
            "Compare" | "Equal" | "LessThan" | "LessThanEqual" | "GreaterThan" | "GreaterThanEqual" => {
                Some(Signature::fixed(&[Parameter::Object(POINTER)]))
            }
            _ => None,
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, MethodError> {
        let order = || match arguments {
            [Value::Object(other)] => other
                .as_any()
                .downcast_ref::<Self>()
                .map(|other| self.version.precedence(&other.version))
                .ok_or(MethodError::Unknown),
            _ => Err(MethodError::Unknown),
        };
        Ok(match name {
            "Major" => Value::Uint64(self.version.major),
            "Minor" => Value::Uint64(self.version.minor),
            "Patch" => Value::Uint64(self.version.patch),
            "Prerelease" => Value::string(self.version.prerelease.as_str()),
            "Metadata" => Value::string(self.version.metadata.as_str()),
            "Original" => Value::string(self.version.original.as_str()),
            "String" => Value::string(self.version.to_string()),
            "IncMajor" | "IncMinor" | "IncPatch" => self.incremented(name),
            "Compare" => Value::Int(order()? as i64),
            "Equal" => Value::Bool(order()?.is_eq()),
            "LessThan" => Value::Bool(order()?.is_lt()),
            "LessThanEqual" => Value::Bool(order()?.is_le()),
            "GreaterThan" => Value::Bool(order()?.is_gt()),
            "GreaterThanEqual" => Value::Bool(order()?.is_ge()),
            _ => return Err(MethodError::Unknown),
        })
    }

    fn to_text(&self) -> Vec<u8> {
        self.version.to_string().into_bytes()
    }

    fn to_plain(&self) -> Value {
        Value::string(self.to_text())
    }

    // None of its fields is exported.
    fn deep_copy(&self) -> Option<Value> {
        let version = Version {
            major: 0,
            minor: 0,
            patch: 0,
            prerelease: String::new(),
            metadata: String::new(),
            original: String::new(),
        };
        Some(object(Self { version, is_pointer: self.is_pointer }))
    }

    fn printed_fields(&self) -> Option<Vec<StructField>> {
        let Version { major, minor, patch, prerelease, metadata, original } = &self.version;
        let numbers = [("major", major), ("minor", minor), ("patch", patch)];
        let numbers = numbers.map(|(name, number)| StructField::new(name, Value::Uint64(*number)));
        let texts = [("pre", prerelease), ("metadata", metadata), ("original", original)];
        let texts = texts.map(|(name, text)| StructField::new(name, text.as_str()));
        Some(numbers.into_iter().chain(texts).collect())
    }

    fn as_any(&self) -> &dyn AnyType {
        self
    }
}
