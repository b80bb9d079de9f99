//! The model as Label Studio asks it. What it shares with `segment_anything_model` is tested there.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_ml::{Model, PredictRequest, Project, Task, Value, anyhow, json, serde_json};
use label_studio_testing::{check_ids, check_interactive_results, images, project_in};
use label_studio_vision::{
    images::ImageArgs,
    models::sam::{Checkpoints, MaskChoice, SamArgs, read_context},
};
use segment_anything_2_image::SegmentAnything2;

const LABEL_CONFIG: &str = r#"<View>
  <BrushLabels name="tag" toName="image"><Label value="defect"/><Label value="scratch"/></BrushLabels>
  <KeyPointLabels name="tag2" toName="image" smart="true"><Label value="defect"/><Label value="scratch"/></KeyPointLabels>
  <RectangleLabels name="tag3" toName="image" smart="true"><Label value="defect"/></RectangleLabels>
  <Image name="image" value="$image" zoom="true" zoomControl="true"/>
</View>"#;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn model() -> SegmentAnything2 {
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let checkpoints = Checkpoints {
        encoder: fixture("tiny.encoder.onnx"),
        decoder: fixture("tiny.decoder.onnx"),
    };
    let args = SamArgs {
        mask_choice: MaskChoice::Auto,
        embedding_cache_mb: 64,
    };
    let reader = Arc::new(ImageArgs::default().reader());
    SegmentAnything2::load(&runtime, &checkpoints, &args, reader).unwrap()
}

fn project() -> Project {
    project_in(&fixture("images"), LABEL_CONFIG)
}

fn key_point(x: f64, y: f64, label: &str) -> Value {
    json!({
        "type": "keypointlabels", "from_name": "tag2", "to_name": "image", "is_positive": true,
        "original_width": 1, "original_height": 1,
        "value": { "x": x, "y": y, "width": 0.3, "keypointlabels": [label] },
    })
}

fn predict(model: &SegmentAnything2, names: &[&str], context: Option<Value>) -> Value {
    answers(model, &project(), names, context).unwrap()
}

fn answers(
    model: &SegmentAnything2,
    project: &Project,
    names: &[&str],
    context: Option<Value>,
) -> anyhow::Result<Value> {
    let task = |name: &&str| json!({ "data": { "image": format!("/data/local-files/?d={name}") } });
    let tasks = names
        .iter()
        .map(|name| Task::from_value(&task(name)).unwrap());
    let request = PredictRequest {
        context,
        ..PredictRequest::new(tasks.collect())
    };
    let answer = serde_json::to_value(model.predict(project, &request)?)?;
    check_interactive_results(project.label_config().text(), &answer);
    check_ids(&answer);
    Ok(answer)
}

#[test]
fn without_a_context_nothing_is_predicted() {
    for context in [None, Some(json!({})), Some(json!({ "result": [] }))] {
        assert_eq!(predict(&model(), &["wide.png"], context), json!([]));
    }
}

#[test]
fn each_label_gets_a_region_with_the_size_of_the_upright_image() {
    let model = model();
    let clicks = [
        key_point(40.0, 50.0, "defect"),
        key_point(80.0, 20.0, "scratch"),
    ];
    for _ in 0..2 {
        let answer = predict(&model, &["turned.jpg"], Some(json!({ "result": clicks })));
        let regions = answer[0]["result"].as_array().unwrap();
        let described: Vec<_> = regions
            .iter()
            .map(|region| {
                let label = region["value"]["brushlabels"][0].as_str().unwrap();
                (
                    label,
                    region["original_width"].as_u64(),
                    region["original_height"].as_u64(),
                )
            })
            .collect();
        assert_eq!(
            described,
            [
                ("defect", Some(90), Some(150)),
                ("scratch", Some(90), Some(150))
            ]
        );
        assert_eq!(
            project().label_config().validate_prediction(&answer[0]),
            Vec::<String>::new()
        );
    }
    assert_eq!(model.tools.predictor.n_encoded(), 1);
}

#[test]
fn an_image_that_cannot_be_used_costs_its_task_only() {
    let clicks = json!({ "result": [key_point(40.0, 50.0, "defect")] });
    let names = images::UNUSABLE.iter().map(|(name, _)| *name);
    let names: Vec<_> = names.chain(images::USABLE).collect();
    let project = project_in(&images::folder(), LABEL_CONFIG);
    let answer = answers(&model(), &project, &names, Some(clicks)).unwrap();
    for (idx, (name, expected)) in images::UNUSABLE.iter().enumerate() {
        let error = answer[idx]["error"].as_str().unwrap();
        assert!(error.contains(expected), "{name}: {error}");
    }
    for (idx, name) in (images::UNUSABLE.len()..).zip(images::USABLE) {
        assert_eq!(answer[idx]["result"][0]["type"], "brushlabels", "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_click_or_the_label_config_is_named() {
    let model = model();
    let error = |click: Value| {
        let answer = predict(&model, &["wide.png"], Some(json!({ "result": [click] })));
        answer[0]["error"].as_str().unwrap().to_owned()
    };
    let outside = error(key_point(120.0, 50.0, "defect"));
    assert!(outside.contains("120 %"), "{outside}");
    let unknown = error(key_point(20.0, 50.0, "dent"));
    assert!(
        unknown.contains("\"dent\"") && unknown.contains("defect, scratch"),
        "{unknown}"
    );
    let without_brush = LABEL_CONFIG.replace("BrushLabels", "EllipseLabels");
    let project = project_in(&fixture("images"), &without_brush);
    for context in [
        None,
        Some(json!({ "result": [key_point(20.0, 50.0, "defect")] })),
    ] {
        let missing = answers(&model, &project, &["wide.png"], context).unwrap_err();
        assert!(missing.to_string().contains("<BrushLabels>"), "{missing}");
    }
}

#[test]
fn the_health_check_shows_the_name_that_was_chosen() {
    let model = SegmentAnything2 {
        name: "Inspector".to_owned(),
        ..model()
    };
    assert_eq!(Model::name(&model), "Inspector");
}

#[test]
fn the_prompts_of_the_vectors_are_read() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/sam_prompts.json")).unwrap();
    for case in vectors["prompt_parsing"].as_array().unwrap() {
        let regions = case["context_result"].as_array().unwrap();
        let newest = read_context(regions, "image", (1080, 1080))
            .unwrap()
            .pop()
            .unwrap();
        assert_eq!(newest.label.as_deref(), case["expected"]["label"].as_str());
    }
}
