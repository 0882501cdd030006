//! The functions that templates can call: Go's built-ins, sprig's, Helm's.
//!
//! A function is an entry of a table: its name, the Go types of its parameters, and the Rust function that computes it.
//! The evaluator converts and checks arguments by these types (`text/template/exec.go` `evalArg`, `validateType`), so
//! the implementations can rely on them.

use std::rc::Rc;

use crate::budget::{Budget, BudgetExceeded};
use crate::template::Evaluator;
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
}

/// Why a call failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The function returned an error or panicked; Go prints `error calling NAME: TEXT`.
    Message(String),
    /// A template error from further in (`include`, `tpl`), to be wrapped in this call's location.
    Template(Box<crate::template::ExecError>),
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

/// A shared map from name to function.
pub type FunctionTable = Rc<std::collections::HashMap<&'static str, Function>>;
