//! Recorded requests of Label Studio and the answers of the Python original.

use interactive_substring_matching::{Exclude, InteractiveSubstringMatching, ScoreMode};
use label_studio_ml::{Value, json, serde_json, testing::TestClient};

const VECTORS: &str = include_str!("vectors/interactive_substring_matching.json");
/// What the recorded answers hold in place of an id.
const ANY_ID: &str = "<4 hex chars>";
/// Cases that record a defect of the original, and what is answered instead.
const DEFECTS: [(&str, &str); 4] = [
    (
        "regex_metachar",
        "the keyword is a literal, so `a.b` does not match `axb`",
    ),
    (
        "empty_text",
        "an empty text gets an empty prediction, so that every task has one",
    ),
    (
        "unicode_shift",
        "offsets refer to the text, not to its lower-cased copy",
    ),
    ("missing_text_in_context", "the offsets tell the keyword"),
];

fn cases() -> Vec<Value> {
    let mut vectors: Value = serde_json::from_str(VECTORS).unwrap();
    serde_json::from_value(vectors["cases"].take()).unwrap()
}

fn post(case: &Value) -> (u16, Value) {
    let as_the_original = InteractiveSubstringMatching {
        score: ScoreMode::Lowered,
        exclude: Exclude::Nothing,
        ..InteractiveSubstringMatching::default()
    };
    TestClient::new(as_the_original).post("/predict", &case["request"])
}

/// Answers a case and replaces each id by its placeholder.
fn answer(name: &str) -> Value {
    let cases = cases();
    let case = cases.iter().find(|case| case["name"] == name).unwrap();
    let (status, mut answer) = post(case);
    assert_eq!(status, 200, "{name}: {answer}");
    for prediction in answer["results"].as_array_mut().unwrap() {
        for region in prediction["result"].as_array_mut().unwrap() {
            assert_eq!(
                region["id"].as_str().map(str::len),
                Some(36),
                "{name}: an id is a UUID"
            );
            region["id"] = ANY_ID.into();
        }
    }
    answer
}

#[test]
fn answers_as_recorded() {
    let mut n_checked = 0;
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        if DEFECTS.iter().any(|(defect, _)| *defect == name) {
            continue;
        }
        assert_eq!(answer(name), case["response"], "{name}");
        n_checked += 1;
    }
    assert_eq!(
        n_checked + DEFECTS.len(),
        cases().len(),
        "every named defect is a case"
    );
}

#[test]
fn takes_the_keyword_literally() {
    let answer = answer("regex_metachar");
    let starts: Vec<_> = regions(&answer)
        .iter()
        .map(|region| &region["value"]["start"])
        .collect();
    assert_eq!(starts, [0, 8]);
}

#[test]
fn gives_an_empty_text_an_empty_prediction() {
    let expected = json!([{ "model_version": "InteractiveSubstringMatching-v0.0.1", "result": [], "score": 0.0 }]);
    assert_eq!(answer("empty_text")["results"], expected);
}

#[test]
fn counts_offsets_in_the_original_text() {
    let answer = answer("unicode_shift");
    assert_eq!(
        regions(&answer)[0]["value"],
        json!({ "start": 9, "end": 14, "text": "Apple", "labels": ["ORG"] })
    );
    assert_eq!(regions(&answer)[0]["score"], 0.8);
}

#[test]
fn takes_the_keyword_from_the_task_when_the_region_has_no_text() {
    let answer = answer("missing_text_in_context");
    let value = &regions(&answer)[0]["value"];
    assert_eq!(
        value,
        &json!({ "start": 0, "end": 2, "text": "Ap", "labels": ["ORG"] })
    );
}

fn regions(answer: &Value) -> &Vec<Value> {
    answer["results"][0]["result"].as_array().unwrap()
}
