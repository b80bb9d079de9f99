//! Corners of an image, by Shi and Tomasi.

use image::GrayImage;

/// Corners must be this part as strong as the strongest one.
const QUALITY: f32 = 0.01;
/// OpenCV's scale of gradients: a Sobel filter of 3 x 3, a window of 3 x 3, bytes.
const GRADIENT_SCALE: f32 = 1.0 / (4.0 * 3.0 * 255.0);

/// Returns up to `n_corners` corners, the strongest first, in pixels from the first one's centre.
pub(super) fn corners(image: &GrayImage, n_corners: usize) -> Vec<[f32; 2]> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    if width < 3 || height < 3 {
        return Vec::new();
    }
    let strengths = strengths(image.as_raw(), width, height);
    let strongest = strengths.iter().copied().fold(0.0, f32::max);
    let least = strongest * QUALITY;
    let mut found = Vec::new();
    for y in 1..height - 1 {
        for x in 1..width - 1 {
            let at = y * width + x;
            let strength = strengths[at];
            if strength <= least {
                continue;
            }
            let rows = (y - 1..=y + 1).map(|row| &strengths[row * width + x - 1..][..3]);
            if rows.flatten().all(|other| *other <= strength) {
                found.push((strength, at));
            }
        }
    }
    // Of equal ones the later comes first.
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
    found.truncate(n_corners);
    #[expect(clippy::cast_precision_loss, reason = "frames have few pixels a side")]
    let place = |at: usize| [(at % width) as f32, (at / width) as f32];
    found.into_iter().map(|(_, at)| place(at)).collect()
}

/// Returns the smaller eigenvalue of the gradients around each pixel.
fn strengths(pixels: &[u8], width: usize, height: usize) -> Vec<f32> {
    let mut products = vec![[0.0; 3]; width * height];
    for y in 0..height {
        let rows = around(y, height).map(|row| &pixels[row * width..][..width]);
        for x in 0..width {
            let [left, middle, right] = around(x, width);
            let value = |row: usize, column: usize| f32::from(rows[row][column]);
            let column =
                |column: usize| value(0, column) + 2.0 * value(1, column) + value(2, column);
            let row = |row: usize| value(row, left) + 2.0 * value(row, middle) + value(row, right);
            let across = (column(right) - column(left)) * GRADIENT_SCALE;
            let down = (row(2) - row(0)) * GRADIENT_SCALE;
            products[y * width + x] = [across * across, across * down, down * down];
        }
    }
    let mut strengths = Vec::with_capacity(width * height);
    for y in 0..height {
        let rows = around(y, height).map(|row| &products[row * width..][..width]);
        for x in 0..width {
            let mut sum = [0.0_f32; 3];
            for row in rows {
                for column in around(x, width) {
                    for (sum, product) in sum.iter_mut().zip(row[column]) {
                        *sum += product;
                    }
                }
            }
            let (a, b, c) = (sum[0] * 0.5, sum[1], sum[2] * 0.5);
            strengths.push((a + c) - ((a - c) * (a - c) + b * b).sqrt());
        }
    }
    strengths
}

/// Returns a position and its neighbours; outside, the image is reflected about its last pixel.
fn around(at: usize, length: usize) -> [usize; 3] {
    [
        at.checked_sub(1).unwrap_or(1),
        at,
        if at + 1 < length { at + 1 } else { length - 2 },
    ]
}
