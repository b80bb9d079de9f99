//! `label-studio-ml evaluate` with a mock Label Studio and a mock backend.

use std::{
    fs,
    process::{Command, Output},
};

use label_studio_testing::{Answer, MockProject, MockService};
use serde_json::{Value, json};

const LABEL_CONFIG: &str = r#"<View><Text name="text" value="$text"/><Image name="image" value="$image"/>
  <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>
  <Labels name="entity" toName="text"><Label value="PER"/></Labels>
  <RectangleLabels name="box" toName="image"><Label value="Cat"/></RectangleLabels>
  <Rating name="stars" toName="text"/>
  <TextArea name="answer" toName="text"/></View>"#;

fn mood(label: &str) -> Value {
    json!({ "from_name": "mood", "to_name": "text", "type": "choices", "value": { "choices": [label] } })
}

fn entity(start: u32, end: u32) -> Value {
    json!({
        "from_name": "entity", "to_name": "text", "type": "labels",
        "value": { "start": start, "end": end, "text": "Ada", "labels": ["PER"] },
    })
}

fn cat(x: u32) -> Value {
    json!({
        "from_name": "box", "to_name": "image", "type": "rectanglelabels", "score": 0.9,
        "value": { "x": x, "y": 0, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["Cat"] },
        "original_width": 200, "original_height": 100, "image_rotation": 0,
    })
}

fn stars(number: u32) -> Value {
    json!({ "from_name": "stars", "to_name": "text", "type": "rating", "value": { "rating": number } })
}

fn answer(text: &str) -> Value {
    json!({ "from_name": "answer", "to_name": "text", "type": "textarea", "value": { "text": [text] } })
}

/// Four tasks, of which three are annotated: the first is predicted rightly by v2, the second wrongly, the third not.
fn project() -> MockProject {
    let project = MockProject::start(LABEL_CONFIG);
    let mut table = project.table();
    let data = |text| json!({ "text": text, "image": "/data/upload/1/a.png" });
    table.add_tasks(["Ada <one>", "Ada two", "Ada three", "Ada four"].map(data));
    table.annotate(
        1,
        &json!([mood("Happy"), entity(0, 3), cat(0), stars(4), answer("a b")]),
    );
    table.annotate(
        2,
        &json!([mood("Sad"), entity(0, 3), cat(0), stars(4), answer("a b")]),
    );
    table.annotate(3, &json!([mood("Sad")]));
    let right = json!([mood("Happy"), entity(0, 3), cat(0), stars(4), answer("a b")]);
    let wrong = json!([
        mood("Happy"),
        entity(1, 3),
        cat(50),
        stars(1),
        answer("a c")
    ]);
    for (task, version, result) in [(1, "v1", &wrong), (1, "v2", &right), (2, "v2", &wrong)] {
        table.predict(
            task,
            json!({ "model_version": version, "result": result, "score": 0.5 }),
        );
    }
    drop(table);
    project
}

fn evaluate(project: &MockProject, folder: &tempfile::TempDir, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command
        .args(["evaluate", "--project", "1", "--samples", "50"])
        .args(args)
        .env_clear()
        .env("LABEL_STUDIO_URL", project.url(""))
        .env(
            "LABEL_STUDIO_API_KEY",
            "0123456789abcdef0123456789abcdef01234567",
        )
        .current_dir(folder.path());
    command.output().unwrap()
}

#[test]
fn each_control_has_its_metrics_by_model_version() {
    let folder = tempfile::tempdir().unwrap();
    let output = evaluate(
        &project(),
        &folder,
        &["--json", "report.json", "--html", "report.html"],
    );
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        printed.contains("model version v2: 2 tasks, 1 annotated ones without a prediction of it"),
        "{printed}"
    );
    let report = fs::read_to_string(folder.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let versions: Vec<_> = report["versions"].as_array().unwrap().iter().collect();
    assert_eq!(versions[0]["model_version"], "v1");
    assert_eq!(versions[1]["model_version"], "v2", "the newest is the last");
    let value = |control: &str, metric: &str| {
        let controls = versions[1]["controls"].as_array().unwrap();
        let control = controls
            .iter()
            .find(|found| found["name"] == control)
            .unwrap();
        control["measures"][metric]["value"].as_f64().unwrap()
    };
    for (control, metric, expected) in [
        ("mood", "accuracy", 0.5),
        ("entity", "f1", 0.5),
        ("entity", "overlap_f1", 1.0),
        // One of two boxes is found; precision is 1 up to a recall of 0.5.
        ("box", "ap50", 51.0 / 101.0),
        ("stars", "mae", 1.5),
        ("answer", "wer", 0.25),
    ] {
        let found = value(control, metric);
        assert!(
            (found - expected).abs() < 1e-9,
            "{control} {metric}: {found}"
        );
    }
    let mood = &versions[1]["controls"][0];
    assert_eq!(
        mood["confusion"],
        json!({ "labels": ["Happy", "Sad"], "counts": [[1, 0], [1, 0]] })
    );
    assert_eq!(mood["worst"][0], json!({ "task": 2, "value": 0.0 }));
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(
        page.contains("/projects/1/data?task=2\">task 2</a>: accuracy 0.0000"),
        "{page}"
    );
    assert!(
        page.contains("&lt;one&gt;") && !page.contains("<one>"),
        "texts of tasks are escaped"
    );
}

#[test]
fn thresholds_decide_on_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    for (threshold, code) in [
        ("mood.accuracy=0.5", 0),
        ("mood.accuracy=0.6", 3),
        ("mae=1.5", 0),
        ("mae=1.4", 3),
        ("entity.iou=0.1", 3),
    ] {
        let output = evaluate(&project(), &folder, &["--fail-under", threshold]);
        assert_eq!(output.status.code(), Some(code), "{threshold}: {output:?}");
    }
}

#[test]
fn a_backend_can_be_asked_instead() {
    let backend = MockService::start(|request| {
        if request.path() == "/setup" {
            return Answer::json(&json!({ "model_version": "v3" }));
        }
        let tasks = request.json()["tasks"].as_array().map_or(0, Vec::len);
        let right = json!({ "result": [mood("Sad")], "score": 0.5 });
        Answer::json(&json!({ "results": vec![right; tasks] }))
    });
    let (project, folder) = (project(), tempfile::tempdir().unwrap());
    let url = backend.url("");
    let output = evaluate(&project, &folder, &["--predict", "--backend-url", &url]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.starts_with("model version v3: 3 tasks\n"),
        "{printed}"
    );
    assert!(printed.contains("accuracy        0.6667"), "{printed}");
    assert_eq!(
        project.table().versions(3),
        Vec::<&str>::new(),
        "nothing is stored"
    );
}

#[test]
fn a_project_without_anything_to_compare_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let empty = MockProject::start(LABEL_CONFIG);
    let output = evaluate(&empty, &folder, &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("no task of project 1 has an annotation"),
        "{told}"
    );
    let output = evaluate(&project(), &folder, &["--model-version", "v9"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("of model version v9 (but of v1, v2)"),
        "{told}"
    );
}
