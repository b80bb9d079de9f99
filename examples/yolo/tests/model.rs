//! What label configs ask for, and what goes wrong.

mod support;

use std::{fs, os::unix::fs::symlink};

use label_studio_ml::{Model, PredictRequest, Project, Task, Value, json};
use support::{TinyModel, data_url, fixture, predict, tiny_yolo, to_url};

const BOXES: &str = r#"<View><Image name="image" value="$image"/>
  <RectangleLabels name="label" toName="image" model_path="detect.onnx" ATTRIBUTES>
    <Label value="Animal" predicted_values="Persian_cat, dog"/><Label value="PERSON"/>
    <Label value="Light" predicted_values="traffic light"/><Label value="Car" predicted_values="car"/>
  </RectangleLabels></View>"#;

fn boxes(attributes: &str) -> String {
    BOXES.replace("ATTRIBUTES", attributes)
}

fn detect() -> TinyModel {
    TinyModel::new(&[("detect.onnx", "tiny-detect.onnx")])
}

fn labels(regions: &[Value]) -> Vec<&str> {
    let labels = regions
        .iter()
        .map(|region| region["value"]["rectanglelabels"][0].as_str().unwrap());
    let mut labels: Vec<_> = labels.collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

#[test]
fn thresholds_below_a_quarter_count() {
    let model = detect();
    let n_regions = |threshold: &str| {
        let config = boxes(&format!("model_score_threshold=\"{threshold}\""));
        predict(&model, &config, "wide").len()
    };
    let counts: Vec<_> = ["0.95", "0.5", "0.25", "0.05", "0"].map(n_regions).to_vec();
    assert!(counts.is_sorted() && counts[2] < counts[3], "{counts:?}");
    assert!(counts[4] <= 300, "{counts:?}");
}

#[test]
fn the_threshold_has_an_alias_a_default_and_an_override_per_label() {
    let model = TinyModel::with(&[("detect.onnx", "tiny-detect.onnx")], |_, options| {
        options.score_threshold = 1.0;
    });
    let count = |config: &str| predict(&model, config, "wide").len();
    let all = count(&boxes("model_score_threshold=\"0.3\""));
    assert!(all > 0);
    let anything = count(&boxes("model_score_threshold=\"0\""));
    assert_eq!(count(&boxes("model_score_threshold=\" -1e0 \"")), anything);
    assert_eq!(count(&boxes("model_score_threshold=\"inf\"")), 0);
    assert_eq!(count(&boxes("")), 0);
    assert_eq!(count(&boxes("score_threshold=\"0.3\"")), all);
    assert_eq!(
        count(&boxes("model_score_threshold=\"\" score_threshold=\"0.3\"")),
        all
    );
    assert_eq!(
        count(&boxes(
            "model_score_threshold=\"0.3\" score_threshold=\"1\""
        )),
        all
    );
    let regions = predict(&model, &boxes("model_score_threshold=\"0.3\""), "wide");
    let config = boxes("").replace(
        "value=\"Light\"",
        "value=\"Light\" model_score_threshold=\"0.3\"",
    );
    let lights = predict(&model, &config, "wide");
    let expected: Vec<_> = regions
        .iter()
        .filter(|region| region["value"]["rectanglelabels"][0] == "Light")
        .collect();
    assert_eq!(lights.iter().collect::<Vec<_>>(), expected);
    assert!(!lights.is_empty());
}

#[test]
fn labels_collect_classes_in_any_case() {
    let regions = predict(&detect(), &boxes("model_score_threshold=\"0.01\""), "wide");
    for label in labels(&regions) {
        assert!(
            ["Animal", "Car", "Light", "PERSON"].contains(&label),
            "{label}"
        );
    }
    let scores: Vec<_> = regions
        .iter()
        .map(|region| region["score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
}

const SEVERAL: &str = r#"<View>
  <Image name="first" value="$image"/><Image name="second" value="$other"/>
  <RectangleLabels name="boxes" toName="first" model_path="detect.pt" model_score_threshold="0.4"><Label value="car"/>
    <Label value="person"/><Label value="traffic light"/><Label value="Persian_cat"/></RectangleLabels>
  <RectangleLabels name="skipped" toName="first" model_skip="Yes"><Label value="car"/></RectangleLabels>
  <RectangleLabels name="unknown" toName="first" model_path="detect.pt"><Label value="submarine"/></RectangleLabels>
  <Choices name="kind" toName="second" model_path="nested/classify.onnx" model_score_threshold="0">
    <Choice value="Vehicle" predicted_values="car"/><Choice value="Person"/></Choices>
  <BrushLabels name="masks" toName="second" model_path="segment.pt" model_score_threshold="0.1"><Label value="car"/>
    <Label value="person"/><Label value="traffic light"/><Label value="Persian_cat"/></BrushLabels>
  <PolygonLabels name="outlines" toName="second" model_path="segment.onnx" model_score_threshold="0.9"><Label value="car"/>
    <Label value="person"/><Label value="traffic light"/><Label value="Persian_cat"/></PolygonLabels>
</View>"#;

#[test]
fn several_controls_share_a_task() {
    let model = TinyModel::new(&[
        ("detect.onnx", "tiny-detect.onnx"),
        ("segment.onnx", "tiny-segment.onnx"),
        ("nested/classify.onnx", "tiny-classify.onnx"),
    ]);
    let data = json!({ "image": data_url("wide"), "other": data_url("tall") });
    let result = &model.results(SEVERAL, &[data])[0];
    let regions = result["result"].as_array().unwrap();
    let order: Vec<_> = regions
        .iter()
        .map(|region| region["from_name"].as_str().unwrap())
        .collect();
    let mut controls = order.clone();
    controls.dedup();
    assert_eq!(controls, ["boxes", "kind", "masks", "outlines"]);
    for region in regions {
        let object = if region["from_name"] == "boxes" {
            "first"
        } else {
            "second"
        };
        assert_eq!(region["to_name"], object);
        if region["from_name"] == "masks" {
            assert_eq!(region["id"].as_str().unwrap().len(), 9);
            assert_eq!(
                (&region["original_width"], &region["image_rotation"]),
                (&json!(50), &json!(0))
            );
        }
        if region["from_name"] == "outlines" {
            assert_eq!(region["value"]["closed"], true);
            assert!(region["score"].as_f64().unwrap() >= 0.9);
        }
    }
    let sum: f64 = regions
        .iter()
        .map(|region| region["score"].as_f64().unwrap())
        .sum();
    let mean = sum / f64::from(u32::try_from(regions.len()).unwrap());
    assert!((result["score"].as_f64().unwrap() - mean).abs() < 1e-9);
}

#[test]
fn a_batch_gives_what_its_tasks_give_alone() {
    let model = detect();
    let config = boxes("model_score_threshold=\"0.3\"");
    let names = [
        "wide", "tall", "grey", "wide", "flat", "deep", "rgba", "turned", "wide", "thin",
    ];
    let tasks: Vec<_> = names
        .iter()
        .map(|name| json!({ "image": data_url(name) }))
        .collect();
    for (name, result) in names.iter().zip(model.results(&config, &tasks)) {
        let alone = predict(&model, &config, name);
        let together = result["result"].as_array().unwrap();
        assert_eq!(together.len(), alone.len(), "{name}");
        for (a, b) in together.iter().zip(&alone) {
            let gap = (a["score"].as_f64().unwrap() - b["score"].as_f64().unwrap()).abs();
            assert!(gap < 1e-5, "{name}: {a} {b}");
        }
    }
}

#[test]
fn each_image_of_a_list_has_regions_of_its_own() {
    let model = TinyModel::new(&[
        ("detect.onnx", "tiny-detect.onnx"),
        ("pose.onnx", "tiny-pose.onnx"),
    ]);
    let config = boxes("model_score_threshold=\"0.3\"");
    let list = config.replace("value=\"$image\"", "valueList=\"$image\"");
    let names = ["wide", "tall", "deep"];
    let urls = names.map(data_url);
    let result = model.results(&list, &[json!({ "image": urls })]).remove(0);
    let mut expected = Vec::new();
    for (idx, name) in names.iter().enumerate() {
        for mut region in predict(&model, &config, name) {
            region["item_index"] = json!(idx);
            expected.push(region);
        }
    }
    assert!(expected.len() > 3);
    let regions = result["result"].as_array().unwrap();
    assert_eq!(regions.len(), expected.len());
    for (region, expected) in regions.iter().zip(&expected) {
        for field in ["from_name", "to_name", "item_index"] {
            assert_eq!(region[field], expected[field]);
        }
        assert_eq!(
            region["value"]["rectanglelabels"],
            expected["value"]["rectanglelabels"]
        );
    }

    let points = "<View><Image name=\"image\" valueList=\"$image\"/><KeyPointLabels name=\"points\" toName=\"image\" \
        model_path=\"pose.onnx\" model_score_threshold=\"0.3\"><Label value=\"person\"/><Label value=\"car\"/>\
        <Label value=\"x\" predicted_values=\"traffic light,Persian_cat\"/></KeyPointLabels></View>";
    let result = model.results(points, &[json!({ "image": [urls[0], urls[0]] })]);
    let regions = result[0]["result"].as_array().unwrap().iter();
    let ids: Vec<_> = regions
        .map(|region| region["id"].as_str().unwrap())
        .collect();
    let (first, second) = ids.split_at(ids.len() / 2);
    assert_eq!(first[0], "bbox-0");
    let renamed: Vec<_> = first.iter().map(|id| format!("1-{id}")).collect();
    assert_eq!(renamed, second);

    // An entry that is no address costs its task, and a plain image tag takes no list.
    for (config, data) in [
        (&list, json!({ "image": [urls[0], 7] })),
        (&config, json!({ "image": urls })),
    ] {
        let results = model.results(config, &[data, json!({ "image": urls[0] })]);
        let error = results[0]["error"].as_str().unwrap();
        assert!(
            error.contains("Path should be a string, but got a"),
            "{error}"
        );
        assert!(!results[1]["result"].as_array().unwrap().is_empty());
    }
}

#[test]
fn images_are_let_go_before_the_next_is_decoded() {
    let root = tempfile::tempdir().unwrap();
    let files = [
        ("detect.onnx", "tiny-detect.onnx"),
        ("classify.onnx", "tiny-classify.onnx"),
    ];
    let model = tiny_yolo(root.path(), &files, |_, options| options.batch_size = 16);
    let choices = "<Choices name=\"kind\" toName=\"image\" model_path=\"classify.onnx\"><Choice value=\"car\"/></Choices></View>";
    let config = boxes("").replace("</View>", choices);
    let project = Project::in_memory(&config).unwrap();
    let names = ["wide", "tall", "deep", "flat", "thin"];
    let tasks = names.iter().cycle().take(12).map(|name| {
        let data = json!({ "image": data_url(name) });
        Task::new(data.as_object().unwrap().clone())
    });
    let request = PredictRequest::new(tasks.collect());
    let predictions = model.predict(&project, &request).unwrap();
    assert_eq!(predictions.tasks.len(), 12);
    let n_pixels = |name: &&str| {
        let path = fixture(&format!("images/{name}.png"));
        let (width, height) = image::image_dimensions(path).unwrap();
        u64::from(width * height)
    };
    let largest = names.iter().map(n_pixels).max().unwrap();
    assert_eq!(model.batches.reader.budget.most_pixels(), largest);
}

#[test]
fn a_broken_image_costs_its_task_only() {
    let good = json!({ "image": data_url("wide") });
    let mut bomb = fs::read(fixture("images/wide.png")).unwrap();
    bomb[16..20].copy_from_slice(&30_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&30_000_u32.to_be_bytes());
    let html = to_url(b"<html>Log in</html>");
    let cases = [
        (
            json!({ "other": 1 }),
            "Can't load path using key 'image' from task 1: its data has only other",
        ),
        (
            json!({ "image": 5 }),
            "Path should be a string, but got a number in the data field 'image'",
        ),
        (
            json!({ "image": ["a"] }),
            "Path should be a string, but got a list in the data field 'image'",
        ),
        (json!({ "image": to_url(b"") }), "0 bytes"),
        (
            json!({ "image": html }),
            "file is a web page (does its address ask for a login?)",
        ),
        (json!({ "image": to_url(&bomb) }), "image"),
        (json!({ "image": "/data/local-files/?d=missing.png" }), ""),
        (json!({ "image": "/etc/passwd" }), ""),
    ];
    let model = detect();
    let config = boxes("model_score_threshold=\"0.3\"");
    for (bad, message) in cases {
        let results = model.results(&config, &[bad.clone(), good.clone()]);
        let error = results[0]["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{bad}: {}", results[0]));
        assert!(error.contains(message), "{error}");
        assert!(
            !results[1]["result"].as_array().unwrap().is_empty(),
            "{bad}"
        );
    }
}

#[test]
fn data_without_a_field_name_is_found() {
    let results = detect().results(
        &boxes("model_score_threshold=\"0.3\""),
        &[json!({ "$undefined$": data_url("wide") })],
    );
    assert!(!results[0]["result"].as_array().unwrap().is_empty());
}

#[test]
fn models_that_cannot_serve_are_named() {
    let model = TinyModel::new(&[
        ("detect.onnx", "tiny-detect.onnx"),
        ("obb.onnx", "tiny-obb.onnx"),
        ("classify.onnx", "tiny-classify.onnx"),
        ("segment.onnx", "tiny-segment.onnx"),
    ]);
    let root = model.root.path();
    let whole = fs::read(root.join("detect.onnx")).unwrap();
    fs::write(root.join("truncated.onnx"), &whole[..whole.len() / 2]).unwrap();
    fs::write(root.join("empty.onnx"), b"").unwrap();
    fs::write(
        root.join("checkpoint.onnx"),
        b"PK\x03\x04 a PyTorch archive",
    )
    .unwrap();
    // The same network under the names of other classes.
    let three = replaced(
        &whole,
        b"{0: 'person', 1: 'car', 2: 'traffic light', 3: 'Persian_cat'}",
        b"{0: 'person', 1: 'car', 2: 'traffic light and a Persian_cat'}",
    );
    fs::write(root.join("classes.onnx"), three).unwrap();
    let plain = replaced(&whole, b"\x0a\x04task", b"\x0a\x04tusk");
    fs::write(root.join("foreign.onnx"), plain).unwrap();
    let outside = tempfile::NamedTempFile::new().unwrap();
    symlink(outside.path(), root.join("link.onnx")).unwrap();
    for (attributes, message) in [
        ("truncated.onnx", "truncated"),
        ("empty.onnx", "it is empty"),
        ("checkpoint.onnx", "it is a PyTorch checkpoint"),
        (
            "classes.onnx",
            "8 numbers per box where 7 are expected for the 3 classes that its metadata names",
        ),
        ("foreign.onnx", "it has no metadata field task"),
        (
            "missing.pt",
            "run `yolo export model=missing.pt format=onnx dynamic=True`",
        ),
        (
            "$(touch x/).pt",
            "run `yolo export model=NAME.pt format=onnx dynamic=True`",
        ),
        (
            "classify.onnx",
            "is a model for the task classify, but <RectangleLabels name=\"label\"> needs one for detect",
        ),
        ("obb.onnx", "or the attribute model_obb=\"true\""),
        (
            "detect.onnx\" model_obb=\"true",
            "or no attribute model_obb=\"true\"",
        ),
        ("../secret.onnx", "leads out of the folder of models"),
        ("/etc/passwd", "leads out of the folder of models"),
        ("link.onnx", "is a link out of the folder of models"),
    ] {
        let config = BOXES
            .replace("detect.onnx", attributes)
            .replace("ATTRIBUTES", "");
        let error = model.error(&config, &[json!({ "image": data_url("wide") })]);
        assert!(error.contains(message), "{attributes}: {error}");
    }
    let config = boxes("model_score_threshold=\"many\"");
    let error = model.error(&config, &[json!({ "image": data_url("wide") })]);
    assert!(
        error.contains("attribute model_score_threshold of <RectangleLabels name=\"label\">"),
        "{error}"
    );
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let position = bytes
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    let mut bytes = bytes.to_vec();
    bytes[position..position + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn a_replaced_file_is_loaded_anew() {
    let model = detect();
    let path = model.root.path().join("detect.onnx");
    let config = boxes("model_score_threshold=\"0.3\"");
    assert!(!predict(&model, &config, "wide").is_empty());
    fs::copy(fixture("tiny-classify.onnx"), &path).unwrap();
    let error = model.error(&config, &[json!({ "image": data_url("wide") })]);
    assert!(
        error.contains("is a model for the task classify"),
        "{error}"
    );
}

#[test]
fn custom_models_can_be_forbidden() {
    let model = TinyModel::with(
        &[
            ("yolov8m.onnx", "tiny-detect.onnx"),
            ("detect.onnx", "tiny-classify.onnx"),
        ],
        |files, _| files.allows_model_path = false,
    );
    assert!(!predict(&model, &boxes("model_score_threshold=\"0.3\""), "wide").is_empty());
}

#[test]
fn label_configs_without_a_suitable_control_are_refused() {
    let model = detect();
    for config in [
        "<View><Text name=\"t\" value=\"$t\"/><Choices name=\"c\" toName=\"t\"><Choice value=\"car\"/></Choices></View>".to_owned(),
        boxes("model_skip=\"true\""),
        boxes("").replace("predicted_values", "other").replace("PERSON", "Nothing").replace("value=\"Car\"", "value=\"Lorry\""),
    ] {
        let error = model.error(&config, &[json!({ "image": data_url("wide") })]);
        assert!(error.contains("No suitable control tags"), "{error}");
    }
}

#[test]
fn a_taxonomy_gets_paths_and_choices_only_what_is_enough() {
    let model = TinyModel::new(&[("yolov8n-cls.onnx", "tiny-classify.onnx")]);
    let taxonomy = "<View><Image name=\"image\" value=\"$image\"/><Taxonomy name=\"t\" toName=\"image\" \
        model_score_threshold=\"0\"><Choice value=\"Things\"><Choice value=\"Vehicle\" predicted_values=\"car\"/></Choice>\
        </Taxonomy></View>";
    let regions = predict(&model, taxonomy, "wide");
    assert_eq!(regions[0]["type"], "taxonomy");
    assert_eq!(
        regions[0]["value"],
        json!({ "taxonomy": [["Things", "Vehicle"]] })
    );
    let several = |threshold: &str| {
        format!(
            "<View><Image name=\"image\" value=\"$image\"/><Choices name=\"c\" toName=\"image\" choice=\"multiple\" \
             model_score_threshold=\"{threshold}\"><Choice value=\"One\" predicted_values=\"person,car\"/>\
             <Choice value=\"Two\" predicted_values=\"traffic light\"/></Choices></View>"
        )
    };
    let regions = predict(&model, &several("0"), "wide");
    assert_eq!(regions[0]["value"], json!({ "choices": ["One", "Two"] }));
    // No class is that sure, so there is no region rather than one without choices.
    assert!(predict(&model, &several("1.5"), "wide").is_empty());
}

#[test]
fn boxes_around_key_points_have_labels_and_ids_of_their_own() {
    let points = |name: &str| {
        format!(
            "<RectangleLabels name=\"{name}_bbox\" toName=\"image\" model_skip=\"true\">\
             <Label value=\"Human\" predicted_values=\"person,car,traffic light,Persian_cat\"/></RectangleLabels>\
             <KeyPointLabels name=\"{name}\" toName=\"image\" model_path=\"pose.onnx\" model_score_threshold=\"0.3\" \
             model_point_size=\"6\"><Label value=\"nose\" predicted_values=\"person,car,traffic light,Persian_cat\" \
             model_index=\"0\"/><Label value=\"lost\" predicted_values=\"person\"/></KeyPointLabels>"
        )
    };
    let config = format!(
        "<View><Image name=\"image\" value=\"$image\"/>{}{}</View>",
        points("a"),
        points("b")
    );
    let model = TinyModel::new(&[("pose.onnx", "tiny-pose.onnx")]);
    let regions = predict(&model, &config, "wide");
    let ids: Vec<_> = regions
        .iter()
        .filter_map(|region| region["id"].as_str())
        .collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert!(ids.len() == unique.len() && ids.len() >= 4, "{ids:?}");
    assert!(
        ids.contains(&"bbox-0") && ids.contains(&"b-bbox-0"),
        "{ids:?}"
    );
    for region in &regions {
        let value = &region["value"];
        if region["type"] == "rectanglelabels" {
            assert_eq!(value["rectanglelabels"], json!(["Human"]));
        } else {
            assert_eq!(value["keypointlabels"], json!(["nose"]));
            assert_eq!(value["width"], 5.0);
            assert_eq!(region["meta"]["text"][0], region["parentID"]);
        }
    }
}

#[test]
fn key_points_without_a_number_leave_the_boxes() {
    let config = |label: &str, attributes: &str| {
        format!(
            "<View><Image name=\"image\" value=\"$image\"/><KeyPointLabels name=\"points\" toName=\"image\" \
             model_path=\"pose.onnx\" model_score_threshold=\"0.3\" {attributes}><Label value=\"person\" {label}/>\
             <Label value=\"car\"/></KeyPointLabels></View>"
        )
    };
    let model = TinyModel::new(&[("pose.onnx", "tiny-pose.onnx")]);
    for label in [
        "",
        "predicted_values=\"person\"",
        "predicted_values=\"person\" model_index=\"\"",
        "predicted_values=\"person\" model_index=\"nose\"",
        "predicted_values=\"person\" model_index=\"-1\"",
        "predicted_values=\"person\" model_index=\"17\"",
    ] {
        let regions = predict(&model, &config(label, ""), "wide");
        assert!(!regions.is_empty(), "{label}");
        for region in &regions {
            assert_eq!(region["from_name"], "points_bbox", "{label}: {region}");
        }
        // A switch that is set to nothing is off.
        let regions = predict(&model, &config(label, "model_add_bboxes=\"\""), "wide");
        assert!(regions.is_empty(), "{label}: {regions:?}");
    }
}
