//! Pieces of HTML that all drawings use.

use label_studio_sdk::Region;

/// Returns a text as HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            letter => html.push(letter),
        }
    }
    html
}

/// Returns a region's score in brackets.
pub(super) fn score(region: &Region) -> String {
    region
        .score
        .map_or_else(String::new, |score| format!(" ({score:.2})"))
}

/// Returns a region's labels.
pub(super) fn label(region: &Region) -> String {
    region.labels().collect::<Vec<_>>().join(", ")
}

/// Returns a colour that is the same for a label in every page.
pub(super) fn colour(label: &str, alpha: f32) -> String {
    let hash = label.bytes().fold(7_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    format!("hsl({} 70% 45% / {alpha})", hash.wrapping_mul(47) % 360)
}
