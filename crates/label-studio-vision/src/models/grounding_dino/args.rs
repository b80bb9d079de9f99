//! Flags of Grounding DINO.

use std::{num::NonZeroUsize, path::Path, sync::Arc};

use clap::Args;
use label_studio_inference::{
    hub::{Hub, HubError, Weights},
    onnx::Runtime,
};

use super::{Detector, DetectorOptions, Finder, GroundingDinoError, Phrases, Thresholds};
use crate::{Vision, batches::ImageBatches, images::PreprocessorConfig};

/// The tokenizer's file beside the weights.
const TOKENIZER: &str = "tokenizer.json";

/// Grounding DINO: weights and thresholds
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Grounding DINO")]
pub struct GroundingDinoArgs {
    /// Model: an ONNX file, or `hf://owner/name/file`
    #[arg(long, env = "GROUNDING_DINO_WEIGHTS", default_value = Self::WEIGHTS)]
    pub grounding_dino_weights: String,

    /// Tokenizer of the model; tokenizer.json beside it if not given
    #[arg(long, env = "GROUNDING_DINO_TOKENIZER")]
    pub grounding_dino_tokenizer: Option<String>,

    /// Folder of a relative path of the model: the model is in it, or in its folder `weights`
    #[arg(long, env = "GROUNDINGDINO_REPO_PATH")]
    pub groundingdino_repo_path: Option<String>,

    /// Configuration of a PyTorch model; not needed for ONNX files
    #[arg(long, env = "GROUNDING_DINO_CONFIG", hide = true)]
    pub grounding_dino_config: Option<String>,

    /// Default minimum score of a box; a Number control overrides it
    #[arg(long, env = "BOX_THRESHOLD", default_value_t = Thresholds::default().box_score, value_parser = score)]
    pub box_threshold: f64,

    /// Default minimum score of a word; a Number control overrides it
    #[arg(long, env = "TEXT_THRESHOLD", default_value_t = Thresholds::default().token_score, value_parser = score)]
    pub text_threshold: f64,

    /// Maximum overlap of two boxes, beyond which the one with the lower score is dropped; 1 keeps
    /// all
    #[arg(long, env = "NMS_IOU", default_value_t = DetectorOptions::default().max_overlap, value_parser = score)]
    pub nms_iou: f64,

    /// How the phrases of a prompt are run
    #[arg(long, env = "PHRASES", value_enum, default_value_t)]
    pub phrases: Phrases,

    /// Images per run
    #[arg(long, env = "BATCH_SIZE", default_value = "4")]
    pub batch_size: NonZeroUsize,
}

impl GroundingDinoArgs {
    /// The public export that serves where nothing else is given.
    pub const WEIGHTS: &str = "hf://onnx-community/grounding-dino-tiny-ONNX/onnx/model.onnx";

    /// Finds or fetches the files, and loads the model.
    pub fn load(&self, vision: &Vision) -> Result<Finder, GroundingDinoError> {
        Ok(Finder {
            detector: self.detector(&vision.runtime, &vision.hub)?,
            thresholds: Thresholds {
                box_score: self.box_threshold,
                token_score: self.text_threshold,
            },
            batches: ImageBatches {
                reader: Arc::clone(&vision.reader),
                batch_size: self.batch_size.get(),
            },
        })
    }

    fn detector(&self, runtime: &Runtime, hub: &Hub) -> Result<Detector, GroundingDinoError> {
        let weights = self.weights()?;
        let path = hub.path(&weights)?;
        let given = self.grounding_dino_tokenizer.as_deref().map(str::trim);
        let tokenizer = match given.filter(|name| !name.is_empty()) {
            Some(name) => hub.path(&name.parse()?)?,
            None => hub.path(&beside(&weights)?)?,
        };
        if let Weights::Hub(file) = &weights {
            // Not every repository has one, and the model runs without it.
            let config = weights.sibling(PreprocessorConfig::sibling_of(file.path()));
            if let Err(error) = config.and_then(|config| hub.path(&config)) {
                tracing::debug!(%error, "no configuration of the images beside the model");
            }
        }
        let options = DetectorOptions {
            phrases: self.phrases,
            batch_size: self.batch_size.get(),
            max_overlap: self.nms_iou,
        };
        Detector::load(runtime, path, tokenizer, options)
    }

    fn weights(&self) -> Result<Weights, HubError> {
        // Compose files set variables to empty strings.
        let name = match self.grounding_dino_weights.trim() {
            "" => Self::WEIGHTS,
            name => name,
        };
        let weights: Weights = name.parse()?;
        let repo = self.groundingdino_repo_path.as_deref().map(str::trim);
        if let (Weights::Local { path, sha256 }, Some(repo)) = (&weights, repo)
            && !repo.is_empty()
            && path.is_relative()
            && !path.exists()
        {
            let places = [
                Path::new(repo).join("weights").join(path),
                Path::new(repo).join(path),
            ];
            if let Some(path) = places.into_iter().find(|place| place.exists()) {
                return Ok(Weights::Local {
                    path,
                    sha256: *sha256,
                });
            }
        }
        Ok(weights)
    }
}

/// Returns where the tokenizer of a model is: in the same folder, or in the one above, as on the
/// hub.
fn beside(weights: &Weights) -> Result<Weights, HubError> {
    let beside = weights.sibling(TOKENIZER)?;
    if let Weights::Local { path, .. } = &beside
        && !path.exists()
    {
        let above = weights.sibling(&format!("../{TOKENIZER}"))?;
        if matches!(&above, Weights::Local { path, .. } if path.exists()) {
            return Ok(above);
        }
    }
    Ok(beside)
}

fn score(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(score) if (0.0..=1.0).contains(&score) => Ok(score),
        _ => Err("a number from 0 to 1 is expected".to_owned()),
    }
}
