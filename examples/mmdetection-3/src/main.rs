//! Serves the model.

use std::{
    collections::BTreeMap,
    fs, mem,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use clap::Parser;
use label_studio_inference::hub::{ModelFolder, Weights, onnx_form};
use label_studio_ml::{
    ServerArgs,
    anyhow::{self, Context},
    parse_args, serde_json, serve,
};
use label_studio_services::aws::{PresignedUrls, S3Args};
use label_studio_vision::{Vision, VisionArgs, batches::ImageBatches, images::PreprocessorConfig};
use mmdetection_3::{Detectors, MmDetection};

/// Draw boxes with MMDetection models: RTMDet, YOLOv3, RT-DETR
#[expect(clippy::doc_markdown, reason = "the text is the program's help")]
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Exported model: a file, or `hf://owner/name/file`; `name.pth` means its export `name.onnx`. Settings are read from
    /// the TOML file beside it, or from CONFIG_FILE if that is a TOML file
    #[arg(long, env = "CHECKPOINT_FILE", default_value = "models/rtmdet.onnx")]
    checkpoint_file: String,

    /// Folder of the models that control tags may choose with the attribute `model_path` [default: that of the model]
    #[arg(long, env = "MODEL_ROOT")]
    model_root: Option<PathBuf>,

    /// Default minimum score of a box; the label config overrides it
    #[arg(long, env = "SCORE_THRESHOLD", default_value_t = 0.5)]
    score_threshold: f64,

    /// JSON file with labels by class, for labels that the label config does not map itself
    #[arg(long, env = "LABELS_FILE")]
    labels_file: Option<PathBuf>,

    /// Images that are run at a time
    #[arg(long, env = "BATCH_SIZE", default_value = "8")]
    batch_size: NonZeroUsize,

    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    vision: VisionArgs,

    #[command(flatten)]
    s3: S3Args,
}

/// Takes `CONFIG_FILE` if it is no JSON file with parameters, as every backend has it: the settings of the model, or the
/// original's Python config.
fn take_config(server: &mut ServerArgs) -> Option<PathBuf> {
    server.config.take_if(|config| {
        let extension = config.extension();
        extension.is_some_and(|extension| extension == "toml" || extension == "py")
    })
}

/// Returns the settings that `config` holds.
fn settings(config: Option<PathBuf>) -> Option<PathBuf> {
    let config = config?;
    if config.extension()? == "py" {
        tracing::warn!(
            file = %config.display(),
            "CONFIG_FILE is a config of MMDetection, which an exported model does not need: what it needs stands in a \
             TOML file; ignored"
        );
        return None;
    }
    Some(config)
}

fn labels(path: Option<&Path>) -> anyhow::Result<BTreeMap<String, String>> {
    let Some(path) = path else {
        return Ok(BTreeMap::new());
    };
    let text =
        fs::read(path).with_context(|| format!("cannot read labels file {}", path.display()))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("labels file {} is no JSON object of texts", path.display()))
}

fn main() -> anyhow::Result<()> {
    let mut args: Args = parse_args();
    let config = take_config(&mut args.server);
    let params = args.server.model_params()?;
    let of_params = || Some(PathBuf::from(params.get("labels_file")?.as_str()?));
    let labels_file = args.labels_file.or_else(of_params);
    let labels = labels(labels_file.as_deref())?;
    let addresses = PresignedUrls::new(&args.s3)?;
    let (checkpoint, model_root) = (args.checkpoint_file, args.model_root);
    let network = args.server.network.options();
    let (vision, batch_size) = (args.vision, args.batch_size.get());
    serve(&args.server, move || {
        let Vision {
            runtime,
            hub,
            reader,
        } = vision.start(network)?;
        let mut weights: Weights = checkpoint.parse()?;
        if let Weights::Local { path, .. } = &mut weights {
            *path = onnx_form(mem::take(path));
        }
        let path = hub.path(&weights)?;
        if let Weights::Hub(file) = &weights {
            // These files are optional, so a hub that has none is no error.
            let settings = path.with_extension("toml");
            let settings = settings.file_name().unwrap_or_default().to_string_lossy();
            for name in [&*settings, PreprocessorConfig::sibling_of(file.path())] {
                let _ = weights.sibling(name).and_then(|file| hub.path(&file));
            }
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let folder = ModelFolder::new(model_root.as_deref().unwrap_or(folder));
        let settings = settings(config);
        Ok(MmDetection {
            detectors: Detectors::new(runtime, &path, settings.as_deref(), folder)?,
            addresses,
            batches: ImageBatches { reader, batch_size },
            score_threshold: args.score_threshold,
            labels,
        })
    })
}
