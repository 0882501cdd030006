//! Syntax errors in the words and with the line numbers of `go.yaml.in/yaml` v2.
//!
//! The event parser is not libyaml: it finds some errors earlier and calls them by other names. What Go would say
//! follows from the kind of error, from the collection it happens in, and from the text before it. Lines are libyaml's
//! too: its scanner counts from one, its parser from zero, and a line of zero is not printed.

use granit_parser::{ErrorKind, ScanError};

use super::MAX_DEPTH;
use super::error::YamlError;
use super::node::Position;

/// The kinds of collections, as far as errors differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collection {
    Block,
    FlowSequence,
    FlowMapping,
}

impl Collection {
    fn opened_by(bracket: char) -> Self {
        if bracket == '[' { Self::FlowSequence } else { Self::FlowMapping }
    }
}

/// A `%YAML` directive other than 1.1.
pub(crate) fn incompatible_version() -> YamlError {
    YamlError::yaml(None, "found incompatible YAML document")
}

/// A tab before a token of a block collection: libyaml takes only spaces there.
pub(crate) fn misplaced_tab(line: usize) -> YamlError {
    YamlError::yaml((line > 1).then_some(line), CANNOT_START)
}

/// Where in the text an error is.
struct Place<'text> {
    text: &'text str,
    /// Byte offset.
    offset: usize,
    /// From one.
    line: usize,
    /// From zero.
    column: usize,
}

impl Place<'_> {
    /// The character before the error that is no white space.
    fn previous(&self) -> Option<char> {
        self.before().trim_end().chars().next_back()
    }

    /// The error's line up to the error, without indentation.
    fn line_so_far(&self) -> &str {
        self.before().rsplit('\n').next().unwrap_or_default().trim_start()
    }

    fn before(&self) -> &str {
        self.text.get(..self.offset).unwrap_or_default()
    }

    /// The innermost flow collection by its bracket, where the parser did not get to report it.
    fn guess_flow(&self) -> Option<Collection> {
        let mut open = Vec::new();
        let mut quote = None;
        for character in self.before().chars() {
            if let Some(end) = quote {
                if end == character {
                    quote = None;
                }
                continue;
            }
            match character {
                '"' | '\'' => quote = Some(character),
                '[' | '{' => open.push(character),
                ']' | '}' => {
                    open.pop();
                }
                _ => {}
            }
        }
        open.pop().map(Collection::opened_by)
    }

    /// The line on which the text ends.
    fn last_line(&self) -> usize {
        self.text.matches('\n').count() + 1
    }

    /// The line in which libyaml's parser sees the end of the text: the one after the last.
    fn end_line(&self) -> usize {
        self.last_line() + usize::from(!self.text.is_empty() && !self.text.ends_with('\n'))
    }

    /// The line of the first token after a plain scalar that starts here: lines that are indented further belong to it,
    /// up to a colon.
    fn next_token_line(&self) -> usize {
        let later = self.text.lines().enumerate().skip(self.line);
        for (index, line) in later {
            let content = line.trim_start_matches(' ');
            let continues =
                line.len() - content.len() > self.column && !content.contains(": ") && !content.ends_with(':');
            if !content.is_empty() && !content.starts_with('#') && !continues {
                return index + 1;
            }
        }
        self.end_line()
    }
}

/// Translates an error of the event parser. `innermost` is the collection that was open.
pub(crate) fn describe(text: &str, error: &ScanError, innermost: Option<Collection>) -> YamlError {
    let marker = error.marker();
    let place =
        Place { text, offset: marker.byte_offset().unwrap_or(text.len()), line: marker.line(), column: marker.col() };
    let scanner = |line: usize, problem: &str| YamlError::yaml((line > 1).then_some(line), problem);
    let parser = |line: usize, problem: &str| YamlError::yaml(line.checked_sub(1).filter(|&line| line > 0), problem);
    let line = place.line;
    let error = match error.kind() {
        ErrorKind::MappingValueNotAllowed => scanner(line, "mapping values are not allowed in this context"),
        ErrorKind::BlockSequenceEntryNotAllowed => {
            scanner(line, "block sequence entries are not allowed in this context")
        }
        ErrorKind::MappingKeyNotAllowed => scanner(line, "mapping keys are not allowed in this context"),
        ErrorKind::SimpleKeyExpected => scanner(place.next_token_line(), MISSING_COLON),
        ErrorKind::UnexpectedCharacter { .. }
        | ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation => scanner(line, CANNOT_START),
        ErrorKind::TabAtBlockScalarStart => {
            scanner(line + 1, "found a tab character where an indentation space is expected")
        }
        ErrorKind::TabInPlainScalar => scanner(line + 1, "found a tab character that violates indentation"),
        ErrorKind::InvalidBlockScalarHeader => scanner(line, "did not find expected comment or line break"),
        ErrorKind::ZeroBlockScalarIndent => scanner(line, "found an indentation indicator equal to 0"),
        ErrorKind::UnclosedQuotedScalar => scanner(place.last_line(), "found unexpected end of stream"),
        ErrorKind::DocumentIndicatorInQuotedScalar => scanner(line, "found unexpected document indicator"),
        ErrorKind::UnknownQuotedScalarEscape => scanner(line, "found unknown escape character"),
        ErrorKind::InvalidQuotedScalarHexEscape => scanner(line, "did not find expected hexdecimal number"),
        ErrorKind::InvalidUnicodeEscape
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::InvalidLowSurrogate => scanner(line, "found invalid Unicode character escape code"),
        ErrorKind::InvalidTagTerminator => scanner(line, "did not find expected whitespace or line break"),
        ErrorKind::MissingTagUri => scanner(line, "did not find expected tag URI"),
        ErrorKind::UnclosedVerbatimTag => scanner(line, "did not find the expected '>'"),
        ErrorKind::InvalidTagEscape => scanner(line, "did not find URI escaped octet"),
        ErrorKind::MissingAnchorOrAliasName => scanner(line, "did not find expected alphabetic or numeric character"),
        ErrorKind::MissingDirectiveName => scanner(line, "could not find expected directive name"),
        ErrorKind::UnsupportedYamlMajorVersion => incompatible_version(),
        ErrorKind::DuplicateVersionDirective => parser(line, "found duplicate %YAML directive"),
        ErrorKind::DuplicateTagDirective => parser(line, "found duplicate %TAG directive"),
        ErrorKind::UndeclaredTagHandle => parser(line, "found undefined tag handle"),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => parser(line, MISSING_KEY),
        ErrorKind::ExpectedBlockSequenceEntry => parser(line, "did not find expected '-' indicator"),
        ErrorKind::ExpectedDocumentStart => parser(line, "did not find expected <document start>"),
        ErrorKind::ExpectedFlowMappingSeparator => parser(line, MISSING_BRACE),
        ErrorKind::ExpectedFlowSequenceSeparator => parser(line, MISSING_BRACKET),
        ErrorKind::ExpectedNodeContent
        | ErrorKind::UnexpectedEofBlockSequence
        | ErrorKind::UnexpectedEofBlockMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping => parser(line, MISSING_CONTENT),
        ErrorKind::UnclosedFlowCollection { open } => {
            parser(place.end_line(), in_flow(place.text, Some(Collection::opened_by(*open))))
        }
        ErrorKind::UnexpectedEofFlowSequence | ErrorKind::UnexpectedEofFlowMapping => {
            parser(place.end_line(), in_flow(place.text, innermost))
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, .. } => {
            parser(line, in_flow(place.before(), Some(Collection::opened_by(*open))))
        }
        ErrorKind::BlockEntryInFlowCollection
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::PlainScalarStartsWithDashFlowIndicator => {
            parser(line, in_flow(place.before(), innermost.or_else(|| place.guess_flow())))
        }
        ErrorKind::MisplacedFlowCollectionEnd => match place.previous() {
            None | Some('{' | '[' | ',' | '-') => parser(line, MISSING_CONTENT),
            Some(_) => parser(line, MISSING_KEY),
        },
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            let innermost = innermost.or_else(|| place.guess_flow());
            if matches!(innermost, Some(Collection::FlowSequence | Collection::FlowMapping)) {
                parser(line, in_flow("", innermost))
            } else if place.line_so_far().starts_with(['"', '\'']) {
                scanner(line, MISSING_COLON)
            } else {
                parser(line, MISSING_KEY)
            }
        }
        ErrorKind::RecursionLimitExceeded => {
            YamlError::yaml((line > 1).then_some(line), format!("exceeded max depth of {MAX_DEPTH}"))
        }
        other => YamlError::yaml((line > 1).then_some(line), other.to_string()),
    };
    error.at(Position { line: marker.line(), column: marker.col() + 1 })
}

const CANNOT_START: &str = "found character that cannot start any token";
const MISSING_COLON: &str = "could not find expected ':'";
const MISSING_KEY: &str = "did not find expected key";
const MISSING_CONTENT: &str = "did not find expected node content";
const MISSING_BRACKET: &str = "did not find expected ',' or ']'";
const MISSING_BRACE: &str = "did not find expected ',' or '}'";

/// What is missing in a flow collection after the given text.
fn in_flow(before: &str, innermost: Option<Collection>) -> &'static str {
    match (before.trim_end().chars().next_back(), innermost) {
        (Some('{' | '[' | ',' | ':'), _) => MISSING_CONTENT,
        (_, Some(Collection::FlowSequence)) => MISSING_BRACKET,
        (_, Some(Collection::FlowMapping)) => MISSING_BRACE,
        _ => MISSING_CONTENT,
    }
}
