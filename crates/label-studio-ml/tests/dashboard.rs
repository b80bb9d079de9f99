//! The dashboard's routes: who gets them, what they say, and what a browser may do with them.

use std::{collections::BTreeSet, fs, path::Path};

use label_studio_ml::sdk::{Client, MediaFetcher, MediaOptions};
use label_studio_ml::{
    FnModel, Prediction, Predictions, Resources, ServerArgs, Value, anyhow::bail, json,
    settings::BasicAuthArgs, store::MemoryStore, testing::TestClient,
};
use label_studio_testing::{
    Answer, MockService, label_studio::client_options, media::allow_private,
};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const PASSWORD: (&str, &str) = ("authorization", "Basic YW5uOnNlY3JldA==");
const HOSTILE: &str = r#"<View><Text name="t" value="$text"/><Choices name="c" toName="t"><Choice value="&lt;img src=x onerror=alert(1)&gt;"/></Choices></View>"#;

fn model() -> FnModel {
    FnModel::new("Shown").predict_fn(|_, request| {
        if request
            .tasks
            .iter()
            .any(|task| task.text("text") == Some("bad"))
        {
            bail!("no weights in /models");
        }
        let empty = || Prediction::new(Vec::<Value>::new());
        Ok(request
            .tasks
            .iter()
            .map(|_| empty())
            .collect::<Predictions>())
    })
}

fn served(change: impl FnOnce(&mut ServerArgs), resources: Resources) -> TestClient {
    let mut args = ServerArgs::default();
    change(&mut args);
    TestClient::with_resources(model(), &args, resources)
}

fn client(change: impl FnOnce(&mut ServerArgs)) -> TestClient {
    served(change, Resources::new(MemoryStore::default()))
}

fn with_password(args: &mut ServerArgs) {
    args.basic_auth = BasicAuthArgs::new("ann", "secret");
    args.public_health = true;
}

fn text(client: &TestClient, path: &str) -> String {
    let page = client.page_with(path, &[BROWSER]);
    assert_eq!(page.status(), 200, "{path}");
    String::from_utf8(page.body().to_vec()).unwrap()
}

#[test]
fn browsers_get_a_page_at_the_root_and_programs_the_health_check() {
    let client = client(|_| {});
    for accept in ["*/*", "application/json", ""] {
        let (status, health) = client.send("GET", "/", &[("accept", accept)], "");
        assert_eq!((status, &health["status"]), (200, &json!("UP")), "{accept}");
    }
    assert_eq!(client.get("/").1["model_class"], "Shown");
    let page = client.page_with("/", &[BROWSER]);
    let header = |name: &str| page.headers()[name].to_str().unwrap();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("vary"), "accept");
    let policy = header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "connect-src 'self';",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ] {
        assert!(policy.contains(rule), "{rule}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[test]
fn the_dashboard_can_be_switched_off() {
    let client = client(|args| args.no_dashboard = true);
    let (status, health) = client.send("GET", "/", &[BROWSER], "");
    assert_eq!((status, &health["status"]), (200, &json!("UP")));
    assert_eq!(client.page("/dashboard/app.js").status(), 404);
}

/// Returns the files that a page or script names: in `href`, `src` and `from`.
fn named(text: &str) -> BTreeSet<String> {
    let ends = ["href=\"", "src=\"", "from \"", "addressOf(\"dashboard/"];
    let parts = ends.iter().flat_map(|start| text.split(start).skip(1));
    let names = parts.filter_map(|part| part.split('"').next());
    let files = names.map(|name| {
        name.trim_start_matches("./")
            .trim_start_matches("dashboard/")
    });
    let is_file = |name: &&str| {
        [".js", ".css", ".html"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    files.filter(is_file).map(str::to_owned).collect()
}

#[test]
fn all_files_of_the_page_are_there_and_none_holds_inline_code_or_other_hosts() {
    let client = client(|_| {});
    let mut waiting = named(&text(&client, "/"));
    let mut seen = BTreeSet::new();
    while let Some(name) = waiting.pop_first() {
        let path = format!("/dashboard/{name}");
        let file = client.page(&path);
        assert_eq!(file.status(), 200, "{name}");
        if name == "editor.html" {
            waiting.extend(named(&text(&client, &path)).difference(&seen).cloned());
            seen.insert(name);
            continue;
        }
        let tag = file.headers()["etag"].to_str().unwrap();
        let again = client.page_with(&path, &[("if-none-match", tag)]);
        assert_eq!((again.status().as_u16(), again.body().len()), (304, 0));
        let content = text(&client, &path);
        let hosts = content.replace("http://www.w3.org/2000/svg", "");
        for odd in [
            "http://",
            "https://",
            "eval(",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "<style",
            "style=",
            "onclick=",
        ] {
            assert!(!hosts.contains(odd), "{name} has {odd}");
        }
        seen.insert(name);
        waiting.extend(named(&content).difference(&seen).cloned());
    }
    for name in [
        "app.js",
        "style.css",
        "result.js",
        "editor.html",
        "editor.js",
    ] {
        assert!(seen.contains(name), "{name} is reached: {seen:?}");
    }
    assert_eq!(client.page("/dashboard/secret.js").status(), 404);
    let page = text(&client, "/");
    assert!(
        !page.contains("<style") && !page.contains(" style="),
        "nothing is inline"
    );
    assert_eq!(
        page.matches("<script").count(),
        page.matches("<script type=\"module\" src=").count()
    );
}

#[test]
fn the_dashboard_is_behind_the_password_also_where_health_checks_are_not() {
    let client = client(with_password);
    assert_eq!(client.get("/").0, 200, "a program asks for health");
    for path in [
        "/",
        "/dashboard/app.js",
        "/dashboard/state",
        "/dashboard/label-config?project=1",
        "/dashboard/editor/main.js",
    ] {
        assert_eq!(client.page_with(path, &[BROWSER]).status(), 401, "{path}");
    }
    for path in ["/", "/dashboard/app.js", "/dashboard/state"] {
        assert_eq!(
            client.page_with(path, &[BROWSER, PASSWORD]).status(),
            200,
            "{path}"
        );
    }
}

#[test]
fn the_state_shows_projects_latest_predictions_and_failures_with_their_reasons() {
    let client = client(|_| {});
    let body = |text: &str| {
        let tasks = [json!({ "id": 1, "data": { "text": text } })];
        json!({ "tasks": tasks, "project": "7.1", "label_config": HOSTILE })
    };
    assert_eq!(client.post("/predict", &body("good")).0, 200);
    for _ in 0..2 {
        assert_eq!(client.post("/predict", &body("bad")).0, 500);
    }
    assert_eq!(client.get("/nowhere").0, 404);
    let (status, state) = client.get("/dashboard/state");
    assert_eq!(status, 200);
    assert_eq!(
        (&state["model"], &state["status"]),
        (&json!("Shown"), &json!("ready"))
    );
    assert_eq!(state["projects"][0]["project"], "7");
    let calls = state["calls"].as_array().unwrap();
    let n_ok = calls.iter().filter(|call| call["is_ok"] == true).count();
    assert_eq!((calls.len(), n_ok), (3, 1));
    let failures = state["failures"].as_array().unwrap();
    assert_eq!(
        failures.len(),
        1,
        "a missing page is no failure: {failures:?}"
    );
    let failure = &failures[0];
    assert_eq!(
        (&failure["route"], &failure["status"], &failure["count"]),
        (&json!("/predict"), &json!(500), &json!(2))
    );
    assert!(
        failure["detail"]
            .as_str()
            .unwrap()
            .contains("no weights in /models")
    );
    assert!(!failure["request_id"].as_str().unwrap().is_empty());
    let (_, config) = client.get("/dashboard/label-config?project=7");
    assert_eq!(
        config["label_config"], HOSTILE,
        "as it came: pages show it as text"
    );
    assert_eq!(client.get("/dashboard/label-config?project=8").0, 404);
    assert_eq!(client.get("/dashboard/label-config").0, 400);
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let client = client(|_| {});
    let post = |site: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("sec-fetch-site", site),
        ];
        client
            .send("POST", "/predict", &headers, r#"{"tasks": []}"#)
            .0
    };
    assert_eq!(post("cross-site"), 403);
    assert_eq!(post("same-site"), 403);
    assert_eq!(post("same-origin"), 200);
    assert_eq!(post("none"), 200);
    let cross = [("sec-fetch-site", "cross-site")];
    assert_eq!(
        client.send("POST", "/my-route", &cross, "").0,
        404,
        "custom routes decide themselves"
    );
    assert_eq!(client.send("DELETE", "/jobs/1", &cross, "").0, 403);
    assert_eq!(
        client.send("GET", "/health", &cross, "").0,
        200,
        "a link may lead here"
    );
}

/// Label Studio with a task, whose image is an SVG with a script in it.
fn label_studio() -> MockService {
    MockService::start(|request| match request.path() {
        "/api/tasks/5" => {
            Answer::json(&json!({ "id": 5, "data": { "image": "/data/upload/1/a.svg" } }))
        }
        "/data/upload/1/a.png" => Answer::ok(*b"\x89PNG\r\n\x1a\n"),
        path if path.contains("/data/upload/1/a.svg") => {
            Answer::bytes("image/svg+xml", "<svg onload='alert(1)'/>")
        }
        _ => Answer::status(404),
    })
}

fn connected(label_studio: &MockService, cache: &Path) -> Resources {
    let client = Client::new(client_options(&label_studio.url("")).with_token("0123abcd")).unwrap();
    let media = MediaFetcher::new(
        Some(client.clone()),
        allow_private(MediaOptions::new(cache.to_owned())),
    );
    Resources {
        client: Some(client),
        media: Some(media.unwrap()),
        ..Resources::new(MemoryStore::default())
    }
}

#[test]
fn tasks_and_files_of_label_studio_are_for_users_with_the_password() {
    let (label_studio, cache) = (label_studio(), tempfile::tempdir().unwrap());
    let open = served(|_| {}, connected(&label_studio, cache.path()));
    for path in [
        "/dashboard/task?task=5",
        "/dashboard/media?url=/data/upload/1/a.png",
    ] {
        let (status, error) = open.get(path);
        assert_eq!(status, 403, "{path}");
        assert!(
            error["detail"]
                .as_str()
                .unwrap()
                .contains("BASIC_AUTH_USER"),
            "{error}"
        );
    }
    assert!(
        label_studio.received().is_empty(),
        "nothing was asked of Label Studio"
    );
    let reason = open.get("/dashboard/state").1["label_studio"].clone();
    assert!(reason.as_str().unwrap().contains("BASIC_AUTH_USER"));

    let client = served(with_password, connected(&label_studio, cache.path()));
    let (status, task) = client.send("GET", "/dashboard/task?task=5", &[PASSWORD], "");
    assert_eq!(
        (status, &task["data"]["image"]),
        (200, &json!("/data/upload/1/a.svg"))
    );
    assert_eq!(
        client
            .send("GET", "/dashboard/task?task=6", &[PASSWORD], "")
            .0,
        502
    );
    let media_type = |path: &str| {
        let file = client.page_with(path, &[PASSWORD]);
        assert_eq!(file.status(), 200, "{path}");
        assert!(
            file.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("sandbox")
        );
        file.headers()["content-type"].to_str().unwrap().to_owned()
    };
    assert_eq!(
        media_type("/dashboard/media?url=/data/upload/1/a.png"),
        "image/png"
    );
    assert_eq!(
        media_type("/dashboard/media?url=/data/upload/1/a.svg"),
        "application/octet-stream"
    );
    let climbing = client.page_with(
        "/dashboard/media?url=/data/local-files/?d=../../etc/passwd",
        &[PASSWORD],
    );
    assert_eq!(climbing.status(), 502);
}

#[test]
fn the_editor_is_served_from_its_folder_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let editor = folder.path().join("editor");
    fs::create_dir(&editor).unwrap();
    for (name, content) in [
        ("manifest.json", "{}"),
        ("main.js", "plain"),
        ("main.js.gz", "zipped"),
        (".hidden.js", "x"),
        ("notes.txt", "x"),
    ] {
        fs::write(editor.join(name), content).unwrap();
    }
    fs::write(folder.path().join("secret.js"), "secret").unwrap();
    let client = client(|args| args.dashboard_editor = Some(editor));
    assert_eq!(client.get("/dashboard/state").1["has_editor"], true);
    let plain = client.page("/dashboard/editor/main.js");
    assert_eq!(
        (plain.status().as_u16(), &plain.body()[..]),
        (200, &b"plain"[..])
    );
    let zipped = client.page_with(
        "/dashboard/editor/main.js",
        &[("accept-encoding", "gzip, br")],
    );
    assert_eq!(
        (&zipped.body()[..], &zipped.headers()["content-encoding"]),
        (&b"zipped"[..], &"gzip".parse().unwrap())
    );
    let tag = plain.headers()["etag"].to_str().unwrap();
    let again = client.page_with("/dashboard/editor/main.js", &[("if-none-match", tag)]);
    assert_eq!(again.status(), 304);
    for name in [
        "..%2Fsecret.js",
        "%2e%2e%2fsecret.js",
        "..%5Csecret.js",
        ".hidden.js",
        "notes.txt",
        "missing.js",
        "%00.js",
        "main",
    ] {
        assert_eq!(
            client.page(&format!("/dashboard/editor/{name}")).status(),
            404,
            "{name}"
        );
    }
}

#[test]
fn a_folder_without_an_editor_is_no_editor() {
    let folder = tempfile::tempdir().unwrap();
    let client = client(|args| args.dashboard_editor = Some(folder.path().to_owned()));
    assert_eq!(client.get("/dashboard/state").1["has_editor"], false);
}

#[test]
fn only_scripts_of_the_editor_know_the_number_with_which_styles_may_be_added() {
    let client = client(|_| {});
    let nonce = || {
        let page = client.page("/dashboard/editor.html");
        assert_eq!(page.headers()["cache-control"], "no-store");
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(!policy.contains("unsafe"), "{policy}");
        let (_, rest) = policy.split_once("style-src 'self' 'nonce-").unwrap();
        let nonce = rest.split('\'').next().unwrap().to_owned();
        let text = str::from_utf8(page.body()).unwrap();
        assert!(text.contains(&format!("nonce=\"{nonce}\"")), "{text}");
        nonce
    };
    let (first, second) = (nonce(), nonce());
    assert!(first.len() == 32 && first != second, "{first} {second}");
}
