//! A Label Studio that misbehaves, and addresses that task data should not have: a clear error each
//! time, and a server that goes on.

use std::{sync::mpsc, time::Duration};

use label_studio_ml::{
    FnModel, Prediction, Predictions, Resources, ServerArgs, Value, json,
    sdk::{Client, ClientOptions, MediaFetcher, MediaOptions},
    settings::BasicAuthArgs,
    store::MemoryStore,
    testing::TestClient,
};
use label_studio_testing::{Answer, MockService, label_studio::client_options};

const CONFIG: &str = r#"<View><Image name="i" value="$image"/><Choices name="c" toName="i"><Choice value="x"/></Choices></View>"#;

/// Labels every image with its number of bytes; training counts the labelled tasks.
fn model() -> FnModel {
    FnModel::new("Sizes")
        .predict_fn(|project, request| {
            let size = |task: &label_studio_ml::Task| {
                let path = project.local_path(task, task.text("image").unwrap_or_default())?;
                let region = json!({ "bytes": path.metadata()?.len() });
                Ok(Prediction::new([region]))
            };
            Ok(request.tasks.iter().map(size).collect::<Predictions>())
        })
        .update_fn(|project, _| Ok(project.labeled_tasks()?.len().into()))
}

struct Scene {
    client: TestClient,
    _cache: tempfile::TempDir,
}

/// Enough for a mock on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// For mocks that never answer.
const HASTE: Duration = Duration::from_millis(100);

impl Scene {
    fn new(label_studio: &MockService, args: &ServerArgs) -> Self {
        Self::waiting(label_studio, args, PATIENCE)
    }

    fn waiting(label_studio: &MockService, args: &ServerArgs, read_timeout: Duration) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let client = Client::new(ClientOptions {
            read_timeout,
            retries: 0,
            ..client_options(&label_studio.url("")).with_token("0123abcd")
        });
        let client = client.unwrap();
        let media = MediaOptions {
            read_timeout,
            retries: 0,
            document_root: Some(cache.path().join("documents")),
            ..MediaOptions::new(cache.path().join("media"))
        };
        std::fs::create_dir(cache.path().join("documents")).unwrap();
        let resources = Resources {
            client: Some(client.clone()),
            media: Some(MediaFetcher::new(Some(client), media).unwrap()),
            ..Resources::new(MemoryStore::default())
        };
        Self {
            client: TestClient::with_resources(model(), args, resources),
            _cache: cache,
        }
    }

    /// Predicts a good task and one with `image`: the good one must be predicted whatever happens
    /// to the other.
    fn error_of(&self, image: &str) -> String {
        let tasks = [
            json!({ "id": 1, "data": { "image": "data:text/plain,good" } }),
            json!({ "id": 2, "data": { "image": image } }),
        ];
        let body = json!({ "tasks": tasks, "project": "1.1", "label_config": CONFIG });
        let answer = self.client.predict(&body);
        assert_eq!(answer["results"][0]["result"], json!([{ "bytes": 4 }]));
        answer["results"][1]["error"].as_str().unwrap().to_owned()
    }
}

/// Serves `reply` to everything and expects `parts` in the error of a task whose image is `image`.
fn check(image: &str, reply: impl Fn() -> Answer + Send + Sync + 'static, parts: &[&str]) {
    check_within(PATIENCE, image, reply, parts);
}

fn check_within(
    read_timeout: Duration,
    image: &str,
    reply: impl Fn() -> Answer + Send + Sync + 'static,
    parts: &[&str],
) {
    let label_studio = MockService::start(move |_| reply());
    let scene = Scene::waiting(&label_studio, &ServerArgs::default(), read_timeout);
    let error = scene.error_of(&image.replace("LABEL_STUDIO", &label_studio.url("")));
    for part in parts {
        assert!(
            error.contains(part),
            "{image}: {part:?} is not in {error:?}"
        );
    }
    assert_eq!(scene.client.get("/health").0, 200, "the server lives on");
    assert!(!error.contains("0123abcd"), "{error}");
}

#[test]
fn media_that_cannot_be_had_costs_one_task() {
    let upload = "/data/upload/1/ab-cat.png";
    check_within(HASTE, upload, Answer::hang, &["cat.png", "too long"]);
    check(
        upload,
        || Answer::status(401),
        &["401", "LABEL_STUDIO_API_KEY"],
    );
    let short =
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\nconnection: close\r\n\r\nonly this".to_vec();
    check(
        upload,
        move || Answer::raw(short.clone()),
        &["cat.png", "ended early"],
    );
    let elsewhere = || Answer::redirect("http://169.254.169.254/latest/meta-data");
    check(
        "LABEL_STUDIO/data/upload/1/ab-cat.png",
        elsewhere,
        &["169.254.169.254", "private"],
    );
    let unused = || Answer::ok("never asked");
    check(
        "http://169.254.169.254/latest/meta-data",
        unused,
        &["169.254.169.254", "private"],
    );
    check(
        "/data/local-files/?d=../../etc/passwd",
        unused,
        &["etc/passwd", "outside"],
    );
    check("file:///etc/passwd", unused, &["file:///etc/passwd"]);
    check("/etc/passwd", unused, &["/etc/passwd"]);
}

/// Trains with a Label Studio that serves `reply` to everything and expects `part` in the error.
fn check_training(
    read_timeout: Duration,
    reply: impl Fn() -> Answer + Send + Sync + 'static,
    part: &str,
) {
    let label_studio = MockService::start(move |_| reply());
    let scene = Scene::waiting(&label_studio, &ServerArgs::default(), read_timeout);
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
    let (status, answer) = scene.client.post("/webhook", &event);
    assert_eq!(status, 500, "{answer}");
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains(part), "{part:?} is not in {detail:?}");
    assert_eq!(scene.client.get("/health").0, 200, "the server lives on");
}

#[test]
fn a_training_without_label_studio_says_why() {
    check_training(HASTE, Answer::hang, "time");
    check_training(PATIENCE, || Answer::status(401), "LABEL_STUDIO_API_KEY");
    check_training(
        PATIENCE,
        || Answer::ok("<html>a page</html>"),
        "LABEL_STUDIO_URL",
    );
}

fn with_password() -> ServerArgs {
    ServerArgs {
        basic_auth: BasicAuthArgs::new("ann", "secret"),
        ..ServerArgs::default()
    }
}

const CREDENTIALS: &str = "Basic YW5uOnNlY3JldA==";

/// Sets a project up and returns the address and the body of the first webhook that is changed.
fn first_patched(args: &ServerArgs, webhooks: Value) -> (String, Value) {
    let (patched, is_patched) = mpsc::channel();
    let label_studio = MockService::start(move |asked| {
        Answer::json(&match (asked.method.as_str(), asked.path()) {
            ("GET", "/api/current-user/whoami") => json!({ "id": 1, "email": "a@b.c" }),
            ("GET", "/api/webhooks/") => webhooks.clone(),
            _ => {
                let body: Value = asked.json();
                patched.send((asked.target.clone(), body)).unwrap();
                json!({})
            }
        })
    });
    let scene = Scene::new(&label_studio, args);
    let headers = [
        ("content-type", "application/json"),
        ("host", "backend:9090"),
        ("authorization", CREDENTIALS),
    ];
    let body = json!({ "project": "1.1", "schema": CONFIG }).to_string();
    let (status, _) = scene.client.send("POST", "/setup", &headers, body);
    assert_eq!(status, 200);
    is_patched.recv().unwrap()
}

#[test]
fn a_projects_webhook_gets_the_backends_credentials_and_no_other_does() {
    let webhooks = json!([
        { "id": 1, "url": "http://elsewhere:9090/webhook", "headers": {} },
        { "id": 2, "url": "http://backend.evil:9090/webhook", "headers": {} },
        { "id": 3, "url": "http://backend:9090/other", "headers": {} },
        { "id": 4, "url": "http://ann:secret@backend:9090/webhook", "headers": {} },
        { "id": 5, "url": "http://backend:9090/webhook", "headers": { "Authorization": CREDENTIALS } },
        { "id": 6, "url": "http://backend:9090/webhook", "headers": { "X-Team": "red" } },
    ]);
    let expected = json!({ "headers": { "Authorization": CREDENTIALS, "X-Team": "red" } });
    // They are looked at in order, so the first that is patched shows that those before it are left
    // alone.
    assert_eq!(
        first_patched(&with_password(), webhooks),
        ("/api/webhooks/6".to_owned(), expected)
    );
}

#[test]
fn a_projects_webhook_gets_the_secret_instead_of_the_password_if_there_is_one() {
    let args = ServerArgs {
        webhook_secret: Some("s3cret".to_owned()),
        ..with_password()
    };
    let hook = |id: u32, headers: Value| json!({ "id": id, "url": "http://backend:9090/webhook", "headers": headers });
    let webhooks = json!([
        hook(1, json!({ "X-Webhook-Secret": "s3cret" })),
        hook(2, json!({ "X-Webhook-Secret": "old" })),
    ]);
    let expected = json!({ "headers": { "X-Webhook-Secret": "s3cret" } });
    assert_eq!(
        first_patched(&args, webhooks),
        ("/api/webhooks/2".to_owned(), expected)
    );
}
