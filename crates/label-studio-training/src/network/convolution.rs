//! A convolution along the tokens of each text, behind the first layer of some `DeBERTa` models.

use std::ops::Range;

use super::{input::Packed, linear::Norm, parameters::Layout, scratch::resized};
use crate::{
    checkpoint::Sizes,
    numbers::{
        activation::Activation,
        dropout::Dropout,
        layer_norm::Normalized,
        matrix::Matrix,
        rows::{add, add_column_sums, add_row},
    },
};

/// Where the parameters of a convolution are.
#[derive(Debug)]
pub(crate) struct Convolution {
    weight: Range<usize>,
    bias: Range<usize>,
    norm: Norm,
    width: usize,
    kernel: usize,
    n_groups: usize,
    activation: Activation,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Default)]
pub(crate) struct ConvolutionMemory {
    /// The values under the kernel at each token, by input channel.
    patches: Vec<f32>,
    wide: Vec<f32>,
    activated: Vec<f32>,
    normalized: Vec<f32>,
    inverse_deviations: Vec<f32>,
    /// Gradient of the input.
    pub(crate) gradient: Vec<f32>,
}

impl Convolution {
    /// Adds the parameters, if the model has a convolution.
    pub(crate) fn add(layout: &mut Layout, sizes: &Sizes, prefix: &str) -> Option<Self> {
        let deberta = sizes.deberta.as_ref()?;
        let (width, kernel) = (sizes.hidden_size, deberta.conv_kernel_size);
        if kernel == 0 {
            return None;
        }
        let name = format!("{prefix}encoder.conv");
        let shape = [width, width / deberta.conv_groups, kernel];
        Some(Self {
            weight: layout.add(format!("{name}.conv.weight"), &shape, None),
            bias: layout.add(format!("{name}.conv.bias"), &[width], None),
            norm: Norm::add(layout, &format!("{name}.LayerNorm"), width),
            width,
            kernel,
            n_groups: deberta.conv_groups,
            activation: deberta.conv_act,
        })
    }

    /// Replaces `rows`, the output of the first layer, by the normalized sum with the convolution
    /// of its input.
    pub(crate) fn forward(
        &self,
        (values, eps): (&[f32], f32),
        (packed, dropout): (&Packed, Dropout),
        input: &[f32],
        (memory, rows): (&mut ConvolutionMemory, &mut [f32]),
    ) {
        self.gather(packed, input, &mut memory.patches);
        let wide = resized(&mut memory.wide, rows.len());
        for group in 0..self.n_groups {
            self.patches(&memory.patches, group)
                .times(self.weights(values, group).transposed())
                .write_strided(&mut wide[group * self.group_width()..], self.width);
        }
        add_row(wide, &values[self.bias.clone()]);
        dropout.apply(wide);
        let activated = resized(&mut memory.activated, rows.len());
        self.activation.forward(wide, activated);
        let normalized = resized(&mut memory.normalized, rows.len());
        normalized.copy_from_slice(rows);
        add(normalized, activated);
        let normalized = Normalized {
            rows: normalized,
            inverse_deviations: resized(&mut memory.inverse_deviations, rows.len() / self.width),
        };
        self.norm.with(values, eps).forward(normalized, rows);
    }

    /// Adds the gradients of the parameters, replaces that of the output, `rows`, by that of the
    /// first layer's output, and writes that of the first layer's input to `memory`.
    pub(crate) fn backward(
        &self,
        (values, eps): (&[f32], f32),
        (packed, dropout): (&Packed, Dropout),
        memory: &mut ConvolutionMemory,
        (rows, gradients): (&mut [f32], &mut [f32]),
    ) {
        self.norm.with(values, eps).backward(
            &memory.normalized,
            &memory.inverse_deviations,
            self.norm.gradients(rows, gradients),
        );
        // The branch of the convolution: its values are not needed any more.
        let branch = &mut memory.activated;
        branch.copy_from_slice(rows);
        self.activation.backward(&memory.wide, branch);
        dropout.apply(branch);
        add_column_sums(branch, &mut gradients[self.bias.clone()]);
        let n_rows = rows.len() / self.width;
        let mut passed = vec![0.0; memory.patches.len()];
        for group in 0..self.n_groups {
            let column = group * self.group_width();
            let output = Matrix::strided(&branch[column..], n_rows, self.group_width(), self.width);
            let weights = &mut gradients[self.weight.clone()];
            let start = group * self.group_width() * self.patch_width();
            output
                .transposed()
                .times(self.patches(&memory.patches, group))
                .add_strided(&mut weights[start..], self.patch_width());
            output.times(self.weights(values, group)).write_strided(
                &mut passed[group * self.patch_width()..],
                self.width * self.kernel,
            );
        }
        let input = resized(&mut memory.gradient, rows.len());
        input.fill(0.0);
        self.each_pair(packed, |source, target, tap| {
            let passed = &passed[target * self.width * self.kernel..][..self.width * self.kernel];
            let row = &mut input[source * self.width..][..self.width];
            for (value, taps) in row.iter_mut().zip(passed.chunks_exact(self.kernel)) {
                *value += taps[tap];
            }
        });
    }

    /// Collects what is under the kernel at each token; beyond the ends of a text there are zeros.
    fn gather(&self, packed: &Packed, input: &[f32], patches: &mut Vec<f32>) {
        let len = self.width * self.kernel;
        let patches = resized(patches, packed.n_tokens() * len);
        patches.fill(0.0);
        self.each_pair(packed, |source, target, tap| {
            let row = &input[source * self.width..][..self.width];
            let patch = &mut patches[target * len..][..len];
            for (taps, value) in patch.chunks_exact_mut(self.kernel).zip(row) {
                taps[tap] = *value;
            }
        });
    }

    /// Calls `visit` with each token, the token under whose kernel it is, and its place there.
    fn each_pair(&self, packed: &Packed, mut visit: impl FnMut(usize, usize, usize)) {
        let half = self.kernel / 2;
        for (start, end) in packed.texts() {
            for target in start..end {
                for tap in 0..self.kernel {
                    let source = target + tap;
                    if source >= start + half && source < end + half {
                        visit(source - half, target, tap);
                    }
                }
            }
        }
    }

    fn group_width(&self) -> usize {
        self.width / self.n_groups
    }

    fn patch_width(&self) -> usize {
        self.group_width() * self.kernel
    }

    fn patches<'a>(&self, patches: &'a [f32], group: usize) -> Matrix<'a> {
        let stride = self.width * self.kernel;
        let columns = &patches[group * self.patch_width()..];
        Matrix::strided(columns, patches.len() / stride, self.patch_width(), stride)
    }

    fn weights<'a>(&self, values: &'a [f32], group: usize) -> Matrix<'a> {
        let len = self.group_width() * self.patch_width();
        let weights = &values[self.weight.clone()][group * len..][..len];
        Matrix::new(weights, self.group_width(), self.patch_width())
    }
}
