//! A network that labels the rows of series of numbers: a linear layer with a rectifier, a
//! normalization, recurrent layers in both directions, and a linear layer.

use std::path::Path;

use super::{
    NetworkError,
    encoder::Mode,
    linear::{Linear, Norm},
    load::{LoadOptions, fill_uniform, load_values},
    lstm::{Lstm, LstmMemory, LstmSizes},
    parameters::{Gradients, Layout, Parameters},
    scratch::resized,
    series_sizes::SeriesSizes,
};
use crate::{
    checkpoint::{CheckpointError, read_tensors},
    numbers::{
        activation::Activation,
        dropout::{Dropout, mixed},
        layer_norm::Normalized,
    },
};

/// Keeps the normalization from dividing by 0, as in PyTorch.
const EPS: f32 = 1e-5;

/// A network that labels each row of a series of numbers, and sees the rows around it.
///
/// Its numbers and the names of its tensors are those of a PyTorch module with the parts
/// `fc_input`, `input_norm`, `lstm` and `fc_output`.
#[derive(Debug)]
pub struct SeriesNetwork {
    sizes: SeriesSizes,
    layers: Layers,
    parameters: Parameters,
}

/// Memory of forward and backward passes, which is used again and again.
#[derive(Debug, Default)]
pub struct SeriesWorkspace {
    /// Output of the first layer, before and behind the rectifier and the normalization.
    first: Vec<f32>,
    normalized: Vec<f32>,
    inverse_deviations: Vec<f32>,
    /// The input of each recurrent layer, and that of the last layer.
    rows: Vec<Vec<f32>>,
    lstm: Vec<LstmMemory>,
    pub(crate) logits: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
    /// Gradients that are passed on.
    passed: [Vec<f32>; 2],
}

/// Rows of one or several series, and where each starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeriesRows<'a> {
    pub(crate) values: &'a [f32],
    /// First row of each series, and the number of rows of all.
    pub(crate) bounds: &'a [usize],
}

/// Where the parameters are.
#[derive(Debug)]
struct Layers {
    input: Linear,
    norm: Norm,
    lstm: Vec<Lstm>,
    output: Linear,
}

impl SeriesNetwork {
    /// Creates a network with random parameters, distributed as PyTorch's.
    ///
    /// # Errors
    /// When a size is 0 or too large.
    pub fn new(sizes: SeriesSizes, seed: u64) -> Result<Self, CheckpointError> {
        let (layout, layers) = lay_out(&sizes)?;
        let values = vec![0.0; layout.n_values];
        let mut network = Self::with_values(sizes, layers, (layout, values));
        network.randomize(seed);
        Ok(network)
    }

    /// Reads a network from a file of safetensors.
    ///
    /// # Errors
    /// When the file cannot be read, or has other tensors than the sizes say.
    pub fn load(path: &Path, sizes: SeriesSizes) -> Result<Self, CheckpointError> {
        let (layout, layers) = lay_out(&sizes)?;
        let options = LoadOptions {
            prefix: "",
            deviation: 0.0,
            seed: None,
        };
        let values = load_values(&layout, &read_tensors(&[path.to_owned()])?, options)?;
        Ok(Self::with_values(sizes, layers, (layout, values)))
    }

    fn with_values(
        sizes: SeriesSizes,
        layers: Layers,
        (layout, values): (Layout, Vec<f32>),
    ) -> Self {
        let parameters = Parameters {
            tensors: layout.tensors,
            values,
            words: 0..0,
            word_width: 1,
        };
        Self {
            sizes,
            layers,
            parameters,
        }
    }

    /// Writes all tensors into a file of safetensors.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        self.parameters.save(path)
    }

    /// Returns the sizes of its layers.
    pub fn sizes(&self) -> &SeriesSizes {
        &self.sizes
    }

    /// Returns the norm of each tensor, by its name.
    pub fn norms(&self) -> impl Iterator<Item = (&str, f64)> {
        self.parameters.norms()
    }

    /// Computes the logits of all rows, one value per class.
    ///
    /// `values` are the rows of several series, one behind the other; `bounds` has the first row of
    /// each series, and at its end the number of rows of all.
    ///
    /// # Errors
    /// When values and bounds do not fit each other.
    pub fn logits<'a>(
        &self,
        values: &[f32],
        bounds: &[usize],
        workspace: &'a mut SeriesWorkspace,
    ) -> Result<&'a [f32], NetworkError> {
        self.forward(SeriesRows { values, bounds }, Mode::Predict, workspace)?;
        Ok(&workspace.logits)
    }

    /// Computes the logits in the workspace.
    pub(crate) fn forward(
        &self,
        input: SeriesRows<'_>,
        mode: Mode,
        workspace: &mut SeriesWorkspace,
    ) -> Result<(), NetworkError> {
        let n_rows = self.n_rows(input)?;
        let values = &self.parameters.values;
        let Layers {
            input: first,
            norm,
            lstm,
            output,
        } = &self.layers;
        let memory = workspace;
        memory.rows.resize_with(lstm.len() + 1, Vec::new);
        memory.lstm.resize_with(lstm.len(), LstmMemory::default);
        let rectified = resized(&mut memory.first, n_rows * first.n_out);
        first.forward(values, input.values, rectified);
        let normalized = Normalized {
            rows: resized(&mut memory.normalized, rectified.len()),
            inverse_deviations: resized(&mut memory.inverse_deviations, n_rows),
        };
        Activation::Relu.forward(rectified, normalized.rows);
        let out = resized(&mut memory.rows[0], rectified.len());
        norm.with(values, EPS).forward(normalized, out);
        self.dropout(0, mode.seed()).apply(out);
        for (idx, layer) in lstm.iter().enumerate() {
            let (known, next) = memory.rows.split_at_mut(idx + 1);
            let out = resized(&mut next[0], n_rows * layer.n_out());
            let rows = (known[idx].as_slice(), input.bounds);
            layer.forward(values, rows, &mut memory.lstm[idx], out);
            self.dropout(idx + 1, mode.seed()).apply(out);
        }
        let logits = resized(&mut memory.logits, n_rows * output.n_out);
        output.forward(values, &memory.rows[lstm.len()], logits);
        Ok(())
    }

    /// Adds the gradients of all parameters, given that of the logits in the workspace.
    pub(crate) fn backward(
        &self,
        input: SeriesRows<'_>,
        mode: Mode,
        workspace: &mut SeriesWorkspace,
        gradients: &mut Gradients,
    ) {
        let values = &self.parameters.values;
        let gradients = &mut gradients.values;
        let SeriesWorkspace {
            first,
            normalized,
            inverse_deviations,
            rows,
            lstm,
            gradient,
            passed: [above, below],
            ..
        } = workspace;
        let Layers {
            input: first_layer,
            norm,
            lstm: layers,
            output,
        } = &self.layers;
        output.backward(&rows[layers.len()], gradient, gradients);
        let of_last = resized(above, rows[layers.len()].len());
        output
            .outputs(gradient)
            .times(output.weights(values))
            .write(of_last);
        for (idx, layer) in layers.iter().enumerate().rev() {
            self.dropout(idx + 1, mode.seed()).apply(above);
            let of_input = resized(below, rows[idx].len());
            let known = (&mut lstm[idx], above.as_slice());
            let input = (rows[idx].as_slice(), input.bounds);
            layer.backward(values, input, known, (of_input, &mut *gradients));
            std::mem::swap(above, below);
        }
        self.dropout(0, mode.seed()).apply(above);
        let of_norm = norm.gradients(above, gradients);
        norm.with(values, EPS)
            .backward(normalized, inverse_deviations, of_norm);
        Activation::Relu.backward(first, above);
        first_layer.backward(input.values, above, gradients);
    }

    pub(crate) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    pub(crate) fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    /// Counts the rows, and checks that every series has some.
    fn n_rows(&self, input: SeriesRows<'_>) -> Result<usize, NetworkError> {
        let SeriesRows { values, bounds } = input;
        let n_channels = self.sizes.n_channels;
        let n_rows = values.len() / n_channels;
        let is_ascending = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        let is_whole = bounds.first() == Some(&0) && bounds.last() == Some(&n_rows);
        if is_ascending && is_whole && n_rows * n_channels == values.len() {
            return Ok(n_rows);
        }
        Err(NetworkError::Series {
            n_values: values.len(),
            n_channels,
        })
    }

    /// Returns the dropout of a place: behind the normalization (0), and behind each recurrent
    /// layer. Without a seed it does nothing.
    fn dropout(&self, place: usize, seed: Option<u32>) -> Dropout {
        let dropouts = &self.sizes.dropouts;
        let probability = match place {
            0 => dropouts.input,
            last if last == self.sizes.n_layers => dropouts.output,
            _ => dropouts.recurrent,
        };
        #[expect(clippy::cast_possible_truncation, reason = "a few layers")]
        let number = 20 + place as u32;
        match seed {
            Some(seed) => Dropout::new(probability, mixed(number, seed)),
            None => Dropout::new(0.0, 0),
        }
    }

    /// Fills the parameters: uniform numbers up to one over the square root of the inputs of a
    /// linear layer, or of the width of a recurrent one.
    fn randomize(&mut self, seed: u64) {
        let Layers {
            input,
            norm,
            lstm,
            output,
        } = &self.layers;
        let values = &mut self.parameters.values;
        values[norm.weight.clone()].fill(1.0);
        let linear = [input, output]
            .into_iter()
            .flat_map(|layer| [(&layer.weight, layer.n_in), (&layer.bias, layer.n_in)]);
        let recurrent = lstm
            .iter()
            .flat_map(|layer| layer.ranges().map(|range| (range, layer.n_hidden())));
        for (number, (range, n)) in linear.chain(recurrent).enumerate() {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a layer has a few thousand inputs"
            )]
            let bound = 1.0 / (n as f32).sqrt();
            fill_uniform(&mut values[range.clone()], bound, seed ^ number as u64);
        }
    }
}

/// Lays out the parameters of a network.
fn lay_out(sizes: &SeriesSizes) -> Result<(Layout, Layers), CheckpointError> {
    sizes.check()?;
    let mut layout = Layout::default();
    let input = (sizes.n_channels, sizes.width);
    let input = Linear::add(&mut layout, "fc_input", input, false);
    let norm = Norm::add(&mut layout, "input_norm", sizes.width);
    let layer = |(idx, layout): (usize, &mut Layout)| {
        let sizes = LstmSizes {
            n_in: if idx == 0 {
                sizes.width
            } else {
                2 * sizes.n_hidden
            },
            n_hidden: sizes.n_hidden,
            is_bidirectional: true,
        };
        Lstm::add(layout, ("lstm", idx), sizes)
    };
    let lstm = (0..sizes.n_layers)
        .map(|idx| layer((idx, &mut layout)))
        .collect();
    let output = (2 * sizes.n_hidden, sizes.n_classes);
    let layers = Layers {
        input,
        norm,
        lstm,
        output: Linear::add(&mut layout, "fc_output", output, false),
    };
    Ok((layout, layers))
}
