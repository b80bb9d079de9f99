//! The projects that the backend has seen: label config parsed once, `setup` run once.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use label_studio_sdk::{LabelConfig, LabelConfigError};
use lru::LruCache;

use crate::{Model, Project, ProjectId, Services};

const LABEL_CONFIG: &str = "label_config";
const PARSED_LABEL_CONFIG: &str = "parsed_label_config";
/// Projects whose parsed label config stays in memory.
const MAX_PROJECTS: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");
/// What a project without label config counts as.
const EMPTY: &str = "<View></View>";

/// The projects that the backend has seen.
pub(super) struct Projects {
    services: Arc<Services>,
    seen: Mutex<LruCache<ProjectId, Arc<SeenProject>>>,
}

/// A project under one label config.
pub(super) struct SeenProject {
    pub(super) project: Project,
    ready: OnceLock<()>,
    setting_up: Mutex<()>,
}

impl Projects {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self {
            services,
            seen: Mutex::new(LruCache::new(MAX_PROJECTS)),
        }
    }

    /// Returns the project under `label_config`, or under the one it had last when the request brings none.
    pub(super) fn get(
        &self,
        id: &str,
        label_config: Option<&str>,
    ) -> Result<Arc<SeenProject>, LabelConfigError> {
        let id = ProjectId::parse(id);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seen.get(&id)
            && label_config.is_none_or(|text| text == known.project.label_config().text())
        {
            return Ok(Arc::clone(known));
        }
        drop(seen);
        let stored = match label_config {
            Some(_) => None,
            None => self
                .services
                .store
                .get(&id, LABEL_CONFIG)
                .unwrap_or_default(),
        };
        let parsed = LabelConfig::parse(label_config.or(stored.as_deref()).unwrap_or(EMPTY))?;
        let project = Arc::new(SeenProject {
            project: Project::new(id.clone(), Arc::new(parsed), Arc::clone(&self.services)),
            ready: OnceLock::new(),
            setting_up: Mutex::default(),
        });
        seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.put(id, Arc::clone(&project));
        Ok(project)
    }
}

impl SeenProject {
    /// Runs the model's `setup` unless it ran for this label config; a failed one is tried again at the next call.
    pub(super) fn set_up(&self, model: &dyn Model) -> anyhow::Result<()> {
        if self.ready.get().is_some() {
            return Ok(());
        }
        let _alone = self
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

    /// Stores the label config as the Python original does, for whoever reads the file.
    fn remember_label_config(&self) {
        let config = self.project.label_config();
        let store = || {
            self.project.set(LABEL_CONFIG, config.text())?;
            self.project
                .set(PARSED_LABEL_CONFIG, &config.parse_config().to_string())?;
            self.project
                .set_initial_model_version(crate::model_version::INITIAL)
        };
        if let Err(error) = store() {
            let error = anyhow::Error::from(error);
            tracing::warn!(project = %self.project.id(), "label config not stored: {error:#}");
        }
    }
}
