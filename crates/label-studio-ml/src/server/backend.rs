//! Everything that requests share: the model, its threads, and the projects.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use axum::http::StatusCode;

use crate::{
    batching::Batching,
    model::{Model, short_type_name},
    raw::model::{RawModel, Readiness},
    resources::Resources,
    server::{
        calls::{
            batches::Batches,
            connect_checks::{ConnectChecks, WebhookHeader},
            executor::{Executor, n_cores, run_blocking},
            model_slot::ModelSlot,
            permits::{Permit, Permits, Priority},
            projects::{Projects, SeenProject},
            served_model::ServedModel,
        },
        dashboard::Dashboard,
        http::{
            auth::{Auth, WEBHOOK_SECRET},
            body::BodyLimits,
            errors::ApiError,
        },
        jobs::{
            fit::Fit,
            intake::JobLimits,
            runner::RunnerOptions,
            training::{Training, TrainingOptions},
        },
        logging::predictions::PredictionLog,
        metrics::{JobMetrics, Metrics, Now},
        settings::{args::ServerArgs, store_check::Degraded},
    },
};

/// What handlers share.
pub(crate) type SharedBackend = Arc<Backend>;

/// Everything that requests share.
pub(crate) struct Backend {
    pub(crate) auth: Option<Auth>,
    pub(crate) batches: Batches,
    pub(crate) bodies: BodyLimits,
    pub(crate) connect_checks: Arc<ConnectChecks>,
    pub(crate) dashboard: Dashboard,
    /// What the server cannot do, although it answers.
    pub(crate) degraded: Degraded,
    pub(crate) metrics: Metrics,
    pub(crate) prediction_log: PredictionLog,
    pub(crate) projects: Arc<Projects>,
    pub(crate) resources: Arc<Resources>,
    pub(crate) served: ServedModel,
    pub(crate) training: Arc<Training>,
    pub(crate) version: String,
    type_name: &'static str,
    predictions: Executor,
    pub(crate) setups: Executor,
    permits: Arc<Permits>,
    exclusive: Arc<Permits>,
    predict_timeout: Duration,
}

/// A call for predictions.
pub(crate) struct Call {
    pub(crate) project: Arc<SeenProject>,
    /// Whether the request is small, so that it may run inline.
    pub(crate) is_small: bool,
    pub(crate) priority: Priority,
}

/// The result of a call. It holds the call's permits, for as long as the result needs the memory.
pub(crate) struct Answered<T> {
    pub(crate) value: T,
    pub(crate) permits: HeldPermits,
}

/// The permits of a call.
pub(crate) struct HeldPermits {
    _permit: Permit,
    _exclusive: Option<Permit>,
}

impl Backend {
    pub(crate) fn new(args: &ServerArgs, type_name: &'static str, resources: Resources) -> Self {
        let served = ServedModel {
            slot: Arc::new(ModelSlot::new()),
            raw: None,
        };
        Self::serving(served, args, type_name, resources)
    }

    fn serving(
        served: ServedModel,
        args: &ServerArgs,
        type_name: &'static str,
        resources: Resources,
    ) -> Self {
        let resources = Arc::new(resources);
        let projects = Arc::new(Projects::new(Arc::clone(&resources)));
        let fit = Fit {
            served: served.clone(),
            projects: Arc::clone(&projects),
        };
        let mut metrics = Metrics::new();
        if let Some(media) = &resources.media {
            metrics.watch_media(media.clone());
        }
        let options = training_options(args, metrics.jobs.clone());
        let training = Training::new(Arc::clone(&resources.jobs), fit, options);
        Self {
            auth: Auth::new(args),
            batches: Batches::default(),
            bodies: BodyLimits::new(args.max_body_mb, args.max_bodies_mb),
            connect_checks: Arc::new(ConnectChecks::new(
                webhook_header(args),
                resources.client.clone(),
            )),
            dashboard: Dashboard::new(args),
            degraded: None,
            metrics,
            prediction_log: PredictionLog::default(),
            projects,
            resources,
            served,
            training: Arc::new(training),
            version: args.version().to_owned(),
            type_name,
            predictions: Executor::new(n_cores()),
            setups: Executor::new(n_cores()),
            permits: Permits::new(args.threads.into(), args.max_queue),
            exclusive: Permits::new(1, args.max_queue),
            predict_timeout: Duration::from_secs(args.predict_timeout.into()),
        }
    }

    /// Returns the backend of a model that reads requests and writes answers itself.
    pub(crate) fn of_raw<M: RawModel>(
        args: &ServerArgs,
        model: Arc<M>,
        resources: Resources,
    ) -> Self {
        let permits = Permits::new(model.permits(), args.max_queue);
        let served = ServedModel {
            slot: Arc::new(ModelSlot::filled(Arc::clone(&model) as Arc<dyn Model>)),
            raw: Some(Arc::clone(&model) as Arc<dyn RawModel>),
        };
        let mut backend = Self::serving(served, args, short_type_name::<M>(), resources);
        backend.metrics.watch(model);
        backend.permits = permits;
        backend
    }

    /// Returns whether the model can answer now.
    pub(crate) fn readiness(&self) -> Readiness {
        self.served.readiness()
    }

    /// Returns how many tasks the model wants to see at once.
    pub(crate) fn batching(&self) -> Batching {
        match self.served.slot.peek() {
            Some(Ok(model)) => model.batching(),
            Some(Err(_)) | None => Batching::default(),
        }
    }

    /// Returns the name for the health check, which never waits for the model.
    pub(crate) fn model_name(&self) -> &str {
        match self.served.slot.peek() {
            Some(Ok(model)) => model.name(),
            Some(Err(_)) | None => self.type_name,
        }
    }

    /// Runs a call to the model once the model has loaded and a permit is free: on a blocking
    /// thread, or inline if the request is small and calls were fast.
    ///
    /// Dropping the future removes a waiting call from the queue; a call that has begun keeps its
    /// permit until it ends. A panic fails this call only.
    pub(crate) async fn call<T, F>(&self, call: Call, run: F) -> Result<Answered<T>, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Model, &SeenProject) -> Result<T, ApiError> + Send + 'static,
    {
        let has_begun = AtomicBool::new(false);
        let answer = async {
            let model = self.served.slot.model().await?;
            let exclusive = if model.is_exclusive() {
                Some(self.exclusive.acquire(call.priority).await?)
            } else {
                None
            };
            let permits = HeldPermits {
                _permit: self.permit(call.priority).await?,
                _exclusive: exclusive,
            };
            has_begun.store(true, Ordering::Relaxed);
            let project = call.project;
            let may_run_inline = call.is_small && project.is_set_up();
            let call = move || {
                project
                    .set_up(&*model)
                    .map_err(|error| ApiError::model(&error))?;
                let started = Instant::now();
                let value = run(&*model, &project);
                Ok((value, permits, started.elapsed()))
            };
            let (value, permits, took) = self.predictions.run(may_run_inline, call).await?;
            self.metrics.record_call(value.is_ok(), took);
            Ok(Answered {
                value: value?,
                permits,
            })
        };
        self.within_timeout(&has_begun, answer).await
    }

    /// Waits for an answer as long as Label Studio does, which hangs up without a reason later.
    pub(crate) async fn within_timeout<T>(
        &self,
        has_begun: &AtomicBool,
        answer: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let mut answer = pin!(answer);
        // A call that runs inline has its answer at once, and needs no timer.
        if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx))).await {
            return answer;
        }
        let Ok(answer) = tokio::time::timeout(self.predict_timeout, answer).await else {
            let seconds = self.predict_timeout.as_secs();
            let reason = if has_begun.load(Ordering::Relaxed) {
                "the model did not answer; send fewer tasks at once"
            } else {
                "no thread was free; send fewer requests at once, or raise THREADS"
            };
            let detail = format!("{reason} (PREDICT_TIMEOUT is {seconds} s)");
            return Err(ApiError::new(StatusCode::GATEWAY_TIMEOUT, detail));
        };
        answer
    }

    /// Waits for a permit to call the model.
    pub(crate) async fn permit(&self, priority: Priority) -> Result<Permit, ApiError> {
        if let Some(permit) = self.permits.try_acquire() {
            self.metrics.record_wait(Duration::ZERO);
            return Ok(permit);
        }
        let started = Instant::now();
        let permit = self.permits.acquire(priority).await?;
        self.metrics.record_wait(started.elapsed());
        Ok(permit)
    }

    /// Like [`Backend::call`], for calls without project.
    pub(crate) async fn run<T, F>(&self, run: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Model) -> Result<T, ApiError> + Send + 'static,
    {
        let model = self.served.slot.model().await?;
        let permit = self.permit(Priority::Batch).await?;
        run_blocking(move || {
            let _permit = permit;
            run(&*model)
        })
        .await
    }

    /// Returns what is asked when metrics are read. Blocks.
    pub(crate) fn now(&self) -> Now {
        Now {
            n_waiting: self.permits.n_waiting() + self.exclusive.n_waiting(),
            backlog: self.resources.jobs.backlog().ok(),
        }
    }
}

/// Returns the header by which webhooks show that they come from Label Studio.
fn webhook_header(args: &ServerArgs) -> Option<WebhookHeader> {
    let (user, pass) = args.basic_auth()?;
    Some(match args.webhook_secret() {
        Some(secret) => WebhookHeader::new(WEBHOOK_SECRET, secret),
        None => WebhookHeader::basic_auth(user, pass),
    })
}

fn training_options(args: &ServerArgs, metrics: JobMetrics) -> TrainingOptions {
    TrainingOptions {
        limits: JobLimits {
            max_jobs: args.max_jobs,
            max_bytes: u64::from(args.max_jobs_mb) << 20,
        },
        runner: RunnerOptions {
            max_running: args.fit_threads.into(),
            n_kept: args.keep_jobs,
            metrics,
        },
        max_attempts: args.fit_attempts,
    }
}
