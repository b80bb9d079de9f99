//! Conversion of tensors. rten has no 64-bit integers and no booleans: both become 32-bit integers.

use std::borrow::Cow;

use ::rten::{Value, ValueOrView};
use ndarray::{ArrayD, ArrayViewD, IxDyn};
use rten_tensor::{Layout as _, Tensor as RtenTensor, TensorView as RtenView};

use super::error::RunError;
use crate::onnx::{ElementType, Tensor, TensorView};

/// An input in contiguous memory.
pub(super) struct Contiguous<'a> {
    shape: Vec<usize>,
    elements: Elements<'a>,
}

enum Elements<'a> {
    F32(Cow<'a, [f32]>),
    I32(Cow<'a, [i32]>),
    U8(Cow<'a, [u8]>),
}

impl<'a> Contiguous<'a> {
    pub(super) fn new(view: &'a TensorView<'_>) -> Result<Self, RunError> {
        let elements = match view {
            TensorView::F32(array) => Elements::F32(in_one_piece(array)),
            TensorView::I32(array) => Elements::I32(in_one_piece(array)),
            TensorView::U8(array) => Elements::U8(in_one_piece(array)),
            TensorView::Bool(array) => {
                Elements::I32(array.iter().map(|&is| i32::from(is)).collect())
            }
            TensorView::I64(array) => {
                let narrow =
                    |&wide: &i64| i32::try_from(wide).map_err(|_| RunError::Overflow(wide));
                Elements::I32(array.iter().map(narrow).collect::<Result<_, _>>()?)
            }
        };
        Ok(Self {
            shape: view.shape().to_vec(),
            elements,
        })
    }

    pub(super) fn view(&self) -> ValueOrView<'_> {
        let shape = self.shape.as_slice();
        match &self.elements {
            Elements::F32(elements) => RtenView::from_data(shape, elements.as_ref()).into(),
            Elements::I32(elements) => RtenView::from_data(shape, elements.as_ref()).into(),
            Elements::U8(elements) => RtenView::from_data(shape, elements.as_ref()).into(),
        }
    }
}

pub(super) fn tensor(value: Value, element_type: ElementType) -> Result<Tensor, RunError> {
    Ok(match (value, element_type) {
        (Value::FloatTensor(tensor), _) => Tensor::F32(array(tensor)),
        (Value::Int32Tensor(tensor), ElementType::I64) => {
            Tensor::I64(array(tensor).mapv(i64::from))
        }
        (Value::Int32Tensor(tensor), ElementType::Bool) => {
            Tensor::Bool(array(tensor).mapv(|number| number != 0))
        }
        (Value::Int32Tensor(tensor), _) => Tensor::I32(array(tensor)),
        (Value::UInt8Tensor(tensor), _) => Tensor::U8(array(tensor)),
        _ => return Err(RunError::OutputType),
    })
}

fn array<T: Clone>(tensor: RtenTensor<T>) -> ArrayD<T> {
    let shape = IxDyn(tensor.shape());
    ArrayD::from_shape_vec(shape, tensor.into_data())
        .expect("a tensor has as many elements as its shape says")
}

fn in_one_piece<'a, T: Clone>(array: &'a ArrayViewD<'_, T>) -> Cow<'a, [T]> {
    match array.as_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(array.iter().cloned().collect()),
    }
}
