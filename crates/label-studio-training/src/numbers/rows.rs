//! Sums along rows.

use pulp::Arch;

/// Numbers that are added up side by side, so that the sums do not wait for each other.
pub(crate) const N_LANES: usize = 16;

/// Returns the sum of `term` over two rows of the same length.
#[inline(always)]
pub(crate) fn sum_pairs(left: &[f32], right: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; N_LANES];
    let (left_chunks, right_chunks) = (left.chunks_exact(N_LANES), right.chunks_exact(N_LANES));
    let tail: f32 = left_chunks
        .remainder()
        .iter()
        .zip(right_chunks.remainder())
        .map(|(x, y)| term(*x, *y))
        .sum();
    for (left, right) in left_chunks.zip(right_chunks) {
        for lane in 0..N_LANES {
            sums[lane] += term(left[lane], right[lane]);
        }
    }
    sums.iter().sum::<f32>() + tail
}

/// Returns the sum of `term` over a row.
#[inline(always)]
pub(crate) fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    sum_pairs(row, row, |x, _| term(x))
}

/// Adds a row to every row of a matrix.
pub(crate) fn add_row(matrix: &mut [f32], row: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for values in matrix.chunks_exact_mut(row.len()) {
                for (value, added) in values.iter_mut().zip(row) {
                    *value += added;
                }
            }
        },
    );
}

/// Adds the sum of all rows of a matrix to `sums`: the gradient of a bias.
pub(crate) fn add_column_sums(matrix: &[f32], sums: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for values in matrix.chunks_exact(sums.len()) {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value;
                }
            }
        },
    );
}

/// Adds values to others of the same shape.
pub(crate) fn add(out: &mut [f32], values: &[f32]) {
    add_row(out, values);
}

/// Returns the sum of the squares, in double precision across blocks.
pub(crate) fn sum_of_squares(values: &[f32]) -> f64 {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            values
                .chunks(4096)
                .map(|block| f64::from(sum(block, |x| x * x)))
                .sum()
        },
    )
}

/// Returns the place of the largest value; of equal ones the first.
pub(crate) fn place_of_largest(row: &[f32]) -> usize {
    let mut best = 0;
    for (idx, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = idx;
        }
    }
    best
}
