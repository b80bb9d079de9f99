//! Position and scale of an image in SAM's square input.

use super::Prompt;

/// An image scaled so that its longer side fills the model's square; the rest is padding, right or
/// below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongestSide {
    /// Width and height of the image.
    pub image: (u32, u32),
    /// Width and height of the scaled image. As in the original a side may come to 0, of an image
    /// much longer than wide.
    pub resized: (u32, u32),
}

impl LongestSide {
    /// Scales `image`, given as width and height, to a square of `side` pixels.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sides are positive, and at most that of the square"
    )]
    pub fn new(image: (u32, u32), side: u32) -> Self {
        let scale = f64::from(side) / f64::from(image.0.max(image.1).max(1));
        let scaled = |length: u32| (f64::from(length) * scale + 0.5) as u32;
        Self {
            image,
            resized: (scaled(image.0), scaled(image.1)),
        }
    }

    /// Moves a pixel of the image into the square.
    pub fn point(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let ratio = |to: u32, from: u32| f64::from(to) / f64::from(from.max(1));
        [
            x * ratio(self.resized.0, self.image.0),
            y * ratio(self.resized.1, self.image.1),
        ]
    }

    /// Returns the size of the scaled image, at least one pixel each way.
    pub(super) fn visible(&self) -> (u32, u32) {
        (self.resized.0.max(1), self.resized.1.max(1))
    }
}

/// Returns SAM's points, in its square, and their labels: 1 and 0 for clicks, 2 and 3 for the
/// corners of a rectangle after them. Without both clicks and rectangle, a padding point with label
/// -1 follows.
pub fn decoder_points(frame: &LongestSide, prompt: &Prompt) -> (Vec<[f64; 2]>, Vec<f32>) {
    let (mut points, mut labels) = (Vec::new(), Vec::new());
    for click in &prompt.clicks {
        points.push(frame.point([click.x, click.y]));
        labels.push(f32::from(u8::from(click.is_positive)));
    }
    if let Some([left, top, right, bottom]) = prompt.rectangle {
        points.extend([frame.point([left, top]), frame.point([right, bottom])]);
        labels.extend([2.0, 3.0]);
    }
    if prompt.rectangle.is_none() || prompt.clicks.is_empty() {
        points.push([0.0, 0.0]);
        labels.push(-1.0);
    }
    (points, labels)
}
