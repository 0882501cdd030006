//! The functions that templates can call: Go's built-ins, sprig's, Helm's.
//!
//! A function is an entry of a table: its name, the Go types of its parameters, and the Rust function that computes it.
//! The evaluator converts and checks arguments by these types (`text/template/exec.go` `evalArg`, `validateType`), so
//! the implementations can rely on them.

#[cfg(test)]
mod arbitrary;
mod arguments;
mod builtins;
mod case;
mod certificates;
mod codec;
mod dates;
mod decimal;
mod dicts;
mod durations;
mod encoding;
mod equality;
mod lists;
mod logic;
pub(crate) mod numbers;
mod passwords;
mod paths;
pub(crate) mod printf;
mod random;
#[cfg(test)]
mod recorded;
mod regex;
mod sprig;
mod strings;
#[cfg(test)]
mod testing;
mod text;
pub(crate) mod time;
pub(crate) mod unicode;
mod urls;
mod versions;
mod wrap;

pub(crate) use regex::Expressions;
pub use regex::Pattern;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::Profile;
use crate::budget::{Budget, BudgetExceeded};
use crate::profile::FunctionSet;
use crate::template::{Evaluator, ExecError};
use crate::value::Value;

/// The Go type of a parameter, as far as the evaluator treats it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `interface{}`: everything, nothing becomes nil.
    Any,
    /// `reflect.Value`: everything, nothing stays [`Value::Invalid`] (Go's built-ins such as `eq`, `index`, `len`).
    Reflect,
    /// `string`.
    String,
    /// `int`.
    Int,
    /// `int64`.
    Int64,
    /// `uint32`; the argument is a [`Value::Uint64`].
    Uint32,
    /// `float64`.
    Float64,
    /// `bool`.
    Bool,
    /// `map[string]interface {}`; named map types of the same shape are accepted.
    Map,
    /// `[]interface {}`.
    List,
    /// `[]string`.
    StringList,
    /// `[]byte`.
    Bytes,
    /// `time.Time`.
    Time,
    /// Another Go type, by its name as in [`crate::value::Object::type_name`].
    Object(&'static str),
}

impl Parameter {
    /// The Go type name as messages show it.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Reflect => "reflect.Value",
            Self::String => "string",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Float64 => "float64",
            Self::Bool => "bool",
            Self::Map => "map[string]interface {}",
            Self::List => "[]interface {}",
            Self::StringList => "[]string",
            Self::Bytes => "[]uint8",
            Self::Time => "time.Time",
            Self::Object(name) => name,
        }
    }
}

/// The parameters of a function or method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The fixed parameters.
    pub parameters: &'static [Parameter],
    /// The type of further arguments, if any number of them is taken.
    pub variadic: Option<Parameter>,
}

impl Signature {
    /// A signature of fixed parameters only.
    pub const fn fixed(parameters: &'static [Parameter]) -> Self {
        Self { parameters, variadic: None }
    }
}

/// Why a call failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The function returned an error or panicked; Go prints `error calling NAME: TEXT`.
    Message(String),
    /// The chart's author ends the render with a text of their own: `fail`, `required`. Helm prints that text only.
    Fail(String),
    /// A template error from further in (`include`), to be wrapped in this call's location.
    Template(ExecError),
    /// An error with words in front of it, joined by `: ` (Go's `fmt.Errorf` with `%w`): `tpl`.
    Wrapped {
        /// The words in front.
        prefix: String,
        /// What they are about.
        cause: Box<CallError>,
    },
    /// A limit was reached; it ends the whole render.
    Budget(BudgetExceeded),
}

impl CallError {
    /// A failure with a text.
    pub fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }
}

impl From<BudgetExceeded> for CallError {
    fn from(exceeded: BudgetExceeded) -> Self {
        Self::Budget(exceeded)
    }
}

/// What a call gives back.
pub type CallResult = Result<Value, CallError>;

/// What a function may use besides its arguments.
pub struct Context<'a> {
    /// What this render may still consume.
    pub budget: &'a Budget,
    /// Clock and randomness of the host.
    pub host: &'a dyn Host,
    /// The running evaluator, for `include` and `tpl`.
    pub evaluator: &'a Evaluator<'a>,
}

/// What the embedding program provides: the renderer itself has no clock and no randomness.
pub trait Host {
    /// The current time in nanoseconds since the Unix epoch.
    fn now(&self) -> i128;

    /// Fills the buffer with random bytes.
    fn random(&self, buffer: &mut [u8]);

    /// Whether nobody will use the keys that a chart generates: they may then all be one and the same, which saves the
    /// seconds that it takes to make them.
    fn is_repeatable(&self) -> bool {
        false
    }
}

/// The host of a repeatable render: a fixed clock and a counter for randomness.
#[derive(Debug, Default)]
pub struct FixedHost {
    state: std::cell::Cell<u64>,
}

impl Host for FixedHost {
    fn now(&self) -> i128 {
        0
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn random(&self, buffer: &mut [u8]) {
        // SplitMix64: well spread, and the same for every run.
        for chunk in buffer.chunks_mut(8) {
            let mut word = self.state.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
            self.state.set(word);
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// One callable function.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name in templates.
    pub name: &'static str,
    /// The fixed parameters.
    pub parameters: &'static [Parameter],
    /// The type of further arguments, if the function takes any number of them.
    pub variadic: Option<Parameter>,
    /// Computes the result from arguments that match the parameters in number and type.
    pub call: fn(&Context<'_>, &[Value]) -> CallResult,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

/// All functions of one Helm release, by name.
#[derive(Default)]
pub struct FunctionTable {
    functions: HashMap<&'static str, &'static Function>,
}

impl FunctionTable {
    /// A table of these families. Of two functions with one name the later one counts, as when Helm overrides sprig and
    /// sprig overrides Go.
    pub fn new(families: &[&'static [Function]]) -> Self {
        Self { functions: families.iter().copied().flatten().map(|function| (function.name, function)).collect() }
    }

    /// The same functions but those of these names.
    fn without(&self, names: &[&str]) -> Self {
        let functions = self.functions.iter().filter(|(name, _)| !names.contains(name));
        Self { functions: functions.map(|(name, function)| (*name, *function)).collect() }
    }

    /// The function of that name.
    pub fn get(&self, name: &str) -> Option<&'static Function> {
        self.functions.get(name).copied()
    }

    /// All names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.functions.keys().copied()
    }
}

impl std::fmt::Debug for FunctionTable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.functions.keys()).finish()
    }
}

/// The functions that templates of this profile can call.
pub fn table(profile: Profile) -> &'static FunctionTable {
    // Go's built-ins first, then sprig's families, Helm's own last: the later wins.
    static V4: LazyLock<FunctionTable> = LazyLock::new(|| {
        FunctionTable::new(
            &[
                &[builtins::FUNCTIONS],
                sprig::FAMILIES,
                &[codec::FUNCTIONS, durations::FUNCTIONS, crate::template::helm::FUNCTIONS],
            ]
            .concat(),
        )
    });
    static V3: LazyLock<FunctionTable> = LazyLock::new(|| V4.without(&NEW_IN_V4));
    match profile.functions {
        FunctionSet::V3 => &V3,
        FunctionSet::V4 => &V4,
    }
}

/// The functions that Helm 3 does not have. `mustToJson` is sprig's there, with the same results.
const NEW_IN_V4: [&str; 13] = [
    "mustToYaml",
    "mustToToml",
    "mustToDuration",
    "durationSeconds",
    "durationMilliseconds",
    "durationMicroseconds",
    "durationNanoseconds",
    "durationMinutes",
    "durationHours",
    "durationDays",
    "durationWeeks",
    "durationRoundTo",
    "durationTruncateTo",
];
