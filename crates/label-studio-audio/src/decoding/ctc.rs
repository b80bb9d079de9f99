//! Greedy decoding of CTC models.

use ndarray::ArrayView2;

use super::{
    Token,
    best::{best, probability},
};

/// Returns the tokens of a CTC model: the best class of each frame, without repetitions and blanks.
///
/// `scores` has a row per frame and a column per class, as logits or logarithms of probabilities;
/// the last class is the blank. A token lasts from the first to the last frame of its run, and its
/// score is the mean of its probability there.
pub fn ctc(scores: &ArrayView2<'_, f32>) -> Vec<Token> {
    let blank = scores.ncols().saturating_sub(1);
    let mut tokens: Vec<Token> = Vec::new();
    let mut previous = blank;
    for (frame, row) in scores.outer_iter().enumerate() {
        let class = best(&row);
        if class != blank {
            let score = probability(&row, class);
            match tokens.last_mut() {
                Some(token) if class == previous => {
                    token.end = frame + 1;
                    token.score += score;
                }
                _ => tokens.push(Token {
                    id: class,
                    start: frame,
                    end: frame + 1,
                    score,
                }),
            }
        }
        previous = class;
    }
    for token in &mut tokens {
        token.score /= (token.end - token.start) as f64;
    }
    tokens
}
