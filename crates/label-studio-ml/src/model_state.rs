//! What a model loads for each project: weights that a training replaced.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use lru::LruCache;

use crate::{project::Project, project_id::ProjectId, store::StoreError};

/// Projects whose state stays in memory.
const MAX_PROJECTS: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");

/// One value per project that belongs to the project's model version: what a training made.
///
/// A version may be set by another process, too. The value is therefore loaded again whenever the
/// project's version is not the one that it was loaded for, and predictions made with it are stored
/// under its version.
///
/// ```
/// use label_studio_ml::{ModelState, Project};
///
/// let weights = ModelState::default();
/// let project = Project::in_memory("<View></View>")?;
/// assert_eq!(*weights.get(&project, |version| Ok(version.to_owned()))?, "0.0.1");
/// weights.replace(&project, "0.1.0", "trained".to_owned())?;
/// assert_eq!(*weights.get(&project, |version| Ok(version.to_owned()))?, "trained");
/// # Ok::<(), label_studio_ml::anyhow::Error>(())
/// ```
#[derive(Debug)]
pub struct ModelState<T> {
    projects: Mutex<LruCache<ProjectId, Arc<Slot<T>>>>,
}

/// The state of one project.
#[derive(Debug)]
struct Slot<T> {
    current: RwLock<Option<Versioned<T>>>,
    /// Held while a value is loaded, so that it is loaded once.
    loading: Mutex<()>,
}

#[derive(Debug)]
struct Versioned<T> {
    version: Box<str>,
    value: Arc<T>,
}

impl<T> Default for ModelState<T> {
    fn default() -> Self {
        Self {
            projects: Mutex::new(LruCache::new(MAX_PROJECTS)),
        }
    }
}

impl<T> ModelState<T> {
    /// Returns the value for the project's model version, which `load` makes when the version is
    /// new. Predictions of this call are stored under that version.
    pub fn get(
        &self,
        project: &Project,
        load: impl FnOnce(&str) -> anyhow::Result<T>,
    ) -> anyhow::Result<Arc<T>> {
        let version = project.model_version()?;
        let slot = self.slot(project.id());
        let value = match slot.find(&version) {
            Some(value) => value,
            None => slot.load(&version, load)?,
        };
        project.use_version(version);
        Ok(value)
    }

    /// Makes `value` the state of `version`, and `version` the project's model version. What `load`
    /// needs for it must be saved before: other processes load it from then on.
    pub fn replace(&self, project: &Project, version: &str, value: T) -> Result<(), StoreError> {
        let slot = self.slot(project.id());
        let _guard = lock(&slot.loading);
        project.set_model_version(version)?;
        slot.keep(version, Arc::new(value));
        Ok(())
    }

    fn slot(&self, project: &ProjectId) -> Arc<Slot<T>> {
        let mut projects = lock(&self.projects);
        if let Some(slot) = projects.get(project) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot {
            current: RwLock::new(None),
            loading: Mutex::new(()),
        });
        projects.put(project.clone(), Arc::clone(&slot));
        slot
    }
}

impl<T> Slot<T> {
    fn find(&self, version: &str) -> Option<Arc<T>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let current = current.as_ref()?;
        (*current.version == *version).then(|| Arc::clone(&current.value))
    }

    fn load(
        &self,
        version: &str,
        load: impl FnOnce(&str) -> anyhow::Result<T>,
    ) -> anyhow::Result<Arc<T>> {
        let _guard = lock(&self.loading);
        // Another call may have loaded it meanwhile.
        if let Some(value) = self.find(version) {
            return Ok(value);
        }
        let value = Arc::new(load(version)?);
        self.keep(version, Arc::clone(&value));
        Ok(value)
    }

    fn keep(&self, version: &str, value: Arc<T>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Versioned {
            version: version.into(),
            value,
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
