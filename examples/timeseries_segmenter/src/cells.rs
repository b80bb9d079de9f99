//! Numbers and texts in the cells of a file.

/// Texts that stand for no value: those of pandas, in lower case.
const MISSING: [&str; 17] = [
    "", "nan", "-nan", "na", "n/a", "#n/a", "#na", "<na>", "null", "none", "nil", "-", "--", "?",
    "1.#ind", "-1.#ind", "1.#qnan",
];

/// A cell of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Missing,
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A text, which may be a number.
    Text(&'a str),
}

impl Cell<'_> {
    /// Returns the number in the cell, NaN for a gap; `None` when it holds something else.
    /// Infinite numbers are gaps.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the network calculates in single precision"
    )]
    pub fn value(self) -> Option<f32> {
        let value = match self {
            Self::Missing => f32::NAN,
            Self::Integer(number) => number as f32,
            Self::Number(number) => number as f32,
            Self::Text(text) => {
                let text = text.trim();
                match decimal(text) {
                    Some(number) => number as f32,
                    None if is_missing(text) => f32::NAN,
                    None => return None,
                }
            }
        };
        Some(if value.is_finite() { value } else { f32::NAN })
    }
}

/// Returns whether a text stands for no value.
pub fn is_missing(text: &str) -> bool {
    text.len() <= 8 && MISSING.iter().any(|known| known.eq_ignore_ascii_case(text))
}

/// Reads a number, with a point or a comma before its fraction.
pub fn decimal(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let (whole, fraction) = text.split_once(',')?;
    let is_fraction = fraction.starts_with(|c: char| c.is_ascii_digit());
    if !is_fraction || whole.contains('.') || fraction.contains(',') {
        return None;
    }
    format!("{whole}.{fraction}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Cell, decimal};

    #[test]
    fn numbers_have_points_or_commas() {
        for (text, expected) in [
            ("1", Some(1.0)),
            ("-1.5e3", Some(-1500.0)),
            ("1,5", Some(1.5)),
            ("-,5", Some(-0.5)),
            ("1,5e2", Some(150.0)),
            ("1.234,5", None),
            ("1,234,567", None),
            ("1,", None),
            ("12 kg", None),
            ("0x10", None),
        ] {
            assert_eq!(decimal(text), expected, "{text}");
        }
    }

    #[test]
    fn a_gap_is_not_a_number_and_a_text_is_an_error() {
        for text in [
            "",
            " ",
            "NaN",
            "n/a",
            "None",
            "inf",
            "-Infinity",
            "1e300",
            "-",
        ] {
            assert!(Cell::Text(text).value().unwrap().is_nan(), "{text:?}");
        }
        assert_eq!(Cell::Text("off").value(), None);
        assert_eq!(Cell::Text(" 2 ").value(), Some(2.0));
        assert_eq!(Cell::Integer(3).value(), Some(3.0));
        assert!(Cell::Number(f64::INFINITY).value().unwrap().is_nan());
    }
}
