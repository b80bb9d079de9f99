//! The files of the models.

use std::path::{Path, PathBuf};

use clap::Args;
use label_studio_inference::hub::{Hub, Weights};
use label_studio_ml::anyhow::{self, Context};

const HUB: &str = "hf://runemic-ai/easyocr-onnx";
const DETECTOR: &str = "craft.onnx";
/// Recognisers and their files on the hub.
const RECOGNISERS: [(&str, &str); 8] = [
    ("english_g2", "rec_english.onnx"),
    ("latin_g2", "rec_latin.onnx"),
    ("cyrillic_g2", "rec_cyrillic.onnx"),
    ("arabic_g1", "rec_arabic.onnx"),
    ("devanagari_g1", "rec_devanagari.onnx"),
    ("zh_sim_g2", "rec_zh_sim.onnx"),
    ("japanese_g2", "rec_japanese.onnx"),
    ("korean_g2", "rec_korean.onnx"),
];

/// Files of the models
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Models")]
pub struct WeightArgs {
    /// Detector: a path, or `hf://owner/name/file` [default: the one in the folder, else a public one]
    #[arg(long, env = "EASYOCR_DETECTOR", value_name = "FILE")]
    pub easyocr_detector: Option<String>,

    /// Recogniser of the languages: a path, or `hf://owner/name/file` [default: as for the detector]
    #[arg(long, env = "EASYOCR_RECOGNISER", value_name = "FILE")]
    pub easyocr_recogniser: Option<String>,

    /// Folder in which export.py put craft.onnx and the recognisers
    #[arg(
        long,
        env = "EASYOCR_MODELS",
        default_value = "models",
        value_name = "DIR"
    )]
    pub easyocr_models: PathBuf,
}

impl WeightArgs {
    /// Returns the path of the detector, and fetches it if need be.
    pub fn detector(&self, hub: &Hub) -> anyhow::Result<PathBuf> {
        path(
            hub,
            self.easyocr_detector.as_deref(),
            &self.easyocr_models.join(DETECTOR),
            Some(DETECTOR),
        )
    }

    /// Returns the path of a recogniser, and fetches it if need be.
    pub fn recogniser(&self, hub: &Hub, name: &str) -> anyhow::Result<PathBuf> {
        let mut public = RECOGNISERS.iter();
        let public = public.find(|(recogniser, _)| *recogniser == name);
        let exported = self.easyocr_models.join(format!("{name}.onnx"));
        let named = self.easyocr_recogniser.as_deref();
        path(hub, named, &exported, public.map(|(_, file)| *file)).with_context(|| {
            format!(
                "the recogniser {name} of LANG_LIST: `python export.py` makes it (see the README)"
            )
        })
    }
}

fn path(
    hub: &Hub,
    named: Option<&str>,
    exported: &Path,
    public: Option<&str>,
) -> anyhow::Result<PathBuf> {
    if let Some(named) = named.map(str::trim).filter(|named| !named.is_empty()) {
        let weights: Weights = named.parse()?;
        return Ok(hub.path(&weights)?);
    }
    if exported.is_file() {
        return Ok(exported.to_owned());
    }
    let public = public.with_context(|| {
        format!(
            "there is no {}, and no public file for it",
            exported.display()
        )
    })?;
    let weights: Weights = format!("{HUB}/{public}").parse()?;
    Ok(hub.path(&weights)?)
}
