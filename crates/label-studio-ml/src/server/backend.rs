//! Everything that requests share: the model, its threads, and the projects.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    model::{Model, short_type_name},
    raw::model::{RawModel, Readiness},
    resources::Resources,
    server::{
        calls::{
            connect_checks::ConnectChecks,
            executor::{Executor, n_cores, run_blocking},
            model_slot::ModelSlot,
            projects::{Projects, SeenProject},
        },
        http::{auth::BasicAuth, body::BodyLimits, errors::ApiError, metrics::Metrics},
        jobs::training::Training,
        settings::args::ServerArgs,
    },
};

/// `Retry-After` of a full queue, in seconds.
const RETRY_AFTER: u32 = 1;

/// What handlers share.
pub(crate) type SharedBackend = Arc<Backend>;

/// Everything that requests share.
pub(crate) struct Backend {
    pub(crate) auth: Option<BasicAuth>,
    pub(crate) bodies: BodyLimits,
    pub(crate) connect_checks: Arc<ConnectChecks>,
    pub(crate) metrics: Metrics,
    pub(crate) model: Arc<ModelSlot>,
    pub(crate) projects: Arc<Projects>,
    /// The model, when it reads requests and writes answers itself.
    pub(crate) raw: Option<Arc<dyn RawModel>>,
    pub(crate) resources: Arc<Resources>,
    pub(crate) training: Arc<Training>,
    pub(crate) version: String,
    type_name: &'static str,
    predictions: Executor,
    pub(crate) setups: Executor,
    permits: Arc<Semaphore>,
    exclusive: Arc<Semaphore>,
    n_waiting: AtomicUsize,
    max_queue: usize,
}

impl Backend {
    pub(crate) fn new(args: &ServerArgs, type_name: &'static str, resources: Resources) -> Self {
        let resources = Arc::new(resources);
        let model = Arc::new(ModelSlot::new());
        Self {
            auth: args
                .basic_auth()
                .map(|(user, pass)| BasicAuth::new(user, pass, args.public_health)),
            bodies: BodyLimits::new(args.max_body_mb, args.max_bodies_mb),
            connect_checks: Arc::new(ConnectChecks::new(
                args.basic_auth(),
                resources.client.clone(),
            )),
            metrics: Metrics::new(),
            model: Arc::clone(&model),
            projects: Arc::new(Projects::new(Arc::clone(&resources))),
            raw: None,
            resources,
            training: Arc::new(Training::new(model)),
            version: args.version().to_owned(),
            type_name,
            predictions: Executor::new(n_cores()),
            setups: Executor::new(n_cores()),
            permits: Arc::new(Semaphore::new(args.threads.into())),
            exclusive: Arc::new(Semaphore::new(1)),
            n_waiting: AtomicUsize::new(0),
            max_queue: args.max_queue,
        }
    }

    /// Returns the backend of a model that reads requests and writes answers itself.
    pub(crate) fn of_raw<M: RawModel>(
        args: &ServerArgs,
        model: Arc<M>,
        resources: Resources,
    ) -> Self {
        let mut metrics = Metrics::new();
        metrics.watch(Arc::clone(&model) as Arc<dyn RawModel>);
        let slot = Arc::new(ModelSlot::filled(Arc::clone(&model) as Arc<dyn Model>));
        Self {
            metrics,
            permits: Arc::new(Semaphore::new(model.permits())),
            model: Arc::clone(&slot),
            training: Arc::new(Training::new(slot)),
            raw: Some(model),
            ..Self::new(args, short_type_name::<M>(), resources)
        }
    }

    /// Returns whether the model can answer now.
    pub(crate) fn readiness(&self) -> Readiness {
        match (&self.raw, self.model.peek()) {
            (Some(raw), _) => raw.readiness(),
            (None, Some(Ok(_))) => Readiness::Ready,
            (None, Some(Err(reason))) => Readiness::Failed(reason.clone()),
            (None, None) => Readiness::Loading,
        }
    }

    /// Returns the name for the health check, which never waits for the model.
    pub(crate) fn model_name(&self) -> &str {
        match self.model.peek() {
            Some(Ok(model)) => model.name(),
            Some(Err(_)) | None => self.type_name,
        }
    }

    /// Runs a call to the model once the model has loaded and a permit is free: on a blocking
    /// thread, or inline if the request is `small` and calls were fast.
    ///
    /// Dropping the future removes a waiting call from the queue; a call that has begun keeps its
    /// permit until it ends. A panic fails this call only.
    pub(crate) async fn call<T, F>(
        &self,
        project: Arc<SeenProject>,
        small: bool,
        run: F,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Model, &SeenProject) -> Result<T, ApiError> + Send + 'static,
    {
        let model = self.model.model().await?;
        let exclusive = if model.is_exclusive() {
            Some(self.permit_of(&self.exclusive).await?)
        } else {
            None
        };
        let permit = self.permit().await?;
        let may_run_inline = small && project.is_set_up();
        let call = move || {
            let _permits = (permit, exclusive);
            project
                .set_up(&*model)
                .map_err(|error| ApiError::model(&error))?;
            run(&*model, &project)
        };
        self.predictions.run(may_run_inline, call).await
    }

    /// Waits for a permit to call the model.
    pub(crate) async fn permit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.permit_of(&self.permits).await
    }

    async fn permit_of(&self, permits: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::enter(&self.n_waiting);
        if self.n_waiting.load(Ordering::Relaxed) > self.max_queue {
            let detail = format!(
                "all threads are busy and {} requests wait; try again soon, or raise THREADS or MAX_QUEUE",
                self.max_queue
            );
            return Err(ApiError::busy(detail, RETRY_AFTER));
        }
        let permit = Arc::clone(permits).acquire_owned().await;
        Ok(permit.expect("the semaphore is never closed"))
    }

    /// Like [`Backend::call`], for calls without project.
    pub(crate) async fn run<T, F>(&self, run: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Model) -> Result<T, ApiError> + Send + 'static,
    {
        let model = self.model.model().await?;
        let permit = self.permit().await?;
        run_blocking(move || {
            let _permit = permit;
            run(&*model)
        })
        .await
    }

    /// Returns how many calls wait for a permit.
    pub(crate) fn n_waiting(&self) -> usize {
        self.n_waiting.load(Ordering::Relaxed)
    }
}

/// Counts one waiting call until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
