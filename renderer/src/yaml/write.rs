//! Writes block-style YAML in the layouts of `go.yaml.in/yaml` v2 and v3 (`emitterc.go`).

use super::resolve::{Scalar, resolve};

/// Which writer's layout to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `toYaml`: text wraps after column 80, lists below keys are not indented.
    V2,
    /// `toYamlPretty`: nothing wraps, lists below keys are indented, literal blocks may contain tabs.
    V3,
    /// For showing to people: as `toYaml`, but nothing wraps, and text of several lines stands in literal blocks wherever
    /// YAML can express that.
    Readable,
}

impl Layout {
    /// The column after which a space becomes a line break.
    fn fold_at(self) -> Option<usize> {
        (self == Self::V2).then_some(80)
    }

    fn indents_lists(self) -> bool {
        self == Self::V3
    }
}

/// Spaces by which nesting indents.
const INDENT: usize = 2;
/// The longest key, in bytes, that is written without a question mark.
const MAX_SIMPLE_KEY: usize = 128;

/// Where a node stands: the indentation of the collection that it is in, and in what part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    parent: Option<usize>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Root,
    Item,
    SimpleKey,
    /// A key after a question mark, or the value of a key.
    Value,
}

impl Slot {
    /// The whole document.
    pub(super) const ROOT: Self = Self { parent: None, place: Place::Root };

    /// How far the text of a scalar is indented on further lines.
    pub(super) fn content_indent(self) -> usize {
        self.parent.map_or(INDENT, |parent| parent + INDENT)
    }

    fn collection_indent(self) -> usize {
        self.parent.map_or(0, |parent| parent + INDENT)
    }

    fn may_fold(self) -> bool {
        self.place != Place::SimpleKey
    }
}

/// Writes nodes one after the other, collections by their parts.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    /// Characters on the current line.
    column: usize,
    /// Whether the last thing written separates tokens.
    after_space: bool,
    /// Whether the current line has only indentation and `-`, `?`, `:` so far.
    only_indentation: bool,
    layout: Layout,
}

impl Writer {
    pub(super) fn new(layout: Layout) -> Self {
        Self { text: String::new(), column: 0, after_space: true, only_indentation: true, layout }
    }

    /// How much is written so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// The text, with a line break at the end.
    pub(super) fn finish(mut self) -> String {
        self.start_line(0);
        self.text
    }

    /// Writes a number, `true` or `null` as it is.
    pub(super) fn scalar(&mut self, text: &str) {
        self.separate();
        self.put_str(text);
        self.after_space = false;
        self.only_indentation = false;
    }

    /// Writes bytes that are no text, in base64.
    pub(super) fn binary(&mut self, base64: &str, slot: Slot) {
        self.indicator("!!binary");
        self.string(base64, slot);
    }

    pub(super) fn empty_sequence(&mut self) {
        self.indicator("[]");
    }

    pub(super) fn empty_mapping(&mut self) {
        self.indicator("{}");
    }

    /// Begins a sequence that is not empty; the result is its indentation.
    pub(super) fn sequence(&self, slot: Slot) -> usize {
        let below_key = slot.place == Place::Value && !self.only_indentation;
        match slot.parent {
            Some(parent) if below_key && !self.layout.indents_lists() => parent,
            _ => slot.collection_indent(),
        }
    }

    /// Begins an item of a sequence of that indentation.
    pub(super) fn item(&mut self, indent: usize) -> Slot {
        self.start_line(indent);
        self.leading_indicator('-');
        Slot { parent: Some(indent), place: Place::Item }
    }

    /// Begins a mapping that is not empty; the result is its indentation.
    #[expect(clippy::unused_self, reason = "as with sequences")]
    pub(super) fn mapping(&self, slot: Slot) -> usize {
        slot.collection_indent()
    }

    /// Writes a key and its colon in a mapping of that indentation. The value comes next.
    pub(super) fn key(&mut self, key: &str, indent: usize) -> Slot {
        self.start_line(indent);
        let value = Slot { parent: Some(indent), place: Place::Value };
        if key.len() <= MAX_SIMPLE_KEY && !key.contains(is_break) {
            self.string(key, Slot { parent: Some(indent), place: Place::SimpleKey });
            self.attached_indicator(":");
        } else {
            self.leading_indicator('?');
            self.string(key, value);
            self.start_line(indent);
            self.leading_indicator(':');
        }
        value
    }

    /// Writes a string in the style that suits it. Go: `encoder.stringv`, `yaml_emitter_select_scalar_style`
    pub(super) fn string(&mut self, text: &str, slot: Slot) {
        let indent = slot.content_indent();
        let may_fold = slot.may_fold();
        // A plain key `<<` would be read back as a merge; Go writes it all the same.
        let merges = text == "<<" && self.layout == Layout::Readable;
        if is_tame(text) && !merges {
            if is_plain_string(text) {
                self.plain(text, indent, may_fold);
            } else {
                self.double_quoted(text, indent, may_fold);
            }
            return;
        }
        let properties = TextProperties::of(text);
        if text.contains('\n') && slot.place != Place::SimpleKey {
            if properties.allows_literal(self.layout) {
                return self.literal(text, indent);
            }
            return self.double_quoted(text, indent, may_fold);
        }
        if merges || !is_plain_string(text) {
            self.double_quoted(text, indent, may_fold);
        } else if properties.allows_plain() {
            self.plain(text, indent, may_fold);
        } else if properties.allows_single_quotes() {
            self.single_quoted(text, indent, may_fold);
        } else {
            self.double_quoted(text, indent, may_fold);
        }
    }

    fn plain(&mut self, text: &str, indent: usize, may_fold: bool) {
        if !may_fold || self.fits(text) {
            return self.scalar(text);
        }
        self.separate();
        self.flowing(text, indent, may_fold, false);
    }

    /// Whether a text without line breaks cannot reach the column at which lines are folded.
    fn fits(&self, text: &str) -> bool {
        // One more for the space before the text.
        self.layout.fold_at().is_none_or(|width| self.column + 1 + text.len() <= width)
    }

    fn single_quoted(&mut self, text: &str, indent: usize, may_fold: bool) {
        self.indicator("'");
        self.flowing(text, indent, may_fold, true);
        self.attached_indicator("'");
    }

    /// Writes the characters of a plain or single-quoted scalar.
    fn flowing(&mut self, text: &str, indent: usize, may_fold: bool, quoted: bool) {
        let mut after_space = false;
        let mut after_break = false;
        let mut characters = text.chars().peekable();
        let mut first = true;
        while let Some(character) = characters.next() {
            let next = characters.peek();
            if character == ' ' {
                let inside = !quoted || (!first && next.is_some());
                if may_fold && self.is_full() && !after_space && inside && next != Some(&' ') {
                    self.start_line(indent);
                } else {
                    self.put(' ');
                }
                after_space = true;
            } else if is_break(character) {
                self.put_break(character);
                self.only_indentation = true;
                after_break = true;
            } else {
                if after_break {
                    self.start_line(indent);
                }
                if quoted && character == '\'' {
                    self.put('\'');
                }
                self.put(character);
                self.only_indentation = false;
                after_space = false;
                after_break = false;
            }
            first = false;
        }
        self.after_space = false;
        self.only_indentation = false;
    }

    fn double_quoted(&mut self, text: &str, indent: usize, may_fold: bool) {
        self.indicator("\"");
        // The check for a byte order mark looks at the first character each time.
        let escape_all = text.starts_with('\u{FEFF}');
        let mut after_space = false;
        let mut characters = text.chars().peekable();
        let mut first = true;
        while let Some(character) = characters.next() {
            let next = characters.peek();
            if escape_all || !is_printable(character) || is_break(character) || matches!(character, '"' | '\\') {
                self.escape(character);
                after_space = false;
            } else if character == ' ' {
                if may_fold && self.is_full() && !after_space && !first && next.is_some() {
                    self.start_line(indent);
                    if next == Some(&' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                after_space = true;
            } else {
                self.put(character);
                after_space = false;
            }
            first = false;
        }
        self.attached_indicator("\"");
    }

    fn escape(&mut self, character: char) {
        let code = u32::from(character);
        let escape = match character {
            '\0' => "\\0".to_owned(),
            '\u{7}' => "\\a".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\r' => "\\r".to_owned(),
            '\u{1b}' => "\\e".to_owned(),
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\u{85}' => "\\N".to_owned(),
            '\u{a0}' => "\\_".to_owned(),
            '\u{2028}' => "\\L".to_owned(),
            '\u{2029}' => "\\P".to_owned(),
            ..='\u{ff}' => format!("\\x{code:02X}"),
            ..='\u{ffff}' => format!("\\u{code:04X}"),
            _ => format!("\\U{code:08X}"),
        };
        self.put_str(&escape);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|");
        // A tab would be taken for bad indentation by the reader; Go writes it all the same.
        let confusing = |first| first == ' ' || is_break(first) || (first == '\t' && self.layout == Layout::Readable);
        if text.starts_with(confusing) {
            self.attached_indicator("2");
        }
        let mut backwards = text.chars().rev();
        match (backwards.next().is_some_and(is_break), backwards.next()) {
            (false, _) => self.attached_indicator("-"),
            (true, None) => self.attached_indicator("+"),
            (true, Some(previous)) if is_break(previous) => self.attached_indicator("+"),
            (true, Some(_)) => {}
        }
        self.put_break('\n');
        self.only_indentation = true;
        self.after_space = true;
        for line in text.split_inclusive(is_break) {
            let content = line.trim_end_matches(is_break);
            if !content.is_empty() {
                self.start_line(indent);
                self.put_str(content);
                self.only_indentation = false;
            }
            if let Some(line_break) = line[content.len()..].chars().next() {
                self.put_break(line_break);
                self.only_indentation = true;
            }
        }
    }

    /// Begins a line unless the current one is still fit for it, and indents it.
    fn start_line(&mut self, indent: usize) {
        if !self.only_indentation || self.column > indent || (self.column == indent && !self.after_space) {
            self.put_break('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.after_space = true;
        self.only_indentation = true;
    }

    /// Writes `-`, `?` or `:` where it begins a part of a line: what follows may still count as indentation.
    fn leading_indicator(&mut self, indicator: char) {
        self.separate();
        self.put(indicator);
        self.after_space = false;
    }

    /// Writes an indicator after a space.
    fn indicator(&mut self, indicator: &str) {
        self.separate();
        self.attached_indicator(indicator);
    }

    /// Writes an indicator right after what precedes it.
    fn attached_indicator(&mut self, indicator: &str) {
        self.put_str(indicator);
        self.after_space = false;
        self.only_indentation = false;
    }

    fn separate(&mut self) {
        if !self.after_space {
            self.put(' ');
        }
    }

    fn put_str(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += if text.is_ascii() { text.len() } else { text.chars().count() };
    }

    fn put(&mut self, character: char) {
        self.text.push(character);
        self.column += 1;
    }

    fn put_break(&mut self, character: char) {
        self.text.push(character);
        self.column = 0;
    }

    fn is_full(&self) -> bool {
        self.layout.fold_at().is_some_and(|width| self.column > width)
    }
}

/// Whether the characters of a text let it stand plainly, without a close look: printable ASCII, of which the first is
/// no indicator and no space begins or ends the text or stands beside `:` or `#`.
fn is_tame(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'$' | b'(' | b'=');
    if !letter(first) || text.starts_with("...") || matches!(last, b' ' | b':') {
        return false;
    }
    let mut previous = b'a';
    bytes.iter().all(|&byte| {
        let fits = match byte {
            b' ' => previous != b':',
            b'#' => previous != b' ',
            byte => (b'!'..=b'~').contains(&byte),
        };
        previous = byte;
        fits
    })
}

/// Whether the text would be read back as a string without quotes. Sexagesimal numbers of YAML 1.1 are quoted for other
/// readers' sake.
fn is_plain_string(text: &str) -> bool {
    matches!(resolve(text, true), Scalar::String) && !is_sexagesimal(text)
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_sexagesimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let leading = parts.next().unwrap_or_default();
    let mut sixtieths = 0;
    leading.starts_with(|first: char| first.is_ascii_digit())
        && leading.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        && parts.all(|part| {
            sixtieths += 1;
            matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
        })
        && sixtieths > 0
        && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

/// What in a text restricts the styles it can be written in.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations, each named after libyaml's")]
struct TextProperties {
    indicators: bool,
    breaks: bool,
    tabs: bool,
    special: bool,
    outer_space: bool,
    trailing_space: bool,
    break_space: bool,
    space_break: bool,
}

impl TextProperties {
    fn of(text: &str) -> Self {
        let mut properties = Self { indicators: text.starts_with("---") || text.starts_with("..."), ..Self::default() };
        let mut previous: Option<char> = None;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek().copied();
            let space_follows = next.is_none_or(|next| next == ' ' || next == '\t');
            let space_precedes =
                previous.is_none_or(|previous| previous == ' ' || previous == '\t' || is_break(previous));
            properties.indicators |= match character {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`'
                    if previous.is_none() =>
                {
                    true
                }
                '?' | '-' if previous.is_none() => space_follows,
                ':' => space_follows,
                '#' => space_precedes,
                _ => false,
            };
            let at_edge = previous.is_none() || next.is_none();
            if character == '\t' {
                properties.tabs = true;
            } else if !is_printable(character) {
                properties.special = true;
            }
            if character == ' ' {
                properties.outer_space |= at_edge;
                properties.trailing_space |= next.is_none();
                properties.break_space |= previous.is_some_and(is_break);
            } else if is_break(character) {
                properties.breaks = true;
                properties.space_break |= previous == Some(' ');
            }
            previous = Some(character);
        }
        properties
    }

    fn allows_plain(&self) -> bool {
        !(self.indicators || self.outer_space) && self.allows_single_quotes() && !self.breaks
    }

    fn allows_single_quotes(&self) -> bool {
        !(self.break_space || self.space_break || self.tabs || self.special)
    }

    fn allows_literal(&self, layout: Layout) -> bool {
        let tabs_fit = layout != Layout::V2 || !self.tabs;
        let spaces_fit = layout == Layout::Readable || !(self.trailing_space || self.space_break);
        tabs_fit && spaces_fit && !self.special
    }
}

/// libyaml's line breaks; a carriage return is one too, but never printable.
fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What may stand in YAML without an escape. Characters above U+FFFF may not, says libyaml.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}') && character != '\u{FEFF}'
}
