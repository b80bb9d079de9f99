//! Work on several threads.

use std::{
    panic,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Returns what `work` makes of each item, in order, on up to `n_threads` threads, of which the
/// caller's is one. Items that take long should come first.
///
/// # Panics
/// When `work` does.
pub fn in_parallel<T: Sync, R: Send>(
    n_threads: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let n_threads = n_threads.min(items.len());
    if n_threads < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut found = Vec::new();
        loop {
            let idx = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(idx) else {
                return found;
            };
            found.push((idx, work(item)));
        }
    };
    let mut found = thread::scope(|scope| {
        let others: Vec<_> = (1..n_threads).map(|_| scope.spawn(worker)).collect();
        let mut found = worker();
        for other in others {
            match other.join() {
                Ok(of_other) => found.extend(of_other),
                Err(payload) => panic::resume_unwind(payload),
            }
        }
        found
    });
    found.sort_by_key(|(idx, _)| *idx);
    found.into_iter().map(|(_, result)| result).collect()
}
