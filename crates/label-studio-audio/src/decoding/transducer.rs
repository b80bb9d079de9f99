//! Greedy decoding of RNNT and TDT models.

use std::ops::Range;

use ndarray::{Array2, Axis};

use super::{
    Token,
    best::{best, probability},
};

/// The prediction and joint networks of a transducer, for one audio.
pub trait Joint {
    /// The prediction network's state.
    type State;
    /// Why the networks cannot be run.
    type Error;

    /// Returns the state before the first token.
    fn start(&self) -> Self::State;

    /// Runs the prediction network on the last token, and the joint network on its output and each
    /// of some frames. The blank is the last token at the start.
    fn run(
        &self,
        frames: Range<usize>,
        last: usize,
        state: &Self::State,
    ) -> Result<Step<Self::State>, Self::Error>;
}

/// What follows on a last token.
#[derive(Debug, Clone)]
pub struct Step<S> {
    /// Logits: a row per frame, columns for the tokens, the blank and the durations.
    pub logits: Array2<f32>,
    /// The state after the last token.
    pub state: S,
}

/// The numbers of a transducer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransducerOptions {
    /// Size of the vocabulary; the blank is the class behind it.
    pub n_tokens: usize,
    /// Frames that the classes behind the blank jump, for TDT; none for RNNT.
    pub durations: Vec<usize>,
    /// Most tokens at one frame.
    pub max_symbols: usize,
    /// Frames that the joint network runs on at a time.
    pub n_ahead: usize,
}

/// Returns the tokens of a transducer on a number of frames.
///
/// A token of an RNNT model lasts one frame, one of a TDT model as many as the model says, which can
/// be none. The score is a softmax over tokens and blank.
pub fn transducer<J: Joint>(
    joint: &J,
    n_frames: usize,
    options: &TransducerOptions,
) -> Result<Vec<Token>, J::Error> {
    let blank = options.n_tokens;
    let mut tokens = Vec::new();
    let (mut last, mut state) = (blank, joint.start());
    let mut ahead: Option<(usize, Step<J::State>)> = None;
    let (mut frame, mut n_here) = (0, 0);
    while frame < n_frames {
        let known = ahead.take();
        let known = known.filter(|(first, step)| frame - first < step.logits.nrows());
        let (first, step) = if let Some(known) = known {
            known
        } else {
            let end = (frame + options.n_ahead.max(1)).min(n_frames);
            (frame, joint.run(frame..end, last, &state)?)
        };
        let row = step.logits.row(frame - first);
        let (scores, jumps) = row.split_at(Axis(0), blank + 1);
        let id = best(&scores);
        let jump = if options.durations.is_empty() {
            usize::from(id == blank)
        } else {
            options.durations[best(&jumps)]
        };
        if id == blank {
            frame += jump.max(1);
            n_here = 0;
            ahead = Some((first, step));
            continue;
        }
        let n_held = if options.durations.is_empty() {
            1
        } else {
            jump
        };
        tokens.push(Token {
            id,
            start: frame,
            end: frame + n_held,
            score: probability(&scores, id),
        });
        (last, state) = (id, step.state);
        n_here += 1;
        if jump > 0 || n_here >= options.max_symbols.max(1) {
            frame += jump.max(1);
            n_here = 0;
        }
    }
    Ok(tokens)
}
