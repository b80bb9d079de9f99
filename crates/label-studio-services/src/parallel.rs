//! Tasks in parallel.

use std::{
    num::NonZeroUsize,
    panic,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Applies `work` to every item, on up to `n_threads` threads at once, and returns the results in the order of the items.
///
/// A panic of `work` reaches the caller once all threads have stopped.
pub fn map_parallel<T: Sync, R: Send + Sync>(
    items: &[T],
    n_threads: NonZeroUsize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let n_threads = n_threads.get().min(items.len());
    if n_threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let results = RwLock::new(Vec::with_capacity(items.len()));
    let run = || {
        while let Some((idx, item)) = {
            let idx = next.fetch_add(1, Ordering::Relaxed);
            items.get(idx).map(|item| (idx, item))
        } {
            let result = work(item);
            let mut results = results.write().unwrap_or_else(PoisonError::into_inner);
            results.push((idx, result));
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(run)).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                next.store(items.len(), Ordering::Relaxed);
                panic::resume_unwind(panic);
            }
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(idx, _)| *idx);
    results.into_iter().map(|(_, result)| result).collect()
}
