//! Dilation and erosion with symmetric kernels.

use super::Mask;

/// The neighbourhood that a morphological operation looks at, symmetric around its centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// How far each row reaches to either side, from the topmost to the lowest.
    reaches: Vec<usize>,
}

impl Kernel {
    /// Creates a square of odd `size`.
    pub fn square(size: usize) -> Self {
        Self {
            reaches: vec![size / 2; size / 2 * 2 + 1],
        }
    }

    /// Creates OpenCV's `MORPH_ELLIPSE` of odd `size`.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "kernels are a few pixels large"
    )]
    pub fn ellipse(size: usize) -> Self {
        let radius = size / 2;
        let reach = |row: usize| {
            let distance = row.abs_diff(radius);
            let squared = (radius * radius - distance * distance) as f64;
            squared.sqrt().round_ties_even() as usize
        };
        Self {
            reaches: (0..=2 * radius).map(reach).collect(),
        }
    }
}

impl Mask {
    /// Paints what a square of `size` touches. The centre of an even square lies right and below of
    /// its middle, as OpenCV's, so that parts grow more to the right and downwards.
    #[must_use]
    pub fn dilated_by_square(&self, size: usize) -> Self {
        dilate_by_square(self, size)
    }

    /// Closes gaps and holes that the kernel spans: a dilation, then an erosion.
    #[must_use]
    pub fn closed(&self, kernel: &Kernel) -> Self {
        erode(&dilate(self, kernel), kernel)
    }

    /// Paints all pixels within the kernel's reach of a painted one.
    #[must_use]
    pub fn dilated(&self, kernel: &Kernel) -> Self {
        dilate(self, kernel)
    }

    /// Keeps the pixels around which all within the kernel's reach are painted, or beyond the
    /// image.
    #[must_use]
    pub fn eroded(&self, kernel: &Kernel) -> Self {
        erode(self, kernel)
    }
}

/// Beyond the image nothing is painted.
fn dilate(mask: &Mask, kernel: &Kernel) -> Mask {
    spread(mask, kernel, 0)
}

fn dilate_by_square(mask: &Mask, size: usize) -> Mask {
    let (after, before) = (size / 2, size.saturating_sub(1) / 2);
    let mut wide = Mask::empty(mask.width, mask.height);
    if mask.pixels.is_empty() {
        return wide;
    }
    // Runs grow first along their rows, then whole rows downwards and upwards.
    let rows = wide.pixels.chunks_exact_mut(mask.width);
    for (target, row) in rows.zip(mask.rows()) {
        let mut painted_to = 0;
        for (x, _) in row.iter().enumerate().filter(|(_, pixel)| **pixel != 0) {
            let end = (x + after + 1).min(row.len());
            target[painted_to.max(x.saturating_sub(before))..end].fill(u8::MAX);
            painted_to = end;
        }
    }
    let mut high = wide.clone();
    for y in 0..mask.height {
        for source in y.saturating_sub(after)..(y + before + 1).min(mask.height) {
            if source == y {
                continue;
            }
            let target = &mut high.pixels[y * mask.width..][..mask.width];
            let source = &wide.pixels[source * mask.width..][..mask.width];
            for (pixel, wide) in target.iter_mut().zip(source) {
                *pixel |= wide;
            }
        }
    }
    high
}

/// Beyond the image everything is painted: the erosion is the dilation of what is not painted.
fn erode(mask: &Mask, kernel: &Kernel) -> Mask {
    spread(mask, kernel, u8::MAX)
}

/// Spreads the painted pixels, or with `invert` of 255 those not painted.
fn spread(mask: &Mask, kernel: &Kernel, invert: u8) -> Mask {
    let radius = kernel.reaches.len() / 2;
    let mut spread = Mask {
        pixels: vec![0; mask.pixels.len()],
        ..*mask
    };
    if mask.pixels.is_empty() {
        return spread;
    }
    let mut wide = vec![0; mask.width];
    for (y, row) in mask.rows().enumerate() {
        let mut known_reach = None;
        for (kernel_row, &reach) in kernel.reaches.iter().enumerate() {
            // A symmetric kernel reaches from here to there as it does from there to here.
            let Some(target) = (y + kernel_row).checked_sub(radius) else {
                continue;
            };
            if target >= mask.height {
                continue;
            }
            if known_reach != Some(reach) {
                widen(row, reach, invert, &mut wide);
                known_reach = Some(reach);
            }
            let target = &mut spread.pixels[target * mask.width..][..mask.width];
            for (pixel, &wide) in target.iter_mut().zip(&wide) {
                *pixel |= wide;
            }
        }
    }
    if invert != 0 {
        for pixel in &mut spread.pixels {
            *pixel ^= invert;
        }
    }
    spread
}

fn widen(row: &[u8], reach: usize, invert: u8, wide: &mut [u8]) {
    for (wide, pixel) in wide.iter_mut().zip(row) {
        *wide = pixel ^ invert;
    }
    for shift in 1..=reach.min(row.len().saturating_sub(1)) {
        for (wide, pixel) in wide[shift..].iter_mut().zip(row) {
            *wide |= pixel ^ invert;
        }
        for (wide, pixel) in wide.iter_mut().zip(&row[shift..]) {
            *wide |= pixel ^ invert;
        }
    }
}
