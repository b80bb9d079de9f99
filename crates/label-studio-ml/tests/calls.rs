//! How the server calls a model: where, how many at once, and what it makes of the answer.

use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use label_studio_ml::{
    FnModel, Model, PredictRequest, Prediction, Predictions, Project, ServerArgs, TaskPrediction,
    Value, anyhow, json, testing::TestClient,
};

const CONFIG: &str = r#"<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>"#;

fn body(text: &str) -> Value {
    json!({ "tasks": [{ "data": { "t": text } }], "project": "1.1", "label_config": CONFIG })
}

fn empty() -> Prediction {
    Prediction::new(Vec::<Value>::new())
}

#[test]
fn an_interactive_call_gets_an_object_where_a_batch_gets_a_list() {
    let several = |_: &Project, request: &PredictRequest| {
        let scored = |score| empty().with_score(score);
        Ok(request
            .tasks
            .iter()
            .map(|_| vec![scored(0.5), scored(0.25)])
            .collect())
    };
    let client = TestClient::new(FnModel::new("Several").predict_fn(several));
    let batch = client.predict(&body("x"));
    assert_eq!(batch["results"][0][1]["score"], 0.25);
    let mut interactive = body("x");
    interactive["params"] = json!({ "context": { "result": [] } });
    let answer = client.predict(&interactive);
    let expected = json!([{ "model_version": "0.0.1", "result": [], "score": 0.5 }]);
    assert_eq!(answer["results"], expected);
}

#[test]
fn a_label_studio_that_loses_batches_gets_one_object_per_task() {
    let mixed = |_: &Project, request: &PredictRequest| {
        let answer = |text: &str| match text {
            "bad" => TaskPrediction::Failed("no text".to_owned()),
            "several" => TaskPrediction::Several(vec![empty().with_score(0.5), empty()]),
            _ => TaskPrediction::One(empty().with_score(0.25)),
        };
        let texts = request.tasks.iter().map(|task| task.text("t").unwrap());
        Ok(texts.map(answer).collect())
    };
    let client = TestClient::new(FnModel::new("Mixed").predict_fn(mixed));
    let tasks = ["good", "bad", "several"].map(|text| json!({ "data": { "t": text } }));
    let body = json!({ "tasks": tasks, "project": "1.1", "label_config": CONFIG });
    let answer = |user_agent: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("user-agent", user_agent),
        ];
        let (status, answer) = client.send("POST", "/predict", &headers, body.to_string());
        assert_eq!(status, 200, "{answer}");
        answer["results"].clone()
    };
    let prediction =
        |score: Value| json!({ "model_version": "0.0.1", "result": [], "score": score });
    assert_eq!(
        answer("heartex/1.12.1+0.g779ee98.dirty"),
        json!([
            prediction(json!(0.25)),
            prediction(Value::Null),
            prediction(json!(0.5))
        ])
    );
    let newer = answer("heartex/44c2949");
    assert_eq!(newer[1], json!({ "error": "no text" }));
    assert_eq!(newer[2].as_array().unwrap().len(), 2);
}

/// Counts the calls that run at once.
struct Counting {
    is_exclusive: bool,
    together: Option<Barrier>,
    n_running: AtomicUsize,
    most: AtomicUsize,
}

impl Counting {
    fn new(is_exclusive: bool, together: Option<Barrier>) -> Arc<Self> {
        Arc::new(Self {
            is_exclusive,
            together,
            n_running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }
}

struct Shared(Arc<Counting>);

impl Model for Shared {
    fn predict(&self, _: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let n_running = self.0.n_running.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(n_running, Ordering::SeqCst);
        if let Some(together) = &self.0.together {
            together.wait();
        }
        thread::yield_now();
        self.0.n_running.fetch_sub(1, Ordering::SeqCst);
        Ok(request.tasks.iter().map(|_| empty()).collect())
    }

    fn is_exclusive(&self) -> bool {
        self.0.is_exclusive
    }
}

/// Makes calls from two threads and returns how many ran at once at most.
fn most_at_once(counting: &Arc<Counting>, n_calls: usize) -> usize {
    let client = TestClient::new(Shared(Arc::clone(counting)));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..n_calls).for_each(|_| drop(client.predict(&body("x")))));
        }
    });
    counting.most.load(Ordering::SeqCst)
}

#[test]
fn an_exclusive_model_is_called_once_at_a_time_and_others_in_parallel() {
    assert_eq!(most_at_once(&Counting::new(true, None), 100), 1);
    // Neither of two calls ends before the other has begun.
    let together = Counting::new(false, Some(Barrier::new(2)));
    assert_eq!(most_at_once(&together, 10), 2);
}

#[test]
fn a_fast_model_is_called_inline_until_it_is_slow() {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&threads);
    let model = FnModel::new("Where").predict_fn(move |_, request| {
        seen.lock().unwrap().push(thread::current().id());
        match request.tasks[0].text("t") {
            Some("panic") => panic!("as asked"),
            Some("slow") => {
                let started = std::time::Instant::now();
                while started.elapsed().as_millis() < 20 {
                    std::hint::spin_loop();
                }
            }
            _ => {}
        }
        Ok(request.tasks.iter().map(|_| empty()).collect())
    });
    let client = TestClient::new(model);
    let here = thread::current().id();
    // The test client's requests are read on the thread of the test. A busy machine may make single
    // calls late.
    let is_here = |text: &str| {
        client.post("/predict", &body(text));
        *threads.lock().unwrap().last().unwrap() == here
    };
    assert!(!is_here("first"), "no call was fast so far");
    assert!((0..10_000).any(|_| is_here("quick")), "its calls were fast");
    is_here("slow");
    assert!(
        !is_here("after a slow one"),
        "the count of fast calls has dropped"
    );
    assert!(
        (0..10_000).any(|_| is_here("quick")),
        "its calls were fast again"
    );
    let (status, answer) = client.post("/predict", &body("panic"));
    assert_eq!(
        (status, &answer["detail"]),
        (500, &json!("the model panicked: as asked"))
    );
    assert_eq!(
        client.post("/predict", &body("x")).0,
        200,
        "the server lives on"
    );
}

#[test]
fn unknown_control_tags_reach_the_model() {
    let config = r#"<View><Text name="t" value="$t"/><Hologram name="h" toName="t"><Label value="x"/></Hologram></View>"#;
    let model = FnModel::new("Holograms").predict_fn(|project, request| {
        let pair = project.label_config().first_pair("Hologram", "Text")?;
        let region = pair.control.label("x").field("depth", 3).build()?;
        Ok(request
            .tasks
            .iter()
            .map(|_| Prediction::new([region.clone()]))
            .collect())
    });
    let mut body = body("x");
    body["label_config"] = config.into();
    let answer = TestClient::new(model).predict(&body);
    let region = &answer["results"][0]["result"][0];
    assert_eq!(region["type"], "hologram");
    assert_eq!(region["value"], json!({ "depth": 3, "hologram": ["x"] }));
}

#[test]
fn versions_are_listed_once_a_project_had_them() {
    let model =
        FnModel::new("Trains").update_fn(|project, _| Ok(project.bump_model_version()?.into()));
    let client = TestClient::new(model);
    let (status, none) = client.get("/versions");
    assert_eq!((status, none), (200, json!({ "versions": [] })));
    let event =
        json!({ "action": "START_TRAINING", "project": { "id": 1, "label_config": CONFIG } });
    assert_eq!(client.post("/webhook", &event).1["result"], "0.1.0");
    assert_eq!(
        client.get("/versions").1,
        json!({ "versions": ["0.0.1", "0.1.0"] })
    );
}

#[test]
fn a_prediction_that_takes_too_long_is_answered_with_its_reason() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Mutex::new(released);
    let model = FnModel::new("Slow").predict_fn(move |_, _| {
        let _ = released.lock().unwrap().recv();
        Ok(Predictions::default())
    });
    let args = ServerArgs {
        predict_timeout: 1,
        ..ServerArgs::default()
    };
    let resources = label_studio_ml::Resources::new(label_studio_ml::store::MemoryStore::default());
    let client = TestClient::with_resources(model, &args, resources);
    let (status, answer) = client.post("/predict", &body("x"));
    assert_eq!(status, 504, "{answer}");
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains("the model did not answer"), "{detail}");
    drop(release);
}

#[test]
fn a_call_whose_answer_is_no_longer_awaited_is_cancelled() {
    let (ended, has_ended) = std::sync::mpsc::channel();
    let model = FnModel::new("Long").predict_fn(move |project, _| {
        while !project.job().is_cancelled() {
            thread::yield_now();
        }
        ended.send(()).unwrap();
        Ok(Predictions::default())
    });
    let args = ServerArgs {
        predict_timeout: 1,
        ..ServerArgs::default()
    };
    let resources = label_studio_ml::Resources::new(label_studio_ml::store::MemoryStore::default());
    let client = TestClient::with_resources(model, &args, resources);
    let (status, answer) = client.post("/predict", &body("x"));
    assert_eq!(status, 504, "{answer}");
    let in_time = has_ended.recv_timeout(std::time::Duration::from_secs(10));
    in_time.expect("the model hears of it");
}
