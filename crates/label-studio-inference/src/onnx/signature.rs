//! Inputs, outputs and metadata of a model.

use std::{collections::BTreeMap, fmt};

use super::ElementType;

/// Inputs, outputs and metadata of a model.
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

/// An input or output of a model.
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

    /// Returns whether a tensor of this type and shape fits: sizes of -1, on either side, fit
    /// everything.
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
