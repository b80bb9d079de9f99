//! Captions, sizes and boxes as in the original.

use label_studio_ml::{Value, serde_json};
use label_studio_vision::boxes::from_centre;
use label_studio_vision::models::grounding_dino::{Detection, Prompt, caption, resized};

fn vectors(name: &str) -> Vec<Value> {
    let json = include_str!("vectors/grounding_dino.json");
    let mut vectors: Value = serde_json::from_str(json).unwrap();
    serde_json::from_value(vectors[name].take()).unwrap()
}

#[test]
fn captions_are_in_lower_case_and_end_in_a_full_stop() {
    for case in vectors("caption") {
        let (typed, expected) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        assert_eq!(caption(typed), expected);
        assert_eq!(Prompt::new(typed, &[]).unwrap().caption, expected);
    }
}

#[test]
fn images_get_the_size_that_the_model_was_trained_with() {
    for case in vectors("resize_shortest_800_max_1333_hw") {
        let size = |idx: usize| {
            let side = |axis: usize| u32::try_from(case[idx][axis].as_u64().unwrap()).unwrap();
            (side(1), side(0))
        };
        assert_eq!(resized(size(0)), size(1), "{case}");
    }
}

#[test]
fn boxes_become_percentages() {
    for case in vectors("box_to_value") {
        let numbers =
            |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
        let size: (u32, u32) = serde_json::from_value(case["wh"].clone()).unwrap();
        let detection = Detection {
            bounds: from_centre(numbers(&case["cxcywh"]).try_into().unwrap()),
            score: 0.5,
            phrase: None,
            words: String::new(),
        };
        let found = detection.percent(size);
        let expected = &case["value"];
        for (key, found) in [
            ("x", found.x),
            ("y", found.y),
            ("width", found.width),
            ("height", found.height),
        ] {
            assert!(
                (found - expected[key].as_f64().unwrap()).abs() < 1e-12,
                "{key} {found} {case}"
            );
        }
    }
}

/// What is typed, the caption, and the phrases with their labels.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, Option<&'a str>)]);

#[test]
fn a_label_may_stand_behind_a_phrase() {
    let labels = ["cats", "house", "red_car"].map(str::to_owned);
    let cases: [Case; 8] = [
        (
            "brown cat_cats",
            "brown cat.",
            &[("brown cat", Some("cats"))],
        ),
        (
            "traffic_light",
            "traffic_light.",
            &[("traffic_light", None)],
        ),
        (
            "Cat _ cats . big House",
            "cat. big house.",
            &[("cat", Some("cats")), ("big house", None)],
        ),
        ("a_b_red_car", "a_b.", &[("a_b", Some("red_car"))]),
        ("_cats", "_cats.", &[("_cats", None)]),
        ("cat? dog.", "cat? dog.", &[("cat", None), ("dog", None)]),
        (
            " . cat..dog . ",
            ". cat..dog .",
            &[("cat", None), ("dog", None)],
        ),
        (
            "ein Ärgernis_house",
            "ein ärgernis.",
            &[("ein ärgernis", Some("house"))],
        ),
    ];
    for (typed, caption, phrases) in cases {
        let prompt = Prompt::new(typed, &labels).unwrap();
        assert_eq!(prompt.caption, caption, "{typed}");
        let found: Vec<_> = prompt
            .phrases
            .iter()
            .map(|phrase| (phrase.text.as_str(), phrase.label.as_deref()))
            .collect();
        assert_eq!(found, phrases, "{typed}");
    }
    for typed in ["", "  ", ".", "? . !", "\n"] {
        assert_eq!(Prompt::new(typed, &labels), None, "{typed:?}");
    }
}
