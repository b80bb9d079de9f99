//! Frequencies of rotary positions, and how they are stretched for long contexts.
//!
//! The rules are those of `transformers`' `modeling_rope_utils`.

use std::f64::consts::PI;

use super::fields::Fields;
use crate::generation::GenerationError;

/// Rotary positions of a layer.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::generation) struct Rope {
    /// Radians per position, of each pair of numbers.
    pub(in crate::generation) frequencies: Vec<f32>,
    /// Frequencies of texts that are longer than the context of the pre-training, and its tokens.
    pub(in crate::generation) long: Option<(Vec<f32>, usize)>,
    /// What sines and cosines are multiplied with.
    pub(in crate::generation) scale: f32,
    /// Whether the numbers of a pair are neighbours; if not, they are half a head apart.
    pub(in crate::generation) is_interleaved: bool,
}

/// What the frequencies follow from.
#[derive(Debug, Clone, Copy)]
pub(super) struct RopeSizes {
    /// Numbers of a head that are rotated.
    pub(super) n_rotated: usize,
    pub(super) theta: f64,
    pub(super) max_positions: usize,
}

impl Rope {
    /// Computes the frequencies that `config` asks for.
    pub(super) fn of(config: &Fields, sizes: RopeSizes) -> Result<Self, GenerationError> {
        let scaling = config.object("rope_parameters");
        let scaling = scaling.or_else(|| config.object("rope_scaling"));
        let scaling = scaling.unwrap_or_default();
        let theta = scaling.number("rope_theta").unwrap_or(sizes.theta);
        if theta <= 1.0 || sizes.n_rotated < 2 || !sizes.n_rotated.is_multiple_of(2) {
            let problem = format!("{theta}, for {} numbers", sizes.n_rotated);
            return Err(GenerationError::size("rope_theta", problem));
        }
        let sizes = RopeSizes { theta, ..sizes };
        let kind = scaling.text("rope_type").or_else(|| scaling.text("type"));
        let plain = Self::plain(sizes);
        match kind.unwrap_or("default") {
            // Within the context of the training the dynamic kind changes nothing, and longer texts are refused.
            "default" | "dynamic" | "mrope" => Ok(plain),
            "linear" => {
                let factor = factor(&scaling)?;
                Ok(plain.map(|frequency, _| frequency / factor))
            }
            "llama3" => llama3(&scaling, plain, sizes),
            "yarn" => yarn(&scaling, plain, sizes),
            "longrope" | "su" => long(config, &scaling, &plain, sizes),
            other => Err(GenerationError::Unsupported(format!(
                "rotary positions of the type {other:?} are not known: choose a model with default, linear, dynamic, \
                 llama3, yarn or longrope"
            ))),
        }
    }

    /// Computes the frequencies of short contexts.
    fn plain(sizes: RopeSizes) -> Self {
        let n = sizes.n_rotated;
        let frequency = |idx: usize| single(sizes.theta.powf(-(as_f64(2 * idx) / as_f64(n))));
        Self {
            frequencies: (0..n / 2).map(frequency).collect(),
            long: None,
            scale: 1.0,
            is_interleaved: false,
        }
    }

    fn map(mut self, change: impl Fn(f64, usize) -> f64) -> Self {
        for (idx, frequency) in self.frequencies.iter_mut().enumerate() {
            *frequency = single(change(f64::from(*frequency), idx));
        }
        self
    }
}

/// Stretches long waves, and none of the short ones, as Llama 3.1 does.
fn llama3(scaling: &Fields, plain: Rope, sizes: RopeSizes) -> Result<Rope, GenerationError> {
    let factor = factor(scaling)?;
    let low = scaling.number("low_freq_factor").unwrap_or(1.0);
    let high = scaling.number("high_freq_factor").unwrap_or(4.0);
    let original = original_positions(scaling, sizes.max_positions);
    if high <= low || low <= 0.0 {
        let problem = "high_freq_factor has to be above low_freq_factor";
        return Err(GenerationError::size("rope_scaling", problem));
    }
    Ok(plain.map(|frequency, _| {
        let wavelength = 2.0 * PI / frequency;
        if wavelength < original / high {
            frequency
        } else if wavelength > original / low {
            frequency / factor
        } else {
            let smooth = (original / wavelength - low) / (high - low);
            (1.0 - smooth) * frequency / factor + smooth * frequency
        }
    }))
}

/// Stretches waves the more, the longer they are, and sharpens the attention ("`YaRN`", arXiv 2309.00071).
fn yarn(scaling: &Fields, plain: Rope, sizes: RopeSizes) -> Result<Rope, GenerationError> {
    let original = original_positions(scaling, sizes.max_positions);
    let factor = match scaling.number("factor") {
        Some(_) => factor(scaling)?,
        None => as_f64(sizes.max_positions) / original,
    };
    let n = as_f64(sizes.n_rotated);
    // The pair that makes so many turns within the original context.
    let pair = |turns: f64| n * (original / (turns * 2.0 * PI)).ln() / (2.0 * sizes.theta.ln());
    let fast = scaling.number("beta_fast").unwrap_or(32.0);
    let slow = scaling.number("beta_slow").unwrap_or(1.0);
    let (mut low, mut high) = (pair(fast), pair(slow));
    if scaling.flag("truncate").unwrap_or(true) {
        (low, high) = (low.floor(), high.ceil());
    }
    let (low, high) = (low.max(0.0), high.min(n - 1.0));
    let width = if high - low == 0.0 { 0.001 } else { high - low };
    let magnitude = |factor: f64, times: f64| {
        if factor <= 1.0 {
            1.0
        } else {
            0.1 * times * factor.ln() + 1.0
        }
    };
    let scale = scaling.number("attention_factor").unwrap_or_else(|| {
        match (scaling.number("mscale"), scaling.number("mscale_all_dim")) {
            (Some(one), Some(all)) if one != 0.0 && all != 0.0 => {
                magnitude(factor, one) / magnitude(factor, all)
            }
            _ => magnitude(factor, 1.0),
        }
    });
    let mut rope = plain.map(|frequency, idx| {
        let stretched = ((as_f64(idx) - low) / width).clamp(0.0, 1.0);
        frequency / factor * stretched + frequency * (1.0 - stretched)
    });
    rope.scale = single(scale);
    Ok(rope)
}

/// Two sets of frequencies, for short and long texts, as Phi 3 has them.
fn long(
    config: &Fields,
    scaling: &Fields,
    plain: &Rope,
    sizes: RopeSizes,
) -> Result<Rope, GenerationError> {
    let original = config.size("original_max_position_embeddings")?;
    let original = match original {
        Some(original) => original,
        None => scaling
            .size("original_max_position_embeddings")?
            .unwrap_or(sizes.max_positions),
    };
    let divided = |name: &'static str| {
        let factors = scaling.floats(name).unwrap_or_default();
        let is_whole = factors.len() == plain.frequencies.len() && factors.iter().all(|f| *f > 0.0);
        if !is_whole {
            let problem = format!("{name} needs {} numbers above 0", plain.frequencies.len());
            return Err(GenerationError::size("rope_scaling", problem));
        }
        let pairs = plain.frequencies.iter().zip(factors);
        Ok(pairs
            .map(|(frequency, factor)| frequency / factor)
            .collect())
    };
    let factor = match scaling.number("factor") {
        Some(factor) if config.get("original_max_position_embeddings").is_none() => factor,
        _ => as_f64(sizes.max_positions) / as_f64(original),
    };
    let sharpened = || {
        if factor <= 1.0 {
            1.0
        } else {
            (1.0 + factor.ln() / as_f64(original).ln()).sqrt()
        }
    };
    let scale = scaling.number("attention_factor").unwrap_or_else(sharpened);
    Ok(Rope {
        frequencies: divided("short_factor")?,
        long: Some((divided("long_factor")?, original)),
        scale: single(scale),
        is_interleaved: false,
    })
}

fn factor(scaling: &Fields) -> Result<f64, GenerationError> {
    let factor = scaling.number("factor").filter(|factor| *factor > 0.0);
    factor.ok_or_else(|| GenerationError::size("rope_scaling", "it has no factor above 0"))
}

fn original_positions(scaling: &Fields, max_positions: usize) -> f64 {
    let original = scaling.number("original_max_position_embeddings");
    original
        .filter(|original| *original >= 1.0)
        .unwrap_or(as_f64(max_positions))
}

#[expect(clippy::cast_precision_loss, reason = "sizes are below 2^24")]
fn as_f64(number: usize) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "models have single precision"
)]
fn single(number: f64) -> f32 {
    number as f32
}
