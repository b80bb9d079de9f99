//! The size that an image has in a model's input: what `preprocessor_config.json` says, as
//! transformers reads it.

use serde::Deserialize;
use serde_json::Value;

use super::GroundingDinoError;
use crate::images::PreprocessorConfig;

/// What Grounding DINO was trained with.
const DEFAULT_LONGEST_EDGE: u32 = 1333;

/// How images are scaled before they go into a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ImageScale {
    /// The shorter side gets a length, unless the longer one would exceed its own.
    Edges {
        /// Length of the shorter side.
        shortest_edge: u32,
        /// Largest length of the longer side.
        longest_edge: u32,
    },
    /// The largest size of the same proportions within a limit, rounded down.
    Within {
        /// Largest height.
        max_height: u32,
        /// Largest width.
        max_width: u32,
    },
    /// This size, whatever the proportions are.
    Exactly {
        /// Height.
        height: u32,
        /// Width.
        width: u32,
    },
}

#[derive(Deserialize)]
struct Sizes {
    size: Option<Size>,
    max_size: Option<u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Scale(ImageScale),
    /// The shorter side, as older files have it.
    Shortest(u32),
}

impl ImageScale {
    /// Returns the scale that a configuration beside a model gives; `None` if it says nothing of
    /// sizes.
    pub(super) fn of(config: &PreprocessorConfig) -> Result<Option<Self>, GroundingDinoError> {
        let fields = Value::Object(config.fields.clone());
        let sizes = Sizes::deserialize(fields).map_err(|source| {
            let path = config.path.clone();
            GroundingDinoError::PreprocessorConfig { path, source }
        })?;
        let longest_edge = sizes.max_size.unwrap_or(DEFAULT_LONGEST_EDGE);
        Ok(sizes.size.map(|size| match size {
            Size::Scale(scale) => scale,
            Size::Shortest(shortest_edge) => Self::Edges {
                shortest_edge,
                longest_edge,
            },
        }))
    }

    /// Returns the size (width, height) that an image of a size gets.
    pub fn scaled(self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::Edges {
                shortest_edge,
                longest_edge,
            } => by_edges((width, height), shortest_edge, longest_edge),
            Self::Within {
                max_height,
                max_width,
            } => {
                let across = f64::from(max_width) / f64::from(width);
                let scale = across.min(f64::from(max_height) / f64::from(height));
                (
                    whole_pixels(f64::from(width) * scale).min(max_width),
                    whole_pixels(f64::from(height) * scale).min(max_height),
                )
            }
            Self::Exactly { height, width } => (width, height),
        }
    }

    /// Returns the scale by which an image fills an input of a fixed size as far as its proportions
    /// allow.
    pub(super) fn filling(input: (u32, u32), image: (u32, u32)) -> Self {
        let (width, height) = input;
        let (shortest_edge, longest_edge) = if image.0 <= image.1 {
            (width, height)
        } else {
            (height, width)
        };
        Self::Edges {
            shortest_edge,
            longest_edge,
        }
    }
}

/// Scales as `get_size_with_aspect_ratio` of transformers does.
fn by_edges((width, height): (u32, u32), shortest: u32, longest: u32) -> (u32, u32) {
    let (short, long) = (f64::from(width.min(height)), f64::from(width.max(height)));
    let longest = f64::from(longest);
    let mut size = f64::from(shortest);
    let mut unrounded = size;
    if long / short * size > longest {
        unrounded = longest * short / long;
        size = unrounded.round_ties_even();
    }
    let (short, long) = (whole_pixels(size), whole_pixels(unrounded * long / short));
    if width <= height {
        (short, long)
    } else {
        (long, short)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides are positive, and cut to whole pixels"
)]
pub(super) fn whole_pixels(side: f64) -> u32 {
    side.max(1.0) as u32
}
