//! Networks by file, each loaded when first needed and kept.

use std::{
    collections::HashMap,
    fs,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use label_studio_inference::{
    hub::{Hub, Weights},
    onnx::Runtime,
};
use label_studio_ml::{
    self as ml,
    anyhow::{self, Context, bail, ensure},
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

/// Networks by file. Loading one holds up nobody who uses another.
pub struct Networks {
    runtime: Runtime,
    hub: Hub,
    files: ModelFiles,
    loaded: Mutex<HashMap<PathBuf, Slot>>,
}

type Slot = Arc<Mutex<Option<Loaded>>>;

struct Loaded {
    network: Arc<Network>,
    /// Time and size of the file; another file under the same name is loaded anew.
    file: (Option<SystemTime>, u64),
}

impl Networks {
    /// Creates a collection without a network in it.
    pub fn new(runtime: Runtime, hub: Hub, files: ModelFiles) -> Self {
        Self {
            runtime,
            hub,
            files,
            loaded: Mutex::default(),
        }
    }

    /// Returns the network for a control tag: the one that its `model_path` names, or the one for its kind.
    pub fn of(&self, control: &ml::Control, kind: Kind) -> anyhow::Result<Arc<Network>> {
        let for_control = || format!("model of <{} name={:?}>", control.tag, control.name);
        let path = self.path(control, kind).with_context(for_control)?;
        self.load(&path).with_context(for_control)
    }

    fn path(&self, control: &ml::Control, kind: Kind) -> anyhow::Result<PathBuf> {
        let custom = control
            .attr("model_path")
            .filter(|_| self.files.allows_model_path);
        if let Some(name) = custom {
            return self.within_root(name);
        }
        match self.files.defaults.get(&kind) {
            None => self.within_root(kind.default_file()),
            Some(Weights::Local { path, sha256: None }) => Ok(self.files.root.join(path)),
            Some(Weights::Local { path, sha256 }) => Ok(self.hub.path(&Weights::Local {
                path: self.files.root.join(path),
                sha256: *sha256,
            })?),
            Some(weights) => Ok(self.hub.path(weights)?),
        }
    }

    /// Returns the file called `name` in the folder, in its ONNX form if it is called by its PyTorch one.
    fn within_root(&self, name: &str) -> anyhow::Result<PathBuf> {
        let root = &self.files.root;
        let name = Path::new(name.trim());
        let relative = name.strip_prefix(root).unwrap_or(name);
        let is_plain = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        ensure!(
            is_plain,
            "model_path {} leads out of the folder of models, MODEL_ROOT={}",
            name.display(),
            root.display()
        );
        let mut path = root.join(relative);
        if path.extension().is_some_and(|extension| extension == "pt") {
            path.set_extension("onnx");
        }
        if !path.exists() {
            let checkpoint = path.with_extension("pt");
            bail!(
                "there is no file {}: run `yolo export model={} format=onnx dynamic=True` and put the result there, \
                 or set MODEL_ROOT to the folder that holds it",
                path.display(),
                checkpoint.file_name().unwrap_or_default().display()
            );
        }
        let (real, real_root) = (path.canonicalize()?, root.canonicalize()?);
        ensure!(
            real.starts_with(&real_root),
            "model file {} is a link out of the folder of models, MODEL_ROOT={}",
            path.display(),
            root.display()
        );
        Ok(path)
    }

    fn load(&self, path: &Path) -> anyhow::Result<Arc<Network>> {
        let slot = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            Slot::clone(loaded.entry(path.to_owned()).or_default())
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = fs::metadata(path)
            .with_context(|| format!("cannot read model file {}", path.display()))?;
        let file = (metadata.modified().ok(), metadata.len());
        if let Some(loaded) = slot.as_ref().filter(|loaded| loaded.file == file) {
            return Ok(Arc::clone(&loaded.network));
        }
        let network = Arc::new(Network::load(&self.runtime, path)?);
        tracing::info!(
            file = network.file(),
            task = network.metadata().purpose.as_str(),
            n_classes = network.metadata().names.len(),
            "model loaded"
        );
        *slot = Some(Loaded {
            network: Arc::clone(&network),
            file,
        });
        Ok(network)
    }
}
