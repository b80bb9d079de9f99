//! The Kalman filter of a track: a box that moves with a constant velocity.
#![expect(
    clippy::needless_range_loop,
    reason = "products of matrices read best by index"
)]

use crate::video::motion::Affine;

/// Standard deviation of a position, as a part of the box's size.
const POSITION: f64 = 1.0 / 20.0;
/// Standard deviation of a velocity per frame, as a part of the box's size.
const VELOCITY: f64 = 1.0 / 160.0;
const N_MEASURED: usize = 4;
const N_STATE: usize = 2 * N_MEASURED;

type Measured = [f64; N_MEASURED];
type Matrix = [[f64; N_STATE]; N_STATE];

/// The numbers of a box besides its centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Aspect ratio (width by height) and height, for `ByteTrack`.
    AspectHeight,
    /// Width and height, for BoT-SORT.
    WidthHeight,
}

/// Where a box is thought to be, and how sure that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Kalman {
    measure: Measure,
    /// Centre and the two numbers of [`Measure`], then the velocity of each per frame.
    pub mean: [f64; N_STATE],
    /// Covariance of these.
    pub covariance: Matrix,
}

impl Kalman {
    /// Starts with a measured box that does not move.
    pub fn new(measure: Measure, measured: Measured) -> Self {
        let (position, velocity) = measure.sizes(measured);
        let mut mean = [0.0; N_STATE];
        mean[..N_MEASURED].copy_from_slice(&measured);
        let mut covariance = [[0.0; N_STATE]; N_STATE];
        for idx in 0..N_MEASURED {
            let doubled = if measure.is_aspect(idx) { 1.0 } else { 2.0 };
            let fast = if measure.is_aspect(idx) { 1.0 } else { 10.0 };
            covariance[idx][idx] = (doubled * position[idx]).powi(2);
            let moved = N_MEASURED + idx;
            covariance[moved][moved] = (fast * velocity[idx]).powi(2);
        }
        Self {
            measure,
            mean,
            covariance,
        }
    }

    /// Moves on by a frame.
    pub fn predict(&mut self) {
        let (position, velocity) = self.measure.sizes(self.measured());
        for idx in 0..N_MEASURED {
            self.mean[idx] += self.mean[idx + N_MEASURED];
        }
        let covariance = &mut self.covariance;
        // F P F': each position takes its velocity along, first in rows, then in columns.
        for idx in 0..N_MEASURED {
            for column in 0..N_STATE {
                covariance[idx][column] += covariance[idx + N_MEASURED][column];
            }
        }
        for row in covariance.iter_mut() {
            for idx in 0..N_MEASURED {
                row[idx] += row[idx + N_MEASURED];
            }
        }
        for idx in 0..N_MEASURED {
            covariance[idx][idx] += position[idx].powi(2);
            let moved = N_MEASURED + idx;
            covariance[moved][moved] += velocity[idx].powi(2);
        }
    }

    /// Corrects the state by a measured box.
    pub fn update(&mut self, measured: Measured) {
        let (noise, _) = self.measure.sizes(self.measured());
        let mut projected = [[0.0; N_MEASURED]; N_MEASURED];
        for row in 0..N_MEASURED {
            projected[row].copy_from_slice(&self.covariance[row][..N_MEASURED]);
            let noise = if self.measure.is_aspect(row) {
                1e-1
            } else {
                noise[row]
            };
            projected[row][row] += noise * noise;
        }
        let inverse = inverse(projected);
        let mut gain = [[0.0; N_MEASURED]; N_STATE];
        for (gain, row) in gain.iter_mut().zip(&self.covariance) {
            for (column, gain) in gain.iter_mut().enumerate() {
                *gain = (0..N_MEASURED).map(|k| row[k] * inverse[k][column]).sum();
            }
        }
        let expected = self.measured();
        let old = self.covariance;
        for (row, gain) in gain.iter().enumerate() {
            for k in 0..N_MEASURED {
                self.mean[row] += gain[k] * (measured[k] - expected[k]);
            }
            // K S K' = K H P.
            for column in 0..N_STATE {
                let corrected: f64 = (0..N_MEASURED).map(|k| gain[k] * old[k][column]).sum();
                self.covariance[row][column] -= corrected;
            }
        }
    }

    /// Moves the box as the camera made it move.
    pub fn warp(&mut self, motion: &Affine) {
        let centre = motion.0.map(|[x, y, _]| [x, y]);
        // Sides never get a negative length.
        let sides = centre.map(|row| row.map(f64::abs));
        let blocks = [centre, sides, centre, sides];
        for (block, pair) in blocks.iter().zip(self.mean.chunks_exact_mut(2)) {
            let (first, second) = (pair[0], pair[1]);
            pair[0] = block[0][0] * first + block[0][1] * second;
            pair[1] = block[1][0] * first + block[1][1] * second;
        }
        self.mean[0] += motion.0[0][2];
        self.mean[1] += motion.0[1][2];
        let old = self.covariance;
        for row in 0..N_STATE {
            for column in 0..N_STATE {
                let (left, right) = (&blocks[row / 2][row % 2], &blocks[column / 2][column % 2]);
                let (row_start, column_start) = (row / 2 * 2, column / 2 * 2);
                let mut sum = 0.0;
                for (i, left) in left.iter().enumerate() {
                    for (j, right) in right.iter().enumerate() {
                        sum += left * old[row_start + i][column_start + j] * right;
                    }
                }
                self.covariance[row][column] = sum;
            }
        }
    }

    /// Forgets how the sides change, as for a track that was lost.
    pub fn stop_growing(&mut self) {
        if self.measure == Measure::WidthHeight {
            self.mean[6] = 0.0;
        }
        self.mean[7] = 0.0;
    }

    /// Returns the corners of the box.
    pub fn bounds(&self) -> [f64; 4] {
        let [x, y, width, height] = self.measured();
        let width = match self.measure {
            Measure::AspectHeight => width * height,
            Measure::WidthHeight => width,
        };
        let (left, top) = (x - width / 2.0, y - height / 2.0);
        [left, top, left + width, top + height]
    }

    fn measured(&self) -> Measured {
        [self.mean[0], self.mean[1], self.mean[2], self.mean[3]]
    }
}

impl Measure {
    /// Returns the standard deviations of the positions and of the velocities.
    fn sizes(self, [_, _, width, height]: Measured) -> (Measured, Measured) {
        match self {
            Self::AspectHeight => {
                let scaled =
                    |part: f64, aspect| [part * height, part * height, aspect, part * height];
                (scaled(POSITION, 1e-2), scaled(VELOCITY, 1e-5))
            }
            Self::WidthHeight => {
                let scaled = |part: f64| [part * width, part * height, part * width, part * height];
                (scaled(POSITION), scaled(VELOCITY))
            }
        }
    }

    fn is_aspect(self, idx: usize) -> bool {
        self == Self::AspectHeight && idx == 2
    }
}

/// Inverts a covariance by Gauss-Jordan elimination; it has a positive diagonal.
fn inverse(mut matrix: [[f64; N_MEASURED]; N_MEASURED]) -> [[f64; N_MEASURED]; N_MEASURED] {
    let mut inverse = [[0.0; N_MEASURED]; N_MEASURED];
    for (idx, row) in inverse.iter_mut().enumerate() {
        row[idx] = 1.0;
    }
    for pivot in 0..N_MEASURED {
        let best = (pivot..N_MEASURED)
            .max_by(|a, b| matrix[*a][pivot].abs().total_cmp(&matrix[*b][pivot].abs()))
            .expect("the pivot's own row is one of them");
        matrix.swap(pivot, best);
        inverse.swap(pivot, best);
        let scale = 1.0 / matrix[pivot][pivot];
        matrix[pivot] = matrix[pivot].map(|value| value * scale);
        inverse[pivot] = inverse[pivot].map(|value| value * scale);
        for row in (0..N_MEASURED).filter(|row| *row != pivot) {
            let factor = matrix[row][pivot];
            for column in 0..N_MEASURED {
                matrix[row][column] -= factor * matrix[pivot][column];
                inverse[row][column] -= factor * inverse[pivot][column];
            }
        }
    }
    inverse
}
