//! Resizing that equals that of the libraries with which models are trained.

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images};
use image::{ImageBuffer, Pixel, Rgb32FImage, RgbImage, imageops};

/// Bits after the point in `OpenCV`'s interpolation weights.
const WEIGHT_BITS: i32 = 11;

/// Largest aspect ratio that is kept when the shorter side of an image is resized.
pub const MAX_ASPECT: u32 = 16;

/// The library whose resize to equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// `OpenCV`'s `INTER_LINEAR`: pixel centres at a half, no smoothing when shrinking. Equal to
    /// the bit.
    OpenCvLinear,
    /// Pillow's `BILINEAR` and torchvision's antialiased bilinear: smooths when shrinking.
    PillowBilinear,
    /// Pillow's `BICUBIC` and torchvision's antialiased bicubic: smooths when shrinking.
    PillowBicubic,
    /// Pillow's `LANCZOS`: smooths when shrinking.
    PillowLanczos,
}

/// An image with some number of channels of a byte.
type Bytes<P> = ImageBuffer<P, Vec<u8>>;

/// Resizes an image with one channel, or with three, to `width` x `height` pixels; a side of 0
/// counts as 1.
pub fn resize<P: Pixel<Subpixel = u8>>(
    image: &ImageBuffer<P, Vec<u8>>,
    width: u32,
    height: u32,
    filter: Filter,
) -> ImageBuffer<P, Vec<u8>> {
    let (width, height) = (width.max(1), height.max(1));
    if image.dimensions() == (width, height) {
        return image.clone();
    }
    match filter {
        Filter::OpenCvLinear => opencv_linear(image, width, height),
        Filter::PillowBilinear | Filter::PillowBicubic | Filter::PillowLanczos => {
            // Pillow rounds between the passes, and shrinks before it enlarges; otherwise rows come
            // first.
            let first = if width > image.width() && height < image.height() {
                (image.width(), height)
            } else {
                (width, image.height())
            };
            let between = convolve(image, first, filter);
            convolve(&between, (width, height), filter)
        }
    }
}

/// Resizes without rounding to bytes, as torchvision does on a float tensor; values stay between 0
/// and 255.
///
/// [`Filter::OpenCvLinear`] counts as [`Filter::PillowBilinear`].
pub fn resize_f32(image: &RgbImage, width: u32, height: u32, filter: Filter) -> Rgb32FImage {
    let (width, height) = (width.max(1), height.max(1));
    let floats = Rgb32FImage::from_raw(
        image.width(),
        image.height(),
        image.as_raw().iter().copied().map(f32::from).collect(),
    )
    .expect("as many floats as bytes");
    if image.dimensions() == (width, height) {
        return floats;
    }
    let bytes = floats.as_raw().iter().flat_map(|value| value.to_ne_bytes());
    let source = images::Image::from_vec_u8(
        image.width(),
        image.height(),
        bytes.collect(),
        PixelType::F32x3,
    )
    .expect("twelve bytes per pixel");
    let mut target = images::Image::new(width, height, PixelType::F32x3);
    Resizer::new()
        .resize(&source, &mut target, &convolution(filter))
        .expect("both images are of one pixel type");
    let samples = target.buffer().as_chunks::<4>().0;
    let samples = samples.iter().map(|bytes| f32::from_ne_bytes(*bytes));
    Rgb32FImage::from_raw(width, height, samples.collect())
        .expect("three floats per pixel were made")
}

/// Resizes so that the shorter side has `size` pixels, the longer one rounded down as torchvision's
/// `Resize(size)`.
///
/// Of an image more than [`MAX_ASPECT`] times as long as it is short only the middle is kept, since
/// one row of a million pixels would become a million rows; what [`centre_crop`] takes of it
/// afterwards is the same.
pub fn resize_shorter_side(image: &RgbImage, size: u32, filter: Filter) -> RgbImage {
    let (width, height) = image.dimensions();
    let kept_side = |side: u32, other: u32| {
        let max = other.saturating_mul(MAX_ASPECT);
        // The middle stays where it is if as much goes on either side.
        if side > max + 1 {
            max + (side - max) % 2
        } else {
            side
        }
    };
    let kept = (kept_side(width, height), kept_side(height, width));
    if kept != (width, height) {
        let (left, top) = ((width - kept.0) / 2, (height - kept.1) / 2);
        let middle = imageops::crop_imm(image, left, top, kept.0, kept.1).to_image();
        return resize_shorter_side(&middle, size, filter);
    }
    let longer = |long: u32, short: u32| {
        u32::try_from(u64::from(size) * u64::from(long) / u64::from(short.max(1)))
            .unwrap_or(u32::MAX)
    };
    let (new_width, new_height) = if width <= height {
        (size, longer(height, width))
    } else {
        (longer(width, height), size)
    };
    resize(image, new_width, new_height, filter)
}

/// Cuts `width` x `height` pixels out of the middle, padding with black where the image is smaller,
/// as torchvision's `CenterCrop`.
pub fn centre_crop(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    let offset = |have: u32, want: u32| {
        let difference = i64::from(have) - i64::from(want);
        if difference >= 0 {
            // torchvision rounds halves to even.
            let half = difference / 2;
            half + i64::from(difference % 2 == 1 && half % 2 == 1)
        } else {
            -(-difference / 2)
        }
    };
    let (left, top) = (offset(image.width(), width), offset(image.height(), height));
    let mut cropped = RgbImage::new(width, height);
    imageops::replace(&mut cropped, image, -left, -top);
    cropped
}

fn convolve<P: Pixel<Subpixel = u8>>(
    image: &Bytes<P>,
    (width, height): (u32, u32),
    filter: Filter,
) -> Bytes<P> {
    let pixel = match P::CHANNEL_COUNT {
        1 => PixelType::U8,
        2 => PixelType::U8x2,
        3 => PixelType::U8x3,
        _ => PixelType::U8x4,
    };
    let source = images::ImageRef::new(image.width(), image.height(), image.as_raw(), pixel)
        .expect("an image holds a byte per channel and pixel");
    let mut target = images::Image::new(width, height, pixel);
    Resizer::new()
        .resize(&source, &mut target, &convolution(filter))
        .expect("both images are of one pixel type");
    Bytes::from_raw(width, height, target.into_vec()).expect("as many channels were made")
}

fn convolution(filter: Filter) -> ResizeOptions {
    let filter = match filter {
        Filter::OpenCvLinear | Filter::PillowBilinear => FilterType::Bilinear,
        // Pillow's bicubic kernel has the parameter -0.5, which is this one.
        Filter::PillowBicubic => FilterType::CatmullRom,
        Filter::PillowLanczos => FilterType::Lanczos3,
    };
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter))
}

/// For each target position the two source positions and `OpenCV`'s fixed-point weights.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions within an image, weights between 0 and 2048"
)]
fn opencv_taps(old: u32, new: u32) -> Vec<(usize, usize, i32, i32)> {
    let scale = 1.0 / (f64::from(new) / f64::from(old));
    let last = (old - 1) as usize;
    let one = f32::from(1_u16 << WEIGHT_BITS);
    (0..new)
        .map(|position| {
            let source = ((f64::from(position) + 0.5) * scale - 0.5) as f32;
            let floor = source.floor();
            let fraction = source - floor;
            let first = floor as i64;
            let weights =
                [1.0 - fraction, fraction].map(|weight| (weight * one).round_ties_even() as i32);
            let clamped = |position: i64| (position.max(0) as usize).min(last);
            (clamped(first), clamped(first + 1), weights[0], weights[1])
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a weighted mean of bytes is a byte"
)]
fn opencv_linear<P: Pixel<Subpixel = u8>>(image: &Bytes<P>, width: u32, height: u32) -> Bytes<P> {
    let columns = opencv_taps(image.width(), width);
    let n_channels = usize::from(P::CHANNEL_COUNT);
    let n_source = n_channels * image.width() as usize;
    let n_target = n_channels * width as usize;
    let interpolated_row = |row: usize, target: &mut [i32]| {
        let row = &image.as_raw()[row * n_source..][..n_source];
        for (target, &(left, right, left_weight, right_weight)) in
            target.chunks_exact_mut(n_channels).zip(&columns)
        {
            let (left, right) = (left * n_channels, right * n_channels);
            let (left, right) = (&row[left..][..n_channels], &row[right..][..n_channels]);
            for channel in 0..n_channels {
                let sum = i32::from(left[channel]) * left_weight
                    + i32::from(right[channel]) * right_weight;
                target[channel] = sum >> 4;
            }
        }
    };
    let mut resized = Bytes::new(width, height);
    let (mut upper, mut lower) = (vec![0; n_target], vec![0; n_target]);
    let (mut upper_idx, mut lower_idx) = (usize::MAX, usize::MAX);
    let rows = opencv_taps(image.height(), height);
    for (target, (top, bottom, top_weight, bottom_weight)) in
        resized.chunks_exact_mut(n_target).zip(rows)
    {
        if top != upper_idx {
            if top == lower_idx {
                std::mem::swap(&mut upper, &mut lower);
                lower_idx = usize::MAX;
            } else {
                interpolated_row(top, &mut upper);
            }
            upper_idx = top;
        }
        if bottom != lower_idx {
            interpolated_row(bottom, &mut lower);
            lower_idx = bottom;
        }
        for ((value, above), below) in target.iter_mut().zip(&upper).zip(&lower) {
            let sum = ((above * top_weight) >> 16) + ((below * bottom_weight) >> 16);
            *value = ((sum + 2) >> 2) as u8;
        }
    }
    resized
}
