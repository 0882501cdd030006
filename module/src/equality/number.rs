//! Numbers by value, whatever JSON writes them as.

use std::cmp::Ordering;

use serde_json::Number;

/// Whether two numbers are the same: integers to the last digit, an integer and a float if the float is that integer.
pub(super) fn same_number(one: &Number, other: &Number) -> bool {
    match (integer(one), integer(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one.as_f64() == other.as_f64(),
        (Some(integer), None) => is_float(integer, other),
        (None, Some(integer)) => is_float(integer, one),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn is_float(integer: i128, float: &Number) -> bool {
    float.as_f64().is_some_and(|float| (integer as f64).partial_cmp(&float) == Some(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_str};

    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        for (one, other, expected) in [
            ("1", "1.0", true),
            ("1", "1.5", false),
            ("1000", "1e3", true),
            ("0", "-0.0", true),
            ("9007199254740993", "9007199254740992", false),
            ("18446744073709551615", "18446744073709551615", true),
            ("18446744073709551615", "-1", false),
            ("0.1", "0.10", true),
        ] {
            let number = |text| match from_str(text).unwrap() {
                Value::Number(number) => number,
                other => panic!("{other}"),
            };
            assert_eq!(same_number(&number(one), &number(other)), expected, "{one} {other}");
            assert_eq!(same_number(&number(other), &number(one)), expected, "{other} {one}");
        }
    }
}
