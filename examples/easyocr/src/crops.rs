//! Lines, cut out of a page.

use image::{GrayImage, imageops};
use label_studio_vision::{
    boxes::Quad,
    images::{Filter, resize},
    models::text_recognition::{Border, Cropper, Interpolation},
};

use crate::Grouped;

/// Height of a recogniser's input in pixels.
pub(crate) const HEIGHT: u32 = 64;
/// Longer lines are squeezed to this many times their height.
const MAX_RATIO: f64 = 200.0;

/// A line of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Crop {
    /// Its corners on the page in pixels, from the top left one clockwise.
    pub corners: [[f64; 2]; 4],
    /// Its grey levels; its shorter side has 64 pixels.
    pub image: GrayImage,
    /// Its longer side by its shorter one.
    pub ratio: f64,
    /// Whether its sides are parallel to the page's.
    pub is_upright: bool,
}

/// Cuts lines out of pages, as EasyOCR's `get_image_list` does.
#[derive(Debug, Clone)]
pub struct Crops {
    cropper: Cropper,
}

impl Default for Crops {
    fn default() -> Self {
        Self {
            cropper: Cropper::new(Interpolation::Linear, Border::Black),
        }
    }
}

impl Crops {
    /// Returns the lines of a page that hold at least a pixel: upright ones first.
    pub fn cut(&self, page: &GrayImage, lines: &Grouped) -> Vec<Crop> {
        let horizontal = lines.horizontal.iter();
        let horizontal = horizontal.filter_map(|edges| horizontal_crop(page, *edges));
        let free = lines.free.iter();
        let free = free.filter_map(|corners| self.free(page, *corners));
        horizontal.chain(free).collect()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the precision of the library; lengths within an image are cut off"
    )]
    fn free(&self, page: &GrayImage, corners: [[f64; 2]; 4]) -> Option<Crop> {
        let quad = Quad(corners.map(|corner| corner.map(|pixels| pixels as f32)));
        let [top, right, bottom, left] = quad.sides();
        let longest = |a: f32, b: f32| (a as u32).max(b as u32);
        let size = (longest(bottom, top), longest(right, left));
        let last = (size.0.checked_sub(1)?, size.1.checked_sub(1)?);
        let image = self.cropper.crop(page, &quad, size, last)?;
        Crop::new(corners, &image, false)
    }
}

fn horizontal_crop(page: &GrayImage, [left, right, top, bottom]: [i64; 4]) -> Option<Crop> {
    let within =
        |edge: i64, side: u32| u32::try_from(edge.max(0)).map_or(side, |edge| edge.min(side));
    let (left, right) = (within(left, page.width()), within(right, page.width()));
    let (top, bottom) = (within(top, page.height()), within(bottom, page.height()));
    if right <= left || bottom <= top {
        return None;
    }
    let image = imageops::crop_imm(page, left, top, right - left, bottom - top).to_image();
    let [x1, y1, x2, y2] = [left, top, right, bottom].map(f64::from);
    Crop::new([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], &image, true)
}

impl Crop {
    /// Scales a line so that its shorter side has 64 pixels. `None` for an empty one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a length below the largest ratio; the library cuts it off"
    )]
    fn new(corners: [[f64; 2]; 4], line: &GrayImage, is_upright: bool) -> Option<Self> {
        let (width, height) = (f64::from(line.width()), f64::from(line.height()));
        if width == 0.0 || height == 0.0 {
            return None;
        }
        let is_tall = width / height < 1.0;
        let ratio = if is_tall {
            1.0 / (width / height)
        } else {
            width / height
        };
        let ratio = ratio.min(MAX_RATIO);
        let longer = (f64::from(HEIGHT) * ratio) as u32;
        let (width, height) = if is_tall {
            (HEIGHT, longer)
        } else {
            (longer, HEIGHT)
        };
        Some(Self {
            corners,
            image: resize(line, width, height, Filter::OpenCvLinear),
            ratio,
            is_upright,
        })
    }
}
