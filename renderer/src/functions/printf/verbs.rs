//! What each verb prints for each kind of value.

use crate::budget::{Budget, BudgetExceeded};
use crate::functions::unicode::{is_print, push, runes};
use crate::quote;
use crate::value::{ElementType, GoString, MapType, Object, StructField, Value};

use super::float;

type Printed = Result<(), BudgetExceeded>;

/// The flags of a verb, with its width and precision.
// Go: fmt/format.go fmtFlags
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of a format verb, independent of each other")]
pub(super) struct Flags {
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`.
    pub(super) field_names: bool,
    /// `%#v`.
    pub(super) go_syntax: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

const LOWER_DIGITS: &[u8; 16] = b"0123456789abcdef";
const UPPER_DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// What is printed so far, and how to print what comes next.
pub(super) struct Printer<'b> {
    pub(super) output: Vec<u8>,
    pub(super) flags: Flags,
    /// How many lists and maps are being printed around the value.
    depth: usize,
    /// Whether a value is being shown that the verb does not know: without its method `String`.
    erroring: bool,
    budget: &'b Budget,
}

impl<'b> Printer<'b> {
    pub(super) fn new(budget: &'b Budget) -> Self {
        Self { output: Vec::new(), flags: Flags::default(), depth: 0, erroring: false, budget }
    }

    fn enter(&mut self) -> Printed {
        self.depth += 1;
        self.budget.enter()
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.budget.leave();
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Printed {
        self.budget.charge_bytes(bytes.len() as u64)?;
        self.output.extend_from_slice(bytes);
        Ok(())
    }

    /// Prints one value (Go: `pp.printArg`).
    pub(super) fn argument(&mut self, value: &Value, verb: char) -> Printed {
        match (verb, value) {
            ('T' | 'v', Value::Invalid | Value::Nil) => self.padded(b"<nil>"),
            (_, Value::Invalid | Value::Nil) => self.bad_verb(None, verb),
            ('T', value) => self.text(value.type_name().as_bytes()),
            ('p', value) => self.pointer(value),
            (_, value) => self.value(value, verb),
        }
    }

    /// Prints a value inside another one, where nil does not count as a wrong type (Go: `pp.printValue`).
    fn element(&mut self, value: &Value, verb: char, is_interface: bool) -> Printed {
        match value {
            Value::Invalid | Value::Nil if self.flags.go_syntax => self.write(b"interface {}(nil)"),
            Value::Invalid | Value::Nil if is_interface || verb == 'v' => self.write(b"<nil>"),
            Value::Invalid | Value::Nil => self.bad_verb(None, verb),
            value => self.value(value, verb),
        }
    }

    fn value(&mut self, value: &Value, verb: char) -> Printed {
        self.budget.charge_steps(1)?;
        if verb == 'w' && matches!(value, Value::List(_) | Value::Map(_) | Value::Object(_)) {
            // Only for errors; it does not look inside.
            return self.bad_verb(Some(value), verb);
        }
        match value {
            Value::Invalid | Value::Nil => self.write(b"<nil>"),
            Value::Bool(flag) => match verb {
                't' | 'v' => self.padded(if *flag { b"true" } else { b"false" }),
                _ => self.bad_verb(Some(value), verb),
            },
            Value::Int(number) | Value::Int64(number) => self.integer(value, *number as u64, true, verb),
            Value::Uint64(number) => self.integer(value, *number, false, verb),
            Value::Uint8(number) => self.integer(value, u64::from(*number), false, verb),
            Value::Float64(number) => self.float(value, *number, verb),
            Value::Complex128(real, imaginary) => match verb {
                'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E' => {
                    let plus = self.flags.plus;
                    self.write(b"(")?;
                    self.float(value, *real, verb)?;
                    self.flags.plus = true;
                    self.float(value, *imaginary, verb)?;
                    self.flags.plus = plus;
                    self.write(b"i)")
                }
                _ => self.bad_verb(Some(value), verb),
            },
            Value::String(text) => self.string(value, text, verb),
            Value::Bytes(bytes) => self.bytes(value, bytes, verb),
            Value::List(list) => {
                let is_interface = list.element_type() == ElementType::Any;
                let go_syntax = self.flags.go_syntax;
                if go_syntax {
                    self.write(value.type_name().as_bytes())?;
                    if list.is_nil() {
                        return self.write(b"(nil)");
                    }
                }
                self.enter()?;
                self.write(if go_syntax { b"{" } else { b"[" })?;
                for (index, item) in list.iter().enumerate() {
                    if index > 0 {
                        self.write(if go_syntax { b", " } else { b" " })?;
                    }
                    self.element(item, verb, is_interface)?;
                }
                self.leave();
                self.write(if go_syntax { b"}" } else { b"]" })
            }
            Value::Map(map) => {
                if self.flags.go_syntax && map.is_nil() {
                    self.write(value.type_name().as_bytes())?;
                    return self.write(b"(nil)");
                }
                let is_interface = map.map_type() != MapType::String;
                self.budget.charge_bytes((map.len() * size_of::<(GoString, Value)>()) as u64)?;
                self.entries(value.type_name(), &map.entries(), verb, is_interface)
            }
            Value::Object(object) => self.object(value, object.as_ref(), verb),
        }
    }

    fn entries(&mut self, type_name: &str, entries: &[(GoString, Value)], verb: char, is_interface: bool) -> Printed {
        let go_syntax = self.flags.go_syntax;
        if go_syntax {
            self.write(type_name.as_bytes())?;
        }
        self.enter()?;
        self.write(if go_syntax { b"{" } else { b"map[" })?;
        for (index, (key, item)) in entries.iter().enumerate() {
            if index > 0 {
                self.write(if go_syntax { b", " } else { b" " })?;
            }
            self.value(&Value::String(key.clone()), verb)?;
            self.write(b":")?;
            self.element(item, verb, is_interface)?;
        }
        self.leave();
        self.write(if go_syntax { b"}" } else { b"]" })
    }

    fn object(&mut self, value: &Value, object: &dyn Object, verb: char) -> Printed {
        self.budget.charge_bytes(object.size() as u64)?;
        let go_syntax = self.flags.go_syntax && verb == 'v';
        if go_syntax && let Some(text) = object.to_go_syntax() {
            return self.text(&text);
        }
        if !self.erroring && !go_syntax && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') && object.is_stringer() {
            return self.string(value, &GoString::from(object.to_text()), verb);
        }
        match object.kind_name() {
            // A named number (month, duration).
            "int" | "int64" => match object.to_plain() {
                Value::Int(number) | Value::Int64(number) => self.integer(value, number as u64, true, verb),
                _ => self.bad_verb(Some(value), verb),
            },
            // The address, which is not repeatable.
            "ptr" if self.depth > 0 => self.address(value, verb),
            "map" => self.entries(object.type_name(), &object.entries().unwrap_or_default(), verb, false),
            "slice" if go_syntax => {
                self.write(object.type_name().as_bytes())?;
                let start = self.output.len();
                self.value(&object.to_plain(), verb)?;
                // The name of the unnamed type that is printed here.
                let unnamed = object.to_plain().type_name().len();
                self.output.drain(start..start + unnamed);
                Ok(())
            }
            "slice" => self.value(&object.to_plain(), verb),
            kind => match object.printed_fields() {
                Some(fields) => {
                    if kind == "ptr" {
                        self.write(b"&")?;
                    }
                    self.structure(object.type_name().trim_start_matches('*'), &fields, verb)
                }
                None if matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') => {
                    self.string(value, &GoString::from(object.to_text()), verb)
                }
                None => self.bad_verb(Some(value), verb),
            },
        }
    }

    fn structure(&mut self, type_name: &str, fields: &[StructField], verb: char) -> Printed {
        let go_syntax = self.flags.go_syntax;
        if go_syntax {
            self.write(type_name.as_bytes())?;
        }
        self.enter()?;
        self.write(b"{")?;
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.write(if go_syntax { b", " } else { b" " })?;
            }
            if go_syntax || self.flags.field_names {
                self.write(field.name.as_bytes())?;
                self.write(b":")?;
            }
            self.element(&field.value, verb, false)?;
        }
        self.leave();
        self.write(b"}")
    }

    /// Reports a verb that the value does not know (Go: `pp.badVerb`).
    fn bad_verb(&mut self, value: Option<&Value>, verb: char) -> Printed {
        self.write(format!("%!{verb}(").as_bytes())?;
        match value {
            Some(value) => {
                self.write(value.type_name().as_bytes())?;
                self.write(b"=")?;
                let depth = std::mem::take(&mut self.depth);
                let erroring = std::mem::replace(&mut self.erroring, true);
                self.value(value, 'v')?;
                self.erroring = erroring;
                self.depth = depth;
            }
            None => self.write(b"<nil>")?,
        }
        self.write(b")")
    }

    // Padding.

    fn padding(&mut self, count: usize) -> Printed {
        self.budget.charge_bytes(count as u64)?;
        let byte = if self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
        self.output.extend(std::iter::repeat_n(byte, count));
        Ok(())
    }

    fn padded(&mut self, text: &[u8]) -> Printed {
        let missing = self.flags.width.map_or(0, |width| width.saturating_sub(runes(text).count()));
        if self.flags.minus {
            self.write(text)?;
            return self.padding(missing);
        }
        self.padding(missing)?;
        self.write(text)
    }

    /// Pads with spaces, whatever the flags say.
    fn padded_with_spaces(&mut self, text: &[u8]) -> Printed {
        let zero = std::mem::take(&mut self.flags.zero);
        self.padded(text)?;
        self.flags.zero = zero;
        Ok(())
    }

    /// The text up to as many characters as the precision says.
    fn truncated<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        match self.flags.precision {
            Some(count) => &text[..runes(text).take(count).map(|(_, width)| width).sum()],
            None => text,
        }
    }

    fn text(&mut self, text: &[u8]) -> Printed {
        self.padded(self.truncated(text))
    }

    // Kinds of values.

    fn string(&mut self, value: &Value, text: &[u8], verb: char) -> Printed {
        match verb {
            'v' if self.flags.go_syntax => self.quoted(text),
            'v' | 's' => self.text(text),
            'x' | 'X' => self.hexadecimal(text, verb),
            'q' => self.quoted(text),
            _ => self.bad_verb(Some(value), verb),
        }
    }

    fn bytes(&mut self, value: &Value, bytes: &[u8], verb: char) -> Printed {
        match verb {
            'v' | 'd' => {
                let go_syntax = self.flags.go_syntax;
                self.write(match (go_syntax, self.depth) {
                    (true, 0) => b"[]byte{".as_slice(),
                    (true, _) => b"[]uint8{",
                    (false, _) => b"[",
                })?;
                for (index, byte) in bytes.iter().enumerate() {
                    if index > 0 {
                        self.write(if go_syntax { b", " } else { b" " })?;
                    }
                    if go_syntax {
                        let sharp = std::mem::replace(&mut self.flags.sharp, true);
                        self.digits(u64::from(*byte), 16, false, 'v')?;
                        self.flags.sharp = sharp;
                    } else {
                        self.integer(value, u64::from(*byte), false, 'd')?;
                    }
                }
                self.write(if go_syntax { b"}" } else { b"]" })
            }
            's' => self.text(bytes),
            'x' | 'X' => self.hexadecimal(bytes, verb),
            'q' => self.quoted(bytes),
            _ => {
                self.write(b"[")?;
                for (index, byte) in bytes.iter().enumerate() {
                    if index > 0 {
                        self.write(b" ")?;
                    }
                    self.integer(&Value::Uint8(*byte), u64::from(*byte), false, verb)?;
                }
                self.write(b"]")
            }
        }
    }

    // Go: fmt/format.go fmtQ
    fn quoted(&mut self, text: &[u8]) -> Printed {
        let text = self.truncated(text);
        self.budget.charge_bytes(quote::longest(text))?;
        let quoted = if self.flags.sharp && quote::can_backquote(text) {
            [b"`", text, b"`"].concat()
        } else if self.flags.plus {
            quote::quote_to_ascii(text).into_bytes()
        } else {
            quote::quote(text).into_bytes()
        };
        self.padded(&quoted)
    }

    // Go: fmt/format.go fmtSbx
    fn hexadecimal(&mut self, text: &[u8], verb: char) -> Printed {
        let digits = if verb == 'X' { UPPER_DIGITS } else { LOWER_DIGITS };
        let text = &text[..self.flags.precision.map_or(text.len(), |precision| precision.min(text.len()))];
        let prefix: &[u8] = match (self.flags.sharp, verb) {
            (true, 'X') => b"0X",
            (true, _) => b"0x",
            (false, _) => b"",
        };
        let width = 2 + if self.flags.space { 1 + prefix.len() } else { 0 };
        let length = text.len().saturating_mul(width).saturating_add(prefix.len());
        self.budget.charge_bytes(length as u64)?;
        let mut encoded = Vec::with_capacity(length);
        for (index, byte) in text.iter().enumerate() {
            if self.flags.space && index > 0 {
                encoded.push(b' ');
            }
            if index == 0 || self.flags.space {
                encoded.extend_from_slice(prefix);
            }
            encoded.extend([digits[usize::from(byte >> 4)], digits[usize::from(byte & 0xf)]]);
        }
        self.padded(&encoded)
    }

    // Go: fmt/print.go fmtInteger
    fn integer(&mut self, value: &Value, number: u64, is_signed: bool, verb: char) -> Printed {
        match verb {
            'v' if self.flags.go_syntax && !is_signed => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                self.digits(number, 16, is_signed, verb)?;
                self.flags.sharp = sharp;
                Ok(())
            }
            'v' | 'd' => self.digits(number, 10, is_signed, verb),
            'b' => self.digits(number, 2, is_signed, verb),
            'o' | 'O' => self.digits(number, 8, is_signed, verb),
            'x' | 'X' => self.digits(number, 16, is_signed, verb),
            'c' => {
                let mut text = Vec::new();
                push(&mut text, character(number));
                self.padded(&text)
            }
            'q' => {
                let text = quote::quote_character(character(number), self.flags.plus);
                self.padded(text.as_bytes())
            }
            'U' => self.unicode(number),
            _ => self.bad_verb(Some(value), verb),
        }
    }

    /// Prints an integer in a base (Go: fmt/format.go `fmtInteger`).
    fn digits(&mut self, number: u64, base: u64, is_signed: bool, verb: char) -> Printed {
        let is_negative = is_signed && (number as i64) < 0;
        let mut rest = if is_negative { number.wrapping_neg() } else { number };
        let mut least = 0;
        if let Some(precision) = self.flags.precision {
            if precision == 0 && rest == 0 {
                return self.padded_with_spaces(b"");
            }
            least = precision;
        } else if let Some(width) = self.flags.width.filter(|_| self.flags.zero && !self.flags.minus) {
            least = width;
            if is_negative || self.flags.plus || self.flags.space {
                least = least.saturating_sub(1);
            }
        }
        self.budget.charge_bytes(least as u64)?;
        let alphabet = if verb == 'X' { UPPER_DIGITS } else { LOWER_DIGITS };
        let mut reversed = Vec::new();
        loop {
            reversed.push(alphabet[(rest % base) as usize]);
            rest /= base;
            if rest == 0 {
                break;
            }
        }
        while reversed.len() < least {
            reversed.push(b'0');
        }
        if self.flags.sharp {
            match base {
                2 => reversed.extend(b"b0"),
                8 if reversed.last() != Some(&b'0') => reversed.push(b'0'),
                16 => reversed.extend(if verb == 'X' { b"X0" } else { b"x0" }),
                _ => {}
            }
        }
        if verb == 'O' {
            reversed.extend(b"o0");
        }
        if is_negative {
            reversed.push(b'-');
        } else if self.flags.plus {
            reversed.push(b'+');
        } else if self.flags.space {
            reversed.push(b' ');
        }
        reversed.reverse();
        self.padded_with_spaces(&reversed)
    }

    // Go: fmt/format.go fmtUnicode
    fn unicode(&mut self, number: u64) -> Printed {
        let least = self.flags.precision.unwrap_or(0).max(4);
        self.budget.charge_bytes(least as u64)?;
        let digits = format!("{number:X}");
        let mut text = format!("U+{}{digits}", "0".repeat(least.saturating_sub(digits.len())));
        if self.flags.sharp
            && let Some(character) = u32::try_from(number).ok().and_then(char::from_u32)
            && is_print(character)
        {
            text.extend([" '", character.encode_utf8(&mut [0; 4]), "'"]);
        }
        self.padded_with_spaces(text.as_bytes())
    }

    // Go: fmt/print.go fmtFloat, fmt/format.go fmtFloat
    fn float(&mut self, value: &Value, number: f64, verb: char) -> Printed {
        let (format, default_precision) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return self.bad_verb(Some(value), verb),
        };
        let precision = self.flags.precision.or(default_precision);
        self.budget.charge_bytes(precision.unwrap_or(0) as u64)?;
        let formatted = float::format(number, format, precision);
        let (mut sign, mut text) = match formatted.as_bytes()[0] {
            b'-' => ('-', formatted[1..].to_owned()),
            b'+' => ('+', formatted[1..].to_owned()),
            _ => ('+', formatted),
        };
        if self.flags.space && sign == '+' && !self.flags.plus {
            sign = ' ';
        }
        if !number.is_finite() {
            let shows_sign = if number.is_nan() { self.flags.space || self.flags.plus } else { true };
            if shows_sign {
                text.insert(0, sign);
            }
            return self.padded_with_spaces(text.as_bytes());
        }
        if self.flags.sharp && format != 'b' {
            text = with_decimal_point(&text, verb, precision);
        }
        if self.flags.plus || sign != '+' {
            let length = text.len() + 1;
            if let Some(width) =
                self.flags.width.filter(|width| self.flags.zero && !self.flags.minus && *width > length)
            {
                self.write(&[sign as u8])?;
                self.padding(width - length)?;
                return self.write(text.as_bytes());
            }
            text.insert(0, sign);
        }
        self.padded(text.as_bytes())
    }

    fn pointer(&mut self, value: &Value) -> Printed {
        match value {
            value if value.is_nil() => self.address_of(value, 0, 'p'),
            Value::Map(_) | Value::List(_) | Value::Bytes(_) => self.address(value, 'p'),
            Value::Object(object) if matches!(object.kind_name(), "ptr" | "slice" | "map") => self.address(value, 'p'),
            value => self.bad_verb(Some(value), 'p'),
        }
    }

    /// An address. Go's are not repeatable, so here all are the same.
    fn address(&mut self, value: &Value, verb: char) -> Printed {
        self.address_of(value, 0xc0_0000_0000, verb)
    }

    // Go: fmt/print.go fmtPointer
    fn address_of(&mut self, value: &Value, address: u64, verb: char) -> Printed {
        match verb {
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(value, address, false, verb),
            'v' | 'p' => {
                let typed = self.flags.go_syntax && verb == 'v';
                if typed {
                    self.write(format!("({})(", value.type_name()).as_bytes())?;
                }
                let sharp = typed || !self.flags.sharp;
                let before = std::mem::replace(&mut self.flags.sharp, sharp);
                self.digits(address, 16, false, 'v')?;
                self.flags.sharp = before;
                if typed { self.write(b")") } else { Ok(()) }
            }
            verb => self.bad_verb(Some(value), verb),
        }
    }
}

/// The character of a code, U+FFFD if there is none.
fn character(code: u64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// A float as the sharp flag wants it: with a decimal point and with trailing zeros.
fn with_decimal_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let mut missing = match verb {
        'v' | 'g' | 'G' | 'x' => precision.unwrap_or(6) as i64,
        _ => 0,
    };
    let is_exponent = |character: char| {
        matches!(character, 'p' | 'P') || matches!(character, 'e' | 'E') && !matches!(verb, 'x' | 'X')
    };
    let (number, exponent) = text.split_at(text.find(is_exponent).unwrap_or(text.len()));
    let mut seen_nonzero = false;
    for digit in number.chars().filter(|character| *character != '.') {
        seen_nonzero |= digit != '0';
        if seen_nonzero {
            missing -= 1;
        }
    }
    let mut result = number.to_owned();
    if !number.contains('.') {
        if number == "0" {
            missing -= 1;
        }
        result.push('.');
    }
    result.extend(std::iter::repeat_n('0', usize::try_from(missing).unwrap_or(0)));
    result + exponent
}
