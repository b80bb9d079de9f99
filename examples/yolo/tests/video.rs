//! Videos: tracks and camera motion beside those of Ultralytics, the recorded cases of the original,
//! and what cannot be labelled.

mod support;

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use indexmap::IndexMap;
use label_studio_ml::{
    JobContext, Model, PredictRequest, Project, Task, Value, json, predict, serde_json,
};
use label_studio_testing::check_backend;
use label_studio_vision::video::{
    Numbering, VideoReader,
    motion::{Affine, CameraMotion},
    tracks::{FoundBox, Kalman, Measure, TrackedBox, Tracker, TrackerParams},
};
use support::{TinyModel, fixture, floats, tiny_yolo};
use yolo::{TrackLabels, VideoTracks, timeline_ranges};

const N_FRAMES: usize = 40;
const SIZE: (u32, u32) = (192, 128);
const NETWORK: (&str, &str) = ("yolov8n.onnx", "video/by-colour.onnx");

fn recorded() -> Value {
    serde_json::from_slice(&fs::read(fixture("video/expected.json")).unwrap()).unwrap()
}

fn vectors(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn clip_url() -> String {
    let clip = fs::read(fixture("video/objects.mp4")).unwrap();
    format!("data:video/mp4;base64,{}", BASE64_STANDARD.encode(clip))
}

fn config(attributes: &str) -> String {
    format!(
        "<View><Labels name=\"labels\" toName=\"video\"><Label value=\"person\"/><Label value=\"car\"/></Labels>\
         <Video name=\"video\" value=\"$video\" framerate=\"25\"/>\
         <VideoRectangle name=\"box\" toName=\"video\" {attributes}/></View>"
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small naturals"
)]
fn natural(value: &Value) -> u64 {
    value.as_f64().unwrap() as u64
}

fn bounds(row: &Value) -> [f64; 4] {
    std::array::from_fn(|side| row[side].as_f64().unwrap())
}

fn motion(value: &Value) -> Affine {
    Affine([0, 1].map(|row| std::array::from_fn(|column| value[row][column].as_f64().unwrap())))
}

fn motions(recorded: &Value) -> Vec<Affine> {
    recorded["motions"]
        .as_array()
        .unwrap()
        .iter()
        .map(motion)
        .collect()
}

/// The motions that we find in the clip.
fn own_motions() -> Vec<Affine> {
    let reader = VideoReader::default();
    let video = reader.open(&fixture("video/objects.mp4")).unwrap();
    let mut frames = reader.frames(&video, Numbering::EveryFrame).unwrap();
    let mut camera = CameraMotion::default();
    let mut motions = Vec::new();
    while let Some(frame) = frames.next_frame(&|| false).unwrap() {
        motions.push(camera.next(&frame));
    }
    motions
}

/// Follows the recorded boxes, and compares each frame's tracks with the recorded ones.
fn check_tracks(name: &str, params: TrackerParams, motions: &[Affine], tolerance: f64) {
    let recorded = recorded();
    let mut tracker = Tracker::new(params);
    let frames = recorded["found"].as_array().unwrap().iter();
    for (idx, (found, motion)) in frames.zip(motions).enumerate() {
        let found = found.as_array().unwrap().iter().map(|row| FoundBox {
            bounds: bounds(row),
            score: row[4].as_f64().unwrap(),
            class: usize::try_from(natural(&row[5])).unwrap(),
        });
        let boxes = tracker.update(&found.collect::<Vec<_>>(), motion);
        let expected = recorded[name][idx].as_array().unwrap();
        let ids: Vec<_> = boxes.iter().map(|tracked| tracked.track_id).collect();
        let expected_ids: Vec<_> = expected.iter().map(|row| natural(&row[4])).collect();
        assert_eq!(ids, expected_ids, "{name}, frame {}", idx + 1);
        for (tracked, row) in boxes.iter().zip(expected) {
            let (width, height) = (f64::from(SIZE.0), f64::from(SIZE.1));
            for (side, (own, other)) in tracked.bounds.iter().zip(bounds(row)).enumerate() {
                let own = own.clamp(0.0, if side % 2 == 0 { width } else { height });
                assert!(
                    (own - other).abs() < tolerance,
                    "{name}, frame {}: {tracked:?} {row}",
                    idx + 1
                );
            }
            assert!((tracked.score - row[5].as_f64().unwrap()).abs() < 1e-4);
            assert_eq!(tracked.class as u64, natural(&row[6]));
        }
    }
}

#[test]
fn trackers_give_the_tracks_of_ultralytics_for_its_boxes() {
    let recorded = recorded();
    let still = vec![Affine::IDENTITY; N_FRAMES];
    check_tracks("bytetrack", TrackerParams::byte_track(), &still, 2e-3);
    check_tracks(
        "botsort",
        TrackerParams::bot_sort(),
        &motions(&recorded),
        2e-3,
    );
}

#[test]
fn the_camera_moves_as_opencv_finds_it() {
    let recorded = recorded();
    let expected = motions(&recorded);
    let found = own_motions();
    assert_eq!(found.len(), expected.len());
    for (idx, (found, expected)) in found.iter().zip(&expected).enumerate() {
        // What happens to the corners of the frame, in pixels.
        let (width, height) = (f64::from(SIZE.0), f64::from(SIZE.1));
        for corner in [[0.0, 0.0], [width, 0.0], [0.0, height], [width, height]] {
            let (own, other) = (found.apply(corner), expected.apply(corner));
            let gap = (own[0] - other[0]).hypot(own[1] - other[1]);
            assert!(gap < 0.1, "frame {}: {found:?} {expected:?}", idx + 1);
        }
    }
    check_tracks("botsort", TrackerParams::bot_sort(), &found, 0.1);
}

#[test]
fn regions_hold_the_tracks_of_ultralytics() {
    let recorded = recorded();
    let model = TinyModel::new(&[NETWORK]);
    for name in ["bytetrack", "botsort"] {
        let mut expected: IndexMap<u64, Vec<(usize, Value)>> = IndexMap::new();
        for (idx, rows) in recorded[name].as_array().unwrap().iter().enumerate() {
            for row in rows.as_array().unwrap() {
                expected
                    .entry(natural(&row[4]))
                    .or_default()
                    .push((idx + 1, row.clone()));
            }
        }
        let config = config(&format!("model_tracker=\"{name}\" model_iou=\"0.3\""));
        let result = model
            .results(&config, &[json!({ "video": clip_url() })])
            .remove(0);
        let regions = result["result"].as_array().unwrap();
        assert_eq!(regions.len(), expected.len(), "{name}");
        for (region, track) in regions.iter().zip(expected.values()) {
            let value = &region["value"];
            assert_eq!(value["framesCount"], N_FRAMES, "{name}");
            let class = usize::try_from(natural(&track.last().unwrap().1[6])).unwrap();
            let label = ["person", "car"][class];
            assert_eq!(value["labels"], json!([label]));
            let sequence = value["sequence"].as_array().unwrap();
            assert_eq!(sequence.len(), track.len(), "{name}: {track:?}");
            for (key_frame, (frame, row)) in sequence.iter().zip(track) {
                assert_eq!(key_frame["frame"], *frame, "{name}");
                let [left, top, right, bottom] = bounds(row);
                let (width, height) = (f64::from(SIZE.0), f64::from(SIZE.1));
                for (side, pixels, of) in [
                    ("x", left, width),
                    ("y", top, height),
                    ("width", right - left, width),
                    ("height", bottom - top, height),
                ] {
                    let gap = (key_frame[side].as_f64().unwrap() / 100.0 * of - pixels).abs();
                    assert!(
                        gap < 0.2,
                        "{name}, frame {frame}, {side}: {key_frame} {row}"
                    );
                }
                let gap = key_frame["score"].as_f64().unwrap() - row[5].as_f64().unwrap();
                assert!(gap.abs() < 5e-3, "{name}, frame {frame}: {key_frame} {row}");
            }
        }
    }
}

#[test]
fn label_studio_stores_tracks_and_ranges() {
    let model = TinyModel::new(&[NETWORK, ("yolov8n-cls.onnx", "tiny-classify.onnx")]);
    let config = config("model_iou=\"0.3\"").replace(
        "</View>",
        "<TimelineLabels name=\"moments\" toName=\"video\" model_score_threshold=\"0.3\">\
         <Label value=\"car\"/><Label value=\"person\"/><Label value=\"traffic light\"/><Label value=\"Persian_cat\"/>\
         </TimelineLabels></View>",
    );
    let task = json!({ "id": 1, "data": { "video": clip_url() } });
    let predictions = check_backend(&model.client, &config, &[task]);
    let regions = predictions[0]["result"].as_array().unwrap();
    let kinds: BTreeSet<_> = regions
        .iter()
        .map(|region| region["type"].as_str())
        .collect();
    assert_eq!(
        kinds,
        BTreeSet::from([Some("timelinelabels"), Some("videorectangle")])
    );
    let moments = regions
        .iter()
        .filter(|region| region["type"] == "timelinelabels");
    for region in moments {
        let range = &region["value"]["ranges"][0];
        assert!(
            range["start"].as_u64() >= Some(1) && range["end"].as_u64() <= Some(N_FRAMES as u64)
        );
        assert_eq!(region["to_name"], "video");
        assert!(region["score"].as_f64() >= Some(0.3));
    }
}

#[test]
fn tracker_rows_of_the_original_become_its_regions() {
    let case = vectors("yolo_video_rectangle");
    let mut names = vec![String::new(); 80];
    names[0] = "person".to_owned();
    let label_map = IndexMap::from([("person".to_owned(), "person".to_owned())]);
    let mut tracks = VideoTracks::new(TrackLabels {
        names: &names,
        label_map: &label_map,
    });
    for (idx, rows) in case["tracker_rows_per_frame"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        let rows = rows
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row.as_array().unwrap().len() == 7);
        let boxes = rows.map(|row| TrackedBox {
            track_id: natural(&row[4]),
            bounds: bounds(row),
            score: row[5].as_f64().unwrap(),
            class: usize::try_from(natural(&row[6])).unwrap(),
        });
        tracks.add(idx as u64 + 1, &boxes.collect::<Vec<_>>(), (1280, 720));
    }
    let n_frames = case["framesCount"].as_u64().unwrap();
    let duration = case["duration"].as_f64().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "few frames")]
    let values = tracks.values(n_frames, n_frames as f64 / duration);
    let expected = case["expected_regions"].as_array().unwrap();
    assert_eq!(values.len(), expected.len());
    let near = |own: &Value, other: &Value| {
        let (own, other) = (own.as_f64().unwrap(), other.as_f64().unwrap());
        (own - other).abs() <= 1e-3 * other.abs().max(1e-3)
    };
    let mut total = 0.0;
    for ((value, score), expected) in values.iter().zip(expected) {
        total += score;
        assert!(near(&json!(score), &expected["score"]), "{score}");
        assert_eq!(value["labels"], expected["labels"]);
        assert_eq!(value["framesCount"], case["framesCount"]);
        assert!(near(&value["duration"], &case["duration"]));
        let columns = expected["sequence_columns"].as_array().unwrap();
        let rows = expected["sequence"].as_array().unwrap();
        assert_eq!(value["sequence"].as_array().unwrap().len(), rows.len());
        for (key_frame, row) in value["sequence"].as_array().unwrap().iter().zip(rows) {
            assert_eq!(key_frame["rotation"], 0);
            for (idx, column) in columns.iter().enumerate() {
                let own = &key_frame[column.as_str().unwrap()];
                let is_same = match &row[idx] {
                    Value::Number(_) => near(own, &row[idx]),
                    other => own == other,
                };
                assert!(is_same, "{column}: {key_frame} {row}");
            }
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "few regions")]
    let mean = total / values.len() as f64;
    assert!(near(&json!(mean), &case["expected_prediction_score"]));
}

#[test]
fn a_box_is_disabled_before_a_gap_and_at_the_end() {
    let names = ["person".to_owned()];
    let label_map = IndexMap::from([("person".to_owned(), "person".to_owned())]);
    for case in vectors("yolo_video_rectangle_units")["lifespans"]
        .as_array()
        .unwrap()
    {
        let mut tracks = VideoTracks::new(TrackLabels {
            names: &names,
            label_map: &label_map,
        });
        let tracked = TrackedBox {
            track_id: 1,
            bounds: [1.0, 1.0, 5.0, 5.0],
            score: 0.5,
            class: 0,
        };
        for frame in case["frames"].as_array().unwrap() {
            tracks.add(frame.as_u64().unwrap(), &[tracked], (10, 10));
        }
        let (value, _) = tracks.values(30, 25.0).remove(0);
        let enabled = value["sequence"].as_array().unwrap().iter();
        let enabled: Vec<_> = enabled
            .map(|key_frame| key_frame["enabled"].clone())
            .collect();
        assert_eq!(json!(enabled), case["enabled"], "{}", case["frames"]);
    }
}

#[test]
fn the_kalman_filters_are_those_of_the_original() {
    let vectors = vectors("yolo_kalman");
    for (name, measure) in [
        ("bytetrack_xyah", Measure::AspectHeight),
        ("botsort_xywh", Measure::WidthHeight),
    ] {
        let mut kalman: Option<Kalman> = None;
        for step in vectors[name].as_array().unwrap() {
            let four = |value: &Value| std::array::from_fn(|idx| value[idx].as_f64().unwrap());
            match step["step"].as_str().unwrap() {
                "initiate" => kalman = Some(Kalman::new(measure, four(&step["mean"]))),
                "predict" => kalman.as_mut().unwrap().predict(),
                _ => kalman.as_mut().unwrap().update(four(&step["z"])),
            }
            let kalman = kalman.as_ref().unwrap();
            let diagonal: Vec<_> = (0..8).map(|idx| kalman.covariance[idx][idx]).collect();
            let own = kalman.mean.iter().chain(&diagonal);
            let expected = [floats(&step["mean"]), floats(&step["cov_diag"])].concat();
            for (own, expected) in own.zip(expected) {
                let gap = (own - expected).abs();
                assert!(
                    gap <= 1e-9 * expected.abs().max(1e-6),
                    "{name} {step}: {own}"
                );
            }
        }
    }
}

#[test]
fn probabilities_become_the_ranges_of_the_original() {
    for case in vectors("yolo_timeline")["probs_to_regions"]
        .as_array()
        .unwrap()
    {
        let rows: Vec<_> = case["probs"]
            .as_array()
            .unwrap()
            .iter()
            .map(floats)
            .collect();
        let labels: Vec<_> = case["label_map"].as_object().unwrap().keys().collect();
        let thresholds = vec![case["threshold"].as_f64().unwrap(); labels.len()];
        let ranges = timeline_ranges(&rows, &thresholds);
        let expected = case["expected"].as_array().unwrap();
        assert_eq!(ranges.len(), expected.len());
        for (range, expected) in ranges.iter().zip(expected) {
            let id = format!("{}_{}_{}", range.rank, range.start, range.end);
            assert_eq!(expected["id"], id);
            assert_eq!(
                expected["value"]["timelinelabels"],
                json!([labels[range.column]])
            );
            assert!((range.score - expected["score"].as_f64().unwrap()).abs() < 1e-9);
        }
    }
}

#[test]
fn a_video_that_is_no_use_costs_its_own_task_only() {
    let model = TinyModel::new(&[NETWORK]);
    let tasks = [
        json!({ "video": "data:video/mp4;base64,AAAA" }),
        json!({ "video": clip_url() }),
        json!({ "other": 1 }),
    ];
    let (status, body) = model.post(&config("model_iou=\"0.3\""), &tasks);
    assert_eq!(status, 200, "{body}");
    let results = body["results"].as_array().unwrap();
    assert!(
        results[0].to_string().contains("cannot use video file"),
        "{}",
        results[0]
    );
    assert!(!results[1]["result"].as_array().unwrap().is_empty());
    assert!(
        results[2].to_string().contains("Can't load path"),
        "{}",
        results[2]
    );
}

#[test]
fn what_a_control_tag_lacks_is_named() {
    let model = TinyModel::new(&[NETWORK, ("yolov8n-cls.onnx", "tiny-classify.onnx")]);
    let task = [json!({ "video": clip_url() })];
    for (attributes, expected) in [
        ("botsort_speed=\"1\"", "no parameter \"speed\""),
        ("model_tracker=\"sort\"", "there is no tracker"),
        ("model_conf=\"much\"", "model_conf"),
        ("model_path=\"yolov8n-cls.pt\"", "needs one for detect"),
    ] {
        let error = model.error(&config(attributes), &task);
        assert!(error.contains(expected), "{attributes}: {error}");
    }
    let without_labels = config("")
        .replace("<Labels", "<Choices")
        .replace("</Labels>", "</Choices>");
    let error = model.error(&without_labels, &task);
    assert!(error.contains("needs a tag <Labels>"), "{error}");
}

#[test]
fn a_client_that_leaves_ends_the_reading_of_its_video() {
    let root = tempfile::tempdir().unwrap();
    let mut model = tiny_yolo(root.path(), &[NETWORK], |_, _| {});
    // A decoder that gives a frame and then nothing.
    let decoder = root.path().join("decoder");
    fs::write(
        &decoder,
        "#!/bin/sh\nhead -c 73728 /dev/zero; exec tail -f /dev/null\n",
    )
    .unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&decoder, mode).unwrap();
    model.videos.ffmpeg = decoder;
    let job = JobContext::default();
    let project = Project::in_memory(&config(""))
        .unwrap()
        .with_job(job.clone());
    model.setup(&project).unwrap();
    let data = json!({ "video": clip_url() });
    let task = Task::new(serde_json::from_value(data).unwrap());
    let request = PredictRequest::new(vec![task]);
    let started = Instant::now();
    let canceller = std::thread::spawn(move || job.cancel());
    let predictions = predict(&model, &project, &request);
    canceller.join().unwrap();
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    let text = format!("{predictions:?}");
    assert!(text.contains("cancelled"), "{text}");
}
