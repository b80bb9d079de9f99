//! Vectors of tokens: `spacy.MultiHashEmbed` and `spacy.MaxoutWindowEncoder`.

use std::{collections::HashMap, sync::Arc};

use faer::MatRef;
use label_studio_ml::anyhow::{self, Context, bail, ensure};
use rmpv::Value;

use super::{
    ThincModel, WordVectors,
    layers::{Maxout, RowMatrix, add_product},
    thinc::Tensor,
};
use crate::text::{Attribute, Doc, Lexicon, hash_keys, string_id};

/// Layer of a component that takes its vectors from another one.
pub(crate) const LISTENER: &str = "tok2vec-listener";
/// Rows that a layer computes at once, so that they stay in the cache of the processor.
const ROWS_PER_BLOCK: usize = 256;
/// Layers that this backend cannot compute, and what uses them.
const UNKNOWN: [(&str, &str); 6] = [
    ("charembed", "character embeddings (spacy.CharacterEmbed)"),
    ("mish", "a Mish encoder (spacy.MishWindowEncoder)"),
    ("with_padded(", "an LSTM encoder (spacy.TorchBiLSTMEncoder)"),
    ("transformer", "a transformer"),
    ("curated", "a transformer"),
    ("pytorch", "a network of PyTorch"),
];

/// Computes a vector for each token from its attributes and its neighbours.
#[derive(Debug)]
pub(crate) struct Tok2Vec {
    columns: Vec<Attribute>,
    tables: Vec<HashTable>,
    vectors: Option<Projection>,
    mix: Maxout,
    encoder: Vec<Maxout>,
    /// Neighbours on each side that a layer of the encoder sees.
    window: usize,
}

/// A table with rows for hashes of an attribute.
#[derive(Debug)]
struct HashTable {
    column: usize,
    seed: u32,
    rows: Tensor,
}

/// Vectors of words, brought to the width of the other parts.
#[derive(Debug)]
struct Projection {
    vectors: Arc<WordVectors>,
    /// `width` rows as long as the vectors.
    weights: Tensor,
}

impl Tok2Vec {
    /// Reads the layers of a network. `vectors` are those of the pipeline's vocabulary.
    pub(crate) fn read(
        model: &ThincModel,
        vectors: impl FnOnce() -> anyhow::Result<Arc<WordVectors>>,
    ) -> anyhow::Result<Self> {
        for layer in &model.layers {
            let name = layer.name.to_lowercase();
            if let Some((_, what)) = UNKNOWN.iter().find(|(start, _)| name.starts_with(start)) {
                bail!("the network has {what}, which this backend does not support");
            }
        }
        let extractor = model.named("extract_features").next();
        let columns = extractor
            .and_then(|layer| layer.attribute("columns")?.as_array())
            .context("the network does not embed attributes of tokens (spacy.MultiHashEmbed)")?;
        let columns = columns.iter().map(Attribute::parse);
        let columns: Vec<_> = columns.collect::<anyhow::Result<_>>()?;
        let tables = model.named("hashembed").map(|layer| {
            let number = |name: &str| layer.attribute(name).and_then(Value::as_u64);
            Ok(HashTable {
                column: usize::try_from(number("column").unwrap_or(0))?,
                seed: u32::try_from(number("seed").context("a layer hashembed has no seed")?)?,
                rows: layer.tensor("E", 2)?.clone(),
            })
        });
        let tables: Vec<_> = tables.collect::<anyhow::Result<_>>()?;
        let vectors = match model.named("static_vectors").next() {
            Some(layer) => Some(Projection {
                weights: layer.tensor("W", 2)?.clone(),
                vectors: vectors()?,
            }),
            None => None,
        };
        let norms: Vec<_> = model.named("layernorm").collect();
        let maxouts: Vec<_> = model.named("maxout").collect();
        ensure!(
            norms.len() == maxouts.len(),
            "the network has maxout layers without layer normalisation"
        );
        let layers = maxouts.into_iter().zip(norms);
        let mut layers = layers.map(|(maxout, norm)| Maxout::read(maxout, norm));
        let mix = layers.next().context("the network has no layer maxout")??;
        let encoder: Vec<_> = layers.collect::<anyhow::Result<_>>()?;
        let window = model.named("expand_window").next();
        let window = window.and_then(|layer| layer.attribute("window_size")?.as_u64());
        Self {
            columns,
            tables,
            vectors,
            mix,
            encoder,
            window: usize::try_from(window.unwrap_or(0))?,
        }
        .checked()
    }

    fn checked(self) -> anyhow::Result<Self> {
        let n_embedded: usize = self.tables.iter().map(|table| table.rows.shape[1]).sum();
        let n_projected = self
            .vectors
            .as_ref()
            .map_or(0, |part| part.weights.shape[0]);
        let has_columns = |table: &HashTable| table.column < self.columns.len();
        let fits = |part: &Projection| {
            let [n_out, n_in] = [part.weights.shape[0], part.weights.shape[1]];
            n_out > 0 && n_in > 0 && n_in == part.vectors.width()
        };
        ensure!(
            self.tables.iter().all(has_columns)
                && self.tables.iter().all(|table| table.rows.shape[0] > 0)
                && self.vectors.as_ref().is_none_or(fits)
                && self.mix.n_in() == n_embedded + n_projected,
            "the parts of the embedding do not fit together"
        );
        let width = self.width();
        ensure!(
            self.encoder.iter().all(|layer| {
                layer.n_out() == width && layer.n_in() == width * (2 * self.window + 1)
            }),
            "the layers of the encoder do not fit together"
        );
        Ok(self)
    }

    /// Returns the length of the vectors.
    pub(crate) fn width(&self) -> usize {
        self.mix.n_out()
    }

    /// Returns the vectors of the tokens of each text, one after the other.
    pub(crate) fn vectors(&self, docs: &[Doc<'_>], lexicon: &Lexicon) -> Vec<Vec<f32>> {
        let width = self.width();
        let (embedded, rows_of_tokens) = self.embed(docs, lexicon);
        // RowMatrix of zeros are before, between and behind the texts: so many that no text sees another
        // one. The encoder computes them, too.
        let n_pad = self.window * self.encoder.len();
        let mut rows = vec![0.0; n_pad * width];
        let mut starts = Vec::with_capacity(docs.len());
        for tokens in &rows_of_tokens {
            starts.push(rows.len());
            for row in tokens {
                rows.extend_from_slice(&embedded[row * width..][..width]);
            }
            rows.resize(rows.len() + n_pad * width, 0.0);
        }
        for layer in &self.encoder {
            self.encode(layer, &mut rows);
        }
        let texts = starts.into_iter().zip(&rows_of_tokens);
        texts
            .map(|(start, tokens)| rows[start..start + tokens.len() * width].to_vec())
            .collect()
    }

    /// Adds to each row what a layer makes of it and its neighbours.
    fn encode(&self, layer: &Maxout, rows: &mut [f32]) {
        let width = self.width();
        let mut padded = vec![0.0; self.window * width];
        padded.extend_from_slice(rows);
        padded.resize(padded.len() + self.window * width, 0.0);
        for (block, changed) in rows.chunks_mut(ROWS_PER_BLOCK * width).enumerate() {
            let first = block * ROWS_PER_BLOCK;
            let parts: Vec<_> = (first..=first + 2 * self.window)
                .map(|row| RowMatrix {
                    values: &padded[row * width..],
                    n_rows: changed.len() / width,
                    width,
                })
                .collect();
            for (value, change) in changed.iter_mut().zip(layer.apply(&parts)) {
                *value += change;
            }
        }
    }

    /// Embeds each different token once: returns their rows, and for each token which one is its.
    fn embed(&self, docs: &[Doc<'_>], lexicon: &Lexicon) -> (Vec<f32>, Vec<Vec<usize>>) {
        let mut known: HashMap<(&str, Option<u64>, bool), usize> = HashMap::new();
        let mut different = Vec::new();
        let mut rows = Vec::with_capacity(docs.len());
        for doc in docs {
            let tokens = doc.tokens.iter().map(|token| {
                let key = (doc.word(token), token.norm, token.has_space);
                *known.entry(key).or_insert_with(|| {
                    different.push((doc, token));
                    different.len() - 1
                })
            });
            rows.push(tokens.collect());
        }
        let mut mixed = vec![0.0; different.len() * self.mix.n_in()];
        let mut projected = Vec::new();
        for ((doc, token), row) in different
            .iter()
            .zip(mixed.chunks_exact_mut(self.mix.n_in()))
        {
            let values = self.columns.iter();
            let values = values.map(|column| lexicon.value(*column, doc, token));
            let values: Vec<u64> = values.collect();
            let mut rest = row;
            for table in &self.tables {
                let (part, behind) = rest.split_at_mut(table.rows.shape[1]);
                table.add(values[table.column], part);
                rest = behind;
            }
            if let Some(part) = &self.vectors {
                let vector = part.vectors.get(string_id(doc.word(token)));
                let none = vec![0.0; part.vectors.width()];
                projected.extend_from_slice(vector.unwrap_or(&none));
            }
        }
        if let Some(part) = &self.vectors {
            part.add(&projected, &mut mixed, self.mix.n_in());
        }
        let mixed = RowMatrix {
            values: &mixed,
            n_rows: different.len(),
            width: self.mix.n_in(),
        };
        (self.mix.apply(&[mixed]), rows)
    }
}

impl HashTable {
    /// Adds the four rows of an attribute.
    fn add(&self, value: u64, sum: &mut [f32]) {
        let [n_rows, width] = [self.rows.shape[0], self.rows.shape[1]];
        for key in hash_keys(value, self.seed) {
            let row = usize::try_from(key).map_or(0, |key| key % n_rows);
            for (sum, value) in sum
                .iter_mut()
                .zip(&self.rows.values[row * width..][..width])
            {
                *sum += value;
            }
        }
    }
}

impl Projection {
    /// Writes the projected vectors to the end of each row.
    fn add(&self, vectors: &[f32], rows: &mut [f32], row_width: usize) {
        let [n_out, n_in] = [self.weights.shape[0], self.weights.shape[1]];
        let n_rows = rows.len() / row_width;
        let mut projected = vec![0.0; n_rows * n_out];
        let weights = MatRef::from_row_major_slice(&self.weights.values, n_out, n_in);
        let vectors = RowMatrix {
            values: vectors,
            n_rows,
            width: n_in,
        };
        add_product(&mut projected, vectors, weights.transpose());
        let pairs = rows
            .chunks_exact_mut(row_width)
            .zip(projected.chunks_exact(n_out));
        for (row, projected) in pairs {
            row[row_width - n_out..].copy_from_slice(projected);
        }
    }
}
