//! Products of rows, for few of them at a time: then reading the weights is what takes the time.

use pulp::Arch;

/// Numbers that are added up side by side, so that the sums do not wait for each other.
const N_LANES: usize = 16;
/// Rows that share one reading of the weights.
const N_SHARED: usize = 4;

/// Returns the product of two rows of the same length.
pub(in crate::generation) fn dot(left: &[f32], right: &[f32]) -> f32 {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let [product] = dots(left, [right], |number| number);
            product
        },
    )
}

/// Adds a multiple of a row to another one.
pub(in crate::generation) fn add_scaled(out: &mut [f32], row: &[f32], scale: f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (out, number) in out.iter_mut().zip(row) {
                *out += scale * number;
            }
        },
    );
}

/// Writes the products of every row of `weights` with every row of `rows`, all of `width` numbers: for each row of
/// weights one number per row.
#[inline(always)]
pub(super) fn write_products<T: Copy>(
    weights: &[T],
    rows: &[f32],
    width: usize,
    out: &mut [f32],
    widen: impl Fn(T) -> f32 + Copy,
) {
    let n_rows = rows.len() / width;
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (weights, out) in weights
                .chunks_exact(width)
                .zip(out.chunks_exact_mut(n_rows))
            {
                let row = |idx: usize| &rows[idx * width..(idx + 1) * width];
                let mut idx = 0;
                while idx + N_SHARED <= n_rows {
                    let shared = [row(idx), row(idx + 1), row(idx + 2), row(idx + 3)];
                    out[idx..idx + N_SHARED].copy_from_slice(&dots(weights, shared, widen));
                    idx += N_SHARED;
                }
                for (idx, out) in out.iter_mut().enumerate().skip(idx) {
                    [*out] = dots(weights, [row(idx)], widen);
                }
            }
        },
    );
}

/// Returns the products of a row of weights with several rows. The sums of a row do not depend on how many there are.
#[inline(always)]
fn dots<T: Copy, const N: usize>(
    weights: &[T],
    rows: [&[f32]; N],
    widen: impl Fn(T) -> f32 + Copy,
) -> [f32; N] {
    let mut sums = [[0.0_f32; N_LANES]; N];
    let (chunks, tail) = weights.as_chunks::<N_LANES>();
    let n_in_chunks = chunks.len() * N_LANES;
    let row_chunks = rows.map(|row| &row.as_chunks::<N_LANES>().0[..chunks.len()]);
    for (idx, chunk) in chunks.iter().enumerate() {
        for row in 0..N {
            for lane in 0..N_LANES {
                sums[row][lane] += widen(chunk[lane]) * row_chunks[row][idx][lane];
            }
        }
    }
    let mut products = [0.0; N];
    for row in 0..N {
        let tail = tail.iter().zip(&rows[row][n_in_chunks..]);
        let tail: f32 = tail.map(|(weight, number)| widen(*weight) * number).sum();
        products[row] = sums[row].iter().sum::<f32>() + tail;
    }
    products
}

#[cfg(test)]
mod tests {
    use super::{dot, write_products};

    #[test]
    fn products_of_one_row_and_of_many_are_the_same() {
        let number = |idx: u16| f32::from(idx * 37 % 101) / 50.0 - 1.0;
        let width = 37;
        let weights: Vec<f32> = (0..3 * 37).map(number).collect();
        let rows: Vec<f32> = (500..500 + 6 * 37).map(number).collect();
        let mut out = [0.0; 18];
        write_products(&weights, &rows, width, &mut out, |weight| weight);
        for (n_weight, weights) in weights.chunks(width).enumerate() {
            for (n_row, row) in rows.chunks(width).enumerate() {
                let product = out[n_weight * 6 + n_row];
                assert_eq!(product.to_bits(), dot(weights, row).to_bits());
                let exact = weights.iter().zip(row);
                let exact: f64 = exact.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
                assert!((f64::from(product) - exact).abs() < 1e-5);
            }
        }
    }
}
