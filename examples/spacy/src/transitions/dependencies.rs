//! Borders of sentences, from a parse of dependencies
//! (`spacy/pipeline/_parser_internals/arc_eager.pyx` and `_state.pxd`).

use std::collections::{HashMap, HashSet};

use label_studio_ml::anyhow::{self, bail, ensure};

use super::Moves;
use crate::network::Scorer;

const SHIFT: u32 = 0;
const REDUCE: u32 = 1;
const LEFT: u32 = 2;
const RIGHT: u32 = 3;
const BREAK: u32 = 4;
/// Label of parts of a word, which are beside each other.
const SUBTOKEN: &str = "subtok";
/// Tokens that a state looks at, without and with `extra_state_tokens`.
const N_PLACES: usize = 8;
const N_MORE_PLACES: usize = 13;
/// Times that spaCy corrects the edges of a parse in which arcs cross.
const MAX_ROUNDS: usize = 12;
const START: i8 = 1;
const NO_START: i8 = -1;

/// Finds where sentences start.
#[derive(Debug)]
pub(crate) struct DependencyParser {
    scorer: Scorer,
    actions: Vec<Action>,
}

#[derive(Debug, Clone, Copy)]
struct Action {
    kind: u32,
    is_subtoken: bool,
}

/// A parse that is going on.
#[derive(Debug)]
struct State<'a> {
    n_tokens: usize,
    /// What components before the parser say: 1 at a start, -1 where none can be.
    preset: &'a [i8],
    heads: Vec<Option<usize>>,
    stack: Vec<usize>,
    /// Tokens that were put back.
    returned: Vec<usize>,
    next: usize,
    is_unshiftable: Vec<bool>,
    starts: HashSet<usize>,
    left_children: HashMap<usize, Vec<usize>>,
    right_children: HashMap<usize, Vec<usize>>,
}

impl DependencyParser {
    pub(crate) fn new(scorer: Scorer, moves: Moves) -> anyhow::Result<Self> {
        if ![N_PLACES, N_MORE_PLACES].contains(&scorer.n_places()) {
            bail!(
                "its states look at {} tokens, where {N_PLACES} or {N_MORE_PLACES} are expected",
                scorer.n_places()
            );
        }
        let moves = moves.only(|action| action.kind <= BREAK);
        ensure!(
            scorer.n_actions() == moves.0.len(),
            "its network scores {} actions, and the file moves has {}",
            scorer.n_actions(),
            moves.0.len()
        );
        let actions = moves.0.into_iter().map(|action| Action {
            kind: action.kind,
            is_subtoken: action.label == SUBTOKEN,
        });
        Ok(Self {
            actions: actions.collect(),
            scorer,
        })
    }

    /// Returns for each token 1 if a sentence starts there, and else -1, given the vectors of the
    /// tokens and what components before this one say.
    pub(crate) fn sentence_starts(&self, vectors: &[f32], preset: &[i8]) -> Vec<i8> {
        let mut steps = self.scorer.start(vectors);
        let mut state = State::new(preset);
        while !state.is_final() {
            let places = state.places(self.scorer.n_places());
            let scores = steps.scores(&places);
            let mut best: Option<(Action, f32)> = None;
            let valid = [SHIFT, REDUCE, LEFT, RIGHT, BREAK].map(|kind| state.is_valid(kind));
            for (action, score) in self.actions.iter().zip(scores) {
                let is_valid =
                    valid[action.kind as usize] && (!action.is_subtoken || state.are_neighbours());
                if is_valid && best.is_none_or(|(_, other)| *score > other) {
                    best = Some((*action, *score));
                }
            }
            let Some((action, _)) = best else {
                break;
            };
            state.apply(action.kind);
        }
        sentence_starts(&state.heads)
    }
}

impl<'a> State<'a> {
    fn new(preset: &'a [i8]) -> Self {
        let n_tokens = preset.len();
        Self {
            n_tokens,
            preset,
            heads: vec![None; n_tokens],
            stack: Vec::new(),
            returned: Vec::new(),
            next: 0,
            is_unshiftable: vec![false; n_tokens],
            starts: HashSet::new(),
            left_children: HashMap::new(),
            right_children: HashMap::new(),
        }
    }

    /// Returns a token of the stack, from the top.
    fn stacked(&self, depth: usize) -> Option<usize> {
        self.stack.iter().rev().nth(depth).copied()
    }

    /// Returns a token that is to be read.
    fn buffered(&self, idx: usize) -> Option<usize> {
        match self.returned.iter().rev().nth(idx) {
            Some(token) => Some(*token),
            None => {
                Some(self.next + idx - self.returned.len()).filter(|token| *token < self.n_tokens)
            }
        }
    }

    fn n_buffered(&self) -> usize {
        self.n_tokens - self.next + self.returned.len()
    }

    fn is_final(&self) -> bool {
        self.stack.is_empty() && self.n_buffered() == 0
    }

    fn is_start(&self, token: Option<usize>) -> bool {
        token.is_some_and(|token| self.preset[token] == START || self.starts.contains(&token))
    }

    fn cannot_start(&self, token: Option<usize>) -> bool {
        token.is_some_and(|token| self.preset[token] == NO_START)
    }

    fn are_neighbours(&self) -> bool {
        let (stacked, buffered) = (self.stacked(0), self.buffered(0));
        stacked.map(|token| token + 1) == buffered
    }

    fn places(&self, n_places: usize) -> Vec<Option<usize>> {
        let child = |children: &HashMap<usize, Vec<usize>>, head: Option<usize>, idx: usize| {
            children.get(&head?)?.iter().rev().nth(idx - 1).copied()
        };
        let left = |head, idx| child(&self.left_children, head, idx);
        let right = |head, idx| child(&self.right_children, head, idx);
        let (b0, s0, s1) = (self.buffered(0), self.stacked(0), self.stacked(1));
        let mut places = vec![b0, self.buffered(1), s0, s1, self.stacked(2)];
        if n_places == N_PLACES {
            places.extend([left(b0, 1), left(s0, 1), right(s0, 1)]);
        } else {
            // spaCy puts two tokens into one place, so that the last one counts.
            places.extend([left(s0, 1), right(s0, 1), left(b0, 1), right(s0, 2)]);
            places.extend([left(s1, 1), left(s1, 2), right(s1, 1), right(s1, 2)]);
        }
        places
    }

    fn is_valid(&self, kind: u32) -> bool {
        let (depth, n_buffered) = (self.stack.len(), self.n_buffered());
        let first = self.buffered(0);
        match kind {
            SHIFT => {
                depth == 0
                    || (n_buffered >= 2
                        && !self.is_start(first)
                        && !first.is_some_and(|token| self.is_unshiftable[token]))
            }
            REDUCE => depth > 0 && (n_buffered == 0 || depth > 1 || !self.cannot_start(first)),
            LEFT | RIGHT => depth > 0 && n_buffered > 0 && !self.is_start(first),
            BREAK => {
                let second = self.buffered(1);
                n_buffered >= 2
                    && second == first.map(|token| token + 1)
                    && !self.is_start(second)
                    && !self.cannot_start(second)
            }
            _ => false,
        }
    }

    fn apply(&mut self, kind: u32) {
        let (top, first) = (self.stacked(0), self.buffered(0));
        match (kind, top, first) {
            (SHIFT, ..) => self.shift(),
            (REDUCE, Some(top), _) => {
                self.stack.pop();
                if self.heads[top].is_none() && !self.stack.is_empty() {
                    self.is_unshiftable[top] = true;
                    self.returned.push(top);
                }
            }
            (LEFT, Some(top), Some(first)) => {
                self.add_arc(first, top);
                self.is_unshiftable[first] = false;
                self.stack.pop();
            }
            (RIGHT, Some(top), Some(first)) => {
                self.add_arc(top, first);
                self.shift();
            }
            (BREAK, ..) => self.starts.extend(self.buffered(1)),
            _ => {}
        }
    }

    fn shift(&mut self) {
        let token = self.returned.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        self.stack.push(token);
    }

    fn add_arc(&mut self, head: usize, child: usize) {
        if let Some(old) = self.heads[child] {
            let children = if old > child {
                &mut self.left_children
            } else {
                &mut self.right_children
            };
            // As in spaCy, only the newest arc of a head is taken away.
            if let Some(children) = children.get_mut(&old)
                && children.last() == Some(&child)
            {
                children.pop();
            }
        }
        let children = if head > child {
            &mut self.left_children
        } else {
            &mut self.right_children
        };
        children.entry(head).or_default().push(child);
        self.heads[child] = Some(head);
    }
}

/// Finds the first token below each root (`set_children_from_heads` of `doc.pyx`).
fn sentence_starts(heads: &[Option<usize>]) -> Vec<i8> {
    let head = |token: usize| heads[token].unwrap_or(token);
    let mut edges: Vec<(usize, usize)> = (0..heads.len()).map(|token| (token, token)).collect();
    for _ in 0..MAX_ROUNDS {
        for token in (0..heads.len()).chain((0..heads.len()).rev()) {
            let (left, right) = edges[token];
            let edge = &mut edges[head(token)];
            *edge = (edge.0.min(left), edge.1.max(right));
        }
        let roots = (0..heads.len()).filter(|token| head(*token) == *token);
        let starts: HashSet<usize> = roots.map(|root| edges[root].0).collect();
        if are_within_sentences(heads, &starts) {
            break;
        }
    }
    let mut starts = vec![NO_START; heads.len()];
    for token in (0..heads.len()).filter(|token| head(*token) == *token) {
        starts[edges[token].0] = START;
    }
    starts
}

/// Returns whether all heads are in the sentence of their token.
fn are_within_sentences(heads: &[Option<usize>], starts: &HashSet<usize>) -> bool {
    let mut start = 0;
    for token in 0..heads.len() {
        if (token > 0 && starts.contains(&token)) || token + 1 == heads.len() {
            let mut heads = (start..token).map(|child| heads[child].unwrap_or(child));
            if heads.any(|head| head < start || head > token) {
                return false;
            }
            start = token;
        }
    }
    true
}
