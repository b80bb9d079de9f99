//! Labels ranges of time series with a recurrent network that learns from a project's annotations.
//!
//! [`reading`] turns CSV and JSON into rows, [`Segmenter`] is a trained network, [`Predictor`] runs it
//! over a series, and [`TimeSeriesSegmenter`] is the model that Label Studio talks to.
//!
//! ```
//! use timeseries_segmenter::window_starts;
//!
//! assert_eq!(window_starts(25, 10), [0, 5, 10, 15]);
//! assert_eq!(window_starts(11, 10), [0, 1]);
//! ```

pub mod cells;
mod labelling;
mod model;
mod options;
mod predictor;
pub mod reading;
mod samples;
mod scaling;
mod segmenter;
mod segments;
mod tags;
pub mod times;
mod training;
mod windows;

pub use labelling::{RowLabels, row_labels};
pub use model::TimeSeriesSegmenter;
pub use options::Options;
pub use predictor::Predictor;
pub use samples::{Sample, samples, split};
pub use scaling::Scaling;
pub use segmenter::Segmenter;
pub use segments::{Segment, Segments, prediction};
pub use tags::Tags;
pub use training::{Lesson, class_weights};
pub use windows::{Padding, window_starts};
