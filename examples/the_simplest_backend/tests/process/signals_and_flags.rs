//! Signals, ports, and flags.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use crate::backend::{Backend, CONFIG, command, predict_body, read_answer};
use label_studio_ml::{Value, json, testing::TestProgram};

#[test]
fn sigterm_finishes_what_runs_and_ends_with_zero() {
    let mut backend = Backend::start(&[("FIT_SECONDS", "0.4")]);
    backend.wait_for_log("model loaded");
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
    let training = backend.send("POST /webhook HTTP/1.1", &event.to_string());
    backend.wait_for_log("job started");
    backend.signal("TERM");
    backend.wait_for_log("ending");
    backend.wait_for_log("job ended: done");
    // Whether the answer has the result or only the job is a question of time.
    let (status, answer) = read_answer(training);
    assert_eq!((status, &answer["status"]), (201, &json!("ok")), "{answer}");
    assert!(backend.child.wait().unwrap().success());
}

#[test]
fn a_training_survives_its_callers_hanging_up() {
    let mut backend = Backend::start(&[("FIT_SECONDS", "0.2")]);
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
    let caller = backend.send("POST /webhook HTTP/1.1", &event.to_string());
    backend.wait_for_log("job started");
    drop(caller);
    backend.wait_for_log("job ended: done");
    let (_, setup) = backend.call(
        "POST /setup HTTP/1.1",
        &json!({ "project": "1.1", "schema": CONFIG }),
    );
    assert_eq!(setup, json!({ "model_version": "trivial-v2" }));
}

#[test]
fn basic_auth_guards_every_route() {
    let backend = Backend::start(&[("BASIC_AUTH_USER", "ann"), ("BASIC_AUTH_PASS", "pässword")]);
    let with = |credentials: &str| {
        let head = format!("POST /predict HTTP/1.1\r\nAuthorization: {credentials}");
        backend.call(&head, &predict_body()).0
    };
    assert_eq!(backend.call("GET /health HTTP/1.1", &Value::Null).0, 401);
    assert_eq!(with("Bearer xyz"), 401);
    assert_eq!(with("Basic %%%"), 401);
    assert_eq!(with("Basic YW5uOndyb25n"), 401);
    assert_eq!(with("Basic YW5uOnDDpHNzd29yZA=="), 200, "in UTF-8");
    assert_eq!(
        with("Basic YW5uOnDkc3N3b3Jk"),
        200,
        "in Latin-1, as Label Studio sends it"
    );
}

#[test]
fn half_of_the_credentials_is_said_to_guard_nothing() {
    for half in ["BASIC_AUTH_USER", "ML_SERVER_BASIC_AUTH_PASS"] {
        let mut backend = Backend::start(&[(half, "ann")]);
        backend.wait_for_log("the backend answers everyone");
    }
}

#[test]
fn an_address_of_another_machine_is_not_called_a_taken_port() {
    let mut command = command();
    let output = command
        .args(["--host", "192.0.2.1", "--port", "0"])
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("is it an address of this machine?"), "{said}");
}

#[test]
fn two_servers_share_one_cache_file() {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path().to_str().unwrap();
    let (one, two) = (
        Backend::start(&[("MODEL_DIR", shared)]),
        Backend::start(&[("MODEL_DIR", shared)]),
    );
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
    one.call("POST /webhook HTTP/1.1", &event);
    assert_eq!(
        two.call("POST /predict HTTP/1.1", &predict_body()).1["results"][0]["model_version"],
        "trivial-v2"
    );
}

#[test]
fn a_model_folder_that_cannot_be_written_is_named_and_predictions_go_on() {
    let mut backend = Backend::start(&[("MODEL_DIR", "/dev/null/models")]);
    assert!(
        backend.seen.contains("CACHE_TYPE=memory"),
        "before it listens: {}",
        backend.seen
    );
    backend.wait_for_log("model loaded");
    let (status, answer) = backend.call("POST /predict HTTP/1.1", &predict_body());
    let version = &answer["results"][0]["model_version"];
    assert_eq!((status, version), (200, &json!("trivial-v1")));
    let (status, answer) = backend.call("GET /ready HTTP/1.1", &Value::Null);
    assert_eq!(status, 200);
    let degraded = answer["degraded"].as_str().unwrap();
    assert!(degraded.contains("/dev/null/models"), "{degraded}");
}

#[test]
fn a_store_that_is_no_database_ends_the_start_with_its_fix() {
    type Damage = fn(&std::path::Path) -> std::io::Result<()>;
    let corrupt = |path: &std::path::Path| std::fs::write(path, "not a database".repeat(100));
    let folder = |path: &std::path::Path| std::fs::create_dir(path);
    for (file, damage) in [
        ("cache.db", corrupt as Damage),
        ("cache.db", folder),
        ("jobs.db", corrupt),
        ("jobs.db", folder),
    ] {
        let model_dir = tempfile::tempdir().unwrap();
        damage(&model_dir.path().join(file)).unwrap();
        let output = command()
            .args(["--host", "127.0.0.1", "--port", "0"])
            .env("MODEL_DIR", model_dir.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains(&format!("{file} is not a database")),
            "{said}"
        );
        assert!(said.contains("move it away"), "{said}");
    }
}

#[test]
fn a_store_that_breaks_later_is_not_ready() {
    let model_dir = tempfile::tempdir().unwrap();
    let path = model_dir.path().to_str().unwrap();
    let mut backend = Backend::start(&[("MODEL_DIR", path)]);
    backend.wait_for_log("model loaded");
    assert_eq!(backend.call("GET /ready HTTP/1.1", &Value::Null).0, 200);
    let file = model_dir.path().join("cache.db");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let (status, answer) = backend.call("GET /ready HTTP/1.1", &Value::Null);
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        status == 503 && detail.contains("not a database"),
        "{answer}"
    );
    std::fs::remove_dir(&file).unwrap();
    assert_eq!(backend.call("GET /ready HTTP/1.1", &Value::Null).0, 200);
}

#[test]
fn a_queue_of_trainings_that_breaks_later_is_named() {
    let model_dir = tempfile::tempdir().unwrap();
    let path = model_dir.path().to_str().unwrap();
    let mut backend = Backend::start(&[("MODEL_DIR", path)]);
    backend.wait_for_log("model loaded");
    let file = model_dir.path().join("jobs.db");
    std::fs::create_dir(&file).unwrap();
    let (status, answer) = backend.call("GET /ready HTTP/1.1", &Value::Null);
    let degraded = answer["degraded"].as_str().unwrap_or_default();
    assert!(
        status == 200 && degraded.contains("jobs.db is not a database"),
        "{answer}"
    );
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
    let (status, answer) = backend.call("POST /webhook HTTP/1.1", &event);
    let detail = answer["detail"].as_str().unwrap_or_default();
    assert!(status == 500 && detail.contains("move it away"), "{answer}");
    assert_eq!(
        backend.call("POST /predict HTTP/1.1", &predict_body()).0,
        200
    );
    std::fs::remove_dir(&file).unwrap();
    assert_eq!(backend.call("POST /webhook HTTP/1.1", &event).0, 201);
    let (_, answer) = backend.call("GET /ready HTTP/1.1", &Value::Null);
    assert_eq!(answer["degraded"], Value::Null);
}

#[test]
fn a_store_that_is_removed_is_made_again() {
    let model_dir = tempfile::tempdir().unwrap();
    let path = model_dir.path().to_str().unwrap();
    let mut one = Backend::start(&[("MODEL_DIR", path)]);
    one.call("POST /predict HTTP/1.1", &predict_body());
    std::fs::remove_file(model_dir.path().join("cache.db")).unwrap();
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
    one.call("POST /webhook HTTP/1.1", &event);
    one.wait_for_log("was removed or replaced");
    let two = Backend::start(&[("MODEL_DIR", path)]);
    for backend in [&one, &two] {
        let (_, answer) = backend.call("POST /predict HTTP/1.1", &predict_body());
        assert_eq!(
            answer["results"][0]["model_version"], "trivial-v2",
            "training is kept"
        );
    }
}

#[test]
fn requests_in_parallel_keep_their_answers_apart() {
    let backend = Backend::start(&[]);
    thread::scope(|scope| {
        for n_tasks in 1..9 {
            let backend = &backend;
            scope.spawn(move || {
                let mut body = predict_body();
                body["tasks"] = vec![json!({ "data": { "text": "x" } }); n_tasks].into();
                let (_, answer) = backend.call("POST /predict HTTP/1.1", &body);
                assert_eq!(answer["results"].as_array().unwrap().len(), n_tasks);
            });
        }
    });
}

#[test]
fn check_loads_the_model_before_anything_listens() {
    let mut backend = Backend::start_with(&["--check"], &[]);
    assert!(
        backend.seen.contains("the model can be loaded"),
        "{}",
        backend.seen
    );
    backend.wait_for_log("model loaded");
    assert_eq!(backend.call("GET /health HTTP/1.1", &Value::Null).0, 200);
}

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    TestProgram::new(env!("CARGO_BIN_EXE_the_simplest_backend"))
        .assert_empty_variables_count_as_unset(&[]);
}

#[test]
fn every_path_says_which_methods_it_takes() {
    let mut backend = Backend::start(&[]);
    backend.wait_for_log("model loaded");
    let answer = |head: &str| {
        let mut answer = String::new();
        backend.send(head, "").read_to_string(&mut answer).unwrap();
        answer
    };
    for (path, methods) in [
        ("/health", "GET, HEAD, OPTIONS"),
        ("/predict", "OPTIONS, POST"),
    ] {
        let options = answer(&format!("OPTIONS {path} HTTP/1.1"));
        assert!(options.starts_with("HTTP/1.1 200"), "{options}");
        let refused = answer(&format!("PUT {path} HTTP/1.1"));
        assert!(refused.starts_with("HTTP/1.1 405"), "{refused}");
        for answer in [options, refused] {
            assert!(
                answer.contains(&format!("allow: {methods}\r\n")),
                "{answer}"
            );
        }
    }
    let head = answer("HEAD /health HTTP/1.1");
    assert!(
        head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    assert!(answer("GET /ready HTTP/1.1").contains("READY"));
}

#[test]
fn sigterm_in_the_middle_of_a_predict_finishes_it() {
    let label_studio = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", label_studio.local_addr().unwrap());
    let mut backend = Backend::start(&[
        ("FETCH_IMAGES", "1"),
        ("LABEL_STUDIO_URL", &url),
        ("LABEL_STUDIO_API_KEY", "0123abcd"),
    ]);
    let config = r#"<View><Image name="i" value="$i"/><RectangleLabels name="r" toName="i"><Label value="x"/></RectangleLabels></View>"#;
    let tasks = json!([{ "id": 1, "data": { "i": format!("{url}/cat.png") } }]);
    let body = json!({ "tasks": tasks, "project": "1.1", "label_config": config });
    let predict = backend.send("POST /predict HTTP/1.1", &body.to_string());
    // The model is in the middle of its work: it waits for the image.
    let (mut image, _) = label_studio.accept().unwrap();
    backend.signal("TERM");
    backend.wait_for_log("ending");
    let png = include_bytes!("../fixtures/3x2.png");
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        png.len()
    );
    image.write_all(&[head.as_bytes(), png].concat()).unwrap();
    let (status, answer) = read_answer(predict);
    let region = &answer["results"][0]["result"][0];
    assert_eq!(
        (status, &region["original_width"]),
        (200, &json!(3)),
        "{answer}"
    );
    assert!(backend.child.wait().unwrap().success());
}

#[test]
fn a_full_disk_is_an_error_of_the_request_that_needs_it() {
    // No file may grow beyond 64 KiB; the limit is an error instead of a signal.
    let backend = Backend::start_limited("trap '' XFSZ; ulimit -f 64");
    assert_eq!(
        backend.call("POST /predict HTTP/1.1", &predict_body()).0,
        200
    );
    let params = "x".repeat(200_000);
    let setup = json!({ "project": "1.1", "schema": CONFIG, "extra_params": { "p": params } });
    let (status, answer) = backend.call("POST /setup HTTP/1.1", &setup);
    assert_eq!(status, 500, "{answer}");
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains("is the disk full"), "{detail}");
    assert_eq!(
        backend.call("POST /predict HTTP/1.1", &predict_body()).0,
        200,
        "it goes on"
    );
}

#[test]
fn a_port_that_is_taken_ends_with_a_clear_message() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = command()
        .args(["--host", "127.0.0.1", "--port", &port])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        message.contains("is another backend running there?"),
        "{message}"
    );
}

#[test]
fn unknown_settings_end_with_a_clear_message() {
    let output = command().env("CACHE_TYPE", "redis").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("sqlite"));
    let output = command()
        .env("LABEL_STUDIO_VERIFY_SSL", "perhaps")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected true or false"));
}

#[test]
fn an_address_of_label_studio_that_is_none_is_a_wrong_setting() {
    for address in [
        "localhost:8080",
        "label studio",
        "ftp://label-studio",
        "http://",
    ] {
        let output = command().env("LABEL_STUDIO_URL", address).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{address}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("expected a web address"), "{said}");
    }
}
