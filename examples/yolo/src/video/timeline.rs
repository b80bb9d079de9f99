//! `TimelineLabels`: from probabilities of frames to ranges.

use label_studio_ml::{Region, json};

use crate::{Control, control::label_columns};

/// The probability of each label in each frame so far.
#[derive(Debug)]
pub(super) struct Timeline<'a> {
    /// The labels, each with the classes that mean it.
    columns: Vec<(&'a str, Vec<usize>)>,
    rows: Vec<Vec<f64>>,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(control: &'a Control<'a>) -> Self {
        Self {
            columns: label_columns(control),
            rows: Vec::new(),
        }
    }

    /// Adds the probabilities of a frame's classes. Those of classes with one label are added up,
    /// since they exclude each other.
    pub(super) fn add(&mut self, probabilities: &[f64]) {
        let sum = |classes: &[usize]| {
            let each = classes.iter().filter_map(|class| probabilities.get(*class));
            each.sum::<f64>().min(1.0)
        };
        let row = self.columns.iter().map(|(_, classes)| sum(classes));
        self.rows.push(row.collect());
    }
}

/// Frames in a row with one label.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineRange {
    /// Rank among all ranges in the order of their starts.
    pub rank: usize,
    /// Column of the label.
    pub column: usize,
    /// First frame, from 1.
    pub start: usize,
    /// Last frame.
    pub end: usize,
    /// Mean probability.
    pub score: f64,
}

/// Returns the runs of frames whose probability reaches the threshold of their column, in the order
/// of their ends; `rows` has a probability per frame and column.
pub fn timeline_ranges(rows: &[Vec<f64>], thresholds: &[f64]) -> Vec<TimelineRange> {
    struct Open {
        rank: usize,
        start: usize,
        sum: f64,
    }
    let mut open: Vec<Option<Open>> = thresholds.iter().map(|_| None).collect();
    let (mut ranges, mut n_ranges) = (Vec::new(), 0);
    #[expect(clippy::cast_precision_loss, reason = "no video has 2^52 frames")]
    let closed = |column: usize, run: Open, end: usize| TimelineRange {
        rank: run.rank,
        column,
        start: run.start,
        end,
        score: run.sum / (end + 1 - run.start) as f64,
    };
    for (idx, row) in rows.iter().enumerate() {
        let columns = row.iter().zip(thresholds).zip(&mut open);
        for (column, ((probability, threshold), open)) in columns.enumerate() {
            if probability < threshold {
                ranges.extend(open.take().map(|run| closed(column, run, idx)));
                continue;
            }
            let run = open.get_or_insert_with(|| {
                n_ranges += 1;
                Open {
                    rank: n_ranges - 1,
                    start: idx + 1,
                    sum: 0.0,
                }
            });
            run.sum += probability;
        }
    }
    for (column, open) in open.into_iter().enumerate() {
        ranges.extend(open.map(|run| closed(column, run, rows.len())));
    }
    ranges
}

pub(super) fn timeline_regions(control: &Control<'_>, timeline: &Timeline<'_>) -> Vec<Region> {
    let labels = timeline.columns.iter().map(|(label, _)| *label);
    let thresholds: Vec<_> = labels.map(|label| control.threshold_of(label)).collect();
    let region = |range: TimelineRange| {
        let TimelineRange {
            rank, start, end, ..
        } = range;
        let value = json!({
            "ranges": [{ "start": start, "end": end }],
            "timelinelabels": [timeline.columns[range.column].0],
        });
        let (from, to) = (&control.tag.name, &control.object.name);
        let region = Region::new(from, to, "timelinelabels", value);
        region
            .with_id(format!("{rank}_{start}_{end}"))
            .with_score(range.score)
    };
    let ranges = timeline_ranges(&timeline.rows, &thresholds);
    ranges.into_iter().map(region).collect()
}
