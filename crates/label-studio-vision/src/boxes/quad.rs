//! Four-sided boxes, such as lines of text have.

/// Four corners `[x, y]` in pixels. Boxes of text begin at the top left corner of the text and go
/// round clockwise (on a screen, where y grows downwards).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quad(pub [[f32; 2]; 4]);

impl Quad {
    /// Creates an upright box (x1, y1, x2, y2).
    pub fn upright([x1, y1, x2, y2]: [f32; 4]) -> Self {
        Self([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
    }

    /// Returns the same corners from the top left one clockwise: of the two on the left the upper
    /// one is first, of the two on the right the lower one is third.
    #[must_use]
    pub fn ordered(self) -> Self {
        let mut points = self.0;
        points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let [a, b, c, d] = points;
        let (top_left, bottom_left) = if b[1] > a[1] { (a, b) } else { (b, a) };
        let (top_right, bottom_right) = if d[1] > c[1] { (c, d) } else { (d, c) };
        Self([top_left, top_right, bottom_right, bottom_left])
    }

    /// Returns the corners with `change` applied to each.
    #[must_use]
    pub fn map(self, change: impl FnMut([f32; 2]) -> [f32; 2]) -> Self {
        Self(self.0.map(change))
    }

    /// Returns the lengths of the sides: from the first corner to the second, and so on.
    pub fn sides(&self) -> [f32; 4] {
        std::array::from_fn(|idx| {
            let ([x1, y1], [x2, y2]) = (self.0[idx], self.0[(idx + 1) % 4]);
            let (dx, dy) = (x2 - x1, y2 - y1);
            (dx * dx + dy * dy).sqrt()
        })
    }

    /// Returns the smallest upright box around it: (x1, y1, x2, y2).
    pub fn bounds(&self) -> [f32; 4] {
        let [x, y] = [0, 1].map(|axis| self.0.map(|point| point[axis]));
        let min = |values: [f32; 4]| values.into_iter().fold(f32::INFINITY, f32::min);
        let max = |values: [f32; 4]| values.into_iter().fold(f32::NEG_INFINITY, f32::max);
        [min(x), min(y), max(x), max(y)]
    }

    /// Returns the area.
    pub fn area(&self) -> f64 {
        let doubled: f64 = (0..4)
            .map(|idx| {
                let [x1, y1] = self.0[idx].map(f64::from);
                let [x2, y2] = self.0[(idx + 1) % 4].map(f64::from);
                x1 * y2 - x2 * y1
            })
            .sum();
        doubled.abs() / 2.0
    }

    /// Returns the length of the outline.
    pub fn perimeter(&self) -> f64 {
        (0..4)
            .map(|idx| {
                let [x1, y1] = self.0[idx].map(f64::from);
                let [x2, y2] = self.0[(idx + 1) % 4].map(f64::from);
                (x2 - x1).hypot(y2 - y1)
            })
            .sum()
    }
}
