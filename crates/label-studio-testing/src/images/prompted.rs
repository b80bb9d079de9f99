//! Prompts as the fixtures of both generations of SAM hold them. Their tests include this file.

use label_studio_ml::{Value, serde_json};
use label_studio_vision::models::sam::{Click, Prompt};

/// Reads the clicks and the rectangle of a case.
pub(crate) fn prompt(case: &Value) -> Prompt {
    let clicks: Vec<(f64, f64, bool)> = case.get("clicks").map_or_else(Vec::new, |clicks| {
        serde_json::from_value(clicks.clone()).unwrap()
    });
    let clicks = clicks
        .into_iter()
        .map(|(x, y, is_positive)| Click { x, y, is_positive });
    let rectangle = case.get("rectangle");
    Prompt {
        clicks: clicks.collect(),
        rectangle: rectangle.map(|edges| serde_json::from_value(edges.clone()).unwrap()),
    }
}
