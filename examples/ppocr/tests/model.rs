//! The backend behind the whole server: what RapidOCR finds with the same models, regions of each
//! label config, pages without text, odd pages, and models that do not fit.

mod support;

use image::{ImageFormat, RgbImage, imageops};
use label_studio_ml::{LabelConfig, Value, json, serde_json, testing::TestClient};
use label_studio_testing::{check_backend, check_image_regions, check_repeater, images};
use label_studio_vision::boxes::Quad;
use ppocr::{
    DetectorInput, LimitType, Line, Output, OutputType, Pipeline, Release, Variant, Version,
    input_width,
};
use support::{POLYGONS, RAPIDOCR, client, data_url, fixture, load, regions};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/ppocr.json")).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn png(image: &RgbImage) -> String {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    images::to_url(bytes.get_ref())
}

/// The corners of a polygon in pixels.
fn corners(region: &Value) -> Vec<[f64; 2]> {
    let size = ["original_width", "original_height"].map(|name| region[name].as_f64().unwrap());
    let points: Vec<[f64; 2]> = read(&region["value"]["points"]);
    let points = points.into_iter();
    points
        .map(|[x, y]| [x * size[0] / 100.0, y * size[1] / 100.0])
        .collect()
}

#[track_caller]
fn assert_near(found: &[[f64; 2]], expected: &[[f64; 2]], tolerance: f64) {
    let pairs = found.as_flattened().iter().zip(expected.as_flattened());
    for (found_value, expected_value) in pairs {
        let difference = (found_value - expected_value).abs();
        assert!(difference <= tolerance, "{found:?}, not {expected:?}");
    }
}

#[test]
fn pages_are_read_as_rapidocr_reads_them() {
    let client = client(&RAPIDOCR);
    let expected: Value =
        serde_json::from_slice(&std::fs::read(fixture("expected.json")).unwrap()).unwrap();
    let mut n_texts = 0;
    for (name, lines) in expected.as_object().unwrap() {
        let found = regions(&client, POLYGONS, &data_url(&format!("{name}.png")));
        check_image_regions(&json!(found));
        let lines = lines.as_array().unwrap();
        assert_eq!(found.len(), 2 * lines.len(), "{name}");
        for (entries, line) in found.chunks(2).zip(lines) {
            assert_near(&corners(&entries[0]), &read::<Vec<_>>(&line["quad"]), 1e-3);
            n_texts += 1;
            assert_eq!(entries[1]["value"]["text"], json!([line["text"]]), "{name}");
            let scores =
                [&entries[1]["score"], &line["score"]].map(|score| score.as_f64().unwrap());
            assert!((scores[0] - scores[1]).abs() < 0.01, "{name} {scores:?}");
        }
    }
    assert!(n_texts > 40, "{n_texts} texts");
}

#[test]
fn a_dictionary_beside_the_recogniser_serves_as_one_in_it() {
    let plain = fixture("tiny-rec-plain.onnx");
    let plain = plain.to_str().unwrap();
    let beside = client(&[&RAPIDOCR[..], &["--rec-model", plain]].concat());
    let within = client(&RAPIDOCR);
    let texts = |client: &TestClient| -> Vec<Value> {
        let regions = regions(client, POLYGONS, &data_url("lines.png"));
        regions
            .iter()
            .map(|region| region["value"]["text"].clone())
            .collect()
    };
    assert_eq!(texts(&beside), texts(&within));
}

#[test]
fn the_backend_is_one_that_label_studio_can_use() {
    let task = json!({ "id": 1, "data": { "image": data_url("lines.png") } });
    let predictions = check_backend(&client(&[]), POLYGONS, &[task]);
    assert_eq!(predictions[0]["model_version"], "PPOCRv5-server-ch-v0.0.1");
}

#[test]
fn answers_to_health_and_setup_follow_the_vectors() {
    let client = client(&[]);
    for case in read::<Vec<Value>>(&vectors()["api_tests"]) {
        if let Some(path) = case["GET"].as_str() {
            let (status, body) = client.get(path);
            assert_eq!(json!(status), case["status"]);
            assert_eq!(body["status"], case["body"]["status"]);
        } else {
            let (status, body) = client.post(case["POST"].as_str().unwrap(), &case["body"]);
            assert_eq!(json!(status), case["status"], "{body}");
            assert_eq!(body["model_version"], case["expected_model_version"]);
        }
    }
}

#[test]
fn regions_follow_the_vectors() {
    let case = &vectors()["region_examples"];
    let config = LabelConfig::parse(
        r#"<View><Image name="image" value="$image"/><Polygon name="poly" toName="image"/>
        <Rectangle name="bbox" toName="image"/><TextArea name="transcription" toName="image"/></View>"#,
    )
    .unwrap();
    let line = Line {
        quad: Quad(read(&case["quad"])),
        text: read(&case["text"]),
        score: read(&case["score"]),
    };
    for (kind, name) in [
        (OutputType::Polygon, "polygon_mode"),
        (OutputType::Rectangle, "rectangle_mode"),
    ] {
        let output = Output::find(&config, kind, true).unwrap();
        let mut found: Value = json!(output.regions(&line, read(&case["image_wh"])));
        assert_eq!(found[0]["id"], found[1]["id"]);
        assert!(found[0]["id"].as_str().unwrap().len() > 10);
        for region in found.as_array_mut().unwrap() {
            region["id"] = json!("<id>");
        }
        assert_eq!(found, case[name]);
    }
}

#[test]
fn the_shape_is_one_that_the_label_config_has() {
    let line = Line {
        quad: Quad::upright([10.0, 20.0, 110.0, 220.0]),
        text: "a".to_owned(),
        score: 0.5,
    };
    let labels = r#"<Label value="Heading"/><Label value="Body"/>"#;
    for (tags, preferred, expected) in [
        (
            "<Rectangle name='r' toName='i'/>",
            OutputType::Polygon,
            vec!["rectangle", "textarea"],
        ),
        (
            "<Polygon name='p' toName='i'/>",
            OutputType::Rectangle,
            vec!["polygon", "textarea"],
        ),
        (
            &format!("<PolygonLabels name='p' toName='i'>{labels}</PolygonLabels>"),
            OutputType::Polygon,
            vec!["polygonlabels", "textarea"],
        ),
        (
            &format!(
                "<Rectangle name='r' toName='i'/><Labels name='l' toName='i'>{labels}</Labels>"
            ),
            OutputType::Rectangle,
            vec!["rectangle", "textarea", "labels"],
        ),
    ] {
        let config = format!(
            "<View><Image name='i' value='$image'/>{tags}<TextArea name='t' toName='i' perRegion='true'/></View>"
        );
        let parsed = LabelConfig::parse(&config).unwrap();
        let output = Output::find(&parsed, preferred, true).unwrap();
        let found = output.regions(&line, (200, 100));
        let kinds: Vec<_> = found.iter().map(|region| region.kind.as_str()).collect();
        assert_eq!(kinds, expected);
        let is_labelled = tags.contains("Label ");
        let label = if is_labelled { "Heading" } else { "Text" };
        assert_eq!(found[1].value["labels"], json!([label]));
        let prediction = json!({ "result": found, "score": 0.5, "model_version": "v" });
        assert_eq!(
            parsed.validate_prediction(&prediction),
            Vec::<String>::new()
        );
        if kinds[0] == "rectangle" {
            assert_eq!(found[0].value["height"], 80.0, "clamped to the image");
        }
    }
    let config = LabelConfig::parse("<View><Image name='i' value='$image'/></View>").unwrap();
    let error = Output::find(&config, OutputType::Polygon, true).unwrap_err();
    assert!(error.to_string().contains("PolygonLabels"), "{error}");
}

#[test]
fn texts_can_be_left_out() {
    let client = client(&["--include-transcription", "false"]);
    let found = regions(&client, POLYGONS, &data_url("lines.png"));
    assert!(!found.is_empty());
    assert!(found.iter().all(|region| region["type"] == "polygon"));
}

#[test]
fn pages_without_text_have_an_empty_prediction() {
    let client = client(&[]);
    let white = |width, height| png(&RgbImage::from_pixel(width, height, image::Rgb([255; 3])));
    for url in [
        data_url("blank.png"),
        white(1, 1),
        white(3, 40),
        white(40, 3),
        white(20, 30),
        white(40, 40),
        white(20_000, 12),
    ] {
        assert_eq!(regions(&client, POLYGONS, &url), Vec::<Value>::new());
    }
}

#[test]
fn tiny_and_very_long_images_are_read_without_an_error() {
    let client = client(&["--score-threshold", "0"]);
    for (width, height) in [(1, 1), (20, 9), (20_000, 8), (9, 5_000)] {
        let dark = RgbImage::new(width, height);
        check_image_regions(&json!(regions(&client, POLYGONS, &png(&dark))));
    }
}

#[test]
fn a_tiny_image_has_its_boxes_within_it() {
    let client = client(&["--score-threshold", "0"]);
    let mut page = RgbImage::from_pixel(36, 20, image::Rgb([255; 3]));
    imageops::replace(&mut page, &RgbImage::new(16, 8), 10, 6);
    let found = regions(&client, POLYGONS, &png(&page));
    check_image_regions(&json!(found));
    let points = corners(&found[0]);
    let xs = || points.iter().map(|[x, _]| *x);
    assert!(xs().fold(f64::MAX, f64::min) <= 10.0, "{points:?}");
    assert!(xs().fold(0.0, f64::max) >= 26.0, "{points:?}");
    assert!(
        points.iter().all(|[x, y]| *x <= 36.0 && *y <= 20.0),
        "{points:?}"
    );
}

#[test]
fn a_label_config_without_shapes_is_refused_when_the_backend_is_connected() {
    let text =
        r#"<View><Image name="image" value="$image"/><TextArea name="t" toName="image"/></View>"#;
    let setup = json!({ "project": "1.1", "schema": text });
    let (status, answer) = client(&[]).post("/setup", &setup);
    assert_eq!(status, 422, "{answer}");
    assert!(
        answer["detail"].as_str().unwrap().contains("PolygonLabels"),
        "{answer}"
    );
}

#[test]
fn each_entry_of_a_repeater_is_labelled() {
    let task = json!({ "id": 1, "data": { "image": data_url("lines.png") } });
    let body = json!({ "tasks": [task], "project": "1.1", "label_config": POLYGONS });
    check_repeater(&client(&[]), &body);
}

#[test]
fn thousands_of_words_are_read_up_to_the_number_of_outlines() {
    let mut page = RgbImage::from_pixel(2000, 1560, image::Rgb([255; 3]));
    for row in 0..60_u32 {
        for column in 0..50_u32 {
            let word = RgbImage::new(24, 12);
            imageops::replace(
                &mut page,
                &word,
                i64::from(40 * column + 8),
                i64::from(26 * row + 8),
            );
        }
    }
    let client = client(&[
        "--det-limit-side-len",
        "2000",
        "--score-threshold",
        "0",
        "--rec-batch-size",
        "64",
    ]);
    let found = regions(&client, POLYGONS, &png(&page));
    assert_eq!(found.len(), 2 * 1000);
}

#[test]
fn models_that_do_not_fit_are_named_with_a_fix() {
    let path = |name: &str| fixture(name).to_str().unwrap().to_owned();
    let plain = path("tiny-rec-plain.onnx");
    for (flags, expected) in [
        (
            vec!["--det-model", &path("tiny-rec.onnx")],
            "is not a text detector",
        ),
        (
            vec!["--det-model", &path("tiny-cls.onnx")],
            "is not a text detector",
        ),
        (
            vec!["--rec-model", &path("tiny-det.onnx")],
            "is not a text recogniser",
        ),
        (
            vec![
                "--rec-model",
                &plain,
                "--rec-dictionary",
                &path("short.txt"),
            ],
            "it has 16 classes. Expected 3 or 4 classes",
        ),
        (
            vec!["--rec-model", &plain, "--rec-dictionary", "missing.txt"],
            "missing.txt",
        ),
        (
            vec!["--use-doc-unwarping"],
            "USE_DOC_UNWARPING is not supported",
        ),
    ] {
        let Err(error) = load(&flags) else {
            panic!("{flags:?} load");
        };
        let error = format!("{error:#}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn sizes_of_inputs_follow_the_vectors() {
    for case in read::<Vec<Value>>(&vectors()["det_resize"]) {
        let input = DetectorInput {
            limit_side_len: read(&case["limit_side_len"]),
            limit_type: if case["limit_type"] == "max" {
                LimitType::Max
            } else {
                LimitType::Min
            },
            ..Pipeline::Paddlex.detector_input()
        };
        let [height, width]: [u32; 2] = read(&case["orig_hw"]);
        let (resized_width, resized_height) = input.size((width, height));
        assert_eq!(json!([resized_height, resized_width]), case["resized_hw"]);
    }
    for case in read::<Vec<Value>>(&vectors()["rec_resize"]) {
        let [height, width]: [u32; 2] = read(&case["crop_hw"]);
        let found = input_width(f64::from(width) / f64::from(height), 48);
        assert_eq!(json!([48, found]), case["tensor_hw"]);
    }
}

#[test]
fn boxes_of_a_map_follow_the_vectors() {
    let case = &vectors()["db_postprocess"];
    let mut values = ndarray::Array2::<f32>::zeros((64, 96));
    for (rows, columns, value) in [
        (20..30, 10..50, 0.9),
        (45..55, 60..90, 0.55),
        (5..7, 70..72, 0.95),
    ] {
        for row in rows {
            for column in columns.clone() {
                values[[row, column]] = value;
            }
        }
    }
    let map = label_studio_vision::models::text_detection::ProbabilityMap {
        values: values.view(),
        image_size: read(&case["dest_wh"]),
    };
    let found = map.boxes(&Pipeline::Paddlex.db_options());
    let expected: Vec<Value> = read(&case["expected"]);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        let corners = found.quad.0.map(|point| point.map(f64::from));
        assert_near(
            &corners,
            &read::<Vec<_>>(&expected["quad"]),
            read(&case["tolerance_px"]),
        );
        assert!((found.score - expected["score"].as_f64().unwrap()).abs() < 1e-6);
    }
}

#[test]
fn names_of_releases_are_those_of_the_original() {
    for (version, variant, language, name) in [
        ("5", "server", "ch", "PPOCRv5-server-ch-v0.0.1"),
        ("v4", "Mobile", "korean", "PPOCRv4-mobile-korean-v0.0.1"),
    ] {
        let release = Release {
            version: version.parse::<Version>().unwrap(),
            variant: variant.parse::<Variant>().unwrap(),
            language: language.to_owned(),
        };
        assert_eq!(release.model_version(), name);
    }
    let korean = Release {
        version: Version::V5,
        variant: Variant::Server,
        language: "korean".to_owned(),
    };
    assert_eq!(
        korean.recogniser(),
        "hf://PaddlePaddle/korean_PP-OCRv5_mobile_rec_onnx/inference.onnx"
    );
    assert!("v3".parse::<Version>().is_err());
}
