//! Rotary positions of rows of tokens.

use crate::generation::checkpoint::Rope;

/// Sines and cosines of the positions of several tokens.
#[derive(Debug)]
pub(super) struct Rotation {
    sines: Vec<f32>,
    cosines: Vec<f32>,
    /// Pairs of numbers that are rotated, per head.
    n_pairs: usize,
    is_interleaved: bool,
}

impl Rotation {
    /// Computes the angles of tokens: their positions, and how many their sequences have.
    pub(super) fn new(rope: &Rope, tokens: impl Iterator<Item = (usize, usize)>) -> Self {
        let n_pairs = rope.frequencies.len();
        let (mut sines, mut cosines) = (Vec::new(), Vec::new());
        for (position, n_total) in tokens {
            let frequencies = match &rope.long {
                Some((long, original)) if n_total > *original => long,
                _ => &rope.frequencies,
            };
            #[expect(clippy::cast_precision_loss, reason = "positions are below 2^24")]
            let position = position as f32;
            for frequency in frequencies {
                let (sine, cosine) = (position * frequency).sin_cos();
                sines.push(sine * rope.scale);
                cosines.push(cosine * rope.scale);
            }
        }
        Self {
            sines,
            cosines,
            n_pairs,
            is_interleaved: rope.is_interleaved,
        }
    }

    /// Rotates heads of the token with this number among the rows.
    pub(super) fn apply(&self, token: usize, heads: &mut [f32], head_width: usize) {
        let n = self.n_pairs;
        let angles = token * n..(token + 1) * n;
        let (sines, cosines) = (&self.sines[angles.clone()], &self.cosines[angles]);
        for head in heads.chunks_exact_mut(head_width) {
            if self.is_interleaved {
                let pairs = head.as_chunks_mut::<2>().0.iter_mut();
                for ((pair, sine), cosine) in pairs.zip(sines).zip(cosines) {
                    *pair = rotated(*pair, *sine, *cosine);
                }
                continue;
            }
            let (first, second) = head[..2 * n].split_at_mut(n);
            let pairs = first.iter_mut().zip(second);
            for (((x, y), sine), cosine) in pairs.zip(sines).zip(cosines) {
                [*x, *y] = rotated([*x, *y], *sine, *cosine);
            }
        }
    }
}

fn rotated([x, y]: [f32; 2], sine: f32, cosine: f32) -> [f32; 2] {
    [x * cosine - y * sine, y * cosine + x * sine]
}
