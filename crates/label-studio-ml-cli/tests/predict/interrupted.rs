//! Runs that are killed, and go on.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
    mpsc,
};

use label_studio_testing::{Answer, Received, label_studio::Fault};

use crate::{backend::Backend, command::Stage};

const ARGS: [&str; 4] = ["--batch-size", "5", "--store-size", "20"];

/// Holds the request of a number among those that a closure picks, until the process is dead.
struct Hold {
    arrived: mpsc::Receiver<()>,
    release: mpsc::Sender<()>,
    wait: Arc<dyn Fn() + Send + Sync>,
}

impl Hold {
    fn at(number: usize) -> Self {
        let (sender, arrived) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let released = Mutex::new(released);
        let n_seen = AtomicUsize::new(0);
        let wait = move || {
            if n_seen.fetch_add(1, Ordering::SeqCst) == number {
                sender.send(()).unwrap();
                released.lock().unwrap().recv().unwrap();
            }
        };
        Self {
            arrived,
            release,
            wait: Arc::new(wait),
        }
    }

    /// Starts the command, kills it with SIGKILL when the request has arrived, and lets the request go on.
    fn kill_at_it(self, stage: &Stage) {
        let mut process = stage.spawn(&ARGS);
        self.arrived.recv().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        self.release.send(()).unwrap();
    }
}

fn is_import(request: &Received) -> bool {
    request.path().ends_with("/import/predictions")
}

fn stage() -> Stage {
    Stage::with_texts(["x"; 100])
}

/// Goes on after a kill, and checks that each task has one prediction. Returns how many tasks were asked for twice.
fn go_on(stage: &Stage) -> usize {
    let said = stage.predict(&ARGS);
    assert_eq!(said.code, Some(0), "{said:?}");
    stage.check_each_has_one();
    stage.backend.n_asked() - 100
}

#[test]
fn killed_before_label_studio_has_stored_what_it_was_sent() {
    let stage = stage();
    let hold = Hold::at(2);
    let wait = Arc::clone(&hold.wait);
    stage.label_studio.set_fault(move |request| {
        if is_import(request) {
            wait();
        }
        Fault::None
    });
    hold.kill_at_it(&stage);
    assert!(
        go_on(&stage) <= 10,
        "at most the two batches that were being predicted"
    );
}

#[test]
fn killed_after_label_studio_has_stored_what_it_was_sent() {
    let stage = stage();
    let hold = Hold::at(1);
    let wait = Arc::clone(&hold.wait);
    let n_projects = AtomicUsize::new(0);
    // Before each storing the project is asked for: the second time, one chunk is stored.
    stage.label_studio.set_fault(move |request| {
        if request.route() == "GET /api/projects/1" && n_projects.fetch_add(1, Ordering::SeqCst) > 0
        {
            wait();
        }
        Fault::None
    });
    hold.kill_at_it(&stage);
    let n_stored = stage.versions().concat().len();
    assert_eq!(n_stored, 20);
    assert!(go_on(&stage) <= 10);
}

#[test]
fn killed_while_the_backend_predicts() {
    let hold = Hold::at(9);
    let wait = Arc::clone(&hold.wait);
    let backend = Backend::with(move |request| {
        if request.path() == "/predict" {
            wait();
        }
        None::<Answer>
    });
    let stage = Stage::new(["x"; 100], backend);
    hold.kill_at_it(&stage);
    assert!(stage.versions().concat().len() < 100);
    assert!(go_on(&stage) <= 10);
}

#[test]
fn killed_again_and_again() {
    let stage = stage();
    for number in [0, 1, 1] {
        let hold = Hold::at(number);
        let wait = Arc::clone(&hold.wait);
        stage.label_studio.set_fault(move |request| {
            if is_import(request) {
                wait();
            }
            Fault::None
        });
        hold.kill_at_it(&stage);
    }
    stage.label_studio.clear_fault();
    assert!(go_on(&stage) <= 30);
}

#[test]
fn what_a_killed_run_left_is_not_used_for_another_version() {
    let stage = stage();
    let hold = Hold::at(1);
    let wait = Arc::clone(&hold.wait);
    stage.label_studio.set_fault(move |request| {
        if is_import(request) {
            wait();
        }
        Fault::None
    });
    hold.kill_at_it(&stage);
    stage.label_studio.clear_fault();
    "v2".clone_into(&mut stage.backend.version.lock().unwrap());
    let said = stage.predict(&ARGS);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.stderr
            .contains("the run before had model version v1, now it is v2"),
        "{said:?}"
    );
    let versions = stage.versions();
    assert!(
        versions
            .iter()
            .all(|made| made.iter().filter(|version| *version == "v2").count() == 1)
    );
}

#[test]
fn a_second_run_for_the_same_tasks_is_refused() {
    let stage = stage();
    let hold = Hold::at(0);
    let wait = Arc::clone(&hold.wait);
    stage.label_studio.set_fault(move |request| {
        if is_import(request) {
            wait();
        }
        Fault::None
    });
    let mut process = stage.spawn(&ARGS);
    hold.arrived.recv().unwrap();
    let said = stage.predict(&ARGS);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.stderr.contains("another run predicts the same tasks"),
        "{said:?}"
    );
    hold.release.send(()).unwrap();
    assert!(process.wait().unwrap().success());
    stage.check_each_has_one();
}
