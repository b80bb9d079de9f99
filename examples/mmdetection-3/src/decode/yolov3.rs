//! The bare head of `YOLOv3`: three maps with three anchors per cell.

use label_studio_ml::anyhow::{self, Context, ensure};
use label_studio_vision::boxes::from_centre;
use ndarray::{ArrayView3, ArrayViewD};

use super::{
    detection::{Detection, suppressed},
    tensors::sigmoid,
};
use crate::{Settings, placement::Placement};

/// Widths and heights of the anchors by stride, in the default config.
const ANCHORS: [(u32, [[f64; 2]; 3]); 3] = [
    (32, [[220.0, 125.0], [128.0, 222.0], [264.0, 266.0]]),
    (16, [[35.0, 87.0], [102.0, 96.0], [60.0, 170.0]]),
    (8, [[10.0, 15.0], [24.0, 36.0], [72.0, 42.0]]),
];
// `conf_thr`, `score_thr` and `nms_pre` of that config.
const MIN_OBJECTNESS: f64 = 0.005;
const MIN_CLASS_SCORE: f64 = 0.05;
const MAX_CANDIDATES: usize = 1000;
/// Numbers of an anchor before its classes: centre, size, objectness.
const N_BOX: usize = 5;

pub(super) fn decode(
    settings: &Settings,
    tensors: &[ArrayViewD<'_, f32>],
    placement: Placement,
) -> anyhow::Result<Vec<Detection>> {
    // Class scores without objectness choose the candidates, so they come along.
    let mut candidates: Vec<(f64, Detection)> = Vec::new();
    for tensor in tensors {
        let map = tensor
            .view()
            .into_dimensionality()
            .with_context(|| format!("the model gives a map of the shape {:?}", tensor.shape()))?;
        candidates.extend(of_map(settings, &map, placement)?);
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    candidates.truncate(MAX_CANDIDATES);
    let candidates = candidates.into_iter().map(|(_, detection)| detection);
    Ok(suppressed(settings, candidates.collect()))
}

fn of_map(
    settings: &Settings,
    map: &ArrayView3<'_, f32>,
    placement: Placement,
) -> anyhow::Result<Vec<(f64, Detection)>> {
    let (n_channels, rows, columns) = map.dim();
    let n_anchor = N_BOX + settings.classes.len();
    ensure!(
        n_channels == 3 * n_anchor,
        "a map has {n_channels} channels where 3 x ({N_BOX} + {} classes) are expected; name the model's classes in the \
         settings file beside it",
        settings.classes.len()
    );
    let stride = u32::try_from(rows.max(1)).map_or(0, |rows| placement.input.1 / rows);
    let anchors = ANCHORS.iter().find(|(known, _)| *known == stride);
    let (_, anchors) = anchors.with_context(|| {
        format!("a map of {columns} x {rows} cells has a stride that is none of 32, 16 and 8")
    })?;
    let stride = f64::from(stride);
    let mut found = Vec::new();
    for (anchor_idx, anchor) in anchors.iter().enumerate() {
        let number =
            |idx: usize, row: usize, column: usize| map[[anchor_idx * n_anchor + idx, row, column]];
        for row in 0..rows {
            for column in 0..columns {
                let objectness = sigmoid(number(4, row, column));
                if objectness < MIN_OBJECTNESS {
                    continue;
                }
                let centre = |idx: usize, cell: usize| {
                    let cell = f64::from(u32::try_from(cell).unwrap_or(u32::MAX));
                    (cell + sigmoid(number(idx, row, column))) * stride
                };
                let side = |idx: usize| anchor[idx] * f64::from(number(2 + idx, row, column)).exp();
                let bounds = from_centre([centre(0, column), centre(1, row), side(0), side(1)]);
                for class in 0..settings.classes.len() {
                    let class_score = sigmoid(number(N_BOX + class, row, column));
                    if class_score > MIN_CLASS_SCORE {
                        let score = class_score * objectness;
                        found.push((
                            class_score,
                            Detection {
                                bounds,
                                class,
                                score,
                            },
                        ));
                    }
                }
            }
        }
    }
    Ok(found)
}
