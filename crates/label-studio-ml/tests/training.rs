//! Events that become trainings: in order, one at a time, each once.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use label_studio_ml::{FnModel, Value, json, testing::TestClient};

const CONFIG: &str = r#"<View><Text name="t" value="$t"/></View>"#;

/// A model whose trainings end one by one, when the test says so.
struct Scene {
    client: TestClient,
    begun: Arc<Mutex<Vec<String>>>,
    end: Sender<()>,
}

impl Scene {
    fn new() -> Self {
        let (end, ends): (_, Receiver<()>) = mpsc::channel();
        let (begun, ends) = (Arc::new(Mutex::new(Vec::new())), Mutex::new(ends));
        let seen = Arc::clone(&begun);
        let model = FnModel::new("Slow").update_fn(move |_, event| {
            seen.lock().unwrap().push(event.action.as_str().to_owned());
            ends.lock().unwrap().recv()?;
            Ok(Value::Null)
        });
        Self {
            client: TestClient::new(model),
            begun,
            end,
        }
    }

    fn post(&self, action: &str, label_config: &str) -> Value {
        let body =
            json!({ "action": action, "project": { "id": 1, "label_config": label_config } });
        let (status, answer) = self.client.post("/webhook", &body);
        assert_eq!(status, 201, "{answer}");
        answer
    }
}

#[test]
fn requests_to_train_that_wait_become_one() {
    let scene = Scene::new();
    let running = scene.post("START_TRAINING", CONFIG);
    let waiting = scene.post("START_TRAINING", CONFIG);
    assert_ne!(
        running["job"], waiting["job"],
        "the one that runs may have read its tasks already"
    );
    for _ in 0..100 {
        assert_eq!(scene.post("START_TRAINING", CONFIG), waiting);
    }
    let created = scene.post("ANNOTATION_CREATED", CONFIG);
    let again = scene.post("ANNOTATION_CREATED", CONFIG);
    assert_ne!(
        created["job"], again["job"],
        "each annotation reaches the model"
    );
    scene.post("ANNOTATION_DELETED", CONFIG);
    // Trainings of a project run in the order of their events, so that none comes after the last
    // one.
    drop(scene.end);
    while scene.begun.lock().unwrap().last().unwrap() != "ANNOTATION_DELETED" {
        thread::yield_now();
    }
    let begun = scene.begun.lock().unwrap().clone();
    let expected = [
        "START_TRAINING",
        "START_TRAINING",
        "ANNOTATION_CREATED",
        "ANNOTATION_CREATED",
        "ANNOTATION_DELETED",
    ];
    assert_eq!(begun, expected);
}

#[test]
fn a_new_label_config_is_trained_for_separately() {
    let scene = Scene::new();
    scene.post("START_TRAINING", CONFIG);
    let waiting = scene.post("START_TRAINING", CONFIG);
    let other = r#"<View><Text name="t" value="$other"/></View>"#;
    assert_ne!(scene.post("START_TRAINING", other)["job"], waiting["job"]);
    drop(scene.end);
}
