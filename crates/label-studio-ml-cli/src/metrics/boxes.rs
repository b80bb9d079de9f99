//! Average precision of boxes, as pycocotools computes it (cocoeval.py: `evaluateImg`, `accumulate`, `summarize`), for all
//! areas, 100 detections per image, without crowds.

use std::collections::BTreeSet;

use super::number;

/// Detections of an image and label that count, the best first.
const MAX_DETECTIONS: usize = 100;
/// Points of recall at which precision is looked up.
const N_RECALLS: usize = 101;

/// A box in pixels: left, top, width, height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelBox {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// A box that was expected or predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Its label.
    pub label: String,
    /// Where it is.
    pub area: PixelBox,
    /// Confidence; not used for expected boxes.
    pub score: f64,
}

/// The boxes of an image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DetectionTask {
    /// Boxes of the ground truth.
    pub expected: Vec<Detection>,
    /// Boxes of the prediction.
    pub predicted: Vec<Detection>,
}

/// Average precision over the labels that were expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AveragePrecision {
    /// At an intersection over union of 0.5.
    pub ap50: f64,
    /// Mean at 0.5, 0.55, ... 0.95.
    pub ap50_95: f64,
}

impl PixelBox {
    /// Returns the intersection over union with another box.
    pub fn iou(self, other: Self) -> f64 {
        let across = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let down = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        if across <= 0.0 || down <= 0.0 {
            return 0.0;
        }
        let shared = across * down;
        shared / (self.width * self.height + other.width * other.height - shared)
    }
}

/// Returns the average precision; `None` when nothing was expected in any image.
pub fn average_precision<'a, I>(tasks: I) -> Option<AveragePrecision>
where
    I: IntoIterator<Item = &'a DetectionTask>,
{
    let tasks: Vec<_> = tasks.into_iter().collect();
    let expected = tasks.iter().flat_map(|task| &task.expected);
    let labels: BTreeSet<_> = expected.map(|found| found.label.as_str()).collect();
    let thresholds = evenly(0.5, 0.95, 10);
    let (mut at_50, mut at_all) = (0.0, 0.0);
    for label in &labels {
        let (mut scores, mut hits, mut n_expected) = (Vec::new(), Vec::new(), 0);
        for task in &tasks {
            let image = match_image(task, label, &thresholds);
            scores.extend(image.scores);
            hits.extend(image.hits);
            n_expected += image.n_expected;
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
        for (idx, _) in thresholds.iter().enumerate() {
            let ranked = order.iter().map(|place| hits[*place][idx]);
            let precision = mean_precision(ranked, n_expected);
            at_all += precision / 10.0;
            if idx == 0 {
                at_50 += precision;
            }
        }
    }
    let n_labels = number(labels.len());
    (n_labels > 0.0).then(|| AveragePrecision {
        ap50: at_50 / n_labels,
        ap50_95: at_all / n_labels,
    })
}

/// Predicted boxes of one label in one image, the best first.
struct MatchedImage {
    scores: Vec<f64>,
    /// Whether each box is right, by threshold.
    hits: Vec<Vec<bool>>,
    n_expected: usize,
}

fn match_image(task: &DetectionTask, label: &str, thresholds: &[f64]) -> MatchedImage {
    let of_label = |found: &&Detection| found.label == label;
    let expected: Vec<_> = task.expected.iter().filter(of_label).collect();
    let mut predicted: Vec<_> = task.predicted.iter().filter(of_label).collect();
    predicted.sort_by(|one, other| other.score.total_cmp(&one.score));
    predicted.truncate(MAX_DETECTIONS);
    let mut hits = vec![vec![false; thresholds.len()]; predicted.len()];
    for (idx, threshold) in thresholds.iter().enumerate() {
        let mut is_taken = vec![false; expected.len()];
        for (place, found) in predicted.iter().enumerate() {
            let mut best = threshold.min(1.0 - 1e-10);
            let mut chosen = None;
            for (row, truth) in expected.iter().enumerate() {
                let iou = found.area.iou(truth.area);
                // Of equal ones the last is taken, as pycocotools does.
                if !is_taken[row] && iou >= best {
                    best = iou;
                    chosen = Some(row);
                }
            }
            if let Some(row) = chosen {
                is_taken[row] = true;
                hits[place][idx] = true;
            }
        }
    }
    MatchedImage {
        scores: predicted.iter().map(|found| found.score).collect(),
        hits,
        n_expected: expected.len(),
    }
}

/// Returns the mean precision at 101 points of recall, of ranked predictions that are right or wrong.
fn mean_precision(ranked: impl Iterator<Item = bool>, n_expected: usize) -> f64 {
    let (mut recalls, mut precisions) = (Vec::new(), Vec::new());
    let mut n_right = 0;
    for (idx, is_right) in ranked.enumerate() {
        n_right += usize::from(is_right);
        recalls.push(number(n_right) / number(n_expected));
        precisions.push(number(n_right) / (number(idx + 1) + f64::EPSILON));
    }
    for idx in (1..precisions.len()).rev() {
        precisions[idx - 1] = f64::max(precisions[idx - 1], precisions[idx]);
    }
    let at = |recall: f64| {
        let place = recalls.partition_point(|reached| *reached < recall);
        precisions.get(place).copied().unwrap_or(0.0)
    };
    let points = evenly(0.0, 1.0, N_RECALLS);
    points.into_iter().map(at).sum::<f64>() / number(N_RECALLS)
}

/// Returns `count` numbers from `start` to `stop`, rounded as numpy's `linspace` rounds them.
fn evenly(start: f64, stop: f64, count: usize) -> Vec<f64> {
    let distance = (stop - start) / number(count - 1);
    let mut numbers: Vec<f64> = (0..count)
        .map(|idx| number(idx) * distance + start)
        .collect();
    numbers[count - 1] = stop;
    numbers
}
