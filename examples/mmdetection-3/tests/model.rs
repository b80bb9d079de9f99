//! What label configs ask for, and what goes wrong.

mod support;

use std::{collections::BTreeMap, fs, path::Path};

use label_studio_ml::{LabelConfig, Model, PredictRequest, Project, Task, Value, json, serde_json};
use label_studio_services::aws::PresignedUrls;
use mmdetection_3::{Family, Settings, label_map};
use support::{data_url, detector, fixture, post, results, serve, tiny_model, to_url};

const CONFIG: &str = r#"<View><Image name="image" value="$image"/>
  <RectangleLabels name="label" toName="image" model_score_threshold="0.7"><Label value="Airplane"/>
    <Label value="Car"/><Label value="Light" predicted_values="traffic light, street lamp"/></RectangleLabels></View>"#;

fn client() -> label_studio_ml::testing::TestClient {
    serve("rtmdet-raw.onnx", BTreeMap::new())
}

#[test]
fn labels_take_the_classes_that_they_name() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/mmdetection.json")).unwrap();
    let classes = Settings::usual(Family::RtmdetRaw).classes;
    assert_eq!(classes.len(), 80);
    for case in vectors["label_map_cases"].as_array().unwrap() {
        let labels = case["labels"].as_array().unwrap().iter().map(|label| {
            let predicted = label[1].as_str().unwrap_or_default();
            format!(
                "<Label value={} predicted_values=\"{predicted}\"/>",
                label[0]
            )
        });
        let labels = labels.collect::<Vec<_>>().concat();
        let config = format!(
            "<View><Image name=\"i\" value=\"$i\"/><RectangleLabels name=\"r\" toName=\"i\">{labels}</RectangleLabels></View>"
        );
        let config = LabelConfig::parse(&config).unwrap();
        let map = label_map(config.control("r").unwrap(), &classes, &BTreeMap::new());
        let mut expected = case["expected"].clone();
        // The original loses labels without predicted_values as soon as another label has some.
        if case["note"].is_string() {
            expected["car"] = json!("Car");
        }
        assert_eq!(json!(map), expected, "{case}");
    }
}

#[test]
fn a_labels_file_serves_labels_that_name_nothing() {
    let config = CONFIG.replace("\"Car\"", "\"Vehicle\"");
    let labels = |client: &label_studio_ml::testing::TestClient| {
        let result = results(client, &config, &[json!({ "image": data_url("wide") })]).remove(0);
        let regions = result["result"].as_array().unwrap().iter();
        let labels: Vec<_> = regions
            .map(|region| region["value"]["rectanglelabels"][0].to_string())
            .collect();
        labels
    };
    let file = [("car", "Vehicle"), ("airplane", "Unknown")];
    let file = file.map(|(class, label)| (class.to_owned(), label.to_owned()));
    let (without, with) = (
        labels(&client()),
        labels(&serve("rtmdet-raw.onnx", file.into())),
    );
    assert!(
        with.len() >= without.len() && !with.contains(&"\"Unknown\"".to_owned()),
        "{with:?}"
    );
}

#[test]
fn projects_without_labels_connect_and_those_with_other_labels_do_not() {
    let client = client();
    let text = "<View><Text name=\"t\" value=\"$t\"/><Labels name=\"l\" toName=\"t\"><Label value=\"Car\"/></Labels></View>";
    for (config, status) in [
        ("<View></View>", 200),
        ("<View><Image name=\"image\" value=\"$image\"/></View>", 200),
        (CONFIG, 200),
        (text, 422),
    ] {
        let body = json!({ "schema": config, "project": "42" });
        let (answered, body) = client.post("/setup", &body);
        assert_eq!(answered, status, "{config}: {body}");
        if status == 200 {
            assert_eq!(body["model_version"], "MMDetection-v0.0.1");
        }
    }
    let (status, body) = post(
        &client,
        "<View></View>",
        &[json!({ "image": data_url("wide") })],
    );
    assert_eq!(status, 500, "{body}");
}

#[test]
fn setup_and_predict_answer_as_the_original() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/mmdetection.json")).unwrap();
    let client = client();
    let body = json!({ "schema": vectors["label_config"], "project": "42" });
    let (status, body) = client.post("/setup", &body);
    assert_eq!(
        (status, &body["model_version"]),
        (200, &json!("MMDetection-v0.0.1")),
        "{body}"
    );
    let result = results(
        &client,
        CONFIG,
        &[json!({ "image": "", "$undefined$": data_url("wide") })],
    )
    .remove(0);
    assert_eq!(result["model_version"], "MMDetection-v0.0.1");
    let regions = result["result"].as_array().unwrap();
    let sum: f64 = regions
        .iter()
        .map(|region| region["score"].as_f64().unwrap())
        .sum();
    let mean = sum / f64::from(u32::try_from(regions.len()).unwrap());
    assert!((result["score"].as_f64().unwrap() - mean).abs() < 1e-9);
    let mut expected = vectors["expected"][0]["result"][0].clone();
    // Without these, Label Studio's converters export no rectangle; the original lacks them.
    for field in ["original_width", "original_height", "image_rotation"] {
        expected[field] = json!(0);
    }
    expected["value"]["rotation"] = json!(0);
    let expected = expected.as_object().unwrap();
    for region in regions {
        let names = |object: &serde_json::Map<String, Value>| {
            object
                .keys()
                .cloned()
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(names(region.as_object().unwrap()), names(expected));
        assert_eq!(
            names(region["value"].as_object().unwrap()),
            names(expected["value"].as_object().unwrap())
        );
        let side = |start: &str, length: &str| {
            let (start, length) = (
                region["value"][start].as_f64().unwrap(),
                region["value"][length].as_f64().unwrap(),
            );
            start >= 0.0 && start + length <= 100.0 + 1e-9
        };
        assert!(side("x", "width") && side("y", "height"), "{region}");
    }
}

#[test]
fn all_tasks_are_answered_and_broken_images_cost_theirs_only() {
    let names = ["wide", "tall", "large", "wide", "thin"];
    let client = client();
    let tasks: Vec<_> = names
        .iter()
        .map(|name| json!({ "image": data_url(name) }))
        .collect();
    let together = results(&client, CONFIG, &tasks);
    for (task, together) in tasks.iter().zip(&together) {
        let alone = results(&client, CONFIG, std::slice::from_ref(task)).remove(0);
        assert_eq!(
            together["result"].as_array().unwrap().len(),
            alone["result"].as_array().unwrap().len()
        );
    }
    for (bad, message) in [
        (
            json!({ "other": 1 }),
            "Can't load path using key 'image' from task 1: its data has only other",
        ),
        (
            json!({ "image": [1] }),
            "Path should be a string, but got a list in the data field 'image'",
        ),
        (json!({ "image": to_url(b"") }), "0 bytes"),
        (json!({ "image": to_url(b"<html>") }), "file is a web page"),
    ] {
        let results = results(&client, CONFIG, &[bad, tasks[0].clone()]);
        assert!(
            results[0]["error"].as_str().unwrap().contains(message),
            "{}",
            results[0]
        );
        assert_eq!(results[1]["result"], together[0]["result"]);
    }
}

#[test]
fn explicit_labels_beat_labels_of_equal_names() {
    let classes = Settings::usual(Family::RtmdetRaw).classes;
    let map = |labels: &str, file: &[(&str, &str)]| {
        let config = format!(
            "<View><Image name=\"i\" value=\"$i\"/><RectangleLabels name=\"r\" toName=\"i\">{labels}</RectangleLabels></View>"
        );
        let config = LabelConfig::parse(&config).unwrap();
        let file = file
            .iter()
            .map(|(class, label)| ((*class).to_owned(), (*label).to_owned()));
        json!(label_map(
            config.control("r").unwrap(),
            &classes,
            &file.collect()
        ))
    };
    for (labels, file, expected) in [
        // A class that another label names belongs to that label, wherever it stands.
        (
            "<Label value=\"Vehicle\" predicted_values=\"car , truck\"/><Label value=\"Car\"/>",
            &[][..],
            json!({ "car": "Vehicle", "truck": "Vehicle" }),
        ),
        (
            "<Label value=\"Car\"/><Label value=\"Vehicle\" predicted_values=\"car,,truck,\"/>",
            &[],
            json!({ "car": "Vehicle", "truck": "Vehicle" }),
        ),
        // The file is explicit, too, and the label config more so.
        (
            "<Label value=\"Car\"/><Label value=\"Vehicle\"/><Label value=\"Bus\"/>",
            &[("car", "Vehicle"), ("bus", "Gone")],
            json!({ "car": "Vehicle", "bus": "Bus" }),
        ),
        (
            "<Label value=\"Car\" predicted_values=\"car\"/><Label value=\"Vehicle\"/>",
            &[("car", "Vehicle"), ("truck", "Vehicle")],
            json!({ "car": "Car", "truck": "Vehicle" }),
        ),
        // What the model does not know stays in the map, and does not keep the label from its own class.
        (
            "<Label value=\"CAR\" predicted_values=\"motor car\"/>",
            &[],
            json!({ "car": "CAR", "motor car": "CAR" }),
        ),
        // Of two labels that want one class the later gets it.
        (
            "<Label value=\"car\"/><Label value=\"CAR\"/>",
            &[],
            json!({ "car": "CAR" }),
        ),
        (
            "<Label value=\"A\" predicted_values=\"car\"/><Label value=\"B\" predicted_values=\"car\"/>\
             <Label value=\"\" predicted_values=\"bus\"/>",
            &[],
            json!({ "car": "B" }),
        ),
        (
            "<Label value=\"Lorry\"/><Label value=\"\"/>",
            &[],
            json!({}),
        ),
    ] {
        assert_eq!(map(labels, file), expected, "{labels}");
    }
}

/// The fixture `large.png` in pixels.
const LARGE: (u32, u32) = (300, 240);

#[test]
fn shapes_and_labels_apart_are_joined_by_their_id() {
    let pair = "<View><Image name=\"image\" value=\"$image\"/><Rectangle name=\"shape\" toName=\"image\" \
        model_score_threshold=\"0.7\"/><Labels name=\"kind\" toName=\"image\"><Label value=\"Airplane\"/>\
        <Label value=\"Car\"/><Label value=\"Light\" predicted_values=\"traffic light\"/></Labels></View>";
    let client = client();
    let tasks = [json!({ "image": data_url("large") })];
    let regions = results(&client, pair, &tasks)[0]["result"].take();
    let expected = results(&client, CONFIG, &tasks)[0]["result"].take();
    let (regions, expected) = (regions.as_array().unwrap(), expected.as_array().unwrap());
    assert!(!expected.is_empty());
    assert_eq!(regions.len(), 2 * expected.len());
    let mut ids = std::collections::BTreeSet::new();
    for (pair, expected) in regions.chunks(2).zip(expected) {
        let [shape, labels] = pair else {
            unreachable!()
        };
        assert_eq!(
            (&shape["from_name"], &shape["type"]),
            (&json!("shape"), &json!("rectangle"))
        );
        assert_eq!(
            (&labels["from_name"], &labels["type"]),
            (&json!("kind"), &json!("labels"))
        );
        assert_eq!(shape["id"], labels["id"]);
        assert!(ids.insert(shape["id"].to_string()));
        assert_eq!(
            labels["value"]["labels"],
            expected["value"]["rectanglelabels"]
        );
        assert!(shape["value"].get("labels").is_none());
        for field in ["x", "y", "width", "height"] {
            assert_eq!(shape["value"][field], expected["value"][field]);
            assert_eq!(labels["value"][field], expected["value"][field]);
        }
        assert_eq!(shape["score"], expected["score"]);
        for region in [shape, labels, expected] {
            let size = (&region["original_width"], &region["original_height"]);
            assert_eq!(size, (&json!(LARGE.0), &json!(LARGE.1)), "{region}");
            assert_eq!(region["image_rotation"], 0, "{region}");
            assert_eq!(region["value"]["rotation"], 0, "{region}");
        }
    }
    // A shape without labels on its image has nothing to say.
    let alone = pair.replace(
        "<Labels name=\"kind\" toName=\"image\">",
        "<Labels name=\"kind\" toName=\"other\">",
    );
    let alone = alone.replace("</View>", "<Image name=\"other\" value=\"$other\"/></View>");
    let (status, body) = post(&client, &alone, &tasks);
    assert_eq!(status, 500, "{body}");
}

#[test]
fn control_tags_choose_models_of_the_folder() {
    let client = client();
    let tasks = [json!({ "image": data_url("large") })];
    let with = |path: &str| CONFIG.replace("toName", &format!("model_path=\"{path}\" toName"));
    let of = |client: &label_studio_ml::testing::TestClient, config: &str| {
        results(client, config, &tasks)[0]["result"].take()
    };
    let other = serve("yolov3-raw.onnx", BTreeMap::new());
    assert_eq!(of(&client, &with("rtmdet-raw.pth")), of(&client, CONFIG));
    assert_eq!(of(&client, &with("yolov3-raw.onnx")), of(&other, CONFIG));
    for (path, message) in [
        ("../rtmdet-raw.onnx", "leads out of the folder of models"),
        ("/etc/passwd", "leads out of the folder of models"),
        ("missing.onnx", "there is no file"),
    ] {
        let (status, body) = post(&client, &with(path), &tasks);
        let detail = body["detail"].as_str().unwrap();
        assert!(status == 500 && detail.contains(message), "{body}");
        assert!(detail.contains("model of control tag \"label\""), "{body}");
    }
    // Tags may be left alone.
    let (status, body) = post(
        &client,
        &CONFIG.replace("toName", "model_skip=\"Yes\" toName"),
        &tasks,
    );
    assert_eq!(status, 500, "{body}");
}

#[test]
fn each_image_of_a_list_has_regions_of_its_own() {
    let client = client();
    let list = CONFIG.replace("value=\"$image\"", "valueList=\"$image\"");
    let names = ["wide", "large", "thin", "tall"];
    let result = results(&client, &list, &[json!({ "image": names.map(data_url) })]).remove(0);
    let mut expected = Vec::new();
    for (idx, name) in names.iter().enumerate() {
        let mut alone = results(&client, CONFIG, &[json!({ "image": data_url(name) })]).remove(0);
        for region in alone["result"].as_array_mut().unwrap() {
            expected.push((json!(idx), region["value"]["rectanglelabels"].take()));
        }
    }
    let regions = result["result"].as_array().unwrap().iter();
    let found: Vec<_> = regions
        .map(|region| {
            let labels = region["value"]["rectanglelabels"].clone();
            (region["item_index"].clone(), labels)
        })
        .collect();
    assert!(!found.is_empty());
    assert_eq!(found, expected);
}

#[test]
fn images_are_let_go_before_the_next_is_decoded() {
    let model = tiny_model("rtmdet-raw.onnx", PresignedUrls::default(), |_| {});
    let names = ["wide", "large", "thin", "tall"];
    let tasks = names.iter().cycle().take(12).map(|name| {
        let data = json!({ "image": data_url(name) });
        Task::new(data.as_object().unwrap().clone())
    });
    let request = PredictRequest::new(tasks.collect());
    let project = Project::in_memory(CONFIG).unwrap();
    assert_eq!(model.predict(&project, &request).unwrap().tasks.len(), 12);
    let n_pixels = |name: &&str| {
        let path = fixture(&format!("{name}.png"));
        let (width, height) = image::image_dimensions(path).unwrap();
        u64::from(width * height)
    };
    let largest = names.iter().map(n_pixels).max().unwrap();
    assert_eq!(model.batches.reader.budget.most_pixels(), largest);
}

#[test]
fn several_controls_have_thresholds_of_their_own() {
    let config = r#"<View><Image name="image" value="$image"/>
      <RectangleLabels name="all" toName="image" score_threshold="0.6"><Label value="Car"/><Label value="Airplane"/>
        <Label value="Traffic Light"/></RectangleLabels>
      <RectangleLabels name="sure" toName="image"><Label value="Car" model_score_threshold="0.95"/>
        <Label value="Airplane" model_score_threshold="2"/></RectangleLabels></View>"#;
    let result = results(&client(), config, &[json!({ "image": data_url("large") })]).remove(0);
    let regions = result["result"].as_array().unwrap();
    let of = |name: &str| {
        regions
            .iter()
            .filter(|region| region["from_name"] == name)
            .collect::<Vec<_>>()
    };
    assert!(!of("all").is_empty());
    for region in of("sure") {
        assert_eq!(region["value"]["rectanglelabels"][0], "Car");
        assert!(region["score"].as_f64().unwrap() >= 0.95);
    }
}

#[test]
fn label_configs_that_do_not_fit_are_refused() {
    let text = "<View><Text name=\"t\" value=\"$t\"/><Labels name=\"l\" toName=\"t\"><Label value=\"Car\"/></Labels></View>";
    for (config, message) in [
        (
            text.to_owned(),
            "the label config needs a RectangleLabels on an Image",
        ),
        (
            CONFIG.replace("0.7", "high"),
            "model_score_threshold=\"high\" in <RectangleLabels name=\"label\"> is not a number",
        ),
    ] {
        let (status, body) = post(&client(), &config, &[json!({ "image": data_url("wide") })]);
        assert_eq!(status, 500);
        assert!(body["detail"].as_str().unwrap().contains(message), "{body}");
    }
}

#[test]
fn models_that_cannot_serve_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let whole = fs::read(fixture("rtmdet-raw.onnx")).unwrap();
    // Neither is a detector; the outputs of the first look like RTMDet's.
    let other = |name: &str| {
        let folder = "../../crates/label-studio-inference/tests/fixtures";
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(folder)
            .join(name);
        fs::read(path).unwrap()
    };
    let (doubler, types) = (other("double.onnx"), other("types.onnx"));
    let error = |model: &[u8], settings: &str| {
        fs::write(&path, model).unwrap();
        fs::write(path.with_extension("toml"), settings).unwrap();
        detector(&path)
            .err()
            .map(|error| format!("{error:#}"))
            .unwrap_or_default()
    };
    for (model, settings, message) in [
        (&whole[..whole.len() / 2], "", "truncated"),
        (&b""[..], "", "it is empty"),
        (&b"PK\x03\x04"[..], "", "it is a PyTorch checkpoint"),
        (&doubler, "", "its input is images float32 [?, 3, 2]"),
        (&types, "", "is no detector that is known"),
        (&whole, "family = \"mmdeploy\"", "has no output dets"),
        (&whole, "family = \"ssd\"", "unknown variant"),
        (
            &whole,
            "input_size = [0, 0]",
            "sides from 32 to 8192 are possible",
        ),
        (&whole, "size = 3", "unknown field"),
        (&whole, "classes = []", "classes must not be empty"),
    ] {
        let error = error(model, settings);
        assert!(error.contains(message), "{settings}: {error}");
    }
    // The family is told by the outputs; the classes are COCO's then, which this network does not have.
    assert_eq!(error(&whole, ""), "");
    let wrong = detector(&path).unwrap();
    let image = wrong.prepare(&label_studio_vision::images::RgbImage::new(10, 10));
    let error = format!("{:#}", wrong.detect(&[image], 0.5).remove(0).unwrap_err());
    assert!(
        error.contains("numbers per point where 80 classes and 4 distances are expected"),
        "{error}"
    );
}
