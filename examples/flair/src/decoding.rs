//! From scores of tags to spans.

use label_studio_ml::anyhow::{self, Context, ensure};

use crate::network::Checkpoint;

const START: &str = "<START>";
const STOP: &str = "<STOP>";
/// Weight of the first token's class among those of a span, and of the others'.
const FIRST_WEIGHT: f64 = 1.1;
const WEIGHT: f64 = 1.0;
/// Tags of tokens outside of spans.
const OUTSIDE: [&str; 3] = ["", "O", "_"];

/// Chooses a tag for each token.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// The best sequence of tags, by how well tags follow each other.
    Crf {
        /// From the column's tag to the row's.
        transitions: Vec<f32>,
        start: usize,
        stop: usize,
    },
    /// The best tag of each token by itself.
    Softmax,
}

/// A part of a text: some of its tokens, with a class.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenSpan {
    /// First token.
    pub start: usize,
    /// Token behind the last one.
    pub end: usize,
    /// Mean confidence of the tokens.
    pub score: f64,
    /// Class of the tokens with the most weight.
    pub label: String,
}

impl Decoder {
    pub(crate) fn read(checkpoint: &Checkpoint) -> anyhow::Result<Self> {
        let tags = &checkpoint.description.tags;
        ensure!(!tags.is_empty(), "the tagger has no tags");
        if !checkpoint.description.use_crf {
            return Ok(Self::Softmax);
        }
        let number = |name: &str| {
            let at = tags.iter().position(|tag| tag == name);
            at.with_context(|| format!("the tagger has no tag {name}"))
        };
        Ok(Self::Crf {
            transitions: checkpoint.shaped("crf.transitions", &[tags.len(), tags.len()])?,
            start: number(START)?,
            stop: number(STOP)?,
        })
    }

    /// Returns the number of each token's tag, and its confidence, given the scores of all tags for
    /// each token.
    pub(crate) fn decode(&self, scores: &[f32], n_tags: usize) -> Vec<(usize, f64)> {
        match self {
            Self::Softmax => {
                let rows = scores.chunks_exact(n_tags);
                rows.map(|row| (best(row.iter().copied()).0, confidence(row)))
                    .collect()
            }
            Self::Crf {
                transitions,
                start,
                stop,
            } => {
                let chain = Chain {
                    transitions,
                    start: *start,
                    stop: *stop,
                    n_tags,
                };
                chain.decode(scores)
            }
        }
    }
}

/// The Viterbi algorithm, as Flair has it (`ViterbiDecoder.decode`).
struct Chain<'a> {
    transitions: &'a [f32],
    start: usize,
    stop: usize,
    n_tags: usize,
}

impl Chain<'_> {
    fn decode(&self, scores: &[f32]) -> Vec<(usize, f64)> {
        let into = |tag: usize| &self.transitions[tag * self.n_tags..][..self.n_tags];
        let mut previous: Vec<f32> = Vec::new();
        let mut pointers: Vec<Vec<usize>> = Vec::new();
        let mut confidences = Vec::new();
        for row in scores.chunks_exact(self.n_tags) {
            let reached = row.iter().enumerate().map(|(tag, score)| {
                if previous.is_empty() {
                    return (self.start, score + into(tag)[self.start]);
                }
                let paths = into(tag).iter().zip(&previous);
                best(paths.map(|(transition, before)| (score + transition) + before))
            });
            let (from, accumulated): (Vec<_>, Vec<_>) = reached.unzip();
            // The confidence is that of the accumulated scores, whichever tag is chosen in the end.
            confidences.push(confidence(&accumulated));
            pointers.push(from);
            previous = accumulated;
        }
        let ends = previous.iter().zip(into(self.stop));
        let mut tag = best(ends.map(|(score, transition)| score + transition)).0;
        let mut tags = vec![0; pointers.len()];
        for (at, from) in pointers.iter().enumerate().rev() {
            tags[at] = tag;
            tag = from[tag];
        }
        tags.into_iter().zip(confidences).collect()
    }
}

/// Joins tokens by their tags, `B-`, `I-`, `E-`, `S-` and a class (`get_spans_from_bio`).
pub fn spans_from_tags(tags: &[&str], scores: &[f64]) -> Vec<TokenSpan> {
    let mut spans = Vec::new();
    let mut open: Option<Open<'_>> = None;
    let mut previous = "";
    let tokens = tags.iter().zip(scores).enumerate();
    for (idx, (tag, score)) in tokens {
        let is_inside = !OUTSIDE.contains(tag);
        let class = if is_inside { class_of(tag) } else { "" };
        let is_start = is_inside
            && (tag.starts_with("B-")
                || tag.starts_with("S-")
                || (previous != class && (tag.starts_with("I-") || previous == "S-")));
        if is_start || !is_inside {
            spans.extend(open.take().map(Open::close));
        }
        if is_inside {
            let span = open.get_or_insert(Open {
                start: idx,
                scores: Vec::new(),
                weights: Vec::new(),
            });
            span.add(class, *score, if is_start { FIRST_WEIGHT } else { WEIGHT });
        }
        previous = class;
    }
    spans.extend(open.map(Open::close));
    spans
}

/// A span that may go on.
struct Open<'a> {
    start: usize,
    scores: Vec<f64>,
    weights: Vec<(&'a str, f64)>,
}

impl<'a> Open<'a> {
    fn add(&mut self, class: &'a str, score: f64, weight: f64) {
        self.scores.push(score);
        match self.weights.iter_mut().find(|(known, _)| *known == class) {
            Some((_, sum)) => *sum += weight,
            None => self.weights.push((class, weight)),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "spans are short")]
    fn close(self) -> TokenSpan {
        let n_tokens = self.scores.len();
        let mut heaviest = ("", 0.0);
        for (class, weight) in self.weights {
            if weight > heaviest.1 {
                heaviest = (class, weight);
            }
        }
        TokenSpan {
            start: self.start,
            end: self.start + n_tokens,
            score: self.scores.iter().sum::<f64>() / n_tokens as f64,
            label: heaviest.0.to_owned(),
        }
    }
}

/// Returns a tag without its first two characters.
fn class_of(tag: &str) -> &str {
    let mut characters = tag.chars();
    characters.by_ref().take(2).for_each(drop);
    characters.as_str()
}

/// Returns the first of the largest values.
fn best(values: impl Iterator<Item = f32>) -> (usize, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (idx, value) in values.enumerate() {
        if value > best.1 {
            best = (idx, value);
        }
    }
    best
}

/// Returns the largest value of a softmax.
fn confidence(scores: &[f32]) -> f64 {
    let (_, max) = best(scores.iter().copied());
    let relative = scores.iter().map(|score| f64::from(score - max).exp());
    1.0 / relative.sum::<f64>()
}
