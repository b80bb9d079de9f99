//! Spans and cleaning, by recorded cases.

use flair::{Cleaned, spans_from_tags};
use label_studio_ml::{Value, serde_json};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/flair.json")).unwrap()
}

#[test]
fn tags_become_spans() {
    for case in vectors()["spans_from_tags"].as_array().unwrap() {
        let tags: Vec<&str> = serde::Deserialize::deserialize(&case["tags"]).unwrap();
        let scores: Vec<f64> = serde_json::from_value(case["scores"].clone()).unwrap();
        let found = spans_from_tags(&tags, &scores);
        let expected = case["spans"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{case}");
        for (span, expected) in found.iter().zip(expected) {
            let tokens: Vec<usize> = (span.start..span.end).collect();
            assert_eq!(serde_json::json!(tokens), expected["tokens"], "{case}");
            assert_eq!(span.label, expected["label"], "{case}");
            let difference = span.score - expected["score"].as_f64().unwrap();
            assert!(difference.abs() < 1e-12, "{case}");
        }
    }
}

#[test]
fn zero_width_characters_go_and_offsets_stay() {
    for case in vectors()["cleaning"].as_array().unwrap() {
        let cleaned = Cleaned::new(case["text"].as_str().unwrap());
        assert_eq!(cleaned.text(), case["cleaned"], "{case}");
    }
    let cleaned = Cleaned::new("a\u{200b}b \u{80}\u{81}c");
    assert_eq!(cleaned.text(), "ab €c");
    assert_eq!(cleaned.original(0, 2), Some((0, 3)));
    assert_eq!(cleaned.original(3, 5), Some((4, 7)));
    assert_eq!(cleaned.original(4, 6), None);
}
