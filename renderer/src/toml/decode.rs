//! TOML text to values, as `github.com/BurntSushi/toml` (`parse.go`) makes them, and refused in its words.
//!
//! That parser goes by the full names of keys: which were only implied by others, and which are arrays. Here these names
//! are nodes of a tree, so that a long name costs no more than a short one.

use std::collections::HashMap;

use bstr::ByteSlice;

use super::encode::key_text;
use super::lex::{Item, Kind, LexError, Lexer};
use crate::functions::numbers::parse_int;
use crate::functions::time::{Time, Zone, object};
use crate::json::{DecodeError, MAX_DECODE_DEPTH};
use crate::quote::quote;
use crate::value::{ElementType, GoString, List, Map, Value};

/// Decodes a TOML document: integers are `int64`, dates are `time.Time`, arrays of tables a type of their own.
pub fn decode(text: &[u8]) -> Result<Value, DecodeError> {
    let byte_order_marks: [&[u8]; 3] = [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"];
    let text = byte_order_marks.into_iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or(text);
    if text.iter().take(6).any(|byte| *byte == 0) {
        let problem = "files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8";
        return Err(DecodeError::new(format!("toml: line 1: {problem}")));
    }
    let mut parser = Parser::new(text);
    parser
        .document()
        .map_err(|text| if parser.reached_limit { DecodeError::limit(text) } else { DecodeError::new(text) })?;
    Ok(Value::Map(parser.take_table(ROOT)))
}

/// An index of [`Parser::names`] or [`Parser::tables`]. The first of each is the document's.
type NameIndex = usize;
type TableIndex = usize;
const ROOT: usize = 0;

/// What is known of a full name.
#[derive(Default)]
struct Name {
    parent: NameIndex,
    part: GoString,
    depth: usize,
    children: HashMap<GoString, NameIndex>,
    /// The table of this name was made because another name goes through it.
    is_implicit: bool,
    is_array: bool,
}

/// What a table holds under a key.
enum Node {
    Value(Value),
    Table(TableIndex),
    /// `[[key]]`, or an array in which an inline table was found.
    Tables(Vec<TableIndex>),
}

/// Where keys are set.
#[derive(Clone, Copy)]
struct Context {
    name: NameIndex,
    /// None if something else has this name.
    table: Option<TableIndex>,
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    context: Context,
    /// The key being read, for errors.
    key: GoString,
    /// The line of the last key.
    line: usize,
    names: Vec<Name>,
    tables: Vec<HashMap<GoString, Node>>,
    /// Whether what was refused is only too deep.
    reached_limit: bool,
}

type Parse<T> = Result<T, String>;

impl<'t> Parser<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self {
            lexer: Lexer::new(text),
            context: Context { name: ROOT, table: Some(ROOT) },
            key: GoString::default(),
            line: 0,
            names: vec![Name::default()],
            tables: vec![HashMap::new()],
            reached_limit: false,
        }
    }

    /// All of the text.
    fn document(&mut self) -> Parse<()> {
        loop {
            let item = self.next()?;
            if item.kind == Kind::Eof {
                return Ok(());
            }
            self.top_level(item)?;
        }
    }

    fn next(&mut self) -> Parse<Item<'t>> {
        self.lexer.next_item().map_err(|LexError { line, problem }| self.error(line, &problem))
    }

    // Go: ParseError.Error
    fn error(&self, line: usize, problem: &str) -> String {
        let context = self.full_name(self.context.name);
        let last = match (context.is_empty(), self.key.is_empty()) {
            (true, true) => return format!("toml: line {line}: {problem}"),
            (false, true) => context,
            (true, false) => self.key.to_str_lossy().into_owned(),
            (false, false) => format!("{context}.{}", self.key),
        };
        format!("toml: line {line} (last key {}): {problem}", quote(last.as_bytes()))
    }

    /// An error at the last key.
    fn key_error<T>(&self, problem: &str) -> Parse<T> {
        Err(self.error(self.line, problem))
    }

    fn refuse<T>(&self, item: Item<'t>, problem: &str) -> Parse<T> {
        Err(self.error(item.line, problem))
    }

    // Go: Key.String
    fn full_name(&self, mut name: NameIndex) -> String {
        let mut parts = Vec::new();
        while name != ROOT {
            parts.push(key_text(&self.names[name].part.to_str_lossy()));
            name = self.names[name].parent;
        }
        parts.reverse();
        parts.join(".")
    }

    /// The name of a part below another name.
    fn child(&mut self, parent: NameIndex, part: &GoString) -> Parse<NameIndex> {
        if let Some(child) = self.names[parent].children.get(part) {
            return Ok(*child);
        }
        let depth = self.names[parent].depth + 1;
        if depth > MAX_DECODE_DEPTH {
            self.reached_limit = true;
            return self.key_error(&format!("nested deeper than {MAX_DECODE_DEPTH} levels"));
        }
        let child = self.names.len();
        self.names.push(Name { parent, part: part.clone(), depth, ..Name::default() });
        self.names[parent].children.insert(part.clone(), child);
        Ok(child)
    }

    fn new_table(&mut self) -> TableIndex {
        self.tables.push(HashMap::new());
        self.tables.len() - 1
    }

    /// The table behind a key of a table: of an array of tables the last.
    fn table_of(&self, table: TableIndex, key: &GoString) -> Option<TableIndex> {
        match self.tables[table].get(key)? {
            Node::Value(_) => None,
            Node::Table(table) => Some(*table),
            Node::Tables(tables) => tables.last().copied(),
        }
    }

    fn top_level(&mut self, item: Item<'t>) -> Parse<()> {
        match item.kind {
            // Its text follows.
            Kind::CommentStart => self.next().map(|_| ()),
            Kind::TableStart => {
                let parts = self.parts(Kind::TableEnd)?;
                self.enter_header(parts, false)
            }
            Kind::ArrayTableStart => {
                let parts = self.parts(Kind::ArrayTableEnd)?;
                self.enter_header(parts, true)
            }
            _ => {
                let outer = self.context;
                self.assignment(0)?;
                self.context = outer;
                self.key = GoString::default();
                Ok(())
            }
        }
    }

    /// Reads the parts of a name up to the item that ends it; there is at least one.
    fn parts(&mut self, end: Kind) -> Parse<Vec<GoString>> {
        let mut item = self.next()?;
        self.line = item.line;
        let mut parts = Vec::new();
        while item.kind != end && item.kind != Kind::Eof {
            parts.push(match item.kind {
                Kind::EscapedString => self.unescaped(item, item.text)?.into(),
                _ => item.text.into(),
            });
            item = self.next()?;
        }
        Ok(parts)
    }

    /// Reads a key and its value and sets it. Gives the parts of the key before the last one, and the value.
    fn assignment(&mut self, depth: usize) -> Parse<(Vec<GoString>, Value)> {
        let mut parts = self.parts(Kind::KeyEnd)?;
        self.key = parts.pop().unwrap_or_default();
        for part in &parts {
            self.enter_implicit(part)?;
        }
        let item = self.next()?;
        let (value, is_array) = self.value(item, false, depth)?;
        self.set(Node::Value(value.clone()))?;
        self.set_type(is_array)?;
        Ok((parts, value))
    }

    /// Goes to the table of a header.
    // Go: parser.addContext
    fn enter_header(&mut self, mut parts: Vec<GoString>, is_array: bool) -> Parse<()> {
        let last = parts.pop().unwrap_or_default();
        let (mut name, mut table) = (ROOT, ROOT);
        for part in &parts {
            name = self.child(name, part)?;
            if !self.tables[table].contains_key(part) {
                self.names[name].is_implicit = true;
                let new = self.new_table();
                self.tables[table].insert(part.clone(), Node::Table(new));
            }
            table = match self.table_of(table, part) {
                Some(table) => table,
                None => return self.occupied(name),
            };
        }
        self.context = Context { name, table: Some(table) };
        self.enter_last(table, &last, is_array)?;
        self.names[self.context.name].is_array = false;
        Ok(())
    }

    /// Goes to a table that a dotted key implies.
    // Go: parser.addImplicitContext
    fn enter_implicit(&mut self, part: &GoString) -> Parse<()> {
        let name = self.child(self.context.name, part)?;
        self.names[name].is_implicit = true;
        match self.context.table {
            Some(table) => self.enter_last(table, part, false),
            None => self.occupied(self.context.name),
        }
    }

    fn occupied<T>(&self, name: NameIndex) -> Parse<T> {
        self.key_error(&format!("Key '{}' was already created as a hash.", self.full_name(name)))
    }

    fn defined<T>(&self, name: NameIndex) -> Parse<T> {
        self.key_error(&format!("Key '{}' has already been defined.", self.full_name(name)))
    }

    /// The end of `addContext`: makes the table of the last part of a name and goes there.
    fn enter_last(&mut self, table: TableIndex, part: &GoString, is_array: bool) -> Parse<()> {
        let name = self.child(self.context.name, part)?;
        let new = self.new_table();
        if is_array {
            let node = self.tables[table].entry(part.clone()).or_insert_with(|| Node::Tables(Vec::new()));
            let Node::Tables(tables) = node else {
                let full = self.full_name(name);
                return self.key_error(&format!("Key '{full}' was already created and cannot be used as an array."));
            };
            tables.push(new);
        } else {
            self.set_at(name, table, part, Node::Table(new))?;
        }
        self.context = Context { name, table: self.table_of(table, part) };
        Ok(())
    }

    /// Sets the current key in the current table.
    fn set(&mut self, node: Node) -> Parse<()> {
        let Some(table) = self.context.table else { return self.defined(self.context.name) };
        let key = self.key.clone();
        let name = self.child(self.context.name, &key)?;
        self.set_at(name, table, &key, node)
    }

    // Go: parser.setValue
    fn set_at(&mut self, name: NameIndex, table: TableIndex, key: &GoString, node: Node) -> Parse<()> {
        if self.tables[table].contains_key(key) {
            if !std::mem::take(&mut self.names[name].is_implicit) {
                return self.defined(name);
            }
            // What a name implied may be defined once; only an array takes its place.
            if !self.names[name].is_array {
                return Ok(());
            }
        }
        let node = match node {
            Node::Value(Value::Map(map)) => Node::Table(self.table_from(&map)),
            other => other,
        };
        self.tables[table].insert(key.clone(), node);
        Ok(())
    }

    /// An inline table in a form to which keys can be added.
    fn table_from(&mut self, map: &Map) -> TableIndex {
        let table = self.new_table();
        for (key, value) in map.entries() {
            let node = match value {
                Value::Map(map) => Node::Table(self.table_from(&map)),
                other => Node::Value(other),
            };
            self.tables[table].insert(key, node);
        }
        table
    }

    /// Notes whether the current key is an array. An empty key stands for the current table, unless there is none.
    // Go: parser.setType
    fn set_type(&mut self, is_array: bool) -> Parse<()> {
        let name = if self.key.is_empty() && self.context.name != ROOT {
            self.context.name
        } else {
            let key = self.key.clone();
            self.child(self.context.name, &key)?
        };
        self.names[name].is_array = is_array;
        Ok(())
    }

    /// A value, and whether it is an array.
    fn value(&mut self, item: Item<'t>, is_in_array: bool, depth: usize) -> Parse<(Value, bool)> {
        if depth > MAX_DECODE_DEPTH {
            self.reached_limit = true;
            return self.refuse(item, &format!("nested deeper than {MAX_DECODE_DEPTH} levels"));
        }
        let value = match item.kind {
            Kind::EscapedString => Value::string(self.unescaped(item, item.text)?),
            Kind::MultilineString => {
                let text = without_escaped_line_breaks(without_first_line_break(item.text));
                Value::string(self.unescaped(item, &text)?)
            }
            Kind::RawMultilineString => Value::string(without_first_line_break(item.text)),
            Kind::Bool => Value::Bool(item.text == b"true"),
            Kind::Integer => Value::Int64(self.integer(item)?),
            Kind::Float => Value::Float64(self.float(item)?),
            Kind::Datetime => self.datetime(item)?,
            Kind::Array => return Ok((self.array(depth)?, true)),
            Kind::InlineTableStart => Value::Map(self.inline_table(is_in_array, depth)?),
            // Strings without escapes; no other item begins a value.
            _ => Value::string(item.text),
        };
        Ok((value, false))
    }

    fn integer(&self, item: Item<'t>) -> Parse<i64> {
        let shown = || quote(item.text);
        if !are_underscores_fine(item.text) {
            let problem = format!("Invalid integer {}: underscores must be surrounded by digits", shown());
            return self.refuse(item, &problem);
        }
        if has_leading_zero(item.text) {
            return self.refuse(item, &format!("Invalid integer {}: cannot have leading zeroes", shown()));
        }
        match parse_int(item.text, 0) {
            Some(number) => Ok(number),
            None => self.refuse(item, &format!("{} is out of range for int64", item.text.as_bstr())),
        }
    }

    fn float(&self, item: Item<'t>) -> Parse<f64> {
        let invalid = |problem: &str| self.refuse(item, &format!("Invalid float {}: {problem}", quote(item.text)));
        let parts = item.text.split(|byte| matches!(byte, b'.' | b'e' | b'E')).filter(|part| !part.is_empty());
        let mut parts = parts.peekable();
        let first = parts.peek().copied();
        if !parts.all(are_underscores_fine) {
            return invalid("underscores must be surrounded by digits");
        }
        if first.is_some_and(has_leading_zero) {
            return invalid("cannot have leading zeroes");
        }
        let mut after_periods = item.text.split(|byte| *byte == b'.').skip(1);
        if !after_periods.all(|after| after.first().is_some_and(u8::is_ascii_digit)) {
            return invalid("'.' must be followed by one or more digits");
        }
        let digits = item.text.replace("_", "");
        match digits.to_str_lossy().parse::<f64>() {
            Ok(number) if number.is_infinite() && !digits.ends_with(b"inf") => {
                self.refuse(item, &format!("{} is out of range for float64", item.text.as_bstr()))
            }
            Ok(number) => Ok(number),
            Err(_) => self.refuse(item, &format!("Invalid float value: {}", quote(item.text))),
        }
    }

    fn datetime(&self, item: Item<'t>) -> Parse<Value> {
        /// Layouts, and the name of the zone for times without one.
        const LAYOUTS: [(&[u8], Option<&str>); 7] = [
            (b"2006-01-02T15:04:05.999999999Z07:00", None),
            (b"2006-01-02T15:04:05.999999999", Some("datetime-local")),
            (b"2006-01-02", Some("date-local")),
            (b"15:04:05.999999999", Some("time-local")),
            (b"2006-01-02T15:04Z07:00", None),
            (b"2006-01-02T15:04", Some("datetime-local")),
            (b"15:04", Some("time-local")),
        ];
        let uniform = |byte: &u8| match byte {
            b'z' => b'Z',
            b't' | b' ' => b'T',
            other => *other,
        };
        let text: Vec<u8> = item.text.trim().iter().map(uniform).collect();
        let parsed = LAYOUTS.iter().find_map(|(layout, zone)| Some((Time::parse(layout, &text).ok()?, layout, zone)));
        match parsed {
            Some((time, layout, zone)) if !lacks_leading_zero(&text, layout) => Ok(object(match zone {
                Some(name) => time.in_zone(Zone::Fixed { name: (*name).to_owned(), offset: 0 }),
                None => time,
            })),
            _ => self.refuse(item, &format!("invalid datetime: {}", quote(&text))),
        }
    }

    // Go: parser.valueArray
    fn array(&mut self, depth: usize) -> Parse<Value> {
        self.set_type(true)?;
        let mut items = Vec::new();
        loop {
            let item = self.next()?;
            match item.kind {
                Kind::ArrayEnd => return Ok(Value::list(items)),
                Kind::CommentStart => {
                    self.next()?;
                }
                _ => items.push(self.value(item, true, depth + 1)?.0),
            }
        }
    }

    /// An inline table is kept twice: as a value, and among the tables that further keys can add to.
    // Go: parser.valueInlineTable
    fn inline_table(&mut self, is_in_array: bool, depth: usize) -> Parse<Map> {
        let outer = self.context;
        let outer_key = std::mem::take(&mut self.key);
        let name = self.child(outer.name, &outer_key)?;
        self.names[name].is_implicit = true;
        let Some(outer_table) = outer.table else {
            self.context.name = name;
            return self.occupied(outer.name);
        };
        self.enter_last(outer_table, &outer_key, is_in_array)?;
        let inner = self.context;
        let table = Map::new();
        loop {
            let item = self.next()?;
            match item.kind {
                Kind::InlineTableEnd => break,
                Kind::CommentStart => {
                    self.next()?;
                    continue;
                }
                _ => {}
            }
            let (parts, value) = self.assignment(depth + 1)?;
            let mut innermost = table.clone();
            for part in parts {
                innermost = match innermost.get(&part) {
                    None => {
                        let new = Map::new();
                        innermost.insert(part, Value::Map(new.clone()));
                        new
                    }
                    Some(Value::Map(map)) => map,
                    Some(_) => {
                        let context = self.full_name(self.context.name);
                        return self.key_error(&format!("{} is not a table", quote(context.as_bytes())));
                    }
                };
            }
            innermost.insert(self.key.clone(), value);
            self.context = inner;
        }
        self.context = outer;
        self.key = outer_key;
        Ok(table)
    }

    /// A table with all that is below it.
    fn take_table(&mut self, table: TableIndex) -> Map {
        let entries = std::mem::take(&mut self.tables[table]).into_iter();
        entries
            .map(|(key, node)| {
                let value = match node {
                    Node::Value(value) => value,
                    Node::Table(table) => Value::Map(self.take_table(table)),
                    Node::Tables(tables) => {
                        let tables = tables.into_iter().map(|table| Value::Map(self.take_table(table))).collect();
                        Value::List(List::typed(ElementType::Map, tables))
                    }
                };
                (key, value)
            })
            .collect()
    }

    // Go: parser.replaceEscapes
    fn unescaped(&self, item: Item<'t>, text: &[u8]) -> Parse<Vec<u8>> {
        let mut plain = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(escape) = rest.find_byte(b'\\') {
            plain.extend_from_slice(&rest[..escape]);
            let kind = rest.get(escape + 1).copied().unwrap_or_default();
            rest = rest.get(escape + 2..).unwrap_or_default();
            let digits = match kind {
                b'x' => 2,
                b'u' => 4,
                b'U' => 8,
                b' ' | b'\t' => return self.refuse(item, &format!("invalid escape: '\\{}'", char::from(kind))),
                _ => {
                    plain.push(match kind {
                        b'b' => 0x08,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 0x0c,
                        b'r' => b'\r',
                        b'e' => 0x1b,
                        // A quote or a backslash; the lexer has refused everything else.
                        other => other,
                    });
                    continue;
                }
            };
            let (escaped, after) = rest.split_at(digits.min(rest.len()));
            rest = after;
            let digits = escaped.to_str_lossy();
            match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
                Some(character) => plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                None => return self.refuse(item, &format!("Escaped character '\\u{digits}' is not valid UTF-8.")),
            }
        }
        plain.extend_from_slice(rest);
        Ok(plain)
    }
}

// Go: stripFirstNewline
fn without_first_line_break(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\n").or_else(|| text.strip_prefix(b"\r\n")).unwrap_or(text)
}

/// Drops backslashes at the ends of lines with all space after them.
// Go: parser.stripEscapedNewlines
fn without_escaped_line_breaks(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(backslash) = rest.find_byte(b'\\') {
        let after = &rest[backslash + 1..];
        let space = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        if after[..space].contains(&b'\n') {
            kept.extend_from_slice(&rest[..backslash]);
            rest = &after[space..];
            continue;
        }
        // Another escape, perhaps of a backslash.
        let end = (backslash + 2).min(rest.len());
        kept.extend_from_slice(&rest[..end]);
        rest = &rest[end..];
    }
    kept.extend_from_slice(rest);
    kept
}

// Go: numHasLeadingZero
fn has_leading_zero(number: &[u8]) -> bool {
    match number {
        [b'0', next, ..] => !matches!(next, b'b' | b'o' | b'x'),
        [b'+' | b'-', b'0', _, ..] => true,
        _ => false,
    }
}

/// Whether each underscore stands behind a digit, and a digit at the end.
// Go: numUnderscoresOK
fn are_underscores_fine(number: &[u8]) -> bool {
    if matches!(number, b"nan" | b"+nan" | b"-nan" | b"inf" | b"-inf" | b"+inf") {
        return true;
    }
    let mut is_behind_digit = false;
    for byte in number {
        if *byte == b'_' && !is_behind_digit {
            return false;
        }
        is_behind_digit = byte.is_ascii_hexdigit();
    }
    is_behind_digit
}

/// Go reads numbers without a leading zero, which shifts what follows them.
// Go: missingLeadingZero
fn lacks_leading_zero(text: &[u8], layout: &[u8]) -> bool {
    let fixed = layout.iter().take_while(|byte| !matches!(byte, b'.' | b'Z'));
    fixed.enumerate().any(|(index, byte)| !byte.is_ascii_digit() && text.get(index) != Some(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_print_as_in_go() {
        // Printed by Go with github.com/BurntSushi/toml v1.6.0.
        let rows = [
            ("a = 1979-05-27T07:32:00Z", "1979-05-27 07:32:00 +0000 UTC"),
            ("a = 1979-05-27", "1979-05-27 00:00:00 +0000 date-local"),
            ("a = 07:32:00", "0000-01-01 07:32:00 +0000 time-local"),
            ("a = 1979-05-27T00:32:00.999-07:00", "1979-05-27 00:32:00.999 -0700 -0700"),
            ("a = 1979-05-27 07:32:00", "1979-05-27 07:32:00 +0000 datetime-local"),
        ];
        for (text, printed) in rows {
            let Ok(Value::Map(map)) = decode(text.as_bytes()) else { panic!("{text}") };
            let Some(Value::Object(time)) = map.get(b"a") else { panic!("{text}") };
            assert_eq!(String::from_utf8_lossy(&time.to_text()), printed);
        }
    }

    #[test]
    fn lines_that_assign_nothing_are_named_as_in_go() {
        let rows = [
            ("bad", "toml: line 1: unexpected EOF; expected key separator '='"),
            ("a b = 1", "toml: line 1: expected '.' or '=', but got 'b' instead"),
            ("x = 1\na\nb = 1", r"toml: line 2: expected '.' or '=', but got '\n' instead"),
        ];
        for (text, error) in rows {
            assert_eq!(decode(text.as_bytes()).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn deep_texts_are_refused() {
        let array = |depth: usize| format!("a = {}{}", "[".repeat(depth), "]".repeat(depth));
        let table = |depth: usize| format!("a = {}1{}", "{a = ".repeat(depth), "}".repeat(depth));
        let key = |depth: usize| format!("{}a = 1", "a.".repeat(depth));
        let header = |depth: usize| format!("[{}a]", "a.".repeat(depth));
        for text in [array, table, key, header] as [fn(usize) -> String; 4] {
            assert!(decode(text(MAX_DECODE_DEPTH - 1).as_bytes()).is_ok());
            let error = decode(text(200_000).as_bytes()).unwrap_err();
            assert!(error.is_limit() && error.to_string().ends_with("nested deeper than 300 levels"), "{error}");
        }
    }
}
