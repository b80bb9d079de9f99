//! Boxes from `MMDetection` models: `RTMDet`, `YOLOv3`, RT-DETR.
//!
//! [`MmDetection`] is the model that Label Studio talks to; [`Detector`] runs an exported network, whose kind and whose
//! treatment of images stand in [`Settings`], read from a TOML file beside it or told by its outputs. [`Detectors`] has
//! the one that each control tag asks for, images in S3 are opened with presigned
//! addresses.

mod coco;
mod decode;
mod detector;
mod detectors;
mod images;
mod label_map;
mod model;
mod placement;
mod settings;
mod target;

pub use decode::Detection;
pub use detector::{Detector, Prepared};
pub use detectors::Detectors;
pub use label_map::label_map;
pub use model::MmDetection;
pub use settings::{Family, Order, Settings};
