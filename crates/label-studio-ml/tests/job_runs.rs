//! Training events as stored jobs: what callers, users and models see of them.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use label_studio_ml::{
    Event, FitOn, FnModel, Model, PredictRequest, Predictions, Project, Resources, ServerArgs,
    TryAgain, Value,
    anyhow::{self, Context},
    jobs::{JobState, Jobs, MemoryJobs, NewJob, SqliteJobs},
    json,
    store::MemoryStore,
    testing::TestClient,
};

const CONFIG: &str = r#"<View><Text name="t" value="$t"/></View>"#;

type Fit = dyn Fn(&Project, &Event) -> anyhow::Result<Value> + Send + Sync;

fn event(action: &str, project: u32) -> Value {
    json!({ "action": action, "project": { "id": project, "label_config": CONFIG } })
}

fn annotation(id: u32, text: &str) -> Value {
    let mut body = event("ANNOTATION_UPDATED", 1);
    body["annotation"] = json!({ "id": id, "text": text });
    body
}

fn post(client: &TestClient, body: &Value) -> Value {
    let (status, answer) = client.post("/webhook", body);
    assert_eq!(status, 201, "{answer}");
    answer
}

fn get(client: &TestClient, path: &str) -> Value {
    let (status, answer) = client.get(path);
    assert_eq!(status, 200, "{path} answered {answer}");
    answer
}

/// Waits until a job is in a state.
fn wait_for(client: &TestClient, job: &Value, state: JobState) -> Value {
    let path = format!("/jobs/{}", job.as_str().unwrap());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let shown = get(client, &path);
        if shown["state"] == state.as_str() {
            return shown;
        }
        assert!(Instant::now() < deadline, "{shown} is not {state}");
        thread::yield_now();
    }
}

fn client_of(
    fit: impl Fn(&Project, &Event) -> anyhow::Result<Value> + Send + Sync + 'static,
) -> TestClient {
    TestClient::new(FnModel::new("Learner").update_fn(fit))
}

/// A training that begins, says so, and goes on until the test ends it.
struct Gate {
    begun: Receiver<String>,
    end: Sender<()>,
}

fn gated() -> (Gate, Box<Fit>) {
    let (begins, begun) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    let ends = Mutex::new(ends);
    let fit = move |project: &Project, _: &Event| {
        begins.send(project.id().to_string())?;
        ends.lock().unwrap().recv()?;
        Ok(Value::Null)
    };
    (Gate { begun, end }, Box::new(fit))
}

#[test]
fn a_job_tells_its_progress_and_its_log_while_it_runs() {
    let (gate, wait) = gated();
    let client = client_of(move |project, event| {
        project.job().progress(0.25, "epoch 1");
        project.job().log("loss 0.5");
        wait(project, event)?;
        Ok(json!({ "accuracy": 0.9 }))
    });
    let job = post(&client, &event("START_TRAINING", 3))["job"].clone();
    let deadline = Instant::now() + Duration::from_secs(60);
    let path = format!("/jobs/{}", job.as_str().unwrap());
    while get(&client, &path)["progress"].is_null() {
        assert!(
            Instant::now() < deadline,
            "the heartbeat stores the progress"
        );
        thread::yield_now();
    }
    let shown = get(&client, &path);
    assert_eq!(
        (&shown["state"], &shown["progress"]),
        (&json!("running"), &json!(0.25))
    );
    assert_eq!(
        (&shown["message"], &shown["project"]),
        (&json!("epoch 1"), &json!("3"))
    );
    assert_eq!(get(&client, &format!("{path}/log"))["log"], "loss 0.5\n");
    gate.end.send(()).unwrap();
    let shown = wait_for(&client, &job, JobState::Done);
    assert_eq!(shown["result"], json!({ "accuracy": 0.9 }));
}

#[test]
fn a_quick_training_answers_with_its_result_and_is_listed() {
    let client = client_of(|_, event| Ok(json!(event.action.as_str())));
    let answer = post(&client, &event("ANNOTATION_CREATED", 1));
    assert_eq!(
        answer,
        json!({ "result": "ANNOTATION_CREATED", "status": "ok" })
    );
    post(&client, &event("START_TRAINING", 2));
    let page = get(&client, "/jobs?limit=1");
    assert_eq!(
        (&page["jobs"][0]["project"], &page["next"]),
        (&json!("2"), &json!("2"))
    );
    let page = get(&client, "/jobs?limit=1&before=2");
    assert_eq!(
        (&page["jobs"][0]["id"], &page["next"]),
        (&json!("1"), &Value::Null)
    );
    let page = get(&client, "/jobs?project=1&state=done");
    assert_eq!(page["jobs"].as_array().unwrap().len(), 1);
    for (path, status) in [
        ("/jobs?state=DONE", 400),
        ("/jobs?before=x", 400),
        ("/jobs?limit=x", 400),
        ("/jobs/x", 400),
        ("/jobs/99", 404),
        ("/jobs/99/log", 404),
    ] {
        assert_eq!(client.get(path).0, status, "{path}");
    }
}

#[test]
fn a_running_job_ends_when_its_model_hears_that_it_should() {
    let (gate, _) = gated();
    drop(gate);
    let (begins, begun) = mpsc::channel();
    let client = client_of(move |project, _| {
        begins.send(())?;
        while !project.job().is_cancelled() {
            thread::yield_now();
        }
        anyhow::bail!("stopped in epoch 3")
    });
    let job = post(&client, &event("START_TRAINING", 1))["job"].clone();
    begun.recv().unwrap();
    let path = format!("/jobs/{}", job.as_str().unwrap());
    let (status, _) = client.send("DELETE", &path, &[], "");
    assert_eq!(status, 200);
    wait_for(&client, &job, JobState::Cancelled);
    let (status, _) = client.send("DELETE", &path, &[], "");
    assert_eq!(status, 200, "it is what the caller wanted");
    assert_eq!(client.send("DELETE", "/jobs/99", &[], "").0, 404);
}

#[test]
fn a_waiting_job_is_cancelled_before_it_reaches_the_model() {
    let (gate, fit) = gated();
    let client = client_of(fit);
    let running = post(&client, &event("START_TRAINING", 1))["job"].clone();
    let waiting = post(&client, &event("ANNOTATION_CREATED", 1))["job"].clone();
    let path = format!("/jobs/{}", waiting.as_str().unwrap());
    let (_, shown) = client.send("DELETE", &path, &[], "");
    assert_eq!(shown["state"], "cancelled");
    gate.end.send(()).unwrap();
    wait_for(&client, &running, JobState::Done);
    assert_eq!(gate.begun.iter().take(1).count(), 1);
    assert!(gate.begun.try_recv().is_err(), "the second one never began");
    let path = format!("/jobs/{}", running.as_str().unwrap());
    let (status, answer) = client.send("DELETE", &path, &[], "");
    assert_eq!(status, 409, "{answer}");
}

#[test]
fn a_failed_training_is_told_and_runs_again_when_a_user_wants_that() {
    let attempts = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&attempts);
    let client = client_of(move |_, _| {
        let mut attempts = counted.lock().unwrap();
        *attempts += 1;
        anyhow::ensure!(*attempts > 1, "not enough memory");
        Ok(json!("learned"))
    });
    client.post("/webhook", &event("START_TRAINING", 1));
    let shown = wait_for(&client, &json!("1"), JobState::Failed);
    assert_eq!(shown["attempts"], 1);
    let error = shown["error"].as_str().unwrap();
    assert!(error.contains("not enough memory"), "{error}");
    let (status, _) = client.post("/jobs/1/retry", &Value::Null);
    assert_eq!(status, 200);
    let shown = wait_for(&client, &json!("1"), JobState::Done);
    assert_eq!(
        (&shown["result"], &shown["error"]),
        (&json!("learned"), &Value::Null)
    );
    assert_eq!(client.post("/jobs/99/retry", &Value::Null).0, 404);
}

#[test]
fn a_training_that_failed_for_now_is_tried_again() {
    let client = client_of(|_, _| Err(anyhow::anyhow!("busy")).context(TryAgain));
    let (status, answer) = client.post("/webhook", &event("START_TRAINING", 1));
    let shown = loop {
        let shown = get(&client, "/jobs/1");
        if shown["error"].is_string() {
            break shown;
        }
        thread::yield_now();
    };
    if status == 500 {
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains("busy (job 1 is tried again)"), "{detail}");
    } else {
        assert_eq!(
            (status, &answer["job"]),
            (201, &json!("1")),
            "a slow machine"
        );
    }
    assert_eq!(
        (&shown["state"], &shown["attempts"]),
        (&json!("pending"), &json!(1))
    );
    assert!(shown["error"].as_str().unwrap().contains("busy"));
    assert!(shown["run_at"].as_f64() > shown["started_at"].as_f64());
    let (status, answer) = client.post("/jobs/1/retry", &Value::Null);
    assert_eq!(status, 409, "it waits already: {answer}");
}

#[test]
fn a_panic_costs_its_job_only() {
    let client = client_of(|_, event| {
        assert_ne!(event.action.as_str(), "START_TRAINING", "torn weights");
        Ok(Value::Null)
    });
    client.post("/webhook", &event("START_TRAINING", 1));
    let shown = wait_for(&client, &json!("1"), JobState::Failed);
    let error = shown["error"].as_str().unwrap();
    assert!(error.contains("torn weights"), "{error}");
    post(&client, &event("ANNOTATION_CREATED", 1));
}

#[test]
fn projects_train_in_parallel_up_to_the_limit() {
    let (gate, fit) = gated();
    let args = ServerArgs {
        fit_threads: 2,
        ..ServerArgs::default()
    };
    let model = FnModel::new("Learner").update_fn(fit);
    let client = TestClient::with_resources(model, &args, Resources::new(MemoryStore::default()));
    let jobs: Vec<_> = (1..=3)
        .map(|project| post(&client, &event("START_TRAINING", project))["job"].clone())
        .collect();
    let begun: Vec<_> = gate.begun.iter().take(2).collect();
    assert_eq!(begun, ["1", "2"]);
    assert_eq!(get(&client, "/jobs/3")["state"], "pending");
    for _ in 0..3 {
        gate.end.send(()).unwrap();
    }
    for job in &jobs {
        wait_for(&client, job, JobState::Done);
    }
}

struct Latest(Mutex<Vec<Value>>, Box<Fit>);

impl Model for Latest {
    fn predict(&self, _: &Project, _: &PredictRequest) -> anyhow::Result<Predictions> {
        Ok(Predictions::default())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        if event.action.as_str() == "START_TRAINING" {
            return (self.1)(project, event);
        }
        self.0
            .lock()
            .unwrap()
            .push(event.payload["annotation"].clone());
        Ok(json!(*self.0.lock().unwrap()))
    }

    fn fit_on(&self) -> FitOn {
        FitOn::LatestPerAnnotation
    }
}

#[test]
fn a_model_may_hear_of_each_annotation_once() {
    let (gate, fit) = gated();
    let client = TestClient::new(Latest(Mutex::default(), fit));
    let running = post(&client, &event("START_TRAINING", 1));
    for round in ["first", "second", "last"] {
        for id in [17, 18] {
            post(&client, &annotation(id, round));
        }
    }
    post(&client, &event("ANNOTATION_CREATED", 1));
    gate.end.send(()).unwrap();
    wait_for(&client, &running["job"], JobState::Done);
    let last = get(&client, "/jobs")["jobs"][0]["id"].clone();
    let heard = wait_for(&client, &last, JobState::Done)["result"].clone();
    let expected = json!([{ "id": 17, "text": "last" }, { "id": 18, "text": "last" }, null]);
    assert_eq!(heard, expected);
}

#[test]
fn more_jobs_than_may_wait_are_refused_with_the_reason() {
    let (gate, fit) = gated();
    let args = ServerArgs {
        max_jobs: 3,
        ..ServerArgs::default()
    };
    let model = FnModel::new("Learner").update_fn(fit);
    let client = TestClient::with_resources(model, &args, Resources::new(MemoryStore::default()));
    post(&client, &event("START_TRAINING", 1));
    let answers: Vec<_> = (0..5)
        .map(|_| client.post("/webhook", &event("ANNOTATION_CREATED", 1)))
        .collect();
    let statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [201, 201, 201, 503, 503], "{answers:?}");
    let reason = answers[3].1["detail"].as_str().unwrap();
    assert!(reason.contains("MAX_JOBS"), "{reason}");
    drop(gate);
}

/// Serves a model with jobs in a folder.
fn serve_in(folder: &Path, fit: Box<Fit>) -> TestClient {
    let mut resources = Resources::new(MemoryStore::default());
    resources.jobs = Arc::new(SqliteJobs::new(folder));
    let model = FnModel::new("Learner").update_fn(fit);
    TestClient::with_resources(model, &ServerArgs::default(), resources)
}

#[test]
fn the_end_of_the_server_cancels_no_training() {
    let folder = tempfile::tempdir().unwrap();
    let (begins, begun) = mpsc::channel();
    let looks = move |project: &Project, _: &Event| {
        begins.send(())?;
        while !project.job().is_cancelled() {
            thread::yield_now();
        }
        Ok(json!("half"))
    };
    let first = serve_in(folder.path(), Box::new(looks));
    let job = post(&first, &event("START_TRAINING", 1))["job"].clone();
    begun.recv().unwrap();
    drop(first);
    let second = serve_in(folder.path(), Box::new(|_, _| Ok(json!("whole"))));
    let done = wait_for(&second, &job, JobState::Done);
    assert_eq!(
        (&done["attempts"], &done["result"]),
        (&json!(1), &json!("whole"))
    );
}

#[test]
fn what_a_process_did_not_finish_is_done_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |fit| serve_in(folder.path(), fit);
    let (_gate, fit) = gated();
    let first = serve(fit);
    post(&first, &event("START_TRAINING", 1));
    let waiting = post(&first, &event("ANNOTATION_CREATED", 1))["job"].clone();
    drop(first);
    let second = serve(Box::new(|_, event| Ok(json!(event.action.as_str()))));
    let running = wait_for(&second, &json!("1"), JobState::Done);
    assert_eq!(
        (&running["attempts"], &running["result"]),
        (&json!(2), &json!("START_TRAINING"))
    );
    wait_for(&second, &waiting, JobState::Done);
}

#[test]
fn jobs_of_another_process_are_cancelled_by_their_heartbeat() {
    let jobs = MemoryJobs::default();
    let (begins, begun) = mpsc::channel();
    let model = FnModel::new("Learner").update_fn(move |project, _| {
        begins.send(())?;
        while !project.job().is_cancelled() {
            thread::yield_now();
        }
        Ok(Value::Null)
    });
    let mut resources = Resources::new(MemoryStore::default());
    resources.jobs = Arc::new(jobs.clone());
    let client = TestClient::with_resources(model, &ServerArgs::default(), resources);
    let job = post(&client, &event("START_TRAINING", 1))["job"].clone();
    begun.recv().unwrap();
    jobs.cancel(job.as_str().unwrap().parse().unwrap()).unwrap();
    wait_for(&client, &job, JobState::Cancelled);
}

#[test]
fn a_stored_event_that_cannot_be_read_fails_with_the_reason() {
    let jobs = MemoryJobs::default();
    jobs.push(&[
        NewJob::new("1", "START_TRAINING", "{"),
        NewJob::new("2", "TASKS_CREATED", "{}"),
        NewJob::new("3", "START_TRAINING", "{}"),
    ])
    .unwrap();
    let mut resources = Resources::new(MemoryStore::default());
    resources.jobs = Arc::new(jobs);
    let model = FnModel::new("Learner");
    let client = TestClient::with_resources(model, &ServerArgs::default(), resources);
    for (id, reason) in [("1", "JSON"), ("2", "TASKS_CREATED"), ("3", "project.id")] {
        let shown = wait_for(&client, &json!(id), JobState::Failed);
        assert!(shown["error"].as_str().unwrap().contains(reason), "{shown}");
    }
}

#[test]
fn a_thousand_requests_to_train_are_two_trainings_of_each_project() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, fit) = gated();
    let resources = Resources {
        jobs: Arc::new(SqliteJobs::new(folder.path())),
        ..Resources::new(MemoryStore::default())
    };
    let model = FnModel::new("Learner").update_fn(fit);
    let client = TestClient::with_resources(model, &ServerArgs::default(), resources);
    let mut last = Value::Null;
    for number in 0..1000 {
        last = post(&client, &event("START_TRAINING", number % 4));
    }
    let page = get(&client, "/jobs?limit=200");
    assert_eq!(page["jobs"].as_array().unwrap().len(), 8);
    drop(gate.end);
    wait_for(&client, &last["job"], JobState::Failed);
    let mut begun: Vec<_> = gate.begun.iter().take(8).collect();
    begun.sort();
    assert_eq!(begun, ["0", "0", "1", "1", "2", "2", "3", "3"]);
}
