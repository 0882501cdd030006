//! The sprig library (version 3.3.0), family by family.

use super::{
    Function, case, dates, decimal, dicts, encoding, lists, logic, numbers, paths, random, regex, strings, urls,
    versions, wrap,
};

/// All families. No two of them have a name in common.
pub(super) const FAMILIES: &[&[Function]] = &[
    case::FUNCTIONS,
    dates::FUNCTIONS,
    decimal::FUNCTIONS,
    dicts::FUNCTIONS,
    encoding::FUNCTIONS,
    lists::FUNCTIONS,
    logic::FUNCTIONS,
    numbers::FUNCTIONS,
    paths::FUNCTIONS,
    random::FUNCTIONS,
    regex::FUNCTIONS,
    strings::FUNCTIONS,
    urls::FUNCTIONS,
    versions::FUNCTIONS,
    wrap::FUNCTIONS,
];
