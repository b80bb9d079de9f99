//! How pages are scaled for the detector, and how boxes are found.

use label_studio_vision::{
    images::{Normalise, RgbImage},
    models::text_detection::DbOptions,
};

/// Sides of the detector's input are multiples of this.
const STRIDE: f64 = 32.0;
/// Images with less height and width together are padded.
const TINY: u32 = 64;

/// The settings of a known pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Pipeline {
    /// The defaults of PaddleX's pipeline class, which the Python original uses
    #[default]
    Paddlex,
    /// The published pipeline file of PaddleOCR
    Pipeline,
    /// RapidOCR
    Rapidocr,
}

/// The side of an image that a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LimitType {
    /// A longer side is shrunk to the limit
    Max,
    /// A shorter side is enlarged to the limit
    Min,
}

/// How an image becomes the input of a detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectorInput {
    /// Length of the limited side in pixels.
    pub limit_side_len: u32,
    /// The side that is limited.
    pub limit_type: LimitType,
    /// Longest side in any case, in pixels.
    pub max_side: u32,
    /// Normalisation of the colours in the order blue, green, red.
    pub normalise: Normalise,
}

impl Pipeline {
    /// Mean and deviation of RapidOCR, and of recognisers.
    pub const HALF: Normalise = Normalise {
        divisor: 255.0,
        mean: [0.5; 3],
        std: [0.5; 3],
    };

    /// Returns how images become the input of the detector.
    pub fn detector_input(self) -> DetectorInput {
        let (limit_side_len, limit_type, normalise) = match self {
            Self::Paddlex => (960, LimitType::Max, Normalise::IMAGENET),
            Self::Pipeline => (736, LimitType::Min, Normalise::IMAGENET),
            Self::Rapidocr => (736, LimitType::Min, Self::HALF),
        };
        DetectorInput {
            limit_side_len,
            limit_type,
            max_side: 4000,
            normalise,
        }
    }

    /// Returns how boxes are found.
    pub fn db_options(self) -> DbOptions {
        let default = DbOptions::default();
        match self {
            Self::Paddlex => default,
            Self::Pipeline => DbOptions {
                unclip_ratio: 1.5,
                ..default
            },
            Self::Rapidocr => DbOptions {
                box_threshold: 0.5,
                unclip_ratio: 1.6,
                is_dilated: true,
                ..default
            },
        }
    }

    /// Returns whether boxes end at the last pixel, and those with a side of at most three pixels
    /// are left out.
    pub fn drops_thin_boxes(self) -> bool {
        self == Self::Rapidocr
    }

    /// Returns whether lines that may be upside down are turned where no setting says so.
    pub fn turns_lines(self) -> bool {
        self == Self::Rapidocr
    }
}

impl DetectorInput {
    /// Returns width and height of the input for an image of a size.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sides are at most a few thousand pixels"
    )]
    pub fn size(&self, (width, height): (u32, u32)) -> (u32, u32) {
        let (longer, shorter) = (width.max(height), width.min(height));
        let limit = f64::from(self.limit_side_len);
        let ratio = match self.limit_type {
            LimitType::Max if longer > self.limit_side_len => limit / f64::from(longer),
            LimitType::Min if shorter < self.limit_side_len => limit / f64::from(shorter),
            _ => 1.0,
        };
        let scaled = |side: u32, ratio: f64| (f64::from(side) * ratio).trunc();
        let max_side = f64::from(self.max_side);
        let longest = scaled(longer, ratio);
        let ratio = if longest > max_side {
            ratio * max_side / longest
        } else {
            ratio
        };
        let rounded = |side: u32| {
            let multiple = (scaled(side, ratio) / STRIDE).round_ties_even() * STRIDE;
            multiple.max(STRIDE) as u32
        };
        (rounded(width), rounded(height))
    }

    /// Returns the image that is scaled: itself or, if it is tiny, a larger one that repeats its last
    /// row and column.
    ///
    /// PaddleOCR adds black, which a detector may take for text on a page that has none.
    pub fn padded(image: &RgbImage) -> Option<RgbImage> {
        let (width, height) = image.dimensions();
        if width + height >= TINY || width == 0 || height == 0 {
            return None;
        }
        let least = |side: u32| side.max(TINY / 2);
        Some(RgbImage::from_fn(least(width), least(height), |x, y| {
            *image.get_pixel(x.min(width - 1), y.min(height - 1))
        }))
    }
}
