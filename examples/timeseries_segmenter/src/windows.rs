//! Windows of a series: the parts that the network sees at once.

/// Returns the first row of each window of `size` rows: every half window, and one that ends with the
/// series. A series that is shorter than a window has none.
pub fn window_starts(n_rows: usize, size: usize) -> Vec<usize> {
    let Some(last) = n_rows.checked_sub(size) else {
        return Vec::new();
    };
    let mut starts: Vec<usize> = (0..=last).step_by(step(size)).collect();
    if starts.last() != Some(&last) {
        starts.push(last);
    }
    starts
}

/// Returns the distance of windows.
pub(crate) fn step(size: usize) -> usize {
    (size / 2).max(1)
}

/// Which rows fill the window of a series that is shorter than a window: the series in the middle,
/// and its mirror images at both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Padding {
    /// Where the series starts in the window.
    pub offset: usize,
    /// The row of the series at each place.
    pub rows: Vec<usize>,
}

impl Padding {
    /// Fills a window of `size` rows with a series of at least one row.
    pub fn new(n_rows: usize, size: usize) -> Self {
        let offset = (size - n_rows) / 2;
        let period = 2 * n_rows;
        let row = |place: usize| {
            // Moved by whole periods, so that it is not negative.
            let place = (place + period * (offset / period + 1) - offset) % period;
            place.min(period - 1 - place)
        };
        Self {
            offset,
            rows: (0..size).map(row).collect(),
        }
    }
}
