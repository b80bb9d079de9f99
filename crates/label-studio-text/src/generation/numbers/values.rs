//! Numbers of weights, as files have them.

use std::ops::Range;

use pulp::Arch;

/// Numbers of a tensor. Those with 16 bits stay so: reading them takes longer than widening them.
#[derive(Debug, Clone)]
pub(in crate::generation) enum Numbers {
    F32(Vec<f32>),
    F16(Vec<u16>),
    Bf16(Vec<u16>),
}

impl Numbers {
    pub(in crate::generation) fn len(&self) -> usize {
        match self {
            Self::F32(numbers) => numbers.len(),
            Self::F16(numbers) | Self::Bf16(numbers) => numbers.len(),
        }
    }

    /// Returns whether there is neither NaN nor infinity.
    pub(in crate::generation) fn are_finite(&self) -> bool {
        let all = |numbers: &[u16], exponent: u16| {
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    let mut n_wrong = 0_usize;
                    for number in numbers {
                        n_wrong += usize::from(number & exponent == exponent);
                    }
                    n_wrong == 0
                },
            )
        };
        match self {
            Self::F32(numbers) => numbers.iter().all(|number| number.is_finite()),
            Self::F16(numbers) => all(numbers, 0x7c00),
            Self::Bf16(numbers) => all(numbers, 0x7f80),
        }
    }

    /// Writes a part in single precision.
    pub(in crate::generation) fn widen(&self, part: Range<usize>, out: &mut [f32]) {
        match self {
            Self::F32(numbers) => out.copy_from_slice(&numbers[part]),
            Self::F16(numbers) => widen_all(&numbers[part], out, half_to_f32),
            Self::Bf16(numbers) => widen_all(&numbers[part], out, bfloat_to_f32),
        }
    }

    pub(in crate::generation) fn into_f32(self) -> Vec<f32> {
        match self {
            Self::F32(numbers) => numbers,
            other => {
                let mut out = vec![0.0; other.len()];
                other.widen(0..out.len(), &mut out);
                out
            }
        }
    }

    /// Returns the transpose of a matrix with so many rows.
    pub(in crate::generation) fn transposed(self, n_rows: usize) -> Self {
        match self {
            Self::F32(numbers) => Self::F32(transposed(&numbers, n_rows)),
            Self::F16(numbers) => Self::F16(transposed(&numbers, n_rows)),
            Self::Bf16(numbers) => Self::Bf16(transposed(&numbers, n_rows)),
        }
    }
}

/// Returns the transpose of a matrix with so many rows.
pub(super) fn transposed<T: Copy>(numbers: &[T], n_rows: usize) -> Vec<T> {
    let n_columns = numbers.len().checked_div(n_rows).unwrap_or(0);
    let mut out = numbers.to_vec();
    for (idx, row) in numbers.chunks_exact(n_columns.max(1)).enumerate() {
        for (number, out) in row.iter().zip(out.iter_mut().skip(idx).step_by(n_rows)) {
            *out = *number;
        }
    }
    out
}

/// Widens a number with 5 bits of exponent. Infinity and NaN, which no weight is, become finite.
#[inline(always)]
pub(super) fn half_to_f32(bits: u16) -> f32 {
    // The exponents of the two kinds differ by 112; the product also gives numbers below the smallest exponent right.
    const SCALE: f32 = f32::from_bits((127 + 112) << 23);
    let bits = u32::from(bits);
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * SCALE;
    f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
}

/// Widens the upper half of a number of single precision.
#[inline(always)]
pub(super) fn bfloat_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[inline(always)]
fn widen_all(numbers: &[u16], out: &mut [f32], widen: impl Fn(u16) -> f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (out, number) in out.iter_mut().zip(numbers) {
                *out = widen(*number);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::{Numbers, bfloat_to_f32, half_to_f32, transposed};

    #[test]
    fn every_finite_number_is_widened_exactly() {
        for bits in 0..=u16::MAX {
            let (half, bfloat) = (f16::from_bits(bits), bf16::from_bits(bits));
            if half.is_finite() {
                assert_eq!(
                    half_to_f32(bits).to_bits(),
                    half.to_f32().to_bits(),
                    "{bits}"
                );
            }
            if bfloat.is_finite() {
                let widened = bfloat_to_f32(bits).to_bits();
                assert_eq!(widened, bfloat.to_f32().to_bits(), "{bits}");
            }
            assert_eq!(Numbers::F16(vec![bits]).are_finite(), half.is_finite());
            assert_eq!(Numbers::Bf16(vec![bits]).are_finite(), bfloat.is_finite());
        }
    }

    #[test]
    fn a_transpose_has_the_columns_as_rows() {
        assert_eq!(transposed(&[1, 2, 3, 4, 5, 6], 2), [1, 4, 2, 5, 3, 6]);
        assert!(transposed::<u16>(&[], 0).is_empty());
    }
}
