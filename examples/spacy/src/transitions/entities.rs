//! Entities, marked by the actions begin, in, last, unit and out
//! (`spacy/pipeline/_parser_internals/ner.pyx`).

use label_studio_ml::anyhow::{self, bail, ensure};

use super::Moves;
use crate::network::Scorer;

const BEGIN: u32 = 1;
const IN: u32 = 2;
const LAST: u32 = 3;
const UNIT: u32 = 4;
const OUT: u32 = 5;
/// Places of a state: the token, and the first and the last token of the open entity.
const N_PLACES: usize = 3;
/// Places of a state of `extra_state_tokens`: the token, and the first five of the open entity.
const N_MORE_PLACES: usize = 6;

/// Marks entities.
#[derive(Debug)]
pub(crate) struct EntityParser {
    scorer: Scorer,
    actions: Vec<Action>,
    labels: Vec<String>,
}

/// An entity.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FoundEntity<'a> {
    pub(crate) label: &'a str,
    /// First token.
    pub(crate) start: usize,
    /// Token behind the last one.
    pub(crate) end: usize,
    /// Mean probability of its actions, among those that were valid.
    pub(crate) score: f64,
}

/// What a parser has to know of the tokens of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenFacts<'a> {
    pub(crate) is_space: &'a [bool],
    /// 1 at the first token of a sentence.
    pub(crate) sentence_starts: &'a [i8],
}

#[derive(Debug, Clone, Copy)]
struct Action {
    kind: u32,
    /// Position of its label; `None` for an empty one.
    label: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    start: usize,
    label: usize,
    sum: f64,
}

impl EntityParser {
    pub(crate) fn new(scorer: Scorer, moves: Moves) -> anyhow::Result<Self> {
        let moves = moves.only(|action| match action.kind {
            BEGIN..=UNIT => true,
            OUT => action.label.is_empty(),
            _ => false,
        });
        if ![N_PLACES, N_MORE_PLACES].contains(&scorer.n_places()) {
            bail!(
                "its states look at {} tokens, where {N_PLACES} or {N_MORE_PLACES} are expected",
                scorer.n_places()
            );
        }
        ensure!(
            scorer.n_actions() == moves.0.len(),
            "its network scores {} actions, and the file moves has {}",
            scorer.n_actions(),
            moves.0.len()
        );
        let mut labels: Vec<String> = Vec::new();
        let actions = moves.0.into_iter().map(|action| {
            let known = labels.iter().position(|label| *label == action.label);
            let label = known.unwrap_or_else(|| {
                labels.push(action.label.clone());
                labels.len() - 1
            });
            Action {
                kind: action.kind,
                label: (!action.label.is_empty()).then_some(label),
            }
        });
        let actions = actions.collect();
        Ok(Self {
            scorer,
            actions,
            labels,
        })
    }

    /// Returns the labels of entities.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels
            .iter()
            .map(String::as_str)
            .filter(|label| !label.is_empty())
    }

    /// Marks the entities of a text, given the vectors of its tokens.
    pub(crate) fn parse(&self, vectors: &[f32], tokens: TokenFacts<'_>) -> Vec<FoundEntity<'_>> {
        let mut steps = self.scorer.start(vectors);
        let mut found = Vec::new();
        let mut open: Option<Open> = None;
        let n_tokens = tokens.is_space.len();
        for token in 0..n_tokens {
            let places = self.places(token, open);
            let scores = steps.scores(&places);
            let is_valid = |action: &Action| is_valid(*action, token, open, tokens);
            let Some((action, probability)) = self.best(scores, is_valid) else {
                break;
            };
            let span = |open: Open, sum: f64| FoundEntity {
                label: &self.labels[open.label],
                start: open.start,
                end: token + 1,
                score: sum / n_actions(open.start, token),
            };
            match (action.kind, action.label, open) {
                (BEGIN, Some(label), _) => {
                    open = Some(Open {
                        start: token,
                        label,
                        sum: probability,
                    });
                }
                (UNIT, Some(label), _) => {
                    let open = Open {
                        start: token,
                        label,
                        sum: 0.0,
                    };
                    found.push(span(open, probability));
                }
                (IN, _, Some(entity)) => {
                    open = Some(Open {
                        sum: entity.sum + probability,
                        ..entity
                    });
                }
                (LAST, _, Some(entity)) => {
                    found.push(span(entity, entity.sum + probability));
                    open = None;
                }
                _ => {}
            }
        }
        found
    }

    fn places(&self, token: usize, open: Option<Open>) -> Vec<Option<usize>> {
        if self.scorer.n_places() == N_PLACES {
            let last = open.and_then(|_| token.checked_sub(1));
            return vec![Some(token), open.map(|open| open.start), last];
        }
        let mut places = vec![Some(token)];
        if let Some(open) = open {
            places.extend((open.start..token).take(N_MORE_PLACES - 1).map(Some));
        }
        places.resize(N_MORE_PLACES, None);
        places
    }

    /// Returns the valid action with the best score, and its probability among the valid ones.
    fn best(&self, scores: &[f32], is_valid: impl Fn(&Action) -> bool) -> Option<(Action, f64)> {
        let actions = self.actions.iter().zip(scores);
        let valid: Vec<_> = actions.filter(|(action, _)| is_valid(action)).collect();
        let mut best = *valid.first()?;
        for candidate in &valid {
            if candidate.1 > best.1 {
                best = *candidate;
            }
        }
        let relative = valid
            .iter()
            .map(|(_, score)| f64::from(*score - best.1).exp());
        Some((*best.0, 1.0 / relative.sum::<f64>()))
    }
}

/// Returns whether an action is valid at a token.
fn is_valid(action: Action, token: usize, open: Option<Open>, tokens: TokenFacts<'_>) -> bool {
    let is_last = token + 1 >= tokens.is_space.len();
    let next_starts = tokens.sentence_starts.get(token + 1) == Some(&1);
    match (action.kind, action.label, open) {
        // An entity ends before the sentence does.
        (BEGIN, Some(_), None) => !is_last && !next_starts && !tokens.is_space[token],
        (IN, Some(label), Some(open)) => label == open.label && !is_last && !next_starts,
        (LAST, Some(label), Some(open)) => label == open.label,
        (UNIT, Some(_), None) => !tokens.is_space[token],
        (OUT, _, None) => true,
        _ => false,
    }
}

#[expect(clippy::cast_precision_loss, reason = "entities are short")]
fn n_actions(start: usize, last: usize) -> f64 {
    (last + 1 - start) as f64
}
