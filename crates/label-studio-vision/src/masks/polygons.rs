//! Fewer corners: Douglas-Peucker on a closed polygon, cut open as OpenCV's `approxPolyDP` does.

use super::Mask;

impl Mask {
    /// Returns the outlines as polygons of at least three corners that leave out what is less than
    /// `tolerance` pixels from a straight line; the one with most corners first.
    pub fn polygons(&self, tolerance: f64) -> Vec<Vec<(usize, usize)>> {
        let contours = self.contours().into_iter();
        let mut found: Vec<_> = contours
            .map(|contour| simplify(&contour, tolerance))
            .filter(|polygon| polygon.len() >= 3)
            .collect();
        found.sort_by_key(|polygon| std::cmp::Reverse(polygon.len()));
        found
    }
}

/// Leaves out corners that are at most `tolerance` pixels from the line between those that stay.
pub fn simplify(polygon: &[(usize, usize)], tolerance: f64) -> Vec<(usize, usize)> {
    if polygon.is_empty() {
        return Vec::new();
    }
    let points: Vec<_> = polygon.iter().map(|&point| Point::from(point)).collect();
    let kept = split(&points, tolerance * tolerance);
    straighten(&points, kept, tolerance * tolerance)
        .into_iter()
        .map(|idx| polygon[idx])
        .collect()
}

#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
}

impl From<(usize, usize)> for Point {
    #[expect(clippy::cast_precision_loss, reason = "positions in an image")]
    fn from((x, y): (usize, usize)) -> Self {
        Self {
            x: x as f64,
            y: y as f64,
        }
    }
}

impl Point {
    fn minus(self, other: Self) -> Self {
        Self {
            x: self.x - other.x,
            y: self.y - other.y,
        }
    }

    fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    fn cross(self, other: Self) -> f64 {
        self.x * other.y - self.y * other.x
    }
}

/// Returns the indices of the corners that stay, in the order of the polygon.
fn split(points: &[Point], tolerance2: f64) -> Vec<usize> {
    let n_points = points.len();
    // Two corners that are about as far apart as any: thrice the farthest from the last one found.
    let (mut start, mut far, mut max_distance2) = (0, 0, 0.0);
    for _ in 0..3 {
        start = (start + far) % n_points;
        max_distance2 = 0.0;
        for step in 1..n_points {
            let apart = points[(start + step) % n_points].minus(points[start]);
            if apart.dot(apart) > max_distance2 {
                max_distance2 = apart.dot(apart);
                far = step;
            }
        }
    }
    if max_distance2 <= tolerance2 {
        return vec![start];
    }

    let end = (start + far) % n_points;
    let mut kept = Vec::new();
    let mut arcs = vec![(end, start), (start, end)];
    while let Some((from, to)) = arcs.pop() {
        match farthest(points, from, to, tolerance2) {
            Some(middle) => arcs.extend([(middle, to), (from, middle)]),
            None => kept.push(from),
        }
    }
    kept
}

/// Returns the corner between `from` and `to` that is farthest from the line between them, if it is
/// too far.
fn farthest(points: &[Point], from: usize, to: usize, tolerance2: f64) -> Option<usize> {
    let line = points[to].minus(points[from]);
    let (mut max_distance, mut middle) = (0.0, None);
    let mut idx = (from + 1) % points.len();
    while idx != to {
        let distance = points[idx].minus(points[from]).cross(line).abs();
        if distance > max_distance {
            (max_distance, middle) = (distance, Some(idx));
        }
        idx = (idx + 1) % points.len();
    }
    middle.filter(|_| max_distance * max_distance > tolerance2 * line.dot(line))
}

/// Leaves out corners on almost straight, slanted lines: the split may keep some where it began.
fn straighten(points: &[Point], mut kept: Vec<usize>, tolerance2: f64) -> Vec<usize> {
    let n_kept = kept.len();
    let mut n_left = n_kept;
    let mut read = n_kept - 1;
    let next = |kept: &[usize], read: &mut usize| {
        let idx = kept[*read];
        *read = (*read + 1) % n_kept;
        idx
    };
    let mut before = next(&kept, &mut read);
    let mut write = read;
    let mut corner = next(&kept, &mut read);
    let mut n_done = 0;
    while n_done < n_kept && n_left > 2 {
        let after = next(&kept, &mut read);
        let line = points[after].minus(points[before]);
        let (to, from) = (
            points[corner].minus(points[before]),
            points[after].minus(points[corner]),
        );
        let distance = to.cross(line);
        let is_straight = distance * distance <= 0.5 * tolerance2 * line.dot(line)
            && line.x != 0.0
            && line.y != 0.0
            && to.dot(from) >= 0.0;
        if is_straight {
            n_left -= 1;
            before = after;
            corner = next(&kept, &mut read);
            n_done += 1;
        } else {
            before = corner;
            corner = after;
        }
        kept[write] = before;
        write = (write + 1) % n_kept;
        n_done += 1;
    }
    kept.truncate(n_left);
    kept
}
