//! Classes of the rows of a series of any length, with memory for a few windows.

use label_studio_ml::anyhow;
use label_studio_training::series::SeriesInference;

use crate::{
    scaling::Scaling,
    segments::{Segment, Segments},
    times::Time,
    windows::{Padding, step},
};

/// Rows that wait before they go through the network together: enough for all cores.
const BLOCK_ROWS: usize = 1 << 15;

/// Takes the rows of a series one by one, and puts those of the same class together.
///
/// Each row has the mean of the probabilities of all windows that it is in.
pub struct Predictor<'a> {
    inference: &'a SeriesInference,
    scaling: &'a Scaling,
    /// Which classes may be chosen.
    is_wanted: &'a [bool],
    size: usize,
    /// Number of the first row that is kept.
    first: usize,
    /// Times of the rows that are kept, their values, the sum of their probabilities, and the number
    /// of windows in it.
    times: Vec<Time>,
    values: Vec<f32>,
    sums: Vec<f32>,
    n_windows: Vec<u16>,
    /// First row of the next window.
    next: usize,
    segments: Segments,
}

impl<'a> Predictor<'a> {
    /// Creates a predictor with windows of `size` rows. Class 0, the background, is always wanted.
    pub fn new(
        inference: &'a SeriesInference,
        scaling: &'a Scaling,
        is_wanted: &'a [bool],
        size: usize,
    ) -> Self {
        Self {
            inference,
            scaling,
            is_wanted,
            size,
            first: 0,
            times: Vec::new(),
            values: Vec::new(),
            sums: Vec::new(),
            n_windows: Vec::new(),
            next: 0,
            segments: Segments::default(),
        }
    }

    /// Adds the next row.
    pub fn push(&mut self, time: Time, row: &[f32]) -> anyhow::Result<()> {
        self.times.push(time);
        self.values.extend(self.scaling.apply(row));
        self.sums.resize(self.times.len() * self.n_classes(), 0.0);
        self.n_windows.push(0);
        if self.end() >= self.next + BLOCK_ROWS.max(self.size) + self.size {
            self.run_whole_windows()?;
            // The last window of a series may begin anywhere in the last rows.
            let n_done = self.next.min(self.end() - self.size) - self.first;
            self.release(n_done)?;
        }
        Ok(())
    }

    /// Ends the series, and returns its segments.
    pub fn finish(mut self) -> anyhow::Result<Vec<Segment>> {
        let n_rows = self.end();
        if n_rows == 0 {
            return Ok(Vec::new());
        }
        if n_rows < self.size {
            self.run_padded()?;
        } else {
            self.run_whole_windows()?;
            let last = n_rows - self.size;
            if self.next != last + step(self.size) {
                self.run(&[last])?;
            }
        }
        self.release(self.times.len())?;
        Ok(self.segments.finish())
    }

    fn n_classes(&self) -> usize {
        self.is_wanted.len()
    }

    fn n_channels(&self) -> usize {
        self.scaling.n_channels()
    }

    /// Returns the number of rows so far.
    fn end(&self) -> usize {
        self.first + self.times.len()
    }

    /// Runs all windows that are complete.
    fn run_whole_windows(&mut self) -> anyhow::Result<()> {
        let mut starts = Vec::new();
        while self.next + self.size <= self.end() {
            starts.push(self.next);
            self.next += step(self.size);
        }
        self.run(&starts)
    }

    /// Runs the windows that start at these rows.
    fn run(&mut self, starts: &[usize]) -> anyhow::Result<()> {
        let n_channels = self.n_channels();
        let window = |start: &usize| {
            let first = (start - self.first) * n_channels;
            &self.values[first..first + self.size * n_channels]
        };
        let windows: Vec<&[f32]> = starts.iter().map(window).collect();
        let probabilities = self.inference.probabilities(&windows)?;
        for (start, window) in starts.iter().zip(probabilities) {
            self.add(start - self.first, &window);
        }
        Ok(())
    }

    /// Runs the window of a series that is shorter than a window.
    fn run_padded(&mut self) -> anyhow::Result<()> {
        let padding = Padding::new(self.times.len(), self.size);
        let n_channels = self.n_channels();
        let row = |row: &usize| &self.values[row * n_channels..][..n_channels];
        let window: Vec<f32> = padding.rows.iter().flat_map(row).copied().collect();
        let probabilities = self.inference.probabilities(&[&window])?;
        let first = padding.offset * self.n_classes();
        let n_values = self.times.len() * self.n_classes();
        self.add(0, &probabilities[0][first..first + n_values]);
        Ok(())
    }

    /// Adds the probabilities of a window to the rows from `place` on.
    fn add(&mut self, place: usize, probabilities: &[f32]) {
        let n_classes = self.n_classes();
        let n_rows = probabilities.len() / n_classes;
        let sums = &mut self.sums[place * n_classes..][..probabilities.len()];
        for (sum, probability) in sums.iter_mut().zip(probabilities) {
            *sum += probability;
        }
        for n_windows in &mut self.n_windows[place..place + n_rows] {
            *n_windows += 1;
        }
    }

    /// Chooses the classes of the first rows, and forgets these.
    fn release(&mut self, n_rows: usize) -> anyhow::Result<()> {
        let n_classes = self.n_classes();
        let sums = self.sums.chunks_exact(n_classes).zip(&self.n_windows);
        for (time, (sums, n_windows)) in self.times.drain(..n_rows).zip(sums) {
            let (class, score) = choose(sums, self.is_wanted, f32::from(*n_windows));
            self.segments.push(time, class, score)?;
        }
        self.values.drain(..n_rows * self.scaling.n_channels());
        self.sums.drain(..n_rows * n_classes);
        self.n_windows.drain(..n_rows);
        self.first += n_rows;
        Ok(())
    }
}

/// Chooses the most probable of the classes that are wanted, the first of equal ones, and returns it
/// with its share of their probability.
fn choose(sums: &[f32], is_wanted: &[bool], n_windows: f32) -> (usize, f32) {
    let mut best = (0, 0.0);
    let mut total = 0.0;
    for (class, (sum, is_wanted)) in sums.iter().zip(is_wanted).enumerate() {
        if !is_wanted {
            continue;
        }
        let probability = sum / n_windows;
        total += probability;
        if class == 0 || probability > best.1 {
            best = (class, probability);
        }
    }
    let is_whole = is_wanted.iter().all(|is_wanted| *is_wanted);
    if is_whole || total <= 0.0 {
        return best;
    }
    (best.0, best.1 / total)
}
