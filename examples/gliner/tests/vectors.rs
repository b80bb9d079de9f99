//! Recorded answers of the original and its library.

use gliner::{Controls, Found, word_span};
use label_studio_ml::{LabelConfig, Prediction, Value, json, serde_json};
use label_studio_text::spans::{Beside, WordSpan, best_spans, words};

const LABEL_CONFIG: &str = r#"<View><Labels name="label" toName="text">
    <Label value="Medication/Vaccine"/><Label value="Symptom"/></Labels>
    <Text name="text" value="$text"/></View>"#;

fn cases(name: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/gliner.json")).unwrap();
    vectors[name].as_array().unwrap().clone()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn texts_are_split_into_the_words_of_the_library() {
    for case in cases("word_splitter") {
        let text = case["text"].as_str().unwrap();
        let found: Vec<_> = words(text)
            .iter()
            .map(|word| json!([word.text, word.start, word.end]))
            .collect();
        assert_eq!(Value::Array(found), case["words"], "{text:?}");
    }
}

#[test]
fn the_best_spans_are_those_of_the_greedy_search() {
    for case in cases("greedy_flat") {
        let names = ["A", "B"];
        let spans = case["spans_start_end_inclusive_label_score"].as_array();
        let span = |span: &Value| WordSpan {
            start: number(&span[0]),
            last: number(&span[1]),
            label: names.iter().position(|name| span[2] == *name).unwrap(),
            score: span[3].as_f64().unwrap(),
        };
        let kept = best_spans(spans.unwrap().iter().map(span).collect(), Beside::default());
        let kept: Vec<_> = kept
            .iter()
            .map(|span| json!([span.start, span.last, names[span.label], span.score]))
            .collect();
        assert_eq!(Value::Array(kept), case["kept"], "{case}");
    }
}

#[test]
fn characters_become_inclusive_words() {
    for case in cases("char_to_token_span") {
        let mut start = 0;
        let bounds = case["tokens"].as_array().unwrap().iter().map(|token| {
            let end = start + token.as_str().unwrap().chars().count();
            let bounds = (start, end);
            start = end + 1;
            bounds
        });
        let chars = (number(&case["char_start"]), number(&case["char_end"]));
        let (first, last) = word_span(bounds.collect::<Vec<_>>(), chars).unwrap();
        assert_eq!(
            json!([first, last]),
            case["gliner_expects_inclusive"],
            "{case}"
        );
    }
    assert_eq!(word_span([(0, 2), (3, 5)], (2, 3)), None, "only a space");
}

#[test]
fn entities_become_the_originals_regions() {
    let label_config = LabelConfig::parse(LABEL_CONFIG).unwrap();
    let controls = Controls::find(&label_config).unwrap();
    let asked = &controls.asked[0];
    for case in cases("convert") {
        let found = case["entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entity| Found {
                label: asked
                    .names()
                    .iter()
                    .position(|name| entity["label"] == *name)
                    .unwrap(),
                start: number(&entity["start"]),
                end: number(&entity["end"]),
                text: entity["text"].as_str().unwrap().to_owned(),
                score: entity["score"].as_f64().unwrap(),
            });
        let regions = asked.regions(controls.object, &found.collect::<Vec<_>>());
        let prediction = serde_json::to_value(Prediction::new(regions)).unwrap();
        assert_eq!(prediction["result"], case["prediction"]["result"], "{case}");
    }
}
