//! From scores of queries and tokens to detections.

use ndarray::ArrayView2;

use super::{
    GroundingDinoError,
    caption::{Caption, CaptionReader, N_SLOTS},
};
use crate::{boxes::from_centre, images::PercentBox};

/// Minimum scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// A box is kept if its best token scores more.
    pub box_score: f64,
    /// A token belongs to the words of a box if it scores more.
    pub token_score: f64,
}

/// An object that was detected in an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// The box (x1, y1, x2, y2) from 0 to 1 of the image's width and height; it may stick out a
    /// little.
    pub bounds: [f64; 4],
    /// The best score of a token, from 0 to 1.
    pub score: f64,
    /// Which phrase of the prompt this is; none if there are several and no token of any scores
    /// enough.
    pub phrase: Option<usize>,
    /// The words that score enough, of all phrases.
    pub words: String,
}

/// What the model answers for one image.
pub(super) struct Queries<'a> {
    /// A row per query, a column per token.
    pub(super) logits: ArrayView2<'a, f32>,
    /// A row (centre x, centre y, width, height) per query.
    pub(super) boxes: ArrayView2<'a, f32>,
}

impl Detection {
    /// Returns the box in percent, as values of regions hold it, for an image of a size.
    pub fn percent(&self, (width, height): (u32, u32)) -> PercentBox {
        PercentBox::from_pixels(self.pixels((width, height)), (width, height))
    }

    /// Returns the box (x1, y1, x2, y2) in pixels of an image of a size.
    pub fn pixels(&self, (width, height): (u32, u32)) -> [f64; 4] {
        let [x1, y1, x2, y2] = self.bounds;
        let (width, height) = (f64::from(width), f64::from(height));
        [x1 * width, y1 * height, x2 * width, y2 * height]
    }
}

impl Default for Thresholds {
    /// Those of the original.
    fn default() -> Self {
        Self {
            box_score: 0.3,
            token_score: 0.25,
        }
    }
}

impl Queries<'_> {
    /// Keeps the queries whose scores exceed the thresholds, in their order.
    pub(super) fn detections(
        &self,
        caption: &Caption,
        reader: &CaptionReader,
        thresholds: Thresholds,
    ) -> Result<Vec<Detection>, GroundingDinoError> {
        let mut found = Vec::new();
        for (logits, bounds) in self.logits.outer_iter().zip(self.boxes.outer_iter()) {
            // Sigmoid keeps the order: only the best of a row is needed to drop most rows.
            let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let score = sigmoid(best);
            if score <= thresholds.box_score {
                continue;
            }
            let n_tokens = caption.ids.len().min(logits.len());
            let token_scores: Vec<_> = logits.iter().take(n_tokens).map(|&l| sigmoid(l)).collect();
            // The first slot holds no word, and the last one does not count in the original either.
            let counts = |token: &usize| {
                (1..N_SLOTS - 1).contains(token) && token_scores[*token] > thresholds.token_score
            };
            let ids: Vec<_> = (0..n_tokens)
                .filter(counts)
                .map(|token| caption.ids[token])
                .collect();
            found.push(Detection {
                bounds: from_centre(std::array::from_fn(|idx| f64::from(bounds[idx]))),
                score,
                phrase: best_phrase(&token_scores, caption, thresholds.token_score),
                words: reader.words(&ids)?,
            });
        }
        Ok(found)
    }
}

/// Returns the phrase with the best word, if that is good enough, or else the one whose end is:
/// what ends a phrase has seen its words. A prompt of one phrase leaves no choice.
fn best_phrase(token_scores: &[f64], caption: &Caption, threshold: f64) -> Option<usize> {
    if let [_] = caption.phrases.as_slice() {
        return Some(0);
    }
    let best = |n_ends: usize| {
        let mut best = None;
        for (phrase, tokens) in caption.phrases.iter().enumerate() {
            let end = (tokens.end + n_ends)
                .min(token_scores.len())
                .min(N_SLOTS - 1);
            let scores = token_scores.get(tokens.start..end).unwrap_or_default();
            let score = scores.iter().copied().fold(0.0, f64::max);
            if !tokens.is_empty() && score > best.map_or(threshold, |(_, score)| score) {
                best = Some((phrase, score));
            }
        }
        best.map(|(phrase, _)| phrase)
    };
    best(0).or_else(|| best(1))
}

fn sigmoid(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}
