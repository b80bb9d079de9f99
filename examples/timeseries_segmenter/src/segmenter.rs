//! A trained network with all that its use needs.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use label_studio_ml::{
    anyhow::{self, Context, ensure},
    serde_json,
};
use label_studio_training::series::{SeriesDropouts, SeriesInference, SeriesNetwork, SeriesSizes};
use serde::{Deserialize, Serialize};

use crate::scaling::Scaling;

const MODEL_CLASS: &str = "TimeSeriesLSTM";
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
/// Longest window in a file: one with more is damaged.
const MAX_WINDOW: usize = 1 << 20;

/// A network that was trained for a project.
#[derive(Debug)]
pub struct Segmenter {
    /// The network.
    pub inference: SeriesInference,
    /// Names of its classes, the background first.
    pub labels: Vec<String>,
    /// Columns that it was trained on, in the order of its inputs.
    pub channels: Vec<String>,
    /// How values are scaled.
    pub scaling: Scaling,
    /// Rows of a window.
    pub window: usize,
}

/// What the file beside the weights says: what the original keeps in its checkpoint, and how values
/// are scaled.
#[derive(Debug, Serialize, Deserialize)]
struct Config {
    model_class: String,
    model_params: ModelParams,
    label_map: BTreeMap<String, usize>,
    channels: Vec<String>,
    scaling: Scaling,
}

#[derive(Debug, Serialize, Deserialize)]
struct ModelParams {
    input_size: usize,
    output_size: usize,
    fc_size: usize,
    hidden_size: usize,
    num_layers: usize,
    sequence_size: usize,
    dropout_rate: f32,
}

impl Segmenter {
    /// Reads what [`Segmenter::save`] wrote.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(CONFIG);
        let read = || -> anyhow::Result<Config> {
            let json = fs::read(&path)?;
            Ok(serde_json::from_slice(&json)?)
        };
        let config = read().with_context(|| format!("cannot read {}", path.display()))?;
        let labels = config
            .labels()
            .with_context(|| format!("{} is damaged", path.display()))?;
        let params = config.model_params;
        let sizes = SeriesSizes {
            n_channels: params.input_size,
            n_classes: params.output_size,
            width: params.fc_size,
            n_hidden: params.hidden_size,
            n_layers: params.num_layers,
            dropouts: SeriesDropouts {
                input: params.dropout_rate,
                recurrent: params.dropout_rate,
                output: params.dropout_rate,
            },
        };
        let network = SeriesNetwork::load(&folder.join(WEIGHTS), sizes)?;
        Ok(Self {
            inference: SeriesInference::new(network),
            labels,
            channels: config.channels,
            scaling: config.scaling,
            window: params.sequence_size,
        })
    }

    /// Writes the network and its config into a folder, and returns their paths.
    pub fn save(&self, folder: &Path) -> anyhow::Result<[PathBuf; 2]> {
        let network = self.inference.network();
        let sizes = network.sizes();
        let config = Config {
            model_class: MODEL_CLASS.to_owned(),
            model_params: ModelParams {
                input_size: sizes.n_channels,
                output_size: sizes.n_classes,
                fc_size: sizes.width,
                hidden_size: sizes.n_hidden,
                num_layers: sizes.n_layers,
                sequence_size: self.window,
                dropout_rate: sizes.dropouts.input,
            },
            label_map: self.labels.iter().cloned().zip(0..).collect(),
            channels: self.channels.clone(),
            scaling: self.scaling.clone(),
        };
        let paths = [CONFIG, WEIGHTS].map(|name| folder.join(name));
        fs::write(&paths[0], serde_json::to_vec_pretty(&config)?)
            .with_context(|| format!("cannot write {}", paths[0].display()))?;
        network.save(&paths[1])?;
        Ok(paths)
    }

    /// Returns which classes a label config with these labels still has; `None` when it has none of
    /// them.
    pub fn wanted(&self, labels: &[String]) -> Option<Vec<bool>> {
        let is_wanted = |(class, label): (usize, &String)| class == 0 || labels.contains(label);
        let wanted: Vec<bool> = self.labels.iter().enumerate().map(is_wanted).collect();
        wanted[1..].contains(&true).then_some(wanted)
    }
}

impl Config {
    /// Returns the names of the classes, after a look at all sizes.
    fn labels(&self) -> anyhow::Result<Vec<String>> {
        let params = &self.model_params;
        let mut labels: Vec<(usize, String)> = self
            .label_map
            .iter()
            .map(|(label, class)| (*class, label.clone()))
            .collect();
        labels.sort_unstable();
        let is_complete = labels
            .iter()
            .map(|(class, _)| *class)
            .eq(0..params.output_size);
        ensure!(
            is_complete && params.output_size > 1,
            "its label_map does not name its {} classes",
            params.output_size
        );
        ensure!(
            self.channels.len() == params.input_size
                && self.scaling.n_channels() == params.input_size,
            "it does not name its {} channels",
            params.input_size
        );
        ensure!(
            (1..=MAX_WINDOW).contains(&params.sequence_size),
            "its windows have {} rows",
            params.sequence_size
        );
        Ok(labels.into_iter().map(|(_, label)| label).collect())
    }
}
