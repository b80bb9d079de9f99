//! Scores of a parser's actions (`spacy.TransitionBasedParser`).

use std::mem;

use faer::MatRef;
use label_studio_ml::anyhow::{self, Context, ensure};

use super::{
    Linear, ThincModel,
    layers::{RowMatrix, add_product, max},
};

/// Scores actions by the tokens that a state looks at. What a token adds at each place is computed
/// once per text.
#[derive(Debug)]
pub(crate) struct Scorer {
    tokens: Linear,
    /// Rows of `width` values: one for each place and each hidden value.
    places: Vec<f32>,
    bias: Vec<f32>,
    /// What no token adds at each place.
    pad: Vec<f32>,
    n_places: usize,
    n_hidden: usize,
    n_pieces: usize,
    /// From hidden values to actions, a row for each hidden value; `None` if those are the scores.
    actions: Option<Linear>,
}

/// A [`Scorer`] at work on one text.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    scorer: &'a Scorer,
    /// What each token adds at each place.
    added: Vec<f32>,
    sums: Vec<f32>,
    scores: Vec<f32>,
}

impl Scorer {
    /// Reads the layers of a network, for vectors of tokens of a length.
    pub(crate) fn read(model: &ThincModel, token_width: usize) -> anyhow::Result<Self> {
        let lower = model.referred("lower")?;
        let (weights, bias) = (lower.tensor("W", 4)?, lower.tensor("b", 2)?);
        let pad = lower.tensor("pad", 4)?;
        let [n_places, n_hidden, n_pieces, width] = weights.shape[..] else {
            anyhow::bail!("the layer of states has another form");
        };
        ensure!(
            n_pieces > 0
                && n_hidden > 0
                && bias.shape == [n_hidden, n_pieces]
                && pad.shape == [1, n_places, n_hidden, n_pieces],
            "the parameters of the layer of states do not fit together"
        );
        // A network without this layer has another one in its place, which does nothing.
        let upper = model.referred("upper")?;
        let actions = (upper.name == "linear")
            .then(|| Linear::read(upper).map(transposed))
            .transpose()?;
        let is_upper = |layer: &&super::thinc::Layer| std::ptr::eq(*layer, upper);
        let mut linears = model.named("linear").filter(|layer| !is_upper(layer));
        let tokens = Linear::read(
            linears
                .next()
                .context("the network has no layer of tokens")?,
        )?;
        ensure!(
            tokens.n_in == token_width
                && tokens.n_out == width
                && actions.as_ref().is_none_or(|layer| layer.n_in == n_hidden),
            "the layers of the parser do not fit together"
        );
        Ok(Self {
            tokens,
            places: weights.values.clone(),
            bias: bias.values.clone(),
            pad: pad.values.clone(),
            n_places,
            n_hidden,
            n_pieces,
            actions,
        })
    }

    /// Returns how many tokens a state looks at.
    pub(crate) fn n_places(&self) -> usize {
        self.n_places
    }

    /// Returns how many actions there are.
    pub(crate) fn n_actions(&self) -> usize {
        self.actions
            .as_ref()
            .map_or(self.n_hidden, |layer| layer.n_out)
    }

    /// Starts with a text, given the vectors of its tokens.
    pub(crate) fn start(&self, vectors: &[f32]) -> Steps<'_> {
        let tokens = self.tokens.apply(vectors);
        let width = self.tokens.n_out;
        let n_values = self.n_places * self.n_hidden * self.n_pieces;
        let rows = RowMatrix {
            values: &tokens,
            n_rows: tokens.len() / width.max(1),
            width,
        };
        let mut added = vec![0.0; rows.n_rows * n_values];
        let places = MatRef::from_row_major_slice(&self.places, n_values, width);
        add_product(&mut added, rows, places.transpose());
        Steps {
            scorer: self,
            added,
            sums: Vec::new(),
            scores: Vec::new(),
        }
    }
}

impl Steps<'_> {
    /// Returns the scores of all actions for a state that looks at these tokens.
    pub(crate) fn scores(&mut self, tokens: &[Option<usize>]) -> &[f32] {
        let model = self.scorer;
        let n_values = model.n_hidden * model.n_pieces;
        self.sums.clear();
        self.sums.extend_from_slice(&model.bias);
        for (place, token) in tokens.iter().enumerate() {
            let row = match token {
                Some(token) => &self.added[(token * model.n_places + place) * n_values..],
                None => &model.pad[place * n_values..],
            };
            for (sum, value) in self.sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
        let hidden = self.sums.chunks_exact(model.n_pieces).map(max);
        let mut scores = mem::take(&mut self.scores);
        scores.clear();
        match &model.actions {
            None => scores.extend(hidden),
            Some(layer) => {
                scores.extend_from_slice(&layer.bias);
                for (hidden, row) in hidden.zip(layer.weights.chunks_exact(layer.n_out)) {
                    for (score, weight) in scores.iter_mut().zip(row) {
                        *score += hidden * weight;
                    }
                }
            }
        }
        self.scores = scores;
        &self.scores
    }
}

/// Lays the weights of a layer out by its inputs.
fn transposed(layer: Linear) -> Linear {
    let (n_in, n_out) = (layer.n_in, layer.n_out);
    let by_input = (0..n_in).flat_map(|row| {
        let column = layer.weights.iter().skip(row).step_by(n_in);
        column.copied()
    });
    Linear {
        weights: by_input.collect(),
        bias: layer.bias,
        n_in,
        n_out,
    }
}
