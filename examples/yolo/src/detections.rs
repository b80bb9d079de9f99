//! From the numbers that a network gives to boxes.

use label_studio_ml::anyhow::{self, bail};
use label_studio_vision::{
    boxes::{RotatedBox, Suppression, Suppressors, from_centre},
    images::Letterbox,
};
use ndarray::{Array3, ArrayView1, ArrayView2};

use crate::{Metadata, NetworkTask};

/// Numbers of a box before its classes.
const N_BOX: usize = 4;
/// Numbers of a final box: corners, score and class.
const N_FINAL: usize = 6;

/// What a network says about one image.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The probability of each class.
    Probabilities(Vec<f64>),
    /// Boxes and what belongs to them.
    Detections(Detections),
}

/// Boxes that a network found in one image, the surest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Detections {
    /// How the image became the network's input; coordinates of boxes are pixels of that input.
    pub letterbox: Letterbox,
    /// The boxes.
    pub boxes: Vec<Detection>,
    /// Masks from which each box mixes its own: prototypes x height x width.
    pub prototypes: Option<Array3<f32>>,
}

/// One box that a network found.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Left, top, right and lower edge in pixels of the network's input.
    pub bounds: [f64; 4],
    /// The box itself, if it is turned; in pixels of the network's input.
    pub rotated: Option<RotatedBox>,
    /// Number of its class.
    pub class: usize,
    /// Score of the network, from 0 to 1.
    pub score: f64,
    /// What belongs to the box: coefficients of masks, or the numbers of its key points.
    pub extra: Vec<f32>,
}

/// Reads boxes out of tensors.
pub(crate) struct Decoder<'a> {
    pub(crate) metadata: &'a Metadata,
    /// Numbers that follow the classes of each box.
    pub(crate) n_extra: usize,
    /// Boxes must be surer than this.
    pub(crate) confidence: f64,
    /// Boxes of a class that overlap a better one more than this go.
    pub(crate) max_overlap: f64,
}

impl Decoder<'_> {
    /// Reads one image's boxes: either a column per candidate (box, classes, extra numbers), of which overlapping ones
    /// go, or a row per final box (box, score, class, extra numbers).
    pub(crate) fn decode(
        &self,
        numbers: &ArrayView2<'_, f32>,
        letterbox: Letterbox,
    ) -> anyhow::Result<Detections> {
        let n_classes = self.metadata.names.len();
        let n_candidate = N_BOX + n_classes + self.n_extra;
        let n_final = N_FINAL + self.n_extra;
        let (n_rows, n_columns) = numbers.dim();
        let is_final =
            n_columns == n_final && (self.metadata.is_end_to_end || n_rows != n_candidate);
        let boxes = if is_final {
            self.final_boxes(numbers)
        } else if n_rows == n_candidate {
            self.suppressed(self.candidates(numbers))
        } else {
            bail!(
                "it gives {n_rows} numbers per box where {n_candidate} are expected for the {n_classes} classes that \
                 its metadata names ({N_BOX} + {n_classes} + {})",
                self.n_extra
            );
        };
        Ok(Detections {
            letterbox,
            boxes,
            prototypes: None,
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "class numbers are small naturals; others name no class"
    )]
    fn final_boxes(&self, rows: &ArrayView2<'_, f32>) -> Vec<Detection> {
        let n_classes = self.metadata.names.len();
        let mut boxes = Vec::new();
        for row in rows.outer_iter() {
            let (score, class) = (f64::from(row[4]), row[5].round());
            let is_class = class >= 0.0 && (class as usize) < n_classes;
            if !is_class || score.is_nan() || score <= self.confidence {
                continue;
            }
            boxes.push(self.detection(&row, class as usize, score, true));
        }
        boxes.sort_by(|a, b| b.score.total_cmp(&a.score));
        boxes
    }

    fn candidates(&self, columns: &ArrayView2<'_, f32>) -> Vec<Detection> {
        let n_classes = self.metadata.names.len();
        let n_columns = columns.ncols();
        let mut best = vec![f32::NEG_INFINITY; n_columns];
        let mut classes = vec![0_usize; n_columns];
        for class in 0..n_classes {
            let scores = columns.row(N_BOX + class);
            for ((best, best_class), &score) in best.iter_mut().zip(&mut classes).zip(scores) {
                if score > *best {
                    (*best, *best_class) = (score, class);
                }
            }
        }
        let sure = (0..n_columns).filter(|&idx| f64::from(best[idx]) > self.confidence);
        sure.map(|idx| {
            let column = columns.column(idx);
            self.detection(&column, classes[idx], f64::from(best[idx]), false)
        })
        .collect()
    }

    fn detection(
        &self,
        numbers: &ArrayView1<'_, f32>,
        class: usize,
        score: f64,
        is_final: bool,
    ) -> Detection {
        let n_before = if is_final {
            N_FINAL
        } else {
            N_BOX + self.metadata.names.len()
        };
        let extra: Vec<f32> = numbers.iter().skip(n_before).copied().collect();
        let place = std::array::from_fn(|idx| f64::from(numbers[idx]));
        let is_turned = self.metadata.task == NetworkTask::Obb;
        let angle = extra.last().copied().filter(|_| is_turned);
        let rotated = angle.map(|angle| RotatedBox {
            x: place[0],
            y: place[1],
            width: place[2],
            height: place[3],
            angle: f64::from(angle),
        });
        Detection {
            // Final boxes have corners, except turned ones, which need their centre.
            bounds: if is_final && !is_turned {
                place
            } else {
                from_centre(place)
            },
            rotated,
            class,
            score,
            extra,
        }
    }

    fn suppressed(&self, candidates: Vec<Detection>) -> Vec<Detection> {
        let scores: Vec<_> = candidates.iter().map(|candidate| candidate.score).collect();
        let classes: Vec<_> = candidates.iter().map(|candidate| candidate.class).collect();
        let kept = if self.metadata.task == NetworkTask::Obb {
            let boxes: Vec<_> = candidates
                .iter()
                .filter_map(|candidate| candidate.rotated)
                .collect();
            let suppression = Suppression {
                suppressors: Suppressors::All,
                max_overlap: self.max_overlap,
                ..Suppression::default()
            };
            suppression.keep(&boxes, &scores, &classes)
        } else {
            let boxes: Vec<_> = candidates
                .iter()
                .map(|candidate| candidate.bounds)
                .collect();
            let suppression = Suppression {
                max_overlap: self.max_overlap,
                ..Suppression::default()
            };
            suppression.keep(&boxes, &scores, &classes)
        };
        let mut candidates: Vec<_> = candidates.into_iter().map(Some).collect();
        kept.into_iter()
            .filter_map(|idx| candidates[idx].take())
            .collect()
    }
}
