//! Video keyframes: one box per frame, within limits.

use label_studio_sdk::video::{KeyframeError, MAX_FRAMES, expand_keyframes};
use serde_json::{Value, json};

fn keyframe(frame: i64, x: f64, time: f64) -> Value {
    json!({ "frame": frame, "x": x, "y": 0, "width": 10, "height": 10, "rotation": 0, "time": time, "enabled": true })
}

fn region(frames_count: i64, sequence: &[Value]) -> Value {
    let value = json!({ "framesCount": frames_count, "duration": 4, "sequence": sequence });
    json!({ "id": "a", "type": "videorectangle", "from_name": "box", "to_name": "video", "value": value })
}

/// The wanted field of each frame of the only region.
fn column(region: Value, field: &str) -> Vec<Value> {
    let expanded = expand_keyframes(&[region], MAX_FRAMES).unwrap();
    let sequence = expanded[0]["value"]["sequence"].as_array().unwrap();
    sequence.iter().map(|frame| frame[field].clone()).collect()
}

#[test]
fn expands_the_reference_vectors() {
    for vectors in [
        include_str!("../../../vectors/core_video_keyframes.json"),
        include_str!("../../../vectors/own_video_keyframes.json"),
    ] {
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let expanded = expand_keyframes(vectors["input"].as_array().unwrap(), MAX_FRAMES).unwrap();
        assert_eq!(Value::from(expanded), vectors["output"]);
    }
}

#[test]
fn sorts_keyframes() {
    let unsorted = region(3, &[keyframe(3, 20.0, 3.0), keyframe(1, 0.0, 1.0)]);
    assert_eq!(column(unsorted.clone(), "frame"), [1, 2, 3]);
    assert_eq!(column(unsorted, "x"), [0.0, 10.0, 20.0]);
}

#[test]
fn rounds_times_to_two_digits_with_ties_to_even() {
    let times = |start: f64, end: f64| {
        column(
            region(3, &[keyframe(1, 0.0, start), keyframe(3, 0.0, end)]),
            "time",
        )[1]
        .clone()
    };
    assert_eq!(times(0.0, 0.25), 0.12);
    assert_eq!(times(0.25, 0.5), 0.38);
    assert_eq!(times(0.0, 0.67), 0.34);
}

#[test]
fn inserts_nothing_after_a_disabled_keyframe() {
    let mut hidden = keyframe(1, 0.0, 1.0);
    hidden["enabled"] = json!(false);
    assert_eq!(
        column(region(9, &[hidden, keyframe(4, 9.0, 4.0)]), "frame"),
        [1, 4, 5, 6, 7, 8, 9]
    );
}

#[test]
fn keeps_the_time_between_keyframes_of_one_time() {
    // The reference runs the time towards the end of the video here, so that it jumps back at the next keyframe.
    let standing = region(3, &[keyframe(1, 0.0, 1.0), keyframe(3, 8.0, 1.0)]);
    assert_eq!(column(standing, "time"), [1.0, 1.0, 1.0]);
}

#[test]
fn keeps_unknown_fields_and_reads_keyframes_without_optional_ones() {
    let sparse = json!({ "frame": 1, "x": 5, "by": "tracker" });
    let expanded = column(region(2, &[sparse]), "by");
    assert_eq!(expanded, ["tracker", "tracker"]);
}

#[test]
fn ignores_keyframes_after_the_end() {
    assert_eq!(column(region(2, &[keyframe(7, 0.0, 1.0)]), "frame"), [7]);
    assert_eq!(
        column(
            region(-5, &[keyframe(7, 0.0, 1.0), keyframe(7, 1.0, 1.0)]),
            "frame"
        ),
        [7, 7]
    );
}

#[test]
fn refuses_more_frames_than_allowed() {
    let refused = |region: Value, max_frames| {
        let error = expand_keyframes(&[region.clone(), region], max_frames).unwrap_err();
        assert_eq!(error, KeyframeError::TooManyFrames { max_frames });
    };
    refused(region(6, &[keyframe(1, 0.0, 0.0)]), 11);
    refused(region(i64::MAX, &[keyframe(1, 0.0, 0.0)]), MAX_FRAMES);
    refused(
        region(
            1,
            &[keyframe(i64::MIN, 0.0, 0.0), keyframe(i64::MAX, 0.0, 0.0)],
        ),
        MAX_FRAMES,
    );
    let exactly = expand_keyframes(&[region(6, &[keyframe(1, 0.0, 0.0)])], 6);
    assert_eq!(
        exactly.unwrap()[0]["value"]["sequence"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
}

#[test]
fn refuses_a_region_without_frames() {
    let error = |value: Value| {
        expand_keyframes(&[json!({ "type": "VideoRectangle", "value": value })], 9)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(Value::Null),
        "video region 0 has no sequence of keyframes"
    );
    assert_eq!(
        error(json!({ "sequence": [{ "frame": 1 }, { "frame": 1.5 }] })),
        "keyframe 1 of video region 0 has no frame number"
    );
    assert_eq!(
        error(json!({ "sequence": [null] })),
        "keyframe 0 of video region 0 has no frame number"
    );
}
