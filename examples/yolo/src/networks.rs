//! The network of each control tag.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use label_studio_inference::{
    hub::{Hub, ModelFolder, ModelFolderError, Weights, onnx_form},
    onnx::{ByFile, Runtime},
};
use label_studio_ml::{
    self as ml,
    anyhow::{self, Context, anyhow},
};

use crate::{Kind, Network};

/// Where the files of networks are.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    /// Folder of all local files.
    pub root: PathBuf,
    /// Whether control tags may name a file in the folder with the attribute `model_path`.
    pub allows_model_path: bool,
    /// Files for kinds of control tags instead of their default ones.
    pub defaults: HashMap<Kind, Weights>,
}

/// Networks by file, each loaded when first needed and kept.
pub struct Networks {
    runtime: Runtime,
    hub: Hub,
    files: ModelFiles,
    folder: ModelFolder,
    loaded: ByFile<Network>,
}

impl Networks {
    /// Creates a collection without a network in it.
    pub fn new(runtime: Runtime, hub: Hub, files: ModelFiles) -> Self {
        Self {
            runtime,
            hub,
            folder: ModelFolder::new(&files.root),
            files,
            loaded: ByFile::default(),
        }
    }

    /// Returns the network for a control tag: the one that its `model_path` names, or the one for its kind.
    pub fn of(&self, control: &ml::Control, kind: Kind) -> anyhow::Result<Arc<Network>> {
        let for_control = || format!("model of <{} name={:?}>", control.tag, control.name);
        let path = self.path(control, kind).with_context(for_control)?;
        let network = self.loaded.get(&path, |path| {
            let network = Network::load(&self.runtime, path)?;
            tracing::info!(
                file = network.file(),
                task = network.metadata().task.as_str(),
                n_classes = network.metadata().names.len(),
                "model loaded"
            );
            anyhow::Ok(network)
        });
        network.with_context(for_control)
    }

    fn path(&self, control: &ml::Control, kind: Kind) -> anyhow::Result<PathBuf> {
        let custom = control
            .attr("model_path")
            .filter(|_| self.files.allows_model_path);
        if let Some(name) = custom {
            return self.within_folder(name);
        }
        match self.files.defaults.get(&kind) {
            None => self.within_folder(kind.default_file()),
            Some(Weights::Local { path, sha256 }) => Ok(self.hub.path(&Weights::Local {
                path: onnx_form(self.files.root.join(path)),
                sha256: *sha256,
            })?),
            Some(weights) => Ok(self.hub.path(weights)?),
        }
    }

    fn within_folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        self.folder.file(name).map_err(|error| match &error {
            ModelFolderError::Missing { path, .. } => {
                let checkpoint = checkpoint(path);
                anyhow!(
                    "there is no file {}: run `yolo export model={} format=onnx dynamic=True` and put the result there, \
                     or set MODEL_ROOT to the folder that holds it",
                    path.display(),
                    checkpoint.as_deref().unwrap_or("NAME.pt")
                )
            }
            _ => error.into(),
        })
    }
}

/// Returns the name of a model's checkpoint, unless it means more to a shell than a name: label configs may hold anything.
fn checkpoint(path: &Path) -> Option<String> {
    let checkpoint = path.with_extension("pt");
    let name = checkpoint.file_name()?.to_str()?;
    let is_plain = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    name.chars().all(is_plain).then(|| name.to_owned())
}
