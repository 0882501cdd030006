//! sprig's float arithmetic, which is decimal: `addf 0.1 0.2` is 0.3.

use num_bigint::BigInt;
use num_traits::{Signed, Zero};

use super::numbers::to_float64;
use super::{CallError, CallResult, Context, Function, Parameter};
use crate::value::Value;

use Parameter::Any;

/// The functions of this family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "addf", parameters: &[], variadic: Some(Any), call: addf },
    Function { name: "add1f", parameters: &[Any], variadic: None, call: add1f },
    Function { name: "subf", parameters: &[Any], variadic: Some(Any), call: subf },
    Function { name: "mulf", parameters: &[Any], variadic: Some(Any), call: mulf },
    Function { name: "divf", parameters: &[Any], variadic: Some(Any), call: divf },
];

/// Decimal places of a quotient.
// shopspring/decimal: DivisionPrecision
const DIVISION_PRECISION: i32 = 16;

/// `digits` times ten to the `exponent`.
#[derive(Clone, Debug)]
struct Decimal {
    digits: BigInt,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal that reads back as this float.
    // shopspring/decimal: NewFromFloat
    fn from_float(number: f64) -> Result<Self, CallError> {
        if !number.is_finite() {
            let name = match number {
                _ if number.is_nan() => "NaN",
                _ if number > 0.0 => "+Inf",
                _ => "-Inf",
            };
            return Err(CallError::message(format!("Cannot create a Decimal from {name}")));
        }
        // Rust's exponent form holds the shortest digits: "-1.25e-7".
        let written = format!("{number:e}");
        let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
        let places = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i32);
        let digits = mantissa.replace('.', "").parse().unwrap_or_default();
        Ok(Self { digits, exponent: exponent.parse::<i32>().unwrap_or_default() - places })
    }

    fn to_float(&self) -> f64 {
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// The digits at a smaller exponent.
    fn scaled(&self, exponent: i32) -> BigInt {
        let shift = u32::try_from(self.exponent - exponent).unwrap_or_default();
        &self.digits * BigInt::from(10).pow(shift)
    }

    fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { digits: self.scaled(exponent) + other.scaled(exponent), exponent }
    }

    fn subtract(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { digits: self.scaled(exponent) - other.scaled(exponent), exponent }
    }

    fn multiply(&self, other: &Self) -> Self {
        Self { digits: &self.digits * &other.digits, exponent: self.exponent + other.exponent }
    }

    /// The quotient with [`DIVISION_PRECISION`] places, the last one rounded half away from zero.
    // shopspring/decimal: DivRound
    fn divide(&self, other: &Self) -> Result<Self, CallError> {
        if other.digits.is_zero() {
            return Err(CallError::message("decimal division by 0"));
        }
        let shift = self.exponent - other.exponent + DIVISION_PRECISION;
        let power = BigInt::from(10).pow(shift.unsigned_abs());
        let (dividend, divisor) = if shift < 0 {
            (self.digits.clone(), &other.digits * power)
        } else {
            (&self.digits * power, other.digits.clone())
        };
        let (mut digits, remainder) = (&dividend / &divisor, &dividend % &divisor);
        if remainder.abs() * 2 >= divisor.abs() {
            digits += if dividend.sign() == divisor.sign() { 1 } else { -1 };
        }
        Ok(Self { digits, exponent: -DIVISION_PRECISION })
    }
}

/// Folds the operands from `start` on, or from the first operand.
// sprig: numeric.go execDecimalOp
fn fold(
    context: &Context<'_>,
    start: Option<f64>,
    operands: &[Value],
    step: impl Fn(&Decimal, &Decimal) -> Result<Decimal, CallError>,
) -> CallResult {
    /// A quotient of the numbers that are furthest apart takes some microseconds.
    const STEPS: u64 = 64;
    let mut numbers = start.into_iter().chain(operands.iter().map(to_float64));
    let mut result = Decimal::from_float(numbers.next().unwrap_or_default())?;
    for number in numbers {
        // The intermediate results are exact and so grow with every operand.
        context.budget.charge_steps(STEPS)?;
        context.budget.charge_bytes(result.digits.bits() / 8 + 64)?;
        result = step(&result, &Decimal::from_float(number)?)?;
    }
    Ok(Value::Float64(result.to_float()))
}

fn addf(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold(context, Some(0.0), arguments, |sum, number| Ok(sum.add(number)))
}

fn add1f(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold(context, Some(1.0), arguments, |sum, number| Ok(sum.add(number)))
}

fn subf(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold(context, None, arguments, |difference, number| Ok(difference.subtract(number)))
}

fn mulf(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold(context, None, arguments, |product, number| Ok(product.multiply(number)))
}

fn divf(context: &Context<'_>, arguments: &[Value]) -> CallResult {
    fold(context, None, arguments, Decimal::divide)
}

#[cfg(test)]
mod tests {
    use crate::functions::testing::{call, message};
    use crate::value::Value;

    #[track_caller]
    fn check(name: &str, operands: &[f64], expected: f64) {
        let arguments: Vec<Value> = operands.iter().map(|&operand| Value::Float64(operand)).collect();
        match call(name, &arguments) {
            Ok(Value::Float64(result)) => assert_eq!(result.to_bits(), expected.to_bits(), "{result} {expected}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn computes_in_decimal() {
        check("addf", &[0.1, 0.2], 0.3);
        check("addf", &[], 0.0);
        check("addf", &[1e100, 1e-100], 1e100);
        check("add1f", &[1.5], 2.5);
        check("subf", &[1.0, 0.9], 0.1);
        check("mulf", &[1.1, 1.1], 1.21);
    }

    #[test]
    fn divides_to_sixteen_places() {
        check("divf", &[1.0, 3.0], 0.333_333_333_333_333_3);
        check("divf", &[-1.0, 3.0], -0.333_333_333_333_333_3);
        check("divf", &[2.0, 3.0, 7.0], 0.095_238_095_238_095_2);
        check("divf", &[1e30, 3.0], 3.333_333_333_333_333e29);
        check("divf", &[1.0, 1e20], 0.0);
        check("divf", &[10.0, 4.0], 2.5);
    }

    #[test]
    fn refuses_what_is_no_decimal() {
        let (one, zero) = (Value::Float64(1.0), Value::Float64(0.0));
        assert_eq!(message("divf", &[one.clone(), zero]), "decimal division by 0");
        assert_eq!(message("addf", &[Value::string("inf"), one]), "Cannot create a Decimal from +Inf");
    }
}
