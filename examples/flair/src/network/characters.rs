//! Language models of characters (`FlairEmbeddings`).

use std::collections::HashMap;

use label_studio_ml::anyhow::{self, ensure};

use super::{
    Checkpoint, Linear,
    checkpoint::CharacterDescription,
    lstm::{Lstm, LstmState},
};
use crate::text::Sentence;

/// Name of characters that the model does not know.
const UNKNOWN: &str = "<unk>";
const END_MARKER: char = ' ';

/// A language model whose states are the vectors of tokens.
#[expect(clippy::struct_excessive_bools, reason = "those of Flair")]
#[derive(Debug)]
pub(crate) struct CharacterModel {
    is_forward: bool,
    with_whitespace: bool,
    is_tokenized: bool,
    is_lower: bool,
    start_marker: Vec<char>,
    numbers: HashMap<String, usize>,
    /// What each character adds to the gates of the first layer.
    first_gates: Vec<f32>,
    layers: Vec<Lstm>,
    projection: Option<Linear>,
}

/// The characters of a text, and where the states of its tokens are taken.
#[derive(Debug)]
struct Sequence {
    characters: Vec<usize>,
    /// Positions of the tokens.
    wanted: Vec<usize>,
}

impl CharacterModel {
    pub(crate) fn read(
        checkpoint: &Checkpoint,
        name: &str,
        description: &CharacterDescription,
    ) -> anyhow::Result<Self> {
        let encoder = checkpoint.tensor(&format!("{name}.encoder.weight"), 2)?;
        ensure!(
            encoder.shape[0] == description.characters.len() && description.layers > 0,
            "the tensor {name}.encoder.weight has {} rows for {} characters",
            encoder.shape[0],
            description.characters.len()
        );
        let rnn = format!("{name}.rnn");
        let layers =
            (0..description.layers).map(|layer| Lstm::read(checkpoint, &rnn, &format!("l{layer}")));
        let layers: Vec<Lstm> = layers.collect::<anyhow::Result<_>>()?;
        let projection = format!("{name}.proj");
        let has_projection = checkpoint
            .tensor(&format!("{projection}.weight"), 2)
            .is_ok();
        let mut width = encoder.shape[1];
        for layer in &layers {
            ensure!(
                layer.input.n_in == width,
                "the layers of {rnn} do not fit together"
            );
            width = layer.n_hidden;
        }
        let characters = description.characters.iter().cloned().zip(0..);
        Ok(Self {
            is_forward: description.is_forward,
            with_whitespace: description.with_whitespace,
            is_tokenized: description.tokenized,
            is_lower: description.is_lower,
            start_marker: description.start_marker.chars().collect(),
            numbers: characters.collect(),
            first_gates: layers[0].input.apply(&encoder.values),
            projection: has_projection
                .then(|| Linear::read(checkpoint, &projection))
                .transpose()?,
            layers,
        })
    }

    /// Returns how long the vectors are.
    pub(crate) fn width(&self) -> usize {
        match (&self.projection, self.layers.last()) {
            (Some(projection), _) => projection.n_out,
            (None, Some(layer)) => layer.n_hidden,
            (None, None) => 0,
        }
    }

    /// Returns the vectors of the tokens of each text, one after the other.
    pub(crate) fn vectors(&self, sentences: &[Sentence]) -> Vec<Vec<f32>> {
        let sequences: Vec<_> = sentences
            .iter()
            .map(|sentence| self.sequence(sentence))
            .collect();
        // The longest first, so that those that go on are always the first ones.
        let mut order: Vec<usize> = (0..sequences.len()).collect();
        order.sort_by_key(|idx| std::cmp::Reverse(sequences[*idx].characters.len()));
        let mut states: Vec<LstmState> = self
            .layers
            .iter()
            .map(|layer| layer.start(sequences.len()))
            .collect();
        let width = self.layers.last().map_or(0, |layer| layer.n_hidden);
        let mut taken: Vec<Vec<f32>> = sequences
            .iter()
            .map(|sequence| vec![0.0; sequence.wanted.len() * width])
            .collect();
        // Tokens by the position of their state, for each text.
        let mut next: Vec<Vec<(usize, usize)>> = sequences.iter().map(by_position).collect();
        let n_steps = order
            .first()
            .map_or(0, |idx| sequences[*idx].characters.len());
        for step in 0..n_steps {
            let active: Vec<usize> = order
                .iter()
                .copied()
                .take_while(|idx| sequences[*idx].characters.len() > step)
                .collect();
            let characters = active.iter().map(|idx| sequences[*idx].characters[step]);
            states = self.step(states, characters);
            let Some(last) = states.last() else {
                break;
            };
            for (row, idx) in active.into_iter().enumerate() {
                while let Some((position, token)) = next[idx].last().copied() {
                    if position != step {
                        break;
                    }
                    next[idx].pop();
                    taken[idx][token * width..][..width].copy_from_slice(last.of(row));
                }
            }
        }
        match &self.projection {
            Some(projection) => taken.iter().map(|rows| projection.apply(rows)).collect(),
            None => taken,
        }
    }

    /// Goes one character on in all texts.
    fn step(
        &self,
        states: Vec<LstmState>,
        characters: impl Iterator<Item = usize>,
    ) -> Vec<LstmState> {
        let n_gates = self.layers[0].input.n_out;
        let table = &self.first_gates;
        let gates = characters.flat_map(move |number| table[number * n_gates..][..n_gates].iter());
        let mut gates: Vec<f32> = gates.copied().collect();
        let n_rows = gates.len() / n_gates.max(1);
        let mut next = Vec::with_capacity(states.len());
        for (idx, (layer, state)) in self.layers.iter().zip(states).enumerate() {
            let state = layer.step(state, gates);
            gates = match self.layers.get(idx + 1) {
                Some(above) => above.input.apply(&state.hidden[..n_rows * layer.n_hidden]),
                None => Vec::new(),
            };
            next.push(state);
        }
        next
    }

    /// Returns the characters that the model reads of a text, and where it is at each token.
    fn sequence(&self, sentence: &Sentence) -> Sequence {
        let plain = sentence.plain(self.is_tokenized);
        let n_start = self.start_marker.len();
        let (mut forward, mut backward) = (n_start, plain.len() + n_start);
        let mut wanted = Vec::with_capacity(sentence.tokens.len());
        for (idx, token) in sentence.tokens.iter().enumerate() {
            let n_chars = token.end - token.start;
            forward += n_chars;
            let position = if self.is_forward { forward } else { backward };
            wanted.push(position.saturating_sub(usize::from(!self.with_whitespace)));
            // As in Flair, more than one blank counts as one here.
            if self.is_tokenized || sentence.gap_behind(idx) > 0 {
                forward += 1;
                backward = backward.saturating_sub(1);
            }
            backward = backward.saturating_sub(n_chars);
        }
        let mut text: Vec<char> = if self.is_lower {
            let text: String = plain.into_iter().collect();
            text.to_lowercase().chars().collect()
        } else {
            plain
        };
        if !self.is_forward {
            text.reverse();
        }
        let characters = self
            .start_marker
            .iter()
            .copied()
            .chain(text)
            .chain([END_MARKER]);
        let characters: Vec<usize> = characters.map(|character| self.number(character)).collect();
        for position in &mut wanted {
            *position = (*position).min(characters.len() - 1);
        }
        Sequence { characters, wanted }
    }

    fn number(&self, character: char) -> usize {
        let known = self.numbers.get(character.encode_utf8(&mut [0; 4]) as &str);
        known
            .or_else(|| self.numbers.get(UNKNOWN))
            .copied()
            .unwrap_or(0)
    }
}

/// Returns the tokens of a text by the position of their state, the last one first.
fn by_position(sequence: &Sequence) -> Vec<(usize, usize)> {
    let mut tokens: Vec<_> = sequence.wanted.iter().copied().zip(0..).collect();
    tokens.sort_unstable_by(|one, other| other.cmp(one));
    tokens
}
