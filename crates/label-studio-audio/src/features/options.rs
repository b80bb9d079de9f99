//! The numbers of a front end.

/// The numbers of a front end; the default is that of Conformer and FastConformer models.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontEndOptions {
    /// Samples per second.
    pub sample_rate: u32,
    /// Rows of mel energies.
    pub n_mels: usize,
    /// Samples of a window.
    pub window: usize,
    /// Samples from one window to the next.
    pub hop: usize,
    /// Size of the Fourier transform, at least that of a window.
    pub n_fft: usize,
    /// Shape of a window.
    pub window_shape: WindowShape,
    /// Factor of the previous sample, which is subtracted from each.
    pub pre_emphasis: Option<f64>,
    /// Lowest frequency of the mel filters in Hz.
    pub low_frequency: f64,
    /// Highest frequency of the mel filters in Hz; half the sample rate if not given.
    pub high_frequency: Option<f64>,
    /// Number that is added to energies before the logarithm.
    pub log_guard: f64,
    /// Power of the magnitudes.
    pub power: f64,
    /// How features are scaled.
    pub normalise: Normalise,
    /// What lies before and behind the samples.
    pub padding: Padding,
}

/// Shape of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WindowShape {
    /// Hann, which begins and ends with 0.
    #[default]
    Hann,
    /// Hamming.
    Hamming,
    /// All ones.
    Rectangular,
}

/// How features are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Normalise {
    /// Each row gets mean 0 and deviation 1.
    #[default]
    PerFeature,
    /// All rows together do.
    AllFeatures,
    /// Not at all.
    Nothing,
}

/// What lies before and behind the samples, which differs between versions of NeMo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Padding {
    /// Zeros, and one column for each whole hop: NeMo since 2.6.
    #[default]
    Zeros,
    /// The samples mirrored, and one column more: NeMo up to 2.4.
    Mirrored,
}

impl Default for FrontEndOptions {
    fn default() -> Self {
        Self {
            sample_rate: 16_000,
            n_mels: 80,
            window: 400,
            hop: 160,
            n_fft: 512,
            window_shape: WindowShape::Hann,
            pre_emphasis: Some(0.97),
            low_frequency: 0.0,
            high_frequency: None,
            log_guard: 1.0 / f64::from(1 << 24),
            power: 2.0,
            normalise: Normalise::PerFeature,
            padding: Padding::Zeros,
        }
    }
}
