//! Arithmetic on slices: matrix products, and what lies between them.
#![expect(
    clippy::inline_always,
    reason = "a function is compiled for each instruction set where it is called only"
)]

pub(crate) mod activation;
pub(crate) mod dropout;
pub(crate) mod functions;
pub(crate) mod layer_norm;
pub(crate) mod matrix;
pub(crate) mod rows;
pub(crate) mod softmax;
