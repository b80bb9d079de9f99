//! The backend behind the whole server, on the tiny networks of `grounding_dino` and `segment_anything_model`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::Parser as _;
use grounding_sam::{GroundingSam, SegmenterArgs};
use label_studio_inference::{
    grounding_dino::{Detector, DetectorOptions, Finder, FinderOptions, Thresholds},
    hub::{Hub, HubOptions},
    images::{Limits, open},
    masks::Mask,
    onnx::{OnnxArgs, Runtime},
    sam::{MaskChoice, Predictor, Prompt, Sam},
};
use label_studio_ml::{TestClient, Value, json, sdk::brush_rle, serde_json};

const LABEL_CONFIG: &str = r#"
<View>
  <Image name="image" value="$image"/>
  <View className="prompt">
    <TextArea name="prompt" toName="image" editable="true" rows="2" maxSubmissions="1" showSubmitButton="true"/>
  </View>
  <RectangleLabels name="label" toName="image"><Label value="cats"/><Label value="house"/></RectangleLabels>
  <BrushLabels name="label2" toName="image"><Label value="cats"/><Label value="house"/></BrushLabels>
</View>"#;
const POLYGONS: &str = r#"
<View>
  <Image name="image" value="$image"/>
  <TextArea name="prompt" toName="image"/>
  <PolygonLabels name="outline" toName="image"><Label value="cats"/><Label value="house"/></PolygonLabels>
</View>"#;

fn dino(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../grounding_dino/tests/fixtures")
        .join(name)
}

fn sam_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../segment_anything_model/tests/fixtures")
        .join(name)
}

fn runtime() -> Runtime {
    Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn predictor() -> Predictor {
    let (encoder, decoder) = (sam_file("tiny.encoder.onnx"), sam_file("tiny.decoder.onnx"));
    let sam = Sam::load(&runtime(), encoder, decoder, MaskChoice::Auto).unwrap();
    Predictor::new(sam, 1 << 20)
}

fn model(segmenter: Option<Predictor>) -> GroundingSam {
    let options = DetectorOptions {
        max_overlap: 1.0,
        ..DetectorOptions::default()
    };
    let (weights, tokenizer) = (dino("model.onnx"), dino("tokenizer.json"));
    let finder = Finder {
        detector: Detector::load(&runtime(), weights, tokenizer, options).unwrap(),
        options: FinderOptions {
            thresholds: Thresholds {
                box_score: 0.5,
                token_score: 0.4,
            },
            limits: Limits::default(),
            batch_size: 2,
        },
    };
    GroundingSam { finder, segmenter }
}

fn data_url(name: &str) -> String {
    format!(
        "data:image/png;base64,{}",
        BASE64_STANDARD.encode(fs::read(dino(name)).unwrap())
    )
}

fn body(label_config: &str, images: &[String], prompt: &str) -> Value {
    let tasks: Vec<_> = images
        .iter()
        .map(|image| json!({ "data": { "image": image } }))
        .collect();
    let other =
        json!({ "from_name": "label", "to_name": "image", "type": "rectanglelabels", "value": {} });
    let typed = json!({ "from_name": "prompt", "to_name": "image", "type": "textarea", "value": { "text": [prompt] } });
    json!({
        "tasks": tasks,
        "label_config": label_config,
        "project": "1.1",
        "params": { "context": { "result": [other, typed] } },
    })
}

fn predict(client: &TestClient, body: &Value) -> Vec<Value> {
    let (status, body) = client.post("/predict", body);
    assert_eq!(status, 200, "{body}");
    body["results"].as_array().unwrap().clone()
}

fn regions(result: &Value) -> &Vec<Value> {
    result["result"].as_array().unwrap()
}

fn mask(region: &Value) -> Mask {
    let rle: Vec<u8> = serde_json::from_value(region["value"]["rle"].clone()).unwrap();
    let side = |name: &str| u32::try_from(region[name].as_u64().unwrap()).unwrap();
    let (width, height) = (side("original_width"), side("original_height"));
    let pixels = brush_rle::decode(&rle, width, height, 1 << 24).unwrap();
    let columns = width as usize;
    Mask::from_fn(columns, height as usize, |x, y| pixels[y * columns + x] > 0)
}

#[test]
fn without_masks_the_answer_is_rectangles() {
    let client = TestClient::new(model(None));
    let results = predict(&client, &body(LABEL_CONFIG, &[data_url("wide.png")], "Cat"));
    assert_eq!(results[0]["model_version"], "DINOBackend-v0.0.1");
    assert!(!regions(&results[0]).is_empty());
    for region in regions(&results[0]) {
        assert_eq!(
            (&region["type"], &region["from_name"]),
            (&json!("rectanglelabels"), &json!("label"))
        );
        assert_eq!(region["value"]["rectanglelabels"], json!(["cats"]));
        assert_eq!(
            (&region["readonly"], &region["value"]["rotation"]),
            (&json!(false), &json!(0))
        );
    }
}

#[test]
fn each_box_becomes_the_mask_that_sam_makes_of_it() {
    let boxes = predict(
        &TestClient::new(model(None)),
        &body(LABEL_CONFIG, &[data_url("wide.png")], "cat"),
    );
    let client = TestClient::new(model(Some(predictor())));
    let results = predict(&client, &body(LABEL_CONFIG, &[data_url("wide.png")], "cat"));
    let image = open(&dino("wide.png"), &Limits::default()).unwrap();
    let predictor = predictor();
    let embedding = predictor.embed(&image).unwrap();
    let mut expected = Vec::new();
    for region in regions(&boxes[0]) {
        let number =
            |key: &str, side: u32| region["value"][key].as_f64().unwrap() / 100.0 * f64::from(side);
        let (x, y) = (number("x", 100), number("y", 60));
        let edges = [x, y, x + number("width", 100), y + number("height", 60)];
        let found = predictor
            .segment(&embedding, &Prompt::rectangle(edges))
            .unwrap();
        if !found.mask.is_empty() {
            expected.push(found);
        }
    }
    assert!(!expected.is_empty(), "some mask has pixels");
    let found = regions(&results[0]);
    assert_eq!(found.len(), expected.len());
    let mut sum = 0.0;
    for (region, expected) in found.iter().zip(&expected) {
        assert_eq!(
            (&region["type"], &region["from_name"]),
            (&json!("brushlabels"), &json!("label2"))
        );
        assert_eq!(region["value"]["format"], "rle");
        assert_eq!(region["value"]["brushlabels"], json!(["cats"]));
        assert_eq!(region["readonly"], false);
        assert!(mask(region).overlap(&expected.mask) > 0.99);
        let score = region["score"].as_f64().unwrap();
        assert!((score - expected.score.clamp(0.0, 1.0)).abs() < 1e-3);
        sum += score;
    }
    let mean = sum / f64::from(u32::try_from(found.len()).unwrap());
    assert!((results[0]["score"].as_f64().unwrap() - mean).abs() < 1e-9);
}

#[test]
fn masks_become_polygons_where_the_label_config_wants_those() {
    let client = TestClient::new(model(Some(predictor())));
    let results = predict(&client, &body(POLYGONS, &[data_url("wide.png")], "house"));
    for region in regions(&results[0]) {
        assert_eq!(region["type"], "polygonlabels");
        assert_eq!(region["value"]["polygonlabels"], json!(["house"]));
        assert!(region["value"]["points"].as_array().unwrap().len() >= 3);
    }
    assert!(!regions(&results[0]).is_empty());
}

#[test]
fn a_turned_photo_has_masks_where_its_boxes_are() {
    let client = TestClient::new(model(Some(predictor())));
    let results = predict(
        &client,
        &body(LABEL_CONFIG, &[data_url("turned.jpg")], "cat"),
    );
    for region in regions(&results[0]) {
        assert_eq!(
            (&region["original_width"], &region["original_height"]),
            (&json!(300), &json!(480))
        );
        assert!(!mask(region).is_empty());
    }
}

#[test]
fn tasks_of_different_size_are_answered_each_and_a_bad_one_alone_fails() {
    let client = TestClient::new(model(Some(predictor())));
    let bad = format!(
        "data:image/png;base64,{}",
        BASE64_STANDARD.encode("no image")
    );
    let images = [
        data_url("wide.png"),
        data_url("line.png"),
        bad,
        data_url("grey.png"),
        data_url("deep.png"),
    ];
    let results = predict(&client, &body(LABEL_CONFIG, &images, "cat. house"));
    assert_eq!(results.len(), 5);
    for (idx, result) in results.iter().enumerate() {
        assert_eq!(result.get("result").is_some(), idx != 2, "{result}");
    }
    assert!(
        results[2]["error"]
            .as_str()
            .unwrap()
            .contains("not an image")
    );
}

#[test]
fn nothing_found_and_nothing_asked_give_empty_answers() {
    let client = TestClient::new(model(Some(predictor())));
    let image = [data_url("wide.png")];
    let mut sure = body(
        &LABEL_CONFIG.replace(
            "</View>\n  <Rect",
            "</View><Number name=\"box_threshold\" toName=\"image\"/><Rect",
        ),
        &image,
        "cat",
    );
    sure["params"]["context"]["result"].as_array_mut().unwrap().push(json!(
        { "from_name": "box_threshold", "to_name": "image", "type": "number", "value": { "number": 0.99999 } }
    ));
    let results = predict(&client, &sure);
    assert_eq!(
        (results[0]["result"].clone(), &results[0]["score"]),
        (json!([]), &json!(0.0))
    );
    for prompt in ["", " . "] {
        assert_eq!(
            predict(&client, &body(LABEL_CONFIG, &image, prompt)),
            [Value::Null; 0]
        );
    }
    let mut batch = body(LABEL_CONFIG, &image, "cat");
    for context in [Value::Null, json!({}), json!({ "result": [] })] {
        batch["params"]["context"] = context;
        assert_eq!(predict(&client, &batch), [Value::Null; 0]);
    }
}

#[test]
fn only_the_control_that_is_used_is_demanded() {
    let image = [data_url("wide.png")];
    let post = |segmenter, label_config: &str| {
        let (status, body) =
            TestClient::new(model(segmenter)).post("/predict", &body(label_config, &image, "cat"));
        (
            status,
            body["detail"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let boxes = r#"<View><Image name="image" value="$image"/><TextArea name="prompt" toName="image"/>
        <RectangleLabels name="label" toName="image"><Label value="cats"/></RectangleLabels></View>"#;
    assert_eq!(post(None, boxes).0, 200);
    assert_eq!(post(Some(predictor()), POLYGONS).0, 200);
    let (status, detail) = post(Some(predictor()), boxes);
    assert!(
        status >= 400 && detail.contains("BrushLabels") && detail.contains("USE_SAM"),
        "{detail}"
    );
    let (status, detail) = post(None, POLYGONS);
    assert!(
        status >= 400 && detail.contains("RectangleLabels"),
        "{detail}"
    );
}

#[test]
fn the_same_image_is_looked_at_once() {
    let model = model(Some(predictor()));
    let image = open(&dino("wide.png"), &Limits::default()).unwrap();
    let segmenter = model.segmenter.as_ref().unwrap();
    for _ in 0..3 {
        segmenter.embed(&image).unwrap();
    }
    assert_eq!(segmenter.n_encoded(), 1);
}

#[test]
fn flags_say_which_masks_are_made() {
    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        segmenter: SegmenterArgs,
    }
    let load = |arguments: &[&str]| {
        let program = Program::parse_from([&["backend"], arguments].concat());
        let offline = HubOptions {
            is_offline: true,
            cache_dir: std::env::temp_dir().join("grounding-sam-no-cache"),
            ..HubOptions::default()
        };
        let loaded = program
            .segmenter
            .load(&runtime(), &Hub::new(offline).unwrap());
        loaded
            .map(|segmenter| segmenter.is_some())
            .map_err(|error| format!("{error:#}"))
    };
    assert_eq!(load(&[]), Ok(false));
    assert_eq!(load(&["--use-sam=false", "--use-mobile-sam=0"]), Ok(false));
    let checkpoint = sam_file("tiny.pth").display().to_string();
    assert_eq!(
        load(&["--use-sam=yes", "--sam-checkpoint", &checkpoint]),
        Ok(true)
    );
    assert_eq!(
        load(&[
            "--use-mobile-sam",
            "--use-sam=1",
            "--mobilesam-checkpoint",
            &checkpoint
        ]),
        Ok(true)
    );
    let (encoder, decoder) = (sam_file("tiny.encoder.onnx"), sam_file("tiny.decoder.onnx"));
    let files = [encoder, decoder].map(|file| file.display().to_string());
    assert_eq!(
        load(&[
            "--use-sam",
            "--sam-encoder",
            &files[0],
            "--sam-decoder",
            &files[1]
        ]),
        Ok(true)
    );

    let missing = load(&["--use-sam"]).unwrap_err();
    assert!(
        missing.contains("sam_vit_h_4b8939.pth") && missing.contains("export.py"),
        "{missing}"
    );
    let offline = load(&["--use-mobile-sam"]).unwrap_err();
    assert!(
        offline.contains("Acly/MobileSAM") && offline.contains("HF_HUB_OFFLINE"),
        "{offline}"
    );
    assert!(
        load(&["--use-sam", "--sam-encoder", &files[0]])
            .unwrap_err()
            .contains("SAM_DECODER")
    );
}
