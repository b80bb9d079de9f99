//! How long a mask takes from scores to a brush region.

use std::hint::black_box;

use label_studio_vision::masks::{Kernel, Mask};
use ndarray::Array2;

const SIDE: usize = 4096;

fn main() {
    divan::main();
}

/// Scores of a few blobs with ragged borders, as a mask decoder gives them.
fn scores() -> Array2<f32> {
    Array2::from_shape_fn((256, 256), |(y, x)| {
        let (x, y) = (
            f32::from(u16::try_from(x).unwrap()),
            f32::from(u16::try_from(y).unwrap()),
        );
        (x * 0.07).sin() * (y * 0.05).cos() + 0.3 * (x * 0.9).sin() * (y * 1.1).sin()
    })
}

fn mask() -> Mask {
    Mask::from_scores(&scores().view(), SIDE, SIDE, 0.0)
}

#[divan::bench]
fn stretch_scores(bencher: divan::Bencher<'_, '_>) {
    let scores = scores();
    bencher.bench(|| Mask::from_scores(black_box(&scores.view()), SIDE, SIDE, 0.0));
}

#[divan::bench]
fn brush_rle(bencher: divan::Bencher<'_, '_>) {
    let mask = mask();
    bencher.bench(|| black_box(&mask).brush_rle().unwrap());
}

#[divan::bench(sample_count = 10)]
fn close_and_keep_the_largest(bencher: divan::Bencher<'_, '_>) {
    let mask = mask();
    bencher.bench(|| {
        black_box(&mask)
            .closed(&Kernel::ellipse(5))
            .largest_component()
    });
}

#[divan::bench(sample_count = 10)]
fn polygons(bencher: divan::Bencher<'_, '_>) {
    let mask = mask();
    bencher.bench(|| black_box(&mask).polygons(1.5));
}
