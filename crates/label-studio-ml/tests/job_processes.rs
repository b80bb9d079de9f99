//! Jobs of a process that is killed.

use std::{
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use label_studio_ml::{
    Value,
    jobs::{Backoff, Ending, JobId, JobState, Jobs, NewJob, SqliteJobs},
};

/// Folder of the jobs, for the test that is run as another process.
const FOLDER: &str = "LABEL_STUDIO_ML_TEST_JOBS";
const LEASE: Duration = Duration::from_secs(3600);

/// Does nothing in a run of all tests. As another process it claims a job, says which, and hangs.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test that is another process takes no arguments"
)]
fn other_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let jobs = SqliteJobs::new(Path::new(&folder));
    let claim = jobs.claim(LEASE).unwrap().unwrap();
    writeln!(io::stderr(), "claimed {}", claim.job.id).unwrap();
    loop {
        thread::park();
    }
}

/// Starts a process that works on a job for ever, and returns it with the job.
fn start(folder: &Path) -> (Child, JobId) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "other_process", "--nocapture"])
        .env(FOLDER, folder)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let id = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("claimed ")?.parse().ok());
    (process, id.expect("the process claims a job"))
}

#[test]
fn a_killed_process_loses_its_jobs_at_once_and_one_that_lives_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = SqliteJobs::new(folder.path());
    for trial in 0..5 {
        let pushed = jobs.push(&[
            NewJob::new("a", "START_TRAINING", "{}"),
            NewJob::new("b", "START_TRAINING", "{}"),
        ]);
        let [first, second] = pushed.unwrap()[..] else {
            panic!("two jobs were stored");
        };
        let (mut killed, cut) = start(folder.path());
        let (mut alive, kept) = start(folder.path());
        assert_eq!((cut, kept), (first.id, second.id));
        assert_eq!(jobs.reap(Backoff::default()).unwrap(), 0, "both live");
        killed.kill().unwrap();
        killed.wait().unwrap();
        assert_eq!(jobs.reap(Backoff::default()).unwrap(), 1, "trial {trial}");
        let claimed = jobs.claim(LEASE).unwrap().unwrap();
        assert_eq!((claimed.job.id, claimed.job.attempts), (cut, 2));
        assert!(claimed.job.error.unwrap().contains("ended"));
        let state = jobs.get(kept).unwrap().unwrap().state;
        assert_eq!(state, JobState::Running);
        alive.kill().unwrap();
        alive.wait().unwrap();
        assert_eq!(jobs.reap(Backoff::default()).unwrap(), 1);
        jobs.end(cut, &Ending::Done(Value::Null)).unwrap();
        assert_eq!(jobs.claim(LEASE).unwrap().unwrap().job.id, kept);
        jobs.end(kept, &Ending::Done(Value::Null)).unwrap();
    }
    let locks = std::fs::read_dir(folder.path().join("jobs.locks")).unwrap();
    assert_eq!(locks.count(), 1, "locks of dead processes are removed");
}
