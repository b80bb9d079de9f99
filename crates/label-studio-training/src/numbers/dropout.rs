//! Dropout whose masks are computed, not stored.

use pulp::Arch;

/// Sets values to 0 at random, and scales the others up.
///
/// The mask is a function of the seed: the backward pass applies the same mask to the gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Dropout {
    probability: f32,
    seed: u32,
}

impl Dropout {
    /// Creates a dropout; one with probability 0 changes nothing.
    pub(crate) fn new(probability: f32, seed: u32) -> Self {
        Self { probability, seed }
    }

    /// Applies the mask.
    pub(crate) fn apply(self, values: &mut [f32]) {
        if self.probability <= 0.0 {
            return;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the probability is between 0 and 1, and a float is cast within limits"
        )]
        let limit = (f64::from(self.probability) * f64::from(u32::MAX)) as u32;
        let scale = 1.0 / (1.0 - self.probability);
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let mut number = 0_u32;
                for value in values {
                    let factor = if mixed(number, self.seed) < limit {
                        0.0
                    } else {
                        scale
                    };
                    *value *= factor;
                    number = number.wrapping_add(1);
                }
            },
        );
    }
}

/// Returns bits that look random: the finalizer of `MurmurHash3`, twice.
#[inline(always)]
pub(crate) fn mixed(number: u32, seed: u32) -> u32 {
    finalize(finalize(number ^ seed).wrapping_add(seed.rotate_left(16)))
}

#[inline(always)]
fn finalize(mut bits: u32) -> u32 {
    bits ^= bits >> 16;
    bits = bits.wrapping_mul(0x85eb_ca6b);
    bits ^= bits >> 13;
    bits = bits.wrapping_mul(0xc2b2_ae35);
    bits ^ (bits >> 16)
}

#[cfg(test)]
mod tests {
    use super::Dropout;

    #[test]
    fn the_mask_depends_on_the_seed_alone_and_keeps_the_mean() {
        let mask = |seed| {
            let mut values = vec![1.0; 100_000];
            Dropout::new(0.1, seed).apply(&mut values);
            values
        };
        let first = mask(1);
        assert_eq!(first, mask(1));
        assert_ne!(first, mask(2));
        let n_dropped = first.iter().filter(|value| **value == 0.0).count();
        assert!((9_700..10_300).contains(&n_dropped), "{n_dropped}");
        assert!(
            first
                .iter()
                .all(|value| *value == 0.0 || (value - 1.0 / 0.9).abs() < 1e-6)
        );
        let mut unchanged = [1.0];
        Dropout::new(0.0, 1).apply(&mut unchanged);
        assert!((unchanged[0] - 1.0_f32).abs() < f32::EPSILON);
    }
}
