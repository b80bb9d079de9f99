//! What a model's config says.

use label_studio_audio::{
    features::{FrontEndOptions, Normalise, WindowShape},
    transcript::Vocabulary,
};
use label_studio_ml::{
    Value,
    anyhow::{self, Context, anyhow, bail, ensure},
};

/// Most tokens at one frame where the config does not say.
const MAX_SYMBOLS: usize = 10;
/// Longest chain of names that stand for others.
const MAX_REFERENCES: usize = 8;
/// Where NeMo's configs have the tokens, which differs between kinds of models.
const VOCABULARIES: [&str; 4] = [
    "joint.vocabulary",
    "decoder.vocabulary",
    "labels",
    "aux_ctc.decoder.vocabulary",
];
const DURATIONS: [&str; 3] = [
    "model_defaults.tdt_durations",
    "decoding.durations",
    "loss.tdt_kwargs.durations",
];

/// What a model's config says.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// The numbers of the front end.
    pub front_end: FrontEndOptions,
    /// The tokens, if the config has them.
    pub vocabulary: Option<Vocabulary>,
    /// Columns of features for one output frame.
    pub stride: Option<usize>,
    /// Frames that a TDT model can jump.
    pub durations: Option<Vec<usize>>,
    /// Most tokens at one frame.
    pub max_symbols: usize,
    /// Whether the config is that of a CTC model; unknown where it does not say.
    pub is_ctc: Option<bool>,
}

impl ModelConfig {
    /// Reads NeMo's `model_config.yaml`.
    pub fn of_nemo(text: &str) -> anyhow::Result<Self> {
        let root = super::yaml::parse(text)?;
        let config = Config { root: &root };
        let target = config.text("target").unwrap_or_default();
        ensure!(
            !target.contains("MultiTask"),
            "its class {target} is a model with an attention decoder: CTC, RNNT and TDT models are read"
        );
        let list = |names: &[&str]| names.iter().find_map(|name| config.list(name));
        let vocabulary = match list(&VOCABULARIES) {
            Some(tokens) => Some(Vocabulary::new(tokens.iter().map(text_of))?),
            None => None,
        };
        let durations = list(&DURATIONS)
            .map(|durations| {
                let durations = durations
                    .iter()
                    .map(Value::as_u64)
                    .map(|duration| duration.and_then(|duration| usize::try_from(duration).ok()));
                let durations: Option<Vec<_>> = durations.collect();
                durations.context("its durations are no list of whole numbers")
            })
            .transpose()?;
        Ok(Self {
            front_end: front_end(&config)?,
            vocabulary,
            stride: stride(&config),
            durations,
            max_symbols: config
                .size("decoding.greedy.max_symbols")?
                .unwrap_or(MAX_SYMBOLS),
            is_ctc: None,
        })
    }

    /// Reads the `config.json` that onnx-asr has beside a model.
    pub fn of_onnx_asr(root: &Value) -> anyhow::Result<Self> {
        let config = Config { root };
        let kind = config.text("model_type").unwrap_or_default();
        let endings = ["-ctc", "-rnnt", "-tdt"];
        ensure!(
            kind.is_empty() || endings.iter().any(|ending| kind.ends_with(ending)),
            "its model_type is {kind}: CTC, RNNT and TDT models of NeMo are read"
        );
        ensure!(
            kind.is_empty() || kind.starts_with("nemo-"),
            "its model_type is {kind}: models of NeMo are read"
        );
        let default = FrontEndOptions::default();
        Ok(Self {
            front_end: FrontEndOptions {
                n_mels: config.size("features_size")?.unwrap_or(default.n_mels),
                ..default
            },
            vocabulary: None,
            stride: config.size("subsampling_factor")?,
            durations: None,
            max_symbols: config.size("max_tokens_per_step")?.unwrap_or(MAX_SYMBOLS),
            is_ctc: (!kind.is_empty()).then(|| kind.ends_with("-ctc")),
        })
    }
}

fn front_end(config: &Config<'_>) -> anyhow::Result<FrontEndOptions> {
    ensure!(
        config.get("preprocessor").is_some_and(Value::is_object),
        "it has no part `preprocessor`"
    );
    let default = FrontEndOptions::default();
    let rate = config.size("preprocessor.sample_rate")?.unwrap_or(16_000);
    let sample_rate = u32::try_from(rate).context("its sample_rate is too large")?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked by the front end"
    )]
    let samples = |name: &str, seconds: f64| -> anyhow::Result<usize> {
        let seconds = config.number(name)?.unwrap_or(seconds);
        Ok((seconds * f64::from(sample_rate) + 1e-6) as usize)
    };
    let window = samples("preprocessor.window_size", 0.02)?;
    for (name, supported) in [
        ("frame_splicing", "1"),
        ("exact_pad", "false"),
        ("log", "true"),
        ("mel_norm", "slaney"),
        ("log_zero_guard_type", "add"),
    ] {
        let value = config.get(&format!("preprocessor.{name}")).map(text_of);
        if let Some(value) = value.filter(|value| value != supported && value != "null") {
            bail!("its preprocessor has {name} = {value}; only {supported} is supported");
        }
    }
    let log_guard = match config.text("preprocessor.log_zero_guard_value") {
        Some("tiny") => f64::from(f32::MIN_POSITIVE),
        Some("eps") => f64::from(f32::EPSILON),
        _ => {
            let guard = config.number("preprocessor.log_zero_guard_value")?;
            guard.unwrap_or(default.log_guard)
        }
    };
    let pre_emphasis = match config.get("preprocessor.preemph") {
        Some(Value::Null) => None,
        _ => config
            .number("preprocessor.preemph")?
            .or(default.pre_emphasis),
    };
    Ok(FrontEndOptions {
        sample_rate,
        n_mels: config.size("preprocessor.features")?.unwrap_or(64),
        window,
        hop: samples("preprocessor.window_stride", 0.01)?,
        n_fft: config
            .size("preprocessor.n_fft")?
            .unwrap_or(window.next_power_of_two()),
        window_shape: match config.text("preprocessor.window").unwrap_or("hann") {
            "hann" => WindowShape::Hann,
            "hamming" => WindowShape::Hamming,
            "none" => WindowShape::Rectangular,
            other => bail!(
                "its preprocessor has the window {other}; hann, hamming and none are supported"
            ),
        },
        pre_emphasis,
        low_frequency: config.number("preprocessor.lowfreq")?.unwrap_or(0.0),
        high_frequency: config
            .number("preprocessor.highfreq")?
            .filter(|&hz| hz > 0.0),
        log_guard,
        power: config.number("preprocessor.mag_power")?.unwrap_or(2.0),
        normalise: match config.get("preprocessor.normalize").map(text_of).as_deref() {
            None | Some("per_feature") => Normalise::PerFeature,
            Some("all_features") => Normalise::AllFeatures,
            Some("NA" | "null" | "None" | "none" | "") => Normalise::Nothing,
            Some(other) => {
                bail!("its preprocessor has normalize = {other}, which is not supported")
            }
        },
        padding: default.padding,
    })
}

/// Returns the factor by which the encoder shortens its input.
fn stride(config: &Config<'_>) -> Option<usize> {
    if let Ok(Some(factor)) = config.size("encoder.subsampling_factor") {
        return Some(factor);
    }
    let blocks = config.list("encoder.jasper")?;
    let mut product = 1_usize;
    for block in blocks {
        let number = |name: &str| {
            let value = &block[name];
            let value = value.get(0).unwrap_or(value);
            value.as_u64().and_then(|value| usize::try_from(value).ok())
        };
        let is_once = block["stride_last"].as_bool() == Some(true);
        let repeat = if is_once {
            1
        } else {
            number("repeat").unwrap_or(1)
        };
        let factor = number("stride")?.checked_pow(u32::try_from(repeat).ok()?)?;
        product = product.checked_mul(factor)?;
    }
    Some(product)
}

/// A config whose values may name others, as in `${preprocessor.features}`.
struct Config<'a> {
    root: &'a Value,
}

impl<'a> Config<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        let mut value = self.path(name)?;
        for _ in 0..MAX_REFERENCES {
            let reference = value.as_str().and_then(|text| text.strip_prefix("${"));
            let Some(reference) = reference.and_then(|text| text.strip_suffix('}')) else {
                return Some(value);
            };
            // In training configs the model is a part.
            let reference = reference.strip_prefix("model.").unwrap_or(reference);
            value = self.path(reference)?;
        }
        None
    }

    fn path(&self, name: &str) -> Option<&'a Value> {
        name.split('.')
            .try_fold(self.root, |value, key| value.get(key))
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    fn list(&self, name: &str) -> Option<&'a Vec<Value>> {
        let list = self.get(name)?.as_array();
        list.filter(|list| !list.is_empty())
    }

    fn number(&self, name: &str) -> anyhow::Result<Option<f64>> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) => Ok(Some(number)),
                None => Err(anyhow!("its {name} is {value}, not a number")),
            },
        }
    }

    fn size(&self, name: &str) -> anyhow::Result<Option<usize>> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
                let size = size.filter(|&size| size > 0);
                Ok(Some(size.with_context(|| {
                    format!("its {name} is {value}, not a whole number above 0")
                })?))
            }
        }
    }
}

/// Returns a scalar as its text.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
