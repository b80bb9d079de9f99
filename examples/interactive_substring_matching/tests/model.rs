//! The model in process: contexts, options and tasks that the recorded answers do not cover.

use interactive_substring_matching::{
    Exclude, InteractiveSubstringMatching, ScoreMode, SearchOptions,
};
use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Project, Task, Value, anyhow, json, serde_json,
};

const LABEL_CONFIG: &str = r#"<View>
  <Labels name="label" toName="text"><Label value="PER"/><Label value="ORG"/></Labels>
  <Labels name="topic" toName="text,title"><Label value="Fruit"/></Labels>
  <Text name="text" value="$text"/>
  <Text name="title" value="$title"/>
</View>"#;

/// A model that suggests the selected region, too, and scores as the Python original.
fn all_spans() -> InteractiveSubstringMatching {
    InteractiveSubstringMatching {
        score: ScoreMode::Lowered,
        exclude: Exclude::Nothing,
        ..InteractiveSubstringMatching::default()
    }
}

fn region(from_name: &str, start: usize, end: usize, text: &str, labels: &[&str]) -> Value {
    json!({
        "id": "1aa",
        "from_name": from_name,
        "to_name": "text",
        "type": "labels",
        "value": { "start": start, "end": end, "text": text, "labels": labels },
    })
}

fn predict(
    model: InteractiveSubstringMatching,
    tasks: &Value,
    context: &[Value],
) -> anyhow::Result<Value> {
    let project = Project::in_memory(LABEL_CONFIG)?;
    let tasks = tasks.as_array().unwrap().iter().map(Task::from_value);
    let request = PredictRequest {
        context: Some(json!({ "result": context })),
        ..PredictRequest::new(tasks.collect::<Result<_, _>>()?)
    };
    Ok(serde_json::to_value(model.predict(&project, &request)?)?)
}

/// Returns where the model finds the context's first region in a text.
fn spans(model: InteractiveSubstringMatching, text: &str, context: &[Value]) -> Vec<(u64, u64)> {
    let answer = predict(model, &json!([{ "data": { "text": text } }]), context).unwrap();
    let regions = answer[0]["result"].as_array().unwrap();
    let offset = |region: &Value, name: &str| region["value"][name].as_u64().unwrap();
    regions
        .iter()
        .map(|region| (offset(region, "start"), offset(region, "end")))
        .collect()
}

#[test]
fn contexts_without_a_selected_region_predict_nothing() {
    let tasks = vec![Task::from_value(&json!({ "data": { "text": "Apple" } })).unwrap()];
    let contexts = [
        None,
        Some(json!({})),
        Some(json!({ "annotation_id": 1 })),
        Some(json!({ "result": null })),
        Some(json!({ "result": [{ "type": "relation", "from_id": "a", "to_id": "b" }] })),
        Some(json!("no object")),
    ];
    let project = Project::in_memory(LABEL_CONFIG).unwrap();
    for context in contexts {
        let request = PredictRequest {
            context,
            ..PredictRequest::new(tasks.clone())
        };
        let predictions = all_spans().predict(&project, &request).unwrap();
        assert!(predictions.tasks.is_empty(), "{:?}", request.context);
    }
}

#[test]
fn options_narrow_what_is_found() {
    let plain = all_spans();
    let selected = [region("label", 0, 3, "cat", &["ORG"])];
    let annotated = [
        selected[0].clone(),
        region("label", 4, 7, "Cat", &["PER"]),
        region("topic", 8, 11, "cat", &[]),
    ];
    let text = "cat Cat cat concat cats";
    let all = vec![(0, 3), (4, 7), (8, 11), (15, 18), (19, 22)];
    let whole_words = SearchOptions {
        whole_words: true,
        ..SearchOptions::default()
    };
    let case_sensitive = SearchOptions {
        case_sensitive: true,
        ..SearchOptions::default()
    };
    let cases = [
        ("none", plain, all.clone()),
        (
            "whole words",
            InteractiveSubstringMatching {
                search: whole_words,
                ..plain
            },
            all[..3].to_vec(),
        ),
        (
            "case sensitive",
            InteractiveSubstringMatching {
                search: case_sensitive,
                ..plain
            },
            vec![all[0], all[2], all[3], all[4]],
        ),
        (
            "two matches",
            InteractiveSubstringMatching {
                max_matches: Some(2),
                ..plain
            },
            all[..2].to_vec(),
        ),
        (
            "selected",
            InteractiveSubstringMatching {
                exclude: Exclude::Selected,
                ..plain
            },
            all[1..].to_vec(),
        ),
        (
            "annotated",
            InteractiveSubstringMatching {
                exclude: Exclude::Annotated,
                ..plain
            },
            all[2..].to_vec(),
        ),
        (
            "what is left out does not count",
            InteractiveSubstringMatching {
                exclude: Exclude::Annotated,
                max_matches: Some(1),
                ..plain
            },
            vec![all[2]],
        ),
    ];
    for (name, model, expected) in cases {
        assert_eq!(spans(model, text, &annotated), expected, "{name}");
    }
    assert_eq!(spans(plain, text, &selected), all);
}

#[test]
fn scores_an_exact_copy_of_the_typed_keyword_fully() {
    let model = InteractiveSubstringMatching {
        score: ScoreMode::Typed,
        ..all_spans()
    };
    let context = [region("label", 0, 3, "IBM", &["ORG"])];
    let answer = predict(model, &json!([{ "data": { "text": "IBM ibm" } }]), &context).unwrap();
    let scores = [
        &answer[0]["result"][0]["score"],
        &answer[0]["result"][1]["score"],
        &answer[0]["score"],
    ];
    assert_eq!(scores, [1.0, 0.0, 0.5]);
}

#[test]
fn uses_the_tags_that_the_selected_region_names() {
    let mut selected = region("topic", 0, 5, "apple", &["Fruit"]);
    selected["to_name"] = "title".into();
    let context = [region("gone", 0, 2, "an", &["ORG"]), selected];
    let tasks = json!([{ "data": { "text": "apple apple", "title": "An Apple" } }]);
    let answer = predict(all_spans(), &tasks, &context).unwrap();
    let regions = answer[0]["result"].as_array().unwrap();
    assert_eq!(regions.len(), 1);
    let mut found = regions[0].clone();
    found.as_object_mut().unwrap().remove("id");
    let expected = json!({
        "from_name": "topic",
        "to_name": "title",
        "type": "labels",
        "score": 0.8,
        "value": { "start": 3, "end": 8, "text": "Apple", "labels": ["Fruit"] },
    });
    assert_eq!(found, expected);
}

#[test]
fn every_task_has_its_own_answer() {
    let tasks = json!([
        { "data": { "text": null } },
        { "data": { "text": "cat" } },
        { "data": { "other": "cat" } },
        { "data": { "text": 7 } },
    ]);
    let context = [region("label", 0, 3, "cat", &["ORG", "PER"])];
    let answer = predict(all_spans(), &tasks, &context).unwrap();
    assert_eq!(answer[0]["result"], json!([]));
    assert_eq!(
        answer[1]["result"][0]["value"]["labels"],
        json!(["ORG", "PER"])
    );
    assert!(answer[2].to_string().contains("no data field"), "{answer}");
    assert!(answer[3].to_string().contains("not a text"), "{answer}");
}

#[test]
fn text_that_looks_like_an_address_stays_text() {
    let context = [region("label", 0, 6, "upload", &["ORG"])];
    let plain = all_spans();
    assert_eq!(spans(plain, "upload/1/file.txt", &context), [(0, 6)]);
    assert_eq!(spans(plain, "s3://upload/file.txt", &context), [(5, 11)]);
}

#[test]
fn an_empty_keyword_is_found_nowhere() {
    let context = [region("label", 0, 0, "", &["ORG"])];
    assert_eq!(spans(all_spans(), "abc", &context), []);
}

#[test]
fn ids_do_not_collide() {
    let context = [region("label", 0, 1, "a", &["ORG"])];
    let tasks = json!([{ "data": { "text": "a".repeat(5000) } }]);
    let answer = predict(all_spans(), &tasks, &context).unwrap();
    let regions = answer[0]["result"].as_array().unwrap();
    let ids: std::collections::HashSet<_> = regions
        .iter()
        .map(|region| region["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 5000);
}

#[test]
fn by_default_the_selected_word_is_not_suggested_again_and_an_exact_copy_scores_1() {
    let context = [region("label", 0, 3, "IBM", &["ORG"])];
    let tasks = json!([{ "data": { "text": "IBM, IBM" } }]);
    let model = InteractiveSubstringMatching::default();
    let answer = predict(model, &tasks, &context).unwrap();
    let regions = answer[0]["result"].as_array().unwrap();
    assert_eq!(regions.len(), 1);
    assert_eq!(
        (&regions[0]["value"]["start"], &regions[0]["score"]),
        (&json!(5), &json!(1.0))
    );
}

#[test]
fn the_keyword_is_what_the_task_has_at_the_offsets() {
    // What the editor sends for two blanks, and for a newline.
    for (text, shown) in [
        ("Berlin,  Germany. Berlin,  Germany.", "Berlin, Germany"),
        (
            "Berlin,\n Germany. Berlin,\n Germany.",
            r"Berlin,\n Germany",
        ),
        (
            "Berlin,\r\nGermany. Berlin,\r\nGermany.",
            r"Berlin,\nGermany",
        ),
    ] {
        let end = text.find('.').unwrap();
        let mut context = [region("label", 0, end, shown, &["ORG"])];
        let model = InteractiveSubstringMatching::default();
        let start = u64::try_from(end + 2).unwrap();
        let expected = [(start, start + u64::try_from(end).unwrap())];
        assert_eq!(spans(model, text, &context), expected, "{text:?}");
        // As with a text that the screen fetches itself.
        context[0]["value"].as_object_mut().unwrap().remove("text");
        assert_eq!(
            spans(model, text, &context),
            expected,
            "{text:?} without text"
        );
    }
}

#[test]
fn a_keyword_of_another_task_is_searched_as_it_is() {
    let context = [region("label", 4, 7, "cat", &["ORG"])];
    let model = InteractiveSubstringMatching::default();
    assert_eq!(spans(model, "a dog and a cat", &context), [(12, 15)]);
}

#[test]
fn a_region_without_text_and_offsets_is_an_error_that_says_so() {
    let mut context = [region("label", 0, 3, "", &["ORG"])];
    let value = context[0]["value"].as_object_mut().unwrap();
    value.remove("text");
    value.insert("end".to_owned(), json!(99));
    let tasks = json!([{ "data": { "text": "cat" } }]);
    let answer = predict(InteractiveSubstringMatching::default(), &tasks, &context).unwrap();
    assert!(answer[0].to_string().contains("no value.text"), "{answer}");
}

#[test]
fn setup_says_that_labels_are_missing() {
    let model = InteractiveSubstringMatching::default();
    let config = LabelConfig::parse(LABEL_CONFIG).unwrap();
    assert!(model.check(&config).is_ok());
    let config = LabelConfig::parse(&LABEL_CONFIG.replace("Labels", "Choices")).unwrap();
    let error = model.check(&config).unwrap_err().to_string();
    assert!(error.contains("<Labels>"), "{error}");
}
