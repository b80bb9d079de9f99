//! What a network needs to know about itself, since its ONNX file does not say.

use std::{fs, path::Path};

use label_studio_inference::onnx::Engine;
use label_studio_ml::anyhow::{self, Context, bail, ensure};
use label_studio_vision::images::{Normalise, PreprocessorConfig};
use serde::Deserialize;

use crate::coco;

/// Kinds of exports, by what comes out of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// An export of `MMDeploy`: `dets` (corners and score) and `labels`, overlaps suppressed inside.
    Mmdeploy,
    /// The bare head of `RTMDet`: logits of classes, and distances in pixels to the sides of each point's box.
    RtmdetRaw,
    /// The bare head of `YOLOv3`: three maps with three anchors each.
    Yolov3Raw,
    /// RT-DETR as Transformers export it: `logits` and `pred_boxes`.
    Rtdetr,
}

/// Order of a pixel's channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// How a network wants its images, and what its answers mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Kind of export.
    pub family: Family,
    /// Width and height that images are fitted into.
    pub input_size: (u32, u32),
    /// What happens to pixel values, in the order of the channels.
    pub normalise: Normalise,
    /// Order of the channels.
    pub order: Order,
    /// Names of the classes, by number.
    pub classes: Vec<String>,
    /// Boxes of a class that overlap a better one more than this go.
    pub nms_threshold: f64,
    /// So many boxes of an image stay at most.
    pub max_boxes: usize,
}

/// The file beside a network; what it leaves out is as usual for the family.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SettingsFile {
    family: Option<Family>,
    input_size: Option<(u32, u32)>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    order: Option<Order>,
    classes: Option<Vec<String>>,
    nms_threshold: Option<f64>,
    max_boxes: Option<usize>,
}

impl Settings {
    /// Returns what is usual for a family, with the classes of COCO.
    pub fn usual(family: Family) -> Self {
        let (side, normalise, order, nms_threshold, max_boxes) = match family {
            Family::Mmdeploy | Family::RtmdetRaw => {
                let Normalise { mean, std, .. } = Normalise::IMAGENET_BYTES;
                let reversed = |[red, green, blue]: [f32; 3]| [blue, green, red];
                let normalise = Normalise {
                    mean: reversed(mean),
                    std: reversed(std),
                    ..Normalise::IMAGENET_BYTES
                };
                (640, normalise, Order::Bgr, 0.65, 300)
            }
            Family::Yolov3Raw => (320, Normalise::IMAGENET_BYTES, Order::Rgb, 0.45, 100),
            Family::Rtdetr => (640, Normalise::UNIT, Order::Rgb, 1.0, 300),
        };
        Self {
            family,
            input_size: (side, side),
            normalise,
            order,
            classes: coco::CLASSES.map(str::to_owned).to_vec(),
            nms_threshold,
            max_boxes,
        }
    }

    /// Reads the TOML file `named`, or the one beside the network, `name.toml` for `name.onnx`; without one, the outputs
    /// tell the family. For RT-DETR, `preprocessor_config.json` beside the network says what happens to pixel values.
    pub fn of(engine: &dyn Engine, model: &Path, named: Option<&Path>) -> anyhow::Result<Self> {
        let path = named.map_or_else(|| model.with_extension("toml"), Path::to_owned);
        let file: SettingsFile = if named.is_some() || path.exists() {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            toml::from_str(&text).with_context(|| format!("settings file {}", path.display()))?
        } else {
            SettingsFile::default()
        };
        let family = match file.family {
            Some(family) => family,
            None => family_of(engine)?,
        };
        let mut usual = Self::usual(family);
        if family == Family::Rtdetr {
            // As Transformers export it, with their file for images.
            usual.normalise = PreprocessorConfig::normalise_beside(model, usual.normalise)?;
        }
        let settings = Self {
            family,
            input_size: file.input_size.unwrap_or(usual.input_size),
            normalise: Normalise {
                mean: file.mean.unwrap_or(usual.normalise.mean),
                std: file.std.unwrap_or(usual.normalise.std),
                ..usual.normalise
            },
            order: file.order.unwrap_or(usual.order),
            classes: file.classes.unwrap_or(usual.classes),
            nms_threshold: file.nms_threshold.unwrap_or(usual.nms_threshold),
            max_boxes: file.max_boxes.unwrap_or(usual.max_boxes),
        };
        let (width, height) = settings.input_size;
        ensure!(
            (32..=8192).contains(&width) && (32..=8192).contains(&height),
            "settings file {}: input_size is {width} x {height}, sides from 32 to 8192 are possible",
            path.display()
        );
        ensure!(
            !settings.classes.is_empty() && settings.normalise.std.iter().all(|std| *std > 0.0),
            "settings file {}: classes must not be empty, std must be above 0",
            path.display()
        );
        Ok(settings)
    }
}

fn family_of(engine: &dyn Engine) -> anyhow::Result<Family> {
    let has = |name: &str| engine.output(name).is_some();
    let n_with_rank = |rank: usize| {
        let outputs = engine.outputs().iter();
        outputs.filter(|output| output.shape.len() == rank).count()
    };
    Ok(if has("dets") && has("labels") {
        Family::Mmdeploy
    } else if has("logits") && has("pred_boxes") {
        Family::Rtdetr
    } else if n_with_rank(4) == 3 {
        Family::Yolov3Raw
    } else if n_with_rank(3) == 2 {
        Family::RtmdetRaw
    } else {
        let outputs: Vec<_> = engine.outputs().iter().map(ToString::to_string).collect();
        bail!(
            "model file {} is no detector that is known: it has the outputs {}. MMDeploy's dets and labels, RT-DETR's \
             logits and pred_boxes, RTMDet's two tensors or YOLOv3's three maps are expected",
            engine.file(),
            outputs.join(", ")
        )
    })
}
