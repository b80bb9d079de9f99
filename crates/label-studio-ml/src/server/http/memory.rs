//! Bounds the memory of request bodies and answers.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::server::http::errors::ApiError;

const KIB: usize = 1024;
/// How long a body or an answer waits for memory.
const WAIT: Duration = Duration::from_secs(60);
/// `Retry-After` when there is no memory, in seconds.
const RETRY_AFTER: u32 = 5;

/// Memory, handed out in KiB.
///
/// Permits grow while bytes arrive, so bodies could wait for each other for ever. A part of the
/// memory is therefore a reserve, large enough for any one body: it belongs to one body at a time,
/// which can always end.
#[derive(Debug)]
pub(crate) struct Memory {
    shared: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
}

/// A part of the memory, released when it is dropped.
#[derive(Debug)]
pub(crate) struct MemoryPermit {
    memory: Arc<Memory>,
    n_kibs: usize,
    shared: Option<OwnedSemaphorePermit>,
    reserve: Option<OwnedSemaphorePermit>,
}

impl Memory {
    /// Creates memory of `n_bytes`, with a reserve for one body of `max_body` bytes.
    pub(crate) fn new(n_bytes: usize, max_body: usize) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::new(Semaphore::new(n_bytes.saturating_sub(max_body) / KIB)),
            reserve: Arc::new(Semaphore::new(1)),
        })
    }

    /// Returns a permit of nothing yet.
    pub(crate) fn permit(self: &Arc<Self>) -> MemoryPermit {
        MemoryPermit {
            memory: Arc::clone(self),
            n_kibs: 0,
            shared: None,
            reserve: None,
        }
    }
}

impl MemoryPermit {
    /// Waits until the permit covers `n_bytes`.
    pub(crate) async fn grow_to(&mut self, n_bytes: usize) -> Result<(), ApiError> {
        if self.try_grow_to(n_bytes) {
            return Ok(());
        }
        self.wait_for(self.n_permits_to(n_bytes)).await?;
        self.n_kibs = n_bytes.div_ceil(KIB);
        Ok(())
    }

    /// Returns whether the permit covers `n_bytes` now. Does not wait.
    pub(crate) fn try_grow_to(&mut self, n_bytes: usize) -> bool {
        let n_permits = self.n_permits_to(n_bytes);
        if n_permits == 0 || self.reserve.is_some() {
            return true;
        }
        let shared = Arc::clone(&self.memory.shared);
        let Ok(more) = shared.try_acquire_many_owned(n_permits) else {
            return false;
        };
        self.merge(more);
        self.n_kibs = n_bytes.div_ceil(KIB);
        true
    }

    fn n_permits_to(&self, n_bytes: usize) -> u32 {
        let n_more = n_bytes.div_ceil(KIB).saturating_sub(self.n_kibs);
        u32::try_from(n_more).unwrap_or(u32::MAX)
    }

    /// Returns whether growing to `n_bytes` would have to wait.
    #[cfg(test)]
    pub(crate) fn would_wait(&self, n_bytes: usize) -> bool {
        let n_more = n_bytes.div_ceil(KIB).saturating_sub(self.n_kibs);
        self.memory.reserve.available_permits() == 0
            && self.memory.shared.available_permits() < n_more
    }

    async fn wait_for(&mut self, n_permits: u32) -> Result<(), ApiError> {
        let shared = Arc::clone(&self.memory.shared).acquire_many_owned(n_permits);
        let reserve = Arc::clone(&self.memory.reserve).acquire_owned();
        let either = async {
            tokio::select! {
                more = shared => (more.ok(), None),
                reserve = reserve => (None, reserve.ok()),
            }
        };
        let Ok((more, reserve)) = timeout(WAIT, either).await else {
            return Err(ApiError::busy(
                "other requests and answers use all memory; try again soon, or raise MAX_BODIES_MB",
                RETRY_AFTER,
            ));
        };
        self.reserve = reserve;
        if let Some(more) = more {
            self.merge(more);
        }
        Ok(())
    }

    fn merge(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.shared {
            Some(shared) => shared.merge(more),
            None => self.shared = Some(more),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn of_bodies_that_fill_the_memory_one_can_always_end() {
        let memory = Memory::new(12 * KIB, 4 * KIB);
        let mut permits = [memory.permit(), memory.permit(), memory.permit()];
        for (permit, n_kibs) in permits.iter_mut().zip([3, 3, 2]) {
            permit.grow_to(n_kibs * KIB).await.unwrap();
        }
        let [first, second, third] = &mut permits;
        first.grow_to(4 * KIB).await.unwrap();
        let refused = second.grow_to(4 * KIB).await.unwrap_err();
        assert_eq!(refused.status(), 503);
        *first = memory.permit();
        second.grow_to(4 * KIB).await.unwrap();
        third.grow_to(4 * KIB).await.unwrap();
    }
}
