//! Boxes out of the probability map of a detector with differentiable binarisation.

use ndarray::ArrayView2;

use super::{TextBox, score, unclip};
use crate::{
    boxes::{MinAreaRectangle, Quad},
    masks::Mask,
};

/// Boxes with a shorter side on the map are left out, before and after they grow.
const MIN_SIDE: f32 = 3.0;
const MIN_GROWN_SIDE: f32 = MIN_SIDE + 2.0;

/// How boxes are found on a probability map. The default is that of PaddleX's pipeline class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DbOptions {
    /// Pixels with a higher probability are text.
    pub pixel_threshold: f32,
    /// Boxes with a lower mean probability are left out.
    pub box_threshold: f64,
    /// How far boxes grow, since the map shows shrunken text: times area by perimeter.
    pub unclip_ratio: f64,
    /// So many outlines are looked at.
    pub max_candidates: usize,
    /// Whether text grows by a pixel to the right and below before outlines are followed.
    pub is_dilated: bool,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            pixel_threshold: 0.3,
            box_threshold: 0.6,
            unclip_ratio: 2.0,
            max_candidates: 1000,
            is_dilated: false,
        }
    }
}

/// The output of a detector with differentiable binarisation (<https://arxiv.org/abs/1911.08947>).
#[derive(Debug, Clone, Copy)]
pub struct ProbabilityMap<'a> {
    /// The probability of text, height x width.
    pub values: ArrayView2<'a, f32>,
    /// Width and height of the image that the whole map shows, in pixels.
    pub image_size: (u32, u32),
}

impl ProbabilityMap<'_> {
    /// Returns the boxes of the page on whole pixels of the image, as PaddleOCR's `DBPostProcess`
    /// with quads and fast scores.
    #[expect(
        clippy::cast_precision_loss,
        reason = "maps have fewer than 2^24 columns"
    )]
    pub fn boxes(&self, options: &DbOptions) -> Vec<TextBox> {
        let (n_rows, n_columns) = self.values.dim();
        let text = Mask::from_fn(n_columns, n_rows, |x, y| {
            self.values[[y, x]] > options.pixel_threshold
        });
        let text = if options.is_dilated {
            text.dilated_by_square(2)
        } else {
            text
        };
        let scaled = |position: f32, of_map: usize, of_image: u32| {
            let of_image = of_image as f32;
            let position = (position / of_map as f32 * of_image).round_ties_even();
            position.clamp(0.0, of_image)
        };
        let mut found = Vec::new();
        for contour in text.all_contours().iter().take(options.max_candidates) {
            let points = contour
                .iter()
                .map(|&(x, y)| (x.cast_signed() as i64, y.cast_signed() as i64));
            let Some((quad, side)) = rectangle(points) else {
                continue;
            };
            if side < MIN_SIDE {
                continue;
            }
            let score = score::mean_inside(&self.values, &quad);
            if score < options.box_threshold {
                continue;
            }
            let Some((quad, side)) = rectangle(unclip(&quad, options.unclip_ratio)) else {
                continue;
            };
            if side < MIN_GROWN_SIDE {
                continue;
            }
            let (width, height) = self.image_size;
            let quad = quad.map(|[x, y]| [scaled(x, n_columns, width), scaled(y, n_rows, height)]);
            found.push(TextBox { quad, score });
        }
        found
    }
}

/// Returns the smallest rectangle around points, and its shorter side.
fn rectangle(points: impl IntoIterator<Item = (i64, i64)>) -> Option<(Quad, f32)> {
    let rectangle = MinAreaRectangle::around(points)?;
    Some((rectangle.corners.ordered(), rectangle.short_side()))
}
