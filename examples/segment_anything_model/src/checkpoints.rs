//! The files of the model.

use std::path::Path;

use clap::{Args, ValueEnum};
use label_studio_inference::hub::{Hub, Weights};
use label_studio_ml::anyhow::{self, Context};
use label_studio_vision::models::sam::{Checkpoints, NamedFiles};

/// MobileSAM, exported by others; fetched when no checkpoint is given.
const MOBILE_SAM: &str = "hf://Acly/MobileSAM/mobile_sam_image_encoder.onnx";
const MOBILE_SAM_DECODER: &str = "sam_mask_decoder_multi.onnx";

/// Which model is run, and where its files are
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct CheckpointArgs {
    /// Which model to run; ONNX is SAM with a separate decoder file
    #[arg(
        long,
        env = "SAM_CHOICE",
        default_value = "MobileSAM",
        ignore_case = true
    )]
    pub sam_choice: SamChoice,

    /// MobileSAM: the exported encoder, or the checkpoint beside which export.py put the exported
    /// files; one in the folder models if it is there, else it is fetched
    #[arg(long, env = "MOBILESAM_CHECKPOINT", value_name = "PATH")]
    pub mobilesam_checkpoint: Option<String>,

    /// SAM: the exported encoder, or the checkpoint beside which export.py put the exported files
    #[arg(
        long,
        env = "VITH_CHECKPOINT",
        value_name = "PATH",
        default_value = "models/sam_vit_h_4b8939.pth"
    )]
    pub vith_checkpoint: String,

    /// Decoder of the choice ONNX
    #[arg(
        long,
        env = "ONNX_CHECKPOINT",
        value_name = "PATH",
        default_value = "models/sam_onnx_quantized_example.onnx"
    )]
    pub onnx_checkpoint: String,

    /// Files that override the choice
    #[command(flatten)]
    pub files: NamedFiles,
}

/// Model to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "verbatim")]
pub enum SamChoice {
    /// Small and fast.
    MobileSAM,
    /// The large original, ViT-H.
    SAM,
    /// The large original with another decoder file.
    ONNX,
}

impl CheckpointArgs {
    /// Returns the files, and downloads those on a hub.
    pub fn locate(&self, hub: &Hub) -> anyhow::Result<Checkpoints> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        if let Some((encoder, decoder)) = self.files.pair()? {
            return Ok(Checkpoints::fetch(hub, encoder, decoder)?);
        }
        let decoder = self.files.decoder().map(str::to_owned);
        match self.sam_choice {
            SamChoice::MobileSAM => match filled(&self.mobilesam_checkpoint) {
                Some(checkpoint) => of_checkpoint(hub, &checkpoint, decoder),
                None => match Checkpoints::exported(Path::new("models/mobile_sam.pt")) {
                    Some(files) => Ok(files),
                    None => of_checkpoint(hub, MOBILE_SAM, decoder),
                },
            },
            SamChoice::SAM => of_checkpoint(hub, &self.vith_checkpoint, decoder),
            SamChoice::ONNX => {
                let decoder = decoder.unwrap_or_else(|| self.onnx_checkpoint.clone());
                of_checkpoint(hub, &self.vith_checkpoint, Some(decoder))
            }
        }
    }
}

/// Finds the files of a checkpoint that was exported, or of an exported encoder.
fn of_checkpoint(
    hub: &Hub,
    checkpoint: &str,
    decoder: Option<String>,
) -> anyhow::Result<Checkpoints> {
    let path = Path::new(checkpoint);
    if path
        .extension()
        .is_some_and(|extension| extension == "onnx")
    {
        let decoder = decoder.map_or_else(|| decoder_beside(checkpoint), Ok)?;
        return Ok(Checkpoints::fetch(hub, checkpoint, &decoder)?);
    }
    let encoder = path.with_extension("encoder.onnx");
    if let Some(decoder) = decoder.filter(|_| encoder.is_file()) {
        return Ok(Checkpoints::fetch(
            hub,
            &encoder.to_string_lossy(),
            &decoder,
        )?);
    }
    Checkpoints::exported(path).with_context(|| {
        format!(
            "there is no {}: this backend runs ONNX files, which `python export.py {checkpoint}` makes from a \
             checkpoint (see the README), or name them in SAM_ENCODER and SAM_DECODER",
            encoder.display()
        )
    })
}

/// Names the decoder of an exported encoder.
fn decoder_beside(encoder: &str) -> anyhow::Result<String> {
    if encoder == MOBILE_SAM {
        let weights: Weights = encoder.parse()?;
        return Ok(weights.sibling(MOBILE_SAM_DECODER)?.to_string());
    }
    Checkpoints::decoder_beside(encoder)
}
