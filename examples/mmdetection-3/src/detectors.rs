//! The detector of each control tag.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use label_studio_inference::{
    hub::ModelFolder,
    onnx::{ByFile, Runtime},
};
use label_studio_ml::anyhow;

use crate::Detector;

/// Detectors by file: one that serves every control tag, and those that control tags name.
pub struct Detectors {
    runtime: Runtime,
    default: PathBuf,
    folder: ModelFolder,
    loaded: ByFile<Detector>,
}

impl Detectors {
    /// Loads the file `default` with its `settings`, if they do not lie beside it. Control tags may name files of `folder`.
    pub fn new(
        runtime: Runtime,
        default: &Path,
        settings: Option<&Path>,
        folder: ModelFolder,
    ) -> anyhow::Result<Self> {
        let loaded = ByFile::default();
        loaded.get(default, |path| Detector::load(&runtime, path, settings))?;
        Ok(Self {
            runtime,
            default: default.to_owned(),
            folder,
            loaded,
        })
    }

    /// Returns the detector that a control tag's `model_path` names, or the one for all.
    pub fn of(&self, model_path: Option<&str>) -> anyhow::Result<Arc<Detector>> {
        let path = match model_path {
            None => self.default.clone(),
            Some(name) => self.folder.file(name)?,
        };
        self.loaded
            .get(&path, |path| Detector::load(&self.runtime, path, None))
    }
}
