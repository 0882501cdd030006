//! Go's texts for floating-point numbers (`strconv.FormatFloat` with precision -1).

/// The shortest digits of a finite number and its decimal exponent: the value is `0.DIGITS` times ten to `point`.
struct Decimal {
    negative: bool,
    digits: String,
    point: i32,
}

/// A text of fewer digits cannot be halfway between two that read back as the same number, a `float32` at the least.
const FEWEST_TIED_DIGITS: usize = 6;
/// More zeros than a number has between the digits of its exact form by chance.
const ZEROS_AFTER_TIE: usize = 30;

impl Decimal {
    /// Takes Rust's shortest scientific form apart, such as `-1.25e-7`.
    fn parse(scientific: &str) -> Self {
        let (negative, unsigned) = match scientific.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, scientific),
        };
        let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
        let digits = mantissa.chars().filter(|&character| character != '.').collect();
        Self { negative, digits, point: exponent.parse::<i32>().unwrap_or(0) + 1 }
    }

    /// The shortest digits that read back as the number: `shortest` in Rust's scientific form, rounded as Go does it.
    /// Where the number lies halfway between two such texts, Rust rounds up and Go to the even digit; `exact` gives the
    /// number with some digits after the point.
    fn shortest(shortest: &str, exact: impl Fn(usize) -> String) -> Self {
        let mut decimal = Self::parse(shortest);
        let odd = decimal.digits.bytes().last().is_some_and(|last| last % 2 == 1);
        if odd && decimal.digits.len() >= FEWEST_TIED_DIGITS {
            let length = decimal.digits.len();
            let exact = Self::parse(&exact(length + ZEROS_AFTER_TIE));
            let (head, tail) = exact.digits.split_at(length);
            if exact.point == decimal.point && tail.strip_prefix('5').is_some_and(|rest| !rest.contains(|c| c != '0')) {
                head.clone_into(&mut decimal.digits);
            }
        }
        decimal
    }

    fn of_f64(value: f64) -> Self {
        Self::shortest(&format!("{value:e}"), |digits| format!("{value:.digits$e}"))
    }

    fn of_f32(value: f32) -> Self {
        Self::shortest(&format!("{value:e}"), |digits| format!("{value:.digits$e}"))
    }

    /// `d.ddde±dd`, with at least two digits of exponent.
    fn exponent_form(&self) -> String {
        let mut text = self.sign();
        let (first, rest) = self.digits.split_at(1);
        text.push_str(first);
        if !rest.is_empty() {
            text.push('.');
            text.push_str(rest);
        }
        let exponent = self.point - 1;
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{text}e{sign}{:02}", exponent.unsigned_abs())
    }

    /// Decimal notation without an exponent.
    fn plain_form(&self) -> String {
        let mut text = self.sign();
        let length = i32::try_from(self.digits.len()).unwrap_or(i32::MAX);
        if self.point <= 0 {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', self.point.unsigned_abs() as usize));
            text.push_str(&self.digits);
        } else if self.point >= length {
            text.push_str(&self.digits);
            text.extend(std::iter::repeat_n('0', (self.point - length) as usize));
        } else {
            let (whole, fraction) = self.digits.split_at(self.point as usize);
            text.push_str(whole);
            text.push('.');
            text.push_str(fraction);
        }
        text
    }

    fn sign(&self) -> String {
        String::from(if self.negative { "-" } else { "" })
    }
}

/// The digits of a whole number below a limit: what almost all numbers of charts are. Not for negative zero.
fn whole(value: f64, limit: f64) -> Option<String> {
    let is_whole = value.fract() == 0.0 && value.abs() < limit && (value != 0.0 || value.is_sign_positive());
    is_whole.then(|| (value as i64).to_string())
}

/// The text of a whole number that `%v` shows without an exponent.
pub(crate) fn format_small_whole(value: f64) -> Option<String> {
    whole(value, 1e6)
}

/// Go's `%v` of a `float64`: the shortest digits, in exponent form below 1e-4 and from 1e6 on.
pub fn format_f64_general(value: f64) -> String {
    if let Some(text) = format_small_whole(value) {
        return text;
    }
    special(value).unwrap_or_else(|| general(&Decimal::of_f64(value)))
}

/// The same for the value rounded to a `float32`.
pub fn format_f32_general(value: f64) -> String {
    let value = value as f32;
    special(f64::from(value)).unwrap_or_else(|| general(&Decimal::of_f32(value)))
}

/// Go's `encoding/json` text of a `float64`: decimal from 1e-6 up to 1e21, else exponent form without a padded
/// negative exponent (`1e-7`, `1e+21`). Nothing for NaN and infinities, which JSON lacks.
pub fn format_json(value: f64) -> Option<String> {
    // All whole numbers up to here are floats.
    if let Some(text) = whole(value, 1e15) {
        return Some(text);
    }
    if !value.is_finite() {
        return None;
    }
    let decimal = Decimal::of_f64(value);
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-6..1e21).contains(&magnitude) {
        return Some(decimal.plain_form());
    }
    let text = decimal.exponent_form();
    Some(match text.strip_suffix(|last: char| last.is_ascii_digit()) {
        Some(head) if head.ends_with("e-0") => {
            format!("{}{}", &head[..head.len() - 1], &text[text.len() - 1..])
        }
        _ => text,
    })
}

/// Format `g` with the shortest digits.
fn general(decimal: &Decimal) -> String {
    let exponent = decimal.point - 1;
    if (-4..SHORTEST_PRECISION).contains(&exponent) { decimal.plain_form() } else { decimal.exponent_form() }
}

/// The precision that `strconv` assumes for format `g` when it is asked for the shortest digits.
const SHORTEST_PRECISION: i32 = 6;

fn special(value: f64) -> Option<String> {
    if value.is_nan() {
        Some("NaN".into())
    } else if value.is_infinite() {
        Some(if value > 0.0 { "+Inf".into() } else { "-Inf".into() })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_go_does() {
        // FormatFloat(v, 'g', -1, 64), FormatFloat(v, 'g', -1, 32), json.Marshal(v), printed by Go.
        let rows = [
            (0.0, "0", "0", "0"),
            (-0.0, "-0", "-0", "-0"),
            (1.0, "1", "1", "1"),
            (100_000.0, "100000", "100000", "100000"),
            (999_999.5, "999999.5", "999999.5", "999999.5"),
            (1_000_000.0, "1e+06", "1e+06", "1000000"),
            (12_345_678.9, "1.23456789e+07", "1.2345679e+07", "12345678.9"),
            (1e20, "1e+20", "1e+20", "100000000000000000000"),
            (1e21, "1e+21", "1e+21", "1e+21"),
            (0.0001, "0.0001", "0.0001", "0.0001"),
            (0.00001, "1e-05", "1e-05", "0.00001"),
            (0.000_001, "1e-06", "1e-06", "0.000001"),
            (1e-7, "1e-07", "1e-07", "1e-7"),
            (1.5e-10, "1.5e-10", "1.5e-10", "1.5e-10"),
            (1e100, "1e+100", "+Inf", "1e+100"),
            (2_226_198_738_867_850.0 + 0.25, "2.2261987388678502e+15", "2.2261987e+15", "2226198738867850.2"),
            (2_226_198_738_867_850.0 + 0.75, "2.2261987388678508e+15", "2.2261987e+15", "2226198738867850.8"),
            (16_777_218.5, "1.67772185e+07", "1.6777218e+07", "16777218.5"),
        ];
        for (value, general, single, json) in rows {
            assert_eq!(format_f64_general(value), general);
            assert_eq!(format_f32_general(value), single);
            assert_eq!(format_json(value).as_deref(), Some(json));
        }
        assert_eq!(format_json(f64::NAN), None);
        assert_eq!(format_f64_general(f64::NEG_INFINITY), "-Inf");
    }
}
