//! Files, predicted without Label Studio.

use std::{fs, process::Command};

use base64::{Engine, prelude::BASE64_STANDARD};
use label_studio_testing::{Answer, MockService};
use serde_json::{Value, json};

use crate::{
    backend::{Backend, LABEL_CONFIG},
    command::{Said, said},
};

fn predict(folder: &tempfile::TempDir, backend: &MockService, args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command
        .args(["predict", "--label-config", "config.xml", "--backend-url"])
        .arg(backend.url(""))
        .args(args)
        .env_clear()
        .current_dir(folder.path());
    said(command.output().unwrap())
}

fn folder(label_config: &str, files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.xml"), label_config).unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[test]
fn texts_and_tasks_are_predicted_in_the_form_that_label_studio_imports() {
    let tasks = br#"[{"data": {"text": "c"}}, {"text": "d"}]"#;
    let files: [(&str, &[u8]); 4] = [
        ("a.txt", b"a"),
        ("b.txt", b"fault"),
        ("tasks.json", tasks),
        ("more.jsonl", b"{\"text\": \"e\"}\n{\"text\": \"f\"}\n"),
    ];
    let folder = folder(LABEL_CONFIG, &files);
    let backend = Backend::start();
    let args = [
        "a.txt",
        "b.txt",
        "tasks.json",
        "more.jsonl",
        "--batch-size",
        "2",
    ];
    let said = predict(&folder, &backend.service, &args);
    assert_eq!(said.code, Some(3), "one file failed: {said:?}");
    assert!(
        said.stderr.contains("b.txt: the text cannot be read"),
        "{said:?}"
    );
    let printed: Value = serde_json::from_str(&said.stdout).unwrap();
    let texts: Vec<_> = printed
        .as_array()
        .unwrap()
        .iter()
        .map(|task| &task["data"]["text"])
        .collect();
    assert_eq!(texts, ["a", "fault", "c", "d", "e", "f"]);
    assert_eq!(printed[0]["predictions"][0]["model_version"], "v1");
    assert_eq!(
        printed[0]["predictions"][0]["result"][0]["value"],
        json!({ "choices": ["Happy"] })
    );
    assert_eq!(printed[1]["predictions"], json!([]));
    let said = predict(
        &folder,
        &backend.service,
        &["a.txt", "--out", "predictions.json"],
    );
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), ""), "{said:?}");
    let written = fs::read_to_string(folder.path().join("predictions.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written[0], printed[0]);
}

const IMAGES: &str = r#"<View><Text name="text" value="$text"/><Image name="image" value="$photo"/>
  <RectangleLabels name="box" toName="image"><Label value="Cat"/></RectangleLabels>
  <BrushLabels name="mask" toName="image"><Label value="Cat"/></BrushLabels>
  <Labels name="word" toName="text"><Label value="Animal"/></Labels></View>"#;

#[test]
fn images_are_sent_whole_and_drawn() {
    let backend = MockService::start(|request| {
        if request.path() == "/setup" {
            return Answer::json(&json!({ "model_version": "v1" }));
        }
        let on_image = |name: &str, kind: &str, value: Value| {
            json!({
                "from_name": name, "to_name": "image", "type": kind, "value": value,
                "original_width": 4, "original_height": 2, "image_rotation": 0, "score": 0.75,
            })
        };
        let rle = label_studio_sdk::brush_rle::encode(&[0, 255, 255, 0, 0, 0, 0, 255]).unwrap();
        let area = json!({ "x": 25, "y": 50, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["Cat"] });
        let mask = json!({ "format": "rle", "rle": rle, "brushlabels": ["Cat"] });
        let task = &request.json()["tasks"][0];
        let result = if task["data"].get("photo").is_some() {
            json!([
                on_image("box", "rectanglelabels", area),
                on_image("mask", "brushlabels", mask)
            ])
        } else {
            json!([{
                "from_name": "word", "to_name": "text", "type": "labels", "score": 0.5,
                "value": { "start": 2, "end": 5, "text": "cat", "labels": ["Animal"] },
            }])
        };
        Answer::json(&json!({ "results": [{ "result": result, "score": 0.75 }] }))
    });
    let folder = folder(
        IMAGES,
        &[("cat.png", b"pixels"), ("a.txt", b"A cat & <more>")],
    );
    let args = ["cat.png", "a.txt", "--draw", "out", "--batch-size", "1"];
    let said = predict(&folder, &backend, &args);
    assert_eq!(said.code, Some(0), "{said:?}");
    let printed: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(
        printed[0]["data"],
        json!({ "photo": "cat.png" }),
        "without the content of the file"
    );
    let sent = backend.received_at("/predict")[0].json();
    let content = format!("data:image/png;base64,{}", BASE64_STANDARD.encode("pixels"));
    assert_eq!(sent["tasks"][0]["data"]["photo"], content.as_str());
    let page = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    let image = page("0001.html");
    assert!(image.contains(&content), "{image}");
    assert!(
        image.contains(r#"<rect x="1" y="1" width="2" height="1"/>"#),
        "{image}"
    );
    assert!(image.contains(r#"d="M1 0h2v1h-2zM3 1h1v1h-1z""#), "{image}");
    let text = page("0002.html");
    assert!(
        text.contains(">cat<sub>Animal</sub></mark> &amp; &lt;more&gt;</pre>"),
        "{text}"
    );
    assert!(page("index.html").contains(r#"<a href="0001.html">cat.png</a>: 2"#));
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let backend = Backend::start();
    let folder = folder(
        LABEL_CONFIG,
        &[("broken.json", b"{"), ("binary.txt", &[0xff, 0xfe])],
    );
    for (file, expected) in [
        ("missing.txt", "there is no file missing.txt"),
        ("broken.json", "cannot use broken.json"),
        ("binary.txt", "it is not a text in UTF-8"),
    ] {
        let said = predict(&folder, &backend.service, &[file]);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.stderr.contains(expected), "{said:?}");
    }
}
