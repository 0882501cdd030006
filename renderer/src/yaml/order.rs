//! The order of keys that Go's YAML writers use: numbers inside keys count as numbers (`a2` before `a10`).

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, ClassUnicode, HirKind};

/// Sorts the entries of a mapping by key.
///
/// The order is not transitive for some keys with leading zeros; a merge sort ends with any order and any input.
pub(crate) fn sort_entries<T>(entries: Vec<(String, T)>) -> Vec<(String, T)> {
    let mut runs: Vec<Vec<(String, T)>> = entries.into_iter().map(|entry| vec![entry]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(left, right),
                None => left,
            });
        }
        runs = merged;
    }
    runs.pop().unwrap_or_default()
}

fn merge<T>(left: Vec<(String, T)>, right: Vec<(String, T)>) -> Vec<(String, T)> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if natural_order(&second.0, &first.0) == Ordering::Less { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

/// Compares two keys at the first character in which they differ: letters by code point and after everything else,
/// the rest by the numbers that start there.
pub(crate) fn natural_order(left: &str, right: &str) -> Ordering {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let Some(start) = left.iter().zip(&right).position(|(left, right)| left != right) else {
        return left.len().cmp(&right.len());
    };
    match (is_letter(left[start]), is_letter(right[start])) {
        (true, true) => return left[start].cmp(&right[start]),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A zero that continues a number is a digit of it: `10` and `1` differ at the zero, inside the number.
    let continues_number = (left[start] == '0' || right[start] == '0')
        && left[..start].iter().rev().take_while(|&&digit| is_digit(digit)).any(|&digit| digit != '0');
    let seed = i64::from(continues_number);
    let (left_number, left_end) = number_at(&left, start, seed);
    let (right_number, right_end) = number_at(&right, start, seed);
    left_number.cmp(&right_number).then(left_end.cmp(&right_end)).then(left[start].cmp(&right[start]))
}

/// The number that starts at a place, appended to `seed`, and the place after it. It wraps, as in Go.
fn number_at(text: &[char], start: usize, seed: i64) -> (i64, usize) {
    let digits = text[start..].iter().take_while(|&&digit| is_digit(digit));
    digits.fold((seed, start), |(number, end), &digit| {
        let value = i64::from(u32::from(digit)) - i64::from(u32::from('0'));
        (number.wrapping_mul(10).wrapping_add(value), end + 1)
    })
}

/// Go's `unicode.IsLetter`: the general category L, which is narrower than Rust's `is_alphabetic`.
fn is_letter(character: char) -> bool {
    static LETTERS: LazyLock<Option<ClassUnicode>> = LazyLock::new(|| unicode_class(r"\pL"));
    if character.is_ascii() { character.is_ascii_alphabetic() } else { contains(&LETTERS, character) }
}

/// Go's `unicode.IsDigit`: the general category Nd.
fn is_digit(character: char) -> bool {
    static DIGITS: LazyLock<Option<ClassUnicode>> = LazyLock::new(|| unicode_class(r"\p{Nd}"));
    if character.is_ascii() { character.is_ascii_digit() } else { contains(&DIGITS, character) }
}

fn unicode_class(pattern: &str) -> Option<ClassUnicode> {
    match regex_syntax::parse(pattern).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}

fn contains(class: &LazyLock<Option<ClassUnicode>>, character: char) -> bool {
    class.as_ref().is_some_and(|class| {
        class
            .ranges()
            .binary_search_by(|range| {
                if range.end() < character {
                    Ordering::Less
                } else if range.start() > character {
                    Ordering::Greater
                } else {
                    Ordering::Equal
                }
            })
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_naturally() {
        let rows: [&[&str]; 6] = [
            &["", "_x", "9", "10", "a", "a-1", "a.1", "a_1", "a1", "a2", "a2b", "a9", "a10", "a20", "ab"],
            &["9.5", "10.0"],
            &["1.2.9", "1.2.10"],
            &["x-9", "x-9-z", "x-10-y"],
            &["file-1.yaml", "file.yaml", "file9.yaml", "file10.yaml", "fileA.yaml"],
            &["A", "B", "a", "ä", "日"],
        ];
        for sorted in rows {
            let shuffled = sorted.iter().rev().map(|key| ((*key).to_owned(), ())).collect();
            let keys: Vec<String> = sort_entries(shuffled).into_iter().map(|(key, ())| key).collect();
            assert_eq!(keys, sorted);
        }
    }
}
