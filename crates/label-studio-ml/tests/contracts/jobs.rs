//! What every queue of jobs keeps.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use label_studio_ml::{
    Value,
    jobs::{
        Backlog, Backoff, Beat, Claim, Ending, JobFilter, JobId, JobState, Jobs, NewJob, Report,
    },
    json,
};

const LEASE: Duration = Duration::from_secs(60);
/// Longest time that a job takes here.
const WORK: Duration = Duration::from_millis(10);
const AT_ONCE: Backoff = Backoff {
    first: Duration::ZERO,
    longest: Duration::ZERO,
};

/// Calls a macro with the names of all rules.
macro_rules! with_job_rules {
    ($macro:ident) => {
        $macro! {
            jobs_of_a_project_run_one_at_a_time_and_in_order
            a_record_tells_the_story_of_its_job
            equal_jobs_that_wait_are_one_and_the_last_payload_counts
            an_attempt_that_failed_for_now_is_repeated_and_the_last_failure_is_final
            a_job_that_could_not_start_keeps_its_attempts
            a_lease_that_ended_is_taken_back_and_its_former_holder_changes_nothing
            a_job_that_kills_its_process_fails_after_its_last_attempt
            a_job_that_was_cut_short_gives_way_to_an_equal_one_that_waits
            a_pending_job_is_cancelled_at_once_and_a_running_one_is_told
            a_cancelled_job_is_not_tried_again
            a_job_that_ended_runs_again_when_a_user_wants_that
            lists_are_filtered_and_come_in_pages
            the_backlog_is_counted_and_the_oldest_ended_jobs_are_forgotten
            two_processes_never_work_on_one_project_at_once
            with_other_projects_the_test_for_overlaps_finds_some
        }
    };
}
pub(crate) use with_job_rules;

/// Opens the same queue as another process would.
pub(crate) type Open<'a> = &'a dyn Fn() -> Box<dyn Jobs>;

fn push(jobs: &dyn Jobs, new: NewJob) -> JobId {
    let pushed = jobs.push(&[new]).unwrap();
    assert!(!pushed[0].is_merged);
    pushed[0].id
}

fn claim(jobs: &dyn Jobs) -> Option<JobId> {
    claim_whole(jobs).map(|claim| claim.job.id)
}

fn claim_whole(jobs: &dyn Jobs) -> Option<Claim> {
    jobs.claim(LEASE).unwrap()
}

fn end(jobs: &dyn Jobs, id: JobId) {
    let state = jobs.end(id, &Ending::Done(Value::Null)).unwrap();
    assert_eq!(state, Some(JobState::Done));
}

fn state(jobs: &dyn Jobs, id: JobId) -> JobState {
    jobs.get(id).unwrap().unwrap().state
}

fn event(project: &str) -> NewJob {
    NewJob::new(project, "ANNOTATION_CREATED", r#"{"task":1}"#)
}

fn training(project: &str, payload: &str) -> NewJob {
    NewJob::new(project, "START_TRAINING", payload).with_merge_key("train")
}

pub(crate) fn jobs_of_a_project_run_one_at_a_time_and_in_order(open: Open<'_>) {
    let (one, two) = (open(), open());
    let ids: Vec<_> = ["a", "a", "b", "a"]
        .map(|project| push(&*one, event(project)))
        .to_vec();
    assert_eq!(claim(&*one), Some(ids[0]));
    assert_eq!(claim(&*two), Some(ids[2]), "the other project is free");
    assert_eq!((claim(&*one), claim(&*two)), (None, None));
    end(&*one, ids[0]);
    assert_eq!(claim(&*two), Some(ids[1]));
    end(&*two, ids[1]);
    assert_eq!(claim(&*one), Some(ids[3]));
    end(&*one, ids[3]);
    end(&*two, ids[2]);
    assert_eq!(claim(&*one), None);
}

pub(crate) fn a_record_tells_the_story_of_its_job(open: Open<'_>) {
    let jobs = open();
    let id = push(&*jobs, event("a"));
    let job = jobs.get(id).unwrap().unwrap();
    assert_eq!((job.state, job.attempts), (JobState::Pending, 0));
    assert_eq!((job.started_at, job.ended_at), (None, None));
    let claimed = claim_whole(&*jobs).unwrap();
    assert_eq!(claimed.payload, r#"{"task":1}"#);
    let job = claimed.job;
    assert_eq!((job.state, job.attempts), (JobState::Running, 1));
    assert!(job.worker.is_some() && job.started_at >= Some(job.created_at));
    let report = Report {
        progress: Some(0.5),
        message: Some("epoch 1".to_owned()),
        log: Some("loss 0.1\n".to_owned()),
    };
    let held = Beat::Held { cancel: false };
    assert_eq!(jobs.beat(id, LEASE, &report).unwrap(), held);
    assert_eq!(jobs.beat(id, LEASE, &Report::default()).unwrap(), held);
    let job = jobs.get(id).unwrap().unwrap();
    assert_eq!(
        job.progress,
        Some(0.5),
        "a beat without news keeps the old ones"
    );
    assert_eq!(job.message.as_deref(), Some("epoch 1"));
    assert_eq!(jobs.log(id).unwrap().as_deref(), Some("loss 0.1\n"));
    let result = json!({ "accuracy": 0.9 });
    jobs.end(id, &Ending::Done(result.clone())).unwrap();
    let job = jobs.get(id).unwrap().unwrap();
    assert_eq!((job.state, job.progress), (JobState::Done, Some(1.0)));
    assert_eq!(job.result, Some(result));
    assert!(job.ended_at >= job.started_at);
    assert_eq!(jobs.get(JobId(99)).unwrap(), None);
    assert_eq!(jobs.log(JobId(99)).unwrap(), None);
}

pub(crate) fn equal_jobs_that_wait_are_one_and_the_last_payload_counts(open: Open<'_>) {
    let (one, two) = (open(), open());
    let first = push(&*one, training("a", "1"));
    push(&*one, training("b", "1"));
    for payload in ["2", "3"] {
        let pushed = two.push(&[training("a", payload)]).unwrap();
        assert!(pushed[0].is_merged && pushed[0].id == first);
    }
    let other = NewJob::new("a", "START_TRAINING", "x").with_merge_key("another label config");
    let other = push(&*one, other);
    let claimed = claim_whole(&*one).unwrap();
    assert_eq!((claimed.job.id, &*claimed.payload), (first, "3"));
    let second = push(&*one, training("a", "4"));
    assert_ne!(
        second, first,
        "a job that runs may have read its tasks already"
    );
    end(&*one, first);
    assert_eq!(claim(&*two), Some(JobId(first.0 + 1)), "project b");
    assert_eq!(claim(&*two), Some(other));
    end(&*two, other);
    assert_eq!(claim(&*two), Some(second));
    end(&*two, second);
    let third = push(&*two, training("a", "5"));
    assert_ne!(third, second, "a job that has ended merges with nothing");
}

pub(crate) fn an_attempt_that_failed_for_now_is_repeated_and_the_last_failure_is_final(
    open: Open<'_>,
) {
    let jobs = open();
    let mut new = event("a");
    new.max_attempts = 2;
    let id = push(&*jobs, new);
    let behind = push(&*jobs, event("a"));
    let retry = |after| Ending::Retry {
        error: "no route to host".to_owned(),
        after,
    };
    assert_eq!(claim(&*jobs), Some(id));
    let state = jobs.end(id, &retry(Duration::from_secs(60))).unwrap();
    assert_eq!(state, Some(JobState::Pending));
    assert_eq!(
        claim(&*jobs),
        None,
        "it holds up those behind it until its time has come"
    );
    let job = jobs.get(id).unwrap().unwrap();
    assert!(job.run_at > job.created_at + 30.0);
    assert_eq!(job.error.as_deref(), Some("no route to host"));
    assert_eq!(jobs.cancel(id).unwrap(), Some(JobState::Cancelled));
    assert_eq!(jobs.retry(id).unwrap(), Some(id));
    for expected in [JobState::Pending, JobState::Failed] {
        assert_eq!(claim(&*jobs), Some(id));
        let state = jobs.end(id, &retry(Duration::ZERO)).unwrap();
        assert_eq!(state, Some(expected));
    }
    assert_eq!(claim(&*jobs), Some(behind));
    let job = jobs.get(id).unwrap().unwrap();
    assert_eq!(
        (job.attempts, job.error.as_deref()),
        (2, Some("no route to host"))
    );
    assert!(job.ended_at.is_some());
}

pub(crate) fn a_job_that_could_not_start_keeps_its_attempts(open: Open<'_>) {
    let jobs = open();
    let id = push(&*jobs, training("a", "1"));
    let given_back = Ending::GivenBack {
        reason: "the model is loading".to_owned(),
        after: Duration::ZERO,
    };
    for _ in 0..5 {
        assert_eq!(claim(&*jobs), Some(id));
        assert_eq!(jobs.end(id, &given_back).unwrap(), Some(JobState::Pending));
    }
    assert_eq!(jobs.get(id).unwrap().unwrap().attempts, 0);
    assert_eq!(claim(&*jobs), Some(id));
    let newer = push(&*jobs, training("a", "2"));
    let state = jobs.end(id, &given_back).unwrap();
    assert_eq!(
        state,
        Some(JobState::Cancelled),
        "the newer one does the same work"
    );
    assert_eq!(claim(&*jobs), Some(newer));
    jobs.cancel(newer).unwrap();
    let state = jobs.end(newer, &given_back).unwrap();
    assert_eq!(state, Some(JobState::Cancelled));
}

pub(crate) fn a_lease_that_ended_is_taken_back_and_its_former_holder_changes_nothing(
    open: Open<'_>,
) {
    let (slow, other) = (open(), open());
    let id = push(&*slow, event("a"));
    assert!(slow.claim(Duration::ZERO).unwrap().is_some());
    while other.reap(AT_ONCE).unwrap() == 0 {
        thread::yield_now();
    }
    assert_eq!(state(&*other, id), JobState::Pending);
    let claimed = claim_whole(&*other).unwrap();
    assert_eq!((claimed.job.id, claimed.job.attempts), (id, 2));
    assert!(claimed.job.error.unwrap().contains("hung"));
    assert_eq!(
        slow.beat(id, LEASE, &Report::default()).unwrap(),
        Beat::Lost
    );
    assert_eq!(slow.end(id, &Ending::Done(Value::Null)).unwrap(), None);
    assert_eq!(state(&*other, id), JobState::Running);
    assert_eq!(
        other.reap(AT_ONCE).unwrap(),
        0,
        "a lease that runs is left alone"
    );
    end(&*other, id);
}

pub(crate) fn a_job_that_kills_its_process_fails_after_its_last_attempt(open: Open<'_>) {
    let jobs = open();
    let id = push(&*jobs, event("a"));
    for expected in [JobState::Pending, JobState::Pending, JobState::Failed] {
        assert!(open().claim(Duration::ZERO).unwrap().is_some());
        while jobs.reap(AT_ONCE).unwrap() == 0 {
            thread::yield_now();
        }
        assert_eq!(state(&*jobs, id), expected);
    }
    assert_eq!(claim(&*jobs), None);
}

pub(crate) fn a_job_that_was_cut_short_gives_way_to_an_equal_one_that_waits(open: Open<'_>) {
    let jobs = open();
    let cut = push(&*jobs, training("a", "1"));
    jobs.claim(Duration::ZERO).unwrap();
    let newer = push(&*jobs, training("a", "2"));
    while jobs.reap(AT_ONCE).unwrap() == 0 {
        thread::yield_now();
    }
    assert_eq!(claim(&*jobs), Some(newer));
    let job = jobs.get(cut).unwrap().unwrap();
    assert_eq!(job.state, JobState::Cancelled);
    assert!(job.error.unwrap().contains(&newer.to_string()));
}

pub(crate) fn a_pending_job_is_cancelled_at_once_and_a_running_one_is_told(open: Open<'_>) {
    let (one, two) = (open(), open());
    let (running, waiting) = (push(&*one, event("a")), push(&*one, event("a")));
    assert_eq!(claim(&*one), Some(running));
    assert_eq!(two.cancel(waiting).unwrap(), Some(JobState::Cancelled));
    assert_eq!(two.cancel(running).unwrap(), Some(JobState::Running));
    let told = Beat::Held { cancel: true };
    assert_eq!(one.beat(running, LEASE, &Report::default()).unwrap(), told);
    let state = one.end(running, &Ending::Cancelled).unwrap();
    assert_eq!(state, Some(JobState::Cancelled));
    assert_eq!(two.cancel(running).unwrap(), Some(JobState::Cancelled));
    assert_eq!(two.cancel(JobId(99)).unwrap(), None);
    assert_eq!(claim(&*one), None);
}

pub(crate) fn a_cancelled_job_is_not_tried_again(open: Open<'_>) {
    let jobs = open();
    let id = push(&*jobs, event("a"));
    jobs.claim(Duration::ZERO).unwrap();
    jobs.cancel(id).unwrap();
    while jobs.reap(AT_ONCE).unwrap() == 0 {
        thread::yield_now();
    }
    assert_eq!(state(&*jobs, id), JobState::Cancelled);
    assert_eq!(claim(&*jobs), None);
}

pub(crate) fn a_job_that_ended_runs_again_when_a_user_wants_that(open: Open<'_>) {
    let jobs = open();
    let id = push(&*jobs, training("a", "1"));
    assert_eq!(jobs.retry(id).unwrap(), Some(id), "it waits already");
    assert_eq!(claim(&*jobs), Some(id));
    assert_eq!(jobs.retry(id).unwrap(), Some(id), "it runs already");
    jobs.end(id, &Ending::Failed("no memory".to_owned()))
        .unwrap();
    let job = jobs.get(id).unwrap().unwrap();
    assert_eq!(
        (job.state, job.error.as_deref()),
        (JobState::Failed, Some("no memory"))
    );
    assert_eq!(jobs.retry(id).unwrap(), Some(id));
    let claimed = claim_whole(&*jobs).unwrap();
    assert_eq!((claimed.job.id, claimed.job.attempts), (id, 1));
    assert_eq!(claimed.job.error, None);
    end(&*jobs, id);
    let newer = push(&*jobs, training("a", "2"));
    assert_eq!(jobs.retry(id).unwrap(), Some(newer), "an equal one waits");
    assert_eq!(jobs.retry(JobId(99)).unwrap(), None);
}

pub(crate) fn lists_are_filtered_and_come_in_pages(open: Open<'_>) {
    let jobs = open();
    let ids: Vec<_> = (0..10)
        .map(|idx| push(&*jobs, event(if idx % 2 == 0 { "even" } else { "odd" })))
        .collect();
    end(&*jobs, claim(&*jobs).unwrap());
    let list = |filter: &JobFilter| -> Vec<_> {
        let jobs = jobs.list(filter).unwrap();
        jobs.into_iter().map(|job| job.id).collect()
    };
    let mut seen = Vec::new();
    let mut filter = JobFilter {
        limit: 3,
        ..JobFilter::default()
    };
    loop {
        let page = list(&filter);
        let Some(oldest) = page.last() else { break };
        filter.before = Some(*oldest);
        seen.extend(page);
    }
    assert_eq!(seen, ids.iter().copied().rev().collect::<Vec<_>>());
    let even = JobFilter {
        project: Some("even".to_owned()),
        ..JobFilter::default()
    };
    assert_eq!(list(&even), [8, 6, 4, 2, 0].map(|idx| ids[idx]));
    let even_pending = JobFilter {
        state: Some(JobState::Pending),
        before: Some(ids[6]),
        ..even
    };
    assert_eq!(list(&even_pending), [ids[4], ids[2]]);
}

pub(crate) fn the_backlog_is_counted_and_the_oldest_ended_jobs_are_forgotten(open: Open<'_>) {
    let jobs = open();
    let ids: Vec<_> = (0..6).map(|_| push(&*jobs, event("a"))).collect();
    let waiting = |n_jobs| Backlog {
        n_jobs,
        n_bytes: n_jobs * r#"{"task":1}"#.len() as u64,
    };
    assert_eq!(jobs.backlog().unwrap(), waiting(6));
    for id in &ids[..4] {
        assert_eq!(claim(&*jobs), Some(*id));
        end(&*jobs, *id);
    }
    assert_eq!(claim(&*jobs), Some(ids[4]));
    assert_eq!(jobs.backlog().unwrap(), waiting(1));
    let key = training("b", "12345");
    push(&*jobs, key.clone());
    jobs.push(&[NewJob {
        payload: "123".to_owned(),
        ..key
    }])
    .unwrap();
    let n_bytes = waiting(1).n_bytes + 3;
    assert_eq!(jobs.backlog().unwrap(), Backlog { n_jobs: 2, n_bytes });
    assert_eq!(jobs.prune(1).unwrap(), 3);
    let left: Vec<_> = (0..6)
        .filter(|idx| jobs.get(ids[*idx]).unwrap().is_some())
        .collect();
    assert_eq!(
        left,
        [3, 4, 5],
        "those that wait or run are never forgotten"
    );
}

/// Works off jobs of random projects on several threads of two processes, and returns how often two
/// ran in one project at once, and how often a job ran after a later one.
fn overlaps_and_disorder(jobs: &[Box<dyn Jobs>], spread: fn(u64) -> String) -> (usize, usize) {
    const N_JOBS: u64 = 400;
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for number in 0..N_JOBS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let project = random % 5;
        let payload = json!([project, number]).to_string();
        push(
            &*jobs[0],
            NewJob::new(spread(random), "ANNOTATION_CREATED", payload),
        );
    }
    let busy: Vec<_> = (0..5).map(|_| AtomicUsize::new(0)).collect();
    let last = Mutex::new(HashMap::<u64, u64>::new());
    let counts = [const { AtomicUsize::new(0) }; 4];
    let [n_overlaps, n_disordered, n_done, n_claimed] = &counts;
    thread::scope(|scope| {
        for jobs in jobs.iter().cycle().take(6) {
            let (busy, last) = (&busy, &last);
            scope.spawn(move || {
                while let Some(claim) = claim_whole(&**jobs) {
                    let (project, number): (u64, u64) =
                        serde_json::from_str(&claim.payload).unwrap();
                    let busy = &busy[usize::try_from(project).unwrap()];
                    if busy.fetch_add(1, Ordering::SeqCst) > 0 {
                        n_overlaps.fetch_add(1, Ordering::SeqCst);
                    }
                    let before = last.lock().unwrap().insert(project, number);
                    if before.is_some_and(|before| before > number) {
                        n_disordered.fetch_add(1, Ordering::SeqCst);
                    }
                    // Another thread gets the time for a claim, or an overlap is not found.
                    let n_before = n_claimed.fetch_add(1, Ordering::SeqCst) + 1;
                    let begun = Instant::now();
                    while n_claimed.load(Ordering::SeqCst) == n_before && begun.elapsed() < WORK {
                        thread::yield_now();
                    }
                    busy.fetch_sub(1, Ordering::SeqCst);
                    end(&**jobs, claim.job.id);
                    n_done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    // A thread ends when it finds nothing to do, which another's job may have been the reason for.
    while let Some(id) = claim(&*jobs[0]) {
        end(&*jobs[0], id);
        n_done.fetch_add(1, Ordering::SeqCst);
    }
    assert_eq!(n_done.load(Ordering::SeqCst), 400);
    let count = |idx: usize| counts[idx].load(Ordering::SeqCst);
    (count(0), count(1))
}

pub(crate) fn two_processes_never_work_on_one_project_at_once(open: Open<'_>) {
    let by_project = |random: u64| (random % 5).to_string();
    let found = overlaps_and_disorder(&[open(), open()], by_project);
    assert_eq!(found, (0, 0));
}

pub(crate) fn with_other_projects_the_test_for_overlaps_finds_some(open: Open<'_>) {
    let (n_overlaps, _) =
        overlaps_and_disorder(&[open(), open()], |random| (random % 50).to_string());
    assert!(n_overlaps > 0, "the test above cannot fail");
}
