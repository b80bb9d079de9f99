//! The smallest rectangle around points, as OpenCV's `minAreaRect` and `boxPoints` give it.

use std::f64::consts::PI;

use super::Quad;

/// The rectangle of the smallest area around points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinAreaRectangle {
    /// Its corners, in the order of OpenCV's `boxPoints`.
    pub corners: Quad,
    /// Lengths of its sides.
    pub sides: [f32; 2],
}

impl MinAreaRectangle {
    /// Finds the smallest rectangle around points on whole pixels (x, y); `None` without points.
    ///
    /// One of its sides lies on a side of the points' convex hull (rotating calipers). Numbers are
    /// rounded where OpenCV rounds them, to single precision.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "the precision of the library; positions within an image"
    )]
    pub fn around(points: impl IntoIterator<Item = (i64, i64)>) -> Option<Self> {
        let hull = convex_hull(points);
        let (&first, rest) = hull.split_first()?;
        let (first_x, first_y) = (first.0 as f32, first.1 as f32);
        let (center, size, angle) = match rest {
            [] => ([first_x, first_y], [0.0; 2], 0.0),
            [last] => {
                let (last_x, last_y) = (last.0 as f32, last.1 as f32);
                let (dx, dy) = (f64::from(last_x - first_x), f64::from(last_y - first_y));
                let center = [(first_x + last_x) * 0.5, (first_y + last_y) * 0.5];
                let width = (dx * dx + dy * dy).sqrt() as f32;
                (center, [width, 0.0], dy.atan2(dx) as f32)
            }
            _ => smallest(&hull),
        };
        let angle = (f64::from(angle) * 180.0 / PI) as f32;
        Some(Self {
            corners: corners(center, size, angle),
            sides: size,
        })
    }

    /// Returns the length of the shorter side.
    pub fn short_side(&self) -> f32 {
        self.sides[0].min(self.sides[1])
    }
}

/// Returns the corners of the convex hull without those on straight lines, in the direction in
/// which x turns to y.
fn convex_hull(points: impl IntoIterator<Item = (i64, i64)>) -> Vec<(i64, i64)> {
    let mut points: Vec<_> = points.into_iter().collect();
    points.sort_unstable();
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let turn = |a: (i64, i64), b: (i64, i64), c: (i64, i64)| {
        (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
    };
    let half = |points: &mut dyn Iterator<Item = &(i64, i64)>| {
        let mut half: Vec<(i64, i64)> = Vec::new();
        for &point in points {
            while let [.., a, b] = half[..]
                && turn(a, b, point) <= 0
            {
                half.pop();
            }
            half.push(point);
        }
        half.pop();
        half
    };
    let mut hull = half(&mut points.iter());
    hull.extend(half(&mut points.iter().rev()));
    hull
}

/// Returns centre, width and height, and angle in radians of the smallest rectangle on a side of a
/// hull of at least three corners.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the precision of the library; positions within an image"
)]
fn smallest(hull: &[(i64, i64)]) -> ([f32; 2], [f32; 2], f32) {
    let mut min_area = f64::INFINITY;
    let mut best = (hull[0], hull[1], [hull[0]; 4]);
    for (idx, &from) in hull.iter().enumerate() {
        let to = hull[(idx + 1) % hull.len()];
        let (dx, dy) = ((to.0 - from.0) as f64, (to.1 - from.1) as f64);
        let along = |point: &(i64, i64)| point.0 as f64 * dx + point.1 as f64 * dy;
        let across = |point: &(i64, i64)| point.1 as f64 * dx - point.0 as f64 * dy;
        let mut extremes = [hull[0]; 4];
        for &point in hull {
            let [left, right, bottom, top] = &mut extremes;
            if along(&point) < along(left) {
                *left = point;
            }
            if along(&point) > along(right) {
                *right = point;
            }
            if across(&point) < across(bottom) {
                *bottom = point;
            }
            if across(&point) > across(top) {
                *top = point;
            }
        }
        let [left, right, bottom, top] = &extremes;
        let area =
            (along(right) - along(left)) * (across(top) - across(bottom)) / (dx * dx + dy * dy);
        if area < min_area {
            min_area = area;
            best = (from, to, extremes);
        }
    }
    let (from, to, extremes) = best;
    let (dx, dy) = ((to.0 - from.0) as f64, (to.1 - from.1) as f64);
    let inverse = (1.0 / (dx * dx + dy * dy).sqrt()) as f32;
    let (a, b) = (dx as f32 * inverse, dy as f32 * inverse);
    let [left, right, bottom, top] = extremes.map(|(x, y)| [x as f32, y as f32]);
    let width = (right[0] - left[0]) * a + (right[1] - left[1]) * b;
    let height = -(top[0] - bottom[0]) * b + (top[1] - bottom[1]) * a;
    let c1 = a * left[0] + left[1] * b;
    let c2 = -b * bottom[0] + bottom[1] * a;
    let inverse = 1.0 / (a * a + b * b);
    let corner = [(c1 * a - c2 * b) * inverse, (a * c2 + b * c1) * inverse];
    let (along, across) = ([a * width, b * width], [-b * height, a * height]);
    let center = [0, 1].map(|axis| corner[axis] + (along[axis] + across[axis]) * 0.5);
    let length = |[x, y]: [f32; 2]| {
        let (x, y) = (f64::from(x), f64::from(y));
        (x * x + y * y).sqrt() as f32
    };
    let angle = f64::from(along[1]).atan2(f64::from(along[0])) as f32;
    (center, [length(along), length(across)], angle)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the precision of the library"
)]
fn corners(center: [f32; 2], [width, height]: [f32; 2], angle: f32) -> Quad {
    let radians = f64::from(angle) * PI / 180.0;
    let (b, a) = (radians.cos() as f32 * 0.5, radians.sin() as f32 * 0.5);
    let [x, y] = center;
    let first = [x - a * height - b * width, y + b * height - a * width];
    let second = [x + a * height - b * width, y - b * height - a * width];
    let opposite = |[x1, y1]: [f32; 2]| [2.0 * x - x1, 2.0 * y - y1];
    Quad([first, second, opposite(first), opposite(second)])
}
