//! Which files are run.

use std::path::{Path, PathBuf};

use clap::Args;
use label_studio_inference::hub::{Hub, HubError, Weights};
use label_studio_ml::anyhow::{self, Context, bail};

/// The smallest model, exported by others; fetched when no checkpoint is given.
const TINY: &str = "hf://onnx-community/sam2.1-hiera-tiny-ONNX/onnx/vision_encoder.onnx";
/// Checkpoint of the original's default.
const LARGE: &str = "sam2.1_hiera_large.pt";
/// Folder that checkpoints are looked for in.
const FOLDER: &str = "checkpoints";
/// What a config and a checkpoint call the same size.
const SIZES: [(&str, &str); 4] = [
    ("t", "tiny"),
    ("s", "small"),
    ("b+", "base_plus"),
    ("l", "large"),
];

/// Where the model's files are
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct CheckpointArgs {
    /// The exported encoder, or the checkpoint beside which export.py put the exported files, in the folder checkpoints;
    /// the large one if it is there, else the tiny one is fetched
    #[arg(long, env = "MODEL_CHECKPOINT", value_name = "FILE")]
    pub model_checkpoint: Option<String>,

    /// Config of the checkpoint: not needed, but checked against its name
    #[arg(long, env = "MODEL_CONFIG", value_name = "FILE")]
    pub model_config: Option<String>,

    /// Encoder file, whatever the checkpoint: a path, or a file on a hub as in the README
    #[arg(
        long,
        env = "SAM_ENCODER",
        value_name = "FILE",
        requires = "sam_decoder"
    )]
    pub sam_encoder: Option<String>,

    /// Decoder file, whatever the checkpoint
    #[arg(long, env = "SAM_DECODER", value_name = "FILE")]
    pub sam_decoder: Option<String>,
}

/// The files to run, on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    /// What looks at images.
    pub encoder: PathBuf,
    /// What turns prompts into masks.
    pub decoder: PathBuf,
}

impl CheckpointArgs {
    /// Finds the files, and fetches those that are named by a hub.
    pub fn locate(&self, hub: &Hub) -> anyhow::Result<Checkpoints> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let decoder = filled(&self.sam_decoder);
        if let Some(encoder) = filled(&self.sam_encoder) {
            let decoder = decoder.context("SAM_ENCODER is given: SAM_DECODER must be as well")?;
            return fetch(hub, &encoder, &decoder);
        }
        let Some(checkpoint) = filled(&self.model_checkpoint) else {
            if let Some(files) = exported(&Path::new(FOLDER).join(LARGE)) {
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
        candidates.iter().find_map(|path| exported(path)).with_context(|| {
            let encoder = candidates[1].with_extension("encoder.onnx");
            format!(
                "there is no {}: this backend runs ONNX files, which `python export.py {FOLDER}/{checkpoint}` makes from a \
                 checkpoint (see the README), or name them in SAM_ENCODER and SAM_DECODER",
                encoder.display()
            )
        })
    }
}

/// Refuses a config whose name says another model than the checkpoint's.
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
    // Only names that say a model can be wrong.
    let says_model = checkpoint_name.contains("_hiera_");
    if says_model && !checkpoint_name.starts_with(&format!("{expected}.")) {
        bail!(
            "MODEL_CONFIG {config:?} belongs to {expected}, and MODEL_CHECKPOINT is {checkpoint:?}"
        );
    }
    Ok(())
}

fn exported(checkpoint: &Path) -> Option<Checkpoints> {
    let files = Checkpoints {
        encoder: checkpoint.with_extension("encoder.onnx"),
        decoder: checkpoint.with_extension("decoder.onnx"),
    };
    (files.encoder.is_file() && files.decoder.is_file()).then_some(files)
}

/// Finds the decoder of an exported encoder, as export.py and others name it.
fn of_encoder(hub: &Hub, encoder: &str, decoder: Option<String>) -> anyhow::Result<Checkpoints> {
    let decoder = decoder.or_else(|| {
        let (folder, name) = encoder
            .rsplit_once('/')
            .map_or(("", encoder), |(folder, name)| (folder, name));
        let name = match name.strip_prefix("vision_encoder") {
            Some(rest) => format!("prompt_encoder_mask_decoder{rest}"),
            None if name.contains("encoder") => name.replace("encoder", "decoder"),
            None => return None,
        };
        Some(if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        })
    });
    let decoder = decoder.with_context(|| {
        format!("the decoder of {encoder} is not known: name it in SAM_DECODER")
    })?;
    fetch(hub, encoder, &decoder)
}

fn fetch(hub: &Hub, encoder: &str, decoder: &str) -> anyhow::Result<Checkpoints> {
    Ok(Checkpoints {
        encoder: fetch_with_data(hub, encoder)?,
        decoder: fetch_with_data(hub, decoder)?,
    })
}

/// Fetches a file, and the weights that the transformers library's exports keep beside it.
fn fetch_with_data(hub: &Hub, name: &str) -> Result<PathBuf, HubError> {
    let weights: Weights = name.parse()?;
    let path = hub.path(&weights)?;
    if let Weights::Hub(file) = &weights {
        let data = weights.sibling(&format!("{}_data", file.path()))?;
        if let Err(error) = hub.path(&data) {
            // Small models have none, and loading tells if it was needed.
            tracing::debug!(%data, %error, "no weights beside the model");
        }
    }
    Ok(path)
}
