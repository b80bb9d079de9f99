//! Long short-term memory (Hochreiter and Schmidhuber, 1997), in one or both directions, with the
//! gates and the names of `torch.nn.LSTM`.

use std::ops::Range;

use pulp::Arch;

use super::{linear::Linear, parameters::Layout, scratch::resized};
use crate::numbers::{
    functions::{sigmoid, tanh},
    matrix::Matrix,
    rows::{add, add_row},
};

/// Gates of a cell: input, forget, cell and output.
const N_GATES: usize = 4;

/// Where the parameters of one layer are.
#[derive(Debug)]
pub(crate) struct Lstm {
    directions: Vec<Direction>,
    n_hidden: usize,
}

#[derive(Debug)]
struct Direction {
    /// From the input to the gates.
    input: Linear,
    /// From the state before to the gates.
    hidden: Linear,
    is_reverse: bool,
}

/// Sizes of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LstmSizes {
    pub(crate) n_in: usize,
    /// Width of the state of each direction.
    pub(crate) n_hidden: usize,
    pub(crate) is_bidirectional: bool,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Default)]
pub(crate) struct LstmMemory {
    directions: [DirectionMemory; 2],
}

#[derive(Debug, Default)]
struct DirectionMemory {
    /// The gates of each row, activated.
    gates: Vec<f32>,
    cells: Vec<f32>,
    /// The hidden state before each row.
    before: Vec<f32>,
    /// States of the sequences that go on.
    hidden: Vec<f32>,
    cell: Vec<f32>,
    products: Vec<f32>,
}

/// Sequences whose rows lie one after the other, the longest ones first.
#[derive(Debug)]
struct Sequences {
    /// Start and end of each.
    bounds: Vec<(usize, usize)>,
}

impl Lstm {
    /// Adds the parameters of layer `idx` of a `torch.nn.LSTM`.
    pub(crate) fn add(layout: &mut Layout, (name, idx): (&str, usize), sizes: LstmSizes) -> Self {
        let n_gates = N_GATES * sizes.n_hidden;
        let mut linear = |kind: &str, suffix: &str, n_in: usize| {
            let tensor = |part: &str| format!("{name}.{part}_{kind}_l{idx}{suffix}");
            Linear {
                weight: layout.add(tensor("weight"), &[n_gates, n_in], None),
                bias: layout.add(tensor("bias"), &[n_gates], None),
                n_in,
                n_out: n_gates,
            }
        };
        let suffixes: &[&str] = if sizes.is_bidirectional {
            &["", "_reverse"]
        } else {
            &[""]
        };
        let directions = suffixes.iter().map(|suffix| Direction {
            input: linear("ih", suffix, sizes.n_in),
            hidden: linear("hh", suffix, sizes.n_hidden),
            is_reverse: !suffix.is_empty(),
        });
        Self {
            directions: directions.collect(),
            n_hidden: sizes.n_hidden,
        }
    }

    /// Returns the width of the state of each direction.
    pub(crate) fn n_hidden(&self) -> usize {
        self.n_hidden
    }

    /// Returns where each of its parameters is.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = &Range<usize>> {
        let layers = self
            .directions
            .iter()
            .flat_map(|direction| [&direction.input, &direction.hidden]);
        layers.flat_map(|layer| [&layer.weight, &layer.bias])
    }

    /// Returns the width of the output: that of all directions.
    pub(crate) fn n_out(&self) -> usize {
        self.n_hidden * self.directions.len()
    }

    /// Writes the hidden states of all rows to `out`. `bounds` says where each sequence starts, and
    /// where the last one ends.
    pub(crate) fn forward(
        &self,
        values: &[f32],
        (rows, bounds): (&[f32], &[usize]),
        memory: &mut LstmMemory,
        out: &mut [f32],
    ) {
        let sequences = Sequences::new(bounds);
        for (direction, memory) in self.directions.iter().zip(&mut memory.directions) {
            let column = usize::from(direction.is_reverse) * self.n_hidden;
            let target = (&mut *out, column, self.n_out());
            direction.forward(values, (rows, &sequences), memory, target);
        }
    }

    /// Adds the gradients of the parameters, given that of the output, and replaces `passed` by
    /// that of the input.
    pub(crate) fn backward(
        &self,
        values: &[f32],
        (rows, bounds): (&[f32], &[usize]),
        (memory, gradient): (&mut LstmMemory, &[f32]),
        (passed, gradients): (&mut [f32], &mut [f32]),
    ) {
        let sequences = Sequences::new(bounds);
        passed.fill(0.0);
        for (direction, memory) in self.directions.iter().zip(&mut memory.directions) {
            let column = usize::from(direction.is_reverse) * self.n_hidden;
            let of_gates = direction.gates_backward(
                values,
                &sequences,
                memory,
                (gradient, column, self.n_out()),
            );
            direction.input.backward(rows, &of_gates, gradients);
            direction
                .input
                .add_input_gradient(values, &of_gates, passed);
            direction
                .hidden
                .backward(&memory.before, &of_gates, gradients);
        }
    }
}

impl Direction {
    fn n_hidden(&self) -> usize {
        self.hidden.n_in
    }

    /// Returns the row of a sequence at a step.
    fn row(&self, (start, end): (usize, usize), step: usize) -> usize {
        if self.is_reverse {
            end - 1 - step
        } else {
            start + step
        }
    }

    fn forward(
        &self,
        values: &[f32],
        (rows, sequences): (&[f32], &Sequences),
        memory: &mut DirectionMemory,
        (out, column, stride): (&mut [f32], usize, usize),
    ) {
        let (n, n_gates) = (self.n_hidden(), self.hidden.n_out);
        let n_rows = rows.len() / self.input.n_in;
        let DirectionMemory {
            gates,
            cells,
            before,
            hidden,
            cell,
            products,
        } = memory;
        let gates = resized(gates, n_rows * n_gates);
        self.input.forward(values, rows, gates);
        add_row(gates, &values[self.hidden.bias.clone()]);
        let cells = resized(cells, n_rows * n);
        let before = resized(before, n_rows * n);
        let n_sequences = sequences.bounds.len();
        let hidden = resized(hidden, n_sequences * n);
        let cell = resized(cell, n_sequences * n);
        hidden.fill(0.0);
        cell.fill(0.0);
        for step in 0..sequences.longest() {
            let active = sequences.active(step);
            let products = resized(products, active.len() * n_gates);
            if step > 0 {
                Matrix::new(&hidden[..active.len() * n], active.len(), n)
                    .times(self.hidden.weights(values).transposed())
                    .write(products);
            } else {
                products.fill(0.0);
            }
            let states = hidden.chunks_exact_mut(n).zip(cell.chunks_exact_mut(n));
            let products = products.chunks_exact(n_gates);
            for ((bounds, (hidden, cell)), product) in active.iter().zip(states).zip(products) {
                let row = self.row(*bounds, step);
                let gates = &mut gates[row * n_gates..][..n_gates];
                before[row * n..][..n].copy_from_slice(hidden);
                add(gates, product);
                cell_forward(gates, cell, hidden);
                cells[row * n..][..n].copy_from_slice(cell);
                out[row * stride + column..][..n].copy_from_slice(hidden);
            }
        }
    }

    /// Returns the gradient of all gates before they were activated.
    fn gates_backward(
        &self,
        values: &[f32],
        sequences: &Sequences,
        memory: &mut DirectionMemory,
        (gradient, column, stride): (&[f32], usize, usize),
    ) -> Vec<f32> {
        let (n, n_gates) = (self.n_hidden(), self.hidden.n_out);
        let DirectionMemory {
            gates,
            cells,
            hidden,
            cell,
            products,
            ..
        } = memory;
        let mut of_gates = vec![0.0; gates.len()];
        // From here on, the gradients of the states behind a step.
        hidden.fill(0.0);
        cell.fill(0.0);
        let start = vec![0.0; n];
        for step in (0..sequences.longest()).rev() {
            let active = sequences.active(step);
            let products = resized(products, active.len() * n_gates);
            let states = hidden.chunks_exact_mut(n).zip(cell.chunks_exact_mut(n));
            let own = products.chunks_exact_mut(n_gates);
            for ((bounds, (hidden, cell)), product) in active.iter().zip(states).zip(own) {
                let row = self.row(*bounds, step);
                add(hidden, &gradient[row * stride + column..][..n]);
                let before = match step.checked_sub(1) {
                    Some(before) => &cells[self.row(*bounds, before) * n..][..n],
                    None => &start,
                };
                let known = Cell {
                    gates: &gates[row * n_gates..][..n_gates],
                    before,
                    after: &cells[row * n..][..n],
                };
                known.backward(hidden, cell, product);
                of_gates[row * n_gates..][..n_gates].copy_from_slice(product);
            }
            Matrix::new(products, active.len(), n_gates)
                .times(self.hidden.weights(values))
                .write(&mut hidden[..active.len() * n]);
        }
        of_gates
    }
}

/// Activates the gates of a row, and changes the states.
fn cell_forward(gates: &mut [f32], cell: &mut [f32], hidden: &mut [f32]) {
    let n = cell.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let (inputs, rest) = gates.split_at_mut(n);
            let (forgets, rest) = rest.split_at_mut(n);
            let (news, outputs) = rest.split_at_mut(n);
            for idx in 0..n {
                inputs[idx] = sigmoid(inputs[idx]);
                forgets[idx] = sigmoid(forgets[idx]);
                news[idx] = tanh(news[idx]);
                outputs[idx] = sigmoid(outputs[idx]);
                cell[idx] = forgets[idx] * cell[idx] + inputs[idx] * news[idx];
                hidden[idx] = outputs[idx] * tanh(cell[idx]);
            }
        },
    );
}

/// What is known of a row.
struct Cell<'a> {
    gates: &'a [f32],
    before: &'a [f32],
    after: &'a [f32],
}

impl Cell<'_> {
    /// Writes the gradient of the gates to `out`, given those of the states, and replaces that of
    /// the cell by the one of the cell before.
    fn backward(&self, hidden: &[f32], cell: &mut [f32], out: &mut [f32]) {
        let n = cell.len();
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for idx in 0..n {
                    let (input, forget) = (self.gates[idx], self.gates[n + idx]);
                    let (new, output) = (self.gates[2 * n + idx], self.gates[3 * n + idx]);
                    let squashed = tanh(self.after[idx]);
                    let of_cell = cell[idx] + hidden[idx] * output * (1.0 - squashed * squashed);
                    out[idx] = of_cell * new * input * (1.0 - input);
                    out[n + idx] = of_cell * self.before[idx] * forget * (1.0 - forget);
                    out[2 * n + idx] = of_cell * input * (1.0 - new * new);
                    out[3 * n + idx] = hidden[idx] * squashed * output * (1.0 - output);
                    cell[idx] = of_cell * forget;
                }
            },
        );
    }
}

impl Sequences {
    fn new(bounds: &[usize]) -> Self {
        let mut bounds: Vec<_> = bounds.windows(2).map(|pair| (pair[0], pair[1])).collect();
        bounds.sort_by_key(|(start, end)| std::cmp::Reverse(end - start));
        Self { bounds }
    }

    fn longest(&self) -> usize {
        self.bounds.first().map_or(0, |(start, end)| end - start)
    }

    /// Returns the sequences that have a row at this step.
    fn active(&self, step: usize) -> &[(usize, usize)] {
        let n = self
            .bounds
            .partition_point(|(start, end)| end - start > step);
        &self.bounds[..n]
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, Lstm, LstmMemory, LstmSizes};
    use crate::numbers::dropout::mixed;

    const BOUNDS: [usize; 4] = [0, 3, 4, 9];
    const N_IN: usize = 3;
    const STEP: f32 = 1e-2;

    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let number = |idx| {
            let bits = u16::try_from(mixed(idx, seed) >> 16).unwrap();
            f32::from(bits) / 32768.0 - 1.0
        };
        (0..u32::try_from(n).unwrap()).map(number).collect()
    }

    /// Returns a loss of the output, and the gradients of parameters and input.
    fn loss(lstm: &Lstm, values: &[f32], rows: &[f32]) -> (f32, Vec<f32>, Vec<f32>) {
        let mut memory = LstmMemory::default();
        let mut out = vec![0.0; BOUNDS[3] * lstm.n_out()];
        lstm.forward(values, (rows, &BOUNDS), &mut memory, &mut out);
        let weights = numbers(out.len(), 5);
        let loss = out.iter().zip(&weights).map(|(x, w)| x * w).sum();
        let (mut passed, mut gradients) = (vec![0.0; rows.len()], vec![0.0; values.len()]);
        lstm.backward(
            values,
            (rows, &BOUNDS),
            (&mut memory, &weights),
            (&mut passed, &mut gradients),
        );
        (loss, gradients, passed)
    }

    /// Moves along a gradient, where the loss changes most.
    fn assert_slope(name: &str, gradient: &[f32], at: impl Fn(&[f32]) -> f32) {
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        assert!(norm > 1e-3, "{name} gets no gradient");
        let moved = |step: f32| gradient.iter().map(|g| g / norm * step).collect::<Vec<_>>();
        let slope = (at(&moved(STEP)) - at(&moved(-STEP))) / (2.0 * STEP);
        assert!(
            (slope / norm - 1.0).abs() < 0.02,
            "{name}: {}",
            slope / norm
        );
    }

    #[test]
    fn every_parameter_and_the_input_get_the_gradient_of_the_loss() {
        for is_bidirectional in [false, true] {
            let sizes = LstmSizes {
                n_in: N_IN,
                n_hidden: 4,
                is_bidirectional,
            };
            let mut layout = Layout::default();
            let lstm = Lstm::add(&mut layout, ("lstm", 0), sizes);
            let values = numbers(layout.n_values, 1);
            let rows = numbers(BOUNDS[3] * N_IN, 2);
            let (_, gradients, passed) = loss(&lstm, &values, &rows);
            let plus = |left: &[f32], right: &[f32]| {
                left.iter()
                    .zip(right)
                    .map(|(x, y)| x + y)
                    .collect::<Vec<_>>()
            };
            assert_slope("input", &passed, |step| {
                loss(&lstm, &values, &plus(&rows, step)).0
            });
            for tensor in &layout.tensors {
                assert_slope(&tensor.name, &gradients[tensor.range.clone()], |step| {
                    let mut moved = values.clone();
                    let own = &mut moved[tensor.range.clone()];
                    own.iter_mut().zip(step).for_each(|(value, s)| *value += s);
                    loss(&lstm, &moved, &rows).0
                });
            }
        }
    }

    #[test]
    fn sequences_do_not_see_each_other() {
        let sizes = LstmSizes {
            n_in: N_IN,
            n_hidden: 4,
            is_bidirectional: true,
        };
        let mut layout = Layout::default();
        let lstm = Lstm::add(&mut layout, ("lstm", 0), sizes);
        let (values, rows) = (numbers(layout.n_values, 1), numbers(BOUNDS[3] * N_IN, 2));
        let run = |rows: &[f32], bounds: &[usize]| {
            let mut out = vec![0.0; rows.len() / N_IN * lstm.n_out()];
            let mut memory = LstmMemory::default();
            lstm.forward(&values, (rows, bounds), &mut memory, &mut out);
            out
        };
        let together = run(&rows, &BOUNDS);
        let alone = run(&rows[3 * N_IN..4 * N_IN], &[0, 1]);
        for (one, other) in alone.iter().zip(&together[3 * lstm.n_out()..]) {
            assert!((one - other).abs() < 1e-6, "{one} is not {other}");
        }
    }
}
