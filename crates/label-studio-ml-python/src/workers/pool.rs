//! Chooses the worker of each call.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use label_studio_ml::raw::{RawError, Readiness};
use tokio::sync::{Notify, oneshot, watch};

use super::{
    connection::Connection,
    worker::{Ended, Need, Worker},
};

/// Label Studio gives a prediction 100 s; a caller that waits for a worker gets an error before that.
const PATIENCE: Duration = Duration::from_secs(90);
const RETRY_AFTER: u32 = 5;
/// Time for the other calls of a process to end after one hung.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// The workers, and the calls that wait for one.
pub(super) struct Pool {
    n_threads: usize,
    state: Mutex<State>,
}

struct State {
    workers: Vec<Option<Worker>>,
    waiting: VecDeque<(Need, oneshot::Sender<Lease>)>,
    /// Calls that were in a worker when it ended. Each is retried in a worker that does nothing else, so that the one that
    /// crashes it fails no other call.
    retries: VecDeque<oneshot::Sender<Lease>>,
    /// Worker that is kept free for a retry.
    reserved: Option<usize>,
    /// Why no worker could be started, until one is.
    failure: Option<String>,
    n_started: u64,
}

/// One connection to a worker, for one call.
pub(super) struct Lease {
    pool: Arc<Pool>,
    worker_idx: usize,
    number: u64,
    need: Need,
    /// `None` when the connection can no longer be used.
    pub(super) stream: Option<Connection>,
    pub(super) ended: watch::Receiver<Option<Ended>>,
    pub(super) has_answered: bool,
}

impl Pool {
    pub(super) fn new(n_workers: usize, n_threads: usize) -> Self {
        let state = State {
            workers: (0..n_workers).map(|_| None).collect(),
            waiting: VecDeque::new(),
            retries: VecDeque::new(),
            reserved: None,
            failure: None,
            n_started: 0,
        };
        Self {
            n_threads,
            state: Mutex::new(state),
        }
    }

    /// Waits for a connection to a worker; predictions prefer workers without a training.
    pub(super) async fn lease(self: &Arc<Self>, need: Need) -> Result<Lease, RawError> {
        let waiting = {
            let mut state = self.lock();
            if let Some(worker_idx) = state.choose(need, self.n_threads) {
                return Ok(self.grant(&mut state, worker_idx, need));
            }
            state.check_alive()?;
            let (sender, waiting) = oneshot::channel();
            state.waiting.push_back((need, sender));
            waiting
        };
        self.wait(waiting).await
    }

    /// Waits for a worker that does nothing else until the lease is dropped.
    pub(super) async fn lease_exclusive(self: &Arc<Self>) -> Result<Lease, RawError> {
        let (sender, waiting) = oneshot::channel();
        self.change(|state| state.retries.push_back(sender));
        self.wait(waiting).await
    }

    async fn wait(&self, waiting: oneshot::Receiver<Lease>) -> Result<Lease, RawError> {
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(lease)) => Ok(lease),
            Ok(Err(_)) => {
                self.lock().check_alive()?;
                Err(loading())
            }
            Err(_) => Err(loading()),
        }
    }

    /// Adds a started worker; the returned signal fires when its process must be killed.
    pub(super) fn install(
        self: &Arc<Self>,
        worker_idx: usize,
        idle: Vec<Connection>,
    ) -> Arc<Notify> {
        let kill = Arc::new(Notify::new());
        self.change(|state| {
            state.failure = None;
            state.n_started += 1;
            state.workers[worker_idx] = Some(Worker {
                number: state.n_started,
                idle,
                n_predictions: 0,
                n_setups: 0,
                n_trainings: 0,
                is_exclusive: false,
                has_answered: false,
                hung: None,
                ended: watch::Sender::new(None),
                kill: Arc::clone(&kill),
            });
        });
        kill
    }

    /// Removes a worker whose process ended; returns whether it had answered a call, and how it ended.
    pub(super) fn remove(
        self: &Arc<Self>,
        worker_idx: usize,
        how: String,
        was_killed: bool,
    ) -> (bool, Ended) {
        let mut removed = None;
        self.change(|state| {
            removed = state.workers[worker_idx].take();
            state.reserved.take_if(|reserved| *reserved == worker_idx);
        });
        let Some(worker) = removed else {
            return (
                false,
                Ended {
                    how,
                    is_caused_by_call: false,
                },
            );
        };
        let is_caused_by_call = worker.hung.is_none() && !was_killed && worker.n_calls() <= 1;
        let ended = Ended {
            how: worker.hung.clone().unwrap_or(how),
            is_caused_by_call,
        };
        worker.ended.send_replace(Some(ended.clone()));
        (worker.has_answered, ended)
    }

    /// Keeps why a worker cannot be started. Waiting calls fail with it, unless another worker runs.
    pub(super) fn fail(&self, reason: String) {
        let mut state = self.lock();
        state.failure = Some(reason);
        if state.workers.iter().all(Option::is_none) {
            // Their receivers wake up and read the reason.
            state.waiting.clear();
            state.retries.clear();
        }
    }

    pub(super) fn readiness(&self) -> Readiness {
        let state = self.lock();
        if state.workers.iter().any(Option::is_some) {
            return Readiness::Ready;
        }
        match &state.failure {
            Some(reason) => Readiness::Failed(reason.clone()),
            None => Readiness::Loading,
        }
    }

    pub(super) fn n_running(&self) -> usize {
        self.lock().workers.iter().flatten().count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grant(self: &Arc<Self>, state: &mut State, worker_idx: usize, need: Need) -> Lease {
        let worker = state.workers[worker_idx]
            .as_mut()
            .expect("a chosen worker exists");
        *worker.count(need) += 1;
        Lease {
            pool: Arc::clone(self),
            worker_idx,
            number: worker.number,
            need,
            stream: worker.idle.pop(),
            ended: worker.ended.subscribe(),
            has_answered: false,
        }
    }

    /// Changes the state, then grants workers to waiting calls.
    fn change(self: &Arc<Self>, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let returned = self.grant_waiting(&mut state);
        drop(state);
        // Dropping a lease takes the lock.
        drop(returned);
    }

    /// Grants workers to waiting calls; returns the leases whose callers have left.
    fn grant_waiting(self: &Arc<Self>, state: &mut State) -> Vec<Lease> {
        let mut returned = Vec::new();
        state.retries.retain(|caller| !caller.is_closed());
        while !state.retries.is_empty() {
            let Some(worker_idx) = state.choose_exclusive() else {
                break;
            };
            let lease = self.grant(state, worker_idx, Need::Prediction);
            if let Some(worker) = &mut state.workers[worker_idx] {
                worker.is_exclusive = true;
            }
            if let Some(caller) = state.retries.pop_front() {
                returned.extend(caller.send(lease).err());
            }
        }
        if state.retries.is_empty() {
            state.reserved = None;
        }
        for (need, caller) in std::mem::take(&mut state.waiting) {
            if caller.is_closed() {
                continue;
            }
            match state.choose(need, self.n_threads) {
                Some(worker_idx) => {
                    let lease = self.grant(state, worker_idx, need);
                    returned.extend(caller.send(lease).err());
                }
                None => state.waiting.push_back((need, caller)),
            }
        }
        returned
    }
}

impl State {
    /// Returns the worker for a call: without a training if possible, then with the fewest calls.
    fn choose(&self, need: Need, n_threads: usize) -> Option<usize> {
        let workers = self.workers.iter().enumerate();
        let free = workers.filter_map(|(worker_idx, worker)| {
            let worker = worker.as_ref()?;
            let is_free = self.reserved != Some(worker_idx) && worker.has_permit(need, n_threads);
            is_free.then_some((worker_idx, worker))
        });
        let load = |(worker_idx, worker): &(usize, &Worker)| {
            // Trainings fill workers from the end, predictions from the front, where caches are warm.
            let rank = match need {
                Need::Training => usize::MAX - worker_idx,
                Need::Prediction | Need::Setup => *worker_idx,
            };
            (worker.n_trainings, worker.n_calls(), rank)
        };
        free.min_by_key(load).map(|(worker_idx, _)| worker_idx)
    }

    /// Returns an idle worker, unless it is the last one while another starts. If there is none, one is reserved: it gets no
    /// further calls.
    fn choose_exclusive(&mut self) -> Option<usize> {
        let is_idle = |worker: &Option<Worker>| {
            worker
                .as_ref()
                .is_some_and(|worker| worker.n_calls() == 0 && worker.is_usable())
        };
        let n_running = self.workers.iter().flatten().count();
        if n_running == 1 && self.workers.len() > 1 && self.failure.is_none() {
            // Other calls continue in the last worker while another starts.
            return None;
        }
        let idle = self.workers.iter().position(is_idle);
        if idle.is_none() && self.reserved.is_none() && n_running == self.workers.len() {
            let workers = self.workers.iter().flatten().enumerate();
            let least = workers.min_by_key(|(_, worker)| (worker.n_trainings, worker.n_calls()));
            self.reserved = least.map(|(worker_idx, _)| worker_idx);
        }
        idle
    }

    fn check_alive(&self) -> Result<(), RawError> {
        match &self.failure {
            Some(reason) if self.workers.iter().all(Option::is_none) => {
                let detail = format!("the model could not be loaded: {reason}");
                Err(RawError::unavailable(detail, RETRY_AFTER))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Lease {
    /// Kills the worker, since this call hangs; other calls in it get a while to end.
    pub(super) fn give_up(mut self, how: String) {
        self.stream = None;
        let mut state = self.pool.lock();
        let worker = state.workers[self.worker_idx].as_mut();
        let Some(worker) = worker.filter(|worker| worker.number == self.number) else {
            return;
        };
        worker.hung.get_or_insert(how);
        let kill = Arc::clone(&worker.kill);
        drop(state);
        tokio::spawn(async move {
            tokio::time::sleep(LAST_CALLS).await;
            kill.notify_one();
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (stream, has_answered) = (self.stream.take(), self.has_answered);
        let (worker_idx, number, need) = (self.worker_idx, self.number, self.need);
        self.pool.change(|state| {
            let worker = state.workers[worker_idx].as_mut();
            let Some(worker) = worker.filter(|worker| worker.number == number) else {
                return;
            };
            *worker.count(need) -= 1;
            worker.is_exclusive = false;
            worker.has_answered |= has_answered;
            match stream {
                Some(stream) => worker.idle.push(stream),
                // A process that lost a connection gets no further calls.
                None => {
                    worker
                        .hung
                        .get_or_insert_with(|| "closed a connection".to_owned());
                }
            }
            if worker.hung.is_some() && worker.n_calls() == 0 {
                worker.kill.notify_one();
            }
        });
    }
}

fn loading() -> RawError {
    RawError::unavailable("the model is still loading; try again soon", RETRY_AFTER)
}
