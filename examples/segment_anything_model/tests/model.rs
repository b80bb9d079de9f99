//! The model as Label Studio asks it.

use std::{fs, path::PathBuf, slice, thread};

use label_studio_inference::onnx::{OnnxArgs, Runtime};
use label_studio_ml::{LabelConfig, Model, PredictRequest, Project, Task, Value, json, serde_json};
use label_studio_testing::{images, project_in};
use label_studio_vision::models::sam::{MaskChoice, Sam};

mod project;

use project::{fixture, key_point, mask_of, predict, project, rectangle, task, tiny};

#[test]
fn without_a_context_nothing_is_predicted() {
    let (model, project) = (tiny(), project());
    let tasks = vec![Task::from_value(&task("wide.png")).unwrap()];
    for context in [
        None,
        Some(json!({})),
        Some(json!({ "result": [] })),
        Some(json!({ "result": null })),
    ] {
        let request = PredictRequest {
            context,
            ..PredictRequest::new(tasks.clone())
        };
        assert_eq!(
            serde_json::to_value(model.predict(&project, &request).unwrap()).unwrap(),
            json!([])
        );
    }
    assert_eq!(model.tools.predictor.n_encoded(), 0);
}

#[test]
fn a_click_becomes_a_brush_region_of_the_label() {
    let (model, project) = (tiny(), project());
    model.setup(&project).unwrap();
    assert_eq!(project.model_version().unwrap(), "SamMLBackend-v0.0.1");
    let answer = predict(
        &model,
        &project,
        &[task("wide.png")],
        &[key_point(40.0, 50.0, "Banana", true)],
    );
    let region = &answer[0]["result"][0];
    assert_eq!(answer[0]["result"].as_array().unwrap().len(), 1);
    let mut shape = region.clone();
    let id = shape.as_object_mut().unwrap().remove("id").unwrap();
    assert!(id.as_str().unwrap().len() >= 4);
    let score = shape["score"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&score));
    assert_eq!(answer[0]["score"], region["score"]);
    shape["value"]["rle"] = json!([]);
    shape["score"] = json!(0);
    assert_eq!(
        shape,
        json!({
            "from_name": "tag", "to_name": "image", "type": "brushlabels", "original_width": 180, "original_height": 120,
            "image_rotation": 0, "readonly": false, "score": 0,
            "value": { "format": "rle", "rle": [], "brushlabels": ["Banana"] },
        })
    );
    let n_painted = mask_of(region)
        .into_iter()
        .filter(|painted| *painted)
        .count();
    assert!((1..180 * 120).contains(&n_painted));
    let errors = project.label_config().validate_prediction(&answer[0]);
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn clicks_beside_rectangles_and_further_clicks_change_the_mask() {
    let (model, project) = (tiny(), project());
    let first = key_point(40.0, 50.0, "Banana", true);
    let contexts = [
        vec![first.clone()],
        vec![first.clone(), key_point(80.0, 90.0, "Banana", false)],
        vec![first.clone(), key_point(80.0, 90.0, "Banana", true)],
        vec![rectangle([20.0, 20.0, 50.0, 50.0], "Banana")],
        vec![rectangle([20.0, 20.0, 50.0, 50.0], "Banana"), first],
    ];
    let masks: Vec<_> = contexts
        .iter()
        .map(|context| {
            mask_of(&predict(&model, &project, &[task("wide.png")], context)[0]["result"][0])
        })
        .collect();
    for (idx, mask) in masks.iter().enumerate() {
        assert!(!masks[..idx].contains(mask), "{idx}");
    }
    assert_eq!(
        model.tools.predictor.n_encoded(),
        1,
        "one image was looked at once"
    );
}

#[test]
fn each_label_gets_a_region_of_its_own() {
    let (model, project) = (tiny(), project());
    let context = [
        key_point(40.0, 50.0, "Banana", true),
        rectangle([50.0, 50.0, 30.0, 30.0], "Orange"),
    ];
    let both = predict(&model, &project, &[task("wide.png")], &context);
    let labels: Vec<_> = (0..2)
        .map(|idx| &both[0]["result"][idx]["value"]["brushlabels"][0])
        .collect();
    assert_eq!(labels, ["Banana", "Orange"]);
    let alone = predict(&model, &project, &[task("wide.png")], &context[1..]);
    assert_eq!(
        both[0]["result"][1]["value"],
        alone[0]["result"][0]["value"]
    );
}

#[test]
fn several_rectangles_of_a_label_are_one_region_with_all_of_them() {
    let (model, project) = (tiny(), project());
    let rectangles = [
        rectangle([5.0, 5.0, 30.0, 40.0], "Banana"),
        rectangle([60.0, 50.0, 30.0, 40.0], "Banana"),
    ];
    let mask = |context: &[Value]| {
        mask_of(&predict(&model, &project, &[task("wide.png")], context)[0]["result"][0])
    };
    let (both, first, second) = (
        mask(&rectangles),
        mask(&rectangles[..1]),
        mask(&rectangles[1..]),
    );
    let united: Vec<_> = first.iter().zip(&second).map(|(a, b)| *a || *b).collect();
    assert_eq!(both, united);
}

#[test]
fn the_region_has_the_size_of_the_upright_image_whatever_the_context_says() {
    let (model, project) = (tiny(), project());
    let mut click = key_point(40.0, 50.0, "Banana", true);
    click["original_width"] = json!(1080);
    click["original_height"] = json!(77);
    let answer = predict(&model, &project, &[task("turned.jpg")], &[click]);
    let region = &answer[0]["result"][0];
    assert_eq!(
        (&region["original_width"], &region["original_height"]),
        (&json!(90), &json!(150))
    );
    assert_eq!(mask_of(region).len(), 90 * 150);
}

#[test]
fn a_click_beside_the_object_alone_is_answered_too() {
    let answer = predict(
        &tiny(),
        &project(),
        &[task("wide.png")],
        &[key_point(40.0, 50.0, "Banana", false)],
    );
    assert_eq!(
        answer[0]["result"][0]["value"]["brushlabels"],
        json!(["Banana"])
    );
}

#[test]
fn regions_that_point_at_nothing_find_nothing() {
    let ellipse = json!({
        "from_name": "e", "to_name": "image", "type": "ellipselabels",
        "value": { "x": 40, "y": 50, "radiusX": 5, "radiusY": 5, "ellipselabels": ["Banana"] },
    });
    let model = tiny();
    let answer = |context: &[Value]| predict(&model, &project(), &[task("wide.png")], context);
    assert_eq!(answer(slice::from_ref(&ellipse))[0]["result"], json!([]));
    let click = key_point(40.0, 50.0, "Orange", true);
    let regions = &answer(&[click, ellipse])[0]["result"];
    assert_eq!(regions.as_array().unwrap().len(), 1);
    assert_eq!(regions[0]["value"]["brushlabels"], json!(["Orange"]));
}

#[test]
fn polygons_are_drawn_where_the_label_config_has_no_brush() {
    let label_config = r#"<View><Image name="image" value="$image"/>
      <PolygonLabels name="outline" toName="image"><Label value="Banana"/></PolygonLabels>
      <KeyPointLabels name="tag2" toName="image" smart="true"><Label value="Banana"/></KeyPointLabels></View>"#;
    let project = project_in(&fixture("images"), label_config);
    let answer = predict(
        &tiny(),
        &project,
        &[task("wide.png")],
        &[key_point(40.0, 50.0, "Banana", true)],
    );
    let regions = answer[0]["result"].as_array().unwrap();
    assert!(!regions.is_empty());
    for region in regions {
        assert_eq!(
            (&region["type"], &region["from_name"]),
            (&json!("polygonlabels"), &json!("outline"))
        );
        assert_eq!(region["value"]["polygonlabels"], json!(["Banana"]));
        let points: Vec<[f64; 2]> =
            serde_json::from_value(region["value"]["points"].clone()).unwrap();
        assert!(points.len() >= 3 && points.iter().flatten().all(|at| (0.0..=100.0).contains(at)));
    }
    let errors = project.label_config().validate_prediction(&answer[0]);
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn users_on_two_images_get_their_own_masks() {
    let (model, project) = (tiny(), project());
    let context = [key_point(40.0, 50.0, "Banana", true)];
    let answer = |name: &str| {
        let mut answer = predict(&model, &project, &[task(name)], &context);
        answer[0]["result"][0].as_object_mut().unwrap().remove("id");
        answer
    };
    let expected = ["wide.png", "grey.png"].map(|name| (name, answer(name)));
    thread::scope(|scope| {
        for (name, expected) in &expected {
            scope.spawn(|| {
                for _ in 0..40 {
                    assert_eq!(answer(name), *expected);
                }
            });
        }
    });
    assert_eq!(model.tools.predictor.n_encoded(), 2);
}

#[test]
fn an_image_that_cannot_be_used_costs_its_task_only() {
    let (model, project) = (tiny(), project_in(&images::folder(), project::LABEL_CONFIG));
    let names = images::UNUSABLE.iter().map(|(name, _)| *name);
    let mut tasks: Vec<_> = names.chain(images::USABLE).map(task).collect();
    tasks.push(json!({ "id": 2, "data": { "photo": "x" } }));
    let click = key_point(40.0, 50.0, "Banana", true);
    let answer = predict(&model, &project, &tasks, &[click]);
    for (idx, (name, expected)) in images::UNUSABLE.iter().enumerate() {
        let error = answer[idx]["error"].as_str().unwrap();
        assert!(error.contains(expected), "{name}: {error}");
    }
    for (idx, name) in (images::UNUSABLE.len()..).zip(images::USABLE) {
        assert_eq!(answer[idx]["result"][0]["type"], "brushlabels", "{name}");
    }
    let last = answer.as_array().unwrap().last().unwrap();
    let error = last["error"].as_str().unwrap();
    assert!(
        error.contains("Can't load path using key 'image'"),
        "{error}"
    );
    assert_eq!(
        model.tools.predictor.n_encoded(),
        2,
        "only usable images are encoded"
    );
}

#[test]
fn what_is_wrong_with_a_click_or_the_label_config_is_named() {
    let model = tiny();
    let error = |project: &Project, context: &[Value]| {
        predict(&model, project, &[task("wide.png")], context)[0]["error"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let outside = error(&project(), &[key_point(120.0, 50.0, "Banana", true)]);
    assert!(
        outside.contains("120 %") && outside.contains("outside"),
        "{outside}"
    );

    let unknown = error(&project(), &[key_point(20.0, 50.0, "Cherry", true)]);
    assert!(
        unknown.contains("\"Cherry\"") && unknown.contains("Banana, Orange"),
        "{unknown}"
    );

    let without_brush = r#"<View><Image name="image" value="$image"/>
      <KeyPointLabels name="tag2" toName="image" smart="true"><Label value="Banana"/></KeyPointLabels></View>"#;
    let project = project_in(&fixture("images"), without_brush);
    for context in [
        Value::Null,
        json!({ "result": [key_point(20.0, 50.0, "Banana", true)] }),
    ] {
        let request = PredictRequest {
            context: Some(context),
            ..PredictRequest::new(vec![Task::from_value(&task("wide.png")).unwrap()])
        };
        let missing = model.predict(&project, &request).unwrap_err().to_string();
        assert!(missing.contains("<BrushLabels>"), "{missing}");
    }
}

#[test]
fn of_several_images_the_one_that_was_clicked_is_used() {
    let label_config = r#"<View>
      <Image name="left" value="$left"/><Image name="right" value="$right"/>
      <BrushLabels name="on_left" toName="left"><Label value="Banana"/></BrushLabels>
      <BrushLabels name="on_right" toName="right"><Label value="Banana"/></BrushLabels></View>"#;
    assert!(LabelConfig::parse(label_config).is_ok());
    let project = project_in(&fixture("images"), label_config);
    let url = |name: &str| format!("/data/local-files/?d={name}");
    let task = json!({ "data": { "left": url("wide.png"), "right": url("grey.png") } });
    let mut click = key_point(40.0, 50.0, "Banana", true);
    click["to_name"] = json!("right");
    let answer = predict(&tiny(), &project, &[task], &[click]);
    let region = &answer[0]["result"][0];
    assert_eq!(
        (&region["from_name"], &region["original_width"]),
        (&json!("on_right"), &json!(100))
    );
}

#[test]
fn files_that_cannot_be_run_are_refused_with_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.onnx");
    let whole = fs::read(fixture("tiny.encoder.onnx")).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let runtime = Runtime::new(&OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let refusal = |encoder: PathBuf, decoder: PathBuf| {
        Sam::load(&runtime, encoder, decoder, MaskChoice::Auto)
            .err()
            .unwrap()
            .to_string()
    };
    let (encoder, decoder) = (
        || fixture("tiny.encoder.onnx"),
        || fixture("tiny.decoder.onnx"),
    );
    let cases = [
        (
            refusal(decoder(), decoder()),
            "a SAM image encoder has one input",
        ),
        (
            refusal(encoder(), encoder()),
            "is not a SAM mask decoder: it has no input image_embeddings",
        ),
        (refusal(cut.clone(), decoder()), "cut.onnx"),
        (refusal(encoder(), cut), "may be truncated"),
        (
            refusal(encoder(), folder.path().join("gone.onnx")),
            "gone.onnx",
        ),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_label_config_that_gets_no_masks_can_be_set_up_all_the_same() {
    let model = tiny();
    let configs = [
        r#"<View><Image name="image" value="$image"/></View>"#,
        r#"<View><Image name="image" value="$image"/>
           <BrushLabels name="tag" toName="image"><Label value="Banana"/></BrushLabels></View>"#,
        r#"<View><Image name="image" value="$image"/>
           <BrushLabels name="tag" toName="image"><Label value="Banana"/></BrushLabels>
           <KeyPointLabels name="tag2" toName="image" smart="true"><Label value="Cherry"/></KeyPointLabels></View>"#,
    ];
    for config in configs {
        model
            .setup(&project_in(&fixture("images"), config))
            .unwrap();
    }
}

/// A task with a list of images, and a click on the image at a position.
fn list_and_click(item_index: usize) -> (Value, Value) {
    let urls = ["wide.png", "grey.png"].map(|name| format!("/data/local-files/?d={name}"));
    let mut click = key_point(40.0, 50.0, "Banana", true);
    click["item_index"] = json!(item_index);
    (json!({ "data": { "image": urls } }), click)
}

fn list_project() -> Project {
    let label_config = project::LABEL_CONFIG.replace("value=\"$image\"", "valueList=\"$image\"");
    project_in(&fixture("images"), &label_config)
}

#[test]
fn of_a_list_of_images_the_one_that_was_clicked_is_used() {
    let (model, project) = (tiny(), list_project());
    for (item_index, name) in [(0, "wide.png"), (1, "grey.png")] {
        let (task_with_list, click) = list_and_click(item_index);
        let elsewhere = list_and_click(1 - item_index).1;
        let answer = predict(&model, &project, &[task_with_list], &[elsewhere, click]);
        let regions = answer[0]["result"].as_array().unwrap();
        assert_eq!(
            regions.len(),
            1,
            "a click on another image of the list counts there"
        );
        assert_eq!(regions[0]["item_index"], item_index);
        let click = key_point(40.0, 50.0, "Banana", true);
        let alone = predict(&model, &self::project(), &[task(name)], &[click]);
        assert_eq!(regions[0]["value"], alone[0]["result"][0]["value"]);
        assert_eq!(alone[0]["result"][0].get("item_index"), None);
    }
}

#[test]
fn a_click_beyond_the_list_of_images_is_an_error_that_says_so() {
    let (model, project) = (tiny(), list_project());
    let (task, click) = list_and_click(5);
    let answer = predict(&model, &project, &[task], &[click]);
    let error = answer[0]["error"].as_str().unwrap();
    assert!(
        error.contains("image 5 of the task, which has 2"),
        "{error}"
    );
}

#[test]
fn a_label_of_a_labels_tag_is_a_second_entry_with_the_same_id() {
    for (shape, kind) in [("Brush", "brush"), ("Polygon", "polygon")] {
        let label_config = format!(
            r#"<View><Image name="image" value="$image"/>
              <Labels name="what" toName="image"><Label value="Banana"/><Label value="Orange"/></Labels>
              <{shape} name="shape" toName="image"/><KeyPoint name="click" toName="image" smart="true"/></View>"#
        );
        let project = project_in(&fixture("images"), &label_config);
        let place = json!({ "x": 40.0, "y": 50.0, "width": 0.3 });
        let mut labelled = place.clone();
        labelled["labels"] = json!(["Orange"]);
        let context = [
            json!({ "id": "a", "from_name": "click", "to_name": "image", "type": "keypoint", "value": place }),
            json!({ "id": "a", "from_name": "what", "to_name": "image", "type": "labels", "value": labelled }),
        ];
        let answer = predict(&tiny(), &project, &[task("wide.png")], &context);
        let entries = answer[0]["result"].as_array().unwrap();
        assert!(
            !entries.is_empty() && entries.len().is_multiple_of(2),
            "{answer}"
        );
        for pair in entries.chunks(2) {
            let (drawn, label) = (&pair[0], &pair[1]);
            assert_eq!(
                (&drawn["type"], &drawn["from_name"]),
                (&json!(kind), &json!("shape"))
            );
            assert_eq!(
                (&label["type"], &label["from_name"]),
                (&json!("labels"), &json!("what"))
            );
            assert_eq!(drawn["id"], label["id"]);
            assert_eq!(label["value"]["labels"], json!(["Orange"]));
            assert!(drawn["value"].get("labels").is_none() && drawn["value"].get(kind).is_none());
            let mut value = label["value"].clone();
            value.as_object_mut().unwrap().remove("labels");
            assert_eq!(value, drawn["value"], "both entries hold the shape");
        }
        let ids: std::collections::HashSet<_> =
            entries.iter().map(|entry| entry["id"].as_str()).collect();
        assert_eq!(ids.len(), entries.len() / 2);
        let errors = project.label_config().validate_prediction(&answer[0]);
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[test]
fn a_label_that_the_labels_tag_does_not_know_is_named() {
    let label_config = r#"<View><Image name="image" value="$image"/><Brush name="shape" toName="image"/>
      <Labels name="what" toName="image"><Label value="Orange"/></Labels>
      <KeyPointLabels name="tag2" toName="image" smart="true"><Label value="Banana"/></KeyPointLabels></View>"#;
    let project = project_in(&fixture("images"), label_config);
    let click = key_point(40.0, 50.0, "Banana", true);
    let answer = predict(&tiny(), &project, &[task("wide.png")], &[click]);
    let error = answer[0]["error"].as_str().unwrap();
    assert!(
        error.contains("\"Banana\"") && error.contains("Orange"),
        "{error}"
    );
}

#[test]
fn an_embedding_in_the_cache_is_not_for_a_project_that_cannot_read_the_image() {
    let model = tiny();
    let click = key_point(40.0, 50.0, "Banana", true);
    let mine = predict(
        &model,
        &project(),
        &[task("wide.png")],
        std::slice::from_ref(&click),
    );
    assert_eq!(mine[0]["result"].as_array().unwrap().len(), 1);
    let empty = tempfile::tempdir().unwrap();
    let other = project_in(empty.path(), project::LABEL_CONFIG);
    let refused = predict(&model, &other, &[task("wide.png")], &[click]);
    let error = refused[0]["error"].as_str().unwrap();
    assert!(error.contains("wide.png"), "{error}");
}
