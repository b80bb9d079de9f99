//! Attention of the next tokens of several sequences to those before.

use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelIterator as _, IntoParallelRefMutIterator as _,
    ParallelIterator as _,
};

use super::cache::LayerCache;
use crate::generation::{
    checkpoint::{LayerPlan, Scales, Sizes},
    numbers::{View, add_scaled, dot, multiply, multiply_transposed, softmax},
};

/// Attention of a layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attention<'a> {
    pub(super) sizes: &'a Sizes,
    pub(super) scales: &'a Scales,
    pub(super) plan: LayerPlan,
}

/// The next tokens of a sequence.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// Their queries, token by token.
    pub(super) queries: Vec<f32>,
    /// Keys and values, those of these tokens included.
    pub(super) known: &'a LayerCache,
}

/// A head of a sequence.
struct Head<'a> {
    queries: &'a [f32],
    known: &'a LayerCache,
    idx: usize,
}

impl Attention<'_> {
    /// Returns what each token of each sequence gets, one sequence after the other.
    pub(super) fn run(&self, asked: &[Asked<'_>]) -> Vec<f32> {
        let (n_heads, head_width) = (self.sizes.n_heads, self.sizes.head_width);
        let width = self.sizes.query_width();
        let heads: Vec<Head<'_>> = asked
            .iter()
            .flat_map(|asked| {
                (0..n_heads).map(|idx| Head {
                    queries: &asked.queries,
                    known: asked.known,
                    idx,
                })
            })
            .collect();
        let mut found: Vec<Vec<f32>> = vec![Vec::new(); heads.len()];
        let n_numbers: usize = asked.iter().map(|asked| asked.known.keys.len()).sum();
        if n_numbers < 1 << 14 {
            for (found, head) in found.iter_mut().zip(&heads) {
                *found = self.head(head);
            }
        } else {
            found
                .par_iter_mut()
                .zip(heads.into_par_iter())
                .for_each(|(found, head)| *found = self.head(&head));
        }
        let n_rows: usize = asked.iter().map(|asked| asked.queries.len() / width).sum();
        let mut out = Vec::with_capacity(n_rows * width);
        for heads in found.chunks(n_heads) {
            for row in 0..heads[0].len() / head_width {
                for head in heads {
                    out.extend_from_slice(&head[row * head_width..(row + 1) * head_width]);
                }
            }
        }
        out
    }

    fn head(&self, head: &Head<'_>) -> Vec<f32> {
        let (head_width, query_width) = (self.sizes.head_width, self.sizes.query_width());
        let key_width = self.sizes.key_width();
        let first = head.idx * head_width;
        let first_key = head.idx * self.sizes.n_kv_heads / self.sizes.n_heads * head_width;
        let view = |numbers, first: usize, width| View {
            numbers: &<[f32]>::as_ref(numbers)[first..],
            n_rows: numbers.len() / width,
            n_columns: head_width,
            stride: width,
        };
        let queries = view(head.queries, first, query_width);
        let keys = view(&head.known.keys, first_key, key_width);
        let values = view(&head.known.values, first_key, key_width);
        if queries.n_rows == 1 {
            return self.one_token(queries.numbers, keys, values);
        }
        let (n_rows, n_known) = (queries.n_rows, keys.n_rows);
        let mut scores = vec![0.0; n_rows * n_known];
        multiply_transposed(queries, keys, &mut scores);
        for (row, scores) in scores.chunks_exact_mut(n_known).enumerate() {
            let end = n_known - n_rows + row + 1;
            let start = self.start(end);
            scores[..start].fill(0.0);
            scores[end..].fill(0.0);
            self.weigh(&mut scores[start..end]);
        }
        let mut out = vec![0.0; n_rows * head_width];
        multiply(View::new(&scores, n_rows, n_known), values, &mut out);
        out
    }

    /// Computes what one token gets, without a product of matrices.
    fn one_token(&self, query: &[f32], keys: View<'_>, values: View<'_>) -> Vec<f32> {
        let width = keys.n_columns;
        let query = &query[..width];
        let start = self.start(keys.n_rows);
        let row = |view: &View<'_>, idx: usize| {
            let first = idx * view.stride;
            first..first + width
        };
        let known = start..keys.n_rows;
        let scores = known
            .clone()
            .map(|idx| dot(query, &keys.numbers[row(&keys, idx)]));
        let mut scores: Vec<f32> = scores.collect();
        self.weigh(&mut scores);
        let mut out = vec![0.0; width];
        for (idx, score) in known.zip(scores) {
            add_scaled(&mut out, &values.numbers[row(&values, idx)], score);
        }
        out
    }

    /// Returns the first token that the last of `n_known` attends to.
    fn start(&self, n_known: usize) -> usize {
        let window = self.plan.window.unwrap_or(n_known);
        n_known.saturating_sub(window)
    }

    /// Turns products into weights that add up to 1.
    fn weigh(&self, scores: &mut [f32]) {
        for score in scores.iter_mut() {
            *score *= self.scales.attention;
        }
        if let Some(cap) = self.scales.attention_cap {
            for score in scores.iter_mut() {
                *score = cap * (*score / cap).tanh();
            }
        }
        softmax(scores);
    }
}
