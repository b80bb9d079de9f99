//! The file of a queue of jobs.

#![cfg(unix)]

use std::time::Duration;

use label_studio_ml::{
    Value,
    jobs::{Ending, JobId, JobState, Jobs, NewJob, SqliteJobs},
};

const LEASE: Duration = Duration::from_secs(60);

fn push(jobs: &SqliteJobs) -> JobId {
    let event = NewJob::new("1", "ANNOTATION_CREATED", r#"{"task":1}"#);
    jobs.push(&[event]).unwrap()[0].id
}

fn claim(jobs: &SqliteJobs) -> Option<JobId> {
    jobs.claim(LEASE).unwrap().map(|claim| claim.job.id)
}

fn state(jobs: &SqliteJobs, id: JobId) -> JobState {
    jobs.get(id).unwrap().unwrap().state
}

#[test]
fn a_queue_that_was_removed_starts_anew_and_reuses_no_id() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = SqliteJobs::new(folder.path());
    let first = push(&jobs);
    assert_eq!(claim(&jobs), Some(first));
    std::fs::remove_file(folder.path().join("jobs.db")).unwrap();

    let second = push(&jobs);
    assert!(second > first, "{second}");
    let other = SqliteJobs::new(folder.path());
    assert_eq!(state(&other, second), JobState::Pending);
    assert_eq!(claim(&jobs), Some(second));
    // What still runs from the old file ends without an effect on the new one.
    let ended = jobs.end(first, &Ending::Done(Value::Null)).unwrap();
    assert_eq!(ended, None);
    assert_eq!(state(&jobs, second), JobState::Running);
}
