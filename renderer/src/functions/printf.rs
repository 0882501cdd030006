//! Go's `fmt`: how values print, alone and in format strings.

mod float;
mod format;
mod verbs;

use crate::budget::{Budget, BudgetExceeded};
use crate::value::Value;

use self::verbs::Printer;

/// The values as `print` shows them: a space between two that are not strings.
// Go: fmt.Sprint
pub(crate) fn sprint(budget: &Budget, values: &[Value]) -> Result<Vec<u8>, BudgetExceeded> {
    let mut printer = Printer::new(budget);
    let mut after_string = false;
    for (index, value) in values.iter().enumerate() {
        let is_string = matches!(value, Value::String(_));
        if index > 0 && !is_string && !after_string {
            printer.write(b" ")?;
        }
        printer.argument(value, 'v')?;
        after_string = is_string;
    }
    Ok(printer.output)
}

/// The values with spaces between them and a newline after them.
// Go: fmt.Sprintln
pub(crate) fn sprintln(budget: &Budget, values: &[Value]) -> Result<Vec<u8>, BudgetExceeded> {
    let mut printer = Printer::new(budget);
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            printer.write(b" ")?;
        }
        printer.argument(value, 'v')?;
    }
    printer.write(b"\n")?;
    Ok(printer.output)
}

/// The format string with its verbs replaced by the values.
// Go: fmt.Sprintf
pub(crate) fn sprintf(budget: &Budget, format: &[u8], values: &[Value]) -> Result<Vec<u8>, BudgetExceeded> {
    format::sprintf(Printer::new(budget), format, values)
}

/// Appends one value as `print` shows it.
pub(crate) fn append_value(output: &mut Vec<u8>, budget: &Budget, value: &Value) -> Result<(), BudgetExceeded> {
    let mut printer = Printer::new(budget);
    std::mem::swap(&mut printer.output, output);
    let result = printer.argument(value, 'v');
    std::mem::swap(&mut printer.output, output);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::value::{ElementType, List, Map, MapType};

    fn formatted(format: &str, values: &[Value]) -> String {
        let budget = Budget::new(Limits::default());
        String::from_utf8(sprintf(&budget, format.as_bytes(), values).unwrap()).unwrap()
    }

    #[test]
    fn formats_numbers() {
        let float = Value::Float64;
        for (format, value, expected) in [
            ("%5d", Value::Int(42), "   42"),
            ("%-5d|", Value::Int(42), "42   |"),
            ("%05d", Value::Int(-42), "-0042"),
            ("%+d", Value::Int64(42), "+42"),
            ("% d", Value::Int(42), " 42"),
            ("%x", Value::Int(255), "ff"),
            ("%#X", Value::Int(255), "0XFF"),
            ("%#o", Value::Int(8), "010"),
            ("%O", Value::Int(8), "0o10"),
            ("%b", Value::Int(-5), "-101"),
            ("%.5d", Value::Int(42), "00042"),
            ("%c", Value::Int(0x4e16), "世"),
            ("%q", Value::Int(39), r"'\''"),
            ("%U", Value::Int(0x1F600), "U+1F600"),
            ("%#U", Value::Int(0x2d), "U+002D '-'"),
            ("%.2f", float(2.675), "2.67"),
            ("%.0f", float(2.5), "2"),
            ("%8.3f|", float(2.345_67), "   2.346|"),
            ("%-8.1f|", float(2.345_67), "2.3     |"),
            ("%08.2f", float(-2.345_67), "-0002.35"),
            ("%+.1e", float(12_345.0), "+1.2e+04"),
            ("%g", float(1e6), "1e+06"),
            ("%g", float(123_456.0), "123456"),
            ("%.4g", float(123_456.0), "1.235e+05"),
            ("%.3g", float(0.000_012_34), "1.23e-05"),
            ("%#g", float(1.0), "1.00000"),
            ("%v", float(-0.0), "-0"),
            ("%x", float(1.0), "0x1p+00"),
            ("%.1x", float(3.99), "0x1.0p+02"),
            ("%b", float(1.0), "4503599627370496p-52"),
            ("%6.2f", float(f64::INFINITY), "  +Inf"),
            ("%v", Value::Complex128(1.0, -2.5), "(1-2.5i)"),
            ("%-05d|", Value::Int(4), "4    |"),
            ("%c", Value::Int(-1), "\u{fffd}"),
            ("%U", Value::Int(-1), "U+FFFFFFFFFFFFFFFF"),
            ("%#U", Value::Int(0x1F600), "U+1F600 '\u{1F600}'"),
            ("%#v", float(1e6), "1e+06"),
            ("%#v", Value::Uint64(5), "0x5"),
            ("%#.3x", float(1.5), "0x1.800p+00"),
            ("%e", float(0.0), "0.000000e+00"),
            ("%.3g", float(0.0), "0"),
            ("%#.3g", float(0.0), "0.00"),
            ("%G", float(1e-7), "1E-07"),
            ("%.10g", float(1e6), "1000000"),
            ("%.40f", float(0.1), "0.1000000000000000055511151231257827021182"),
            ("%10.3v|", float(2.345_67), "      2.35|"),
            ("%x", Value::Int(-255), "-ff"),
            ("%X", float(3.5), "0X1.CP+01"),
            ("%.3b", float(1.5), "6755399441055744p-52"),
            ("%08b", Value::Int(5), "00000101"),
            ("%8T|", Value::Int(1), "     int|"),
            ("%p", Value::Int(5), "%!p(int=5)"),
            ("%w", Value::Int(1), "%!w(int=1)"),
        ] {
            assert_eq!(formatted(format, &[value]), expected, "{format}");
        }
    }

    #[test]
    fn formats_other_values() {
        let list = Value::list(vec![Value::from("a b"), Value::Int(1), Value::Nil]);
        let float = Value::Float64;
        let map: Map = [("b".into(), Value::Nil), ("a".into(), Value::Int(1))].into_iter().collect();
        for (format, value, expected) in [
            ("%d", list.clone(), "[%!d(string=a b) 1 <nil>]"),
            ("%6v|", list.clone(), "[   a b      1 <nil>]|"),
            ("%.2v|", list.clone(), "[a  01 <nil>]|"),
            ("%06.1f|", Value::list(vec![float(1.0), float(-2.0)]), "[0001.0 -002.0]|"),
            ("%x", Value::list(vec![Value::from("hi"), Value::Int(255)]), "[6869 ff]"),
            ("%6v|", Value::Map(map.clone()), "map[     a:     1      b:<nil>]|"),
            ("%d", Value::Map(map.clone()), "map[%!d(string=a):1 %!d(string=b):<nil>]"),
            ("%d", Value::Bytes(b"ab"[..].into()), "[97 98]"),
            ("%05s|", Value::from("ab"), "000ab|"),
            ("%08q|", Value::from("a"), "00000\"a\"|"),
            ("% #x", Value::from("hi"), "0x68 0x69"),
            ("%08v|", Value::Nil, "000<nil>|"),
            ("%s", list.clone(), "[a b %!s(int=1) <nil>]"),
            ("%q", list.clone(), r#"["a b" '\x01' <nil>]"#),
            ("%#v", list.clone(), r#"[]interface {}{"a b", 1, interface {}(nil)}"#),
            ("%v", Value::Map(map.clone()), "map[a:1 b:<nil>]"),
            ("%#v", Value::Map(map), r#"map[string]interface {}{"a":1, "b":interface {}(nil)}"#),
            ("%#v", Value::Map(Map::nil(MapType::Any)), "map[string]interface {}(nil)"),
            ("%v", Value::List(List::nil(ElementType::Any)), "[]"),
            ("%T", list, "[]interface {}"),
            ("%T", Value::Nil, "<nil>"),
            ("%5t|", Value::Bool(true), " true|"),
            ("%x", Value::from("hi"), "6869"),
            ("% x", Value::from("hi"), "68 69"),
            ("%#x", Value::from("hi"), "0x6869"),
            ("%.2s|", Value::from("häß"), "hä|"),
            ("%5s|", Value::from("hä"), "   hä|"),
            ("%-5s|", Value::from("hä"), "hä   |"),
            ("%+q", Value::from("é"), r#""\u00e9""#),
            ("%#q", Value::from("a\"b"), "`a\"b`"),
            ("%s", Value::Bytes(b"abc"[..].into()), "abc"),
            ("%v", Value::Bytes(b"ab"[..].into()), "[97 98]"),
            ("%s", Value::Nil, "%!s(<nil>)"),
            ("%d", Value::Float64(3.0), "%!d(float64=3)"),
            ("%i", Value::Int(5), "%!i(int=5)"),
            ("%t", Value::from("x"), "%!t(string=x)"),
        ] {
            assert_eq!(formatted(format, &[value]), expected, "{format}");
        }
    }

    #[test]
    fn reports_what_is_wrong_with_a_format() {
        let one = Value::Int(1);
        let two = Value::Int(2);
        for (format, values, expected) in [
            ("%s", &[][..], "%!s(MISSING)"),
            ("%d", &[one.clone(), two.clone()], "1%!(EXTRA int=2)"),
            ("a%", &[], "a%!(NOVERB)"),
            ("%d%%", std::slice::from_ref(&one), "1%"),
            ("%[2]d %[1]d", &[one.clone(), two.clone()], "2 1"),
            ("%[3]d", &[one.clone(), two.clone()], "%!d(BADINDEX)"),
            ("%[x]d", std::slice::from_ref(&one), "%!d(BADINDEX)"),
            ("%*d", &[Value::Int(4), one.clone()], "   1"),
            ("%-*d|", &[Value::Int(4), one.clone()], "1   |"),
            ("%*d|", &[Value::Int(-4), one.clone()], "1   |"),
            ("%*d", &[Value::from("x"), one.clone()], "%!(BADWIDTH)1"),
            ("%.*f", &[Value::Int(1), Value::Float64(2.25)], "2.2"),
            ("%.*f", &[Value::from("x"), Value::Float64(2.5)], "%!(BADPREC)2.500000"),
            ("%[1]*d", std::slice::from_ref(&two), "%!d(MISSING)"),
            ("%[2]*[1]d|", &[Value::Int(3), Value::Int(5)], "    3|"),
            ("%[1]d %d", &[one.clone(), two.clone()], "1 2"),
            ("%d %s", std::slice::from_ref(&one), "1 %!s(MISSING)"),
            ("%", std::slice::from_ref(&one), "%!(NOVERB)%!(EXTRA int=1)"),
            ("%é", std::slice::from_ref(&one), "%!é(int=1)"),
            ("%!", &[], "%!!(MISSING)"),
        ] {
            assert_eq!(formatted(format, values), expected, "{format}");
        }
    }
}
