//! What is random by nature: the spans in which several runs of Helm differ from one another.
//!
//! Random strings, generated keys and certificates, checksums of them and times differ from run to run. Only these
//! spans are left out of the comparison, and even they have to look like Helm's: as long, and of the same characters.

use super::Difference;

/// From this length on a random token shows all kinds of characters that its generator uses, all but surely.
const TELLING_LENGTH: usize = 24;
/// Encoded keys and certificates vary in length by a few bytes, because their numbers do.
const VARYING_LENGTH: usize = 200;
const VARYING_PART: usize = 12;

/// The first line of ours that is not like Helm's; none if all is alike. `runs` are outputs of several runs of Helm for
/// the same chart; there must be at least one.
pub(super) fn first_difference(runs: &[String], ours: &str) -> Option<Difference> {
    let whole = Outputs::new(runs, ours);
    let difference = whole.first_difference()?;
    // The length of a key decides on how many lines it takes.
    let collapsed: Vec<String> = runs.iter().map(|run| collapse_pem(run)).collect();
    let collapsed_ours = collapse_pem(ours);
    Outputs::new(&collapsed, &collapsed_ours).first_difference()?;
    // Go's maps have no order: the functions `keys` and `values` and sub-charts that no dependency names come in any.
    if runs.len() > 1 && runs.iter().any(|run| run != &runs[0]) && runs.iter().all(|run| sorted(run) == sorted(ours)) {
        return None;
    }
    Some(difference)
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

struct Outputs<'a> {
    first: &'a str,
    /// The runs with as many lines as ours, by line.
    lines: Vec<Vec<&'a str>>,
    ours: &'a str,
}

impl<'a> Outputs<'a> {
    fn new(runs: &'a [String], ours: &'a str) -> Self {
        let count = ours.lines().count();
        let lines = runs.iter().map(|run| run.lines().collect::<Vec<_>>()).filter(|run| run.len() == count);
        let first = runs.iter().find(|run| run.lines().count() == count).unwrap_or(&runs[0]);
        Self { first, lines: lines.collect(), ours }
    }

    fn first_difference(&self) -> Option<Difference> {
        Difference::first_that(self.first, self.ours, |number, ours| {
            let variants: Vec<&str> = self.lines.iter().filter_map(|run| run.get(number - 1).copied()).collect();
            !line_fits(&variants, ours.strip_suffix('\n').unwrap_or(ours))
        })
    }
}

/// Whether our line is one more variant of Helm's.
fn line_fits(variants: &[&str], ours: &str) -> bool {
    let Some((first, others)) = variants.split_first() else { return false };
    if others.iter().all(|other| other == first) {
        return *first == ours;
    }
    let pieces: Vec<Vec<&str>> = variants.iter().map(|line| tokens(line)).collect();
    let own = tokens(ours);
    if pieces.iter().all(|piece| piece.len() == own.len()) {
        return own.iter().enumerate().all(|(index, token)| {
            let variants: Vec<&str> = pieces.iter().map(|piece| piece[index]).collect();
            token_fits(&variants, token)
        });
    }
    // Random punctuation: only what all runs have in common at both ends is compared.
    let start = variants.iter().map(|line| common(first.bytes(), line.bytes())).min().unwrap_or(0);
    let end = variants.iter().map(|line| common(first.bytes().rev(), line.bytes().rev())).min().unwrap_or(0);
    let (start, end) = (boundary(first.bytes().take(start)), boundary(first.bytes().rev().take(end)));
    let (first, ours) = (first.as_bytes(), ours.as_bytes());
    ours.len() >= start + end
        && ours[..start] == first[..start]
        && ours[ours.len() - end..] == first[first.len() - end..]
}

fn common(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// The length of these bytes up to the last space or quote: what follows may be the begin of a random string.
fn boundary(bytes: impl Iterator<Item = u8>) -> usize {
    let bytes: Vec<u8> = bytes.collect();
    bytes.iter().rposition(|byte| matches!(byte, b' ' | b'"' | b'\'')).map_or(0, |last| last + 1)
}

/// Cuts a line into runs of the characters of base64 and single other characters.
fn tokens(line: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut start = 0;
    for (index, character) in line.char_indices() {
        if !is_word(character) {
            if start < index {
                tokens.push(&line[start..index]);
            }
            start = index + character.len_utf8();
            tokens.push(&line[index..start]);
        }
    }
    if start < line.len() {
        tokens.push(&line[start..]);
    }
    tokens
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=')
}

fn token_fits(variants: &[&str], ours: &str) -> bool {
    if variants.contains(&ours) {
        return true;
    }
    if variants.iter().all(|variant| *variant == variants[0]) {
        return false;
    }
    let shortest = variants.iter().map(|variant| variant.len()).min().unwrap_or(0);
    let longest = variants.iter().map(|variant| variant.len()).max().unwrap_or(0);
    if shortest >= VARYING_LENGTH {
        let slack = shortest / VARYING_PART;
        return (shortest - slack..=longest + slack).contains(&ours.len());
    }
    if shortest != longest {
        return true;
    }
    let classes = variants.iter().fold(0, |classes, variant| classes | character_classes(variant));
    ours.len() == shortest && (shortest < TELLING_LENGTH || character_classes(ours) & !classes == 0)
}

/// One bit for each kind of character in a text.
fn character_classes(text: &str) -> u8 {
    text.chars().fold(0, |classes, character| {
        classes
            | match character {
                '0'..='9' => 1,
                'a'..='f' => 2,
                'g'..='z' => 4,
                'A'..='Z' => 8,
                _ => 16,
            }
    })
}

/// Replaces the lines inside PEM blocks by one.
fn collapse_pem(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        if line.contains("-----END ") {
            inside = false;
        }
        if !inside {
            collapsed.push_str(line);
        }
        if line.contains("-----BEGIN ") && !line.contains("-----END ") {
            inside = true;
            collapsed.push_str("(encoded)\n");
        }
    }
    collapsed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree(runs: &[&str], ours: &str) -> bool {
        let runs: Vec<String> = runs.iter().map(|run| (*run).to_owned()).collect();
        first_difference(&runs, ours).is_none()
    }

    #[test]
    fn only_what_differs_between_runs_is_masked() {
        let runs = ["name: a\npassword: \"x7Gh2\"\n", "name: a\npassword: \"Qw1aa\"\n"];
        assert!(agree(&runs, "name: a\npassword: \"zzzzz\"\n"));
        assert!(!agree(&runs, "name: b\npassword: \"zzzzz\"\n"));
        assert!(!agree(&runs, "name: a\npassword: 'zzzzz'\n"));
        assert!(!agree(&runs, "name: a\npassword: \"zzzzzz\"\n"));
        assert!(!agree(&runs, "name: a\npassword: \"zzzzz\"\nmore: 1\n"));
        assert!(!agree(&runs[..1], "name: a\npassword: \"zzzzz\"\n"));
    }

    #[test]
    fn a_long_token_shows_its_alphabet() {
        let runs = [
            "sum: 0f343b0931126a20f133d67c2b018a3b0f343b0931126a20f133d67c2b018a3b\n",
            "sum: 5891b5b522d5df086d0ff0b110fbd9d25891b5b522d5df086d0ff0b110fbd9d2\n",
        ];
        assert!(agree(&runs, "sum: e258d248fda94c63753607f7c4494ee0e258d248fda94c63753607f7c4494ee0\n"));
        assert!(!agree(&runs, "sum: E258d248fda94c63753607f7c4494ee0e258d248fda94c63753607f7c4494ee0\n"));
    }

    #[test]
    fn a_key_may_take_another_number_of_lines() {
        let runs = [
            "a: |\n  -----BEGIN X-----\n  abc\n  de\n  -----END X-----\nb: 1\n",
            "a: |\n  -----BEGIN X-----\n  fgh\n  ij\n  -----END X-----\nb: 1\n",
        ];
        assert!(agree(&runs, "a: |\n  -----BEGIN X-----\n  klm\n  -----END X-----\nb: 1\n"));
        assert!(!agree(&runs, "a: |\n  -----BEGIN X-----\n  klm\n  -----END X-----\nb: 2\n"));
    }

    #[test]
    fn maps_without_order_come_in_any() {
        assert!(agree(&["- a\n- b\n- c\n", "- b\n- a\n- c\n"], "- c\n- b\n- a\n"));
        assert!(!agree(&["- a\n- b\n- c\n", "- a\n- b\n- c\n"], "- c\n- b\n- a\n"));
    }

    #[test]
    fn random_punctuation_is_masked() {
        let runs = ["p: \"a,b\" # end", "p: \"(cd\" # end"];
        assert!(agree(&runs, "p: \"--)\" # end"));
        assert!(!agree(&runs, "q: \"--)\" # end"));
        assert!(!agree(&runs, "p: \"--)\" # End"));
    }
}
