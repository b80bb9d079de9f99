//! The smallest rectangle around points, as OpenCV 5's `minAreaRect` and `boxPoints` give it.

use super::{
    Quad,
    hull::{Position, convex_hull},
};

/// Half a turn in degrees.
const HALF_TURN: f64 = 180.0;
const QUARTER: f64 = 90.0;

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
    /// One of its sides lies on a side of the points' convex hull (rotating calipers). The corners
    /// are OpenCV's to the last bit, for which the order of the points counts, too: what follows
    /// cuts them to whole pixels, so that a corner at 364.99997 is one at 364.
    pub fn around(points: impl IntoIterator<Item = (i64, i64)>) -> Option<Self> {
        let hull = convex_hull(points);
        let turned = match hull[..] {
            [] => return None,
            [point] => Turned {
                center: point,
                sides: [0.0; 2],
                degrees: 0.0,
            },
            [from, to] => Turned::between(from, to),
            _ => Calipers::new(&hull).smallest().turned(),
        };
        let turned = turned.in_last_quarter();
        Some(Self {
            corners: turned.corners(),
            sides: turned.sides,
        })
    }

    /// Returns the length of the shorter side.
    pub fn short_side(&self) -> f32 {
        self.sides[0].min(self.sides[1])
    }
}

/// A rectangle by its centre, the lengths of its sides, and the direction of the first one.
struct Turned {
    center: [f32; 2],
    sides: [f32; 2],
    degrees: f64,
}

impl Turned {
    fn between(from: [f32; 2], to: [f32; 2]) -> Self {
        let along = [to[0] - from[0], to[1] - from[1]];
        Self {
            center: [0, 1].map(|axis| (from[axis] + to[axis]) * 0.5),
            sides: [length(along), 0.0],
            degrees: direction(along),
        }
    }

    /// Names the sides so that the first one points to between -90 and 0 degrees.
    fn in_last_quarter(mut self) -> Self {
        while self.degrees >= 0.0 {
            self.degrees -= QUARTER;
            self.sides.swap(0, 1);
        }
        while self.degrees < -QUARTER {
            self.degrees += QUARTER;
            self.sides.swap(0, 1);
        }
        self
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the precision of the library"
    )]
    fn corners(&self) -> Quad {
        let radians = f64::from(self.degrees as f32) * std::f64::consts::PI / HALF_TURN;
        let (b, a) = (radians.cos() as f32 * 0.5, radians.sin() as f32 * 0.5);
        let ([x, y], [width, height]) = (self.center, self.sides);
        Quad([
            [x - a * height - b * width, y + b * height - a * width],
            [x + a * height - b * width, y - b * height - a * width],
            [x + a * height + b * width, y - b * height + a * width],
            [x - a * height + b * width, y + b * height + a * width],
        ])
    }
}

/// A corner of a rectangle, and the two sides that begin there.
#[derive(Clone, Copy)]
struct Corner {
    start: [f32; 2],
    along: [f32; 2],
    across: [f32; 2],
}

impl Corner {
    fn turned(&self) -> Turned {
        let Self {
            start,
            along,
            across,
        } = self;
        Turned {
            center: [0, 1].map(|axis| start[axis] + (along[axis] + across[axis]) * 0.5),
            sides: [length(*along), length(*across)],
            degrees: direction(*along),
        }
    }
}

/// Four parallel and upright lines around a hull, each through one of its corners.
struct Calipers<'a> {
    hull: &'a [Position],
    /// From each corner to the next.
    edges: Vec<[f32; 2]>,
    inverse_lengths: Vec<f32>,
    /// Corners of the hull on the lower, right, upper and left line, on a screen upside down.
    on_lines: [usize; 4],
    /// Direction of the lower line.
    base: [f32; 2],
}

impl<'a> Calipers<'a> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the precision of the library"
    )]
    fn new(hull: &'a [Position]) -> Self {
        let next = hull.iter().cycle().skip(1);
        let edges: Vec<[f32; 2]> = (hull.iter().zip(next))
            .map(|([x1, y1], [x2, y2])| [x2 - x1, y2 - y1])
            .collect();
        let inverse = |&[dx, dy]: &[f32; 2]| {
            let (dx, dy) = (f64::from(dx), f64::from(dy));
            (1.0 / (dx * dx + dy * dy).sqrt()) as f32
        };
        let mut on_lines = [0; 4];
        for (idx, [x, y]) in hull.iter().enumerate() {
            let [lower, right, upper, left] = on_lines.map(|on_line| hull[on_line]);
            let is_beyond = [*y < lower[1], *x > right[0], *y > upper[1], *x < left[0]];
            for (on_line, is_beyond) in on_lines.iter_mut().zip(is_beyond) {
                if is_beyond {
                    *on_line = idx;
                }
            }
        }
        Self {
            inverse_lengths: edges.iter().map(inverse).collect(),
            edges,
            hull,
            on_lines,
            base: [1.0, 0.0],
        }
    }

    /// Turns the lines once around the hull, and returns the smallest rectangle; of equals the last.
    fn smallest(mut self) -> Corner {
        let mut smallest = (f32::MAX, self.rectangle().1);
        for _ in 0..self.hull.len() {
            self.turn_to_next_edge();
            let (area, rectangle) = self.rectangle();
            if area <= smallest.0 {
                smallest = (area, rectangle);
            }
        }
        smallest.1
    }

    /// Turns the lines until one lies on an edge.
    fn turn_to_next_edge(&mut self) {
        let turned = |line: usize, [x, y]: [f32; 2]| match line {
            0 => [x, y],
            1 => [y, -x],
            2 => [-x, -y],
            _ => [-y, x],
        };
        let edge_of = |line: usize| turned(line, self.edges[self.on_lines[line]]);
        let mut nearest = 0;
        for line in 1..4 {
            let ([x, y], [nearest_x, nearest_y]) = (edge_of(line), edge_of(nearest));
            if y * nearest_x + -x * nearest_y < 0.0 {
                nearest = line;
            }
        }
        let edge = self.on_lines[nearest];
        let direction = self.edges[edge].map(|value| value * self.inverse_lengths[edge]);
        self.base = turned(nearest, direction);
        self.on_lines[nearest] = (edge + 1) % self.hull.len();
    }

    /// Returns the rectangle between the lines, and its area.
    fn rectangle(&self) -> (f32, Corner) {
        let [a, b] = self.base;
        let [lower, right, upper, left] = self.on_lines.map(|on_line| self.hull[on_line]);
        let width = (right[0] - left[0]) * a + (right[1] - left[1]) * b;
        let height = -(upper[0] - lower[0]) * b + (upper[1] - lower[1]) * a;
        let c1 = a * left[0] + left[1] * b;
        let c2 = -b * lower[0] + lower[1] * a;
        let inverse = 1.0 / (a * a + b * b);
        let rectangle = Corner {
            start: [(c1 * a - c2 * b) * inverse, (a * c2 + b * c1) * inverse],
            along: [a * width, b * width],
            across: [-b * height, a * height],
        };
        (width * height, rectangle)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the precision of the library"
)]
fn length([x, y]: [f32; 2]) -> f32 {
    let (x, y) = (f64::from(x), f64::from(y));
    (x * x + y * y).sqrt() as f32
}

/// Returns a direction in degrees.
fn direction([x, y]: [f32; 2]) -> f64 {
    f64::from(y).atan2(f64::from(x)) * HALF_TURN / std::f64::consts::PI
}
