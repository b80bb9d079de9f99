//! Every number as scikit-learn gives it.

use label_studio_ml::{Value, serde_json};
use sklearn_text_classifier::{Sample, TextClassifier, TfIdf, for_each_ngram};

const VECTORS: &str = include_str!("vectors/sklearn_text_classifier.json");
/// Answers of scikit-learn solved to the optimum; `fixtures/make.py` writes them.
const CORPORA: &str = include_str!("fixtures/corpora.json");
/// Distance of scikit-learn's usual answers from the optimum.
const USUAL: f64 = 1e-2;
/// Distance of scikit-learn's answers at a tolerance of 1e-10.
const OPTIMAL: f64 = 1e-4;

fn vectors(name: &str) -> Value {
    serde_json::from_str::<Value>(VECTORS).unwrap()[name].take()
}

fn strings(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Reads `[text, class]` pairs; class `i` has label `labels[i]`.
fn samples(pairs: &Value, labels: &[String]) -> Vec<Sample> {
    let pairs: Vec<(String, usize)> = serde_json::from_value(pairs.clone()).unwrap();
    let sample = |(text, class): (String, usize)| Sample {
        text,
        label: labels[class].clone(),
    };
    pairs.into_iter().map(sample).collect()
}

fn class_names(n_classes: usize) -> Vec<String> {
    (0..n_classes).map(|class| class.to_string()).collect()
}

/// Compares probabilities, and the chosen label unless the best two are as good as equal.
fn check(classifier: &TextClassifier, text: &str, expected: &[f64], tolerance: f64) {
    let probabilities = classifier.probabilities(text);
    assert_close(&probabilities, expected, tolerance, text);
    let best = expected.iter().copied().fold(0.0, f64::max);
    let is_clear = expected
        .iter()
        .filter(|p| best - *p <= 2.0 * tolerance)
        .count()
        == 1;
    if is_clear {
        let class = expected.iter().position(|p| *p >= best).unwrap();
        assert_eq!(
            classifier.classify(text).label,
            classifier.classes()[class],
            "{text}"
        );
    }
}

fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64, text: &str) {
    assert_eq!(actual.len(), expected.len(), "{text}");
    for (a, e) in actual.iter().zip(expected) {
        assert!(
            (a - e).abs() <= tolerance,
            "{text}: {actual:?} is not {expected:?}"
        );
    }
}

#[test]
fn cuts_texts_into_the_same_ngrams() {
    for case in vectors("analyzer").as_array().unwrap() {
        let mut ngrams = Vec::new();
        for_each_ngram(case["text"].as_str().unwrap(), |ngram| {
            ngrams.push(ngram.to_owned());
        });
        assert_eq!(ngrams, strings(&case["ngrams"]), "{}", case["text"]);
    }
}

#[test]
fn words_are_runs_of_letters_numbers_and_underscores() {
    let cases = [
        ("snake_case a1 c-d", "snake_case a1 c d"),
        ("Ünïcode ΟΔΟΣ 東京", "ünïcode οδος 東京"),
        ("cafe\u{301}s", "cafe s"),
        ("x² ½ Ⅳ ৩", "x² ½ ⅳ ৩"),
        ("don't 3.14", "don t 3 14"),
    ];
    for (text, expected) in cases {
        let mut ngrams = Vec::new();
        for_each_ngram(text, |ngram| ngrams.push(ngram.to_owned()));
        let tokens: Vec<_> = expected.split(' ').collect();
        assert_eq!(ngrams[..tokens.len()], tokens, "{text}");
    }
}

#[test]
fn weighs_ngrams_alike() {
    let case = vectors("tfidf");
    let docs = strings(&case["docs"]);
    let docs: Vec<_> = docs.iter().map(String::as_str).collect();
    let (tf_idf, rows) = TfIdf::fit(&docs);
    for (column, ngram) in tf_idf.vocabulary().into_iter().enumerate() {
        assert_eq!(case["vocabulary"][ngram], column, "{ngram}");
    }
    assert_eq!(
        tf_idf.vocabulary().len(),
        case["vocabulary"].as_object().unwrap().len()
    );
    assert_close(tf_idf.idf(), &numbers(&case["idf"]), 1e-12, "idf");
    let dense = |row: &[sklearn_text_classifier::Entry]| {
        let mut dense = vec![0.0; tf_idf.idf().len()];
        for entry in row {
            dense[entry.column as usize] = entry.value;
        }
        dense
    };
    for (row, expected) in rows.iter().zip(case["matrix"].as_array().unwrap()) {
        assert_close(&dense(row), &numbers(expected), 1e-12, "matrix");
    }
    for transformed in case["transform"].as_array().unwrap() {
        let text = transformed["text"].as_str().unwrap();
        assert_close(
            &dense(&tf_idf.row(text)),
            &numbers(&transformed["row"]),
            1e-12,
            text,
        );
    }
}

#[test]
fn knows_label_names_before_any_training() {
    let labels = ["Negative", "Neutral", "Positive"].map(str::to_owned);
    let blank = TextClassifier::blank(&labels, 10.0).unwrap();
    for case in vectors("blank_probabilities").as_array().unwrap() {
        check(
            &blank,
            case["text"].as_str().unwrap(),
            &numbers(&case["proba"]),
            USUAL,
        );
    }
}

#[test]
fn predicts_the_recorded_probabilities() {
    for name in ["trained", "trained_binary"] {
        let case = vectors(name);
        let labels = class_names(3);
        let samples = samples(&case["train"], &labels);
        let classifier =
            TextClassifier::train(&labels, &samples, case["C"].as_f64().unwrap(), 0).unwrap();
        for predicted in case["predict"].as_array().unwrap() {
            check(
                &classifier,
                predicted["text"].as_str().unwrap(),
                &numbers(&predicted["proba"]),
                USUAL,
            );
        }
    }
}

/// The recorded case lacks its training texts, so those of the recorded training stand in for them.
#[test]
fn a_class_without_texts_does_not_shift_the_labels() {
    let case = vectors("missing_class_bug");
    let trained = vectors("trained");
    let labels = strings(&trained["labels_sorted"]);
    let mut samples = samples(&trained["train"], &labels);
    samples.retain(|sample| sample.label != "Negative");
    let classifier = TextClassifier::train(&labels, &samples, 10.0, 0).unwrap();
    assert_eq!(classifier.classes(), ["Neutral", "Positive"]);
    assert_eq!(classifier.classify("love").label, case["correct_label"]);
}

#[test]
fn reaches_the_optimum_for_random_corpora() {
    let corpora: Value = serde_json::from_str(CORPORA).unwrap();
    for case in corpora["cases"].as_array().unwrap() {
        let labels = class_names(serde_json::from_value(case["n_classes"].clone()).unwrap());
        let samples = samples(&case["train"], &labels);
        let classifier =
            TextClassifier::train(&labels, &samples, case["c"].as_f64().unwrap(), 0).unwrap();
        for predicted in case["test"].as_array().unwrap() {
            check(
                &classifier,
                predicted[0].as_str().unwrap(),
                &numbers(&predicted[1]),
                OPTIMAL,
            );
        }
    }
}
