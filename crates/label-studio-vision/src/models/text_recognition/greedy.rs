//! The best class of each time step.

use ndarray::ArrayView2;

/// Class of the blank between characters.
const BLANK: usize = 0;

/// The best class at a time step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The class; 0 is the blank.
    pub class: usize,
    /// Its score.
    pub score: f32,
    /// Number of the time step, from 0.
    pub time: usize,
}

/// Returns the best class of each time step; `scores` has a row per time step and a column per
/// class. Of equals the first class wins.
pub fn best_path(scores: &ArrayView2<'_, f32>) -> Vec<Step> {
    let rows = scores.outer_iter().enumerate();
    rows.map(|(time, row)| {
        let (class, score) = match row.as_slice() {
            Some(row) => best(row),
            None => best(&row.to_vec()),
        };
        Step { class, score, time }
    })
    .collect()
}

/// Returns the steps of a path at which a character begins: repetitions and blanks are left out.
pub fn collapsed(path: &[Step]) -> Vec<Step> {
    let mut previous = BLANK;
    let mut kept = Vec::new();
    for step in path {
        if step.class != BLANK && step.class != previous {
            kept.push(*step);
        }
        previous = step.class;
    }
    kept
}

/// Returns the first position of the largest value, and the value.
fn best(row: &[f32]) -> (usize, f32) {
    // The largest value is found first, since that goes many values at a time.
    let mut largest = [f32::NEG_INFINITY; 16];
    let (blocks, rest) = row.as_chunks::<16>();
    for block in blocks {
        for (largest, value) in largest.iter_mut().zip(block) {
            *largest = if value > largest { *value } else { *largest };
        }
    }
    let largest = largest
        .into_iter()
        .chain(rest.iter().copied())
        .fold(f32::NEG_INFINITY, f32::max);
    let class = row.iter().position(|&value| value >= largest);
    (class.unwrap_or(BLANK), largest)
}
