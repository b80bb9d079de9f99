//! Parsers of training settings that come from flags and environment variables.

/// Parses a finite number above 0, such as a learning rate.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_positive(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("expected a number above 0".to_owned()),
    }
}

/// Parses a finite number from 0, such as a weight decay.
///
/// # Errors
/// A sentence that says what was expected.
pub fn parse_not_negative(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("expected a number from 0".to_owned()),
    }
}
