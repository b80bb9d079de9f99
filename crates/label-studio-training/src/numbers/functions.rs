//! Functions of one number, written so that the compiler computes many of them at once.

/// Largest argument of [`exp`] whose result is finite.
const MAX_EXP: f32 = 88.0;
/// Beyond it, `erf` is 1 in single precision.
const MAX_ERF: f32 = 3.925;

/// Returns e to the power of `x`, within two units in the last place. The argument is limited to
/// -87 and 88.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, MAX_EXP);
    let n = (x * std::f32::consts::LOG2_E + 12_582_912.0) - 12_582_912.0;
    // ln 2 in two parts, so that the difference is exact (Cody and Waite).
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_2e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let mantissa = p * r * r + r + 1.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "n is between -126 and 127"
    )]
    let exponent = ((n as i32 + 127) as u32) << 23;
    mantissa * f32::from_bits(exponent)
}

/// Returns the error function, within 5e-7: the rational approximation that Eigen and XLA use.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let x = x.clamp(-MAX_ERF, MAX_ERF);
    let z = x * x;
    let mut p = -2.726_142_3e-10;
    p = p * z + 2.770_681_4e-8;
    p = p * z - 2.101_024e-6;
    p = p * z - 5.692_506_4e-5;
    p = p * z - 7.349_906e-4;
    p = p * z - 2.954_6e-3;
    p = p * z - 1.609_603_3e-2;
    let mut q = -1.456_607_2e-5;
    q = q * z - 2.133_740_6e-4;
    q = q * z - 1.682_827e-3;
    q = q * z - 7.373_329_2e-3;
    q = q * z - 1.426_474e-2;
    x * p / q
}

/// Returns the hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    // The difference of two exponentials loses digits near 0, where the series is exact enough.
    let y = x.clamp(-9.0, 9.0);
    let e = exp(2.0 * y);
    let z = y * y;
    let series = y * (1.0 - z * (1.0 / 3.0 - z * (2.0 / 15.0 - z * (17.0 / 315.0))));
    if z < 0.01 {
        series
    } else {
        (e - 1.0) / (e + 1.0)
    }
}

/// Returns the logistic function.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[cfg(test)]
mod tests {
    use super::{erf, exp, tanh};

    #[test]
    fn functions_are_those_of_the_standard_library() {
        for step in -2000..2000_i16 {
            let x = f32::from(step) * 0.01;
            let relative = (f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs();
            assert!(relative < 3e-7, "exp({x}): {relative}");
            let difference = (f64::from(tanh(x)) - f64::from(x).tanh()).abs();
            assert!(difference < 3e-7, "tanh({x}): {difference}");
        }
    }

    #[test]
    fn erf_is_the_integral_of_the_bell_curve() {
        let known = [
            (0.0, 0.0),
            (0.1, 0.112_462_916_018_284_9),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (3.0, 0.999_977_909_503_001_4),
            (5.0, 0.999_999_999_998_462_5),
        ];
        for (x, expected) in known {
            for sign in [1.0_f32, -1.0] {
                let difference = f64::from(erf(sign * x)) - f64::from(sign) * expected;
                assert!(difference.abs() < 5e-7, "erf({x}): {difference}");
            }
        }
    }
}
