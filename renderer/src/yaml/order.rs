//! The order of keys that Go's YAML writers use: numbers inside keys count as numbers (`a2` before `a10`).

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex_syntax::hir::{Class, ClassUnicode, HirKind};

/// Whose order of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// A letter comes after all that is none.
    V2,
    /// The same, but a letter that follows a digit comes before all that is none: `1e3` before `12`.
    V3,
}

/// Up to so many entries are sorted by insertion.
const FEW: usize = 12;

/// Sorts entries by key. Go: `keyList.Less`
///
/// The order is not transitive for some keys with leading zeros; these sorts end with any order and any input.
pub(crate) fn sort_entries<T>(entries: &mut Vec<T>, order: Order, key: impl Fn(&T) -> &str) {
    let precedes = |left: &T, right: &T| natural_order(key(left), key(right), order) == Ordering::Less;
    if entries.len() <= FEW {
        for end in 1..entries.len() {
            let mut place = end;
            while place > 0 && precedes(&entries[place], &entries[place - 1]) {
                entries.swap(place, place - 1);
                place -= 1;
            }
        }
        return;
    }
    let mut runs: Vec<Vec<T>> = Vec::with_capacity(entries.len());
    for entry in entries.drain(..) {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| !precedes(&entry, last)) => run.push(entry),
            _ => runs.push(vec![entry]),
        }
    }
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(left, right, &precedes),
                None => left,
            });
        }
        runs = merged;
    }
    entries.extend(runs.into_iter().flatten());
}

fn merge<T>(left: Vec<T>, right: Vec<T>, precedes: &impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if precedes(second, first) { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

/// Compares two keys at the first character in which they differ: letters by code point, the rest by the numbers that
/// start there.
pub(crate) fn natural_order(left: &str, right: &str, order: Order) -> Ordering {
    let mut common = left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count();
    while !left.is_char_boundary(common) {
        common -= 1;
    }
    let (before, left, right) = (&left[..common], &left[common..], &right[common..]);
    let (Some(first), Some(second)) = (left.chars().next(), right.chars().next()) else {
        return left.len().cmp(&right.len());
    };
    match (is_letter(first), is_letter(second)) {
        (true, true) => return first.cmp(&second),
        (false, false) => {}
        (is_first, _) => {
            let letters_first = order == Order::V3 && before.chars().next_back().is_some_and(is_digit);
            return if is_first == letters_first { Ordering::Less } else { Ordering::Greater };
        }
    }
    // A zero that continues a number is a digit of it: `10` and `1` differ at the zero, inside the number.
    let continues_number = (first == '0' || second == '0')
        && before.chars().rev().take_while(|&digit| is_digit(digit)).any(|digit| digit != '0');
    let seed = i64::from(continues_number);
    let (left_number, left_digits) = number_at(left, seed);
    let (right_number, right_digits) = number_at(right, seed);
    left_number.cmp(&right_number).then(left_digits.cmp(&right_digits)).then(first.cmp(&second))
}

/// The number at the start of a text, appended to `seed`, and how many digits it has. It wraps, as in Go.
fn number_at(text: &str, seed: i64) -> (i64, usize) {
    let digits = text.chars().take_while(|&digit| is_digit(digit));
    digits.fold((seed, 0), |(number, count), digit| {
        let value = i64::from(u32::from(digit)) - i64::from(u32::from('0'));
        (number.wrapping_mul(10).wrapping_add(value), count + 1)
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
    fn letters_after_digits_come_first_in_v3() {
        let mut keys = ["12", "1e3", "a1", "a1b", "a12"];
        for (order, sorted) in
            [(Order::V2, ["12", "1e3", "a1", "a12", "a1b"]), (Order::V3, ["1e3", "12", "a1", "a1b", "a12"])]
        {
            let mut sorting = keys.to_vec();
            sort_entries(&mut sorting, order, |key| key);
            assert_eq!(sorting, sorted);
            keys.reverse();
        }
    }

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
            let mut keys: Vec<&str> = sorted.iter().rev().copied().collect();
            sort_entries(&mut keys, Order::V2, |key| key);
            assert_eq!(keys, sorted);
        }
    }
}
