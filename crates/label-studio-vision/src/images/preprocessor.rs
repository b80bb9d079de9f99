//! What `preprocessor_config.json` beside a model says of its images, as transformers reads it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::Normalise;

/// The file of transformers that says how images are prepared for a model.
const FILE: &str = "preprocessor_config.json";
/// Folder of a repository on the hub that holds exported models; their configuration lies above it.
const ONNX_FOLDER: &str = "onnx";
/// What transformers multiplies bytes by unless the file says otherwise.
const RESCALE_FACTOR: f64 = 1.0 / 255.0;

/// The configuration of the images of a model.
#[derive(Debug, Clone)]
pub struct PreprocessorConfig {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub fields: Map<String, Value>,
}

/// Why the configuration beside a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreprocessorError {
    /// The file is no JSON object.
    #[error("cannot read {path:?}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A field does not have the form that transformers writes.
    #[error("{path:?} has {field} = {value}, where {expected} is expected")]
    Field {
        /// The file.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// Its value.
        value: Box<Value>,
        /// What is expected.
        expected: &'static str,
    },
}

impl PreprocessorConfig {
    /// Reads `preprocessor_config.json` beside a model, or above its folder where that is called
    /// `onnx`, as on the hub. None if there is no such file.
    pub fn beside(model: &Path) -> Result<Option<Self>, PreprocessorError> {
        let folder = model.parent().unwrap_or(Path::new(""));
        let is_hub = folder.file_name().is_some_and(|name| name == ONNX_FOLDER);
        let above = folder.parent().filter(|_| is_hub);
        let mut paths = [Some(folder), above]
            .into_iter()
            .flatten()
            .map(|folder| folder.join(FILE));
        let found = paths.find_map(|path| Some((fs::read(&path).ok()?, path)));
        let Some((text, path)) = found else {
            return Ok(None);
        };
        match serde_json::from_slice(&text) {
            Ok(fields) => Ok(Some(Self { path, fields })),
            Err(source) => Err(PreprocessorError::Json { path, source }),
        }
    }

    /// Returns what a model wants of pixel values: what the configuration beside it says, else
    /// `usual`.
    pub fn normalise_beside(
        model: &Path,
        usual: Normalise,
    ) -> Result<Normalise, PreprocessorError> {
        let config = Self::beside(model)?;
        config.map_or(Ok(usual), |config| config.normalise(usual))
    }

    /// Returns where the configuration of a model on a hub is, seen from the model's path in its
    /// repository.
    pub fn sibling_of(model: &str) -> &'static str {
        match model.rsplit_once('/') {
            Some((folder, _)) if folder.ends_with(ONNX_FOLDER) => "../preprocessor_config.json",
            _ => FILE,
        }
    }

    /// Returns what the model wants of pixel values: `do_rescale`, `rescale_factor`, `do_normalize`,
    /// `image_mean` and `image_std`. What the file leaves out is as `usual`.
    pub fn normalise(&self, usual: Normalise) -> Result<Normalise, PreprocessorError> {
        let fields = [
            "do_rescale",
            "rescale_factor",
            "do_normalize",
            "image_mean",
            "image_std",
        ];
        if fields.iter().all(|field| self.given(field).is_none()) {
            return Ok(usual);
        }
        let factor = if self.switch("do_rescale")?.unwrap_or(true) {
            self.rescale_factor()?
        } else {
            1.0
        };
        let divisor = usual.divisor;
        let is_usual = usual
            != Normalise {
                divisor,
                ..Normalise::UNIT
            };
        if !self.switch("do_normalize")?.unwrap_or(is_usual) {
            return Ok(Normalise {
                divisor: single(1.0 / factor),
                ..Normalise::UNIT
            });
        }
        // Transformers' own defaults are on values from 0 to 1.
        let of_unit = |channels: [f32; 3]| channels.map(|value| value * usual.divisor / 255.0);
        let std = self.channels("image_std", |value| value > 0.0)?;
        Ok(Normalise {
            divisor: single(1.0 / factor),
            mean: self
                .channels("image_mean", f64::is_finite)?
                .unwrap_or(of_unit(usual.mean)),
            std: std.unwrap_or(of_unit(usual.std)),
        })
    }

    fn given(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    fn switch(&self, field: &'static str) -> Result<Option<bool>, PreprocessorError> {
        let value = self.given(field);
        value
            .map(|value| {
                let switch = value.as_bool();
                switch.ok_or_else(|| self.unfit(field, value, "true or false"))
            })
            .transpose()
    }

    fn rescale_factor(&self) -> Result<f64, PreprocessorError> {
        let field = "rescale_factor";
        let Some(value) = self.given(field) else {
            return Ok(RESCALE_FACTOR);
        };
        let factor = value
            .as_f64()
            .filter(|factor| *factor > 0.0 && single(1.0 / factor).is_finite());
        factor.ok_or_else(|| self.unfit(field, value, "a number above 0"))
    }

    /// Returns a number per channel; a single one counts for all.
    fn channels(
        &self,
        field: &'static str,
        is_valid: impl Fn(f64) -> bool,
    ) -> Result<Option<[f32; 3]>, PreprocessorError> {
        let Some(value) = self.given(field) else {
            return Ok(None);
        };
        let number = |value: &Value| {
            let number = value.as_f64().filter(|number| is_valid(*number))?;
            Some(single(number)).filter(|number| number.is_finite())
        };
        let found = match value {
            Value::Array(values) => {
                let numbers: Option<Vec<_>> = values.iter().map(number).collect();
                numbers.and_then(|numbers| numbers.try_into().ok())
            }
            value => number(value).map(|number| [number; 3]),
        };
        let expected = "a number for each of three channels";
        found
            .map(Some)
            .ok_or_else(|| self.unfit(field, value, expected))
    }

    fn unfit(
        &self,
        field: &'static str,
        value: &Value,
        expected: &'static str,
    ) -> PreprocessorError {
        PreprocessorError::Field {
            path: self.path.clone(),
            field,
            value: Box::new(value.clone()),
            expected,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "models compute with single precision"
)]
fn single(number: f64) -> f32 {
    number as f32
}
