//! From pixels to a model's input tensor.

use image::RgbImage;
use ndarray::{Array4, ArrayViewMut3};

/// Normalisation of a model's input: `(value / divisor - mean) / std`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalise {
    /// Divides the byte.
    pub divisor: f32,
    /// Subtracted per channel.
    pub mean: [f32; 3],
    /// Divides per channel.
    pub std: [f32; 3],
}

impl Normalise {
    /// Values from 0 to 1.
    pub const UNIT: Self = Self {
        divisor: 255.0,
        mean: [0.0; 3],
        std: [1.0; 3],
    };

    /// Mean and deviation of `ImageNet` on values from 0 to 1.
    pub const IMAGENET: Self = Self {
        divisor: 255.0,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    };

    /// Mean and deviation of `ImageNet` on values from 0 to 255.
    pub const IMAGENET_BYTES: Self = Self {
        divisor: 1.0,
        mean: [123.675, 116.28, 103.53],
        std: [58.395, 57.12, 57.375],
    };

    /// Returns the image as a tensor of shape 1 x 3 x height x width.
    pub fn nchw(&self, image: &RgbImage) -> Array4<f32> {
        let mut tensor = Array4::zeros((1, 3, image.height() as usize, image.width() as usize));
        self.write(image, tensor.index_axis_mut(ndarray::Axis(0), 0));
        tensor
    }

    /// Writes the image into the top left corner of one image of a batch, 3 x height x width.
    pub fn write(&self, image: &RgbImage, mut tensor: ArrayViewMut3<'_, f32>) {
        let tables = self.tables();
        let n_row = 3 * image.width() as usize;
        for (mut plane, (channel, table)) in tensor.outer_iter_mut().zip(tables.iter().enumerate())
        {
            let rows = image.as_raw().chunks_exact(n_row.max(1));
            for (mut target, row) in plane.rows_mut().into_iter().zip(rows) {
                for (value, pixel) in target.iter_mut().zip(row.as_chunks::<3>().0) {
                    *value = table[usize::from(pixel[channel])];
                }
            }
        }
    }

    /// One value per byte and channel, so that a pixel costs a look-up.
    fn tables(&self) -> [[f32; 256]; 3] {
        std::array::from_fn(|channel| {
            std::array::from_fn(|byte| {
                let byte = f32::from(u8::try_from(byte).expect("a table has 256 entries"));
                (byte / self.divisor - self.mean[channel]) / self.std[channel]
            })
        })
    }
}

/// Swaps red and blue in place, for models that were trained on `OpenCV`'s order.
pub fn to_bgr(image: &mut RgbImage) {
    for pixel in image.pixels_mut() {
        pixel.0.swap(0, 2);
    }
}
