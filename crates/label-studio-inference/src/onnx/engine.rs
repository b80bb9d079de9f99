//! A loaded model.

use std::{collections::BTreeMap, error::Error};

use ndarray::ArrayD;

use super::{ElementType, OnnxError, Signature, Tensor, TensorInfo, TensorView};

/// A loaded model: named tensors in, named tensors out. Shared between threads; runs wait for a
/// free session.
pub trait Engine: Send + Sync {
    /// Returns the model's signature.
    fn signature(&self) -> &Signature;

    /// Implements `run`, which adds the file to errors.
    fn try_run(
        &self,
        inputs: &[(&str, TensorView<'_>)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, Box<dyn Error + Send + Sync>>;
}

impl dyn Engine + '_ {
    /// Returns the file the model came from, for messages.
    pub fn file(&self) -> &str {
        &self.signature().file
    }

    /// Returns the model's inputs, in the order of the file.
    pub fn inputs(&self) -> &[TensorInfo] {
        &self.signature().inputs
    }

    /// Returns the model's outputs, in the order of the file.
    pub fn outputs(&self) -> &[TensorInfo] {
        &self.signature().outputs
    }

    /// Returns the custom metadata of the file, such as Ultralytics' `names` and `imgsz`.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.signature().metadata
    }

    /// Runs the model on `inputs` and returns the tensors called `outputs`, in that order. Other
    /// outputs are not computed.
    pub fn run(
        &self,
        inputs: &[(&str, TensorView<'_>)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, OnnxError> {
        self.try_run(inputs, outputs)
            .map_err(|source| OnnxError::Run {
                file: self.file().to_owned(),
                source,
            })
    }

    /// Runs the model as `run` does, for outputs that are all floating-point.
    pub fn run_f32<const N: usize>(
        &self,
        inputs: &[(&str, TensorView<'_>)],
        outputs: [&str; N],
    ) -> Result<[ArrayD<f32>; N], OnnxError> {
        let tensors = self.run(inputs, &outputs)?;
        let mut arrays = Vec::with_capacity(N);
        for (tensor, name) in tensors.into_iter().zip(outputs) {
            let found = tensor.element_type();
            arrays.push(tensor.into_f32().ok_or_else(|| OnnxError::OutputType {
                file: self.file().to_owned(),
                name: name.to_owned(),
                expected: ElementType::F32,
                found,
            })?);
        }
        Ok(arrays
            .try_into()
            .expect("a run gives as many tensors as names"))
    }

    /// Returns the input called `name`.
    pub fn input(&self, name: &str) -> Option<&TensorInfo> {
        self.inputs().iter().find(|input| input.name == name)
    }

    /// Returns the output called `name`.
    pub fn output(&self, name: &str) -> Option<&TensorInfo> {
        self.outputs().iter().find(|output| output.name == name)
    }
}
