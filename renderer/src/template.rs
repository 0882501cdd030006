//! Go's `text/template`: lexer, parser, evaluator.

/// A failed execution: where, in which template, and why.
#[derive(Clone, Debug)]
pub struct ExecError {}

/// Executes the templates of one set.
pub struct Evaluator<'a> {
    _marker: std::marker::PhantomData<&'a ()>,
}
