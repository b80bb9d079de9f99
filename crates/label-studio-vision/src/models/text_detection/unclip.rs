//! Growing of shrunken boxes.

use std::f64::consts::PI;

use crate::boxes::Quad;

/// How far a round corner may lie from the circle, in pixels: Clipper's default.
const ARC_TOLERANCE: f64 = 0.25;

/// Moves the outline of a box outwards by `ratio` times area by perimeter, with round corners, and
/// returns its corners on whole pixels.
///
/// These are the points of the polygon offsetting that `pyclipper` does (Clipper 6, Chen and
/// `McMains` 2005), which takes only the whole part of each corner's position, in its order: the
/// topmost point is the last one, and of several the rightmost.
#[expect(clippy::cast_possible_truncation, reason = "positions within an image")]
pub fn unclip(quad: &Quad, ratio: f64) -> Vec<(i64, i64)> {
    let mut corners: Vec<(i64, i64)> = quad.0.iter().map(|&[x, y]| (x as i64, y as i64)).collect();
    corners.dedup();
    if corners.len() > 1 && corners.first() == corners.last() {
        corners.pop();
    }
    let distance = quad.area() * ratio / quad.perimeter();
    if corners.len() < 3 || !distance.is_finite() || distance <= 0.0 {
        return corners;
    }
    if doubled_area(&corners) < 0 {
        corners.reverse();
    }
    let mut outline = Offset::new(distance).around(&corners);
    let last = (0..outline.len()).min_by_key(|&idx| (outline[idx].1, -outline[idx].0));
    outline.rotate_left(last.map_or(0, |last| last + 1));
    outline
}

#[expect(clippy::cast_precision_loss, reason = "positions within an image")]
fn as_float((x, y): (i64, i64)) -> (f64, f64) {
    (x as f64, y as f64)
}

fn doubled_area(corners: &[(i64, i64)]) -> i64 {
    let next = corners.iter().cycle().skip(1);
    let pairs = corners.iter().zip(next);
    pairs.map(|(a, b)| a.0 * b.1 - a.1 * b.0).sum()
}

/// How an outline moves, and how finely its corners are rounded.
struct Offset {
    distance: f64,
    steps_per_radian: f64,
    sin: f64,
    cos: f64,
}

impl Offset {
    fn new(distance: f64) -> Self {
        let tolerance = ARC_TOLERANCE.min(distance * ARC_TOLERANCE);
        let steps = (PI / (1.0 - tolerance / distance).acos()).min(distance * PI);
        let (sin, cos) = (2.0 * PI / steps).sin_cos();
        Self {
            distance,
            steps_per_radian: steps / (2.0 * PI),
            sin,
            cos,
        }
    }

    /// Returns the points of the moved outline.
    fn around(&self, corners: &[(i64, i64)]) -> Vec<(i64, i64)> {
        let n_corners = corners.len();
        let normals: Vec<(f64, f64)> = (0..n_corners)
            .map(|idx| {
                let (x1, y1) = as_float(corners[idx]);
                let (x2, y2) = as_float(corners[(idx + 1) % n_corners]);
                let (dx, dy) = (x2 - x1, y2 - y1);
                let length = dx.hypot(dy);
                (dy / length, -dx / length)
            })
            .collect();
        (0..n_corners)
            .flat_map(|idx| {
                let before = normals[(idx + n_corners - 1) % n_corners];
                self.corner(as_float(corners[idx]), before, normals[idx])
            })
            .collect()
    }

    /// Returns the points of one corner, between sides with the normals `before` and `after`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions within an image, and a few steps"
    )]
    fn corner(&self, (x, y): (f64, f64), before: (f64, f64), after: (f64, f64)) -> Vec<(i64, i64)> {
        let moved = |(normal_x, normal_y): (f64, f64)| {
            let (x, y) = (x + normal_x * self.distance, y + normal_y * self.distance);
            // Halves are rounded away from zero.
            (x.round() as i64, y.round() as i64)
        };
        let sin = before.0 * after.1 - after.0 * before.1;
        let cos = before.0 * after.0 + before.1 * after.1;
        if (sin * self.distance).abs() < 1.0 {
            if cos > 0.0 {
                return vec![moved(before)];
            }
        } else if sin < 0.0 {
            return vec![moved(before), (x as i64, y as i64), moved(after)];
        }
        let angle = sin.clamp(-1.0, 1.0).atan2(cos);
        let n_steps = ((self.steps_per_radian * angle.abs()).round() as usize).max(1);
        let mut normal = before;
        let mut points = Vec::with_capacity(n_steps + 1);
        for _ in 0..n_steps {
            points.push(moved(normal));
            normal = (
                normal.0 * self.cos - self.sin * normal.1,
                normal.0 * self.sin + normal.1 * self.cos,
            );
        }
        points.push(moved(after));
        points
    }
}
