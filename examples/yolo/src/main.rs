//! Serves the model.

use std::{collections::HashMap, num::NonZeroUsize, path::PathBuf};

use clap::{ArgAction, Parser};
use label_studio_inference::hub::{HubError, Weights};
use label_studio_ml::{
    ServerArgs,
    anyhow::{self, ensure},
    parse_args, serve,
};
use label_studio_vision::{Vision, VisionArgs, batches::ImageBatches, video::VideoArgs};
use yolo::{Kind, ModelFiles, Networks, TrackerFiles, Yolo, label_tasks, read_tasks};

/// Label images and videos with YOLO models: boxes, rotated boxes, polygons, brush masks, key points, choices, tracks
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Label these tasks, store the predictions, and end: a JSON file with ids or with objects of id and data, or ids with
    /// commas
    #[arg(long)]
    tasks: Option<String>,

    /// Project of these tasks
    #[arg(long, env = "LABEL_STUDIO_PROJECT_ID", default_value_t = 1)]
    project: i64,

    /// Address of Label Studio, as the original's command line calls it
    #[arg(long, hide = true)]
    ls_url: Option<String>,

    /// Access token, as the original's command line calls it
    #[arg(long, hide = true)]
    ls_api_key: Option<String>,

    /// Folder of the models
    #[arg(long, env = "MODEL_ROOT", default_value = "models")]
    model_root: PathBuf,

    /// Default minimum score of a region; the label config overrides it
    #[arg(long, env = "MODEL_SCORE_THRESHOLD", default_value_t = 0.5)]
    model_score_threshold: f64,

    /// Whether control tags may choose a model of the folder with the attribute `model_path`
    #[arg(long, env = "ALLOW_CUSTOM_MODEL_PATH", default_value = "true", action = ArgAction::Set, value_parser = switch)]
    allow_custom_model_path: bool,

    /// Images or frames that are run at a time
    #[arg(long, env = "BATCH_SIZE", default_value = "8")]
    batch_size: NonZeroUsize,

    /// Model for `RectangleLabels`: a file of the folder, or `hf://owner/name/file` [default: yolov8m.onnx]
    #[arg(long, env = "DETECT_MODEL")]
    detect_model: Option<String>,

    /// Model for `RectangleLabels` with `model_obb="true"` [default: yolov8n-obb.onnx]
    #[arg(long, env = "OBB_MODEL")]
    obb_model: Option<String>,

    /// Model for `PolygonLabels` and `BrushLabels` [default: yolov8n-seg.onnx]
    #[arg(long, env = "SEGMENT_MODEL")]
    segment_model: Option<String>,

    /// Model for `KeyPointLabels` [default: yolov8n-pose.onnx]
    #[arg(long, env = "POSE_MODEL")]
    pose_model: Option<String>,

    /// Model for `VideoRectangle` [default: yolov8n.onnx]
    #[arg(long, env = "VIDEO_MODEL")]
    video_model: Option<String>,

    /// Model for Choices, Taxonomy and `TimelineLabels` [default: yolov8n-cls.onnx]
    #[arg(long, env = "CLASSIFY_MODEL")]
    classify_model: Option<String>,

    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    vision: VisionArgs,

    #[command(flatten)]
    video: VideoArgs,
}

impl Args {
    fn defaults(&self) -> Result<HashMap<Kind, Weights>, HubError> {
        let kinds: [(&Option<String>, &[Kind]); 6] = [
            (&self.detect_model, &[Kind::Rectangle]),
            (&self.obb_model, &[Kind::RotatedRectangle]),
            (&self.segment_model, &[Kind::Polygon, Kind::Brush]),
            (&self.pose_model, &[Kind::KeyPoint]),
            (&self.video_model, &[Kind::VideoRectangle]),
            (
                &self.classify_model,
                &[Kind::Choices, Kind::Taxonomy, Kind::Timeline],
            ),
        ];
        let mut defaults = HashMap::new();
        for (weights, kinds) in kinds {
            // Compose files set variables to nothing.
            if let Some(weights) = weights.as_deref().filter(|name| !name.trim().is_empty()) {
                let weights: Weights = weights.parse()?;
                defaults.extend(kinds.iter().map(|kind| (*kind, weights.clone())));
            }
        }
        Ok(defaults)
    }
}

fn main() -> anyhow::Result<()> {
    let mut args: Args = parse_args();
    let label_studio = &mut args.server.label_studio;
    label_studio.label_studio_url = args.ls_url.take().or(label_studio.label_studio_url.take());
    label_studio.label_studio_api_key = args
        .ls_api_key
        .take()
        .or(label_studio.label_studio_api_key.take());
    let files = ModelFiles {
        root: args.model_root.clone(),
        allows_model_path: args.allow_custom_model_path,
        defaults: args.defaults()?,
    };
    let network = args.server.network.options();
    let (vision, batch_size) = (args.vision, args.batch_size.get());
    let videos = args.video.reader();
    // Images are labelled without it, so it need not be there.
    if let Err(error) = videos.version() {
        tracing::warn!(%error, "videos cannot be labelled");
    }
    let trackers = TrackerFiles {
        root: args.model_root,
    };
    let load = move || {
        let Vision {
            runtime,
            hub,
            reader,
        } = vision.start(network)?;
        Ok(Yolo {
            networks: Networks::new(runtime, hub, files),
            batches: ImageBatches { reader, batch_size },
            videos,
            trackers,
            score_threshold: args.model_score_threshold,
        })
    };
    let Some(tasks) = args.tasks else {
        return serve(&args.server, load);
    };
    let tasks = read_tasks(&tasks)?;
    let failures = label_tasks(&load()?, args.server.resources()?, args.project, &tasks)?;
    report(tasks.len(), &failures)
}

#[expect(clippy::print_stdout, reason = "the result of a command")]
fn report(n_tasks: usize, failures: &[String]) -> anyhow::Result<()> {
    println!("{} of {n_tasks} tasks labelled", n_tasks - failures.len());
    ensure!(failures.is_empty(), "not labelled: {}", failures.join("; "));
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "clap's signature")]
fn switch(text: &str) -> Result<bool, String> {
    Ok(["1", "true", "yes"]
        .iter()
        .any(|on| text.trim().eq_ignore_ascii_case(on)))
}
