//! The convex hull of points.

/// A corner of a hull, x and y.
pub(super) type Position = [f32; 2];

/// A point, and where it comes first and last among those given.
#[derive(Clone, Copy)]
struct Point {
    x: i64,
    y: i64,
    first: usize,
    last: usize,
}

/// Returns the corners of the convex hull without those on straight lines, in the direction in
/// which x turns to y.
///
/// The first corner is the one that OpenCV's `convexHull` begins with: the rightmost, unless the
/// corners come in the order of the points or in its reverse from another one.
#[expect(
    clippy::cast_precision_loss,
    reason = "positions within an image, which has fewer than 2^24 columns"
)]
pub(super) fn convex_hull(points: impl IntoIterator<Item = (i64, i64)>) -> Vec<Position> {
    let points = sorted(points);
    let mut corners = corners(&points);
    let indices: Vec<usize> = corners.iter().map(|(_, idx)| *idx).collect();
    corners.rotate_left(start(&indices));
    let positions = corners.into_iter();
    positions
        .map(|(point, _)| [point.x as f32, point.y as f32])
        .collect()
}

/// Returns different points from left to right, and of those in one column the upper ones first.
fn sorted(points: impl IntoIterator<Item = (i64, i64)>) -> Vec<Point> {
    let points = points.into_iter().enumerate();
    let mut points: Vec<Point> = points
        .map(|(idx, (x, y))| Point {
            x,
            y,
            first: idx,
            last: idx,
        })
        .collect();
    points.sort_unstable_by_key(|point| (point.x, point.y, point.first));
    points.dedup_by(|next, kept| {
        let is_same = (next.x, next.y) == (kept.x, kept.y);
        if is_same {
            kept.last = next.last;
        }
        is_same
    });
    points
}

/// Returns the corners from the rightmost through the lowest, leftmost and uppermost (on a screen),
/// and for each the index of the point that OpenCV takes for it.
fn corners(points: &[Point]) -> Vec<(Point, usize)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    if points.len() == 1 {
        return vec![(*first, first.first)];
    }
    // Of the equally low or high points the leftmost.
    let at = |best: Point, is_better: fn(&Point, &Point) -> bool| {
        let best = points.iter().fold(best, |best, point| {
            if is_better(point, &best) {
                *point
            } else {
                best
            }
        });
        (best.x, best.y)
    };
    let lowest = at(*first, |point, best| point.y > best.y);
    let uppermost = at(*first, |point, best| point.y < best.y);

    let mut corners = Vec::new();
    let mut is_left = false;
    let below = half(points.iter().rev());
    for point in &below[..below.len() - 1] {
        is_left |= (point.x, point.y) == lowest;
        corners.push((*point, if is_left { point.first } else { point.last }));
    }
    let mut is_left = true;
    let above = half(points.iter());
    for point in &above[..above.len() - 1] {
        corners.push((*point, if is_left { point.first } else { point.last }));
        is_left &= (point.x, point.y) != uppermost;
    }
    debug_assert_eq!((corners[0].0.x, corners[0].0.y), (last.x, last.y));
    corners
}

/// Returns the corners on one side, from one end to the other (Andrew's monotone chain).
fn half<'a>(points: impl Iterator<Item = &'a Point>) -> Vec<Point> {
    let turn = |a: Point, b: Point, c: Point| (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    let mut half: Vec<Point> = Vec::new();
    for point in points {
        while let [.., a, b] = half[..]
            && turn(a, b, *point) <= 0
        {
            half.pop();
        }
        half.push(*point);
    }
    half
}

/// Returns the position from which indices rise or fall all the way round; 0 if there is none.
fn start(indices: &[usize]) -> usize {
    let n = indices.len();
    if n < 3 {
        return 0;
    }
    let rises = |from: usize, to: usize| indices[from] < indices[to];
    let n_rises = (1..n).filter(|&idx| rises(idx - 1, idx)).count();
    let extreme = |is_better: fn(usize, usize) -> bool| {
        (1..n).fold(0, |best, idx| {
            if is_better(indices[idx], indices[best]) {
                idx
            } else {
                best
            }
        })
    };
    let (min, max) = (extreme(|a, b| a < b), extreme(|a, b| a > b));
    let are_neighbours =
        matches!(max.abs_diff(min), distance if distance == 1 || distance == n - 1);
    if !are_neighbours || (n_rises > 1 && n_rises < n - 2) {
        return 0;
    }
    let is_ascending = (max + 1) % n == min;
    let start = if is_ascending { min } else { max };
    let is_monotonic = (0..n - 1)
        .map(|step| (start + step) % n)
        .all(|idx| rises(idx, (idx + 1) % n) == is_ascending);
    if is_monotonic { start } else { 0 }
}
