//! Requests that share a call of the model, and large ones that are cut.

use std::{
    sync::{Arc, Barrier, Mutex},
    thread,
    time::Duration,
};

use label_studio_ml::{
    Batching, Model, PredictRequest, Prediction, Predictions, Project, Value, anyhow, json,
    testing::TestClient,
};

const CONFIG: &str = r#"<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>"#;
/// Longer than any test takes: what waits so long waits for ever.
const LONG: Duration = Duration::from_secs(60);

/// Scores each task with the number in its text, and notes how many tasks each call had.
struct Numbers {
    batching: Batching,
    calls: Arc<Mutex<Vec<usize>>>,
}

impl Model for Numbers {
    fn predict(&self, _: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        self.calls.lock().unwrap().push(request.tasks.len());
        let score = |text: &str| -> anyhow::Result<Prediction> {
            let score: f64 = text.parse()?;
            Ok(Prediction::new(Vec::<Value>::new()).with_score(score))
        };
        let texts = request.tasks.iter().map(|task| task.text("t").unwrap());
        let predictions: anyhow::Result<Vec<_>> = texts.map(score).collect();
        Ok(predictions?.into_iter().collect())
    }

    fn batching(&self) -> Batching {
        self.batching
    }
}

fn serve(batching: Batching) -> (TestClient, Arc<Mutex<Vec<usize>>>) {
    let calls = Arc::default();
    let model = Numbers {
        batching,
        calls: Arc::clone(&calls),
    };
    (TestClient::new(model), calls)
}

fn body(texts: &[&str]) -> Value {
    let tasks: Vec<_> = texts
        .iter()
        .map(|text| json!({ "data": { "t": text } }))
        .collect();
    json!({ "tasks": tasks, "project": "1.1", "label_config": CONFIG })
}

/// Sends requests at the same time, and returns their statuses and answers.
fn send_all(client: &TestClient, bodies: &[Value]) -> Vec<(u16, Value)> {
    let gate = Barrier::new(bodies.len());
    thread::scope(|scope| {
        let send = |body| {
            let gate = &gate;
            scope.spawn(move || {
                gate.wait();
                client.post("/predict", body)
            })
        };
        let threads: Vec<_> = bodies.iter().map(send).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().unwrap();
        threads.into_iter().map(join).collect()
    })
}

fn scores(answer: &Value) -> Vec<f64> {
    let results = answer["results"].as_array().unwrap().iter();
    results
        .map(|result| result["score"].as_f64().unwrap())
        .collect()
}

#[test]
fn requests_that_come_together_share_a_call() {
    let (client, calls) = serve(Batching {
        max_tasks: 8,
        max_wait: LONG,
    });
    let texts: Vec<_> = (0..8).map(|number: u32| number.to_string()).collect();
    let bodies: Vec<_> = texts.iter().map(|text| body(&[text])).collect();
    let answers = send_all(&client, &bodies);
    for (number, (status, answer)) in (0_u32..).zip(&answers) {
        assert_eq!(*status, 200, "{answer}");
        assert_eq!(
            scores(answer),
            [f64::from(number)],
            "each gets its own answer"
        );
        assert_eq!(answer["results"][0]["model_version"], "0.0.1");
    }
    assert_eq!(*calls.lock().unwrap(), [8]);
}

#[test]
fn what_would_make_a_batch_too_large_is_in_the_next_one() {
    let (client, calls) = serve(Batching {
        max_tasks: 4,
        max_wait: LONG,
    });
    let bodies = vec![body(&["1", "2"]); 6];
    for (status, answer) in send_all(&client, &bodies) {
        assert_eq!((status, scores(&answer)), (200, vec![1.0, 2.0]));
    }
    assert_eq!(*calls.lock().unwrap(), [4, 4, 4]);
}

#[test]
fn a_lone_request_waits_no_longer_than_it_must_and_an_interactive_one_not_at_all() {
    let (client, calls) = serve(Batching {
        max_tasks: 8,
        max_wait: Duration::from_millis(5),
    });
    let (status, answer) = client.post("/predict", &body(&["3"]));
    assert_eq!((status, scores(&answer)), (200, vec![3.0]));
    let (client, interactive_calls) = serve(Batching {
        max_tasks: 8,
        max_wait: LONG,
    });
    let mut interactive = body(&["4"]);
    interactive["params"] = json!({ "context": { "result": [] } });
    let (status, answer) = client.post("/predict", &interactive);
    assert_eq!((status, scores(&answer)), (200, vec![4.0]));
    for calls in [calls, interactive_calls] {
        assert_eq!(*calls.lock().unwrap(), [1]);
    }
}

#[test]
fn one_requests_failure_is_that_requests() {
    let (client, calls) = serve(Batching {
        max_tasks: 3,
        max_wait: LONG,
    });
    let answers = send_all(&client, &[body(&["1"]), body(&["bad"]), body(&["2"])]);
    let statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [200, 500, 200]);
    assert_eq!(scores(&answers[2].1), [2.0]);
    assert_eq!(*calls.lock().unwrap(), [3, 1, 1, 1]);
}

#[test]
fn off_every_request_is_a_call() {
    let (client, calls) = serve(Batching::default());
    for (status, _) in send_all(&client, &vec![body(&["1"]); 4]) {
        assert_eq!(status, 200);
    }
    let many: Vec<_> = vec!["5"; 300];
    assert_eq!(client.post("/predict", &body(&many)).0, 200);
    assert_eq!(*calls.lock().unwrap(), [1, 1, 1, 1, 300]);
}

#[test]
fn a_large_request_is_cut_and_joined_in_order() {
    let (client, calls) = serve(Batching {
        max_tasks: 4,
        max_wait: Duration::ZERO,
    });
    let texts: Vec<_> = (0..10).map(|number: u32| number.to_string()).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let (status, answer) = client.post("/predict", &body(&texts));
    assert_eq!(status, 200, "{answer}");
    let expected: Vec<_> = (0..10).map(f64::from).collect();
    assert_eq!(scores(&answer), expected);
    assert_eq!(*calls.lock().unwrap(), [4, 4, 2]);
}

#[test]
fn one_tasks_failure_in_a_large_request_is_that_tasks() {
    let (client, calls) = serve(Batching {
        max_tasks: 2,
        max_wait: Duration::ZERO,
    });
    let (status, answer) = client.post("/predict", &body(&["0", "1", "bad", "3", "4"]));
    assert_eq!(status, 200, "{answer}");
    let results = answer["results"].as_array().unwrap();
    assert!(
        results[2]["error"]
            .as_str()
            .unwrap()
            .contains("invalid float")
    );
    for (idx, score) in [(0, 0.0), (1, 1.0), (3, 3.0), (4, 4.0)] {
        assert_eq!(results[idx]["score"], json!(score), "task {idx}");
    }
    assert_eq!(*calls.lock().unwrap(), [2, 2, 1, 1, 1]);
    let (status, answer) = client.post("/predict", &body(&["bad", "bad", "bad"]));
    assert_eq!(status, 500, "{answer}");
}
