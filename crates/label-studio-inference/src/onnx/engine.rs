//! A loaded model.

use std::{collections::BTreeMap, fmt};

use ndarray::ArrayD;

use super::{OnnxError, Tensor, TensorView};

/// A loaded model: named tensors in, named tensors out. Shared between threads; runs wait for a free session.
pub trait Engine: Send + Sync {
    /// Returns the file the model came from, for messages.
    fn file(&self) -> &str;

    /// Returns the model's inputs, in the order of the file.
    fn inputs(&self) -> &[TensorInfo];

    /// Returns the model's outputs, in the order of the file.
    fn outputs(&self) -> &[TensorInfo];

    /// Returns the custom metadata of the file, such as Ultralytics' `names` and `imgsz`.
    fn metadata(&self) -> &BTreeMap<String, String>;

    /// Runs the model on `inputs` and returns the tensors called `outputs`, in that order. Outputs that nobody asks for
    /// are not computed.
    fn run(
        &self,
        inputs: &[(&str, TensorView<'_>)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, OnnxError>;
}

impl dyn Engine + '_ {
    /// Runs the model as [`Engine::run`] does, for outputs that are all floating-point.
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
