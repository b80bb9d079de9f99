//! `label-studio-ml init-project` with a mock Label Studio.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use label_studio_testing::{Answer, MockService, Received};
use serde_json::{Value, json};

const TEXTS: &str = r#"<View><Text name="t" value="$text"/>
<Choices name="c" toName="t"><Choice value="A"/></Choices></View>"#;
const IMAGES: &str = r#"<View><Image name="i" value="$image"/>
<RectangleLabels name="r" toName="i"><Label value="A"/></RectangleLabels></View>"#;

/// A Label Studio that makes project 7, and refuses files called `refused.png`.
fn label_studio() -> MockService {
    MockService::start(|request| match request.route().trim_end_matches('/') {
        "POST /api/projects" => {
            let mut project = request.json();
            project["id"] = json!(7);
            Answer::json(&project).with_status(201)
        }
        "POST /api/projects/7/import" => {
            let body = String::from_utf8_lossy(&request.body);
            if body.contains("refused.png") {
                Answer::json(&json!({ "detail": "no image" })).with_status(400)
            } else {
                Answer::json(&json!({ "task_count": 1 })).with_status(201)
            }
        }
        _ => Answer::status(404),
    })
}

fn run(label_studio: &MockService, folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_label-studio-ml"))
        .arg("init-project")
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("LABEL_STUDIO_URL", label_studio.url(""))
        .env("LABEL_STUDIO_API_KEY", "0123abcd")
        .output()
        .unwrap()
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn imports(label_studio: &MockService) -> Vec<Received> {
    let received = label_studio.received().into_iter();
    received
        .filter(|request| request.route().contains("import"))
        .collect()
}

#[test]
fn a_folder_of_texts_becomes_tasks_of_one_request() {
    let readme = format!("# moods\n\n## Label config\n\n```xml\n{TEXTS}\n```\n");
    let folder = folder(&[
        ("moods/README.md", readme.as_bytes()),
        ("in/a.txt", "läuft".as_bytes()),
        ("in/more/b.txt", b"rain"),
        (
            "in/tasks.jsonl",
            b"{\"text\": \"one\"}\n{\"data\": {\"text\": \"two\"}}\n",
        ),
    ]);
    let label_studio = label_studio();
    let output = run(&label_studio, folder.path(), &["--backend", "moods", "in"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let address = label_studio.url("/projects/7");
    assert!(
        text.starts_with(&format!(
            "made project 7 \"moods\", tasks: 4, at {address}\n"
        )),
        "{text}"
    );
    assert!(
        text.contains("label-studio-ml connect --project 7"),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(0));
    let project = label_studio.received()[0].json();
    assert_eq!(project, json!({ "title": "moods", "label_config": TEXTS }));
    let imports = imports(&label_studio);
    assert_eq!(imports.len(), 1);
    let tasks = ["läuft", "rain", "one", "two"].map(|text| json!({ "data": { "text": text } }));
    assert_eq!(imports[0].json(), Value::from(tasks.to_vec()));
}

#[test]
fn images_are_uploaded_and_what_is_refused_is_said() {
    let folder = folder(&[
        ("config.xml", IMAGES.as_bytes()),
        ("in/a b.png", b"\x89PNG\r\n--x"),
        ("in/notes.md", b"notes"),
        ("in/refused.png", b"GIF"),
    ]);
    let label_studio = label_studio();
    let args = ["--label-config", "config.xml", "--title", "Cats", "in"];
    let output = run(&label_studio, folder.path(), &args);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors
            .contains("in/notes.md is not imported: the end of its name is that of no known media"),
        "{errors}"
    );
    assert!(
        errors.contains("in/refused.png is not imported:"),
        "{errors}"
    );
    assert!(errors.contains("no image"), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("project 7 \"Cats\", tasks: 1,"), "{text}");
    assert_eq!(output.status.code(), Some(3));
    let imports = imports(&label_studio);
    let sent = String::from_utf8_lossy(&imports[0].body);
    let name = "Content-Disposition: form-data; name=\"file\"; filename=\"a b.png\"\r\n";
    assert!(sent.contains(name), "{sent}");
    let content = b"\r\n\r\n\x89PNG\r\n--x\r\n--";
    assert!(
        imports[0]
            .body
            .windows(content.len())
            .any(|part| part == content)
    );
}

#[test]
fn nothing_is_made_for_what_cannot_be_used() {
    let two_fields = r#"<View><Image name="i" value="$a"/><Image name="j" value="$b"/>
        <Choices name="c" toName="i"><Choice value="A"/></Choices></View>"#;
    let folder = folder(&[
        ("broken.xml", b"<View"),
        (
            "odd.xml",
            b"<View><Choices name='c' toName='t'><Choice value='A'/></Choices></View>",
        ),
        ("two.xml", two_fields.as_bytes()),
        ("x.png", b"pixels"),
        ("empty/README.md", b"# empty\n"),
    ]);
    for (args, expected) in [
        (&["--label-config", "broken.xml"][..], "cannot be read"),
        (&["--label-config", "odd.xml"], "Label Studio would refuse"),
        (&["--label-config", "none.xml"], "none.xml"),
        (&["--label-config", "two.xml", "none.png"], "none.png"),
        (&["--backend", "empty"], "shows no label config"),
        (&["--backend", "no_such_backend"], "no_such_backend"),
    ] {
        let label_studio = label_studio();
        let output = run(&label_studio, folder.path(), args);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(expected), "{args:?}: {errors}");
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(label_studio.received().is_empty(), "{args:?}");
    }
    let label_studio = label_studio();
    let output = run(
        &label_studio,
        folder.path(),
        &["--label-config", "two.xml", "x.png"],
    );
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("shows several fields of a task"),
        "{errors}"
    );
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_label_studio_that_stops_answering_leaves_the_project_named() {
    let folder = folder(&[("config.xml", IMAGES.as_bytes()), ("x.png", b"pixels")]);
    let label_studio = MockService::start(|request| {
        if request.route().contains("import") {
            Answer::status(503)
        } else {
            Answer::json(&json!({ "id": 7, "title": "config", "label_config": IMAGES }))
        }
    });
    let args = ["--label-config", "config.xml", "x.png"];
    let output = run(&label_studio, folder.path(), &args);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("project 7 is at"), "{errors}");
    assert!(errors.contains("stopped at x.png"), "{errors}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn every_ready_backend_shows_a_label_config_that_label_studio_takes() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let label_studio = label_studio();
    let mut n_backends = 0;
    for entry in fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if !path.join("Cargo.toml").exists() {
            continue;
        }
        let name = path.to_str().unwrap();
        let output = run(&label_studio, Path::new("."), &["--backend", name]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}: {errors}");
        n_backends += 1;
    }
    assert!(n_backends > 20, "{n_backends}");
}
