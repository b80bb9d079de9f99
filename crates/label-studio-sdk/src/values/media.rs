//! Values of the controls that mark video, audio and time series.

use serde::{Deserialize, Serialize};

use super::{
    Position, VectorVertex,
    reading::{
        flag, flag_or_true, integer, non_empty, number, number_or_zero, optional_integer,
        optional_number, percent, set, truth,
    },
};

/// Value of a `VideoRectangle` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoRectangleValue {
    /// Number of frames of the video.
    #[serde(rename = "framesCount", deserialize_with = "integer")]
    pub frames_count: i64,
    /// Length of the video in seconds.
    #[serde(deserialize_with = "number")]
    pub duration: f64,
    /// Keyframes of the rectangle.
    pub sequence: Vec<VideoRectangleKeyframe>,
    /// Labels of the rectangle.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
}

/// A rectangle at one frame, in percent of the frame's size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoRectangleKeyframe {
    /// Left edge.
    #[serde(deserialize_with = "percent")]
    pub x: f64,
    /// Top edge.
    #[serde(deserialize_with = "percent")]
    pub y: f64,
    /// Time of the frame in seconds.
    #[serde(deserialize_with = "number")]
    pub time: f64,
    /// Number of the frame, counted from 1.
    #[serde(deserialize_with = "integer")]
    pub frame: i64,
    /// Width.
    #[serde(deserialize_with = "percent")]
    pub width: f64,
    /// Height.
    #[serde(deserialize_with = "percent")]
    pub height: f64,
    /// Rotation in degrees.
    #[serde(default, deserialize_with = "number_or_zero")]
    pub rotation: f64,
}

/// Value of a `VideoVector` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoVectorValue {
    /// Number of frames of the video.
    #[serde(default, rename = "framesCount", deserialize_with = "optional_integer")]
    pub frames_count: Option<i64>,
    /// Length of the video in seconds.
    #[serde(default, deserialize_with = "optional_number")]
    pub duration: Option<f64>,
    /// Keyframes of the line.
    pub sequence: Vec<VideoVectorKeyframe>,
}

/// Value of a `VideoVectorLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoVectorLabelsValue {
    /// Number of frames of the video.
    #[serde(default, rename = "framesCount", deserialize_with = "optional_integer")]
    pub frames_count: Option<i64>,
    /// Length of the video in seconds.
    #[serde(default, deserialize_with = "optional_number")]
    pub duration: Option<f64>,
    /// Keyframes of the line.
    pub sequence: Vec<VideoVectorKeyframe>,
    /// Labels of the line.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
}

/// A line at one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoVectorKeyframe {
    /// Time of the frame in seconds.
    #[serde(default, deserialize_with = "optional_number")]
    pub time: Option<f64>,
    /// Number of the frame, counted from 1.
    #[serde(deserialize_with = "integer")]
    pub frame: i64,
    /// Whether the last vertex is joined to the first.
    #[serde(default, deserialize_with = "flag")]
    pub closed: bool,
    /// Whether the line is seen from this frame on.
    #[serde(default = "set", deserialize_with = "flag_or_true")]
    pub enabled: bool,
    /// Vertices of the line.
    pub vertices: Vec<VectorVertex>,
}

/// Value of a `TimeSeriesLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeSeriesLabelsValue {
    /// Where the range starts, in the form of the time column.
    pub start: Position,
    /// Where the range ends.
    pub end: Position,
    /// Whether the range is a single instant.
    #[serde(deserialize_with = "truth")]
    pub instant: bool,
    /// Labels of the range.
    pub timeserieslabels: Vec<String>,
}

/// Value of a `TimelineLabels` region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineLabelsValue {
    /// Ranges of frames, at least one.
    #[serde(deserialize_with = "non_empty")]
    pub ranges: Vec<TimelineRange>,
    /// Labels of the ranges.
    pub timelinelabels: Vec<String>,
}

/// A range of frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineRange {
    /// First frame.
    #[serde(deserialize_with = "number")]
    pub start: f64,
    /// Last frame.
    #[serde(deserialize_with = "number")]
    pub end: f64,
    /// Whether the range is on.
    #[serde(default)]
    pub enabled: Option<bool>,
}
