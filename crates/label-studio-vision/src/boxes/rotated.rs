//! Boxes that are turned around their centre.

use std::f64::consts::{FRAC_PI_2, PI};

/// Keeps the probabilistic overlap finite; the number is Ultralytics'.
const EPSILON: f64 = 1e-7;

/// A box that is turned clockwise around its centre (on a screen, where y grows downwards).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RotatedBox {
    /// Centre from the left.
    pub x: f64,
    /// Centre from the top.
    pub y: f64,
    /// Length of the sides that an angle of 0 leaves horizontal.
    pub width: f64,
    /// Length of the other sides.
    pub height: f64,
    /// Angle in radians.
    pub angle: f64,
}

impl RotatedBox {
    /// Returns the same box with its longer side as width and an angle from 0 to pi.
    #[must_use]
    pub fn regularised(self) -> Self {
        let is_long = self.width > self.height;
        let (width, height) = if is_long {
            (self.width, self.height)
        } else {
            (self.height, self.width)
        };
        let angle = if is_long {
            self.angle
        } else {
            self.angle + FRAC_PI_2
        };
        Self {
            width,
            height,
            angle: angle.rem_euclid(PI),
            ..self
        }
    }

    /// Returns the corners in Ultralytics' order: end, end of the next side, and round.
    pub fn corners(&self) -> [[f64; 2]; 4] {
        let (sin, cos) = self.angle.sin_cos();
        let (v1x, v1y) = (self.width / 2.0 * cos, self.width / 2.0 * sin);
        let (v2x, v2y) = (-self.height / 2.0 * sin, self.height / 2.0 * cos);
        [
            [self.x + v1x + v2x, self.y + v1y + v2y],
            [self.x + v1x - v2x, self.y + v1y - v2y],
            [self.x - v1x - v2x, self.y - v1y - v2y],
            [self.x - v1x + v2x, self.y - v1y + v2y],
        ]
    }

    /// Returns the probabilistic overlap of two boxes (`ProbIoU`,
    /// <https://arxiv.org/abs/2106.06072>): 1 for equal ones.
    pub fn prob_iou(&self, other: &Self) -> f64 {
        let (a1, b1, c1) = self.covariance();
        let (a2, b2, c2) = other.covariance();
        let (a, b, c) = (a1 + a2, b1 + b2, c1 + c2);
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        let determinant = a * b - c * c;
        let t1 = (a * dy * dy + b * dx * dx) / (determinant + EPSILON) * 0.25;
        let t2 = c * -dx * dy / (determinant + EPSILON) * 0.5;
        let spread = (a1 * b1 - c1 * c1).max(0.0) * (a2 * b2 - c2 * c2).max(0.0);
        let t3 = (determinant / (4.0 * spread.sqrt() + EPSILON) + EPSILON).ln() * 0.5;
        let distance = (t1 + t2 + t3).clamp(EPSILON, 100.0);
        1.0 - (1.0 - (-distance).exp() + EPSILON).sqrt()
    }

    /// Covariance of the Gaussian that stands for the box: xx, yy, xy.
    fn covariance(&self) -> (f64, f64, f64) {
        let (a, b) = (self.width.powi(2) / 12.0, self.height.powi(2) / 12.0);
        let (sin, cos) = self.angle.sin_cos();
        (
            a * cos * cos + b * sin * sin,
            a * sin * sin + b * cos * cos,
            (a - b) * cos * sin,
        )
    }
}
