//! A model's handle for everything about one project.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, LazyLock, OnceLock},
};

use label_studio_sdk::{
    Client, ClientError, LabelConfig, LabelConfigError, MediaError, MediaFetcher, MediaOptions,
    Object, Task, media::needs_preload,
};
use serde_json::{Map, Value};

use crate::{
    jobs::JobContext,
    model_version,
    project_id::ProjectId,
    resources::Resources,
    store::{MemoryStore, StoreError},
    versions::{NewVersion, VersionError},
};

/// Key of a project's model version in the store.
pub(crate) const MODEL_VERSION: &str = "model_version";
const MODEL_VERSIONS: &str = "model_versions";
/// Data field of a text that was imported without a field name.
const UNDEFINED_FIELD: &str = "$undefined$";
const EXTRA_PARAMS: &str = "extra_params";
/// Versions that `/versions` remembers per project.
const MAX_VERSIONS: usize = 100;

/// Why a value of a project is not available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A request to Label Studio failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A file of a task cannot be downloaded.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// Label Studio is needed, but its URL or API key is missing.
    #[error(
        "cannot ask Label Studio: set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY (account page, access token)"
    )]
    NoLabelStudio,
    /// The project has no number, as in a test without a Label Studio.
    #[error("project {0:?} is not a number of a Label Studio project")]
    NoProjectNumber(String),
    /// The extra params are a text that is not JSON.
    #[error("extra params of the project are not JSON")]
    ExtraParams(#[source] serde_json::Error),
    /// A task has no text where the label config expects one.
    #[error("the task has no text in its data field {0:?}")]
    NoText(String),
    /// A task has a list or an object where the label config expects a text.
    #[error("data field {0:?} of the task is not a text")]
    NotText(String),
    /// The text file of a task is not UTF-8, or cannot be read.
    #[error("cannot read {} as text", path.display())]
    TextFile {
        /// The downloaded file.
        path: PathBuf,
        /// Why it cannot be read.
        source: io::Error,
    },
}

/// A model's handle for the project that a call is for. Cheap to clone.
#[derive(Clone)]
pub struct Project {
    id: ProjectId,
    label_config: Arc<LabelConfig>,
    resources: Arc<Resources>,
    /// The version of the state that this call used.
    used_version: Arc<OnceLock<String>>,
    job: JobContext,
}

impl Project {
    /// Creates a handle.
    pub fn new(id: ProjectId, label_config: Arc<LabelConfig>, resources: Arc<Resources>) -> Self {
        Self {
            id,
            label_config,
            resources,
            used_version: Arc::default(),
            job: JobContext::default(),
        }
    }

    /// Creates project `1` with a store in memory: for tests of a model.
    pub fn in_memory(label_config: &str) -> Result<Self, LabelConfigError> {
        let label_config = Arc::new(LabelConfig::parse(label_config)?);
        let resources = Arc::new(Resources::new(MemoryStore::default()));
        Ok(Self::new(ProjectId::parse("1"), label_config, resources))
    }

    /// Returns a handle for one call.
    pub(crate) fn for_call(&self) -> Self {
        Self {
            used_version: Arc::default(),
            ..self.clone()
        }
    }

    /// Returns a handle of the same call with another label config.
    pub(crate) fn with_label_config(&self, label_config: Arc<LabelConfig>) -> Self {
        Self {
            label_config,
            ..self.clone()
        }
    }

    /// Returns a handle for the work of a job, as `fit` gets it.
    #[must_use]
    pub fn with_job(&self, job: JobContext) -> Self {
        Self {
            job,
            ..self.for_call()
        }
    }

    /// Notes that this call uses the state of `version`.
    pub(crate) fn use_version(&self, version: String) {
        self.used_version.get_or_init(|| version);
    }

    /// Returns the version to store this call's predictions under: that of the state that it used,
    /// else the project's.
    pub(crate) fn predicted_version(&self) -> Result<String, StoreError> {
        match self.used_version.get() {
            Some(version) => Ok(version.clone()),
            None => self.model_version(),
        }
    }

    /// Returns the project's id.
    pub fn id(&self) -> &ProjectId {
        &self.id
    }

    /// Returns the job that `fit` works on: it takes progress and log lines, and says whether to go
    /// on. Elsewhere it is a job that is stored nowhere; in `predict` it is cancelled when the client
    /// of an unmerged request hangs up, so that a model of long calls can end.
    pub fn job(&self) -> &JobContext {
        &self.job
    }

    /// Returns the project's label config, parsed; empty when the request brought none and none was
    /// seen before.
    ///
    /// In `predict` the `Repeater` tags are gone: see [`predict`](crate::predict). Elsewhere
    /// [`LabelConfig::for_entries`] repeats them for a task.
    pub fn label_config(&self) -> &LabelConfig {
        &self.label_config
    }

    /// Reads a value that the model stored for the project.
    pub fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.resources.store.get(&self.id, key)
    }

    /// Stores a value for the project. Writing an unchanged value costs no commit.
    pub fn set(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.resources.store.set(&self.id, key, value)
    }

    /// Returns whether the model stored `key`.
    pub fn has(&self, key: &str) -> Result<bool, StoreError> {
        Ok(self.get(key)?.is_some())
    }

    /// Returns the version that predictions are stored under, `0.0.1` if the model never set one.
    pub fn model_version(&self) -> Result<String, StoreError> {
        Ok(self
            .get(MODEL_VERSION)?
            .unwrap_or_else(|| model_version::INITIAL.to_owned()))
    }

    /// Sets the version that predictions are stored under.
    ///
    /// Label Studio asks by itself only for tasks without a prediction: a new version does not
    /// replace old predictions.
    pub fn set_model_version(&self, version: &str) -> Result<(), StoreError> {
        if self.get(MODEL_VERSION)?.as_deref() == Some(version) {
            return Ok(());
        }
        let mut versions = self.model_versions()?;
        versions.retain(|known| known != version);
        versions.push(version.to_owned());
        let n_forgotten = versions.len().saturating_sub(MAX_VERSIONS);
        versions.drain(..n_forgotten);
        self.set(MODEL_VERSIONS, &Value::from(versions).to_string())?;
        self.set(MODEL_VERSION, version)
    }

    /// Sets `version` unless the model has one already: what `setup` usually does.
    pub fn set_initial_model_version(&self, version: &str) -> Result<(), StoreError> {
        match self.get(MODEL_VERSION)? {
            Some(current) if current != model_version::INITIAL => Ok(()),
            _ => self.set_model_version(version),
        }
    }

    /// Raises the minor number of the version, stores it, and returns it: what `fit` does after a
    /// training.
    pub fn bump_model_version(&self) -> Result<String, StoreError> {
        let version = model_version::bump(&self.model_version()?);
        self.set_model_version(&version)?;
        Ok(version)
    }

    /// Returns the version after the current one, `prefix` with the next number: from 2, since a
    /// model that was never trained has 1. Numbers of published versions, which are ahead after a
    /// rollback, are left out.
    pub fn next_model_version(&self, prefix: &str) -> Result<String, VersionError> {
        let current = self.model_version()?;
        let mut number: u64 = current
            .strip_prefix(prefix)
            .and_then(|number| number.parse().ok())
            .unwrap_or(1);
        loop {
            number = number.saturating_add(1);
            let next = format!("{prefix}{number}");
            if self.version_folder(&next)?.is_none() {
                return Ok(next);
            }
        }
    }

    /// Returns a new version to write a trained model into: a folder that no reader knows until it
    /// is published. Dropping it removes it.
    pub fn new_version(&self) -> Result<NewVersion, VersionError> {
        self.resources.versions.begin(&self.id)
    }

    /// Publishes a new version: its files are on the disk, then its folder has a name, then it is
    /// the project's model version. `metrics` says how good it is. Returns its folder. Old versions
    /// are removed.
    ///
    /// # Errors
    /// When there is a version of this name, when the job was cancelled, or when something cannot
    /// be written. The version before stays active then.
    pub fn publish(
        &self,
        new: NewVersion,
        version: &str,
        metrics: Value,
    ) -> Result<PathBuf, VersionError> {
        if self.job.is_cancelled() {
            return Err(VersionError::Cancelled);
        }
        let job = self.job.id().map(|id| id.to_string());
        let folder = self
            .resources
            .versions
            .publish(new, version, job, metrics)?;
        self.set_model_version(version)?;
        self.resources.versions.prune(&self.id, version)?;
        Ok(folder)
    }

    /// Returns the folder of a published version; `None` when there is none. One that another
    /// machine made is downloaded from the object store of `ARTIFACT_URL`.
    ///
    /// # Errors
    /// When the object store or the folder cannot be used.
    pub fn version_folder(&self, version: &str) -> Result<Option<PathBuf>, VersionError> {
        self.resources.versions.folder(&self.id, version)
    }

    /// Makes a version that the project has its model version again; for a model that publishes no
    /// versions, one that it has had.
    pub fn activate_version(&self, version: &str) -> Result<(), VersionError> {
        // A model without folders keeps its versions elsewhere, and knows them by name.
        let is_known = if self.resources.versions.has_any(&self.id)? {
            self.version_folder(version)?.is_some()
        } else {
            self.model_versions()?.iter().any(|known| known == version)
        };
        if !is_known {
            return Err(VersionError::Unknown {
                project: self.id.to_string(),
                version: version.to_owned(),
            });
        }
        Ok(self.set_model_version(version)?)
    }

    /// Returns the versions that the project has had, the current one last.
    pub fn model_versions(&self) -> Result<Vec<String>, StoreError> {
        let stored = self.get(MODEL_VERSIONS)?;
        Ok(stored
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default())
    }

    /// Returns the backend's “extra params” as a user entered them, an empty object if the field is
    /// empty.
    pub fn extra_params(&self) -> Result<Value, ProjectError> {
        let Some(json) = self.get(EXTRA_PARAMS)? else {
            return Ok(Value::Object(Map::new()));
        };
        serde_json::from_str(&json).map_err(ProjectError::ExtraParams)
    }

    /// Returns Label Studio's client.
    pub fn client(&self) -> Result<&Client, ProjectError> {
        self.resources
            .client
            .as_ref()
            .ok_or(ProjectError::NoLabelStudio)
    }

    /// Returns the path of a file that a task refers to, after downloading it if needed.
    pub fn local_path(&self, task: &Task, url: &str) -> Result<PathBuf, ProjectError> {
        Ok(self.media().local_path(url, task.id)?)
    }

    /// Returns the text that a task has for an object tag, after downloading it if the task holds
    /// the address of a text file. A number or boolean counts as its text; a task that was imported
    /// without a field name has its text under `$undefined$`.
    ///
    /// # Errors
    /// When the task has no text there, or the file cannot be downloaded or is not UTF-8.
    pub fn text_of(&self, object: &Object, task: &Task) -> Result<String, ProjectError> {
        let name = object.value_name.as_str();
        let field = |name: &str| task.value(name).filter(|value| !value.is_null());
        let text = match field(name).or_else(|| field(UNDEFINED_FIELD)) {
            Some(Value::String(text)) => text,
            Some(value @ (Value::Number(_) | Value::Bool(_))) => return Ok(value.to_string()),
            Some(_) => return Err(ProjectError::NotText(name.to_owned())),
            None => return Err(ProjectError::NoText(name.to_owned())),
        };
        let is_address = object.value_type.as_deref() == Some("url") || needs_preload(text);
        if text.is_empty() || !is_address {
            return Ok(text.clone());
        }
        let path = self.local_path(task, text)?;
        fs::read_to_string(&path).map_err(|source| ProjectError::TextFile { path, source })
    }

    /// Returns the task's data with every reference to a text file replaced by its text.
    pub fn preload_task_data(&self, task: &Task) -> Result<Map<String, Value>, ProjectError> {
        let needs_file = |value: &Value| value.as_str().is_none_or(needs_preload);
        if !task.data.values().any(needs_file) {
            return Ok(task.data.clone());
        }
        Ok(self.media().preload(&task.data, task.id)?)
    }

    /// Returns the project's tasks that have annotations, from Label Studio.
    pub fn labeled_tasks(&self) -> Result<Vec<Task>, ProjectError> {
        Ok(self.client()?.labeled_tasks(self.number()?)?)
    }

    /// Returns the project's number in Label Studio.
    pub fn number(&self) -> Result<i64, ProjectError> {
        let id = self.id.as_str();
        id.parse()
            .map_err(|_| ProjectError::NoProjectNumber(id.to_owned()))
    }

    fn media(&self) -> &MediaFetcher {
        static WITHOUT_LABEL_STUDIO: LazyLock<MediaFetcher> = LazyLock::new(|| {
            let cache_dir = std::env::temp_dir().join("label-studio-ml-media");
            MediaFetcher::new(None, MediaOptions::new(cache_dir))
                .expect("no address that could be wrong")
        });
        self.resources
            .media
            .as_ref()
            .unwrap_or(&WITHOUT_LABEL_STUDIO)
    }
}
