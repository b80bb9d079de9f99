//! The motion of the camera from frame to frame.

use image::{GrayImage, RgbImage};

use super::{Affine, affine::estimate, corners::corners, flow::follow, pyramid::Pyramid};
use crate::images::{Filter, resize, to_grey};

/// Corners that are followed at most.
const N_CORNERS: usize = 400;
/// Fewer corners say nothing about the camera.
const MIN_FOLLOWED: usize = 5;
/// Frames are made smaller by this.
const DOWNSCALE: u32 = 2;

/// Finds the motion of the camera from frame to frame.
#[derive(Debug, Default)]
pub struct CameraMotion {
    before: Option<(Pyramid, Vec<[f32; 2]>)>,
}

impl CameraMotion {
    /// Returns how points of the frame before move to `frame`; nothing moves in the first one, and
    /// where too few corners are found again.
    pub fn next(&mut self, frame: &RgbImage) -> Affine {
        let (width, height) = (frame.width() / DOWNSCALE, frame.height() / DOWNSCALE);
        if width == 0 || height == 0 {
            return Affine::IDENTITY;
        }
        let grey: GrayImage = resize(&to_grey(frame), width, height, Filter::OpenCvLinear);
        let found = corners(&grey, N_CORNERS);
        let pyramid = Pyramid::new(&grey);
        let motion = self.before.as_ref().map(|(before, points)| {
            let (from, to) = follow(before, &pyramid, points);
            if from.len() < MIN_FOLLOWED {
                return Affine::IDENTITY;
            }
            let motion = estimate(&from, &to).unwrap_or(Affine::IDENTITY);
            motion.with_scaled_shift(f64::from(DOWNSCALE))
        });
        self.before = Some((pyramid, found));
        motion.unwrap_or(Affine::IDENTITY)
    }
}
