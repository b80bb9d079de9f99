//! Boxes from `MMDetection` models: `RTMDet`, `YOLOv3`, RT-DETR.
//!
//! [`MmDetection`] is the model that Label Studio talks to; [`Detector`] runs an exported network, whose kind and whose
//! treatment of images stand in [`Settings`], read from a TOML file beside it or told by its outputs.

mod coco;
mod decode;
mod detector;
mod label_map;
mod model;
mod placement;
mod settings;

pub use decode::Detection;
pub use detector::Detector;
pub use label_map::label_map;
pub use model::{MmDetection, Options};
pub use settings::{Family, Order, Settings};
