//! From prototypes and coefficients to masks and outlines.

use label_studio_vision::{
    boxes::clip,
    images::Letterbox,
    masks::{Mask, resize_scores},
};
use ndarray::{Array2, Array3, Axis, Slice};

use crate::{Detection, Detections};

/// A detection's mask at the resolution of the prototypes, as scores that are above 0 inside.
fn scores(prototypes: &Array3<f32>, detection: &Detection) -> Array2<f32> {
    let (_, height, width) = prototypes.dim();
    let mut scores = Array2::zeros((height, width));
    for (prototype, &coefficient) in prototypes.outer_iter().zip(&detection.extra) {
        scores.scaled_add(coefficient, &prototype);
    }
    scores
}

impl Detections {
    /// Returns a detection's mask in the size of the network's input, nothing painted outside its box.
    pub fn input_mask(&self, detection: &Detection) -> Option<Mask> {
        let scores = scores(self.prototypes.as_ref()?, detection);
        let (width, height) = self.letterbox.input;
        let mask = Mask::from_scores(&scores.view(), width as usize, height as usize, 0.0);
        Some(mask.within(detection.bounds))
    }

    /// Returns a detection's mask in the size of the image, nothing painted outside its box.
    pub fn image_mask(&self, detection: &Detection) -> Option<Mask> {
        let scores = scores(self.prototypes.as_ref()?, detection);
        let Letterbox {
            image,
            resized,
            left,
            top,
            input,
        } = self.letterbox;
        // Stretched no further than makes the padding end between two scores, so that nothing is smoothed twice.
        let (padding_x, padding_y) = (input.0 - resized.0, input.1 - resized.1);
        let paddings = [padding_x, padding_x / 2, padding_y, padding_y / 2];
        let (height, width) = scores.dim();
        let mut step = input.1 / u32::try_from(height.max(1)).unwrap_or(1);
        while step > 1 && paddings.iter().any(|padding| padding % step != 0) {
            step /= 2;
        }
        let step = step.max(1);
        let (columns, rows) = ((input.0 / step) as usize, (input.1 / step) as usize);
        let scores = if (columns, rows) == (width, height) {
            scores
        } else {
            resize_scores(&scores.view(), columns, rows)
        };
        let span = |start: u32, length: u32| {
            Slice::from((start / step) as usize..((start + length) / step) as usize)
        };
        let rows = scores.slice_axis(Axis(0), span(top, resized.1));
        let content = rows.slice_axis(Axis(1), span(left, resized.0));
        let mask = Mask::from_scores(&content, image.0 as usize, image.1 as usize, 0.0);
        Some(mask.within(self.letterbox.box_to_image(detection.bounds)))
    }

    /// Returns the outline of a detection's mask in pixels of the image; parts that lie apart are joined by bridges.
    pub fn outline(&self, detection: &Detection) -> Option<Vec<[f64; 2]>> {
        let mask = self.input_mask(detection)?;
        let points = joined(mask.contours());
        Some(
            points
                .into_iter()
                .map(|(x, y)| self.point_in_image([to_f64(x), to_f64(y)]))
                .collect(),
        )
    }

    /// Takes a point of the network's input to the image, in pixels, and to the image's edge if it lies outside.
    pub fn point_in_image(&self, point: [f64; 2]) -> [f64; 2] {
        let [x, y] = self.letterbox.point_to_image(point);
        let [x, y, ..] = clip([x, y, x, y], self.letterbox.image);
        [x, y]
    }
}

#[expect(clippy::cast_precision_loss, reason = "positions within an image")]
fn to_f64(position: usize) -> f64 {
    position as f64
}

type Contour = Vec<(usize, usize)>;

/// Joins contours to one ring: from each to the next over the pair of corners that lie closest, there and back.
fn joined(contours: Vec<Contour>) -> Contour {
    let mut contours = contours;
    let n_contours = contours.len();
    if n_contours < 2 {
        return contours.pop().unwrap_or_default();
    }
    // Where each contour meets the one before it and the one after it.
    let mut meetings: Vec<Vec<usize>> = vec![Vec::new(); n_contours];
    for idx in 1..n_contours {
        let (end, start) = closest(&contours[idx - 1], &contours[idx]);
        meetings[idx - 1].push(end);
        meetings[idx].push(start);
    }
    let mut ring = Vec::new();
    let mut returns = Vec::new();
    for (contour, meetings) in contours.iter_mut().zip(&meetings) {
        let last = contour.len() - 1;
        let (mut enter, mut leave) = (meetings[0], meetings.get(1).copied());
        if let Some(exit) = leave.filter(|&exit| enter > exit) {
            contour.reverse();
            (enter, leave) = (last - enter, Some(last - exit));
        }
        contour.rotate_left(enter);
        contour.push(contour[0]);
        match leave {
            // The first and the last contour are walked around as a whole.
            None => ring.append(contour),
            Some(leave) => {
                let rest = contour.split_off(leave - enter);
                ring.append(contour);
                ring.push(rest[0]);
                returns.push(rest);
            }
        }
    }
    ring.extend(returns.into_iter().rev().flatten());
    ring
}

/// Positions of the corners of two contours that lie closest to each other; the first of equals.
fn closest(a: &Contour, b: &Contour) -> (usize, usize) {
    let square = |a: usize, b: usize| a.abs_diff(b).pow(2);
    let mut best = (usize::MAX, (0, 0));
    for (a_idx, a) in a.iter().enumerate() {
        for (b_idx, b) in b.iter().enumerate() {
            let distance = square(a.0, b.0) + square(a.1, b.1);
            if distance < best.0 {
                best = (distance, (a_idx, b_idx));
            }
        }
    }
    best.1
}
