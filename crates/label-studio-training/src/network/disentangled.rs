//! What the distances of tokens add to the scores of an attention.

use super::{attention_head::AttentionHead, positions::Places, scratch::resized};
use crate::numbers::matrix::Matrix;

/// The distances as an attention sees them: projected, one row each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bias<'a> {
    pub(crate) places: &'a Places,
    /// Keys of the distances, which contents attend to; empty without this term.
    pub(crate) keys: &'a [f32],
    /// Queries of the distances, which attend to contents; empty without this term.
    pub(crate) queries: &'a [f32],
    /// Width of a row: that of all heads.
    pub(crate) width: usize,
}

/// The gradients of the projected distances, empty where a term is not used.
#[derive(Debug)]
pub(crate) struct BiasGradients<'a> {
    pub(crate) keys: &'a mut [f32],
    pub(crate) queries: &'a mut [f32],
}

impl<'a> Bias<'a> {
    /// Adds the terms to the scores of a head.
    pub(crate) fn add_to(
        &self,
        scores: &mut [f32],
        (head, qkv): (&AttentionHead, &[f32]),
        (scale, scratch): (f32, &mut Vec<f32>),
    ) {
        let (n, n_rows) = (head.n_tokens, self.places.n_rows);
        let products = resized(scratch, n * n_rows);
        if !self.keys.is_empty() {
            head.part(qkv, head.queries)
                .times(self.part(self.keys, head).transposed())
                .scaled(scale)
                .write(products);
            let rows = scores.chunks_exact_mut(n);
            for (query, (row, own)) in rows.zip(products.chunks_exact(n_rows)).enumerate() {
                for (score, place) in row.iter_mut().zip(self.places.of(query, n)) {
                    *score += own[*place as usize];
                }
            }
        }
        if !self.queries.is_empty() {
            head.part(qkv, head.keys)
                .times(self.part(self.queries, head).transposed())
                .scaled(scale)
                .write(products);
            for (query, row) in scores.chunks_exact_mut(n).enumerate() {
                let places = self.places.of(query, n);
                let own = products.chunks_exact(n_rows);
                for ((score, place), own) in row.iter_mut().zip(places).zip(own) {
                    *score += own[*place as usize];
                }
            }
        }
    }

    /// Passes the gradient of the scores on: adds to that of queries and keys, and to that of the
    /// projected distances.
    pub(crate) fn backward(
        &self,
        scores: &[f32],
        (head, qkv): (&AttentionHead, &[f32]),
        (scale, scratch): (f32, &mut Vec<f32>),
        (out, gradients): (&mut [f32], &mut BiasGradients<'_>),
    ) {
        let (n, n_rows) = (head.n_tokens, self.places.n_rows);
        let products = resized(scratch, n * n_rows);
        let mut pass = |products: &[f32], rows: &'a [f32], start: usize, gradient: &mut [f32]| {
            let products = Matrix::new(products, n, n_rows);
            products
                .times(self.part(rows, head))
                .scaled(scale)
                .add_strided(&mut out[start..], head.stride);
            products
                .transposed()
                .times(head.part(qkv, start))
                .scaled(scale)
                .add_strided(&mut gradient[head.column..], self.width);
        };
        if !self.keys.is_empty() {
            products.fill(0.0);
            let rows = scores.chunks_exact(n);
            for (query, (row, own)) in rows.zip(products.chunks_exact_mut(n_rows)).enumerate() {
                for (score, place) in row.iter().zip(self.places.of(query, n)) {
                    own[*place as usize] += score;
                }
            }
            pass(products, self.keys, head.queries, gradients.keys);
        }
        if !self.queries.is_empty() {
            products.fill(0.0);
            for (query, row) in scores.chunks_exact(n).enumerate() {
                let places = self.places.of(query, n);
                let own = products.chunks_exact_mut(n_rows);
                for ((score, place), own) in row.iter().zip(places).zip(own) {
                    own[*place as usize] += score;
                }
            }
            pass(products, self.queries, head.keys, gradients.queries);
        }
    }

    /// Returns the columns of a head.
    fn part(&self, rows: &'a [f32], head: &AttentionHead) -> Matrix<'a> {
        Matrix::strided(
            &rows[head.column..],
            self.places.n_rows,
            head.width,
            self.width,
        )
    }
}
