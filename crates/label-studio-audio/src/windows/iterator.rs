//! Windows of a source of samples.

use std::ops::Range;

use super::{Samples, cut::quietest};

/// How audio is cut into windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WindowOptions {
    /// Samples per second.
    pub rate: u32,
    /// Longest window in seconds; audio that is no longer is one window.
    pub seconds: f64,
    /// Seconds that a window has in common with the next one on each side of their cut, where no
    /// silence was found for it.
    pub overlap: f64,
}

/// A part of audio.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Number of its first sample in the audio.
    pub start: u64,
    /// Its samples.
    pub samples: Vec<f32>,
    /// The samples of the audio that it stands for: those outside belong to its neighbours.
    pub own: Range<u64>,
    /// Whether it begins in silence, so that a word begins with it.
    pub begins_in_silence: bool,
}

/// Windows of a source of samples, one after the other. After an error there are no more.
#[derive(Debug)]
pub struct Windows<S> {
    source: S,
    options: WindowOptions,
    /// Samples from `start` on.
    samples: Vec<f32>,
    start: u64,
    /// Where the next window's own samples begin.
    own_start: u64,
    begins_in_silence: bool,
    /// Whether the source has no more samples.
    is_read: bool,
    has_ended: bool,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self {
            rate: 16_000,
            seconds: 60.0,
            overlap: 1.0,
        }
    }
}

impl WindowOptions {
    fn n_samples(&self, seconds: f64) -> usize {
        (seconds * f64::from(self.rate)) as usize
    }
}

impl<S: Samples> Windows<S> {
    /// Creates the windows of a source; nothing is read yet.
    pub fn new(source: S, options: WindowOptions) -> Self {
        Self {
            source,
            options,
            samples: Vec::new(),
            start: 0,
            own_start: 0,
            begins_in_silence: true,
            is_read: false,
            has_ended: false,
        }
    }

    fn read(&mut self, max_samples: usize) -> Result<(), S::Error> {
        // One more says whether this is the end.
        let n_missing = (max_samples + 1).saturating_sub(self.samples.len());
        if !self.is_read {
            let read = self.source.read(n_missing)?;
            self.is_read = read.len() < n_missing;
            self.samples.extend(read);
        }
        Ok(())
    }

    fn cut(&mut self) -> Option<Result<Window, S::Error>> {
        let max_samples = self.options.n_samples(self.options.seconds).max(2);
        if let Err(error) = self.read(max_samples) {
            self.has_ended = true;
            return Some(Err(error));
        }
        if self.samples.len() <= max_samples {
            self.has_ended = true;
            let samples = std::mem::take(&mut self.samples);
            return (!samples.is_empty()).then(|| {
                Ok(Window {
                    start: self.start,
                    own: self.own_start..self.start + samples.len() as u64,
                    samples,
                    begins_in_silence: self.begins_in_silence,
                })
            });
        }
        let overlap = self
            .options
            .n_samples(self.options.overlap)
            .min(max_samples / 8);
        let within = max_samples / 2..max_samples - overlap;
        let cut = quietest(&self.samples[..max_samples], within, self.options.rate);
        let overlap = if cut.is_silent { 0 } else { overlap };
        let own_end = self.start + cut.at as u64;
        let window = Window {
            start: self.start,
            samples: self.samples[..cut.at + overlap].to_vec(),
            own: self.own_start..own_end,
            begins_in_silence: self.begins_in_silence,
        };
        let next = cut.at - overlap;
        self.samples.drain(..next);
        self.start += next as u64;
        self.own_start = own_end;
        self.begins_in_silence = cut.is_silent;
        Some(Ok(window))
    }
}

impl<S: Samples> Iterator for Windows<S> {
    type Item = Result<Window, S::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        self.cut()
    }
}
