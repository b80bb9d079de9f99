//! Linear layers, on all cores.

use std::ops::Range;

use rayon::{
    iter::{IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _},
    slice::ParallelSliceMut as _,
};

use super::{Matrix, View, values::transposed};

/// Rows up to which reading the weights takes the time; with more of them a product of matrices is faster.
const MAX_FEW_ROWS: usize = 12;
/// Products below which one core is faster than waking others.
const MIN_PARALLEL: usize = 1 << 16;
/// Parts per core, so that a core that is late does not hold up the others.
const PARTS_PER_CORE: usize = 4;
const MIN_OUTPUTS: usize = 16;
/// Outputs that are computed at once for many rows.
const N_OUTPUTS: usize = 256;

/// A linear layer, whose outputs may come from several matrices with the same inputs.
#[derive(Debug)]
pub(in crate::generation) struct Linear {
    parts: Vec<Matrix>,
    bias: Option<Vec<f32>>,
}

impl Linear {
    pub(in crate::generation) fn new(parts: Vec<Matrix>, bias: Option<Vec<f32>>) -> Self {
        Self { parts, bias }
    }

    /// Returns the outputs of every row of inputs, row by row.
    pub(in crate::generation) fn forward(&self, rows: &[f32]) -> Vec<f32> {
        let parts: Vec<&Matrix> = self.parts.iter().collect();
        let mut out = outputs(&parts, rows);
        if let Some(bias) = &self.bias {
            for row in out.chunks_exact_mut(bias.len()) {
                for (output, bias) in row.iter_mut().zip(bias) {
                    *output += bias;
                }
            }
        }
        out
    }
}

impl Matrix {
    /// Returns the outputs of every row of inputs, row by row.
    pub(in crate::generation) fn forward(&self, rows: &[f32]) -> Vec<f32> {
        outputs(&[self], rows)
    }
}

fn outputs(parts: &[&Matrix], rows: &[f32]) -> Vec<f32> {
    let n_in = parts[0].n_in();
    let n_rows = rows.len() / n_in;
    let n_out: usize = parts.iter().map(|part| part.n_out()).sum();
    if n_rows == 0 {
        return Vec::new();
    }
    if n_rows > MAX_FEW_ROWS {
        return for_many(parts, View::new(rows, n_rows, n_in), n_out);
    }
    // All rows of an output lie together, so that a core's part is one piece.
    let mut by_output = vec![0.0; n_rows * n_out];
    let mut rest = by_output.as_mut_slice();
    for part in parts {
        let (out, others) = rest.split_at_mut(part.n_out() * n_rows);
        for_few(part, rows, out);
        rest = others;
    }
    if n_rows == 1 {
        return by_output;
    }
    transposed(&by_output, n_out)
}

fn for_few(matrix: &Matrix, rows: &[f32], out: &mut [f32]) {
    let (n_in, n_out) = (matrix.n_in(), matrix.n_out());
    if n_in * out.len() < MIN_PARALLEL {
        matrix.write_by_output(0, rows, out);
        return;
    }
    let n_rows = rows.len() / n_in;
    let n_parts = rayon::current_num_threads() * PARTS_PER_CORE;
    let n_each = n_out.div_ceil(n_parts).max(MIN_OUTPUTS);
    out.par_chunks_mut(n_each * n_rows)
        .enumerate()
        .for_each(|(idx, out)| matrix.write_by_output(idx * n_each, rows, out));
}

fn for_many(parts: &[&Matrix], rows: View<'_>, n_out: usize) -> Vec<f32> {
    let ranges = |part: &Matrix| {
        let n_out = part.n_out();
        let starts = (0..n_out).step_by(N_OUTPUTS);
        starts.map(move |start| start..n_out.min(start + N_OUTPUTS))
    };
    let jobs: Vec<(&Matrix, Range<usize>)> = parts
        .iter()
        .flat_map(|part| ranges(part).map(|range| (*part, range)))
        .collect();
    let pieces: Vec<Vec<f32>> = jobs
        .par_iter()
        .map(|(part, range)| part.by_row(range.clone(), rows))
        .collect();
    let mut out = vec![0.0; rows.n_rows * n_out];
    for (idx, row) in out.chunks_exact_mut(n_out).enumerate() {
        let mut rest = row;
        for ((_, range), piece) in jobs.iter().zip(&pieces) {
            let (own, others) = rest.split_at_mut(range.len());
            own.copy_from_slice(&piece[idx * range.len()..(idx + 1) * range.len()]);
            rest = others;
        }
    }
    out
}
