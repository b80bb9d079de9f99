//! Activation functions.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use pulp::Arch;

use super::functions::{exp, sigmoid};

/// An activation function, by its name in a `config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::generation) enum Activation {
    Gelu,
    GeluTanh,
    Relu,
    Silu,
}

impl Activation {
    pub(in crate::generation) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "gelu" => Self::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_python_tanh" => Self::GeluTanh,
            "relu" => Self::Relu,
            "silu" | "swish" => Self::Silu,
            _ => return None,
        })
    }

    /// Replaces numbers by their activations.
    pub(in crate::generation) fn apply(self, numbers: &mut [f32]) {
        match self {
            Self::Gelu => map(numbers, gelu),
            Self::GeluTanh => map(numbers, gelu_tanh),
            Self::Relu => map(
                numbers,
                #[inline(always)]
                |x| x.max(0.0),
            ),
            Self::Silu => map(
                numbers,
                #[inline(always)]
                |x| x * sigmoid(x),
            ),
        }
    }
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2))
}

#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    // (1 + tanh(y)) / 2 is the logistic function of 2y.
    let y = (2.0 / PI).sqrt() * (x + 0.044_715 * x * x * x);
    x * sigmoid(2.0 * y)
}

/// Returns the error function within 6e-7: its series near 0, and the Chebyshev fit of its complement that "Numerical
/// Recipes" has (`erfcc`) beyond.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let y = x.abs();
    let t = 1.0 / (1.0 + 0.5 * y);
    let mut sum = 0.170_872_77;
    for factor in [
        -0.822_152_23,
        1.488_515_9,
        -1.135_204,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_7,
        -1.265_512_2,
    ] {
        sum = sum * t + factor;
    }
    let rest = t * exp(sum - y * y);
    // Near 0 the difference from 1 has too few digits.
    let square = y * y;
    let series = y
        * std::f32::consts::FRAC_2_SQRT_PI
        * (1.0 - square * (1.0 / 3.0 - square * (0.1 - square * (1.0 / 42.0 - square / 216.0))));
    let magnitude = if y < 0.5 { series } else { 1.0 - rest };
    magnitude.copysign(x)
}

#[inline(always)]
fn map(numbers: &mut [f32], function: impl Fn(f32) -> f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for number in numbers.iter_mut() {
                *number = function(*number);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::{Activation, erf};

    #[test]
    fn erf_is_the_integral_of_the_bell_curve() {
        let known = [
            (0.0, 0.0),
            (0.1, 0.112_462_916_018_284_9),
            (0.499, 0.519_621_6),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (5.0, 0.999_999_999_998_462_5),
        ];
        for (x, expected) in known {
            for sign in [1.0_f32, -1.0] {
                let difference = f64::from(erf(sign * x)) - f64::from(sign) * expected;
                assert!(difference.abs() < 6e-7, "erf({x}): {difference}");
            }
        }
    }

    #[test]
    fn activations_are_those_of_torch() {
        // torch.nn.functional at -2, -0.5, 0, 0.5 and 3.
        let cases = [
            (
                Activation::Gelu,
                [-0.045_500_26, -0.154_268_77, 0.0, 0.345_731_23, 2.995_950_2],
            ),
            (
                Activation::GeluTanh,
                [-0.045_402_31, -0.154_286, 0.0, 0.345_714, 2.996_362_7],
            ),
            (Activation::Relu, [0.0, 0.0, 0.0, 0.5, 3.0]),
            (
                Activation::Silu,
                [-0.238_405_84, -0.188_770_33, 0.0, 0.311_229_67, 2.857_722_3],
            ),
        ];
        for (activation, expected) in cases {
            let mut numbers = [-2.0, -0.5, 0.0, 0.5, 3.0];
            activation.apply(&mut numbers);
            for (number, expected) in numbers.iter().zip(expected) {
                assert!(
                    (number - expected).abs() < 2e-6,
                    "{activation:?} {numbers:?}"
                );
            }
        }
    }
}
