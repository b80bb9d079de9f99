//! The model: marks entities with a tagger.

use std::path::Path;

use label_studio_inference::hub::Hub;
use label_studio_ml::{
    Model, PredictRequest, Prediction, Predictions, Project, TaskPrediction,
    anyhow::{self, Context, ensure},
};
use label_studio_text::regions::{Entity, TextLabels, UnknownLabels};

use crate::{Options, Tagger};

/// Version that the original gives its predictions.
const VERSION: &str = "Flair-v0.0.1";
/// What a tagger has to label.
const LABEL_TYPE: &str = "ner";
/// Score of a prediction without entities, which is as sure as can be.
const NOTHING_FOUND: f64 = 1.0;

/// Marks entities with a sequence tagger of Flair.
#[derive(Debug)]
pub struct Flair {
    tagger: Tagger,
    labels: Vec<String>,
    unknown: UnknownLabels,
}

impl Flair {
    /// Finds a converted tagger: a folder, also one in `model_dir`, or a name on the hub.
    pub fn load(options: &Options, model_dir: &Path, hub: &Hub) -> anyhow::Result<Self> {
        let name = options.flair_model_name.trim();
        let inside = model_dir.join(name);
        let found = if inside.is_dir() {
            Tagger::read(&inside)
        } else {
            Tagger::find(name, hub)
        };
        let tagger =
            found.with_context(|| format!("cannot use the tagger FLAIR_MODEL_NAME={name}"))?;
        ensure!(
            tagger.label_type() == LABEL_TYPE,
            "the tagger FLAIR_MODEL_NAME={name} labels {}, not entities ({LABEL_TYPE})",
            tagger.label_type()
        );
        Ok(Self {
            labels: tagger.labels(),
            tagger,
            unknown: if options.keep_unknown_labels {
                UnknownLabels::Keep
            } else {
                UnknownLabels::Drop
            },
        })
    }

    fn prediction(&self, controls: &TextLabels<'_>, text: &str, found: &[Entity]) -> Prediction {
        let names: Vec<&str> = self.labels.iter().map(String::as_str).collect();
        let regions = controls.regions(&names, text, found, self.unknown);
        let scores = regions.iter().filter_map(|region| region.score);
        let lowest = scores.fold(NOTHING_FOUND, f64::min);
        Prediction::new(regions).with_score(lowest)
    }
}

impl Model for Flair {
    fn manifest(&self) -> Option<&str> {
        Some(include_str!("../Cargo.toml"))
    }

    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        project.set_model_version(VERSION)?;
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let controls = TextLabels::find(project.label_config())?;
        let read = request.tasks.iter();
        let read = read.map(|task| project.text_of(controls.object, task));
        let read: Vec<_> = read.collect();
        let texts: Vec<String> = read.iter().flatten().cloned().collect();
        let mut found = texts.iter().zip(self.tagger.find_entities(&texts));
        let predictions = read.into_iter().map(|read| {
            let predicted = read.map_err(anyhow::Error::from).and_then(|_| {
                let (text, entities) = found.next().context("a text was not read")?;
                Ok(self.prediction(&controls, text, &entities))
            });
            TaskPrediction::from(predicted)
        });
        Ok(predictions.collect())
    }

    fn name(&self) -> &'static str {
        "Flair"
    }
}
