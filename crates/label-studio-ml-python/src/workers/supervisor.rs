//! Keeps one worker running.

use std::{
    os::unix::process::ExitStatusExt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use label_studio_ml::raw::OwnRoute;
use tokio::sync::watch;

use super::{
    fork_server::ForkServer,
    pool::Pool,
    process::{Handle, Process, Program, StartError, describe},
    worker::N_EXTRA_CALLS,
};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const SIGKILL: i32 = 9;

/// State that all supervisors share.
pub(super) struct Shared {
    pub(super) pool: Arc<Pool>,
    pub(super) program: Program,
    /// Forks the workers, unless each is spawned.
    pub(super) fork_server: Option<Arc<ForkServer>>,
    pub(super) n_threads: usize,
    pub(super) model_class: OnceLock<String>,
    /// Whether the app has custom routes, once it has been loaded.
    pub(super) has_custom_routes: OnceLock<bool>,
    /// Known once a worker has loaded the app.
    pub(super) own_routes: OnceLock<Vec<OwnRoute>>,
    pub(super) n_restarts: AtomicU64,
    /// Set when the server ends.
    pub(super) stopping: watch::Sender<bool>,
    /// Set once a model has been loaded: the first worker may download weights, which the others then find.
    pub(super) first_loaded: watch::Sender<bool>,
}

impl Shared {
    async fn start(&self) -> Result<Process, StartError> {
        let n_connections = self.n_threads + N_EXTRA_CALLS;
        match &self.fork_server {
            Some(fork_server) => fork_server.start_worker(n_connections).await,
            None => self.program.start(n_connections).await,
        }
    }

    /// Waits, unless the server ends first; returns whether it continues.
    async fn continues_after(&self, wait: impl Future<Output = ()>) -> bool {
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            biased;
            () = is_set(&mut stopping) => false,
            () = wait => true,
        }
    }
}

/// Keeps one worker running until the server ends.
pub(super) async fn supervise(shared: Arc<Shared>, worker_idx: usize) {
    if worker_idx > 0 {
        let mut first_loaded = shared.first_loaded.subscribe();
        if !shared.continues_after(is_set(&mut first_loaded)).await {
            return;
        }
    }
    // Consecutive runs of the worker that ended without an answer.
    let mut n_failures = 0_u32;
    loop {
        let has_answered = run_once(&shared, worker_idx).await;
        n_failures = if has_answered { 0 } else { n_failures + 1 };
        let pause = pause(n_failures);
        if !pause.is_zero() {
            tracing::info!(worker = worker_idx + 1, ?pause, "next start after a pause");
        }
        if !shared.continues_after(tokio::time::sleep(pause)).await {
            return;
        }
        shared.n_restarts.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs the worker once; returns whether it answered a call.
async fn run_once(shared: &Arc<Shared>, worker_idx: usize) -> bool {
    let worker = worker_idx + 1;
    let mut stopping = shared.stopping.subscribe();
    let started = tokio::select! {
        started = shared.start() => started,
        () = is_set(&mut stopping) => return false,
    };
    let process = match started {
        Ok(process) => process,
        Err(error) => {
            let error = anyhow::Error::from(error);
            tracing::error!(worker, "the model could not be loaded: {error:#}");
            shared.pool.fail(format!("{error:#}"));
            return false;
        }
    };
    let Process {
        model_class,
        has_custom_routes,
        own_routes,
        connections,
        mut handle,
        ..
    } = process;
    tracing::info!(
        worker,
        process = handle.id(),
        model = model_class,
        "model loaded"
    );
    let _ = shared.model_class.set(model_class);
    let _ = shared.has_custom_routes.set(has_custom_routes);
    let _ = shared.own_routes.set(own_routes);
    let kill = shared.pool.install(worker_idx, connections);
    shared.first_loaded.send_replace(true);
    let status = loop {
        tokio::select! {
            status = handle.ended() => break status,
            () = kill.notified() => handle.kill(),
            () = is_set(&mut stopping) => {
                handle.stop().await;
                return true;
            }
        }
    };
    let how = status
        .as_ref()
        .map_or_else(ToString::to_string, |status| describe(*status));
    let was_killed = status.map_or(true, |status| status.signal() == Some(SIGKILL));
    let (has_answered, ended) = shared.pool.remove(worker_idx, how, was_killed);
    tracing::error!(worker, "the model's process {}; it is restarted", ended.how);
    drop::<Handle>(handle);
    has_answered
}

async fn is_set(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|flag| *flag).await;
}

fn pause(n_failures: u32) -> Duration {
    match n_failures.checked_sub(1) {
        None | Some(0) => Duration::ZERO,
        Some(n_more) => FIRST_PAUSE
            .saturating_mul(1 << (n_more - 1).min(16))
            .min(LONGEST_PAUSE),
    }
}
