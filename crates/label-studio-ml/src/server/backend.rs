//! Everything that requests share: the model, its threads, and the projects.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    RawModel, Readiness, ServerArgs,
    auth::BasicAuth,
    body::BodyLimits,
    error::ApiError,
    introduction::Introductions,
    lanes::{Lanes, n_cores, on_own_thread},
    metrics::Metrics,
    model_slot::ModelSlot,
    projects::{Projects, SeenProject},
    training::Training,
};
use crate::{Model, Services, model::short_type_name};

/// Seconds after which a caller that met a full queue may try again.
const RETRY_AFTER: u32 = 1;

/// Everything that requests share.
pub(super) struct Backend {
    pub(super) auth: Option<BasicAuth>,
    pub(super) bodies: BodyLimits,
    pub(super) introductions: Introductions,
    pub(super) metrics: Metrics,
    pub(super) model: Arc<ModelSlot>,
    pub(super) projects: Projects,
    /// The model, when it reads requests and writes answers itself.
    pub(super) raw: Option<Arc<dyn RawModel>>,
    pub(super) services: Arc<Services>,
    pub(super) training: Training,
    pub(super) version: String,
    type_name: &'static str,
    predictions: Lanes,
    pub(super) setups: Lanes,
    threads: Arc<Semaphore>,
    alone: Arc<Semaphore>,
    n_waiting: AtomicUsize,
    max_queue: usize,
}

impl Backend {
    pub(super) fn new(args: &ServerArgs, type_name: &'static str, services: Services) -> Self {
        let services = Arc::new(services);
        Self {
            auth: args
                .basic_auth()
                .map(|(user, pass)| BasicAuth::new(user, pass, args.public_health)),
            bodies: BodyLimits::new(args.max_body_mb, args.max_bodies_mb),
            introductions: Introductions::new(args.basic_auth()),
            metrics: Metrics::new(),
            model: Arc::new(ModelSlot::new()),
            projects: Projects::new(Arc::clone(&services)),
            raw: None,
            services,
            training: Training::default(),
            version: args.version().to_owned(),
            type_name,
            predictions: Lanes::new(n_cores()),
            setups: Lanes::new(n_cores()),
            threads: Arc::new(Semaphore::new(args.threads.into())),
            alone: Arc::new(Semaphore::new(1)),
            n_waiting: AtomicUsize::new(0),
            max_queue: args.max_queue,
        }
    }

    /// Returns the backend of a model that reads requests and writes answers itself.
    pub(super) fn of_raw<M: RawModel>(
        args: &ServerArgs,
        model: Arc<M>,
        services: Services,
    ) -> Self {
        let mut metrics = Metrics::new();
        metrics.watch(Arc::clone(&model) as Arc<dyn RawModel>);
        Self {
            metrics,
            threads: Arc::new(Semaphore::new(model.places())),
            model: Arc::new(ModelSlot::filled(Arc::clone(&model) as Arc<dyn Model>)),
            raw: Some(model),
            ..Self::new(args, short_type_name::<M>(), services)
        }
    }

    /// Tells whether the model can answer now.
    pub(super) fn readiness(&self) -> Readiness {
        match (&self.raw, self.model.peek()) {
            (Some(raw), _) => raw.readiness(),
            (None, Some(Ok(_))) => Readiness::Ready,
            (None, Some(Err(reason))) => Readiness::Failed(reason.clone()),
            (None, None) => Readiness::Loading,
        }
    }

    /// Returns the name for the health check, which never waits for the model.
    pub(super) fn model_name(&self) -> &str {
        match self.model.peek() {
            Some(Ok(model)) => model.name(),
            Some(Err(_)) | None => self.type_name,
        }
    }

    /// Runs a call to the model after the model has loaded and one of the places is free: on a thread of its own, or on
    /// this one if the call is `small` and the model has proved quick.
    ///
    /// A caller that leaves takes its place in the queue along; a call that has begun ends, and only then frees its
    /// place. A panic costs this call.
    pub(super) async fn call<T, F>(
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
        let alone = if model.is_exclusive() {
            Some(self.place_of(&self.alone).await?)
        } else {
            None
        };
        let place = self.place().await?;
        let alike = small && project.is_set_up();
        let call = move || {
            let _places = (place, alone);
            project
                .set_up(&*model)
                .map_err(|error| ApiError::model(&error))?;
            run(&*model, &project)
        };
        self.predictions.run(alike, call).await
    }

    /// Waits for one of the places for calls.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.place_of(&self.threads).await
    }

    async fn place_of(&self, places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::enter(&self.n_waiting);
        if self.n_waiting.load(Ordering::Relaxed) > self.max_queue {
            let detail = format!(
                "all threads are busy and {} requests wait; try again soon, or raise THREADS or MAX_QUEUE",
                self.max_queue
            );
            return Err(ApiError::busy(detail, RETRY_AFTER));
        }
        let place = Arc::clone(places).acquire_owned().await;
        Ok(place.expect("the semaphore is never closed"))
    }

    /// Like [`Backend::call`], for calls that are about no project.
    pub(super) async fn run<T, F>(&self, run: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Model) -> Result<T, ApiError> + Send + 'static,
    {
        let model = self.model.model().await?;
        let place = self.place().await?;
        on_own_thread(move || {
            let _place = place;
            run(&*model)
        })
        .await
    }

    /// Returns how many calls wait for a thread.
    pub(super) fn n_waiting(&self) -> usize {
        self.n_waiting.load(Ordering::Relaxed)
    }
}

/// Counts one waiting call, also when its caller leaves.
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
