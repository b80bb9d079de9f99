//! Numbers and what is computed from them.
#![expect(
    clippy::inline_always,
    reason = "a function is compiled for each instruction set where it is called only"
)]

mod activation;
mod dots;
mod functions;
mod linear;
mod matrix;
mod values;

pub(super) use activation::Activation;
pub(super) use dots::{add_scaled, dot};
pub(super) use functions::softmax;
pub(super) use linear::Linear;
pub(super) use matrix::{Matrix, View, multiply, multiply_transposed};
pub(super) use values::Numbers;
