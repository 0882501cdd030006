//! The sprig library (version 3.3.0), family by family.

use super::{Function, case, decimal, dicts, encoding, lists, logic, numbers, random, strings, wrap};

/// All families. No two of them have a name in common.
pub(super) const FAMILIES: &[&[Function]] = &[
    case::FUNCTIONS,
    decimal::FUNCTIONS,
    dicts::FUNCTIONS,
    encoding::FUNCTIONS,
    lists::FUNCTIONS,
    logic::FUNCTIONS,
    numbers::FUNCTIONS,
    random::FUNCTIONS,
    strings::FUNCTIONS,
    wrap::FUNCTIONS,
];
