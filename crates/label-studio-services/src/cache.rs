//! Cache of paid answers.

use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use sha2::{Digest, Sha256};

/// Key of an answer: a hash of everything that it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// Hashes the parts of a question: address, body, name of the model. Parts do not run into each other.
    pub fn new<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            let part = part.as_ref();
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// Keeps the answers that were used last, up to a number of bytes.
#[derive(Debug)]
pub struct ResponseCache {
    max_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    answers: LruCache<CacheKey, Arc<str>>,
    n_bytes: usize,
}

impl ResponseCache {
    /// Creates a cache of at most `max_bytes`, keys included; 0 keeps nothing.
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            kept: Mutex::new(Kept {
                answers: LruCache::unbounded(),
                n_bytes: 0,
            }),
        }
    }

    /// Returns an answer, if it is kept.
    pub fn get(&self, key: &CacheKey) -> Option<Arc<str>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.answers.get(key).cloned()
    }

    /// Keeps an answer, at the expense of those unused for longest. One that alone is too large is not kept.
    pub fn insert(&self, key: CacheKey, answer: impl Into<Arc<str>>) {
        let answer = answer.into();
        if size(&answer) > self.max_bytes {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.n_bytes += size(&answer);
        if let Some(replaced) = kept.answers.put(key, answer) {
            kept.n_bytes -= size(&replaced);
        }
        while kept.n_bytes > self.max_bytes
            && let Some((_, forgotten)) = kept.answers.pop_lru()
        {
            kept.n_bytes -= size(&forgotten);
        }
    }
}

const fn size(answer: &str) -> usize {
    size_of::<CacheKey>() + answer.len()
}
