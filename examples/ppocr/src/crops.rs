//! Crops of lines as inputs of models.

use image::RgbImage;
use label_studio_vision::images::{Filter, Normalise, resize, to_bgr};
use ndarray::{Array4, Axis};

/// Returns crops as one input of a size, with blue first: each scaled to the full height, at most
/// as wide as the input, and zeros on its right.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "widths are at most that of the input"
)]
pub(crate) fn padded(
    crops: &[&RgbImage],
    (width, height): (u32, u32),
    normalise: Normalise,
) -> Array4<f32> {
    let mut input = Array4::zeros((crops.len(), 3, height as usize, width as usize));
    for (crop, target) in crops.iter().zip(input.axis_iter_mut(Axis(0))) {
        let scaled = (f64::from(height) * aspect(crop))
            .ceil()
            .min(f64::from(width));
        let mut scaled = resize(crop, scaled as u32, height, Filter::OpenCvLinear);
        to_bgr(&mut scaled);
        normalise.write(&scaled, target);
    }
    input
}

/// Returns crops as one input of a size, with blue first, stretched to it.
pub(crate) fn stretched(
    crops: &[&RgbImage],
    (width, height): (u32, u32),
    normalise: Normalise,
) -> Array4<f32> {
    let mut input = Array4::zeros((crops.len(), 3, height as usize, width as usize));
    for (crop, target) in crops.iter().zip(input.axis_iter_mut(Axis(0))) {
        let mut scaled = resize(crop, width, height, Filter::OpenCvLinear);
        to_bgr(&mut scaled);
        normalise.write(&scaled, target);
    }
    input
}

/// Returns width by height.
pub(crate) fn aspect(crop: &RgbImage) -> f64 {
    f64::from(crop.width()) / f64::from(crop.height())
}
