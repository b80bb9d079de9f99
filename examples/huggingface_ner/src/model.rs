//! The model: marks entities, and fine-tunes an encoder on annotation events.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use label_studio_inference::hub::Hub;
use label_studio_ml::{
    Action, Event, FitOn, LabelConfig, Model, ModelState, PredictRequest, Prediction, Predictions,
    Project, TaskPrediction, Value,
    anyhow::{self, Context, ensure},
    json,
};
use label_studio_training::{Checkpoint, CheckpointError, FinetunedFolder, state_file};

use crate::{Controls, Options, Sample, Tagger, samples, training::Lesson};

const VERSION_PREFIX: &str = "HuggingFaceNER-v0.0.";

/// Marks entities with an encoder that is fine-tuned on the annotations of each project.
#[derive(Debug)]
pub struct HuggingFaceNer {
    options: Options,
    model_dir: PathBuf,
    baseline: Checkpoint,
    finetuned: FinetunedFolder,
    /// `None` for a project that was never trained.
    trained: ModelState<Option<Arc<Tagger>>>,
    /// `None` if the baseline has no head for tokens, and is there to be trained only.
    untrained: Option<Arc<Tagger>>,
}

impl HuggingFaceNer {
    /// Finds the files of the baseline, and fetches those that are missing.
    pub fn load(options: Options, model_dir: &Path, hub: &Hub) -> anyhow::Result<Self> {
        let named = "cannot use the model that BASELINE_MODEL_NAME names";
        let baseline = Checkpoint::find(&options.baseline_model_name, hub).context(named)?;
        let untrained = match Tagger::load(&baseline) {
            Ok(tagger) => Some(Arc::new(tagger)),
            Err(error) => match error.downcast_ref() {
                // An encoder without a head finds nothing, but can be trained.
                Some(
                    CheckpointError::MissingTensor { name } | CheckpointError::Shape { name, .. },
                ) if is_head(name) => None,
                _ => return Err(error.context(named)),
            },
        };
        Ok(Self {
            finetuned: FinetunedFolder::new(model_dir.join(&options.finetuned_model_name)),
            model_dir: model_dir.to_owned(),
            baseline,
            options,
            trained: ModelState::default(),
            untrained,
        })
    }

    /// Returns the tagger of a project; `None` if it was never trained and the baseline finds
    /// nothing.
    fn tagger(&self, project: &Project) -> anyhow::Result<Option<Arc<Tagger>>> {
        let load = |version: &str| {
            let folder = project.version_folder(version)?.or_else(|| {
                self.finetuned
                    .find(project.id().as_str())
                    .map(Path::to_owned)
            });
            let read = |folder: PathBuf| {
                Tagger::read(&folder)
                    .map(Arc::new)
                    .with_context(|| format!("cannot use the model in {}", folder.display()))
            };
            folder.map(read).transpose()
        };
        let trained = self.trained.get(project, load)?;
        Ok((*trained).clone().or_else(|| self.untrained.clone()))
    }

    fn train(&self, project: &Project, samples: &[Sample]) -> anyhow::Result<Value> {
        let lesson = Lesson {
            baseline: &self.baseline,
            samples,
            options: &self.options,
            state: state_file(&self.model_dir, "huggingface_ner", project.id().as_str()),
        };
        let trained = lesson.learn(project.job())?;
        let new = project.new_version()?;
        let network = trained
            .network
            .with_config(|config| config.with_project(project.id().as_str()));
        network.save(new.path(), &self.baseline)?;
        let model_version = project.next_model_version(VERSION_PREFIX)?;
        let folder = project.publish(new, &model_version, trained.metrics.clone())?;
        let tagger = Tagger::new(network, &self.baseline)?;
        self.trained
            .replace(project, &model_version, Some(Arc::new(tagger)))?;
        // For the original on the same folder, and for those who take the model elsewhere.
        if let Err(error) = self.finetuned.replace(&folder) {
            tracing::warn!("FINETUNED_MODEL_NAME is not up to date: {error:#}");
        }
        tracing::info!(project = %project.id(), model_version, n_samples = samples.len(), "trained");
        Ok(trained.metrics)
    }
}

impl Model for HuggingFaceNer {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        if !project.model_version()?.starts_with(VERSION_PREFIX) {
            project.set_model_version(&format!("{VERSION_PREFIX}1"))?;
        }
        Ok(())
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        Controls::find(label_config)?;
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let label_config = project.label_config();
        let controls = Controls::find(label_config)?;
        let tagger = self.tagger(project)?;
        let mut texts = Vec::with_capacity(request.tasks.len());
        let read: Vec<anyhow::Result<()>> = request
            .tasks
            .iter()
            .map(|task| {
                texts.push(project.text_of(controls.object, task)?);
                Ok(())
            })
            .collect();
        let found = match tagger {
            Some(tagger) => tagger.find(&texts)?,
            None => vec![Vec::new(); texts.len()],
        };
        let mut found = found.into_iter();
        let predict = |read: anyhow::Result<()>| {
            read?;
            let entities = found.next().unwrap_or_default();
            let regions = controls.regions(label_config, &entities);
            Ok(Prediction::new(regions).with_mean_score())
        };
        Ok(read
            .into_iter()
            .map(predict)
            .map(TaskPrediction::from)
            .collect())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        if event.action == Action::AnnotationDeleted {
            return Ok(Value::Null);
        }
        let controls = Controls::find(project.label_config())?;
        let is_asked_for = event.action == Action::StartTraining;
        let tasks = project.labeled_tasks()?;
        let n_each: NonZeroUsize = self.options.start_training_each_n_updates;
        if !is_asked_for && (tasks.is_empty() || tasks.len() % n_each != 0) {
            let reason = format!(
                "{} labelled tasks are not a multiple of {n_each}",
                tasks.len()
            );
            return Ok(json!({ "skipped": reason }));
        }
        let samples = samples(&tasks, &controls, |task| {
            Ok(project.text_of(controls.object, task)?)
        });
        if samples.is_empty() {
            let reason = "no annotation marks an entity";
            ensure!(!is_asked_for, "{reason}: annotate some texts first");
            return Ok(json!({ "skipped": reason }));
        }
        self.train(project, &samples)
    }

    fn fit_on(&self) -> FitOn {
        FitOn::LatestPerAnnotation
    }
}

fn is_head(tensor: &str) -> bool {
    tensor.starts_with("classifier.")
}
