//! The bare head of `RTMDet`: per point of three grids the logits of the classes and the distances to the box's sides.

use label_studio_ml::anyhow::{self, bail, ensure};
use ndarray::{ArrayView2, ArrayViewD};

use super::{
    detection::{Detection, suppressed},
    tensors::{sigmoid, table},
};
use crate::{Settings, placement::Placement};

/// Strides of the grids, in the order of the points. A point lies at its cell's top left corner.
const STRIDES: [u32; 3] = [8, 16, 32];

pub(super) fn decode(
    settings: &Settings,
    tensors: &[ArrayViewD<'_, f32>],
    placement: Placement,
    min_score: f64,
) -> anyhow::Result<Vec<Detection>> {
    let n_classes = settings.classes.len();
    let first = upright(&table(tensors.first(), "logits")?, n_classes);
    let second = upright(&table(tensors.get(1), "distances")?, n_classes);
    let (logits, distances) = match (first.ncols(), second.ncols()) {
        (columns, 4) if columns == n_classes => (first, second),
        (4, columns) if columns == n_classes => (second, first),
        (a, b) => bail!(
            "the model gives {a} and {b} numbers per point where {n_classes} classes and 4 distances are expected; name its \
             classes in the settings file beside it"
        ),
    };
    let points: Vec<_> = points(placement.input).collect();
    ensure!(
        logits.nrows() == points.len() && distances.nrows() == points.len(),
        "the model gives {} points where an input of {} x {} pixels has {}",
        logits.nrows(),
        placement.input.0,
        placement.input.1,
        points.len()
    );
    let mut candidates = Vec::new();
    for ((logits, distances), [x, y]) in logits.outer_iter().zip(distances.outer_iter()).zip(points)
    {
        for (class, logit) in logits.iter().enumerate() {
            let score = sigmoid(*logit);
            if score >= min_score {
                let [left, top, right, bottom] =
                    std::array::from_fn(|idx| f64::from(distances[idx]));
                candidates.push(Detection {
                    bounds: [x - left, y - top, x + right, y + bottom],
                    class,
                    score,
                });
            }
        }
    }
    Ok(suppressed(settings, candidates))
}

/// Some exports have points in columns.
fn upright<'a>(table: &ArrayView2<'a, f32>, n_classes: usize) -> ArrayView2<'a, f32> {
    let is_known = |n: usize| n == 4 || n == n_classes;
    if !is_known(table.ncols()) && is_known(table.nrows()) {
        table.reversed_axes()
    } else {
        *table
    }
}

fn points((width, height): (u32, u32)) -> impl Iterator<Item = [f64; 2]> {
    STRIDES.into_iter().flat_map(move |stride| {
        let (columns, rows) = (width.div_ceil(stride), height.div_ceil(stride));
        (0..rows).flat_map(move |row| {
            (0..columns).map(move |column| [f64::from(column * stride), f64::from(row * stride)])
        })
    })
}
