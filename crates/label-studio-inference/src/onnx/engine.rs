//! A loaded model.

use std::{collections::BTreeMap, error::Error, fmt};

use ndarray::ArrayD;

use super::{OnnxError, Tensor, TensorView};

/// A loaded model: named tensors in, named tensors out. Shared between threads; runs wait for a free session.
pub trait Engine: Send + Sync {
    /// Returns what the model's file says of it.
    fn signature(&self) -> &Signature;

    /// Does the work of `run`, which names the file in errors.
    fn try_run(
        &self,
        inputs: &[(&str, TensorView<'_>)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, Box<dyn Error + Send + Sync>>;
}

/// What a model's file says of it.
#[derive(Debug, Clone, Default)]
pub struct Signature {
    /// The file, for messages.
    pub file: String,
    /// Inputs, in the order of the file.
    pub inputs: Vec<TensorInfo>,
    /// Outputs, in the order of the file.
    pub outputs: Vec<TensorInfo>,
    /// Custom metadata, such as Ultralytics' `names` and `imgsz`.
    pub metadata: BTreeMap<String, String>,
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

    /// Runs the model on `inputs` and returns the tensors called `outputs`, in that order. Outputs that nobody asks for
    /// are not computed.
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

/// Type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElementType {
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point: fed from and given back as 32-bit.
    F16,
    /// 64-bit integer.
    I64,
    /// 32-bit integer.
    I32,
    /// True or false.
    Bool,
    /// Byte.
    U8,
    /// Anything that cannot be fed or read.
    Other,
}

/// What a model's file says about one input or output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name.
    pub name: String,
    /// Type of the elements.
    pub element_type: ElementType,
    /// Size of each dimension, -1 where it may vary.
    pub shape: Vec<i64>,
}

impl TensorInfo {
    /// Returns the size of dimension `axis` if the file fixes it.
    pub fn fixed(&self, axis: usize) -> Option<usize> {
        usize::try_from(*self.shape.get(axis)?).ok()
    }

    /// Tells whether a tensor of this type and shape fits: sizes of -1, on either side, fit everything.
    pub fn accepts(&self, element_type: ElementType, shape: &[i64]) -> bool {
        let same_type = self.element_type == element_type
            || (self.element_type == ElementType::F16 && element_type == ElementType::F32);
        same_type
            && self.shape.len() == shape.len()
            && (self.shape.iter().zip(shape)).all(|(&a, &b)| a == b || a < 0 || b < 0)
    }
}

impl fmt::Display for TensorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_tensor(f, &self.name, self.element_type, &self.shape)
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::I64 => "int64",
            Self::I32 => "int32",
            Self::Bool => "bool",
            Self::U8 => "uint8",
            Self::Other => "other",
        })
    }
}

pub(super) fn write_tensor(
    f: &mut impl fmt::Write,
    name: &str,
    element_type: ElementType,
    shape: &[i64],
) -> fmt::Result {
    write!(f, "{name} {element_type} [")?;
    for (axis, &size) in shape.iter().enumerate() {
        let comma = if axis == 0 { "" } else { ", " };
        match size {
            ..0 => write!(f, "{comma}?")?,
            _ => write!(f, "{comma}{size}")?,
        }
    }
    f.write_str("]")
}
