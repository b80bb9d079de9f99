//! Boxes: overlap, rotation, suppression.

#![expect(clippy::float_cmp, reason = "results are exact")]

use label_studio_vision::boxes::{
    RotatedBox, Suppression, Suppressors, clip, from_centre, iou, to_centre,
};
use serde_json::Value;

#[test]
fn overlap_is_intersection_over_union() {
    for (a, b, expected) in [
        ([0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 10.0], 1.0),
        ([0.0, 0.0, 10.0, 10.0], [5.0, 0.0, 15.0, 10.0], 1.0 / 3.0),
        ([0.0, 0.0, 10.0, 10.0], [10.0, 0.0, 20.0, 10.0], 0.0),
        ([0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], 0.0),
        ([10.0, 10.0, 0.0, 0.0], [0.0, 0.0, 10.0, 10.0], 0.0),
    ] {
        assert!((iou(a, b) - expected).abs() < 1e-12, "{a:?} {b:?}");
    }
    assert_eq!(
        from_centre(to_centre([1.0, 2.0, 5.0, 8.0])),
        [1.0, 2.0, 5.0, 8.0]
    );
    assert_eq!(
        clip([-1.0, 2.0, 50.0, 80.0], (40, 60)),
        [0.0, 2.0, 40.0, 60.0]
    );
}

#[test]
fn suppression_keeps_the_best_of_each_class() {
    let boxes = [
        [0.0, 0.0, 10.0, 10.0],
        [0.0, 0.0, 10.0, 9.0],
        [0.0, 0.0, 10.0, 9.5],
        [30.0, 30.0, 40.0, 40.0],
    ];
    let (scores, classes) = ([0.5, 0.9, 0.7, 0.6], [0, 0, 1, 0]);
    let check = |suppression: Suppression, expected: &[usize]| {
        assert_eq!(
            suppression.keep(&boxes, &scores, &classes),
            expected,
            "{suppression:?}"
        );
    };
    let default = Suppression::default();
    check(default, &[1, 2, 3]);
    check(
        Suppression {
            is_agnostic: true,
            ..default
        },
        &[1, 3],
    );
    check(
        Suppression {
            max_kept: 2,
            ..default
        },
        &[1, 2],
    );
    check(
        Suppression {
            max_candidates: 1,
            ..default
        },
        &[1],
    );
    check(
        Suppression {
            max_overlap: 0.95,
            ..default
        },
        &[1, 2, 3, 0],
    );
    assert!(default.keep::<[f64; 4]>(&[], &[], &[]).is_empty());
}

#[test]
fn suppressed_boxes_suppress_only_where_asked_for() {
    let boxes = [0.0, 3.0, 6.0].map(|x| [x, 0.0, x + 10.0, 10.0]);
    let keep = |suppressors| {
        let suppression = Suppression {
            suppressors,
            max_overlap: 0.5,
            ..Suppression::default()
        };
        suppression.keep(&boxes, &[0.9, 0.8, 0.7], &[0; 3])
    };
    assert_eq!(keep(Suppressors::Kept), [0, 2]);
    assert_eq!(keep(Suppressors::All), [0]);
}

fn rotated(numbers: &Value) -> RotatedBox {
    let number = |idx: usize| numbers[idx].as_f64().unwrap();
    RotatedBox {
        x: number(0),
        y: number(1),
        width: number(2),
        height: number(3),
        angle: number(4),
    }
}

#[test]
fn rotated_boxes_are_those_of_ultralytics() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/rotated_boxes.json")).unwrap();
    for case in vectors["regularize_xywhr"].as_array().unwrap() {
        let (actual, expected) = (rotated(&case["in"]).regularised(), rotated(&case["out"]));
        assert_eq!(
            (actual.width, actual.height),
            (expected.width, expected.height),
            "{case}"
        );
        assert!((actual.angle - expected.angle).abs() < 1e-12, "{case}");
    }
    for case in vectors["corners"].as_array().unwrap() {
        for (actual, expected) in rotated(&case["xywhr"])
            .corners()
            .iter()
            .zip(case["corners"].as_array().unwrap())
        {
            for (actual, expected) in actual.iter().zip(expected.as_array().unwrap()) {
                assert!((actual - expected.as_f64().unwrap()).abs() < 1e-9, "{case}");
            }
        }
    }
    for case in vectors["prob_iou"].as_array().unwrap() {
        let actual = rotated(&case["a"]).prob_iou(&rotated(&case["b"]));
        assert!(
            (actual - case["overlap"].as_f64().unwrap()).abs() < 1e-4,
            "{actual} {case}"
        );
    }
}
