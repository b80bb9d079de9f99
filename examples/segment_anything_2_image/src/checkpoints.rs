//! The files of the model.

use std::path::{Path, PathBuf};

use clap::Args;
use label_studio_inference::hub::{Hub, Weights};
use label_studio_ml::anyhow::{self, Context, bail};
use label_studio_vision::models::sam::{Checkpoints, NamedFiles};

/// The smallest model, exported by others; fetched when no checkpoint is given.
const TINY: &str = "hf://onnx-community/sam2.1-hiera-tiny-ONNX/onnx/vision_encoder.onnx";
/// Checkpoint of the original's default.
const LARGE: &str = "sam2.1_hiera_large.pt";
/// Folder that checkpoints are looked for in.
const FOLDER: &str = "checkpoints";
/// Names of the sizes in configs and in checkpoints.
const SIZES: [(&str, &str); 4] = [
    ("t", "tiny"),
    ("s", "small"),
    ("b+", "base_plus"),
    ("l", "large"),
];

/// Files of the model
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct CheckpointArgs {
    /// The exported encoder, or the checkpoint beside which export.py put the exported files, in
    /// the folder checkpoints; the large one if it is there, else the tiny one is fetched
    #[arg(long, env = "MODEL_CHECKPOINT", value_name = "FILE")]
    pub model_checkpoint: Option<String>,

    /// Config of the checkpoint: not needed, but checked against its name
    #[arg(long, env = "MODEL_CONFIG", value_name = "FILE")]
    pub model_config: Option<String>,

    /// Files that override the choice
    #[command(flatten)]
    pub files: NamedFiles,
}

impl CheckpointArgs {
    /// Returns the files, and downloads those on a hub.
    pub fn locate(&self, hub: &Hub) -> anyhow::Result<Checkpoints> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        if let Some((encoder, decoder)) = self.files.pair()? {
            return fetch(hub, encoder, decoder);
        }
        let decoder = self.files.decoder().map(str::to_owned);
        let Some(checkpoint) = filled(&self.model_checkpoint) else {
            if let Some(files) = Checkpoints::exported(&Path::new(FOLDER).join(LARGE)) {
                return Ok(files);
            }
            tracing::info!("no MODEL_CHECKPOINT is given: the tiny model is run");
            return of_encoder(hub, TINY, decoder);
        };
        if let Some(config) = filled(&self.model_config) {
            check_config(&config, &checkpoint)?;
        }
        if Path::new(&checkpoint)
            .extension()
            .is_some_and(|extension| extension == "onnx")
        {
            return of_encoder(hub, &checkpoint, decoder);
        }
        let candidates = [
            PathBuf::from(&checkpoint),
            Path::new(FOLDER).join(&checkpoint),
        ];
        candidates.iter().find_map(|path| Checkpoints::exported(path)).with_context(|| {
            let encoder = candidates[1].with_extension("encoder.onnx");
            format!(
                "there is no {}: this backend runs ONNX files, which `python export.py {FOLDER}/{checkpoint}` makes from a \
                 checkpoint (see the README), or name them in SAM_ENCODER and SAM_DECODER",
                encoder.display()
            )
        })
    }
}

/// Refuses a config whose name belongs to another model than the checkpoint's.
fn check_config(config: &str, checkpoint: &str) -> anyhow::Result<()> {
    let name = |path: &str| {
        let name = Path::new(path).file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let (config_name, checkpoint_name) = (name(config), name(checkpoint));
    let expected = config_name.strip_suffix(".yaml").and_then(|stem| {
        let (generation, size) = stem.split_once("_hiera_")?;
        let (_, size) = SIZES.iter().find(|(short, _)| *short == size)?;
        Some(format!("{generation}_hiera_{size}"))
    });
    let Some(expected) = expected else {
        bail!(
            "MODEL_CONFIG {config:?} names no model: sam2_hiera_X.yaml or sam2.1_hiera_X.yaml is expected, X being t, s, b+ or l"
        );
    };
    // A name without a model cannot be wrong.
    let says_model = checkpoint_name.contains("_hiera_");
    if says_model && !checkpoint_name.starts_with(&format!("{expected}.")) {
        bail!(
            "MODEL_CONFIG {config:?} belongs to {expected}, and MODEL_CHECKPOINT is {checkpoint:?}"
        );
    }
    Ok(())
}

fn of_encoder(hub: &Hub, encoder: &str, decoder: Option<String>) -> anyhow::Result<Checkpoints> {
    let decoder = decoder.map_or_else(|| Checkpoints::decoder_beside(encoder), Ok)?;
    fetch(hub, encoder, &decoder)
}

/// Finds the files, and fetches the weights that the transformers library's exports keep beside
/// them.
fn fetch(hub: &Hub, encoder: &str, decoder: &str) -> anyhow::Result<Checkpoints> {
    let files = Checkpoints::fetch(hub, encoder, decoder)?;
    for name in [encoder, decoder] {
        let weights: Weights = name.parse()?;
        if let Weights::Hub(file) = &weights {
            let data = weights.sibling(&format!("{}_data", file.path()))?;
            if let Err(error) = hub.path(&data) {
                // Small models have none, and loading fails if it was needed.
                tracing::debug!(%data, %error, "no weights beside the model");
            }
        }
    }
    Ok(files)
}
