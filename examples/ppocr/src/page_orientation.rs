//! Turns pages that were scanned sideways or upside down.

use std::{path::Path, sync::Arc};

use image::{RgbImage, imageops};
use label_studio_inference::onnx::{Engine, OnnxError, Runtime};
use label_studio_ml::anyhow::{self, ensure};
use label_studio_vision::{
    boxes::Quad,
    images::{Filter, Normalise, centre_crop, resize, to_bgr},
};

use crate::expected::check;

/// Shorter side of the scaled image, and sides of the part in its middle that the model sees.
const SHORT_SIDE: u32 = 256;
const INPUT_SIDE: u32 = 224;

/// Knows in which direction a page is turned (PP-LCNet, four classes).
pub struct PageOrientation {
    engine: Arc<dyn Engine>,
}

/// Quarters by which a page has to be turned against the clock to be upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarters(pub usize);

impl PageOrientation {
    /// Loads the model.
    pub fn load(runtime: &Runtime, path: &Path) -> Result<Self, OnnxError> {
        let engine = runtime.load(path)?;
        check(engine.as_ref(), "a classifier of upright pages", &[-1, 4])?;
        Ok(Self { engine })
    }

    /// Returns how a page has to be turned.
    pub fn quarters(&self, image: &RgbImage) -> anyhow::Result<Quarters> {
        let (width, height) = image.dimensions();
        let shorter = f64::from(width.min(height));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sides of a scaled image"
        )]
        let scaled = |side: u32| {
            let side = f64::from(side) * f64::from(SHORT_SIDE) / shorter;
            side.round_ties_even().min(f64::from(16 * SHORT_SIDE)) as u32
        };
        let scaled = resize(image, scaled(width), scaled(height), Filter::OpenCvLinear);
        let mut middle = centre_crop(&scaled, INPUT_SIDE, INPUT_SIDE);
        to_bgr(&mut middle);
        let pixels = Normalise::IMAGENET.nchw(&middle);
        let (input, output) = (
            &self.engine.inputs()[0].name,
            &self.engine.outputs()[0].name,
        );
        let [scores] = self
            .engine
            .run_f32(&[(input, (&pixels).into())], [output])?;
        ensure!(
            scores.shape() == [1, 4],
            "model file {:?} answers with the shape {:?}, [1, 4] is expected",
            self.engine.file(),
            scores.shape()
        );
        let scores = scores.iter().enumerate();
        let best = scores.fold((0, f32::NEG_INFINITY), |best, (class, &score)| {
            if score > best.1 { (class, score) } else { best }
        });
        Ok(Quarters(best.0))
    }
}

impl Quarters {
    /// Returns the page upright.
    pub fn turned(self, image: &RgbImage) -> RgbImage {
        match self.0 {
            1 => imageops::rotate270(image),
            2 => imageops::rotate180(image),
            3 => imageops::rotate90(image),
            _ => image.clone(),
        }
    }

    /// Returns a box of the upright page where it is on the page as it came, which has a width and
    /// a height. The first corner stays that of the text's beginning.
    #[expect(
        clippy::cast_precision_loss,
        reason = "images have fewer than 2^24 columns"
    )]
    pub fn on_page(self, quad: Quad, (width, height): (u32, u32)) -> Quad {
        let (width, height) = (width as f32, height as f32);
        quad.map(|[x, y]| match self.0 {
            1 => [width - y, x],
            2 => [width - x, height - y],
            3 => [y, height - x],
            _ => [x, y],
        })
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};
    use label_studio_vision::boxes::Quad;

    use super::Quarters;

    #[test]
    fn boxes_return_to_where_their_text_was() {
        let mut page = RgbImage::new(7, 5);
        page.put_pixel(2, 1, Rgb([255; 3]));
        for quarters in (0..4).map(Quarters) {
            let upright = quarters.turned(&page);
            let (x, y, _) = upright
                .enumerate_pixels()
                .find(|(_, _, pixel)| pixel.0 == [255; 3])
                .unwrap();
            let (x, y) = (
                f32::from(u8::try_from(x).unwrap()),
                f32::from(u8::try_from(y).unwrap()),
            );
            let found = Quad::upright([x, y, x + 1.0, y + 1.0]);
            let bounds = quarters.on_page(found, page.dimensions()).bounds();
            assert_eq!(Quad::upright(bounds), Quad::upright([2.0, 1.0, 3.0, 2.0]));
        }
    }
}
