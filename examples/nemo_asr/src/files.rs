//! The files of a model.

use std::{
    fs,
    path::{Path, PathBuf},
};

use label_studio_audio::transcript::Vocabulary;
use label_studio_inference::hub::{Hub, HubError, Weights};
use label_studio_ml::{
    anyhow::{self, Context, bail, ensure},
    serde_json,
};

use crate::ModelConfig;

const NEMO_CONFIG: &str = "model_config.yaml";
const ONNX_ASR_CONFIG: &str = "config.json";
const VOCABULARY: &str = "vocab.txt";
const ENCODER: &str = "encoder-";
const DECODER: &str = "decoder_joint-";
const ONNX: &str = ".onnx";
/// Names of a hub.
const HUB: &str = "hf://";
/// Largest config or list of tokens.
const MAX_BYTES: u64 = 32 << 20;
const CONVERT: &str = "export it once with examples/nemo_asr/convert.py";

/// The files of a model, and what its config says.
#[derive(Debug, Clone)]
pub struct SpeechModel {
    /// The networks.
    pub networks: Networks,
    /// What the config says, with a vocabulary.
    pub config: ModelConfig,
    /// The tokens.
    pub vocabulary: Vocabulary,
}

/// The networks of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Networks {
    /// One, with the scores of all frames.
    Ctc(PathBuf),
    /// An encoder, and a prediction network with its joint network.
    Transducer {
        /// The encoder.
        encoder: PathBuf,
        /// Both others.
        decoder: PathBuf,
    },
}

/// Which model is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// A folder or a file, a name on a hub, or the name of a folder in `root`.
    pub(crate) name: &'a str,
    /// Where models are looked for.
    pub(crate) root: &'a Path,
    /// Kind of the weights, such as `int8`; empty for the plain ones.
    pub(crate) quantization: &'a str,
}

impl SpeechModel {
    /// Finds the files of a model, and fetches those of a hub.
    pub(crate) fn find(wanted: Wanted<'_>, hub: &Hub) -> anyhow::Result<Self> {
        if let Some(name) = wanted.name.strip_prefix(HUB) {
            let folder = fetch(hub, name, wanted.quantization)?;
            return Self::read(&folder, wanted.quantization);
        }
        let given = Path::new(wanted.name);
        let named = wanted.root.join(wanted.name);
        let path = if given.exists() { given } else { &named };
        ensure!(
            path.exists(),
            "there is no model {} and no folder {}: {CONVERT}, set MODEL_NAME to a folder with an export, or to one on a \
             hub such as hf://istupakov/parakeet-tdt-0.6b-v2-onnx",
            given.display(),
            named.display()
        );
        if path.is_dir() {
            return Self::read(path, wanted.quantization);
        }
        let name = file_name(path);
        let kind = path.extension().unwrap_or_default();
        ensure!(
            kind != "nemo",
            "{} is NeMo's own kind of file: {CONVERT}",
            path.display()
        );
        ensure!(
            kind == "onnx",
            "MODEL_NAME={} is neither a folder nor an ONNX file",
            path.display()
        );
        let folder = path.parent().unwrap_or(Path::new(""));
        let networks = match name.strip_prefix(ENCODER).or(name.strip_prefix(DECODER)) {
            Some(rest) => transducer(folder, rest),
            None => Networks::Ctc(path.to_owned()),
        };
        Self::with_networks(networks, folder)
    }

    /// Reads the model in a folder: an export of NeMo with the `model_config.yaml` of its `.nemo`
    /// file, or onnx-asr's files.
    pub fn read(folder: &Path, quantization: &str) -> anyhow::Result<Self> {
        let networks = networks(folder, quantization)?;
        Self::with_networks(networks, folder)
    }

    fn with_networks(networks: Networks, folder: &Path) -> anyhow::Result<Self> {
        let config = config(folder)?;
        let listed = folder.join(VOCABULARY);
        let vocabulary = match &config.vocabulary {
            Some(vocabulary) => vocabulary.clone(),
            None if listed.exists() => Vocabulary::of_lines(&text(&listed)?)
                .with_context(|| format!("cannot use {}", listed.display()))?,
            None => bail!(
                "{} has no tokens: {VOCABULARY} is missing, and so is a vocabulary in {NEMO_CONFIG}",
                folder.display()
            ),
        };
        Ok(Self {
            networks,
            config,
            vocabulary,
        })
    }
}

fn config(folder: &Path) -> anyhow::Result<ModelConfig> {
    let unusable = |path: &Path| format!("cannot use {}", path.display());
    // Unpacked `.nemo` files have a hash before the name.
    let nemo = entries(folder)?.into_iter().find(|name| {
        let start = name.strip_suffix(NEMO_CONFIG);
        start.is_some_and(|start| start.is_empty() || start.ends_with('_'))
    });
    if let Some(name) = nemo {
        let path = folder.join(name);
        return ModelConfig::of_nemo(&text(&path)?).with_context(|| unusable(&path));
    }
    let path = folder.join(ONNX_ASR_CONFIG);
    ensure!(
        path.exists(),
        "{} has no {NEMO_CONFIG} and no {ONNX_ASR_CONFIG}: copy the first out of the model's .nemo file with tar, or {CONVERT}",
        folder.display()
    );
    let value = serde_json::from_str(&text(&path)?).with_context(|| unusable(&path))?;
    ModelConfig::of_onnx_asr(&value).with_context(|| unusable(&path))
}

/// Finds the networks of a folder by their names.
fn networks(folder: &Path, quantization: &str) -> anyhow::Result<Networks> {
    let ending = ending(quantization);
    let names = entries(folder)?;
    let stem = |name: &str| {
        let stem = name.strip_suffix(&ending)?.to_owned();
        // A dot more is another kind of weights.
        (!quantization.is_empty() || !is_quantized(&stem)).then_some(stem)
    };
    let mut encoders = Vec::new();
    let mut others = Vec::new();
    for name in &names {
        let Some(stem) = stem(name) else { continue };
        if let Some(rest) = stem.strip_prefix(ENCODER) {
            let decoder = format!("{DECODER}{rest}{ending}");
            ensure!(
                names.contains(&decoder),
                "{} has {name}, but no {decoder}",
                folder.display()
            );
            encoders.push(format!("{rest}{ending}"));
        } else if !stem.starts_with(DECODER) {
            others.push(name.clone());
        }
    }
    let is_ctc = if encoders.is_empty() || others.is_empty() {
        encoders.is_empty()
    } else {
        config(folder)?.is_ctc.unwrap_or(false)
    };
    let found = if is_ctc { others } else { encoders };
    match found.as_slice() {
        [one] if is_ctc => Ok(Networks::Ctc(folder.join(one))),
        [one] => Ok(transducer(folder, one)),
        [] => bail!(
            "{} has no model: model{ending}, or encoder-NAME{ending} and decoder_joint-NAME{ending}, is expected",
            folder.display()
        ),
        several => bail!(
            "{} has several models ({}): set MODEL_NAME to the file of one",
            folder.display(),
            several.join(", ")
        ),
    }
}

fn transducer(folder: &Path, rest: &str) -> Networks {
    Networks::Transducer {
        encoder: folder.join(format!("{ENCODER}{rest}")),
        decoder: folder.join(format!("{DECODER}{rest}")),
    }
}

/// Returns whether a name ends in a kind of weights, as in `model.int8`.
fn is_quantized(stem: &str) -> bool {
    stem.rsplit_once('.')
        .is_some_and(|(_, kind)| ["fp16", "int8", "uint8", "int4", "q4", "quant"].contains(&kind))
}

fn ending(quantization: &str) -> String {
    match quantization {
        "" => ONNX.to_owned(),
        kind => format!(".{kind}{ONNX}"),
    }
}

/// Fetches onnx-asr's files from a repository, and returns their folder.
fn fetch(hub: &Hub, name: &str, quantization: &str) -> anyhow::Result<PathBuf> {
    let name = name.trim_end_matches('/');
    let get = |file: &str| {
        let weights: Weights = format!("{HUB}{name}/{file}").parse()?;
        hub.path(&weights)
    };
    let optional = |file: &str| match get(file) {
        Ok(path) => Ok(Some(path)),
        Err(HubError::NotFound { .. } | HubError::Offline { .. }) => Ok(None),
        Err(error) => Err(error),
    };
    let config = get(ONNX_ASR_CONFIG)?;
    get(VOCABULARY)?;
    let value = serde_json::from_str(&text(&config)?)
        .with_context(|| format!("cannot use {}", config.display()))?;
    let is_ctc = ModelConfig::of_onnx_asr(&value)?.is_ctc;
    let ending = ending(quantization);
    let files = match is_ctc {
        Some(true) => vec![format!("model{ending}")],
        _ => ["encoder", "decoder_joint"]
            .map(|part| format!("{part}-model{ending}"))
            .to_vec(),
    };
    for file in files {
        get(&file)?;
        // Weights of more than 2 GB lie beside the network.
        optional(&format!("{file}.data"))?;
    }
    let folder = config.parent().context("a fetched file is in a folder")?;
    Ok(folder.to_owned())
}

fn entries(folder: &Path) -> anyhow::Result<Vec<String>> {
    let unreadable = || format!("cannot read the folder {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        names.push(
            entry
                .with_context(unreadable)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    Ok(names)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn text(path: &Path) -> anyhow::Result<String> {
    let unreadable = || format!("cannot read {}", path.display());
    let size = fs::metadata(path).with_context(unreadable)?.len();
    ensure!(
        size <= MAX_BYTES,
        "{} has more than {MAX_BYTES} bytes",
        path.display()
    );
    fs::read_to_string(path).with_context(unreadable)
}
