//! Rows of the same class become segments.

use label_studio_ml::{
    Prediction, Value,
    anyhow::{self, ensure},
    json,
};

use crate::{tags::Tags, times::Time};

/// Most segments of a prediction: more could not be shown, and mean that the model is no good.
const MAX_SEGMENTS: usize = 10_000;

/// Rows that follow each other and have the same class.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Their class.
    pub class: usize,
    /// Time of the first row.
    pub start: Time,
    /// Time of the last row.
    pub end: Time,
    sum_of_scores: f64,
    n_rows: f64,
}

/// Puts rows together, one by one.
#[derive(Debug, Default)]
pub struct Segments {
    /// Those that are not background.
    done: Vec<Segment>,
    current: Option<Segment>,
    /// Whether a time is not a whole number.
    has_numbers: bool,
}

impl Segment {
    /// Returns the mean score of the rows.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "probabilities have single precision"
    )]
    pub fn score(&self) -> f64 {
        f64::from((self.sum_of_scores / self.n_rows) as f32)
    }
}

impl Segments {
    /// Adds the next row. Class 0 is the background.
    ///
    /// # Errors
    /// When there are too many segments.
    pub fn push(&mut self, time: Time, class: usize, score: f32) -> anyhow::Result<()> {
        self.has_numbers |= matches!(time, Time::Number(_));
        match &mut self.current {
            Some(current) if current.class == class => {
                current.end = time;
                current.sum_of_scores += f64::from(score);
                current.n_rows += 1.0;
            }
            current => {
                let next = Segment {
                    class,
                    start: time.clone(),
                    end: time,
                    sum_of_scores: f64::from(score),
                    n_rows: 1.0,
                };
                if let Some(last) = current.replace(next).filter(|last| last.class > 0) {
                    ensure!(
                        self.done.len() < MAX_SEGMENTS,
                        "the model finds more than {MAX_SEGMENTS} ranges: train it with more annotations"
                    );
                    self.done.push(last);
                }
            }
        }
        Ok(())
    }

    /// Returns all segments but those of the background. Times are whole numbers if all times of the
    /// series are.
    pub fn finish(mut self) -> Vec<Segment> {
        self.done.extend(self.current.filter(|last| last.class > 0));
        if self.has_numbers {
            for segment in &mut self.done {
                segment.start = segment.start.clone().into_number();
                segment.end = segment.end.clone().into_number();
            }
        }
        self.done
    }
}

/// Makes a prediction of segments. `labels` are the classes' names, of which the first is the
/// background's. Without segments its score is 0.
pub fn prediction(tags: &Tags<'_>, labels: &[String], segments: Vec<Segment>) -> Prediction {
    let region = |segment: Segment| {
        let score = segment.score();
        let is_instant = segment.start == segment.end;
        let (start, end): (Value, Value) = (segment.start.into(), segment.end.into());
        let value = json!({
            "start": start,
            "end": end,
            "instant": is_instant,
            "timeserieslabels": [labels[segment.class]],
        });
        tags.control.region(value).with_new_id().with_score(score)
    };
    Prediction::new(segments.into_iter().map(region)).with_mean_score()
}
