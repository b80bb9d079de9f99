//! The model: marks entities with a pipeline.

use label_studio_inference::hub::Hub;
use label_studio_ml::{
    Model, PredictRequest, Prediction, Predictions, Project, TaskPrediction,
    anyhow::{self, Context},
};
use label_studio_text::regions::{Entity, TextLabels, UnknownLabels};

use crate::{LabelNames, Options, Pipeline};

/// Version that the original gives its predictions.
const VERSION: &str = "SpacyMLBackend-v0.0.1";

/// Marks entities with a pipeline of spaCy.
#[derive(Debug)]
pub struct Spacy {
    pipeline: Pipeline,
    /// Labels of the pipeline, under their new names.
    names: Vec<String>,
    renamed: LabelNames,
    unknown: UnknownLabels,
}

impl Spacy {
    /// Finds the files of the pipeline, fetches those that are missing, and reads them.
    pub fn load(options: Options, hub: &Hub) -> anyhow::Result<Self> {
        let pipeline = Pipeline::load(&options.spacy_model, hub).with_context(|| {
            format!(
                "cannot use the pipeline SPACY_MODEL={}",
                options.spacy_model
            )
        })?;
        let renamed = options.custom_labels_mapping;
        let labels = pipeline.labels();
        for label in renamed.0.keys().filter(|label| !labels.contains(label)) {
            tracing::warn!(
                label,
                "CUSTOM_LABELS_MAPPING renames a label that the pipeline does not know"
            );
        }
        let names = labels.iter().map(|label| renamed.get(label).to_owned());
        Ok(Self {
            names: names.collect(),
            pipeline,
            renamed,
            unknown: if options.keep_unknown_labels {
                UnknownLabels::Keep
            } else {
                UnknownLabels::Drop
            },
        })
    }

    fn prediction(&self, controls: &TextLabels<'_>, text: &str, found: Vec<Entity>) -> Prediction {
        let renamed = found.into_iter().map(|entity| Entity {
            label: self.renamed.get(&entity.label).to_owned(),
            ..entity
        });
        let entities: Vec<_> = renamed.collect();
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let regions = controls.regions(&names, text, &entities, self.unknown);
        Prediction::new(regions).with_mean_score()
    }
}

impl Model for Spacy {
    fn manifest(&self) -> Option<&str> {
        Some(include_str!("../Cargo.toml"))
    }

    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        project.set_model_version(VERSION)?;
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let controls = TextLabels::find(project.label_config())?;
        let mut texts = Vec::with_capacity(request.tasks.len());
        let read: Vec<anyhow::Result<()>> = request
            .tasks
            .iter()
            .map(|task| {
                texts.push(project.text_of(controls.object, task)?);
                Ok(())
            })
            .collect();
        let mut found = texts.iter().zip(self.pipeline.find(&texts));
        let predict = |read: anyhow::Result<()>| {
            read?;
            let (text, entities) = found.next().context("a text was not read")?;
            Ok(self.prediction(&controls, text, entities))
        };
        Ok(read
            .into_iter()
            .map(predict)
            .map(TaskPrediction::from)
            .collect())
    }

    fn name(&self) -> &'static str {
        "SpacyMLBackend"
    }
}
