//! Self-attention within each text.

use super::{
    attention_head::AttentionHead,
    disentangled::{Bias, BiasGradients},
    input::Packed,
    scratch::resized,
};
use crate::numbers::{
    dropout::{Dropout, mixed},
    matrix::Matrix,
    softmax::{softmax, softmax_backward},
};

/// Self-attention of several heads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attention {
    pub(crate) n_heads: usize,
    pub(crate) head_width: usize,
    /// Terms that are added up to a score: more than one where distances count.
    pub(crate) n_terms: u8,
    /// Dropout of the probabilities, and its seed.
    pub(crate) dropout: f32,
    pub(crate) seed: u32,
}

/// What an attention works on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttentionInput<'a> {
    pub(crate) packed: &'a Packed,
    /// Queries, keys and values of each token.
    pub(crate) qkv: &'a [f32],
    /// What the distances of tokens add to the scores.
    pub(crate) bias: Option<Bias<'a>>,
}

/// The memory of an attention's backward pass.
#[derive(Debug)]
pub(crate) struct AttentionGradients<'a> {
    /// Gradient of the output.
    pub(crate) context: &'a [f32],
    /// Gradient of queries, keys and values, to be written.
    pub(crate) qkv: &'a mut [f32],
    /// Gradients of the projected distances, to be added to.
    pub(crate) bias: BiasGradients<'a>,
    pub(crate) scratch: &'a mut [Vec<f32>; 3],
}

impl Attention {
    fn width(&self) -> usize {
        self.n_heads * self.head_width
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a head has at most a few hundred values"
    )]
    fn scale(&self) -> f32 {
        1.0 / (self.head_width as f32 * f32::from(self.n_terms)).sqrt()
    }

    /// Returns how many probabilities there are.
    pub(crate) fn n_probabilities(&self, packed: &Packed) -> usize {
        let n_pairs: usize = packed
            .texts()
            .map(|(start, end)| (end - start).pow(2))
            .sum();
        n_pairs * self.n_heads
    }

    fn heads(&self, packed: &Packed) -> impl Iterator<Item = AttentionHead> {
        let (width, stride) = (self.width(), 3 * self.width());
        let attention = *self;
        packed
            .texts()
            .enumerate()
            .flat_map(move |(text, (start, end))| {
                (0..attention.n_heads).map(move |head| {
                    let column = head * attention.head_width;
                    let offset = start * stride + column;
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "any number does as a seed"
                    )]
                    let number = (text * attention.n_heads + head) as u32;
                    AttentionHead {
                        queries: offset,
                        keys: offset + width,
                        values: offset + 2 * width,
                        context: start * width + column,
                        column,
                        n_tokens: end - start,
                        width: attention.head_width,
                        stride,
                        dropout: Dropout::new(attention.dropout, mixed(number, attention.seed)),
                    }
                })
            })
    }

    /// Computes the probabilities, and writes the weighted values to `context`.
    pub(crate) fn forward(
        &self,
        input: AttentionInput<'_>,
        probabilities: &mut [f32],
        (context, scratch): (&mut [f32], &mut Vec<f32>),
    ) {
        let AttentionInput { packed, qkv, bias } = input;
        let mut rest = probabilities;
        for head in self.heads(packed) {
            let (own, others) = rest.split_at_mut(head.n_tokens * head.n_tokens);
            rest = others;
            head.part(qkv, head.queries)
                .times(head.part(qkv, head.keys).transposed())
                .scaled(self.scale())
                .write(own);
            if let Some(bias) = &bias {
                bias.add_to(own, (&head, qkv), (self.scale(), &mut *scratch));
            }
            softmax(own, head.n_tokens);
            let weights = if self.dropout > 0.0 {
                scratch.clear();
                scratch.extend_from_slice(own);
                head.dropout.apply(scratch);
                &*scratch
            } else {
                &*own
            };
            Matrix::new(weights, head.n_tokens, head.n_tokens)
                .times(head.part(qkv, head.values))
                .write_strided(&mut context[head.context..], self.width());
        }
    }

    /// Passes gradients back from the output to queries, keys and values.
    pub(crate) fn backward(
        &self,
        input: AttentionInput<'_>,
        probabilities: &[f32],
        gradients: AttentionGradients<'_>,
    ) {
        let AttentionInput { packed, qkv, bias } = input;
        let AttentionGradients {
            context,
            qkv: out,
            bias: mut bias_gradients,
            scratch: [scores, weights, products],
        } = gradients;
        let mut rest = probabilities;
        for head in self.heads(packed) {
            let n = head.n_tokens;
            let (own, others) = rest.split_at(n * n);
            rest = others;
            let context = Matrix::strided(&context[head.context..], n, head.width, self.width());
            let scores = resized(scores, n * n);
            context
                .times(head.part(qkv, head.values).transposed())
                .write(scores);
            head.dropout.apply(scores);
            let dropped = if self.dropout > 0.0 {
                weights.clear();
                weights.extend_from_slice(own);
                head.dropout.apply(weights);
                &**weights
            } else {
                own
            };
            Matrix::new(dropped, n, n)
                .transposed()
                .times(context)
                .write_strided(&mut out[head.values..], head.stride);
            softmax_backward(own, scores, n);
            let of_scores = Matrix::new(scores, n, n);
            of_scores
                .times(head.part(qkv, head.keys))
                .scaled(self.scale())
                .write_strided(&mut out[head.queries..], head.stride);
            of_scores
                .transposed()
                .times(head.part(qkv, head.queries))
                .scaled(self.scale())
                .write_strided(&mut out[head.keys..], head.stride);
            if let Some(bias) = &bias {
                let passed = (&mut *out, &mut bias_gradients);
                bias.backward(scores, (&head, qkv), (self.scale(), &mut *products), passed);
            }
        }
    }
}
