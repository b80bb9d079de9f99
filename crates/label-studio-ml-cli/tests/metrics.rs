//! The metrics, compared with what scikit-learn, seqeval, pycocotools and jiwer make of the same random data:
//! `fixtures/metrics.json`, which `fixtures/metrics.py` has recorded.

use label_studio_ml_cli::metrics::{
    Detection, DetectionTask, EditCounts, LabelCounts, PixelBox, Span, average_precision,
    bootstrap, character_edits, confusion, exact_counts, mask_iou, mean, mean_absolute_error,
    object_keypoint_similarity, overlap_counts, polygon_mask, segment_counts, word_edits,
};
use serde::Deserialize;
use serde_json::Value;

fn recorded(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("fixtures/metrics.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

fn read<T: for<'a> Deserialize<'a>>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn check(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() < 1e-9,
        "{what}: {found} and not {expected}"
    );
}

#[test]
fn choices_as_scikit_learn() {
    for case in recorded("choices") {
        let (expected, predicted): (Vec<Vec<String>>, Vec<Vec<String>>) =
            (read(&case["expected"]), read(&case["predicted"]));
        let pairs = expected.iter().zip(&predicted);
        let counts = LabelCounts::of_choices(pairs.map(|(t, p)| (t.as_slice(), p.as_slice())));
        check(counts.accuracy(), &case["accuracy"], "accuracy");
        check(counts.micro().f1(), &case["micro_f1"], "micro");
        check(counts.macro_f1(), &case["macro_f1"], "macro");
        check(counts.weighted_f1(), &case["weighted_f1"], "weighted");
        let labels: Vec<String> = read(&case["labels"]);
        assert!(counts.labels.keys().eq(&labels));
        for (idx, label) in labels.iter().enumerate() {
            let counts = counts.label(label);
            check(counts.precision(), &case["precision"][idx], label);
            check(counts.recall(), &case["recall"][idx], label);
            check(counts.f1(), &case["f1"][idx], label);
            let support = u32::try_from(counts.support()).unwrap();
            check(support.into(), &case["support"][idx], label);
        }
        if case.get("confusion").is_some() {
            let labels: Vec<_> = labels.iter().map(String::as_str).collect();
            let pairs = expected.iter().zip(&predicted);
            let pairs = pairs.map(|(t, p)| (t[0].as_str(), p[0].as_str()));
            let expected: Vec<Vec<usize>> = read(&case["confusion"]);
            assert_eq!(confusion(&labels, pairs), expected);
        }
    }
}

fn spans(value: &Value) -> Vec<Vec<Span>> {
    let rows: Vec<Vec<(f64, f64, String)>> = read(value);
    let span = |(start, end, label)| Span { start, end, label };
    rows.into_iter()
        .map(|row| row.into_iter().map(span).collect())
        .collect()
}

/// Counts all texts together.
fn together(case: &Value, counts: impl Fn(&[Span], &[Span]) -> LabelCounts) -> LabelCounts {
    let mut all = LabelCounts::default();
    for (expected, predicted) in spans(&case["expected"])
        .iter()
        .zip(spans(&case["predicted"]))
    {
        for (label, counts) in &counts(expected, &predicted).labels {
            all.add(label, *counts);
        }
    }
    all
}

#[test]
fn spans_as_seqeval() {
    for case in recorded("spans") {
        let all = together(&case, exact_counts);
        let scores = case["scores"].as_object().unwrap();
        for (name, scores) in scores {
            let counts = match name.as_str() {
                "micro avg" => all.micro(),
                "macro avg" => {
                    check(all.macro_f1(), &scores["f1-score"], name);
                    continue;
                }
                "weighted avg" => {
                    check(all.weighted_f1(), &scores["f1-score"], name);
                    continue;
                }
                label => all.label(label),
            };
            check(counts.precision(), &scores["precision"], name);
            check(counts.recall(), &scores["recall"], name);
            check(counts.f1(), &scores["f1-score"], name);
        }
        let touching = together(&case, overlap_counts).micro();
        assert!(
            touching.f1() >= all.micro().f1(),
            "what is exact overlaps, too"
        );
    }
}

#[test]
fn segments_are_matched_one_to_one() {
    for case in recorded("segments") {
        let counts = together(&case, |one, other| segment_counts(one, other, 0.5));
        check(counts.micro().f1(), &case["f1"], "f1");
    }
}

#[test]
fn boxes_as_pycocotools() {
    let detection = |(label, [x, y, width, height], score): (i64, [f64; 4], f64)| Detection {
        label: label.to_string(),
        area: PixelBox {
            x,
            y,
            width,
            height,
        },
        score,
    };
    for case in recorded("boxes") {
        let images = case["images"].as_array().unwrap().iter().map(|image| {
            let expected: Vec<(i64, [f64; 4])> = read(&image["expected"]);
            let predicted: Vec<(i64, [f64; 4], f64)> = read(&image["predicted"]);
            let expected = expected.into_iter();
            DetectionTask {
                expected: expected
                    .map(|(label, area)| detection((label, area, 0.0)))
                    .collect(),
                predicted: predicted.into_iter().map(detection).collect(),
            }
        });
        let images: Vec<_> = images.collect();
        let found = average_precision(&images).unwrap();
        check(found.ap50, &case["ap50"], "AP50");
        check(found.ap50_95, &case["ap50_95"], "AP50-95");
    }
    assert_eq!(average_precision(&[DetectionTask::default()]), None);
}

#[test]
fn masks_as_pycocotools() {
    for case in recorded("masks") {
        let (expected, predicted): (Vec<u8>, Vec<u8>) =
            (read(&case["expected"]), read(&case["predicted"]));
        check(mask_iou(&expected, &predicted), &case["iou"], "IoU");
    }
    let square = [(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)];
    let painted = polygon_mask(&square, 4, 4)
        .iter()
        .filter(|pixel| **pixel > 0)
        .count();
    assert_eq!(painted, 4);
}

#[test]
fn key_points_as_pycocotools() {
    for case in recorded("key_points") {
        let points = |side: &str| read::<Vec<(f64, f64)>>(&case[side]);
        let (expected, predicted) = (points("expected"), points("predicted"));
        let sigmas: Vec<f64> = read(&case["sigmas"]);
        let area = case["area"].as_f64().unwrap();
        let found = object_keypoint_similarity(&expected, &predicted, area, &sigmas);
        check(found, &case["oks"], "OKS");
    }
}

#[test]
fn texts_as_jiwer() {
    for case in recorded("texts") {
        let (expected, predicted): (Vec<String>, Vec<String>) =
            (read(&case["expected"]), read(&case["predicted"]));
        let sum = |edits: fn(&str, &str) -> EditCounts| {
            let pairs = expected.iter().zip(&predicted);
            let counts = pairs.map(|(one, other)| edits(one, other));
            counts.fold(EditCounts::default(), EditCounts::plus)
        };
        check(sum(word_edits).rate(), &case["wer"], "WER");
        check(sum(character_edits).rate(), &case["cer"], "CER");
    }
}

#[test]
fn numbers_as_scikit_learn() {
    for case in recorded("numbers") {
        let (expected, predicted): (Vec<f64>, Vec<f64>) =
            (read(&case["expected"]), read(&case["predicted"]));
        let pairs: Vec<_> = expected.into_iter().zip(predicted).collect();
        check(mean_absolute_error(&pairs), &case["mae"], "MAE");
    }
}

#[test]
fn intervals_hold_the_value_and_are_the_same_each_time() {
    let values: Vec<f64> = (0..200).map(|idx| f64::from(idx % 10)).collect();
    let metric =
        |drawn: &[&f64]| Some(mean(&drawn.iter().map(|value| **value).collect::<Vec<_>>()));
    let interval = bootstrap(&values, 500, metric).unwrap();
    assert!((interval.value - 4.5).abs() < 1e-12);
    // The standard error of the mean is 0.203, and 1.96 times it is 0.398.
    assert!(
        (interval.low - 4.1).abs() < 0.06 && (interval.high - 4.9).abs() < 0.06,
        "{interval:?}"
    );
    assert_eq!(bootstrap(&values, 500, metric), Some(interval));
    assert_eq!(bootstrap(&values, 10, |_: &[&f64]| None), None);
}
