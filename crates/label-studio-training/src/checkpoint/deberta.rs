//! The fields of `config.json` that `DeBERTa` has beside those of BERT.

use serde::Deserialize;

use super::CheckpointError;
use crate::numbers::activation::Activation;

/// Largest kernel of a convolution.
const MAX_KERNEL: usize = 99;

/// How the attention of `DeBERTa` sees the distance of two tokens, and what is around it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Deberta {
    #[serde(default)]
    relative_attention: bool,
    #[serde(default = "none")]
    position_buckets: i64,
    #[serde(default = "none")]
    max_relative_positions: i64,
    #[serde(default)]
    pos_att_type: Option<Terms>,
    #[serde(default)]
    pub(crate) share_att_key: bool,
    #[serde(default)]
    norm_rel_ebd: Option<String>,
    /// Whether words have embeddings of their places, as in BERT.
    #[serde(default = "yes")]
    pub(crate) position_biased_input: bool,
    /// Width of the convolution behind the first layer; 0 for none.
    #[serde(default)]
    pub(crate) conv_kernel_size: usize,
    #[serde(default = "one")]
    pub(crate) conv_groups: usize,
    #[serde(default = "tanh")]
    pub(crate) conv_act: Activation,
    #[serde(default)]
    pub(crate) pooler_dropout: f32,
    #[serde(default = "gelu")]
    pub(crate) pooler_hidden_act: Activation,
    #[serde(default)]
    pooler_hidden_size: Option<usize>,
    #[serde(default)]
    attention_head_size: Option<usize>,
    #[serde(default)]
    pub(crate) cls_dropout: Option<f32>,
}

/// Names of the terms of the attention, as a list or as `p2c|c2p`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Terms {
    Text(String),
    List(Vec<String>),
}

/// Numbers of the embeddings of distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Distances {
    /// Half as many rows as the table has.
    pub(crate) span: usize,
    /// Buckets of each sign; 0 where every distance has a row of its own.
    pub(crate) n_buckets: usize,
    /// Largest distance that has a bucket of its own.
    pub(crate) max_distance: usize,
}

impl Deberta {
    /// Returns whether a content's attention to places is a term of the scores.
    pub(crate) fn has_content_to_position(&self) -> bool {
        self.has_term("c2p")
    }

    /// Returns whether the places' attention to a content is a term of the scores.
    pub(crate) fn has_position_to_content(&self) -> bool {
        self.has_term("p2c")
    }

    /// Returns how many terms a score has.
    pub(crate) fn n_terms(&self) -> u8 {
        1 + u8::from(self.has_content_to_position()) + u8::from(self.has_position_to_content())
    }

    fn has_term(&self, name: &str) -> bool {
        match &self.pos_att_type {
            None => false,
            Some(Terms::Text(names)) => names
                .split('|')
                .any(|known| known.trim().eq_ignore_ascii_case(name)),
            Some(Terms::List(names)) => names.iter().any(|known| known == name),
        }
    }

    /// Returns whether the embeddings of distances are normalized.
    pub(crate) fn normalizes_distances(&self) -> bool {
        let names = self.norm_rel_ebd.as_deref().unwrap_or_default();
        names
            .split('|')
            .any(|name| name.trim().eq_ignore_ascii_case("layer_norm"))
    }

    /// Returns the numbers of the embeddings of distances, if attention uses them.
    pub(crate) fn distances(&self, max_positions: usize) -> Option<Distances> {
        if !self.relative_attention || self.n_terms() == 1 {
            return None;
        }
        let positive = |number: i64| usize::try_from(number).ok().filter(|number| *number > 0);
        let max_distance = positive(self.max_relative_positions).unwrap_or(max_positions);
        let n_buckets = positive(self.position_buckets).unwrap_or(0);
        Some(Distances {
            span: if n_buckets > 0 {
                n_buckets
            } else {
                max_distance
            },
            n_buckets,
            max_distance,
        })
    }

    /// Checks the numbers, given those of the rest of the model.
    pub(crate) fn check(
        &self,
        (hidden_size, n_heads): (usize, usize),
        (max_positions, max_size): (usize, usize),
    ) -> Result<(), CheckpointError> {
        let wrong = |name, problem| Err(CheckpointError::Size { name, problem });
        if let Some(distances) = self.distances(max_positions)
            && (distances.span > max_size || distances.max_distance > max_size)
        {
            return wrong("position_buckets", format!("{}", distances.span));
        }
        if self.conv_kernel_size > MAX_KERNEL
            || (self.conv_kernel_size > 0 && self.conv_kernel_size.is_multiple_of(2))
        {
            return wrong("conv_kernel_size", format!("{}", self.conv_kernel_size));
        }
        if self.conv_groups == 0 || !hidden_size.is_multiple_of(self.conv_groups) {
            return wrong("conv_groups", format!("{}", self.conv_groups));
        }
        if !(0.0..1.0).contains(&self.pooler_dropout) {
            return wrong("pooler_dropout", format!("{}", self.pooler_dropout));
        }
        let is_other = |size: Option<usize>, usual| size.is_some_and(|size| size != usual);
        if is_other(self.pooler_hidden_size, hidden_size) {
            return wrong("pooler_hidden_size", "it is not hidden_size".to_owned());
        }
        if is_other(self.attention_head_size, hidden_size / n_heads) {
            let problem = "it is not hidden_size by num_attention_heads".to_owned();
            return wrong("attention_head_size", problem);
        }
        Ok(())
    }
}

impl Distances {
    /// Returns the row of the table that stands for a distance, for a query minus a key: the
    /// distances near 0 have a row each, farther ones share rows whose widths grow with the
    /// logarithm, as `make_log_bucket_position` of `transformers` has it.
    pub(crate) fn row(&self, distance: isize) -> usize {
        let bucket = self.bucket(distance.unsigned_abs());
        if distance < 0 {
            self.span.saturating_sub(bucket)
        } else {
            (self.span + bucket).min(2 * self.span - 1)
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "distances are far below 2^24, and the logarithms are not negative"
    )]
    fn bucket(&self, distance: usize) -> usize {
        let middle = self.n_buckets / 2;
        if self.n_buckets == 0 || distance <= middle {
            return distance;
        }
        let middle_f = middle as f32;
        let largest = ((self.max_distance.saturating_sub(1)) as f64 / f64::from(middle_f)) as f32;
        let share = (distance as f32 / middle_f).ln() / largest.ln();
        (share * (middle_f - 1.0)).ceil() as usize + middle
    }
}

fn none() -> i64 {
    -1
}

fn yes() -> bool {
    true
}

fn one() -> usize {
    1
}

fn tanh() -> Activation {
    Activation::Tanh
}

fn gelu() -> Activation {
    Activation::Gelu
}

#[cfg(test)]
mod tests {
    use super::Distances;

    #[test]
    fn far_distances_share_rows_and_the_farthest_share_the_last_one() {
        let distances = Distances {
            span: 256,
            n_buckets: 256,
            max_distance: 512,
        };
        let rows = [-600, -511, -200, -128, -5, 0, 5, 128, 129, 200, 511, 600]
            .map(|distance| distances.row(distance));
        // From make_log_bucket_position(x, 256, 512) + 256, clamped to 0 and 511.
        assert_eq!(rows, ROWS);
        let each = Distances {
            n_buckets: 0,
            span: 4,
            max_distance: 4,
        };
        let rows: Vec<_> = (-6..=6).map(|distance| each.row(distance)).collect();
        assert_eq!(rows, [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7]);
    }

    const ROWS: [usize; 12] = [0, 1, 87, 128, 251, 256, 261, 384, 385, 425, 511, 511];
}
