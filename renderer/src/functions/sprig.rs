//! The sprig library (version 3.3.0), family by family.

use super::{
    Function, case, certificates, dates, decimal, dicts, encoding, lists, logic, numbers, passwords, paths, random,
    regex, strings, urls, versions, wrap,
};

/// All families. No two of them have a name in common.
pub(super) const FAMILIES: &[&[Function]] = &[
    case::FUNCTIONS,
    certificates::FUNCTIONS,
    dates::FUNCTIONS,
    decimal::FUNCTIONS,
    dicts::FUNCTIONS,
    encoding::FUNCTIONS,
    lists::FUNCTIONS,
    logic::FUNCTIONS,
    numbers::FUNCTIONS,
    passwords::FUNCTIONS,
    paths::FUNCTIONS,
    random::FUNCTIONS,
    regex::FUNCTIONS,
    strings::FUNCTIONS,
    urls::FUNCTIONS,
    versions::FUNCTIONS,
    wrap::FUNCTIONS,
];
