//! Scores of the spans of a text for labels that are a part of the input, as GLiNER has them
//! (Zaratiana et al., "GLiNER: Generalist Model for Named Entity Recognition using Bidirectional
//! Transformer", 2023).

use super::{
    linear::Linear,
    lstm::{Lstm, LstmMemory, LstmSizes},
    mlp::{Mlp, MlpMemory},
    parameters::Layout,
    scratch::resized,
};
use crate::{
    checkpoint::SpanSizes,
    numbers::{
        activation::Activation,
        dropout::{Dropout, mixed},
        matrix::Matrix,
        rows::{add, add_column_sums, add_row},
    },
};

/// Where the parameters of a span head are.
#[derive(Debug)]
pub(crate) struct SpanHead {
    sizes: SpanSizes,
    rnn: Vec<Lstm>,
    starts: Mlp,
    ends: Mlp,
    /// From the start and the end of a span to the span.
    spans: Mlp,
    labels: Mlp,
}

/// Where the words and the labels of several texts start, and where the last ones end.
#[derive(Debug, Default)]
pub(crate) struct SpanBounds {
    pub(crate) words: Vec<usize>,
    pub(crate) labels: Vec<usize>,
}

/// What the backward pass needs of the forward pass.
#[derive(Debug, Default)]
pub(crate) struct SpanHeadMemory {
    /// Rows of words: the input, and the output of each recurrent layer.
    pub(crate) words: Vec<Vec<f32>>,
    /// Rows of labels.
    pub(crate) labels: Vec<f32>,
    rnn: Vec<LstmMemory>,
    /// Of the starts, the ends, and the labels.
    mlps: [MlpMemory; 3],
    /// Outputs of starts and ends, before and behind the rectifier.
    sides: [Vec<f32>; 2],
    rectified: [Vec<f32>; 2],
    /// The first layer of the spans, for starts and ends by themselves.
    parts: [Vec<f32>; 2],
    prompts: Vec<f32>,
    /// The labels as the middle of the spans' layers sees them, and a constant for each.
    queries: Vec<f32>,
    constants: Vec<f32>,
    /// The middle of the spans' layers, one row per span.
    middle: Vec<f32>,
    /// One row per span of each text, with one value per label of that text.
    pub(crate) logits: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
    scratch: SpanScratch,
}

/// Gradients that are passed on.
#[derive(Debug, Default)]
struct SpanScratch {
    middle: Vec<f32>,
    parts: [Vec<f32>; 2],
    sides: Vec<f32>,
    queries: Vec<f32>,
    constants: Vec<f32>,
    prompts: Vec<f32>,
    words: [Vec<f32>; 2],
    pub(crate) labels: Vec<f32>,
}

/// The spans of a text: first and last word, by the first, then by the last.
pub(crate) fn spans(n_words: usize, max_width: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n_words).flat_map(move |start| {
        let end = n_words.min(start.saturating_add(max_width));
        (start..end).map(move |last| (start, last))
    })
}

/// Returns how many spans a text has.
pub(crate) fn n_spans(n_words: usize, max_width: usize) -> usize {
    let whole = (n_words + 1).saturating_sub(max_width);
    let rest = n_words - whole;
    whole * max_width + rest * (rest + 1) / 2
}

impl SpanHead {
    /// Adds the parameters.
    pub(crate) fn add(layout: &mut Layout, sizes: SpanSizes) -> Self {
        let width = sizes.hidden_size;
        let lstm = LstmSizes {
            n_in: width,
            n_hidden: width / 2,
            is_bidirectional: true,
        };
        let rnn = (0..sizes.n_rnn_layers)
            .map(|idx| Lstm::add(layout, ("rnn.lstm", idx), lstm))
            .collect();
        let mut mlp = |name: &str, n_in| {
            let name = format!("span_rep_layer.span_rep_layer.{name}");
            Mlp::add(layout, &name, (n_in, width))
        };
        Self {
            rnn,
            starts: mlp("project_start", width),
            ends: mlp("project_end", width),
            spans: mlp("out_project", 2 * width),
            labels: Mlp::add(layout, "prompt_rep_layer", (width, width)),
            sizes,
        }
    }

    fn width(&self) -> usize {
        self.sizes.hidden_size
    }

    /// Computes the logits of all spans, given the rows of words (`memory.words[0]`) and labels.
    ///
    /// The first layer of a span is a sum of its start and its end, and the product of the last one
    /// with a label does not depend on the span: both are computed once, not once per span.
    pub(crate) fn forward(
        &self,
        values: &[f32],
        (bounds, seed): (&SpanBounds, Option<u32>),
        memory: &mut SpanHeadMemory,
    ) {
        memory.words.resize_with(self.rnn.len() + 1, Vec::new);
        memory.rnn.resize_with(self.rnn.len(), LstmMemory::default);
        for (idx, lstm) in self.rnn.iter().enumerate() {
            let (known, next) = memory.words.split_at_mut(idx + 1);
            let input = (known[idx].as_slice(), bounds.words.as_slice());
            let out = resized(&mut next[0], known[idx].len());
            lstm.forward(values, input, &mut memory.rnn[idx], out);
        }
        let words = &memory.words[self.rnn.len()];
        let dropouts = self.dropouts(seed);
        for (side, mlp) in [&self.starts, &self.ends].into_iter().enumerate() {
            let input = (words.as_slice(), dropouts[side]);
            let out = &mut memory.sides[side];
            mlp.forward(values, input, &mut memory.mlps[side], out);
            let rectified = resized(&mut memory.rectified[side], out.len());
            Activation::Relu.forward(out, rectified);
            let part = resized(&mut memory.parts[side], words.len() * 4);
            Matrix::new(rectified, words.len() / self.width(), self.width())
                .times(self.side_weights(values, side).transposed())
                .write(part);
        }
        add_row(&mut memory.parts[0], &values[self.spans.first.bias.clone()]);

        let input = (memory.labels.as_slice(), dropouts[2]);
        let (mlp_memory, prompts) = (&mut memory.mlps[2], &mut memory.prompts);
        self.labels.forward(values, input, mlp_memory, prompts);
        let last = &self.spans.last;
        let queries = resized(&mut memory.queries, prompts.len() * 4);
        last.outputs(prompts)
            .times(last.weights(values))
            .write(queries);
        let constants = resized(&mut memory.constants, prompts.len() / self.width());
        last.outputs(prompts)
            .times(Matrix::new(&values[last.bias.clone()], self.width(), 1))
            .write(constants);
        self.score(bounds, seed, memory);
    }

    /// Computes the middle of each span, and its product with each label of its text.
    fn score(&self, bounds: &SpanBounds, seed: Option<u32>, memory: &mut SpanHeadMemory) {
        let wide = 4 * self.width();
        let texts = self.texts(bounds);
        let n_middle = texts
            .last()
            .map_or(0, |text| text.first_span + text.n_spans);
        let n_logits = texts.last().map_or(0, Text::end);
        let middle = resized(&mut memory.middle, n_middle * wide);
        let logits = resized(&mut memory.logits, n_logits);
        let [starts, ends] = &memory.parts;
        for (number, text) in texts.iter().enumerate() {
            let own = &mut middle[text.first_span * wide..][..text.n_spans * wide];
            let spans = spans(text.n_words, self.sizes.max_width);
            for (row, (start, last)) in own.chunks_exact_mut(wide).zip(spans) {
                row.copy_from_slice(&starts[(text.first_word + start) * wide..][..wide]);
                add(row, &ends[(text.first_word + last) * wide..][..wide]);
                for value in row {
                    *value = value.max(0.0);
                }
            }
            self.span_dropout(seed, number).apply(own);
            let logits = &mut logits[text.first_logit..text.end()];
            let queries = &memory.queries[text.first_label * wide..][..text.n_labels * wide];
            Matrix::new(own, text.n_spans, wide)
                .times(Matrix::new(queries, text.n_labels, wide).transposed())
                .write(logits);
            let constants = &memory.constants[text.first_label..][..text.n_labels];
            if text.n_labels > 0 {
                add_row(logits, constants);
            }
        }
    }

    /// Adds the gradients of the parameters, given that of the logits in `memory`, and replaces the
    /// rows of words and labels in `memory` by their gradients.
    pub(crate) fn backward(
        &self,
        values: &[f32],
        (bounds, seed): (&SpanBounds, Option<u32>),
        memory: &mut SpanHeadMemory,
        gradients: &mut [f32],
    ) {
        self.score_backward(bounds, seed, memory);
        let dropouts = self.dropouts(seed);
        let SpanHeadMemory {
            words,
            labels,
            rnn,
            mlps,
            sides,
            rectified,
            prompts,
            scratch,
            ..
        } = memory;
        self.labels_backward(values, (prompts, scratch), gradients);
        let of_labels = resized(&mut scratch.labels, labels.len());
        of_labels.fill(0.0);
        let known = (&mut mlps[2], scratch.prompts.as_slice());
        let input = (labels.as_slice(), dropouts[2]);
        self.labels
            .backward(values, input, known, (&mut *of_labels, &mut *gradients));
        labels.copy_from_slice(of_labels);

        let last = self.rnn.len();
        let [of_words, passed] = &mut scratch.words;
        let of_words = resized(of_words, words[last].len());
        of_words.fill(0.0);
        add_column_sums(
            &scratch.parts[0],
            &mut gradients[self.spans.first.bias.clone()],
        );
        let n_words = words[last].len() / self.width();
        for (side, mlp) in [&self.starts, &self.ends].into_iter().enumerate() {
            let part = Matrix::new(&scratch.parts[side], n_words, 4 * self.width());
            let weights = &mut gradients[self.spans.first.weight.clone()];
            part.transposed()
                .times(Matrix::new(&rectified[side], n_words, self.width()))
                .add_strided(&mut weights[side * self.width()..], 2 * self.width());
            let of_side = resized(&mut scratch.sides, sides[side].len());
            part.times(self.side_weights(values, side)).write(of_side);
            Activation::Relu.backward(&sides[side], of_side);
            let known = (&mut mlps[side], &*of_side);
            let input = (words[last].as_slice(), dropouts[side]);
            mlp.backward(values, input, known, (&mut *of_words, &mut *gradients));
        }
        let passed = resized(passed, of_words.len());
        for (idx, lstm) in self.rnn.iter().enumerate().rev() {
            let input = (words[idx].as_slice(), bounds.words.as_slice());
            let known = (&mut rnn[idx], &*of_words);
            lstm.backward(values, input, known, (&mut *passed, &mut *gradients));
            of_words.copy_from_slice(passed);
        }
        words[0].copy_from_slice(of_words);
    }

    /// Passes the gradient of the logits on to the parts of the spans, and to the labels as the
    /// spans see them.
    fn score_backward(&self, bounds: &SpanBounds, seed: Option<u32>, memory: &mut SpanHeadMemory) {
        let wide = 4 * self.width();
        let scratch = &mut memory.scratch;
        let [starts, ends] = &mut scratch.parts;
        for (side, part) in [&mut *starts, &mut *ends].into_iter().enumerate() {
            resized(part, memory.parts[side].len()).fill(0.0);
        }
        let of_queries = resized(&mut scratch.queries, memory.queries.len());
        let of_constants = resized(&mut scratch.constants, memory.constants.len());
        of_constants.fill(0.0);
        for (number, text) in self.texts(bounds).iter().enumerate() {
            let labels = text.first_label * wide..(text.first_label + text.n_labels) * wide;
            let middle = &memory.middle[text.first_span * wide..][..text.n_spans * wide];
            let gradient = &memory.gradient[text.first_logit..text.end()];
            let gradient_rows = Matrix::new(gradient, text.n_spans, text.n_labels);
            gradient_rows
                .transposed()
                .times(Matrix::new(middle, text.n_spans, wide))
                .write(&mut of_queries[labels.clone()]);
            if text.n_labels > 0 {
                let own = text.first_label..text.first_label + text.n_labels;
                add_column_sums(gradient, &mut of_constants[own]);
            }
            let of_middle = resized(&mut scratch.middle, middle.len());
            let queries = Matrix::new(&memory.queries[labels], text.n_labels, wide);
            gradient_rows.times(queries).write(of_middle);
            self.span_dropout(seed, number).apply(of_middle);
            let rows = of_middle.chunks_exact_mut(wide);
            let known = middle.chunks_exact(wide);
            let spans = spans(text.n_words, self.sizes.max_width);
            for ((row, known), (start, last)) in rows.zip(known).zip(spans) {
                for (value, known) in row.iter_mut().zip(known) {
                    // What the rectifier or the dropout made 0 passes nothing on.
                    if *known <= 0.0 {
                        *value = 0.0;
                    }
                }
                add(&mut starts[(text.first_word + start) * wide..][..wide], row);
                add(&mut ends[(text.first_word + last) * wide..][..wide], row);
            }
        }
    }

    /// Passes the gradient of the labels as the spans see them on to the labels, and to the last
    /// layer of the spans.
    fn labels_backward(
        &self,
        values: &[f32],
        (prompts, scratch): (&[f32], &mut SpanScratch),
        gradients: &mut [f32],
    ) {
        let (last, width) = (&self.spans.last, self.width());
        let n_labels = prompts.len() / width;
        let queries = Matrix::new(&scratch.queries, n_labels, 4 * width);
        let constants = Matrix::new(&scratch.constants, n_labels, 1);
        last.outputs(prompts)
            .transposed()
            .times(queries)
            .add_to(&mut gradients[last.weight.clone()]);
        last.outputs(prompts)
            .transposed()
            .times(constants)
            .add_to(&mut gradients[last.bias.clone()]);
        let of_prompts = resized(&mut scratch.prompts, prompts.len());
        queries
            .times(last.weights(values).transposed())
            .write(of_prompts);
        constants
            .times(Matrix::new(&values[last.bias.clone()], 1, width))
            .add_to(of_prompts);
    }

    /// Returns the columns of the spans' first layer that see starts or ends.
    fn side_weights<'a>(&self, values: &'a [f32], side: usize) -> Matrix<'a> {
        let Linear {
            weight,
            n_in,
            n_out,
            ..
        } = &self.spans.first;
        let columns = &values[weight.clone()][side * self.width()..];
        Matrix::strided(columns, *n_out, self.width(), *n_in)
    }

    fn texts(&self, bounds: &SpanBounds) -> Vec<Text> {
        let (mut first_span, mut first_logit) = (0, 0);
        let pairs = bounds.words.windows(2).zip(bounds.labels.windows(2));
        let text = |(words, labels): (&[usize], &[usize])| {
            let text = Text {
                first_word: words[0],
                n_words: words[1] - words[0],
                first_label: labels[0],
                n_labels: labels[1] - labels[0],
                first_span,
                n_spans: n_spans(words[1] - words[0], self.sizes.max_width),
                first_logit,
            };
            first_span += text.n_spans;
            first_logit = text.end();
            text
        };
        pairs.map(text).collect()
    }

    /// Returns the dropouts of starts, ends and labels; without a seed they do nothing.
    fn dropouts(&self, seed: Option<u32>) -> [Dropout; 3] {
        [9, 10, 11].map(|number| match seed {
            Some(seed) => Dropout::new(self.sizes.dropout, mixed(number, seed)),
            None => Dropout::new(0.0, 0),
        })
    }

    fn span_dropout(&self, seed: Option<u32>, text: usize) -> Dropout {
        #[expect(clippy::cast_possible_truncation, reason = "any number does as a seed")]
        match seed {
            Some(seed) => Dropout::new(self.sizes.dropout, mixed(12 + text as u32, seed)),
            None => Dropout::new(0.0, 0),
        }
    }
}

/// Where the parts of a text lie among those of a batch.
#[derive(Debug)]
struct Text {
    first_word: usize,
    n_words: usize,
    first_label: usize,
    n_labels: usize,
    first_span: usize,
    n_spans: usize,
    first_logit: usize,
}

impl Text {
    /// Returns where its logits end.
    fn end(&self) -> usize {
        self.first_logit + self.n_spans * self.n_labels
    }
}
