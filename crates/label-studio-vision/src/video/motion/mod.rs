//! How the camera moved between two frames.
//!
//! Corners of the frame before are found again in the next one, and the motion that most of them
//! share is the camera's: shift, turn and zoom. The steps and constants are those of OpenCV's
//! `goodFeaturesToTrack`, `calcOpticalFlowPyrLK` and `estimateAffinePartial2D`, on grey frames of
//! half the size, as Ultralytics calls them (`gmc_method: sparseOptFlow`).

mod affine;
mod camera;
mod corners;
mod flow;
mod pyramid;

pub use affine::Affine;
pub use camera::CameraMotion;
