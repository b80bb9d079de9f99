//! Two servers on one model folder, one of which is killed in the middle of its trainings.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use label_studio_ml::{FnModel, Project, ServerArgs, Value, anyhow, json, serve};
use label_studio_testing::{RunningServer, wait_for};

/// Model folder, for the test that is run as another process.
const FOLDER: &str = "LABEL_STUDIO_ML_TEST_CRASH";
const N_PROJECTS: u32 = 3;
const N_EVENTS: u32 = 4;
const N_TRIALS: u32 = 3;

/// Does nothing in a run of all tests. As another process it is a server whose trainings take a
/// moment, and leave a file behind if another one runs in their project.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test that is another process takes no arguments"
)]
fn other_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let args = ServerArgs {
        port: 0,
        host: "127.0.0.1".to_owned(),
        model_dir: PathBuf::from(&folder),
        ..ServerArgs::default()
    };
    let model =
        FnModel::new("Slow").update_fn(move |project, _| train(Path::new(&folder), project));
    serve(&args, move || Ok(model)).unwrap();
}

fn train(folder: &Path, project: &Project) -> anyhow::Result<Value> {
    let busy = folder.join(format!("busy-{}", project.id()));
    let begun = match fs::read_to_string(&busy) {
        Ok(process) if is_alive(&process) => Err(format!("{process} trains project, too")),
        _ => Ok(()),
    };
    if let Err(overlap) = begun {
        fs::write(folder.join("overlap"), overlap)?;
    }
    fs::write(&busy, std::process::id().to_string())?;
    // The work of a training.
    let (_work, is_done) = mpsc::channel::<()>();
    let _ = is_done.recv_timeout(Duration::from_millis(60));
    fs::remove_file(&busy)?;
    let id = project.job().id().map(|id| id.to_string());
    let mut order = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(folder.join(format!("order-{}", project.id())))?;
    writeln!(order, "{}", id.unwrap_or_default())?;
    Ok(Value::Null)
}

fn is_alive(process: &str) -> bool {
    Path::new("/proc").join(process).exists()
}

/// Starts a server in another process.
fn start(folder: &Path) -> RunningServer {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "other_process", "--nocapture"])
        .env(FOLDER, folder);
    RunningServer::start(&mut command)
}

fn jobs(server: &RunningServer, state: &str) -> Vec<Value> {
    let path = format!("/jobs?state={state}&limit=100");
    let (_, page) = server.send("GET", &path, &Value::Null).unwrap();
    page["jobs"].as_array().unwrap().clone()
}

#[test]
fn a_killed_server_loses_no_training_and_none_runs_twice_at_once() {
    for trial in 0..N_TRIALS {
        let folder = tempfile::tempdir().unwrap();
        let servers = [start(folder.path()), start(folder.path())];
        let n_jobs = (N_PROJECTS * N_EVENTS) as usize;
        thread::scope(|scope| {
            for number in 0..N_PROJECTS * N_EVENTS {
                let server = &servers[(number % 2) as usize];
                let event = json!({
                    "action": "ANNOTATION_CREATED",
                    "project": { "id": number % N_PROJECTS, "label_config": "<View></View>" },
                });
                scope.spawn(move || {
                    let (status, answer) = server.send("POST", "/webhook", &event).unwrap();
                    assert_eq!(status, 201, "{answer}");
                });
            }
        });
        let [killed, survivor] = servers;
        let held = format!(":{}:", killed.process());
        let is_its_own = |job: &Value| {
            job["worker"]
                .as_str()
                .is_some_and(|name| name.contains(&held))
        };
        // All is done already on a quick machine, or the other one did it all.
        wait_for("a job of the server", || {
            let n_done = jobs(&survivor, "done").len();
            let runs = jobs(&survivor, "running").iter().any(is_its_own);
            (runs || n_done == n_jobs).then_some(())
        });
        drop(killed);
        wait_for("the end of all jobs", || {
            (jobs(&survivor, "done").len() == n_jobs).then_some(())
        });
        assert!(jobs(&survivor, "failed").is_empty(), "trial {trial}");
        assert!(!folder.path().join("overlap").exists(), "trial {trial}");
        for project in 0..N_PROJECTS {
            let order = fs::read_to_string(folder.path().join(format!("order-{project}"))).unwrap();
            let order: Vec<i64> = order.lines().map(|id| id.parse().unwrap()).collect();
            assert!(
                order.is_sorted(),
                "trial {trial}, project {project}: {order:?}"
            );
        }
    }
}
