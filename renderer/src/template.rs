//! Go's `text/template`: lexer, parser, evaluator; and Helm's functions that run templates.

mod error;
mod exec;
pub(crate) mod helm;
mod lex;
mod node;
mod number;
mod parse;
mod set;

pub use error::{ExecError, Frame, ParseError};
pub use exec::{Evaluator, RENDER_STACK_BYTES};
pub use helm::strip_no_value;
pub use set::{ParseCache, TemplateSet};
