//! Functions of numbers, written so that the compiler computes many of them at once.

use pulp::Arch;

/// Returns e to the power of `x`, within three units in the last place, for `x` between -87 and 88; beyond, that of
/// the nearer bound.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Adding and subtracting it rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    /// The natural logarithm of 2, in two parts whose first has few digits.
    const LN_2: [f32; 2] = [0.693_145_75, 1.428_606_8e-6];
    let x = x.clamp(-87.0, 88.0);
    let whole = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let rest = (x - whole * LN_2[0]) - whole * LN_2[1];
    // Taylor's series up to the seventh power; the rest is at most 0.35.
    let mut power = 1.0 / 5040.0;
    for factor in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        power = power * rest + factor;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the whole number is between -126 and 127"
    )]
    let exponent = ((whole as i32 + 127) as u32) << 23;
    power * f32::from_bits(exponent)
}

/// Returns the logistic function.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Replaces a row by its softmax.
pub(in crate::generation) fn softmax(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for number in row.iter_mut() {
                *number = exp(*number - largest);
            }
        },
    );
    let scale = 1.0 / row.iter().sum::<f32>();
    for number in row {
        *number *= scale;
    }
}

#[cfg(test)]
mod tests {
    use super::{exp, softmax};

    #[test]
    fn exp_is_that_of_the_standard_library() {
        for step in -8700..8800_i16 {
            let x = f32::from(step) * 0.01;
            let relative = (f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs();
            assert!(relative < 4e-7, "exp({x}): {relative}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn a_softmax_adds_up_to_one() {
        let mut row = [1000.0, 999.0, f32::NEG_INFINITY];
        softmax(&mut row);
        assert!((row[0] - 0.731_058_6).abs() < 1e-6, "{row:?}");
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(row[2] < 1e-37);
    }
}
