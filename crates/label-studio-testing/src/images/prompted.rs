//! Prompts as the fixtures of both generations of SAM have them.

use serde_json::Value;

/// Reads the clicks of a case: x and y in pixels, and whether the click is positive.
///
/// # Panics
/// When the case has clicks of another form.
pub fn clicks(case: &Value) -> Vec<(f64, f64, bool)> {
    case.get("clicks").map_or_else(Vec::new, |clicks| {
        serde_json::from_value(clicks.clone()).expect("clicks are triples")
    })
}

/// Reads the edges of the rectangle of a case, if it has one.
///
/// # Panics
/// When the case has a rectangle of another form.
pub fn rectangle(case: &Value) -> Option<[f64; 4]> {
    let edges = case.get("rectangle")?;
    Some(serde_json::from_value(edges.clone()).expect("a rectangle has four edges"))
}
