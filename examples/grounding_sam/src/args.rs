//! Flags of the masks.

use std::{path::Path, sync::Arc};

use clap::{ArgAction, Args, builder::BoolishValueParser};
use label_studio_inference::hub::Hub;
use label_studio_ml::anyhow;
use label_studio_vision::{
    Vision,
    models::sam::{Checkpoints, NamedFiles, Predictor, Sam, SamArgs},
};

const MOBILE_SAM: &str = "mobile_sam.pt";
/// MobileSAM, exported by others; fetched when no file of it is there.
const MOBILE_SAM_ENCODER: &str = "hf://Acly/MobileSAM/mobile_sam_image_encoder.onnx";
const MOBILE_SAM_DECODER: &str = "hf://Acly/MobileSAM/sam_mask_decoder_multi.onnx";

/// Masks, and the model that makes them
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Masks")]
pub struct SegmenterArgs {
    /// Make masks with SAM: true or false
    #[arg(long, env = "USE_SAM", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub use_sam: bool,

    /// Make masks with MobileSAM, which is small and fast; takes precedence over SAM
    #[arg(long, env = "USE_MOBILE_SAM", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub use_mobile_sam: bool,

    /// Checkpoint of SAM; its exported files are beside it
    #[arg(
        long,
        env = "SAM_CHECKPOINT",
        value_name = "PATH",
        default_value = "sam_vit_h_4b8939.pth"
    )]
    pub sam_checkpoint: String,

    /// Checkpoint of MobileSAM; its exported files are beside it, or are fetched
    #[arg(long, env = "MOBILESAM_CHECKPOINT", value_name = "PATH", default_value = MOBILE_SAM)]
    pub mobilesam_checkpoint: String,

    /// Files that override the checkpoints
    #[command(flatten)]
    pub files: NamedFiles,

    /// Segmentation of the detected rectangles
    #[command(flatten)]
    pub sam: SamArgs,
}

impl SegmenterArgs {
    /// Loads the model that makes masks; `None` if masks are switched off.
    pub fn load(&self, vision: &Vision) -> anyhow::Result<Option<Predictor>> {
        if !self.use_sam && !self.use_mobile_sam {
            return Ok(None);
        }
        let Checkpoints { encoder, decoder } = self.checkpoints(&vision.hub)?;
        let sam = Sam::load(&vision.runtime, encoder, decoder, self.sam.mask_choice)?;
        Ok(Some(self.sam.predictor(sam, Arc::clone(&vision.reader))))
    }

    fn checkpoints(&self, hub: &Hub) -> anyhow::Result<Checkpoints> {
        if let Some((encoder, decoder)) = self.files.pair()? {
            return Ok(Checkpoints::fetch(hub, encoder, decoder)?);
        }
        let checkpoint = match (self.use_mobile_sam, self.mobilesam_checkpoint.trim()) {
            (true, "") => MOBILE_SAM,
            (true, checkpoint) => checkpoint,
            (false, _) => self.sam_checkpoint.trim(),
        };
        if let Some(files) = Checkpoints::exported(Path::new(checkpoint)) {
            return Ok(files);
        }
        anyhow::ensure!(
            self.use_mobile_sam && checkpoint == MOBILE_SAM,
            "there are no exported files beside {checkpoint}: this backend runs ONNX files, which `python \
             ../segment_anything_model/export.py {checkpoint}` makes from a checkpoint (see the README), or name them \
             in SAM_ENCODER and SAM_DECODER"
        );
        let (encoder, decoder) = (MOBILE_SAM_ENCODER, MOBILE_SAM_DECODER);
        Ok(Checkpoints::fetch(hub, encoder, decoder)?)
    }
}
