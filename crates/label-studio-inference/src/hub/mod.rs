//! Weights from a local path or from a model hub.
//!
//! [`Weights`] names a file, [`Hub::path`] says where it is on this machine and fetches it first if it has to. The
//! cache is the one that Python's `huggingface_hub` keeps, so what one program fetched the other finds. `hf-hub` knows
//! its layout; the transfer is our own, because `hf-hub` has no time-outs, no limit of size, gives up after five
//! seconds where another process fetches the same file, and publishes a file before anybody could check it.
//! [`ModelFolder`] is for names from a label config: they choose files of one folder and lead nowhere else.
//!
//! ```
//! use label_studio_inference::hub::Weights;
//!
//! let weights: Weights = "hf://Acly/MobileSAM@main/mobile_sam_image_encoder.onnx".parse()?;
//! assert_eq!(weights.to_string(), "hf://Acly/MobileSAM@main/mobile_sam_image_encoder.onnx");
//! assert!(matches!("models/encoder.onnx".parse()?, Weights::Local { .. }));
//! # Ok::<_, label_studio_inference::hub::HubError>(())
//! ```

mod args;
mod cache;
mod checks;
mod digest;
mod download;
mod error;
mod fetch;
mod folder;
mod options;
mod progress;
mod remote;
mod weights;

pub use args::HubArgs;
pub use digest::{InvalidDigest, Sha256Digest};
pub use error::HubError;
pub use fetch::Hub;
pub use folder::{ModelFolder, ModelFolderError, onnx_form};
pub use options::HubOptions;
pub use weights::{HubFile, Weights};
