//! Layers of PyTorch: `Linear` and `LSTM`.

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use label_studio_ml::anyhow::{self, ensure};

use super::Checkpoint;

/// Gates of an LSTM: input, forget, cell, output.
const N_GATES: usize = 4;

/// A product with a matrix, and a sum with a vector.
#[derive(Debug)]
pub(crate) struct Linear {
    /// `n_out` rows of `n_in` values.
    weights: Vec<f32>,
    bias: Vec<f32>,
    pub(crate) n_in: usize,
    pub(crate) n_out: usize,
}

/// An LSTM in one direction.
#[derive(Debug)]
pub(crate) struct Lstm {
    /// From the input to the gates, with both biases.
    pub(crate) input: Linear,
    /// From the state to the gates: `4 * n_hidden` rows.
    recurrent: Vec<f32>,
    pub(crate) n_hidden: usize,
}

/// States of an LSTM for several sequences.
#[derive(Debug)]
pub(crate) struct LstmState {
    /// A row per sequence.
    pub(crate) hidden: Vec<f32>,
    cell: Vec<f32>,
    n_hidden: usize,
}

/// LSTMs in both directions, or in one, in layers.
#[derive(Debug)]
pub(crate) struct BiLstm {
    layers: Vec<Vec<Lstm>>,
}

impl Linear {
    pub(crate) fn read(checkpoint: &Checkpoint, name: &str) -> anyhow::Result<Self> {
        let weights = checkpoint.tensor(&format!("{name}.weight"), 2)?;
        let [n_out, n_in] = [weights.shape[0], weights.shape[1]];
        ensure!(n_out > 0 && n_in > 0, "the tensor {name}.weight is empty");
        Ok(Self {
            bias: checkpoint.shaped(&format!("{name}.bias"), &[n_out])?,
            weights: weights.values,
            n_in,
            n_out,
        })
    }

    /// Returns the values of each row, one row after the other.
    pub(crate) fn apply(&self, values: &[f32]) -> Vec<f32> {
        let n_rows = values.len() / self.n_in.max(1);
        let mut out = Vec::with_capacity(n_rows * self.n_out);
        for _ in 0..n_rows {
            out.extend_from_slice(&self.bias);
        }
        add_product(&mut out, values, &self.weights, self.n_in);
        out
    }
}

impl Lstm {
    /// Reads a layer, whose tensors end in `suffix`, such as `l0` or `l0_reverse`.
    pub(crate) fn read(checkpoint: &Checkpoint, name: &str, suffix: &str) -> anyhow::Result<Self> {
        let weights = checkpoint.tensor(&format!("{name}.weight_ih_{suffix}"), 2)?;
        let [n_out, n_in] = [weights.shape[0], weights.shape[1]];
        let n_hidden = n_out / N_GATES;
        ensure!(
            n_hidden > 0 && n_in > 0 && n_out == n_hidden * N_GATES,
            "the tensor {name}.weight_ih_{suffix} has the shape {:?}, which is not that of an LSTM",
            weights.shape
        );
        let recurrent =
            checkpoint.shaped(&format!("{name}.weight_hh_{suffix}"), &[n_out, n_hidden])?;
        let mut bias = checkpoint.shaped(&format!("{name}.bias_ih_{suffix}"), &[n_out])?;
        let more = checkpoint.shaped(&format!("{name}.bias_hh_{suffix}"), &[n_out])?;
        for (bias, more) in bias.iter_mut().zip(more) {
            *bias += more;
        }
        Ok(Self {
            input: Linear {
                weights: weights.values,
                bias,
                n_in,
                n_out,
            },
            recurrent,
            n_hidden,
        })
    }

    /// Returns the state before the first step.
    pub(crate) fn start(&self, n_sequences: usize) -> LstmState {
        LstmState {
            hidden: vec![0.0; n_sequences * self.n_hidden],
            cell: vec![0.0; n_sequences * self.n_hidden],
            n_hidden: self.n_hidden,
        }
    }

    /// Goes a step on with the first sequences, given what their inputs add to the gates.
    pub(crate) fn step(&self, mut state: LstmState, mut gates: Vec<f32>) -> LstmState {
        let n_rows = gates.len() / (N_GATES * self.n_hidden).max(1);
        let n_values = n_rows * self.n_hidden;
        add_product(
            &mut gates,
            &state.hidden[..n_values],
            &self.recurrent,
            self.n_hidden,
        );
        let rows = gates.chunks_exact(N_GATES * self.n_hidden);
        let hidden = state.hidden.chunks_exact_mut(self.n_hidden);
        let cells = state.cell.chunks_exact_mut(self.n_hidden);
        for ((gates, hidden), cells) in rows.zip(hidden).zip(cells) {
            let (input, rest) = gates.split_at(self.n_hidden);
            let (forget, rest) = rest.split_at(self.n_hidden);
            let (new, output) = rest.split_at(self.n_hidden);
            let gates = input.iter().zip(forget).zip(new).zip(output);
            let states = hidden.iter_mut().zip(cells);
            for ((((input, forget), new), output), (hidden, cell)) in gates.zip(states) {
                *cell = sigmoid(*forget) * *cell + sigmoid(*input) * new.tanh();
                *hidden = sigmoid(*output) * cell.tanh();
            }
        }
        state
    }

    /// Returns the states after each row of one sequence, in the order of the rows.
    fn apply(&self, values: &[f32], is_reverse: bool) -> Vec<f32> {
        let gates = self.input.apply(values);
        let n_rows = gates.len() / self.input.n_out.max(1);
        let mut out = vec![0.0; n_rows * self.n_hidden];
        let mut state = self.start(1);
        for step in 0..n_rows {
            let row = if is_reverse { n_rows - 1 - step } else { step };
            let gates = &gates[row * self.input.n_out..][..self.input.n_out];
            state = self.step(state, gates.to_vec());
            out[row * self.n_hidden..][..self.n_hidden].copy_from_slice(&state.hidden);
        }
        out
    }
}

impl LstmState {
    /// Returns the state of a sequence.
    pub(crate) fn of(&self, sequence: usize) -> &[f32] {
        &self.hidden[sequence * self.n_hidden..][..self.n_hidden]
    }
}

impl BiLstm {
    /// Reads the layers of `rnn`.
    pub(crate) fn read(checkpoint: &Checkpoint) -> anyhow::Result<Self> {
        let description = &checkpoint.description;
        let layers = (0..description.rnn_layers).map(|layer| {
            let mut directions = vec![Lstm::read(checkpoint, "rnn", &format!("l{layer}"))?];
            if description.bidirectional {
                directions.push(Lstm::read(checkpoint, "rnn", &format!("l{layer}_reverse"))?);
            }
            Ok(directions)
        });
        Ok(Self {
            layers: layers.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Returns the lengths of rows before and behind each layer.
    pub(crate) fn widths(&self) -> impl Iterator<Item = (usize, usize)> {
        self.layers.iter().map(|directions| {
            let n_out = directions.iter().map(|lstm| lstm.n_hidden).sum();
            (directions[0].input.n_in, n_out)
        })
    }

    /// Returns a row for each row of one sequence.
    pub(crate) fn apply(&self, mut values: Vec<f32>) -> Vec<f32> {
        for directions in &self.layers {
            let parts: Vec<_> = directions
                .iter()
                .enumerate()
                .map(|(idx, lstm)| (lstm.apply(&values, idx == 1), lstm.n_hidden))
                .collect();
            let n_rows = values.len() / directions[0].input.n_in.max(1);
            values = (0..n_rows)
                .flat_map(|row| {
                    let parts = parts.iter();
                    parts.flat_map(move |(part, width)| {
                        part[row * width..][..*width].iter().copied()
                    })
                })
                .collect();
        }
        values
    }
}

fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

/// Adds the product of rows with the transpose of a matrix, whose rows have `n_in` values.
fn add_product(out: &mut [f32], rows: &[f32], matrix: &[f32], n_in: usize) {
    let (n_rows, n_out) = (rows.len() / n_in.max(1), matrix.len() / n_in.max(1));
    let rows = MatRef::from_row_major_slice(rows, n_rows, n_in);
    let matrix = MatRef::from_row_major_slice(matrix, n_out, n_in);
    let out = MatMut::from_row_major_slice_mut(out, n_rows, n_out);
    matmul(out, Accum::Add, rows, matrix.transpose(), 1.0, Par::Seq);
}
