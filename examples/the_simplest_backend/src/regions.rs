//! One rule per control tag.

use label_studio_ml::{Control, Region, Value, json};

/// Returns the first choice for a value that contains “good”, else the second.
pub(crate) fn choice(control: &Control, value: &Value) -> Option<Region> {
    let is_good = text(value).to_lowercase().contains("good");
    let label = match control.labels.as_slice() {
        [_, second, ..] if !is_good => second,
        labels => labels.first()?,
    };
    Some(
        control
            .region(json!({ "choices": [label] }))
            .with_score(0.75),
    )
}

/// Returns the first word, or the drawn span.
pub(crate) fn span(control: &Control, value: &Value, drawn: &Value) -> Option<Region> {
    let text = text(value);
    let first_word_len = text
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .chars()
        .count();
    let offset = |key: &str, default: usize| {
        let given = drawn.get(key).and_then(Value::as_u64);
        given
            .and_then(|offset| usize::try_from(offset).ok())
            .unwrap_or(default)
    };
    let (start, end) = (offset("start", 0), offset("end", first_word_len));
    let marked: String = text
        .chars()
        .skip(start)
        .take(end.saturating_sub(start))
        .collect();
    let label = control.labels.first()?;
    let value = json!({ "start": start, "end": end, "text": marked, "labels": [label] });
    Some(control.region(value).with_id("lab1").with_score(0.625))
}

/// Returns the value as text.
pub(crate) fn echo(control: &Control, value: &Value) -> Region {
    control
        .region(json!({ "text": [format!("echo: {}", text(value))] }))
        .with_score(0.875)
}

/// Returns a rectangle of fixed size, at a fixed position or where one was drawn.
pub(crate) fn rectangle(
    control: &Control,
    drawn: &Value,
    (width, height): (u32, u32),
) -> Option<Region> {
    let at = |key: &str, default: f64| drawn.get(key).and_then(Value::as_f64).unwrap_or(default);
    let value = json!({
        "x": at("x", 10.0),
        "y": at("y", 20.0),
        "width": 30.0,
        "height": 40.0,
        "rotation": 0,
        "rectanglelabels": [control.labels.first()?],
    });
    Some(
        control
            .region(value)
            .with_id("rect1")
            .with_image_size(width, height)
            .with_score(0.5),
    )
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
