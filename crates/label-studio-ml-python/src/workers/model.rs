//! The workers as a model of the server.

use std::{
    hash::{BuildHasher, RandomState},
    pin::Pin,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use label_studio_ml::{
    Event, Model, PredictRequest, Predictions, Project, Value,
    raw::{
        OwnRoute, RawAnswer, RawCustomAnswer, RawCustomRequest, RawError, RawMetric, RawModel,
        RawRequest, Readiness,
    },
};
use tokio::{runtime::Handle, sync::watch, task::JoinHandle};

use super::{
    args::StartMethod,
    call::{Call, need},
    fork_server::ForkServer,
    frame::{Answer, Route},
    job::Job,
    pool::{Lease, Pool},
    process::Program,
    spawn_on_drop::SpawnOnDrop,
    supervisor::{Shared, supervise},
};
use crate::wire;

/// Seconds until a training may start again that the end of the server cut short.
const RETRY_AFTER: u32 = 1;

/// Number of workers and their deadlines.
#[derive(Debug, Clone)]
pub struct WorkersOptions {
    /// Number of processes.
    pub n_workers: usize,
    /// Concurrent predictions per process.
    pub n_threads: usize,
    /// How processes are started.
    pub start_method: StartMethod,
    /// Deadline of a prediction or setup; none if `None`.
    pub predict_deadline: Option<Duration>,
    /// Deadline of a training; none if `None`.
    pub fit_deadline: Option<Duration>,
    /// Time for a cancelled training to end by itself, before its process is killed.
    pub cancel_grace: Duration,
    /// Name for the health check until a worker has reported the model's name.
    pub name: String,
}

/// A model in worker processes.
///
/// A process that crashes or hangs past its deadline fails the call that caused it and is restarted; other predictions in it
/// are retried, each exclusively in a process.
pub struct Workers {
    shared: Arc<Shared>,
    options: WorkersOptions,
    supervisors: Mutex<Vec<JoinHandle<()>>>,
    runtime: Handle,
    first_call: u64,
    n_calls: AtomicU64,
}

impl Workers {
    /// Starts the workers in the background. Must be called within a tokio runtime.
    pub fn start(program: Program, options: WorkersOptions) -> Arc<Self> {
        let fork_server = match options.start_method {
            StartMethod::Spawn => None,
            StartMethod::Fork => Some(ForkServer::new(program.clone())),
        };
        let shared = Arc::new(Shared {
            fork_server,
            pool: Arc::new(Pool::new(options.n_workers, options.n_threads)),
            program,
            n_threads: options.n_threads,
            model_class: OnceLock::new(),
            has_custom_routes: OnceLock::new(),
            own_routes: OnceLock::new(),
            n_restarts: AtomicU64::new(0),
            stopping: watch::Sender::new(false),
            first_loaded: watch::Sender::new(false),
        });
        let supervisors = (0..options.n_workers)
            .map(|worker_idx| tokio::spawn(supervise(Arc::clone(&shared), worker_idx)))
            .collect();
        Arc::new(Self {
            shared,
            options,
            supervisors: Mutex::new(supervisors),
            runtime: Handle::current(),
            first_call: RandomState::new().hash_one(std::process::id()),
            n_calls: AtomicU64::new(0),
        })
    }

    fn call(&self, route: Route, body: Bytes) -> Call {
        let n_calls = self.n_calls.fetch_add(1, Ordering::Relaxed);
        // Multiplied, so that ids of successive calls look different.
        let id = self
            .first_call
            .wrapping_add(n_calls.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let deadline = match route {
            Route::Predict | Route::Setup | Route::Custom => self.options.predict_deadline,
            Route::Webhook => self.options.fit_deadline,
        };
        Call {
            id,
            route,
            custom_head: None,
            body,
            is_retryable: route != Route::Webhook,
            deadline,
            job: None,
        }
    }

    fn answer(&self, route: Route, request: RawRequest) -> RawAnswer {
        let pool = Arc::clone(&self.shared.pool);
        let runtime = self.runtime.clone();
        let call = self.call(route, request.body.clone());
        Box::pin(async move {
            let lease = pool.lease(need(route)).await?;
            let call = LeasedCall {
                call,
                lease,
                pool,
                request,
            };
            call.finish(runtime, Call::read).await
        })
    }
}

/// A call that has its worker.
struct LeasedCall {
    call: Call,
    lease: Lease,
    pool: Arc<Pool>,
    /// The request, whose memory is held until the call has ended.
    request: RawRequest,
}

impl LeasedCall {
    /// Makes the call to its end, also when the caller leaves: dropping it would lose the
    /// connection.
    async fn finish<T: Send + 'static>(
        self,
        runtime: Handle,
        read: impl FnOnce(&Call, Answer) -> Result<T, RawError> + Send + 'static,
    ) -> Result<T, RawError> {
        let is_wanted = Arc::new(AtomicBool::new(true));
        let still_wanted = Arc::clone(&is_wanted);
        let run = async move {
            let is_wanted = || still_wanted.load(Ordering::Relaxed);
            let answer = self.call.run(&self.pool, self.lease, is_wanted).await;
            drop(self.request);
            read(&self.call, answer?)
        };
        SpawnOnDrop::new(runtime, is_wanted, run).await
    }
}

impl Model for Workers {
    /// Predicts as over HTTP. Blocks, so it must not be called from within the runtime.
    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let request = RawRequest::new(wire::predict_body(project, request));
        let answer = self.runtime.block_on(self.predict_raw(request))?;
        wire::predictions(&answer)
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        let mut call = self.call(Route::Webhook, wire::event_body(event).into());
        call.job = Some(Job::new(project.job(), self.options.cancel_grace));
        let pool = &self.shared.pool;
        let answer = self.runtime.block_on(async {
            let lease = call
                .unless_cancelled(pool.lease(need(Route::Webhook)))
                .await?;
            call.run(pool, lease, || true).await
        });
        if answer.is_err() && *self.shared.stopping.borrow() {
            // The worker ended with the server, which is not the training's fault.
            return Err(RawError::unavailable("the server is ending", RETRY_AFTER).into());
        }
        wire::fit_result(&call.read(answer?)?)
    }

    fn name(&self) -> &str {
        self.shared.model_class.get().unwrap_or(&self.options.name)
    }
}

impl RawModel for Workers {
    fn predict_raw(&self, request: RawRequest) -> RawAnswer {
        self.answer(Route::Predict, request)
    }

    fn setup_raw(&self, request: RawRequest) -> RawAnswer {
        self.answer(Route::Setup, request)
    }

    fn has_custom_routes(&self) -> bool {
        // Unknown until the app has been loaded.
        self.shared.has_custom_routes.get() != Some(&false)
    }

    fn own_routes(&self) -> &[OwnRoute] {
        self.shared.own_routes.get().map_or(&[], Vec::as_slice)
    }

    fn custom_route_raw(&self, request: RawCustomRequest) -> RawCustomAnswer {
        let RawCustomRequest {
            head,
            addresses,
            request,
        } = request;
        let shared = Arc::clone(&self.shared);
        let runtime = self.runtime.clone();
        let mut call = self.call(Route::Custom, request.body.clone());
        call.custom_head = Some(wire::custom_head(&head, addresses, call.deadline));
        call.is_retryable = head.method.is_safe();
        Box::pin(async move {
            let pool = Arc::clone(&shared.pool);
            let lease = pool.lease(need(Route::Custom)).await?;
            if shared.has_custom_routes.get() == Some(&false) {
                return Ok(None);
            }
            let call = LeasedCall {
                call,
                lease,
                pool,
                request,
            };
            call.finish(runtime, move |call, Answer { status, body }| {
                wire::custom_reply(&head.method, status, body)
                    .map_err(|error| call.failure(500, format!("{error:#}")))
            })
            .await
        })
    }

    fn permits(&self) -> usize {
        self.options.n_workers * self.options.n_threads
    }

    fn readiness(&self) -> Readiness {
        self.shared.pool.readiness()
    }

    fn metrics(&self) -> Vec<RawMetric> {
        vec![
            RawMetric {
                name: "workers",
                help: "Processes that run the model now",
                is_counter: false,
                value: self.shared.pool.n_running() as u64,
            },
            RawMetric {
                name: "worker_restarts",
                help: "Processes started after another ended",
                is_counter: true,
                value: self.shared.n_restarts.load(Ordering::Relaxed),
            },
        ]
    }

    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            self.shared.stopping.send_replace(true);
            let supervisors = std::mem::take(
                &mut *self
                    .supervisors
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner),
            );
            for supervisor in supervisors {
                let _ = supervisor.await;
            }
        })
    }
}
