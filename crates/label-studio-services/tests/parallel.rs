//! Tasks in parallel.

use std::{
    num::NonZeroUsize,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use label_studio_services::{
    Deadline, ServiceClient, ServiceOptions, ServiceRequest, map_parallel,
};
use label_studio_testing::{Answer, MockService};
use serde_json::json;

const FOUR: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// Lets callers in once `n` of them are there, or after a time that only a failing test needs.
struct Meeting {
    n: usize,
    n_there: Mutex<usize>,
    complete: Condvar,
}

impl Meeting {
    fn of(n: usize) -> Self {
        Self {
            n,
            n_there: Mutex::new(0),
            complete: Condvar::new(),
        }
    }

    fn join(&self) {
        let mut n_there = self.n_there.lock().unwrap();
        *n_there += 1;
        self.complete.notify_all();
        let wait = self
            .complete
            .wait_timeout_while(n_there, Duration::from_secs(20), |n| *n < self.n);
        drop(wait.unwrap());
    }
}

#[test]
fn items_are_worked_on_at_once_and_keep_their_order() {
    let meeting = Meeting::of(4);
    let (n_running, max_running) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let items: Vec<usize> = (0..40).collect();
    let doubled = map_parallel(&items, FOUR, |item| {
        max_running.fetch_max(
            n_running.fetch_add(1, Ordering::SeqCst) + 1,
            Ordering::SeqCst,
        );
        meeting.join();
        n_running.fetch_sub(1, Ordering::SeqCst);
        item * 2
    });
    assert_eq!(
        doubled,
        items.iter().map(|item| item * 2).collect::<Vec<_>>()
    );
    assert_eq!(max_running.load(Ordering::SeqCst), 4);
}

#[test]
fn a_panic_reaches_the_caller() {
    let items = [1, 2, 3, 4, 5];
    let result = std::panic::catch_unwind(|| {
        map_parallel(&items, FOUR, |item| assert!(*item != 3, "item three"))
    });
    let panic = result.unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"item three"));
}

#[test]
fn requests_of_several_calls_share_one_bound() {
    let meeting = Meeting::of(4);
    let service = MockService::start(move |_| {
        meeting.join();
        Answer::json(&json!({}))
    });
    let options = ServiceOptions {
        max_in_flight: FOUR,
        ..ServiceOptions::default()
    };
    let client = ServiceClient::new(options).unwrap();
    let request = ServiceRequest::get(&service.url("")).unwrap();
    let threads = NonZeroUsize::new(24).unwrap();
    let answers = map_parallel(&[(); 24], threads, |()| {
        client.send(&request, Deadline::predict())
    });
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(service.max_open(), 4);
}
