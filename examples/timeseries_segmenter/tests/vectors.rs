//! Recorded numbers of the original: windows, the network, segments, labels of rows.

use std::{fs, path::Path};

use label_studio_ml::{LabelConfig, Project, Task, Value, json, sdk::Annotation, serde_json};
use label_studio_training::series::{SeriesDropouts, SeriesInference, SeriesNetwork, SeriesSizes};
use tempfile::tempdir;
use timeseries_segmenter::{
    Padding, Predictor, Scaling, Segmenter, Segments, Tags, class_weights, prediction,
    reading::read_task,
    row_labels,
    times::{Time, TimeKeys},
    window_starts,
};

fn vectors() -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/timeseries_segmenter.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn cases(name: &str) -> Vec<Value> {
    vectors()[name].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![serde_json::from_value(number.clone()).unwrap()],
    }
}

fn size(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

/// The network of the vectors, out of a file, as the backend reads it.
fn segmenter() -> Segmenter {
    let vectors = vectors();
    let forward = &vectors["forward"];
    let (config, state) = (
        &forward["config"],
        forward["state_dict"].as_object().unwrap(),
    );
    let (mut header, mut bytes) = (serde_json::Map::new(), Vec::new());
    for (name, tensor) in state {
        let values = numbers(tensor);
        let shape = match &tensor[0] {
            Value::Array(row) => vec![tensor.as_array().unwrap().len(), row.len()],
            _ => vec![values.len()],
        };
        let end = bytes.len() + 4 * values.len();
        let entry = json!({ "dtype": "F32", "shape": shape, "data_offsets": [bytes.len(), end] });
        header.insert(name.clone(), entry);
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    let header = serde_json::to_vec(&header).unwrap();
    let length = u64::try_from(header.len()).unwrap().to_le_bytes();
    let folder = tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    fs::write(&path, [length.as_slice(), &header, &bytes].concat()).unwrap();
    let sizes = SeriesSizes {
        n_channels: size(&config["input_size"]),
        n_classes: size(&config["output_size"]),
        width: size(&config["fc_size"]),
        n_hidden: size(&config["hidden_size"]),
        n_layers: size(&config["num_layers"]),
        dropouts: SeriesDropouts::default(),
    };
    Segmenter {
        inference: SeriesInference::new(SeriesNetwork::load(&path, sizes).unwrap()),
        labels: ["__background__", "a", "b"].map(str::to_owned).to_vec(),
        channels: ["x", "y"].map(str::to_owned).to_vec(),
        scaling: Scaling::identity(2),
        window: size(&config["sequence_size"]),
    }
}

/// Classes and scores of the rows of a series.
fn predicted(segmenter: &Segmenter, rows: &[f32]) -> Vec<(usize, f64)> {
    let wanted = [true; 3];
    let mut predictor = Predictor::new(
        &segmenter.inference,
        &segmenter.scaling,
        &wanted,
        segmenter.window,
    );
    for (number, row) in rows.chunks(2).enumerate() {
        // A time of its own for each row does not part rows of one class.
        predictor
            .push(Time::Integer(i64::try_from(number).unwrap()), row)
            .unwrap();
    }
    let segments = predictor.finish().unwrap();
    segments
        .iter()
        .map(|segment| (segment.class, segment.score()))
        .collect()
}

#[test]
fn windows_start_where_those_of_the_original_do() {
    for case in cases("windows") {
        let starts = window_starts(size(&case["seq_len"]), size(&case["sequence_size"]));
        assert_eq!(json!(starts), case["window_starts"], "{case}");
    }
}

/// The original cuts its padding where it is longer than the series, and moves odd ones by a row:
/// here every window is full, and data, labels and results start at the same row.
#[test]
fn short_series_are_mirrored_around_the_rows_that_results_are_taken_from() {
    for case in cases("short_sequences") {
        let series: Vec<f32> = numbers(&case["seq"]);
        let window_size = size(&case["sequence_size"]);
        let padding = Padding::new(series.len(), window_size);
        assert_eq!(
            json!(padding.offset),
            case["prediction_rows_taken_from"],
            "{case}"
        );
        let window: Vec<f32> = padding.rows.iter().map(|row| series[*row]).collect();
        assert_eq!(window.len(), window_size);
        assert_eq!(window[padding.offset..][..series.len()], series, "{case}");
        let is_defect =
            (window_size - series.len()) % 2 == 1 || size(&case["chunk_len"]) < window_size;
        if !is_defect {
            assert_eq!(window, numbers(&case["chunk"]), "{case}");
        }
    }
    assert_eq!(Padding::new(3, 10).rows, [2, 1, 0, 0, 1, 2, 2, 1, 0, 0]);
    assert_eq!(Padding::new(1, 3).rows, [0, 0, 0]);
    assert_eq!(Padding::new(2, 9).rows, [1, 1, 0, 0, 1, 1, 0, 0, 1]);
}

#[test]
fn the_network_and_the_means_of_windows_have_the_numbers_of_the_original() {
    let vectors = vectors();
    let (forward, segmenter) = (&vectors["forward"], segmenter());
    let network = segmenter.inference.network();
    let mut workspace = label_studio_training::series::SeriesWorkspace::default();
    let logits = network
        .logits(&numbers(&forward["input"]), &[0, 4], &mut workspace)
        .unwrap();
    assert_close(logits, &numbers(&forward["logits"]));

    // Each row by itself: class 1 is the most probable one everywhere, so the mean of the rows'
    // scores is that of the segment.
    let expected = numbers(&forward["probabilities_with_overlap_averaging"]);
    let scores: Vec<f32> = expected.chunks(3).map(|row| row[1]).collect();
    let found = predicted(&segmenter, &numbers(&forward["sequence"]));
    let mean = scores.iter().sum::<f32>() / 6.0;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, 1);
    assert!((found[0].1 - f64::from(mean)).abs() < 1e-6, "{found:?}");
    // The window of the original for three rows is the last one, then all three.
    let rows = numbers(&forward["sequence"]);
    let window = [&rows[4..6], &rows[0..6]].concat();
    let probabilities = segmenter.inference.probabilities(&[&window]).unwrap();
    let expected = numbers(&forward["short_sequence_probabilities_first_3_rows"]);
    assert_close(&probabilities[0][..9], &expected);
}

#[test]
fn a_long_series_is_the_same_in_blocks_as_at_once() {
    let segmenter = segmenter();
    let rows: Vec<f32> = (0..140_000_u32)
        .map(|idx| u16::try_from((idx.wrapping_mul(2_654_435_761) >> 16) % 4096).unwrap())
        .map(|bits| f32::from(bits) / 1024.0 - 2.0)
        .collect();
    let n_rows = rows.len() / 2;
    let windows = window_starts(n_rows, 4);
    let slices: Vec<&[f32]> = windows
        .iter()
        .map(|start| &rows[2 * start..][..8])
        .collect();
    let probabilities = segmenter.inference.probabilities(&slices).unwrap();
    let (mut sums, mut counts) = (vec![0.0_f32; 3 * n_rows], vec![0.0_f32; n_rows]);
    for (start, window) in windows.iter().zip(probabilities) {
        for (row, values) in window.chunks(3).enumerate() {
            counts[start + row] += 1.0;
            for (class, value) in values.iter().enumerate() {
                sums[3 * (start + row) + class] += value;
            }
        }
    }
    let mut expected: Vec<(usize, usize)> = Vec::new();
    for row in sums.chunks(3) {
        let class = (1..3).fold(
            0,
            |best, class| if row[class] > row[best] { class } else { best },
        );
        match expected.last_mut() {
            Some((last, n)) if *last == class => *n += 1,
            _ => expected.push((class, 1)),
        }
    }
    assert!(counts.iter().all(|count| *count > 0.0));
    let found: Vec<usize> = predicted(&segmenter, &rows)
        .iter()
        .map(|(class, _)| *class)
        .collect();
    let expected: Vec<usize> = expected
        .iter()
        .map(|(class, _)| *class)
        .filter(|class| *class > 0)
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_saved_has_the_content_of_the_originals_checkpoint() {
    let vectors = vectors();
    let checkpoint = &vectors["checkpoint"];
    let (folder, segmenter) = (tempdir().unwrap(), segmenter());
    let [config, _] = segmenter.save(folder.path()).unwrap();
    let config: Value = serde_json::from_slice(&fs::read(config).unwrap()).unwrap();
    assert_eq!(config["label_map"], checkpoint["label_map"]);
    assert_eq!(config["model_class"], checkpoint["model_class"]);
    for name in [
        "input_size",
        "output_size",
        "fc_size",
        "hidden_size",
        "num_layers",
        "sequence_size",
    ] {
        assert_eq!(
            config["model_params"][name], checkpoint["model_params"][name],
            "{name}"
        );
    }
    let names: Vec<_> = segmenter
        .inference
        .network()
        .norms()
        .map(|(name, _)| name)
        .collect();
    let mut expected: Vec<_> = checkpoint["tensor_names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let mut names = names;
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
    let again = Segmenter::read(folder.path()).unwrap();
    let rows = numbers(&vectors["forward"]["sequence"]);
    assert_eq!(predicted(&again, &rows), predicted(&segmenter, &rows));
    assert_eq!(
        (again.labels, again.channels),
        (segmenter.labels, segmenter.channels)
    );
}

#[test]
fn damaged_models_are_named() {
    let folder = tempdir().unwrap();
    let error = |content: &str| {
        fs::write(folder.path().join("config.json"), content).unwrap();
        format!("{:#}", Segmenter::read(folder.path()).unwrap_err())
    };
    assert!(error("{").contains("config.json"));
    segmenter().save(folder.path()).unwrap();
    let whole = fs::read_to_string(folder.path().join("config.json")).unwrap();
    for (from, to) in [
        ("\"output_size\": 3", "\"output_size\": 4"),
        ("\"input_size\": 2", "\"input_size\": 3"),
        ("\"sequence_size\": 4", "\"sequence_size\": 0"),
        ("\"hidden_size\": 3", "\"hidden_size\": 4"),
        ("\"num_layers\": 2", "\"num_layers\": 1000000000"),
    ] {
        assert!(whole.contains(from), "{from}");
        assert!(!error(&whole.replace(from, to)).is_empty());
    }
}

#[test]
fn class_weights_are_those_of_the_original() {
    let vectors = vectors();
    let case = &vectors["class_weights_example"];
    let counts = case["label_counts"].as_object().unwrap();
    let classes = counts
        .iter()
        .flat_map(|(class, count)| vec![Some(class.parse::<u16>().unwrap()); size(count)]);
    let example = label_studio_training::series::SeriesExample {
        rows: Vec::new(),
        classes: classes.chain([None]).collect(),
    };
    let weights = class_weights(&[example], 4);
    assert_close(&weights[..3], &numbers(&case["weights"]));
    assert_eq!(weights[3].to_bits(), 0, "a class that does not occur");
}

#[test]
fn parameters_are_those_of_the_label_config() {
    let vectors = vectors();
    let case = &vectors["params"];
    let config = LabelConfig::parse(case["config"].as_str().unwrap()).unwrap();
    let (tags, params) = (Tags::find(&config).unwrap(), &case["params"]);
    assert_eq!(json!(tags.control.name), params["from_name"]);
    assert_eq!(json!(tags.object.name), params["to_name"]);
    assert_eq!(json!(tags.object.value_name), params["value"]);
    assert_eq!(json!(tags.control.labels), params["labels"]);
    assert_eq!(json!(tags.time_column()), params["time_col"]);
    assert_eq!(json!(tags.channels()), params["channels"]);
}

fn task(csv: &Value) -> Task {
    Task::from_value(&json!({ "id": 1, "data": { "csv_url": csv } })).unwrap()
}

#[test]
fn segments_of_rows_are_those_of_the_original() {
    let default = vectors()["params"]["config"].clone();
    for case in cases("segments") {
        let config = case.get("config").unwrap_or(&default).as_str().unwrap();
        let project = Project::in_memory(config).unwrap();
        let tags = Tags::find(project.label_config()).unwrap();
        let probabilities = case.get("probabilities").map(numbers).unwrap_or_default();
        let mut rows = probabilities.chunks(3);
        let mut segments = Segments::default();
        let channels = tags.channels();
        read_task(
            (&project, &task(&case["csv"])),
            &tags,
            &channels,
            &mut |row| {
                let row_probabilities = rows.next().unwrap();
                let class = (1..3).fold(0, |best, class| {
                    if row_probabilities[class] > row_probabilities[best] {
                        class
                    } else {
                        best
                    }
                });
                segments.push(row.time, class, row_probabilities[class])
            },
        )
        .unwrap();
        let labels = ["__background__", "Run", "Walk"].map(str::to_owned);
        let found = prediction(&tags, &labels, segments.finish());
        let mut found = serde_json::to_value(&found).unwrap();
        for region in found["result"].as_array_mut().unwrap() {
            assert!(
                region.as_object_mut().unwrap().remove("id").is_some(),
                "{region}"
            );
        }
        // The original fails on an empty file.
        let none = json!({ "result": [], "score": 0.0 });
        let expected = if case["name"] == "empty_csv" {
            &none
        } else {
            &case["prediction"]
        };
        assert_eq!(found["result"], expected["result"], "{}", case["name"]);
        let score = |value: &Value| value["score"].as_f64().unwrap();
        assert!(
            (score(&found) - score(expected)).abs() < 1e-12,
            "{}",
            case["name"]
        );
    }
}

#[test]
fn labels_of_rows_are_those_of_the_original() {
    let config = vectors()["params"]["config"].clone();
    let project = Project::in_memory(config.as_str().unwrap()).unwrap();
    let tags = Tags::find(project.label_config()).unwrap();
    for case in cases("row_labelling") {
        let mut keys = TimeKeys::default();
        let channels = tags.channels();
        let facts = read_task(
            (&project, &task(&case["csv"])),
            &tags,
            &channels,
            &mut |row| {
                keys.push(row.key);
                Ok(())
            },
        )
        .unwrap();
        let annotations: Vec<Annotation> =
            serde_json::from_value(case["annotations"].clone()).unwrap();
        let labels = row_labels(&annotations, tags.control, (&facts.times, &keys));
        assert_eq!(
            json!(labels.classes),
            case["result"]["row_labels"],
            "{}",
            case["name"]
        );
        assert_eq!(
            json!(labels.n_labelled),
            case["result"]["labeled_rows"],
            "{}",
            case["name"]
        );
    }
}
