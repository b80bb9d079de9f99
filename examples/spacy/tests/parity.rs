//! Tokens and entities are those of spaCy, with random weights.

mod support;

use label_studio_ml::Value;
use support::{check, expected, fixtures, load};

fn check_fixture(name: &str) {
    let pipeline = load(&fixtures().join(name)).unwrap();
    let expected = expected(name);
    let n_entities: usize = expected
        .iter()
        .filter_map(|case| case["entities"].as_array().map(Vec::len))
        .sum();
    assert!(n_entities > 100, "there is something to compare");
    check(&pipeline, &expected);
}

#[test]
fn english_with_norms_of_its_own() {
    check_fixture("english");
}

#[test]
fn shared_vectors_many_attributes_and_a_wide_window() {
    check_fixture("listener");
}

#[test]
fn german_with_a_classifier_of_sentences_and_without_upper_layer() {
    check_fixture("senter");
}

#[test]
fn spanish_with_vectors_of_words_and_rules_for_sentences() {
    check_fixture("vectors");
}

#[test]
fn sentences_of_two_components() {
    check_fixture("parser");
}

#[test]
fn french_with_words_that_stay_whole() {
    check_fixture("french");
}

#[test]
fn a_text_alone_has_the_entities_that_it_has_in_a_batch() {
    let pipeline = load(&fixtures().join("english")).unwrap();
    let texts: Vec<String> = expected("english")
        .iter()
        .filter_map(|case| case["text"].as_str().map(str::to_owned))
        .collect();
    let together = pipeline.find(&texts);
    for (text, together) in texts.iter().zip(together) {
        let alone = pipeline.find(std::slice::from_ref(text)).remove(0);
        let places = |found: &[label_studio_text::regions::Entity]| -> Vec<(usize, usize)> {
            found
                .iter()
                .map(|entity| (entity.start, entity.end))
                .collect()
        };
        assert_eq!(places(&alone), places(&together), "{text:?}");
    }
}

#[test]
fn scores_are_probabilities() {
    let pipeline = load(&fixtures().join("english")).unwrap();
    let texts: Vec<String> = expected("english")
        .iter()
        .filter_map(|case: &Value| case["text"].as_str().map(str::to_owned))
        .collect();
    let scores: Vec<f64> = pipeline
        .find(&texts)
        .iter()
        .flatten()
        .map(|entity| entity.score)
        .collect();
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    assert!(scores.iter().any(|score| *score < 0.9) && scores.iter().any(|score| *score > 0.5));
}
