//! Mel filters, as `librosa.filters.mel` makes them with Slaney's scale and norm.

/// Hz per mel below the break.
const LINEAR: f64 = 200.0 / 3.0;
/// Frequency of the break, from which the scale is logarithmic.
const BREAK_HZ: f64 = 1000.0;
const BREAK_MEL: f64 = BREAK_HZ / LINEAR;
/// The scale has 27 mels from the break to 6.4 times its frequency.
const STEP_RATIO: f64 = 6.4;
const N_STEPS: f64 = 27.0;

/// The filters of all rows, without their zeros.
#[derive(Debug, Clone)]
pub(super) struct MelFilters {
    rows: Vec<Filter>,
}

/// Weights of the frequencies from `first` on.
#[derive(Debug, Clone)]
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

impl MelFilters {
    /// Creates the filters for `n_bins` frequencies of `bin_hz` each.
    pub(super) fn new(n_mels: usize, n_bins: usize, bin_hz: f64, range: (f64, f64)) -> Self {
        let (low, high) = (to_mel(range.0), to_mel(range.1));
        let step = (high - low) / (n_mels + 1) as f64;
        let edges: Vec<f64> = (0..n_mels + 2)
            .map(|idx| to_hz(low + step * idx as f64))
            .collect();
        let filter = |edges: &[f64]| {
            let (left, middle, right) = (edges[0], edges[1], edges[2]);
            let norm = 2.0 / (right - left);
            let weight = |bin: usize| {
                let hz = bin as f64 * bin_hz;
                let rising = (hz - left) / (middle - left);
                let falling = (right - hz) / (right - middle);
                // The original keeps them in 32 bits.
                f64::from((rising.min(falling).max(0.0) as f32) * (norm as f32))
            };
            let first = (0..n_bins).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
            let weights = (first..n_bins)
                .map(weight)
                .take_while(|&weight| weight > 0.0);
            Filter {
                first,
                weights: weights.collect(),
            }
        };
        Self {
            rows: edges.windows(3).map(filter).collect(),
        }
    }

    /// Returns the energy of each row.
    pub(super) fn apply<'a>(&'a self, spectrum: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        self.rows.iter().map(|filter| {
            let values = &spectrum[filter.first..];
            let products = filter.weights.iter().zip(values).map(|(a, b)| a * b);
            products.sum()
        })
    }
}

fn to_mel(hz: f64) -> f64 {
    if hz < BREAK_HZ {
        hz / LINEAR
    } else {
        BREAK_MEL + (hz / BREAK_HZ).ln() * N_STEPS / STEP_RATIO.ln()
    }
}

fn to_hz(mel: f64) -> f64 {
    if mel < BREAK_MEL {
        mel * LINEAR
    } else {
        BREAK_HZ * ((mel - BREAK_MEL) * STEP_RATIO.ln() / N_STEPS).exp()
    }
}
