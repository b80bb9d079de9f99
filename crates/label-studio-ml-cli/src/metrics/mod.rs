//! Metrics of predictions, as the usual Python libraries compute them. Pure functions of what was expected and what was predicted.
//!
//! The tests compare them with scikit-learn, seqeval, pycocotools and jiwer.
//!
//! ```
//! use label_studio_ml_cli::metrics::LabelCounts;
//!
//! let pairs = [(vec!["Sad"], vec!["Sad"]), (vec!["Happy"], vec!["Sad"])];
//! let counts = LabelCounts::of_choices(pairs.iter().map(|(t, p)| (t.as_slice(), p.as_slice())));
//! assert_eq!(counts.accuracy(), 0.5);
//! assert_eq!(counts.label("Sad").recall(), 1.0);
//! ```

mod boxes;
mod choices;
mod interval;
mod key_points;
mod masks;
mod numbers;
mod spans;
mod texts;

pub use boxes::{AveragePrecision, Detection, DetectionTask, PixelBox, average_precision};
pub use choices::{Counts, LabelCounts, confusion};
pub use interval::{Interval, bootstrap};
pub use key_points::object_keypoint_similarity;
pub use masks::{mask_iou, polygon_mask};
pub use numbers::{mean, mean_absolute_error};
pub use spans::{Span, exact_counts, overlap_counts, segment_counts};
pub use texts::{EditCounts, character_edits, word_edits};

/// Returns a count as a number.
#[expect(
    clippy::cast_precision_loss,
    reason = "no count of tasks or pixels reaches 2^52"
)]
fn number(count: usize) -> f64 {
    count as f64
}

/// Returns a fraction, 0 when the whole is nothing, as scikit-learn does.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
