//! Numbers as Python's `repr` writes them.

use std::fmt::{self, Display, Formatter};

use serde_json::Number;

/// Exponents below and from which Python writes a number as `1e-05` and `1e+16`.
const MIN_PLAIN_EXPONENT: i32 = -4;
const MAX_PLAIN_EXPONENT: i32 = 16;

/// Writes a JSON number as Python does.
pub(super) struct JsonNumber<'a>(pub(super) &'a Number);

impl Display for JsonNumber<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.as_f64().filter(|_| self.0.is_f64()) {
            Some(number) => f.write_str(&float(number)),
            None => self.0.fmt(f),
        }
    }
}

/// Returns a number as Python's `repr` of a `float` writes it.
pub(crate) fn float(number: f64) -> String {
    if !number.is_finite() {
        return number.to_string().to_lowercase();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific
        .split_once('e')
        .expect("this format has an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a whole number");
    if (MIN_PLAIN_EXPONENT..MAX_PLAIN_EXPONENT).contains(&exponent) {
        return format!("{number:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::float;

    #[test]
    fn floats_are_written_as_in_python() {
        for (number, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (0.000_123_45, "0.00012345"),
            (0.000_012_345, "1.2345e-05"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(float(number), expected);
        }
    }
}
