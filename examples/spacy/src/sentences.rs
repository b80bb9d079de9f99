//! Components that say where sentences start.

use std::collections::HashSet;

use label_studio_ml::{
    anyhow::{self, Context},
    serde_json,
};
use serde::Deserialize;

use crate::{network::Linear, text::Doc, transitions::DependencyParser};

const UNKNOWN: i8 = 0;
const START: i8 = 1;
const NO_START: i8 = -1;
/// Class of the first token of a sentence.
const START_CLASS: usize = 1;

/// A component that says where sentences start.
#[derive(Debug)]
pub(crate) enum SentenceFinder {
    /// `parser`.
    Dependencies(DependencyParser),
    /// `senter`: a classifier of tokens.
    Classifier {
        /// From vectors of tokens to scores of the classes.
        layer: Linear,
        /// Whether it counts more than components before it.
        overwrites: bool,
    },
    /// `sentencizer`: characters at which sentences end.
    Rules(SentenceRules),
}

/// The file of a `sentencizer`.
#[derive(Debug, Deserialize)]
pub(crate) struct SentenceRules {
    punct_chars: HashSet<String>,
    #[serde(default)]
    overwrite: bool,
}

impl SentenceFinder {
    /// Reads the file of a `sentencizer`.
    pub(crate) fn rules(json: &[u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(json)
            .map(Self::Rules)
            .context("it has no list punct_chars")
    }

    /// Returns for each token 1 if a sentence starts there, -1 if not, 0 if that is not known.
    /// `known` is what components before this one say, `vectors` are those of the tokens.
    pub(crate) fn find(&self, doc: &Doc<'_>, vectors: &[f32], known: &[i8]) -> Vec<i8> {
        match self {
            Self::Dependencies(parser) => parser.sentence_starts(vectors, known),
            Self::Classifier { layer, overwrites } => {
                let scores = layer.apply(vectors);
                let is_start = scores.chunks_exact(layer.n_out).map(is_start);
                merged(known, is_start, *overwrites)
            }
            Self::Rules(rules) => merged(known, rules.starts(doc).into_iter(), rules.overwrite),
        }
    }
}

impl SentenceRules {
    fn starts(&self, doc: &Doc<'_>) -> Vec<bool> {
        let mut starts = vec![false; doc.tokens.len()];
        let mut ends_before = true;
        let tokens = doc.tokens.iter().zip(doc.punctuation()).zip(&mut starts);
        for ((token, is_punctuation), start) in tokens {
            let is_end = self.punct_chars.contains(doc.word(token));
            if ends_before && ((!is_punctuation && !is_end) || token.start == 0) {
                *start = true;
                ends_before = false;
            }
            ends_before |= is_end;
        }
        starts
    }
}

/// What no component has said yet: only that a sentence starts at the first token.
pub(crate) fn unknown(n_tokens: usize) -> Vec<i8> {
    let mut starts = vec![UNKNOWN; n_tokens];
    if let Some(first) = starts.first_mut() {
        *first = START;
    }
    starts
}

fn is_start(scores: &[f32]) -> bool {
    let start = scores
        .get(START_CLASS)
        .copied()
        .unwrap_or(f32::NEG_INFINITY);
    // Of equal scores the first class counts.
    let mut others = scores.iter().enumerate();
    others.all(|(class, score)| match class.cmp(&START_CLASS) {
        std::cmp::Ordering::Less => start > *score,
        _ => start >= *score,
    })
}

fn merged(known: &[i8], found: impl Iterator<Item = bool>, overwrites: bool) -> Vec<i8> {
    let merge = |(known, is_start): (&i8, bool)| match (*known == UNKNOWN || overwrites, is_start) {
        (false, _) => *known,
        (true, true) => START,
        (true, false) => NO_START,
    };
    known.iter().zip(found).map(merge).collect()
}
