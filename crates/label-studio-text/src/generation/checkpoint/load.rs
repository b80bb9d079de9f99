//! Weights of a decoder, by the names that each family gives them.

use std::path::PathBuf;

use super::{
    architecture::{Architecture, Block, Names, NormKind},
    tensors::Tensors,
};
use crate::generation::{
    GenerationError,
    numbers::{Linear, Matrix, Numbers},
};

/// The weights of a decoder.
#[derive(Debug)]
pub(in crate::generation) struct Weights {
    pub(in crate::generation) embedding: Matrix,
    /// Learned positions.
    pub(in crate::generation) positions: Option<Matrix>,
    /// From the width of the embeddings to that of the layers, and back.
    pub(in crate::generation) projections: Option<(Linear, Linear)>,
    pub(in crate::generation) layers: Vec<Layer>,
    pub(in crate::generation) final_norm: Option<NormWeights>,
    /// `None` if the embeddings are used.
    pub(in crate::generation) head: Option<Linear>,
}

/// The weights of a layer.
#[derive(Debug)]
pub(in crate::generation) struct Layer {
    pub(in crate::generation) attention_norm: NormWeights,
    /// Queries, keys and values, one after the other.
    pub(in crate::generation) attention_in: Linear,
    pub(in crate::generation) attention_out: Linear,
    pub(in crate::generation) head_norms: Option<(NormWeights, NormWeights)>,
    /// After the attention, where both sides have a norm.
    pub(in crate::generation) attention_out_norm: Option<NormWeights>,
    /// `None` where one norm serves attention and feed-forward layers.
    pub(in crate::generation) feed_norm: Option<NormWeights>,
    pub(in crate::generation) feed: Feed,
    pub(in crate::generation) feed_out_norm: Option<NormWeights>,
}

/// A feed-forward layer.
#[derive(Debug)]
pub(in crate::generation) struct Feed {
    /// Where it is gated: first the gates, then what they open.
    pub(in crate::generation) inward: Linear,
    pub(in crate::generation) outward: Linear,
}

/// The weights of a normalization.
#[derive(Debug, Clone)]
pub(in crate::generation) struct NormWeights {
    pub(in crate::generation) scale: Vec<f32>,
    pub(in crate::generation) shift: Option<Vec<f32>>,
}

/// Reads the weights that an architecture has.
pub(in crate::generation) fn load(
    architecture: &Architecture,
    paths: &[PathBuf],
) -> Result<Weights, GenerationError> {
    let tensors = Tensors::open(paths)?;
    let outer = match architecture.names {
        Names::Llama | Names::Phi3 | Names::Phi => ["model."].as_slice(),
        Names::Opt => ["model.decoder.", "decoder."].as_slice(),
        Names::Gpt2 => ["transformer.", ""].as_slice(),
    };
    let embedding = match architecture.names {
        Names::Gpt2 => "wte",
        _ => "embed_tokens",
    };
    // A model that was saved without its head has no prefix.
    let known = outer
        .iter()
        .find(|outer| tensors.has(&format!("{outer}{embedding}.weight")));
    let reader = Reader {
        architecture,
        tensors: &tensors,
        outer: known.unwrap_or(&outer[0]),
    };
    reader.weights(embedding)
}

struct Reader<'a> {
    architecture: &'a Architecture,
    tensors: &'a Tensors,
    outer: &'a str,
}

/// A linear layer that is put together from tensors with these names and numbers of outputs.
type Parts<'a> = &'a [(&'a str, usize)];

impl Reader<'_> {
    fn weights(&self, embedding: &str) -> Result<Weights, GenerationError> {
        let architecture = self.architecture;
        let sizes = &architecture.sizes;
        let (n_tokens, width) = (sizes.n_tokens, sizes.width);
        let embedding_width = sizes.embedding_width;
        let positions = match architecture.first_position {
            Some(first) => {
                let name = match architecture.names {
                    Names::Gpt2 => "wpe",
                    _ => "embed_positions",
                };
                let n_rows = sizes.max_positions + first;
                Some(self.matrix(&format!("{}{name}", self.outer), n_rows, width)?)
            }
            None => None,
        };
        let outer = self.outer;
        let projections = if embedding_width == width {
            None
        } else {
            Some((
                self.linear(outer, &[("project_in", width)], embedding_width)?,
                self.linear(outer, &[("project_out", embedding_width)], width)?,
            ))
        };
        let final_norm = match architecture.names {
            Names::Llama | Names::Phi3 => "norm",
            Names::Phi => "final_layernorm",
            Names::Opt => "final_layer_norm",
            Names::Gpt2 => "ln_f",
        };
        let has_head = self.tensors.has("lm_head.weight");
        let head = if has_head && !architecture.is_head_tied {
            Some(self.linear("", &[("lm_head", n_tokens)], embedding_width)?)
        } else {
            None
        };
        let layers = (0..architecture.layers.len()).map(|idx| match architecture.names {
            Names::Llama | Names::Phi3 | Names::Phi => {
                self.llama_layer(&format!("{outer}layers.{idx}."))
            }
            Names::Opt => self.opt_layer(&format!("{outer}layers.{idx}.")),
            Names::Gpt2 => self.gpt2_layer(&format!("{outer}h.{idx}.")),
        });
        Ok(Weights {
            layers: layers.collect::<Result<_, _>>()?,
            embedding: self.matrix(&format!("{outer}{embedding}"), n_tokens, embedding_width)?,
            positions,
            projections,
            final_norm: if architecture.has_final_norm {
                Some(self.norm(&format!("{outer}{final_norm}"), width)?)
            } else {
                None
            },
            head,
        })
    }

    fn llama_layer(&self, layer: &str) -> Result<Layer, GenerationError> {
        let architecture = self.architecture;
        let sizes = &architecture.sizes;
        let (width, inner) = (sizes.width, sizes.inner_width);
        let (queries, keys) = (sizes.query_width(), sizes.key_width());
        let attention = format!("{layer}self_attn.");
        let feed = format!("{layer}mlp.");
        let is_phi = architecture.names == Names::Phi;
        let attention_in: Parts<'_> = match architecture.names {
            Names::Phi3 => &[("qkv_proj", queries + 2 * keys)],
            _ => &[("q_proj", queries), ("k_proj", keys), ("v_proj", keys)],
        };
        let (feed_in, feed_out): (Parts<'_>, _) = match architecture.names {
            Names::Phi3 => (&[("gate_up_proj", 2 * inner)], "down_proj"),
            Names::Phi => (&[("fc1", inner)], "fc2"),
            _ => (&[("gate_proj", inner), ("up_proj", inner)], "down_proj"),
        };
        let norm = |name: &str, width| self.norm(&format!("{layer}{name}"), width);
        let is_around = architecture.block == Block::Around;
        let feed_norm = match architecture.block {
            Block::Parallel => None,
            Block::Around => Some(norm("pre_feedforward_layernorm", width)?),
            _ => Some(norm("post_attention_layernorm", width)?),
        };
        let around = |name| is_around.then(|| norm(name, width)).transpose();
        let head_norm = |name| norm(name, sizes.head_width);
        let head_norms = if architecture.has_head_norms {
            let queries = head_norm("self_attn.q_norm")?;
            Some((queries, head_norm("self_attn.k_norm")?))
        } else {
            None
        };
        let out = if is_phi { "dense" } else { "o_proj" };
        Ok(Layer {
            attention_norm: norm("input_layernorm", width)?,
            attention_in: self.linear(&attention, attention_in, width)?,
            attention_out: self.linear(&attention, &[(out, width)], queries)?,
            head_norms,
            attention_out_norm: around("post_attention_layernorm")?,
            feed_norm,
            feed: Feed {
                inward: self.linear(&feed, feed_in, width)?,
                outward: self.linear(&feed, &[(feed_out, width)], inner)?,
            },
            feed_out_norm: around("post_feedforward_layernorm")?,
        })
    }

    fn opt_layer(&self, layer: &str) -> Result<Layer, GenerationError> {
        let sizes = &self.architecture.sizes;
        let (width, inner) = (sizes.width, sizes.inner_width);
        let attention = format!("{layer}self_attn.");
        let parts = [("q_proj", width), ("k_proj", width), ("v_proj", width)];
        let norm = |name: &str| self.norm(&format!("{layer}{name}"), width);
        Ok(Layer {
            attention_norm: norm("self_attn_layer_norm")?,
            attention_in: self.linear(&attention, &parts, width)?,
            attention_out: self.linear(&attention, &[("out_proj", width)], width)?,
            head_norms: None,
            attention_out_norm: None,
            feed_norm: Some(norm("final_layer_norm")?),
            feed: Feed {
                inward: self.linear(layer, &[("fc1", inner)], width)?,
                outward: self.linear(layer, &[("fc2", width)], inner)?,
            },
            feed_out_norm: None,
        })
    }

    fn gpt2_layer(&self, layer: &str) -> Result<Layer, GenerationError> {
        let sizes = &self.architecture.sizes;
        let (width, inner) = (sizes.width, sizes.inner_width);
        let linear = |name: &str, n_in, n_out| {
            let name = format!("{layer}{name}");
            // Its weights are written the other way round.
            let numbers = self
                .tensors
                .read(&format!("{name}.weight"), &[n_in, n_out])?;
            let matrix = Matrix::new(numbers.transposed(n_in), n_out, n_in);
            let bias = self.tensors.read_row(&format!("{name}.bias"), n_out)?;
            Ok::<_, GenerationError>(Linear::new(vec![matrix], Some(bias)))
        };
        let norm = |name: &str| self.norm(&format!("{layer}{name}"), width);
        Ok(Layer {
            attention_norm: norm("ln_1")?,
            attention_in: linear("attn.c_attn", width, 3 * width)?,
            attention_out: linear("attn.c_proj", width, width)?,
            head_norms: None,
            attention_out_norm: None,
            feed_norm: Some(norm("ln_2")?),
            feed: Feed {
                inward: linear("mlp.c_fc", width, inner)?,
                outward: linear("mlp.c_proj", inner, width)?,
            },
            feed_out_norm: None,
        })
    }

    /// Reads a linear layer; those of a model that was trained without biases have none.
    fn linear(
        &self,
        prefix: &str,
        parts: Parts<'_>,
        n_in: usize,
    ) -> Result<Linear, GenerationError> {
        let mut matrices = Vec::with_capacity(parts.len());
        let mut biases: Vec<f32> = Vec::new();
        for (name, n_out) in parts {
            let name = format!("{prefix}{name}");
            matrices.push(self.matrix(&name, *n_out, n_in)?);
            let bias = format!("{name}.bias");
            if self.tensors.has(&bias) {
                biases.extend(self.tensors.read_row(&bias, *n_out)?);
            }
        }
        let n_out: usize = parts.iter().map(|(_, n_out)| n_out).sum();
        if !biases.is_empty() && biases.len() != n_out {
            let name = format!("{prefix}{}.bias", parts[0].0);
            return Err(GenerationError::MissingTensor(name));
        }
        let bias = Some(biases).filter(|biases| !biases.is_empty());
        Ok(Linear::new(matrices, bias))
    }

    fn matrix(&self, name: &str, n_out: usize, n_in: usize) -> Result<Matrix, GenerationError> {
        let numbers: Numbers = self
            .tensors
            .read(&format!("{name}.weight"), &[n_out, n_in])?;
        Ok(Matrix::new(numbers, n_out, n_in))
    }

    fn norm(&self, name: &str, width: usize) -> Result<NormWeights, GenerationError> {
        let mut scale = self.tensors.read_row(&format!("{name}.weight"), width)?;
        let shift = match self.architecture.norm.kind {
            NormKind::Layer => Some(self.tensors.read_row(&format!("{name}.bias"), width)?),
            NormKind::Rms => None,
            NormKind::RmsPlusOne => {
                for scale in &mut scale {
                    *scale += 1.0;
                }
                None
            }
        };
        Ok(NormWeights { scale, shift })
    }
}
