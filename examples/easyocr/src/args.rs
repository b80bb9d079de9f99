//! Flags of the backend.

use std::path::PathBuf;

use clap::Args;
use label_studio_services::aws::S3Args;

use crate::{Decoder, Grouping, ShapeKind, WeightArgs};

/// What is read, and how
#[derive(Debug, Clone, Args)]
pub struct EasyOcrArgs {
    /// Languages and characters.
    #[command(flatten)]
    pub decoding: DecodingArgs,

    /// Boxes and lines.
    #[command(flatten)]
    pub detection: DetectionArgs,

    /// Regions.
    #[command(flatten)]
    pub output: OutputArgs,

    /// Files of the models.
    #[command(flatten)]
    pub weights: WeightArgs,

    /// Access to images in S3.
    #[command(flatten)]
    pub s3: S3Args,
}

/// How texts are read
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Texts")]
pub struct DecodingArgs {
    /// Languages, with commas between them
    #[arg(long, env = "LANG_LIST", default_value = "mn,en")]
    pub lang_list: String,

    /// How scores become a text
    #[arg(long, env = "DECODER", value_enum, default_value_t)]
    pub decoder: Decoder,

    /// Readings that a beam search follows
    #[arg(long, env = "BEAM_WIDTH", default_value_t = 5)]
    pub beam_width: usize,

    /// File with a word in each line, for the word beam search
    #[arg(long, env = "DICTIONARY_FILE", value_name = "FILE")]
    pub dictionary_file: Option<PathBuf>,

    /// The only characters that are read [default: those of the languages]
    #[arg(long, env = "ALLOWLIST", default_value = "", hide_default_value = true)]
    pub allowlist: String,

    /// Characters that are not read, instead of those of other languages
    #[arg(long, env = "BLOCKLIST", default_value = "", hide_default_value = true)]
    pub blocklist: String,

    /// Degrees by which each line is turned to be read again, such as 90,180,270
    #[arg(long, env = "ROTATION_INFO", value_delimiter = ',', value_parser = quarter_turns)]
    pub rotation_info: Vec<u8>,

    /// Lines with a lower score are read again with more contrast
    #[arg(long, env = "CONTRAST_THS", default_value_t = 0.1)]
    pub contrast_ths: f64,

    /// Contrast that they get
    #[arg(long, env = "ADJUST_CONTRAST", default_value_t = 0.5)]
    pub adjust_contrast: f64,

    /// Lines that are read at a time
    #[arg(long, env = "BATCH_SIZE", default_value_t = 16)]
    pub batch_size: usize,
}

/// How lines are found
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Lines")]
pub struct DetectionArgs {
    /// Minimum score of the best pixel of a box
    #[arg(long, env = "TEXT_THRESHOLD", default_value_t = 0.7)]
    pub text_threshold: f32,

    /// Minimum score of pixels between characters
    #[arg(long, env = "LINK_THRESHOLD", default_value_t = 0.4)]
    pub link_threshold: f32,

    /// Minimum score of pixels of characters
    #[arg(long, env = "LOW_TEXT", default_value_t = 0.4)]
    pub low_text: f32,

    /// Longest side that an image is scaled down to, in pixels
    #[arg(long, env = "CANVAS_SIZE", default_value_t = 2560, value_parser = clap::value_parser!(u32).range(32..=16_384))]
    pub canvas_size: u32,

    /// How much images are enlarged within that
    #[arg(long, env = "MAG_RATIO", default_value_t = 1.0, value_parser = above_zero)]
    pub mag_ratio: f64,

    /// Lines that are not longer are left out, in pixels
    #[arg(long, env = "MIN_SIZE", default_value_t = 20.0)]
    pub min_size: f64,

    /// Largest slope of words that are joined
    #[arg(long, env = "SLOPE_THS", default_value_t = 0.1)]
    pub slope_ths: f64,

    /// Largest distance of centres on a line, by the height of words
    #[arg(long, env = "YCENTER_THS", default_value_t = 0.5)]
    pub ycenter_ths: f64,

    /// Largest difference between heights of words that are joined, by their height
    #[arg(long, env = "HEIGHT_THS", default_value_t = 0.8)]
    pub height_ths: f64,

    /// Largest gap between words that are joined, by their height
    #[arg(long, env = "WIDTH_THS", default_value_t = 0.5)]
    pub width_ths: f64,

    /// How far lines grow, by their shorter side
    #[arg(long, env = "ADD_MARGIN", default_value_t = 0.1)]
    pub add_margin: f64,
}

/// What becomes regions
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Regions")]
pub struct OutputArgs {
    /// Minimum score of a line
    #[arg(long, env = "SCORE_THRESHOLD", default_value_t = 0.3)]
    pub score_threshold: f64,

    /// Preferred shape of regions, if the label config has both
    #[arg(long, env = "SHAPE", value_enum, default_value_t)]
    pub shape: ShapeKind,

    #[arg(long, env = "LABEL_MAPPINGS_FILE", hide = true)]
    label_mappings_file: Option<PathBuf>,
}

impl DetectionArgs {
    /// Returns how words are joined.
    pub fn grouping(&self) -> Grouping {
        Grouping {
            slope: self.slope_ths,
            y_centre: self.ycenter_ths,
            height: self.height_ths,
            width: self.width_ths,
            margin: self.add_margin,
            min_size: self.min_size,
        }
    }
}

impl OutputArgs {
    /// Warns of a setting that the original reads and does not use.
    pub fn warn_of_unused(&self) {
        let file = self.label_mappings_file.as_ref();
        if let Some(file) = file.filter(|file| !file.as_os_str().is_empty()) {
            tracing::warn!(
                file = %file.display(),
                "LABEL_MAPPINGS_FILE has no effect: all texts get the first label"
            );
        }
    }
}

fn quarter_turns(degrees: &str) -> Result<u8, String> {
    match degrees.trim() {
        "90" => Ok(1),
        "180" => Ok(2),
        "270" => Ok(3),
        other => Err(format!(
            "lines are turned by 90, 180 or 270 degrees, not by {other}"
        )),
    }
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok();
    number
        .filter(|number: &f64| *number > 0.0 && number.is_finite())
        .ok_or_else(|| "say a number above 0".to_owned())
}
