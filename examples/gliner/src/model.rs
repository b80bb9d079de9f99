//! The model: marks what labels name, and fine-tunes on *Start training*.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use label_studio_inference::{hub::Hub, onnx::OnnxArgs};
use label_studio_ml::{
    Action, Event, LabelConfig, Model, ModelState, PredictRequest, Prediction, Predictions,
    Project, TaskPrediction, Value,
    anyhow::{self, Context, ensure},
};
use label_studio_training::{FinetunedFolder, SpanCheckpoint, state_file};

use crate::{Controls, Finder, Found, Options, Sample, samples, training::Lesson};

const VERSION_PREFIX: &str = "GLiNERModel-v0.0.";

/// Marks what the labels of a project name, with a model that can be fine-tuned on its annotations.
#[derive(Debug)]
pub struct Gliner {
    options: Options,
    onnx: OnnxArgs,
    model_dir: PathBuf,
    baseline: SpanCheckpoint,
    finetuned: FinetunedFolder,
    /// `None` for a project that was never trained.
    trained: ModelState<Option<Arc<Finder>>>,
    untrained: Arc<Finder>,
}

impl Gliner {
    /// Loads the model to start from; its files are fetched if they are missing.
    pub fn load(
        options: Options,
        model_dir: &Path,
        (hub, onnx): (&Hub, OnnxArgs),
    ) -> anyhow::Result<Self> {
        let named = "cannot use the model that GLINER_MODEL_NAME names";
        let baseline = SpanCheckpoint::find(&options.gliner_model_name, hub).context(named)?;
        let untrained = Arc::new(Finder::load(&baseline, &onnx).context(named)?);
        Ok(Self {
            finetuned: FinetunedFolder::of_spans(model_dir.join(&options.finetuned_model_path)),
            model_dir: model_dir.to_owned(),
            options,
            onnx,
            baseline,
            trained: ModelState::default(),
            untrained,
        })
    }

    fn finder(&self, project: &Project) -> anyhow::Result<Arc<Finder>> {
        let load = |version: &str| {
            let folder = project.version_folder(version)?.or_else(|| {
                self.finetuned
                    .find(project.id().as_str())
                    .map(Path::to_owned)
            });
            let read = |folder: PathBuf| {
                Finder::read(&folder, &self.onnx)
                    .map(Arc::new)
                    .with_context(|| format!("cannot use the model in {}", folder.display()))
            };
            folder.map(read).transpose()
        };
        let trained = self.trained.get(project, load)?;
        Ok((*trained)
            .clone()
            .unwrap_or_else(|| Arc::clone(&self.untrained)))
    }

    fn train(
        &self,
        project: &Project,
        controls: &Controls<'_>,
        samples: &[Sample],
    ) -> anyhow::Result<Value> {
        let lesson = Lesson {
            baseline: &self.baseline,
            controls,
            samples,
            options: &self.options,
            state: state_file(&self.model_dir, "gliner", project.id().as_str()),
        };
        let trained = lesson.learn(project.job())?;
        let new = project.new_version()?;
        let network = trained
            .network
            .with_config(|config| config.with_project(project.id().as_str()));
        network.save(new.path(), &self.baseline)?;
        let model_version = project.next_model_version(VERSION_PREFIX)?;
        let folder = project.publish(new, &model_version, trained.metrics.clone())?;
        let finder = Finder::new(network, &self.baseline)?;
        self.trained
            .replace(project, &model_version, Some(Arc::new(finder)))?;
        // For the original on the same folder, and for those who take the model elsewhere.
        if let Err(error) = self.finetuned.replace(&folder) {
            tracing::warn!("FINETUNED_MODEL_PATH is not up to date: {error:#}");
        }
        tracing::info!(project = %project.id(), model_version, n_samples = samples.len(), "trained");
        Ok(trained.metrics)
    }
}

impl Model for Gliner {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        if !project.model_version()?.starts_with(VERSION_PREFIX) {
            project.set_model_version(&format!("{VERSION_PREFIX}1"))?;
        }
        Ok(())
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        for asked in Controls::find(label_config)?.asked {
            ensure!(
                !asked.names().is_empty(),
                "<Labels name={:?}> needs labels",
                asked.control.name
            );
        }
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let controls = Controls::find(project.label_config())?;
        let finder = self.finder(project)?;
        let mut texts = Vec::with_capacity(request.tasks.len());
        let read: Vec<anyhow::Result<()>> = request
            .tasks
            .iter()
            .map(|task| {
                texts.push(project.text_of(controls.object, task)?);
                Ok(())
            })
            .collect();
        let mut of_controls: Vec<std::vec::IntoIter<Vec<Found>>> = Vec::new();
        for asked in &controls.asked {
            let found = finder.find(&texts, &asked.names(), &self.options.decoding)?;
            of_controls.push(found.into_iter());
        }
        let mut predict = |read: anyhow::Result<()>| {
            read?;
            let mut regions = Vec::new();
            for (asked, found) in controls.asked.iter().zip(&mut of_controls) {
                let found = found.next().unwrap_or_default();
                regions.extend(asked.regions(controls.object, &found));
            }
            let lowest = regions.iter().filter_map(|region| region.score);
            let score = lowest.reduce(f64::min).unwrap_or(0.0);
            Ok(Prediction::new(regions).with_score(score))
        };
        Ok(read
            .into_iter()
            .map(&mut predict)
            .map(TaskPrediction::from)
            .collect())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        if event.action != Action::StartTraining {
            tracing::debug!("a training starts with \"Start training\" only");
            return Ok(Value::Null);
        }
        let controls = Controls::find(project.label_config())?;
        let tasks = project.labeled_tasks()?;
        let samples = samples(&tasks, &controls, |task| {
            Ok(project.text_of(controls.object, task)?)
        });
        ensure!(
            !samples.is_empty(),
            "no annotation marks a part of a text with a label: annotate some texts first"
        );
        self.train(project, &controls, &samples)
    }
}
