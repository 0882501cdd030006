//! Format strings: flags, widths, precisions and argument indexes.

use crate::budget::BudgetExceeded;
use crate::functions::unicode::runes;
use crate::value::Value;

use super::verbs::{Flags, Printer};

/// Widths and precisions beyond this are refused.
// Go: fmt/print.go tooLarge
const MAX_NUMBER: i64 = 1_000_000;

fn is_too_large(number: i64) -> bool {
    !(-MAX_NUMBER..=MAX_NUMBER).contains(&number)
}

/// Reads digits from `start`. Without digits, or with too many, there is no number.
// Go: fmt/print.go parsenum
fn number(format: &[u8], start: usize) -> (Option<usize>, usize) {
    let mut value: i64 = 0;
    let mut position = start;
    while let Some(digit) = format.get(position).filter(|byte| byte.is_ascii_digit()) {
        if is_too_large(value) {
            return (None, format.len());
        }
        value = value * 10 + i64::from(digit - b'0');
        position += 1;
    }
    ((position > start).then_some(value as usize), position)
}

/// An argument taken as width or precision, if it is an integer of a sensible size.
// Go: fmt/print.go intFromArg
fn number_argument(values: &[Value], next: &mut usize) -> Option<i64> {
    let value = values.get(*next)?;
    *next += 1;
    let number = match value {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Uint64(number) => i64::try_from(*number).ok()?,
        Value::Uint8(number) => i64::from(*number),
        _ => return None,
    };
    (!is_too_large(number)).then_some(number)
}

/// The position in a format string and among the values.
struct Cursor<'f> {
    format: &'f [u8],
    position: usize,
    /// The value that the next verb takes.
    next: usize,
    count: usize,
    /// An index such as `[3]` was used somewhere.
    reordered: bool,
    /// No index of the current verb was wrong.
    is_good: bool,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.position).copied()
    }

    /// Reads an index such as `[3]`. Whether there was a good one.
    // Go: fmt/print.go argNumber, parseArgNumber
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let start = self.position + 1;
        let rest = &self.format[start..];
        let Some(length) = rest.iter().position(|byte| *byte == b']').filter(|_| rest.len() >= 2) else {
            self.is_good = false;
            self.position += 1;
            return false;
        };
        self.position = start + length + 1;
        let (index, end) = number(&self.format[..start + length], start);
        let is_number = index.is_some() && end == start + length;
        match index.and_then(|index| index.checked_sub(1)) {
            Some(index) if is_number && index < self.count => {
                self.next = index;
                true
            }
            _ => {
                self.is_good = false;
                is_number
            }
        }
    }
}

/// Go: fmt/print.go `doPrintf`.
pub(super) fn sprintf(mut printer: Printer<'_>, format: &[u8], values: &[Value]) -> Result<Vec<u8>, BudgetExceeded> {
    let mut cursor = Cursor { format, position: 0, next: 0, count: values.len(), reordered: false, is_good: true };
    while let Some(rest) = format.get(cursor.position..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().position(|byte| *byte == b'%').unwrap_or(rest.len());
        printer.write(&rest[..length])?;
        cursor.position += length;
        if cursor.position >= format.len() {
            break;
        }
        cursor.position += 1;
        cursor.is_good = true;
        printer.flags = Flags::default();
        flags(&mut cursor, &mut printer.flags);
        let after_index = cursor.index();
        let after_index = width(&mut cursor, &mut printer, values, after_index)?;
        let after_index = precision(&mut cursor, &mut printer, values, after_index)?;
        if !after_index {
            cursor.index();
        }
        let Some((verb, size)) = runes(format.get(cursor.position..).unwrap_or_default()).next() else {
            printer.write(b"%!(NOVERB)")?;
            break;
        };
        cursor.position += size;
        if verb == '%' {
            printer.write(b"%")?;
        } else if !cursor.is_good {
            printer.write(format!("%!{verb}(BADINDEX)").as_bytes())?;
        } else if let Some(value) = values.get(cursor.next) {
            if verb == 'v' || verb == 'w' {
                printer.flags.go_syntax = std::mem::take(&mut printer.flags.sharp);
                printer.flags.field_names = std::mem::take(&mut printer.flags.plus);
            }
            printer.argument(value, verb)?;
            cursor.next += 1;
        } else {
            printer.write(format!("%!{verb}(MISSING)").as_bytes())?;
        }
    }
    let unused = values.get(cursor.next..).unwrap_or_default();
    if !cursor.reordered && !unused.is_empty() {
        printer.flags = Flags::default();
        printer.write(b"%!(EXTRA ")?;
        for (index, value) in unused.iter().enumerate() {
            if index > 0 {
                printer.write(b", ")?;
            }
            if matches!(value, Value::Invalid | Value::Nil) {
                printer.write(b"<nil>")?;
            } else {
                printer.write(value.type_name().as_bytes())?;
                printer.write(b"=")?;
                printer.argument(value, 'v')?;
            }
        }
        printer.write(b")")?;
    }
    Ok(printer.output)
}

fn flags(cursor: &mut Cursor<'_>, flags: &mut Flags) {
    while let Some(byte) = cursor.peek() {
        match byte {
            b'#' => flags.sharp = true,
            b'0' => flags.zero = true,
            b'+' => flags.plus = true,
            b'-' => flags.minus = true,
            b' ' => flags.space = true,
            _ => break,
        }
        cursor.position += 1;
    }
}

fn width(
    cursor: &mut Cursor<'_>,
    printer: &mut Printer<'_>,
    values: &[Value],
    after_index: bool,
) -> Result<bool, BudgetExceeded> {
    if cursor.peek() != Some(b'*') {
        let (width, end) = number(cursor.format, cursor.position);
        cursor.position = end;
        printer.flags.width = width;
        if after_index && width.is_some() {
            cursor.is_good = false;
        }
        return Ok(after_index);
    }
    cursor.position += 1;
    match number_argument(values, &mut cursor.next) {
        Some(width) => {
            printer.flags.width = Some(width.unsigned_abs() as usize);
            if width < 0 {
                printer.flags.minus = true;
                printer.flags.zero = false;
            }
        }
        None => printer.write(b"%!(BADWIDTH)")?,
    }
    Ok(false)
}

fn precision(
    cursor: &mut Cursor<'_>,
    printer: &mut Printer<'_>,
    values: &[Value],
    after_index: bool,
) -> Result<bool, BudgetExceeded> {
    if cursor.peek() != Some(b'.') || cursor.position + 1 >= cursor.format.len() {
        return Ok(after_index);
    }
    cursor.position += 1;
    if after_index {
        cursor.is_good = false;
    }
    let after_index = cursor.index();
    if cursor.peek() != Some(b'*') {
        let (precision, end) = number(cursor.format, cursor.position);
        cursor.position = end;
        printer.flags.precision = Some(precision.unwrap_or(0));
        return Ok(after_index);
    }
    cursor.position += 1;
    printer.flags.precision =
        number_argument(values, &mut cursor.next).and_then(|precision| usize::try_from(precision).ok());
    if printer.flags.precision.is_none() {
        printer.write(b"%!(BADPREC)")?;
    }
    Ok(false)
}
