//! Inputs and outputs of models.

use ndarray::{Array, ArrayD, ArrayView, ArrayViewD, Dimension};

use super::ElementType;

/// An output of a model.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Tensor {
    /// 32-bit floating point; 16-bit outputs become this.
    F32(ArrayD<f32>),
    /// 64-bit integers.
    I64(ArrayD<i64>),
    /// 32-bit integers.
    I32(ArrayD<i32>),
    /// True or false.
    Bool(ArrayD<bool>),
    /// Bytes.
    U8(ArrayD<u8>),
}

/// A borrowed tensor to feed to a model; made from any array or view of the right element type.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TensorView<'a> {
    /// 32-bit floating point; fits 16-bit inputs too.
    F32(ArrayViewD<'a, f32>),
    /// 64-bit integers.
    I64(ArrayViewD<'a, i64>),
    /// 32-bit integers.
    I32(ArrayViewD<'a, i32>),
    /// True or false.
    Bool(ArrayViewD<'a, bool>),
    /// Bytes.
    U8(ArrayViewD<'a, u8>),
}

impl Tensor {
    /// Returns the type of the elements.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::F32(_) => ElementType::F32,
            Self::I64(_) => ElementType::I64,
            Self::I32(_) => ElementType::I32,
            Self::Bool(_) => ElementType::Bool,
            Self::U8(_) => ElementType::U8,
        }
    }

    /// Returns the floating-point array, or nothing if the elements are of another type.
    pub fn into_f32(self) -> Option<ArrayD<f32>> {
        match self {
            Self::F32(array) => Some(array),
            _ => None,
        }
    }

    /// Returns the integers of either width as 64-bit, or nothing if the elements are of another
    /// type.
    pub fn into_i64(self) -> Option<ArrayD<i64>> {
        match self {
            Self::I64(array) => Some(array),
            Self::I32(array) => Some(array.mapv(i64::from)),
            _ => None,
        }
    }

    /// Borrows the tensor, to feed it to the next model.
    pub fn view(&self) -> TensorView<'_> {
        match self {
            Self::F32(array) => TensorView::F32(array.view()),
            Self::I64(array) => TensorView::I64(array.view()),
            Self::I32(array) => TensorView::I32(array.view()),
            Self::Bool(array) => TensorView::Bool(array.view()),
            Self::U8(array) => TensorView::U8(array.view()),
        }
    }
}

impl TensorView<'_> {
    /// Returns the type of the elements.
    pub fn element_type(&self) -> ElementType {
        match self {
            Self::F32(_) => ElementType::F32,
            Self::I64(_) => ElementType::I64,
            Self::I32(_) => ElementType::I32,
            Self::Bool(_) => ElementType::Bool,
            Self::U8(_) => ElementType::U8,
        }
    }

    /// Returns the size of each dimension.
    pub fn shape(&self) -> &[usize] {
        match self {
            Self::F32(array) => array.shape(),
            Self::I64(array) => array.shape(),
            Self::I32(array) => array.shape(),
            Self::Bool(array) => array.shape(),
            Self::U8(array) => array.shape(),
        }
    }
}

macro_rules! views {
    ($($variant:ident: $element:ty),+) => {$(
        impl<'a, D: Dimension> From<&'a Array<$element, D>> for TensorView<'a> {
            fn from(array: &'a Array<$element, D>) -> Self {
                Self::$variant(array.view().into_dyn())
            }
        }

        impl<'a, D: Dimension> From<ArrayView<'a, $element, D>> for TensorView<'a> {
            fn from(array: ArrayView<'a, $element, D>) -> Self {
                Self::$variant(array.into_dyn())
            }
        }
    )+};
}

views!(F32: f32, I64: i64, I32: i32, Bool: bool, U8: u8);
