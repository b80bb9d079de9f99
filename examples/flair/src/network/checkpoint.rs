//! The files of a converted tagger: `flair.json` and `model.safetensors`.

use std::{fs, path::Path};

use label_studio_ml::{
    anyhow::{self, Context, bail, ensure},
    serde_json,
};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

const DESCRIPTION: &str = "flair.json";
const WEIGHTS: &str = "model.safetensors";
/// Version of the files that `convert.py` writes.
const FORMAT: u32 = 1;
/// Endings of the files that Flair writes, which are pickles.
const PICKLES: [&str; 2] = ["pt", "bin"];

/// A converted tagger.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) description: Description,
    weights: Vec<u8>,
}

/// What `convert.py` writes of a tagger besides its weights.
#[derive(Debug, Deserialize)]
pub(crate) struct Description {
    format: u32,
    /// What is labelled, such as `ner`.
    pub(crate) label_type: String,
    /// Tags by their number.
    pub(crate) tags: Vec<String>,
    pub(crate) embeddings: Vec<Embedding>,
    /// Layers of the LSTM; 0 if there is none.
    pub(crate) rnn_layers: usize,
    pub(crate) bidirectional: bool,
    pub(crate) reproject: bool,
    pub(crate) use_crf: bool,
}

/// How tokens are embedded.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Embedding {
    /// States of a language model of characters.
    Characters(CharacterDescription),
    /// A vector per word.
    Words {
        /// Words by their number; the row behind them is for all others.
        words: Vec<String>,
    },
}

/// A language model of characters.
#[expect(clippy::struct_excessive_bools, reason = "those of Flair")]
#[derive(Debug, Deserialize)]
pub(crate) struct CharacterDescription {
    pub(crate) is_forward: bool,
    pub(crate) layers: usize,
    /// Characters by their number.
    pub(crate) characters: Vec<String>,
    pub(crate) start_marker: String,
    pub(crate) with_whitespace: bool,
    pub(crate) tokenized: bool,
    pub(crate) is_lower: bool,
}

/// A tensor.
#[derive(Debug)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
}

impl Checkpoint {
    /// Reads the folder of a converted tagger.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let is_pickle = folder
            .extension()
            .is_some_and(|ending| PICKLES.iter().any(|pickle| ending == *pickle));
        if is_pickle && folder.is_file() {
            bail!(
                "{} is a pickle, which is not read because it can run code: convert it once, with python3 \
                 examples/flair/convert.py {} FOLDER, and set FLAIR_MODEL_NAME=FOLDER",
                folder.display(),
                folder.display()
            );
        }
        Self::from_files(&folder.join(DESCRIPTION), &folder.join(WEIGHTS))
    }

    /// Reads the two files of a converted tagger.
    pub(crate) fn from_files(description: &Path, weights: &Path) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            fs::read(path).with_context(|| {
                format!(
                    "cannot read {}: a tagger of Flair has to be converted once, with python3 \
                     examples/flair/convert.py NAME FOLDER",
                    path.display()
                )
            })
        };
        let json = read(description)?;
        let description: Description = serde_json::from_slice(&json)
            .with_context(|| format!("{} is not what convert.py writes", description.display()))?;
        ensure!(
            description.format == FORMAT,
            "the tagger was converted in the format {}, where {FORMAT} is expected: convert it again",
            description.format
        );
        let bytes = read(weights)?;
        SafeTensors::deserialize(&bytes)
            .with_context(|| format!("{} is damaged or cut short", weights.display()))?;
        Ok(Self {
            description,
            weights: bytes,
        })
    }

    /// Returns a tensor with so many dimensions.
    pub(crate) fn tensor(&self, name: &str, n_dims: usize) -> anyhow::Result<Tensor> {
        let tensors = SafeTensors::deserialize(&self.weights).context("the weights are damaged")?;
        let tensor = tensors
            .tensor(name)
            .with_context(|| format!("the weights have no tensor {name}"))?;
        let shape = tensor.shape().to_vec();
        ensure!(
            tensor.dtype() == Dtype::F32 && shape.len() == n_dims,
            "the tensor {name} is {:?} {shape:?}, where F32 with {n_dims} dimensions is expected",
            tensor.dtype()
        );
        let numbers = tensor.data().as_chunks().0.iter();
        let values: Vec<f32> = numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect();
        ensure!(
            values.iter().all(|value| value.is_finite()),
            "the tensor {name} has values that are not numbers (NaN or infinite)"
        );
        Ok(Tensor { shape, values })
    }

    /// As [`Checkpoint::tensor`], of a certain shape.
    pub(crate) fn shaped(&self, name: &str, shape: &[usize]) -> anyhow::Result<Vec<f32>> {
        let tensor = self.tensor(name, shape.len())?;
        ensure!(
            tensor.shape == shape,
            "the tensor {name} has the shape {:?}, where {shape:?} is expected",
            tensor.shape
        );
        Ok(tensor.values)
    }
}
