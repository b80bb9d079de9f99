//! Serves the model.

use std::{collections::BTreeMap, fs, num::NonZeroUsize, path::PathBuf};

use clap::Parser;
use label_studio_inference::{
    hub::{HubArgs, Weights},
    images::Limits,
    onnx::{OnnxArgs, Runtime},
};
use label_studio_ml::{
    ServerArgs,
    anyhow::{self, Context},
    parse_args, serde_json, serve,
};
use mmdetection_3::{Detector, MmDetection, Options};

/// Draw boxes with MMDetection models: RTMDet, YOLOv3, RT-DETR
#[expect(clippy::doc_markdown, reason = "the text is the program's help")]
#[derive(Debug, Parser)]
struct Args {
    /// Exported model: a file, or `hf://owner/name/file`; settings are read from the TOML file beside it
    #[arg(long, env = "CHECKPOINT_FILE", default_value = "models/rtmdet.onnx")]
    checkpoint_file: String,

    /// How sure boxes must be where the label config does not say
    #[arg(long, env = "SCORE_THRESHOLD", default_value_t = 0.5)]
    score_threshold: f64,

    /// JSON file with labels by class, for labels that the label config does not map itself
    #[arg(long, env = "LABELS_FILE")]
    labels_file: Option<PathBuf>,

    /// Images that are decoded and run at a time
    #[arg(long, env = "BATCH_SIZE", default_value = "8")]
    batch_size: NonZeroUsize,

    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    onnx: OnnxArgs,

    #[command(flatten)]
    hub: HubArgs,

    #[command(flatten)]
    limits: Limits,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    let labels = match args.labels_file.filter(|path| !path.as_os_str().is_empty()) {
        None => BTreeMap::new(),
        Some(path) => {
            let text = fs::read(&path)
                .with_context(|| format!("cannot read labels file {}", path.display()))?;
            serde_json::from_slice(&text).with_context(|| {
                format!("labels file {} is no JSON object of texts", path.display())
            })?
        }
    };
    let options = Options {
        score_threshold: args.score_threshold,
        batch_size: args.batch_size.get(),
        limits: args.limits,
        labels,
    };
    let (checkpoint, onnx, hub) = (args.checkpoint_file, args.onnx, args.hub);
    serve(&args.server, move || {
        let hub = hub.hub()?;
        let weights: Weights = checkpoint.parse()?;
        let path = hub.path(&weights)?;
        if matches!(weights, Weights::Hub(_)) {
            // The settings are optional, so a hub that has none is no error.
            let settings = path.with_extension("toml");
            let name = settings.file_name().unwrap_or_default().to_string_lossy();
            let _ = weights
                .sibling(&name)
                .and_then(|settings| hub.path(&settings));
        }
        Ok(MmDetection::new(
            Detector::load(&Runtime::new(&onnx)?, &path)?,
            options,
        ))
    })
}
