//! Activation functions and their derivatives.

use pulp::Arch;
use serde::Deserialize;

use super::functions::{erf, exp, sigmoid, tanh};

/// An activation function, by its name in a `config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Activation {
    #[serde(rename = "gelu", alias = "gelu_python")]
    Gelu,
    #[serde(
        rename = "gelu_new",
        alias = "gelu_pytorch_tanh",
        alias = "gelu_fast",
        alias = "gelu_python_tanh"
    )]
    GeluTanh,
    #[serde(rename = "relu")]
    Relu,
    #[serde(rename = "silu", alias = "swish")]
    Silu,
    #[serde(rename = "tanh")]
    Tanh,
}

impl Activation {
    /// Writes the activations of `values` to `out`.
    pub(crate) fn forward(self, values: &[f32], out: &mut [f32]) {
        match self {
            Self::Gelu => map(values, out, gelu),
            Self::GeluTanh => map(
                values,
                out,
                #[inline(always)]
                |x| gelu_tanh(x).0,
            ),
            Self::Relu => map(
                values,
                out,
                #[inline(always)]
                |x| x.max(0.0),
            ),
            Self::Silu => map(
                values,
                out,
                #[inline(always)]
                |x| x * sigmoid(x),
            ),
            Self::Tanh => map(values, out, tanh),
        }
    }

    /// Multiplies `gradient` with the derivatives at `values`.
    pub(crate) fn backward(self, values: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Gelu => multiply(values, gradient, gelu_derivative),
            Self::GeluTanh => multiply(
                values,
                gradient,
                #[inline(always)]
                |x| gelu_tanh(x).1,
            ),
            Self::Relu => multiply(
                values,
                gradient,
                #[inline(always)]
                |x| f32::from(x > 0.0),
            ),
            Self::Silu => multiply(
                values,
                gradient,
                #[inline(always)]
                |x| {
                    let s = sigmoid(x);
                    s * (1.0 + x * (1.0 - s))
                },
            ),
            Self::Tanh => multiply(
                values,
                gradient,
                #[inline(always)]
                |x| {
                    let y = tanh(x);
                    1.0 - y * y
                },
            ),
        }
    }
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[inline(always)]
fn gelu_derivative(x: f32) -> f32 {
    const FRAC_1_SQRT_TAU: f32 = 0.398_942_3;
    let distribution = 0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
    distribution + x * FRAC_1_SQRT_TAU * exp(-0.5 * x * x)
}

/// Returns the approximation of GELU by `tanh`, and its derivative.
#[inline(always)]
fn gelu_tanh(x: f32) -> (f32, f32) {
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    let cubic = 0.044_715 * x * x * x;
    let t = tanh(SQRT_2_OVER_PI * (x + cubic));
    let inner = SQRT_2_OVER_PI * (1.0 + 3.0 * 0.044_715 * x * x);
    (
        0.5 * x * (1.0 + t),
        0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner,
    )
}

#[inline(always)]
fn map(values: &[f32], out: &mut [f32], function: impl Fn(f32) -> f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (out, value) in out.iter_mut().zip(values) {
                *out = function(*value);
            }
        },
    );
}

#[inline(always)]
fn multiply(values: &[f32], gradient: &mut [f32], derivative: impl Fn(f32) -> f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (gradient, value) in gradient.iter_mut().zip(values) {
                *gradient *= derivative(*value);
            }
        },
    );
}
