//! Networks from features to tokens.

use label_studio_audio::decoding::Token;
use label_studio_inference::onnx::{ElementType, Engine, OnnxError, TensorInfo};
use label_studio_ml::anyhow::{self, ensure};
use ndarray::{Array1, Array2, Array3, Axis};

/// What a model heard in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// Output frames of the window.
    pub n_frames: usize,
}

/// A network, or two, from features to tokens.
pub(crate) trait Network: Send + Sync {
    /// Returns whether windows of different lengths can run together.
    fn takes_lengths(&self) -> bool;

    /// Returns what is heard in each of some windows, which run together.
    fn run(&self, features: &Features) -> anyhow::Result<Vec<Heard>>;
}

/// Features of windows, with zeros behind shorter ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Features {
    /// A plane per window, with a row per mel filter.
    pub(crate) all: Array3<f32>,
    /// Columns of each window.
    pub(crate) lengths: Array1<i64>,
}

impl Features {
    pub(crate) fn new(windows: &[&Array2<f32>]) -> Self {
        let n_rows = windows
            .iter()
            .map(|window| window.nrows())
            .max()
            .unwrap_or(0);
        let n_columns = windows
            .iter()
            .map(|window| window.ncols())
            .max()
            .unwrap_or(0);
        let mut all = Array3::zeros((windows.len(), n_rows, n_columns));
        for (mut plane, window) in all.axis_iter_mut(Axis(0)).zip(windows) {
            for (mut row, values) in plane.outer_iter_mut().zip(window.outer_iter()) {
                for (to, from) in row.iter_mut().zip(values) {
                    *to = *from;
                }
            }
        }
        let length = |window: &&Array2<f32>| i64::try_from(window.ncols()).unwrap_or(i64::MAX);
        Self {
            lengths: windows.iter().map(length).collect(),
            all,
        }
    }
}

/// The inputs of an encoder: features, and the number of their columns unless the export lost it.
#[derive(Debug, Clone)]
pub(crate) struct EncoderInputs {
    pub(crate) features: String,
    pub(crate) length: Option<String>,
}

impl EncoderInputs {
    /// Finds the inputs by their shapes.
    pub(crate) fn find(engine: &dyn Engine, n_mels: usize) -> anyhow::Result<Self> {
        let is_features = |input: &TensorInfo| input.shape.len() == 3 && is_float(input);
        let is_length =
            |input: &TensorInfo| input.shape.len() == 1 && input.element_type == ElementType::I64;
        let inputs = engine.inputs();
        let features = inputs.iter().find(|input| is_features(input));
        let others: Vec<_> = inputs.iter().filter(|input| !is_features(input)).collect();
        let is_usable = others.len() < 2 && others.iter().all(|input| is_length(input));
        let Some(features) = features.filter(|_| is_usable) else {
            return Err(unexpected(
                engine,
                "features [windows, mels, columns] and their lengths",
            )
            .into());
        };
        let fixed = features.fixed(1).unwrap_or(n_mels);
        ensure!(
            fixed == n_mels,
            "model file {:?} takes {fixed} mel filters, and its config says {n_mels}",
            engine.file()
        );
        Ok(Self {
            features: features.name.clone(),
            length: others.first().map(|input| input.name.clone()),
        })
    }
}

pub(crate) fn is_float(tensor: &TensorInfo) -> bool {
    matches!(tensor.element_type, ElementType::F32 | ElementType::F16)
}

/// Returns the error of a file that holds another network.
pub(crate) fn unexpected(engine: &dyn Engine, expected: &str) -> OnnxError {
    let list = |tensors: &[TensorInfo]| {
        let texts: Vec<_> = tensors.iter().map(ToString::to_string).collect();
        texts.join(", ")
    };
    OnnxError::Unexpected {
        file: engine.file().to_owned(),
        what: "an export of a NeMo model for speech".to_owned(),
        problem: "its inputs or outputs are others".to_owned(),
        expected: expected.to_owned(),
        found: format!(
            "inputs {} and outputs {}",
            list(engine.inputs()),
            list(engine.outputs())
        ),
    }
}
