//! Models by file, each loaded when first needed and kept.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

/// Models by file. Loading one does not block the use of another; a file that changed is loaded
/// again.
#[derive(Debug)]
pub struct ByFile<T> {
    loaded: Mutex<HashMap<PathBuf, Slot<T>>>,
}

type Slot<T> = Arc<Mutex<Option<Loaded<T>>>>;

#[derive(Debug)]
struct Loaded<T> {
    model: Arc<T>,
    /// Time and size of the file.
    file: (Option<SystemTime>, u64),
}

impl<T> Default for ByFile<T> {
    fn default() -> Self {
        Self {
            loaded: Mutex::default(),
        }
    }
}

impl<T> ByFile<T> {
    /// Returns the model of a file, and loads it with `load` when it is first needed.
    pub fn get<E: From<io::Error>>(
        &self,
        path: &Path,
        load: impl FnOnce(&Path) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let slot = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            Slot::clone(loaded.entry(path.to_owned()).or_default())
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = fs::metadata(path).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot read model file {}: {error}", path.display()),
            )
        })?;
        let file = (metadata.modified().ok(), metadata.len());
        if let Some(loaded) = slot.as_ref().filter(|loaded| loaded.file == file) {
            return Ok(Arc::clone(&loaded.model));
        }
        let model = Arc::new(load(path)?);
        *slot = Some(Loaded {
            model: Arc::clone(&model),
            file,
        });
        Ok(model)
    }
}
