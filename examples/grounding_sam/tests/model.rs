//! The backend behind the whole server.

mod tiny;

use std::{fs, sync::Arc, thread};

use clap::Parser as _;
use grounding_sam::{GroundingSam, SegmenterArgs};
use label_studio_inference::hub::{Hub, HubOptions};
use label_studio_ml::{
    Model, PredictRequest, Predictions, Project, Value, anyhow, json, testing::TestClient,
};
use label_studio_testing::images as test_images;
use label_studio_vision::{
    Vision,
    images::{ImageArgs, Limits, open},
    models::sam::Prompt,
};
use tiny::{
    LABEL_CONFIG, body, data_url, dino, mask, model, predict, predictor, regions, runtime,
    sam_file, to_url,
};

const POLYGONS: &str = r#"
<View>
  <Image name="image" value="$image"/>
  <TextArea name="prompt" toName="image"/>
  <PolygonLabels name="outline" toName="image"><Label value="cats"/><Label value="house"/></PolygonLabels>
</View>"#;

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
fn tasks_of_different_size_are_answered_each_and_bad_ones_alone_fail() {
    let client = TestClient::new(model(Some(predictor())));
    let address = |name: &str| match fs::read(test_images::folder().join(name)) {
        Ok(bytes) => to_url(&bytes),
        Err(_) => name.to_owned(),
    };
    let unusable = test_images::UNUSABLE.map(|(name, _)| address(name));
    let fixtures = ["wide.png", "line.png", "grey.png"].map(data_url);
    let usable = [&fixtures[..], &test_images::USABLE.map(address)].concat();
    let images = [&unusable[..], &usable].concat();
    let results = predict(&client, &body(LABEL_CONFIG, &images, "cat. house"));
    assert_eq!(results.len(), images.len());
    for (result, (name, expected)) in results.iter().zip(test_images::UNUSABLE) {
        let error = result["error"].as_str().unwrap();
        assert!(error.contains(expected), "{name}: {error}");
    }
    for result in &results[unusable.len()..] {
        assert!(result["result"].is_array(), "{result}");
    }
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

/// The model, kept by the test as well.
struct Shared(Arc<GroundingSam>);

impl Model for Shared {
    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        self.0.predict(project, request)
    }
}

#[test]
fn prompts_at_once_on_two_images_get_their_own_masks_and_each_image_is_looked_at_once() {
    let model = Arc::new(model(Some(predictor())));
    let client = TestClient::new(Shared(Arc::clone(&model)));
    let answer = |client: &TestClient, image: &str| {
        let mut results = predict(client, &body(LABEL_CONFIG, &[data_url(image)], "cat"));
        assert!(!regions(&results[0]).is_empty());
        for region in results[0]["result"].as_array_mut().unwrap() {
            region["id"] = Value::Null;
        }
        results[0]["result"].clone()
    };
    let images = ["wide.png", "grey.png"];
    let answers = thread::scope(|scope| {
        let ask = |image| {
            let (client, answer) = (&client, &answer);
            scope.spawn(move || answer(client, image))
        };
        let calls: Vec<_> = images
            .iter()
            .cycle()
            .take(8)
            .map(|image| ask(image))
            .collect();
        let answers = calls.into_iter().map(|call| call.join().unwrap());
        answers.collect::<Vec<_>>()
    });
    assert_eq!(model.segmenter.as_ref().unwrap().n_encoded(), 2);
    for (answer, expected) in answers.iter().zip(answers[..2].iter().cycle()) {
        assert_eq!(answer, expected);
    }
    let sizes = answers[..2]
        .iter()
        .map(|regions| &regions[0]["original_width"]);
    assert_eq!(sizes.collect::<Vec<_>>(), [100, 80]);
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
        let loaded = program.segmenter.load(&Vision {
            runtime: runtime(),
            hub: Hub::new(offline).unwrap(),
            reader: Arc::new(ImageArgs::default().reader()),
        });
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

    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.onnx");
    let whole = fs::read(&files[1]).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let other = dino("model.onnx").display().to_string();
    let load_files = |encoder: &str, decoder: &str| {
        let files = [
            "--use-sam",
            "--sam-encoder",
            encoder,
            "--sam-decoder",
            decoder,
        ];
        load(&files).unwrap_err()
    };
    let truncated = load_files(&files[0], &cut.display().to_string());
    assert!(truncated.contains("truncated"), "{truncated}");
    let encoder = load_files(&other, &files[1]);
    assert!(
        encoder.contains("a SAM image encoder has one input"),
        "{encoder}"
    );
    let decoder = load_files(&files[0], &other);
    assert!(decoder.contains("is not a SAM mask decoder"), "{decoder}");
}
