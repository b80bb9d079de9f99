//! From samples to features.

use std::{f64::consts::TAU, fmt, sync::Arc};

use ndarray::{Array2, ArrayViewMut1, Axis};
use realfft::{RealFftPlanner, RealToComplex};

use super::{FeatureError, FrontEndOptions, Normalise, Padding, WindowShape, mel::MelFilters};

/// Number that is added to deviations before something is divided by them.
const DEVIATION_GUARD: f64 = 1e-5;
/// Largest number of a front end, which keeps a config from asking for all memory.
const MAX_SIZE: usize = 1 << 16;

/// Turns samples into features.
#[derive(Clone)]
pub struct FrontEnd {
    options: FrontEndOptions,
    /// As wide as the Fourier transform.
    window: Vec<f64>,
    filters: MelFilters,
    fft: Arc<dyn RealToComplex<f64>>,
}

impl FrontEnd {
    /// Creates a front end. Fails when its numbers do not fit each other.
    pub fn new(options: FrontEndOptions) -> Result<Self, FeatureError> {
        check(&options)?;
        let FrontEndOptions { n_fft, window, .. } = options;
        let mut whole = vec![0.0; n_fft];
        let first = (n_fft - window) / 2;
        for (idx, value) in whole[first..first + window].iter_mut().enumerate() {
            *value = weight(options.window_shape, idx, window);
        }
        let rate = f64::from(options.sample_rate);
        let range = (
            options.low_frequency,
            options.high_frequency.unwrap_or(rate / 2.0),
        );
        let filters = MelFilters::new(options.n_mels, n_fft / 2 + 1, rate / n_fft as f64, range);
        Ok(Self {
            window: whole,
            filters,
            fft: RealFftPlanner::new().plan_fft_forward(n_fft),
            options,
        })
    }

    /// Returns the numbers of the front end.
    pub fn options(&self) -> &FrontEndOptions {
        &self.options
    }

    /// Returns how many columns a number of samples has.
    pub fn n_columns(&self, n_samples: usize) -> usize {
        let n_whole = n_samples / self.options.hop;
        match self.options.padding {
            Padding::Zeros => n_whole,
            // What is mirrored has to be there.
            Padding::Mirrored if n_samples > self.options.n_fft / 2 => n_whole + 1,
            Padding::Mirrored => 0,
        }
    }

    /// Returns the features of samples of one channel, from -1 to 1: a row per mel filter, a column
    /// per hop.
    pub fn features(&self, samples: &[f32]) -> Array2<f32> {
        let mut features = self.log_energies(samples);
        match self.options.normalise {
            Normalise::Nothing => {}
            Normalise::AllFeatures => {
                let n_values = features.len();
                if let Ok(all) = features.view_mut().into_shape_with_order(n_values) {
                    normalise(all);
                }
            }
            Normalise::PerFeature => features.axis_iter_mut(Axis(0)).for_each(normalise),
        }
        features.mapv(|value| value as f32)
    }

    fn log_energies(&self, samples: &[f32]) -> Array2<f64> {
        let FrontEndOptions {
            n_fft,
            hop,
            n_mels,
            power,
            ..
        } = self.options;
        let n_columns = self.n_columns(samples.len());
        let is_squared = (power - 2.0).abs() < f64::EPSILON;
        let signal = self.padded(samples);
        let mut energies = Array2::zeros((n_mels, n_columns));
        let mut frame = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let mut powers = vec![0.0; spectrum.len()];
        for (idx, mut column) in energies.axis_iter_mut(Axis(1)).enumerate() {
            let part = &signal[idx * hop..idx * hop + n_fft];
            for ((value, sample), weight) in frame.iter_mut().zip(part).zip(&self.window) {
                *value = sample * weight;
            }
            self.fft
                .process_with_scratch(&mut frame, &mut spectrum, &mut scratch)
                .expect("the buffers are the plan's own");
            for (value, bin) in powers.iter_mut().zip(&spectrum) {
                let squared = bin.norm_sqr();
                *value = if is_squared {
                    squared
                } else {
                    squared.powf(power / 2.0)
                };
            }
            for (value, energy) in column.iter_mut().zip(self.filters.apply(&powers)) {
                *value = (energy + self.options.log_guard).ln();
            }
        }
        energies
    }

    /// Returns the samples with what lies before and behind them, after the pre-emphasis.
    fn padded(&self, samples: &[f32]) -> Vec<f64> {
        let margin = self.options.n_fft / 2;
        let mut signal = Vec::with_capacity(samples.len() + 2 * margin);
        signal.resize(margin, 0.0);
        let mut previous = 0.0;
        for &sample in samples {
            let sample = f64::from(sample);
            signal.push(sample - self.options.pre_emphasis.unwrap_or(0.0) * previous);
            previous = sample;
        }
        signal.resize(samples.len() + 2 * margin, 0.0);
        if self.options.padding == Padding::Mirrored && samples.len() > margin {
            let last = margin + samples.len() - 1;
            for idx in 1..=margin {
                signal[margin - idx] = signal[margin + idx];
                signal[last + idx] = signal[last - idx];
            }
        }
        signal
    }
}

impl fmt::Debug for FrontEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("FrontEnd");
        debug
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Gives values mean 0 and deviation 1; one alone becomes 0.
fn normalise(mut values: ArrayViewMut1<'_, f64>) {
    let n_values = values.len() as f64;
    let mean = values.sum() / n_values;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / (n_values - 1.0).max(1.0)).sqrt() + DEVIATION_GUARD;
    values.mapv_inplace(|value| (value - mean) / deviation);
}

fn weight(shape: WindowShape, idx: usize, n_samples: usize) -> f64 {
    let (constant, cosine) = match shape {
        WindowShape::Hann => (0.5, 0.5),
        WindowShape::Hamming => (0.54, 0.46),
        WindowShape::Rectangular => (1.0, 0.0),
    };
    let angle = TAU * idx as f64 / (n_samples.max(2) - 1) as f64;
    // The original keeps it in 32 bits.
    f64::from((constant - cosine * angle.cos()) as f32)
}

fn check(options: &FrontEndOptions) -> Result<(), FeatureError> {
    let wrong = |name, value: String, reason| {
        Err(FeatureError::Number {
            name,
            value,
            reason,
        })
    };
    let sizes = [
        ("features", options.n_mels),
        ("window_size", options.window),
        ("window_stride", options.hop),
        ("n_fft", options.n_fft),
        ("sample_rate", options.sample_rate as usize),
    ];
    for (name, size) in sizes {
        let max_size = if name == "sample_rate" {
            1 << 20
        } else {
            MAX_SIZE
        };
        if !(1..=max_size).contains(&size) {
            return wrong(name, size.to_string(), "it is 0 or too large");
        }
    }
    if options.window > options.n_fft {
        let reason = "it is less than the window has samples";
        return wrong("n_fft", options.n_fft.to_string(), reason);
    }
    let half = f64::from(options.sample_rate) / 2.0;
    let (low, high) = (
        options.low_frequency,
        options.high_frequency.unwrap_or(half),
    );
    if !(low >= 0.0 && low < high && high <= half) {
        let range = format!("{low} Hz to {high} Hz");
        return wrong(
            "lowfreq to highfreq",
            range,
            "it is no range up to half the sample rate",
        );
    }
    let is_positive = |value: f64| value.is_finite() && value > 0.0;
    if !(is_positive(options.log_guard) && is_positive(options.power)) {
        let values = format!("{} and {}", options.log_guard, options.power);
        return wrong(
            "log_zero_guard_value and mag_power",
            values,
            "both must be above 0",
        );
    }
    Ok(())
}
