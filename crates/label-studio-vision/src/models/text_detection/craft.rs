//! Boxes out of the heat maps of CRAFT.

use ndarray::ArrayView2;

use super::TextBox;
use crate::{
    boxes::{MinAreaRectangle, Quad},
    masks::{Component, Connectivity, Mask, PixelBox},
};

/// Parts with fewer pixels are no text; the number is CRAFT's.
const MIN_AREA: usize = 10;
/// Rectangles whose sides differ by less than this part are diamonds around single characters.
const DIAMOND: f32 = 0.1;

/// How boxes are found on heat maps. The default is that of EasyOCR.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CraftOptions {
    /// The best pixel of a box must have at least this score.
    pub text_threshold: f32,
    /// Pixels with a higher link score join characters.
    pub link_threshold: f32,
    /// Pixels with a higher text score belong to characters.
    pub low_text: f32,
}

impl Default for CraftOptions {
    fn default() -> Self {
        Self {
            text_threshold: 0.7,
            link_threshold: 0.4,
            low_text: 0.4,
        }
    }
}

/// The output of CRAFT (<https://arxiv.org/abs/1904.01941>), both maps of one size.
#[derive(Debug, Clone, Copy)]
pub struct HeatMaps<'a> {
    /// How likely a pixel is the centre of a character, height x width.
    pub text: ArrayView2<'a, f32>,
    /// How likely a pixel lies between two characters of a word, height x width.
    pub link: ArrayView2<'a, f32>,
}

impl HeatMaps<'_> {
    /// Returns the boxes of the page in pixels of the maps, in the order of their first pixels; the
    /// score is that of the best pixel.
    ///
    /// The first corner is the one nearest to the top left of the map. These are the boxes of
    /// CRAFT's `getDetBoxes_core`. `None` if the maps differ in size.
    pub fn boxes(&self, options: &CraftOptions) -> Option<Vec<TextBox>> {
        if self.text.dim() != self.link.dim() {
            return None;
        }
        let (n_rows, n_columns) = self.text.dim();
        let either = Mask::from_fn(n_columns, n_rows, |x, y| {
            self.text[[y, x]] > options.low_text || self.link[[y, x]] > options.link_threshold
        });
        let parts = either.components(Connectivity::Sides);
        let found = parts
            .iter()
            .filter(|part| part.area >= MIN_AREA)
            .filter_map(|part| {
                let score = self.best(part);
                if score < options.text_threshold {
                    return None;
                }
                let quad = self.quad(part, options)?;
                Some(TextBox {
                    quad,
                    score: f64::from(score),
                })
            });
        Some(found.collect())
    }

    fn best(&self, part: &Component) -> f32 {
        let pixels = part
            .runs
            .iter()
            .flat_map(|&(y, start, end)| (start..end).map(move |x| [y, x]));
        pixels
            .map(|pixel| self.text[pixel])
            .fold(f32::NEG_INFINITY, f32::max)
    }

    /// Returns the box around the characters of a part, after they have grown: links end at the
    /// edge of a character.
    fn quad(&self, part: &Component, options: &CraftOptions) -> Option<Quad> {
        let reach = growth(part);
        let (n_rows, n_columns) = self.text.dim();
        let PixelBox {
            x,
            y,
            width,
            height,
        } = part.bounds;
        let (left, top) = (x.saturating_sub(reach), y.saturating_sub(reach));
        let right = (x + width + reach + 1).min(n_columns);
        let bottom = (y + height + reach + 1).min(n_rows);

        let mut is_character = vec![false; (right - left) * (bottom - top)];
        for &(y, start, end) in &part.runs {
            for x in start..end {
                let is_link = self.link[[y, x]] > options.link_threshold;
                let is_text = self.text[[y, x]] > options.low_text;
                is_character[(y - top) * (right - left) + x - left] = is_text || !is_link;
            }
        }
        let characters = Mask::from_fn(right - left, bottom - top, |x, y| {
            is_character[y * (right - left) + x]
        });
        let grown = characters.dilated_by_square(1 + reach);
        let ends = outer_pixels(&grown);
        let offset = |(x, y): (usize, usize)| {
            (
                (x + left).cast_signed() as i64,
                (y + top).cast_signed() as i64,
            )
        };
        let rectangle = MinAreaRectangle::around(ends.iter().copied().map(offset))?;
        let sides = rectangle.corners.sides();
        let ratio = sides[0].max(sides[1]) / (sides[0].min(sides[1]) + 1e-5);
        if (1.0 - ratio).abs() <= DIAMOND {
            return Some(extent(ends.into_iter().map(offset)));
        }
        Some(from_top_left(rectangle.corners))
    }
}

/// Returns by how many pixels the characters of a part grow.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "less than the part's own size"
)]
fn growth(part: &Component) -> usize {
    let (width, height) = (part.bounds.width as f64, part.bounds.height as f64);
    let thickness = part.area as f64 * width.min(height) / (width * height);
    (thickness.sqrt() * 2.0) as usize
}

/// Returns the first and the last painted pixel of each row, which have the same hull as all.
fn outer_pixels(mask: &Mask) -> Vec<(usize, usize)> {
    let rows = mask.pixels().chunks(mask.width().max(1)).enumerate();
    rows.filter_map(|(y, row)| {
        let first = row.iter().position(|&pixel| pixel != 0)?;
        let last = row.iter().rposition(|&pixel| pixel != 0)?;
        Some([(first, y), (last, y)])
    })
    .flatten()
    .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "maps have fewer than 2^24 columns"
)]
fn extent(points: impl Iterator<Item = (i64, i64)>) -> Quad {
    let start = [
        f32::INFINITY,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NEG_INFINITY,
    ];
    Quad::upright(points.fold(start, |[left, top, right, bottom], (x, y)| {
        let (x, y) = (x as f32, y as f32);
        [left.min(x), top.min(y), right.max(x), bottom.max(y)]
    }))
}

fn from_top_left(Quad(mut corners): Quad) -> Quad {
    let sum = |corner: &[f32; 2]| corner[0] + corner[1];
    let mut first = 0;
    for idx in 1..4 {
        if sum(&corners[idx]) < sum(&corners[first]) {
            first = idx;
        }
    }
    corners.rotate_left(first);
    Quad(corners)
}
