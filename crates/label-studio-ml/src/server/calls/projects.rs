//! The projects that the backend has seen: label config parsed once, `setup` run once.

use std::{
    borrow::Cow,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use label_studio_sdk::{LabelConfig, LabelConfigError};
use lru::LruCache;

use crate::{
    model::Model,
    project::Project,
    project_id::ProjectId,
    resources::Resources,
    server::{calls::executor::run_blocking, http::errors::ApiError},
};

/// Key of a project's label config in the store.
pub(crate) const LABEL_CONFIG: &str = "label_config";
const PARSED_LABEL_CONFIG: &str = "parsed_label_config";
/// Projects whose parsed label config stays in memory.
const MAX_PROJECTS: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");
/// Total length of the label configs that stay in memory; a parsed one takes a few times as much.
const MAX_CONFIG_BYTES: usize = 64 << 20;
/// Label config of a project without one.
const EMPTY: &str = "<View></View>";

/// The projects that the backend has seen.
pub(crate) struct Projects {
    resources: Arc<Resources>,
    seen: Mutex<Seen>,
}

/// Projects by id, each with its current label config.
struct Seen {
    projects: LruCache<ProjectId, Arc<SeenProject>>,
    n_bytes: usize,
}

/// A project with one label config.
pub(crate) struct SeenProject {
    pub(crate) project: Project,
    fits: OnceLock<()>,
    ready: OnceLock<()>,
    setting_up: Mutex<()>,
    was_reported: AtomicBool,
}

impl Projects {
    pub(crate) fn new(resources: Arc<Resources>) -> Self {
        let seen = Seen {
            projects: LruCache::new(MAX_PROJECTS),
            n_bytes: 0,
        };
        Self {
            resources,
            seen: Mutex::new(seen),
        }
    }

    /// Returns the project with `label_config`, or with its last one when the request brings none.
    /// A new label config is parsed on a blocking thread: a large one takes a while.
    pub(crate) async fn get(
        self: &Arc<Self>,
        id: &str,
        label_config: Option<Cow<'_, str>>,
    ) -> Result<Arc<SeenProject>, ApiError> {
        let id = ProjectId::parse(id);
        if let Some(known) = self.seen().find(&id, label_config.as_deref()) {
            return Ok(known);
        }
        let projects = Arc::clone(self);
        let label_config = label_config.map(Cow::into_owned);
        run_blocking(move || Ok(projects.read(id, label_config.as_deref())?)).await
    }

    /// Like [`Projects::get`], but parses on this thread.
    pub(crate) fn get_blocking(
        &self,
        id: &str,
        label_config: Option<&str>,
    ) -> Result<Arc<SeenProject>, LabelConfigError> {
        let id = ProjectId::parse(id);
        let known = self.seen().find(&id, label_config);
        known.map_or_else(|| self.read(id, label_config), Ok)
    }

    fn read(
        &self,
        id: ProjectId,
        label_config: Option<&str>,
    ) -> Result<Arc<SeenProject>, LabelConfigError> {
        let stored = match label_config {
            Some(_) => None,
            None => self
                .resources
                .store
                .get(&id, LABEL_CONFIG)
                .unwrap_or_default(),
        };
        let parsed = LabelConfig::parse(label_config.or(stored.as_deref()).unwrap_or(EMPTY))?;
        let mut seen = self.seen();
        // Another request may have parsed it meanwhile, and the model must not be set up twice.
        if let Some(known) = seen.find(&id, Some(parsed.text())) {
            return Ok(known);
        }
        let project = Arc::new(SeenProject {
            project: Project::new(id.clone(), Arc::new(parsed), Arc::clone(&self.resources)),
            fits: OnceLock::new(),
            ready: OnceLock::new(),
            setting_up: Mutex::default(),
            was_reported: AtomicBool::new(false),
        });
        seen.keep(id, &project);
        Ok(project)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn find(&mut self, id: &ProjectId, label_config: Option<&str>) -> Option<Arc<SeenProject>> {
        let known = self.projects.get(id)?;
        let is_same = label_config.is_none_or(|text| text == known.text());
        is_same.then(|| Arc::clone(known))
    }

    fn keep(&mut self, id: ProjectId, project: &Arc<SeenProject>) {
        self.n_bytes += project.text().len();
        // Evicts the project with its former label config, or the least recently used project.
        let mut evicted = self.projects.push(id, Arc::clone(project));
        loop {
            if let Some((_, project)) = evicted {
                self.n_bytes -= project.text().len();
            }
            if self.n_bytes <= MAX_CONFIG_BYTES || self.projects.len() == 1 {
                return;
            }
            evicted = self.projects.pop_lru();
        }
    }
}

impl SeenProject {
    fn text(&self) -> &str {
        self.project.label_config().text()
    }

    /// Returns whether the model's `setup` has run.
    pub(crate) fn is_set_up(&self) -> bool {
        self.ready.get().is_some()
    }

    /// Returns `true` at the first call only: the label config is reported once.
    pub(crate) fn take_report(&self) -> bool {
        !self.was_reported.swap(true, Ordering::Relaxed)
    }

    /// Runs something that reads the whole label config, while nothing else does: a large one takes
    /// memory each time.
    pub(crate) fn alone<T>(&self, run: impl FnOnce() -> T) -> T {
        let _guard = self
            .setting_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        run()
    }

    /// Asks the model whether it fits the label config, until it does. A project without labelling
    /// interface fits every model.
    pub(crate) fn check(&self, model: &dyn Model) -> anyhow::Result<()> {
        let label_config = self.project.label_config();
        if self.fits.get().is_none() && !label_config.controls().is_empty() {
            model.check(label_config)?;
        }
        self.fits.get_or_init(|| ());
        Ok(())
    }

    /// Runs the model's `setup` unless it ran for this label config; a failed one is tried again at
    /// the next call.
    pub(crate) fn set_up(&self, model: &dyn Model) -> anyhow::Result<()> {
        if self.ready.get().is_some() {
            return Ok(());
        }
        let _guard = self
            .setting_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.ready.get().is_none() {
            self.remember_label_config();
            model.setup(&self.project)?;
            self.ready.get_or_init(|| ());
        }
        Ok(())
    }

    /// Stores the label config as the Python original does, for programs that read the file.
    fn remember_label_config(&self) {
        let config = self.project.label_config();
        let store = || {
            self.project.set(LABEL_CONFIG, config.text())?;
            self.project
                .set(PARSED_LABEL_CONFIG, &config.parse_config_text())?;
            self.project
                .set_initial_model_version(crate::model_version::INITIAL)
        };
        if let Err(error) = store() {
            let error = anyhow::Error::from(error);
            tracing::warn!(project = %self.project.id(), "label config not stored: {error:#}");
        }
    }
}
