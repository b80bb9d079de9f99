//! The backend behind the whole server: prompts typed and remembered, labels, thresholds, bad
//! input.

mod support;

use std::{fs, path::Path};

use label_studio_ml::{Value, json, testing::TestClient};
use label_studio_testing::{check_ids, check_interactive_results, images};
use label_studio_vision::models::grounding_dino::{Detector, DetectorOptions, Thresholds};
use support::{LABEL_CONFIG, backend, data_url, fixture, predict_body, runtime, to_url, typed};

const SURE: Thresholds = Thresholds {
    box_score: 0.5,
    token_score: 0.4,
};

fn predict(client: &TestClient, request: &Value) -> Vec<Value> {
    let (status, answer) = client.post("/predict", request);
    assert_eq!(status, 200, "{answer}");
    let results = answer["results"].as_array().unwrap();
    let label_config = request["label_config"].as_str().unwrap();
    check_interactive_results(label_config, &answer["results"]);
    check_ids(&answer["results"]);
    results.clone()
}

fn webhook(client: &TestClient, action: &str, regions: &Value) -> Value {
    let body = json!({
        "action": action,
        "project": { "id": 1, "label_config": LABEL_CONFIG },
        "task": { "id": 1, "data": {} },
        "annotation": { "id": 7, "result": regions },
    });
    let (status, body) = client.post("/webhook", &body);
    assert_eq!(status, 201, "{body}");
    body
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap())
}

fn types(result: &Value) -> Vec<&str> {
    let regions = result["result"].as_array().unwrap();
    regions
        .iter()
        .map(|region| region["type"].as_str().unwrap())
        .collect()
}

#[test]
fn without_a_prompt_nothing_is_looked_for() {
    let client = backend(SURE);
    let image = data_url("wide.png");
    let others = json!({ "result": [
        { "from_name": "label", "to_name": "image", "type": "rectanglelabels", "value": { "x": 1 } },
        { "from_name": "notes", "to_name": "image", "type": "textarea", "value": { "text": ["cat"] } },
    ] });
    for context in [Value::Null, json!({}), typed(""), typed(" . "), others] {
        assert_eq!(
            predict(
                &client,
                &predict_body(std::slice::from_ref(&image), Some(&context))
            ),
            [Value::Null; 0]
        );
    }
    assert_eq!(
        predict(&client, &predict_body(&[], Some(&typed("cat")))),
        [Value::Null; 0]
    );
}

#[test]
fn a_typed_prompt_gives_labelled_rectangles_and_nothing_else() {
    let client = backend(SURE);
    let results = predict(
        &client,
        &predict_body(&[data_url("wide.png")], Some(&typed("Cat"))),
    );
    let result = &results[0];
    assert_eq!(result["model_version"], "0.0.1");
    let regions = result["result"].as_array().unwrap();
    assert!(!regions.is_empty());
    let mut sum = 0.0;
    for region in regions {
        assert_eq!(region["type"], "rectanglelabels");
        assert_eq!(
            (&region["from_name"], &region["to_name"]),
            (&json!("label"), &json!("image"))
        );
        assert_eq!(
            (&region["original_width"], &region["original_height"]),
            (&json!(100), &json!(60))
        );
        assert_eq!(region["image_rotation"], 0);
        assert_eq!(region["value"]["rotation"], 0);
        assert_eq!(region["value"]["rectanglelabels"], json!(["cats"]));
        assert!(region["score"].as_f64().unwrap() > 0.5);
        assert!(region["id"].as_str().unwrap().len() > 8);
        sum += region["score"].as_f64().unwrap();
    }
    let mean = sum / count(regions.len());
    assert!((result["score"].as_f64().unwrap() - mean).abs() < 1e-9);
}

#[test]
fn the_size_is_that_of_the_upright_image() {
    let client = backend(SURE);
    let results = predict(
        &client,
        &predict_body(&[data_url("turned.jpg")], Some(&typed("cat"))),
    );
    let region = &results[0]["result"][0];
    assert_eq!(
        (&region["original_width"], &region["original_height"]),
        (&json!(300), &json!(480))
    );
}

#[test]
fn phrases_become_the_labels_that_they_name() {
    let client = backend(Thresholds {
        box_score: 0.05,
        token_score: 0.02,
    });
    let labels = |typed_text: &str| {
        let body = predict_body(&[data_url("wide.png")], Some(&typed(typed_text)));
        let results = predict(&client, &body);
        let regions = results[0]["result"].as_array().unwrap().clone();
        assert!(!regions.is_empty());
        regions
            .into_iter()
            .map(|region| {
                region["value"]["rectanglelabels"][0]
                    .as_str()
                    .map(str::to_owned)
            })
            .collect::<Vec<_>>()
    };
    assert!(
        labels("house")
            .iter()
            .all(|label| label.as_deref() == Some("house"))
    );
    assert!(
        labels("CATS")
            .iter()
            .all(|label| label.as_deref() == Some("cats"))
    );
    assert!(
        labels("brown dog_cats")
            .iter()
            .all(|label| label.as_deref() == Some("cats"))
    );
    assert!(labels("dog").iter().all(Option::is_none), "no label fits");
    let mixed = labels("cat. house. dog");
    assert!(
        mixed
            .iter()
            .flatten()
            .all(|label| label == "cats" || label == "house")
    );
}

#[test]
fn an_annotation_is_remembered_for_other_tasks() {
    let client = backend(Thresholds {
        box_score: 0.9999,
        token_score: 0.4,
    });
    let regions = json!([
        { "from_name": "label", "to_name": "image", "type": "rectanglelabels", "value": {} },
        { "from_name": "prompt", "to_name": "image", "type": "textarea", "value": { "text": ["cat"] } },
        { "from_name": "box_threshold_1", "to_name": "image", "type": "number", "value": { "number": 0.5 } },
    ]);
    webhook(&client, "ANNOTATION_CREATED", &regions);
    let results = predict(
        &client,
        &predict_body(&[data_url("wide.png"), data_url("line.png")], None),
    );
    assert_eq!(results.len(), 2);
    for result in &results {
        let n_regions = types(result).len();
        assert!(n_regions > 2, "the threshold of the annotation holds");
        assert_eq!(types(result)[n_regions - 2..], ["textarea", "number"]);
        let echo = &result["result"].as_array().unwrap()[n_regions - 2..];
        assert_eq!(echo[0]["value"], json!({ "text": ["cat"] }));
        assert_eq!(echo[1]["value"], json!({ "number": 0.5 }));
        assert_eq!(
            (&echo[1]["from_name"], &echo[1]["to_name"]),
            (&json!("box_threshold_1"), &json!("image"))
        );
        assert!(echo[0]["id"].is_string() && echo[0].get("score").is_none());
        let scores: Vec<_> = result["result"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|region| region["score"].as_f64())
            .collect();
        let mean = scores.iter().sum::<f64>() / count(scores.len());
        assert!((result["score"].as_f64().unwrap() - mean).abs() < 1e-9);
    }

    // An annotation without prompt changes nothing.
    webhook(&client, "ANNOTATION_UPDATED", &json!([]));
    let again = predict(&client, &predict_body(&[data_url("wide.png")], None));
    assert_eq!(again[0]["score"], results[0]["score"]);
    // One with a prompt alone has the default thresholds.
    webhook(&client, "ANNOTATION_UPDATED", &typed("cat")["result"]);
    let results = predict(&client, &predict_body(&[data_url("wide.png")], None));
    assert_eq!(types(&results[0]), ["textarea", "number"]);
    assert_eq!(results[0]["result"][1]["value"]["number"], 0.9999);
}

#[test]
fn what_was_just_typed_counts_alone() {
    let client = backend(SURE);
    let number = |number: Value| json!({ "from_name": "box_threshold_1", "to_name": "image", "type": "number", "value": { "number": number } });
    let mut sure = typed("cat");
    sure["result"]
        .as_array_mut()
        .unwrap()
        .push(number(json!(0.99999)));
    webhook(&client, "ANNOTATION_CREATED", &sure["result"]);
    let n_regions = |context: &Value| {
        let body = predict_body(&[data_url("wide.png")], Some(context));
        let results = predict(&client, &body);
        results.first().map(|result| {
            assert!(types(result).iter().all(|kind| *kind == "rectanglelabels"));
            types(result).len()
        })
    };
    // The remembered threshold is not that of a prompt that was typed without one, and 0 counts as
    // none.
    let by_default = n_regions(&typed("cat")).unwrap();
    assert!(by_default > 0);
    for (entered, expected) in [
        (json!(0), by_default),
        (json!(null), by_default),
        (json!(0.99999), 0),
        (json!("0.99999"), 0),
    ] {
        let mut context = typed("cat");
        context["result"]
            .as_array_mut()
            .unwrap()
            .push(number(entered));
        assert_eq!(n_regions(&context), Some(expected), "{context}");
    }
    // Nothing typed is no reason to look for what was typed elsewhere.
    assert_eq!(n_regions(&json!({ "result": [] })), None);
}

#[test]
fn a_text_that_names_no_control_is_the_prompt_where_there_is_no_other() {
    let client = backend(SURE);
    let results = |context: &Value| {
        let body = predict_body(&[data_url("wide.png")], Some(context));
        let mut results = predict(&client, &body);
        for region in results[0]["result"].as_array_mut().unwrap() {
            region["id"] = Value::Null;
        }
        results
    };
    let expected = results(&typed("house"));
    for from_name in [json!("renamed"), json!(null)] {
        let mut context = typed("house");
        context["result"][0]["from_name"] = from_name.clone();
        assert_eq!(results(&context), expected);
        let mut other = typed("cat");
        other["result"][0]["from_name"] = from_name;
        let regions = other["result"].as_array_mut().unwrap();
        regions.push(typed("house")["result"][0].clone());
        assert_eq!(
            results(&other),
            expected,
            "the prompt's own text goes before"
        );
    }
}

#[test]
fn other_events_change_nothing() {
    let client = backend(SURE);
    let regions = json!([{ "from_name": "prompt", "to_name": "image", "type": "textarea", "value": { "text": ["cat"] } }]);
    webhook(&client, "ANNOTATION_DELETED", &regions);
    assert_eq!(
        predict(&client, &predict_body(&[data_url("wide.png")], None)),
        [Value::Null; 0]
    );
}

#[test]
fn a_task_that_fails_leaves_the_others_alone() {
    let client = backend(SURE);
    let address = |name: &str| match fs::read(images::folder().join(name)) {
        Ok(bytes) => to_url(&bytes),
        Err(_) => name.to_owned(),
    };
    let unusable = images::UNUSABLE.map(|(name, _)| address(name));
    let usable = images::USABLE.map(address);
    let blank = ["   ".to_owned()];
    let images = [&usable[..], &unusable, &blank, &usable].concat();
    let results = predict(&client, &predict_body(&images, Some(&typed("cat"))));
    assert_eq!(results.len(), images.len());
    let (first, rest) = results.split_at(usable.len());
    let (failed, last) = rest.split_at(rest.len() - usable.len());
    for result in first.iter().chain(last) {
        assert!(result["result"].is_array(), "{result}");
    }
    let expected = images::UNUSABLE.iter().map(|(_, expected)| *expected);
    let expected = expected.chain(["Can't load path using key 'image'"]);
    assert_eq!(failed.len(), images::UNUSABLE.len() + 1);
    for (result, expected) in failed.iter().zip(expected) {
        let error = result["error"].as_str().unwrap();
        assert!(error.contains(expected), "{error}");
    }

    let (status, body) = client.post(
        "/predict",
        &predict_body(&[to_url(b"no image")], Some(&typed("cat"))),
    );
    assert_eq!(status, 500);
    assert!(
        body["detail"].as_str().unwrap().contains("not an image"),
        "{body}"
    );
}

#[test]
fn a_label_config_without_the_controls_is_named() {
    let client = backend(SURE);
    let refusal = |label_config: &str| {
        let mut body = predict_body(&[data_url("wide.png")], Some(&typed("cat")));
        body["label_config"] = label_config.into();
        let (status, body) = client.post("/predict", &body);
        assert!(status >= 400, "{body}");
        body["detail"].as_str().unwrap().to_owned()
    };
    let only_text = r#"<View><Image name="image" value="$image"/><TextArea name="prompt" toName="image"/></View>"#;
    assert!(refusal(only_text).contains("RectangleLabels"));
    let only_labels = r#"<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image"><Label value="a"/></RectangleLabels></View>"#;
    assert!(refusal(only_labels).contains("TextArea"));
}

#[test]
fn a_threshold_that_is_no_score_is_named() {
    let client = backend(SURE);
    let mut context = typed("cat");
    context["result"].as_array_mut().unwrap().push(json!(
        { "from_name": "box_threshold_1", "to_name": "image", "type": "number", "value": { "number": 30 } }
    ));
    let (status, body) = client.post(
        "/predict",
        &predict_body(&[data_url("wide.png")], Some(&context)),
    );
    assert_eq!(status, 400);
    assert!(
        body["detail"]
            .as_str()
            .unwrap()
            .contains("box_threshold_1 is 30: enter a number from 0 to 1"),
        "{body}"
    );
}

#[test]
fn files_that_are_no_grounding_dino_say_what_is_wrong() {
    let load = |weights: &Path, tokenizer: &Path| {
        let loaded = Detector::load(&runtime(), weights, tokenizer, DetectorOptions::default());
        format!(
            "{:#}",
            label_studio_ml::anyhow::Error::from(loaded.err().unwrap())
        )
    };
    let (model, tokenizer) = (fixture("model.onnx"), fixture("tokenizer.json"));
    let folder = tempfile::tempdir().unwrap();
    let truncated = folder.path().join("model.onnx");
    let whole = fs::read(&model).unwrap();
    fs::write(&truncated, &whole[..whole.len() / 2]).unwrap();
    assert!(load(&truncated, &tokenizer).contains("truncated"));
    let checkpoint = folder.path().join("groundingdino_swint_ogc.pth");
    fs::write(&checkpoint, b"PK\x03\x04rest").unwrap();
    assert!(load(&checkpoint, &tokenizer).contains("PyTorch"));
    let other = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../crates/label-studio-inference/tests/fixtures/double.onnx");
    let message = load(&other, &tokenizer);
    assert!(
        message.contains("is not Grounding DINO") && message.contains("pixel_values"),
        "{message}"
    );
    let roberta = folder.path().join("tokenizer.json");
    let json = fs::read_to_string(&tokenizer)
        .unwrap()
        .replace("[CLS]", "<s>");
    fs::write(&roberta, json).unwrap();
    let message = load(&model, &roberta);
    assert!(message.contains("no token \"[CLS]\""), "{message}");
}

#[test]
fn two_requests_at_once_get_their_own_answers() {
    let client = backend(SURE);
    let bodies =
        ["wide.png", "line.png"].map(|image| predict_body(&[data_url(image)], Some(&typed("cat"))));
    let strip = |mut results: Vec<Value>| {
        for region in results[0]["result"].as_array_mut().unwrap() {
            region["id"] = Value::Null;
        }
        results
    };
    let alone = bodies.each_ref().map(|body| strip(predict(&client, body)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            for (body, alone) in bodies.iter().zip(&alone) {
                let client = &client;
                scope.spawn(move || assert_eq!(&strip(predict(client, body)), alone));
            }
        }
    });
}

#[test]
fn the_health_check_names_the_original() {
    let (status, body) = backend(SURE).get("/health");
    assert_eq!(
        (status, &body["model_class"]),
        (200, &json!("GroundingDINO"))
    );
}

#[test]
fn each_image_of_a_list_gets_its_own_rectangles() {
    let client = backend(SURE);
    let mut body = predict_body(&[], Some(&typed("cat")));
    let label_config = LABEL_CONFIG.replace("value=\"$image\"", "valueList=\"$image\"");
    body["label_config"] = json!(label_config);
    body["tasks"] =
        json!([{ "id": 1, "data": { "image": [data_url("line.png"), data_url("wide.png")] } }]);
    let results = predict(&client, &body);
    let alone = |name: &str| {
        let body = predict_body(&[data_url(name)], Some(&typed("cat")));
        predict(&client, &body).remove(0)["result"].take()
    };
    let regions = results[0]["result"].as_array().unwrap();
    for (item_index, name) in [(0, "line.png"), (1, "wide.png")] {
        let alone = alone(name);
        let values = alone
            .as_array()
            .unwrap()
            .iter()
            .map(|region| &region["value"]);
        let here = regions
            .iter()
            .filter(|region| region["item_index"] == item_index);
        let here: Vec<_> = here.map(|region| &region["value"]).collect();
        assert_eq!(here, values.collect::<Vec<_>>(), "{name}");
        assert!(alone[0].get("item_index").is_none());
    }
    assert!(regions.iter().any(|region| region["item_index"] == 1));
}

#[test]
fn a_label_of_a_labels_tag_is_a_second_entry_with_the_same_id() {
    let client = backend(SURE);
    let mut body = predict_body(&[data_url("wide.png")], Some(&typed("cat")));
    let label_config = LABEL_CONFIG
        .replace(
            "<RectangleLabels name=\"label\"",
            "<Rectangle name=\"box\" toName=\"image\"/><Labels name=\"label\"",
        )
        .replace("</RectangleLabels>", "</Labels>");
    body["label_config"] = json!(label_config);
    let results = predict(&client, &body);
    let entries = results[0]["result"].as_array().unwrap();
    assert!(!entries.is_empty());
    for pair in entries.chunks(2) {
        assert_eq!(
            (&pair[0]["type"], &pair[0]["from_name"]),
            (&json!("rectangle"), &json!("box"))
        );
        assert_eq!(
            (&pair[1]["type"], &pair[1]["from_name"]),
            (&json!("labels"), &json!("label"))
        );
        assert_eq!(pair[0]["id"], pair[1]["id"]);
        assert_eq!(pair[1]["value"]["labels"], json!(["cats"]));
        assert_eq!(pair[0]["value"]["x"], pair[1]["value"]["x"]);
        assert!(pair[0]["value"].get("labels").is_none());
    }
}
