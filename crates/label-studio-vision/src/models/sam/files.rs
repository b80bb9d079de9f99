//! The two files of a model: the image encoder and the mask decoder.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use label_studio_inference::hub::{Hub, HubError, Weights};

use crate::images::PreprocessorConfig;

/// Start of the file's name of an encoder that the transformers library exported.
const TRANSFORMERS_ENCODER: &str = "vision_encoder";

/// The files of a model, on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    /// The image encoder.
    pub encoder: PathBuf,
    /// The mask decoder.
    pub decoder: PathBuf,
}

/// Files that override every other choice of a model.
#[derive(Debug, Clone, Default, Args)]
pub struct NamedFiles {
    /// Encoder file, which overrides the choice above: a path, or a file on a hub
    #[arg(long, env = "SAM_ENCODER", value_name = "FILE")]
    pub sam_encoder: Option<String>,

    /// Decoder file, which overrides the choice above
    #[arg(long, env = "SAM_DECODER", value_name = "FILE")]
    pub sam_decoder: Option<String>,
}

impl Checkpoints {
    /// Returns the files, and downloads those on a hub.
    pub fn fetch(hub: &Hub, encoder: &str, decoder: &str) -> Result<Self, HubError> {
        let weights: Weights = encoder.parse()?;
        let files = Self {
            encoder: hub.path(&weights)?,
            decoder: hub.path(&decoder.parse()?)?,
        };
        if let Weights::Hub(file) = &weights
            && file.path().contains(TRANSFORMERS_ENCODER)
        {
            // Not every repository has one, and the model runs without it.
            let config = weights.sibling(PreprocessorConfig::sibling_of(file.path()));
            if let Err(error) = config.and_then(|config| hub.path(&config)) {
                tracing::debug!(%error, "no configuration of the images beside the encoder");
            }
        }
        Ok(files)
    }

    /// Returns the files that were exported beside a checkpoint, if they are there.
    pub fn exported(checkpoint: &Path) -> Option<Self> {
        let files = Self {
            encoder: checkpoint.with_extension("encoder.onnx"),
            decoder: checkpoint.with_extension("decoder.onnx"),
        };
        (files.encoder.is_file() && files.decoder.is_file()).then_some(files)
    }

    /// Names the decoder of an exported encoder, as it lies beside it by the names that exporters
    /// give; fails for others.
    pub fn decoder_beside(encoder: &str) -> anyhow::Result<String> {
        let start = encoder.rfind('/').map_or(0, |slash| slash + 1);
        let (folder, name) = encoder.split_at(start);
        let name = match name.strip_prefix(TRANSFORMERS_ENCODER) {
            Some(rest) => Some(format!("prompt_encoder_mask_decoder{rest}")),
            None => name
                .contains("encoder")
                .then(|| name.replace("encoder", "decoder")),
        };
        let name = name.with_context(|| {
            format!("the decoder of {encoder} is not known: name it in SAM_DECODER")
        })?;
        Ok(format!("{folder}{name}"))
    }
}

impl NamedFiles {
    /// Returns the name of the encoder; an empty variable counts as not set.
    pub fn encoder(&self) -> Option<&str> {
        filled(self.sam_encoder.as_deref())
    }

    /// Returns the name of the decoder, which may replace that of another encoder.
    pub fn decoder(&self) -> Option<&str> {
        filled(self.sam_decoder.as_deref())
    }

    /// Returns the names of both; nothing without an encoder.
    pub fn pair(&self) -> anyhow::Result<Option<(&str, &str)>> {
        let Some(encoder) = self.encoder() else {
            return Ok(None);
        };
        let decoder = self.decoder();
        let decoder = decoder.context("SAM_ENCODER is given: SAM_DECODER must be as well")?;
        Ok(Some((encoder, decoder)))
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
