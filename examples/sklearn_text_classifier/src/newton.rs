//! Newton's method with conjugate gradients (Nocedal and Wright, Numerical Optimization, algorithms
//! 5.3 and 7.1).

use crate::objective::{Objective, Point, dot};

/// Newton steps before giving up; a handful is usual, since the objective is convex and smooth.
const MAX_STEPS: usize = 100;
/// Conjugate-gradient steps per Newton step.
const MAX_INNER_STEPS: usize = 1000;
/// Length of the gradient, over the smaller of 1 and the penalty, that counts as zero. The distance
/// to the minimum is at most the gradient's length over the penalty.
const TOLERANCE: f64 = 1e-7;
/// Share of the promised decrease that a step must keep.
const SUFFICIENT_DECREASE: f64 = 1e-4;
/// Halvings of a step after which rounding hides any decrease.
const MAX_HALVINGS: usize = 40;

/// Returns the parameters at the minimum of `objective`.
pub(crate) fn minimize(objective: &Objective<'_>) -> Vec<f64> {
    let parameters = vec![0.0; objective.n_parameters()];
    let outputs = objective.outputs(&parameters);
    let mut here = Iterate {
        point: objective.point(&outputs, 0.0),
        parameters,
        outputs,
    };
    let small = TOLERANCE * objective.penalty().min(1.0);
    let mut first_length = None;
    for _ in 0..MAX_STEPS {
        let gradient = objective.gradient(&here.point, &here.parameters);
        let length = dot(&gradient, &gradient).sqrt();
        if length <= small {
            break;
        }
        let first_length = *first_length.get_or_insert(length);
        let accuracy = (0.5_f64).min((length / first_length).sqrt()) * length;
        let direction =
            newton_direction(objective, &here.point, &gradient, accuracy.max(small * 0.1));
        let slope = dot(&gradient, &direction);
        let Some(next) = here.line_search(objective, &direction, slope) else {
            break;
        };
        here = next;
        // A weak penalty asks for a gradient that rounding may never allow.
        let promised_decrease = -slope;
        if promised_decrease <= f64::EPSILON * here.point.value {
            break;
        }
    }
    here.parameters
}

/// Solves `Hessian * direction = -gradient` until the residual is shorter than `accuracy`.
fn newton_direction(
    objective: &Objective<'_>,
    point: &Point,
    gradient: &[f64],
    accuracy: f64,
) -> Vec<f64> {
    let diagonal = objective.diagonal(point);
    let preconditioned = |residual: &[f64]| -> Vec<f64> {
        let scaled = residual.iter().zip(&diagonal);
        scaled.map(|(r, d)| r / d.max(f64::EPSILON)).collect()
    };
    let mut direction = vec![0.0; gradient.len()];
    let mut residual: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut scaled = preconditioned(&residual);
    let mut search = scaled.clone();
    let mut residual_dot = dot(&residual, &scaled);
    for _ in 0..MAX_INNER_STEPS {
        let curved = objective.curvature_along(point, &search);
        let curvature = dot(&search, &curved);
        if curvature <= 0.0 {
            break;
        }
        let step = residual_dot / curvature;
        add(&mut direction, step, &search);
        add(&mut residual, -step, &curved);
        if dot(&residual, &residual).sqrt() <= accuracy {
            break;
        }
        scaled = preconditioned(&residual);
        let next_dot = dot(&residual, &scaled);
        let keep = next_dot / residual_dot;
        residual_dot = next_dot;
        for (search, scaled) in search.iter_mut().zip(&scaled) {
            *search = scaled + keep * *search;
        }
    }
    direction
}

/// Where the search is.
struct Iterate {
    parameters: Vec<f64>,
    outputs: Vec<f64>,
    point: Point,
}

impl Iterate {
    /// Takes a step along `direction`, in which the objective has `slope`. The step is halved until
    /// the objective falls enough; `None` when it no longer can.
    fn line_search(
        &self,
        objective: &Objective<'_>,
        direction: &[f64],
        slope: f64,
    ) -> Option<Self> {
        let output_changes = objective.outputs(direction);
        let squares = [
            objective.weights_dot(&self.parameters, &self.parameters),
            objective.weights_dot(&self.parameters, direction),
            objective.weights_dot(direction, direction),
        ];
        let mut length = 1.0;
        for _ in 0..MAX_HALVINGS {
            let mut outputs = self.outputs.clone();
            add(&mut outputs, length, &output_changes);
            let squared_weights =
                squares[0] + 2.0 * length * squares[1] + length * length * squares[2];
            let point = objective.point(&outputs, squared_weights);
            if point.value <= self.point.value + SUFFICIENT_DECREASE * length * slope {
                let mut parameters = self.parameters.clone();
                add(&mut parameters, length, direction);
                return Some(Self {
                    parameters,
                    outputs,
                    point,
                });
            }
            length *= 0.5;
        }
        None
    }
}

/// Adds `factor` times `other` to `vector`.
fn add(vector: &mut [f64], factor: f64, other: &[f64]) {
    for (value, other) in vector.iter_mut().zip(other) {
        *value += factor * other;
    }
}
