//! Embeddings by the content of their images.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;

/// Keeps the values used last, as many as fit into a budget of bytes but at least one, and makes
/// each only once.
pub(super) struct ByteCache<K: Hash + Eq, V> {
    budget: usize,
    state: Mutex<State<K, V>>,
}

struct State<K: Hash + Eq, V> {
    ready: LruCache<K, (Arc<V>, usize)>,
    n_bytes: usize,
    /// Values that are being made; other callers wait for the lock inside.
    pending: HashMap<K, Arc<Mutex<Option<Arc<V>>>>>,
}

impl<K: Hash + Eq + Copy, V> ByteCache<K, V> {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            budget,
            state: Mutex::new(State {
                ready: LruCache::unbounded(),
                n_bytes: 0,
                pending: HashMap::new(),
            }),
        }
    }

    /// Returns the value of `key`. If it is missing one caller makes it and the others wait; when
    /// that fails the next of them tries.
    pub(super) fn get_or_make<E>(
        &self,
        key: K,
        size: impl FnOnce(&V) -> usize,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Arc<V>, E> {
        let pending = {
            let mut state = self.lock();
            if let Some((value, _)) = state.ready.get(&key) {
                return Ok(Arc::clone(value));
            }
            Arc::clone(state.pending.entry(key).or_default())
        };
        let mut slot = pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = slot.as_ref() {
            return Ok(Arc::clone(value));
        }
        let result = make();
        let mut state = self.lock();
        if state
            .pending
            .get(&key)
            .is_some_and(|known| Arc::ptr_eq(known, &pending))
        {
            state.pending.remove(&key);
        }
        let value = Arc::new(result?);
        *slot = Some(Arc::clone(&value));
        state.keep(key, Arc::clone(&value), size(&value), self.budget);
        Ok(value)
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, V> State<K, V> {
    fn keep(&mut self, key: K, value: Arc<V>, n_bytes: usize, budget: usize) {
        self.n_bytes += n_bytes;
        if let Some((_, replaced)) = self.ready.put(key, (value, n_bytes)) {
            self.n_bytes -= replaced;
        }
        while self.n_bytes > budget && self.ready.len() > 1 {
            if let Some((_, (_, dropped))) = self.ready.pop_lru() {
                self.n_bytes -= dropped;
            }
        }
    }
}
