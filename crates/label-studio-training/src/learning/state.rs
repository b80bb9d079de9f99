//! A training on the disk, from which it goes on after a crash.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::{epoch::Epoch, steps::Steps};
use crate::{
    checkpoint::{CheckpointError, facts, read_tensors, write_tensors},
    network::Parameters,
};

const FACTS: &str = "training";

/// Returns the file under `model_dir` that keeps the state of a backend's training for a project.
pub fn state_file(model_dir: &Path, backend: &str, project: &str) -> PathBuf {
    let name: String = project
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let folder = model_dir.join("training_output");
    folder.join(format!("{backend}-{name}.safetensors"))
}

/// The file of a training's state.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// What the training is about; another training does not go on from this file.
    fingerprint: u64,
}

/// What is known at the end of an epoch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Facts {
    fingerprint: u64,
    pub(crate) n_steps: usize,
    pub(crate) n_batches: usize,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) best: usize,
}

impl Facts {
    pub(crate) fn new(epochs: &[Epoch], best: usize, steps: &Steps) -> Self {
        Self {
            fingerprint: 0,
            n_steps: steps.optimizer.n_steps,
            n_batches: steps.n_batches,
            epochs: epochs.to_vec(),
            best,
        }
    }
}

impl StateFile {
    /// Names the file of a training, known by its name, its examples and how it runs.
    pub(crate) fn new<E: Hash>(
        path: PathBuf,
        name: &str,
        (parameters, steps): (&Parameters, &Steps),
        examples: &[E],
    ) -> Self {
        let mut hasher = DefaultHasher::new();
        (name, examples).hash(&mut hasher);
        format!("{:?}", steps.options).hash(&mut hasher);
        parameters.values.len().hash(&mut hasher);
        Self {
            path,
            fingerprint: hasher.finish(),
        }
    }

    /// Writes the state in one step: a crash leaves the one before.
    pub(crate) fn save(
        &self,
        (parameters, steps): (&Parameters, &Steps),
        best_values: &[f32],
        facts: Facts,
    ) -> Result<(), CheckpointError> {
        let facts = Facts {
            fingerprint: self.fingerprint,
            ..facts
        };
        let text = serde_json::to_string(&facts).expect("numbers and lists can be written");
        let metadata = Map::from_iter([(FACTS.to_owned(), text.into())]);
        let shape = [parameters.values.len()];
        let tensors: [(&str, &[usize], &[f32]); 4] = [
            ("values", &shape, &parameters.values),
            ("first", &shape, &steps.optimizer.first),
            ("second", &shape, &steps.optimizer.second),
            ("best", &shape, best_values),
        ];
        let io = |source| CheckpointError::Io {
            path: self.path.clone(),
            source,
        };
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(io)?;
        }
        let new = self.path.with_extension("new");
        write_tensors(&new, &tensors, &metadata)?;
        fs::rename(&new, &self.path).map_err(io)
    }

    /// Goes on from the state that was saved, if it is one of the same training. Returns what was
    /// known then, and the parameters of the best epoch.
    pub(crate) fn resume(
        &self,
        (parameters, steps): (&mut Parameters, &mut Steps),
    ) -> Result<Option<(Facts, Vec<f32>)>, CheckpointError> {
        let Some(known) = read_facts(&self.path) else {
            return Ok(None);
        };
        if known.fingerprint != self.fingerprint {
            return Ok(None);
        }
        let files = read_tensors(std::slice::from_ref(&self.path))?;
        let shape = [parameters.values.len()];
        let mut best = vec![0.0; shape[0]];
        files.read_into("best", &shape, &mut best)?;
        files.read_into("values", &shape, &mut parameters.values)?;
        files.read_into("first", &shape, &mut steps.optimizer.first)?;
        files.read_into("second", &shape, &mut steps.optimizer.second)?;
        steps.resume_at(parameters, (known.n_steps, known.n_batches));
        Ok(Some((known, best)))
    }

    /// Removes the file; a training that has ended is not resumed.
    pub(crate) fn remove(&self) {
        // It may never have been written.
        let _ = fs::remove_file(&self.path);
    }
}

fn read_facts(path: &Path) -> Option<Facts> {
    if !path.is_file() {
        return None;
    }
    let metadata = facts(path).ok()?;
    serde_json::from_str(metadata.get(FACTS)?).ok()
}
