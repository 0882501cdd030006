//! sprig's functions that change the case of text: Go's `strings`, goutils and xstrings.

use super::arguments::{charge_text, text};
use super::{CallResult, Context, Function, Parameter, unicode};
use crate::value::Value;

use Parameter::String as Text;

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "upper", parameters: &[Text], variadic: None, call: upper },
    Function { name: "lower", parameters: &[Text], variadic: None, call: lower },
    Function { name: "title", parameters: &[Text], variadic: None, call: title },
    Function { name: "untitle", parameters: &[Text], variadic: None, call: untitle },
    Function { name: "swapcase", parameters: &[Text], variadic: None, call: swapcase },
    Function { name: "camelcase", parameters: &[Text], variadic: None, call: camelcase },
    Function { name: "snakecase", parameters: &[Text], variadic: None, call: snakecase },
    Function { name: "kebabcase", parameters: &[Text], variadic: None, call: kebabcase },
];

/// A mapped rune takes at most three bytes for each byte of the original (an invalid byte becomes U+FFFD).
const GROWTH: usize = 3;

fn mapped(context: &Context<'_>, arguments: &[Value], mapping: impl FnMut(char) -> char) -> CallResult {
    let subject = text(arguments, 0)?;
    charge_text(context, subject.len().saturating_mul(GROWTH))?;
    Ok(Value::string(unicode::map_runes(subject, mapping)))
}

fn upper(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    mapped(context, arguments, unicode::to_upper)
}

fn lower(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    mapped(context, arguments, unicode::to_lower)
}

/// Go's `strings.isSeparator`: what a word of [`title`] starts after.
fn is_separator(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_alphanumeric() && character != '_';
    }
    !unicode::is_letter(character) && !unicode::is_digit(character) && unicode::is_space(character)
}

// Go: strings.Title
fn title(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let mut previous = ' ';
    mapped(context, arguments, |character| {
        let starts_word = is_separator(previous);
        previous = character;
        if starts_word { unicode::to_title(character) } else { character }
    })
}

// goutils: wordutils.go Uncapitalize
fn untitle(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let mut starts_word = true;
    mapped(context, arguments, |character| {
        if unicode::is_space(character) {
            starts_word = true;
            character
        } else if std::mem::take(&mut starts_word) {
            unicode::to_lower(character)
        } else {
            character
        }
    })
}

// goutils: wordutils.go SwapCase: a lower case letter after white space becomes title case.
fn swapcase(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let mut after_space = true;
    mapped(context, arguments, |character| {
        if unicode::is_upper(character) || unicode::is_title(character) {
            after_space = false;
            unicode::to_lower(character)
        } else if unicode::is_lower(character) {
            if std::mem::take(&mut after_space) { unicode::to_title(character) } else { unicode::to_upper(character) }
        } else {
            after_space = unicode::is_space(character);
            character
        }
    })
}

/// What separates words: xstrings' connectors.
fn is_connector(character: char) -> bool {
    matches!(character, '-' | '_') || unicode::is_space(character)
}

// xstrings: convert.go ToPascalCase. Connectors at the start and all but one of several in a row stay.
fn camelcase(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    let subject = text(arguments, 0)?;
    charge_text(context, subject.len().saturating_mul(GROWTH))?;
    let mut joined = Vec::with_capacity(subject.len());
    let mut runes = unicode::runes(subject).map(|(character, _)| character);
    let mut pending = None;
    for character in runes.by_ref() {
        if !is_connector(character) {
            pending = Some(character);
            break;
        }
        unicode::push(&mut joined, character);
    }
    let Some(first) = pending else {
        // xstrings writes the last connector of a text of nothing else twice.
        if let Some((last, _)) = unicode::runes(subject).last() {
            unicode::push(&mut joined, last);
        }
        return Ok(Value::string(joined));
    };
    // Whether the word so far is upper case throughout, so that its further capitals are lowered.
    let mut in_capitals = unicode::is_upper(first);
    let mut current = unicode::to_upper(first);
    for character in runes {
        let previous = current;
        current = character;
        if is_connector(previous) {
            if is_connector(character) {
                unicode::push(&mut joined, previous);
                continue;
            }
            in_capitals = unicode::is_upper(character);
            current = unicode::to_upper(character);
        } else {
            if in_capitals {
                if unicode::is_upper(character) {
                    current = unicode::to_lower(character);
                } else {
                    in_capitals = false;
                }
            }
            unicode::push(&mut joined, previous);
        }
    }
    unicode::push(&mut joined, current);
    Ok(Value::string(joined))
}

fn snakecase(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    lowered_words(context, arguments, b'_')
}

fn kebabcase(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    lowered_words(context, arguments, b'-')
}

/// The kinds of words that xstrings tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WordKind {
    /// No text left, or text that is not UTF-8.
    Invalid,
    /// Digits and other numbers.
    Number,
    /// A word that starts with a capital.
    UpperCase,
    /// A word of other letters.
    Alphabet,
    /// White space, hyphens, underscores.
    Connector,
    /// Punctuation.
    Punctuation,
    /// Everything else.
    Other,
}

/// A letter that is not one of the common CJK ideographs.
// xstrings: count.go isAlphabet
fn is_alphabet(character: char) -> bool {
    unicode::is_letter(character)
        && !matches!(character, '\u{3400}'..='\u{4d85}' | '\u{4e00}'..='\u{9fcc}' | '\u{20000}'..='\u{2b81d}')
}

/// The next rune that is valid UTF-8 and the bytes up to its end; `previous` if there is none.
// xstrings: convert.go nextValidRune
fn next_valid(text: &[u8], previous: char) -> (char, usize) {
    let mut size = 0;
    for (character, width) in unicode::runes(text) {
        size += width;
        if character != char::REPLACEMENT_CHARACTER {
            return (character, size);
        }
    }
    (previous, size)
}

/// How far a word reaches into a text.
struct Extent {
    /// Bytes that belong to it.
    length: usize,
    /// Bytes of its last rune, with the invalid ones before it.
    last: usize,
    /// The rune after it.
    after: char,
}

/// The start of `text` whose runes all satisfy `belongs`, given the rune before it.
fn extent(text: &[u8], before: char, belongs: impl Fn(char) -> bool) -> Extent {
    let mut extent = Extent { length: 0, last: 0, after: before };
    while extent.length < text.len() {
        let (character, size) = next_valid(&text[extent.length..], extent.after);
        extent.after = character;
        if !belongs(character) {
            break;
        }
        extent.length += size;
        extent.last = size;
    }
    extent
}

/// Splits off the first word: its kind, its bytes, the rest.
// xstrings: convert.go nextWord
fn next_word(text: &[u8]) -> (WordKind, &[u8], &[u8]) {
    let (first, size) = next_valid(text, char::REPLACEMENT_CHARACTER);
    if first == char::REPLACEMENT_CHARACTER {
        return (WordKind::Invalid, text, &[]);
    }
    let rest = &text[size..];
    let is_lower_alphabet = |character| is_alphabet(character) && !unicode::is_upper(character);
    let (kind, length) = if is_connector(first) {
        (WordKind::Connector, extent(rest, first, is_connector).length)
    } else if unicode::is_punctuation(first) {
        (WordKind::Punctuation, extent(rest, first, unicode::is_punctuation).length)
    } else if unicode::is_upper(first) {
        (WordKind::UpperCase, upper_case_extent(rest, first))
    } else if is_alphabet(first) {
        (WordKind::Alphabet, extent(rest, first, is_lower_alphabet).length)
    } else if unicode::is_number(first) {
        (WordKind::Number, extent(rest, first, unicode::is_number).length)
    } else {
        let is_other = |character| {
            !(is_connector(character)
                || is_alphabet(character)
                || unicode::is_number(character)
                || unicode::is_punctuation(character))
        };
        (WordKind::Other, extent(rest, first, is_other).length)
    };
    let (word, rest) = text.split_at(size + length);
    (kind, word, rest)
}

/// How much of the text after a capital belongs to its word: either more capitals without the one that starts the next
/// word (`HTTP` of `HTTPStatus`), or small letters.
fn upper_case_extent(rest: &[u8], first: char) -> usize {
    if rest.is_empty() {
        return 0;
    }
    let (second, _) = next_valid(rest, first);
    if unicode::is_upper(second) {
        let capitals = extent(rest, first, unicode::is_upper);
        if capitals.length < rest.len() && is_alphabet(capitals.after) {
            capitals.length - capitals.last
        } else {
            capitals.length
        }
    } else if is_alphabet(second) {
        extent(rest, first, |character| is_alphabet(character) && !unicode::is_upper(character)).length
    } else {
        0
    }
}

/// Words in lower case, joined by the connector where the kind of word changes.
// xstrings: convert.go camelCaseToLowerCase
fn lowered_words(context: &Context<'_>, arguments: &[Value], connector: u8) -> CallResult {
    use WordKind::{Alphabet, Connector, Invalid, Number, Punctuation};

    let subject = text(arguments, 0)?;
    charge_text(context, subject.len().saturating_mul(GROWTH + 1))?;
    if subject.is_empty() {
        return Ok(Value::string(""));
    }
    let mut joined = Vec::with_capacity(subject.len() * 2);
    let (mut kind, mut word, mut rest) = next_word(subject);
    while !rest.is_empty() {
        if kind != Connector {
            push_lower(&mut joined, kind, word, connector);
        }
        let (previous, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match previous {
            Number => {
                while matches!(kind, Alphabet | Number) {
                    push_lower(&mut joined, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Invalid | Punctuation | Connector) {
                    joined.push(connector);
                }
            }
            Connector => push_lower(&mut joined, previous, last, connector),
            Punctuation => {}
            _ if kind != Number => {
                if !matches!(kind, Connector | Punctuation) {
                    joined.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind == Alphabet {
                    // Small letters after a number belong to it: HTTP2xx is http_2xx.
                    joined.push(connector);
                    push_lower(&mut joined, Number, number, connector);
                    while matches!(kind, Alphabet | Number) {
                        push_lower(&mut joined, kind, word, connector);
                        (kind, word, rest) = next_word(rest);
                    }
                    if !matches!(kind, Invalid | Connector | Punctuation) {
                        joined.push(connector);
                    }
                } else {
                    // Otherwise the number belongs to the word before it: Bld4Floor is bld4_floor.
                    push_lower(&mut joined, Number, number, connector);
                    if !matches!(kind, Connector | Punctuation) {
                        joined.push(connector);
                    }
                }
            }
        }
    }
    push_lower(&mut joined, kind, word, connector);
    Ok(Value::string(joined))
}

/// Appends a word in lower case; only words with capitals and connectors need work.
// xstrings: convert.go toLower
fn push_lower(joined: &mut Vec<u8>, kind: WordKind, word: &[u8], connector: u8) {
    if !matches!(kind, WordKind::UpperCase | WordKind::Connector) {
        joined.extend_from_slice(word);
        return;
    }
    for (character, _) in unicode::runes(word) {
        if is_connector(character) {
            joined.push(connector);
        } else if unicode::is_upper(character) {
            unicode::push(joined, unicode::to_lower(character));
        } else {
            unicode::push(joined, character);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::check;

    #[test]
    fn title_and_its_relatives_work_word_by_word() {
        check("title", &[("o'neil x_y é-à ǆ", "O'Neil X_y É-À ǅ")]);
        check("untitle", &[("Hello World", "hello world")]);
        check("swapcase", &[("aBc dEF ǆx", "AbC Def ǅX")]);
    }

    #[test]
    fn camelcase_keeps_connectors_at_the_edges() {
        check(
            "camelcase",
            &[
                ("_", "__"),
                ("__a", "__A"),
                ("a_", "A_"),
                ("_complex__case_", "_Complex_Case_"),
                ("GOLANG_IS_GREAT", "GolangIsGreat"),
                ("HTTPServer", "Httpserver"),
                ("é-à", "ÉÀ"),
            ],
        );
    }

    #[test]
    fn snakecase_breaks_between_kinds_of_characters() {
        check(
            "snakecase",
            &[
                ("HTTP20xOK", "http_20x_ok"),
                ("Duration2m3s", "duration_2m3s"),
                ("Bld4Floor3rd", "bld4_floor_3rd"),
                ("http2xx", "http_2xx"),
                ("a.b.C", "a.b.c"),
                ("x+y", "x_+_y"),
                ("日本Go", "日本_go"),
                ("A", "a"),
                ("", ""),
                ("--a--", "__a__"),
            ],
        );
        check(
            "kebabcase",
            &[
                ("S3BucketName", "s3-bucket-name"),
                ("my2ndApp", "my-2nd-app"),
                ("v1.2.3Beta", "v1.2.3-beta"),
                ("ABC123DEF", "abc123-def"),
                ("Éclair", "éclair"),
            ],
        );
    }
}
