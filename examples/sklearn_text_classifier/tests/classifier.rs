//! The classifier and its storage, apart from scikit-learn's numbers.

use std::fs;

use label_studio_ml::{Value, serde_json};
use sklearn_text_classifier::{Sample, Storage, TextClassifier};

fn sample(text: &str, label: &str) -> Sample {
    Sample {
        text: text.to_owned(),
        label: label.to_owned(),
    }
}

fn labels(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn trained() -> TextClassifier {
    let samples = [
        sample("spam offer", "spam"),
        sample("lunch at noon", "ham"),
        sample("win money", "spam"),
    ];
    TextClassifier::train(
        &labels(&["spam", "ham", "eggs"]),
        &samples,
        10.0,
        1_700_000_000,
    )
    .unwrap()
}

#[test]
fn refuses_what_cannot_be_learnt() {
    let known = labels(&["a", "b"]);
    let cases = [
        (
            vec![],
            10.0,
            "at least two different labels, and there are 0 texts",
        ),
        (
            vec![sample("x", "a"), sample("y", "a")],
            10.0,
            "2 texts of \"a\" alone",
        ),
        (
            vec![sample("x", "a"), sample("y", "c")],
            10.0,
            "label \"c\" is not in the label config",
        ),
        (
            vec![sample("x", "a"), sample("y", "b")],
            0.0,
            "not a positive number",
        ),
    ];
    for (samples, c, reason) in cases {
        let error = TextClassifier::train(&known, &samples, c, 0)
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert!(TextClassifier::blank(&labels(&["alone"]), 10.0).is_err());
}

#[test]
fn texts_without_words_are_no_obstacle() {
    let samples = [sample("!", "a"), sample("", "b"), sample("?", "b")];
    let classifier = TextClassifier::train(&labels(&["a", "b"]), &samples, 10.0, 0).unwrap();
    let guess = classifier.classify("anything");
    assert_eq!(guess.label, "b");
    assert!((guess.score - 2.0 / 3.0).abs() < 1e-6, "{guess:?}");
    assert!(
        (TextClassifier::blank(&labels(&["+", "-"]), 10.0)
            .unwrap()
            .classify("+")
            .score
            - 0.5)
            .abs()
            < 1e-9
    );
}

#[test]
fn the_first_of_equal_labels_wins() {
    let blank = TextClassifier::blank(&labels(&["d", "c", "b", "a"]), 10.0).unwrap();
    assert_eq!(blank.classify("zzz").label, "a");
}

#[test]
fn predicts_the_same_after_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::new(folder.path());
    assert!(storage.load("1").unwrap().is_none());
    let classifier = trained();
    storage.save("1", &classifier).unwrap();
    let loaded = storage.load("1").unwrap().unwrap();
    for text in ["spam at noon", "money", "nothing known"] {
        let (before, after) = (classifier.probabilities(text), loaded.probabilities(text));
        assert!(
            before
                .iter()
                .zip(&after)
                .all(|(a, b)| (a - b).abs() < 1e-12),
            "{before:?} {after:?}"
        );
    }
    assert_eq!(loaded.labels(), ["eggs", "ham", "spam"]);
    assert_eq!(loaded.classes(), ["ham", "spam"]);
    assert_eq!(loaded.n_samples(), 3);
    assert!(
        storage.load("2").unwrap().is_none(),
        "projects are separate"
    );
}

#[test]
fn stores_json_that_others_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::new(folder.path());
    storage.save("1", &trained()).unwrap();
    let document: Value = serde_json::from_slice(&fs::read(storage.path("1")).unwrap()).unwrap();
    let keys: Vec<_> = document
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "C",
        "classes",
        "idf",
        "intercepts",
        "labels",
        "n_samples",
        "trained_at",
        "vocabulary",
        "weights",
    ];
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(document["trained_at"], 1_700_000_000);
    assert_eq!(
        document["weights"].as_array().unwrap().len(),
        document["vocabulary"].as_array().unwrap().len()
    );
}

#[test]
fn saving_replaces_the_file_and_leaves_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::new(folder.path());
    storage.save("1", &trained()).unwrap();
    storage
        .save(
            "1",
            &TextClassifier::blank(&labels(&["x", "y"]), 1.0).unwrap(),
        )
        .unwrap();
    assert_eq!(storage.load("1").unwrap().unwrap().labels(), ["x", "y"]);
    let folder = storage.path("1").parent().unwrap().to_owned();
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
}

#[test]
fn no_project_id_leaves_the_folder() {
    let storage = Storage::new("models".as_ref());
    let folder = storage.path("1").parent().unwrap().to_owned();
    for id in ["../../etc/passwd", "..", "", "a/b", "C:\\x", "é"] {
        let path = storage.path(id);
        assert_eq!(path.parent().unwrap(), folder, "{id}");
        assert_ne!(path, storage.path("1"), "{id}");
    }
    assert_ne!(storage.path("a/b"), storage.path("a_b"));
}

#[test]
fn says_which_file_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::new(folder.path());
    storage.save("1", &trained()).unwrap();
    let mut document: Value =
        serde_json::from_slice(&fs::read(storage.path("1")).unwrap()).unwrap();
    document["weights"].as_array_mut().unwrap().pop();
    for broken in ["{", "{}", &document.to_string()] {
        fs::write(storage.path("1"), broken).unwrap();
        let error = storage.load("1").unwrap_err().to_string();
        assert!(
            error.contains("1.json is not a trained classifier"),
            "{error}"
        );
    }
}
