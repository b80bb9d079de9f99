//! Greedy decoding.

use std::{cell::Cell, convert::Infallible, ops::Range};

use label_studio_audio::decoding::{Joint, Step, Token, TransducerOptions, ctc, transducer};
use ndarray::{Array2, array};

fn places(tokens: &[Token]) -> Vec<(usize, usize, usize)> {
    tokens
        .iter()
        .map(|token| (token.id, token.start, token.end))
        .collect()
}

#[test]
fn ctc_drops_repetitions_and_blanks() {
    let best = [2, 0, 0, 2, 0, 1, 1, 1, 2];
    let mut scores = Array2::from_elem((best.len(), 3), 0.1_f32.ln());
    for (frame, &class) in best.iter().enumerate() {
        scores[(frame, class)] = 0.8_f32.ln();
    }
    let tokens = ctc(&scores.view());
    assert_eq!(places(&tokens), [(0, 1, 3), (0, 4, 5), (1, 5, 8)]);
    assert!(
        tokens.iter().all(|token| (token.score - 0.8).abs() < 1e-6),
        "{tokens:?}"
    );
}

#[test]
fn ctc_scores_logits_by_their_softmax() {
    let logits = array![[2.0_f32, 0.0, 0.0]];
    let expected = 2_f64.exp() / (2_f64.exp() + 2.0);
    assert!((ctc(&logits.view())[0].score - expected).abs() < 1e-9);
}

#[test]
fn ctc_takes_what_is_no_number() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let tokens = ctc(&Array2::from_elem((3, 3), value).view());
        assert!(
            tokens.iter().all(|token| token.score.is_finite()),
            "{tokens:?}"
        );
    }
    assert_eq!(ctc(&Array2::zeros((0, 5)).view()), []);
}

/// A transducer whose answer is a function of the frame and the number of tokens so far.
struct Scripted<F> {
    answer: F,
    n_classes: usize,
    n_runs: Cell<usize>,
}

/// Token and duration, by their classes.
type Answer = (usize, Option<usize>);

impl<F: Fn(usize, usize) -> Answer> Joint for Scripted<F> {
    type State = usize;
    type Error = Infallible;

    fn start(&self) -> usize {
        0
    }

    fn run(
        &self,
        frames: Range<usize>,
        _: usize,
        n_tokens: &usize,
    ) -> Result<Step<usize>, Infallible> {
        self.n_runs.set(self.n_runs.get() + 1);
        let mut logits = Array2::zeros((frames.len(), self.n_classes));
        for (mut row, frame) in logits.outer_iter_mut().zip(frames) {
            let (token, duration) = (self.answer)(frame, *n_tokens);
            row[token] = 1.0;
            if let Some(duration) = duration {
                row[duration] = 1.0;
            }
        }
        Ok(Step {
            logits,
            state: n_tokens + 1,
        })
    }
}

/// Two tokens, blank 2, and durations 0, 1, 3 in classes 3 to 5.
fn decode(
    durations: &[usize],
    n_frames: usize,
    answer: impl Fn(usize, usize) -> Answer,
) -> Vec<(usize, usize, usize)> {
    let mut found: Option<Vec<_>> = None;
    let mut n_runs = Vec::new();
    // Looking ahead must not change anything but the number of runs.
    for n_ahead in [1, 4, 100] {
        let joint = Scripted {
            answer: &answer,
            n_classes: 3 + durations.len(),
            n_runs: Cell::new(0),
        };
        let options = TransducerOptions {
            n_tokens: 2,
            durations: durations.to_vec(),
            max_symbols: 3,
            n_ahead,
        };
        let tokens = places(&transducer(&joint, n_frames, &options).unwrap());
        n_runs.push(joint.n_runs.get());
        assert_eq!(
            *found.get_or_insert_with(|| tokens.clone()),
            tokens,
            "{n_ahead}"
        );
    }
    assert!(n_runs[2] <= n_runs[0], "{n_runs:?}");
    found.unwrap()
}

#[test]
fn rnnt_stays_on_a_frame_until_a_blank() {
    let answer = |frame, n_tokens| match (frame, n_tokens) {
        (1, 0) | (4, 2) => (0, None),
        (1, 1) => (1, None),
        _ => (2, None),
    };
    assert_eq!(decode(&[], 6, answer), [(0, 1, 2), (1, 1, 2), (0, 4, 5)]);
}

#[test]
fn rnnt_leaves_a_frame_after_some_tokens() {
    assert_eq!(
        decode(&[], 2, |_, _| (1, None)).len(),
        6,
        "three at each frame"
    );
}

#[test]
fn tdt_jumps_as_many_frames_as_the_model_says() {
    let answer = |frame, n_tokens| match (frame, n_tokens) {
        (0, 0) => (0, Some(5)),
        (3, 1) => (1, Some(3)),
        (3, 2) => (0, Some(4)),
        // A blank of duration 0 counts as 1.
        (4, 3) => (2, Some(3)),
        // Another one jumps.
        (5, 3) => (2, Some(5)),
        (8, 3) => (1, Some(5)),
        _ => (2, Some(4)),
    };
    let expected = [(0, 0, 3), (1, 3, 3), (0, 3, 4), (1, 8, 11)];
    assert_eq!(decode(&[0, 1, 3], 10, answer), expected);
}

#[test]
fn tdt_leaves_a_frame_after_some_tokens_of_duration_0() {
    assert_eq!(decode(&[0, 1, 3], 2, |_, _| (0, Some(3))).len(), 6);
}
