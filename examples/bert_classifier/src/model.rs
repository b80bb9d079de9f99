//! The model: predicts choices, and fine-tunes an encoder on annotation events.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use label_studio_inference::hub::Hub;
use label_studio_ml::{
    Action, Event, FitOn, LabelConfig, Model, ModelState, PredictRequest, Prediction, Predictions,
    Project, TaskPrediction, Value,
    anyhow::{self, Context, ensure},
    json,
};
use label_studio_training::{Checkpoint, FinetunedFolder, ModelConfig, Network, Task, state_file};

use crate::{Classifier, Options, Sample, samples, training::Lesson};

const VERSION_PREFIX: &str = "BertClassifier-v0.0.";
/// Seed of the head of a model that was never trained.
const SEED: u64 = 42;

/// Classifies texts with an encoder that is fine-tuned on the annotations of each project.
#[derive(Debug)]
pub struct BertClassifier {
    options: Options,
    model_dir: PathBuf,
    baseline: Checkpoint,
    finetuned: FinetunedFolder,
    /// `None` for a project that was never trained.
    trained: ModelState<Option<Arc<Classifier>>>,
    /// The baseline with a head for the labels it was last asked for.
    untrained: Mutex<Option<Untrained>>,
}

#[derive(Debug, Clone)]
struct Untrained {
    labels: Vec<String>,
    classifier: Arc<Classifier>,
}

impl BertClassifier {
    /// Finds the files of the baseline, and fetches those that are missing.
    pub fn load(options: Options, model_dir: &Path, hub: &Hub) -> anyhow::Result<Self> {
        let baseline = Checkpoint::find(&options.baseline_model_name, hub)
            .context("cannot use the model that BASELINE_MODEL_NAME names")?;
        // A config that cannot be used is better known now than when a task comes.
        ModelConfig::read(&baseline.config)
            .context("cannot use the model that BASELINE_MODEL_NAME names")?;
        Ok(Self {
            finetuned: FinetunedFolder::new(model_dir.join(&options.finetuned_model_name)),
            model_dir: model_dir.to_owned(),
            baseline,
            options,
            trained: ModelState::default(),
            untrained: Mutex::default(),
        })
    }

    /// Returns the trained classifier if it knows a label of the label config, else the baseline
    /// with a new head.
    fn classifier(&self, project: &Project, labels: &[String]) -> anyhow::Result<Arc<Classifier>> {
        let load = |version: &str| {
            let folder = project.version_folder(version)?.or_else(|| {
                self.finetuned
                    .find(project.id().as_str())
                    .map(Path::to_owned)
            });
            let read = |folder: PathBuf| {
                Classifier::read(&folder)
                    .map(Arc::new)
                    .with_context(|| format!("cannot use the model in {}", folder.display()))
            };
            folder.map(read).transpose()
        };
        if let Some(trained) = &*self.trained.get(project, load)?
            && trained.labels().iter().any(|label| labels.contains(label))
        {
            return Ok(Arc::clone(trained));
        }
        self.untrained(labels)
    }

    fn untrained(&self, labels: &[String]) -> anyhow::Result<Arc<Classifier>> {
        // Held while the model is loaded, so that it is loaded once.
        let mut untrained = self
            .untrained
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*untrained
            && known.labels == labels
        {
            return Ok(Arc::clone(&known.classifier));
        }
        // The old one goes first: two need twice the memory.
        *untrained = None;
        let outputs = self.outputs(labels)?;
        let task = Task::SequenceClassification;
        let network = Network::load_with_labels(&self.baseline, task, &outputs, SEED)?;
        let classifier = Arc::new(Classifier::new(network, &self.baseline)?);
        *untrained = Some(Untrained {
            labels: labels.to_vec(),
            classifier: Arc::clone(&classifier),
        });
        Ok(classifier)
    }

    /// Returns the labels in the order of the baseline's outputs: by name if it has the same ones,
    /// else in document order.
    fn outputs(&self, labels: &[String]) -> anyhow::Result<Vec<String>> {
        let own = ModelConfig::read(&self.baseline.config)?.labels();
        let named = |own: &String| {
            let mut same = labels
                .iter()
                .filter(|label| label.eq_ignore_ascii_case(own));
            same.next().cloned()
        };
        let by_name: Option<Vec<_>> = own.iter().map(named).collect();
        let mut distinct = by_name.unwrap_or_default();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() == labels.len() {
            return Ok(own.iter().filter_map(named).collect());
        }
        Ok(labels.to_vec())
    }

    fn train(
        &self,
        project: &Project,
        labels: &[String],
        samples: &[Sample],
    ) -> anyhow::Result<Value> {
        let lesson = Lesson {
            baseline: &self.baseline,
            labels,
            samples,
            options: &self.options,
            state: state_file(&self.model_dir, "bert_classifier", project.id().as_str()),
        };
        let trained = lesson.learn(project.job())?;
        let new = project.new_version()?;
        let network = trained
            .network
            .with_config(|config| config.with_project(project.id().as_str()));
        network.save(new.path(), &self.baseline)?;
        let model_version = project.next_model_version(VERSION_PREFIX)?;
        let folder = project.publish(new, &model_version, trained.metrics.clone())?;
        let classifier = Classifier::new(network, &self.baseline)?;
        self.trained
            .replace(project, &model_version, Some(Arc::new(classifier)))?;
        // For the original on the same folder, and for those who take the model elsewhere.
        if let Err(error) = self.finetuned.replace(&folder) {
            tracing::warn!("FINETUNED_MODEL_NAME is not up to date: {error:#}");
        }
        tracing::info!(project = %project.id(), model_version, n_samples = samples.len(), "trained");
        Ok(trained.metrics)
    }
}

impl Model for BertClassifier {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        if !project.model_version()?.starts_with(VERSION_PREFIX) {
            project.set_model_version(&format!("{VERSION_PREFIX}1"))?;
        }
        Ok(())
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        let choices = label_config.first_pair("Choices", "Text")?;
        ensure!(
            !choices.control.labels.is_empty(),
            "<Choices name={:?}> needs choices",
            choices.control.name
        );
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let choices = project.label_config().first_pair("Choices", "Text")?;
        let labels = &choices.control.labels;
        let classifier = self.classifier(project, labels)?;
        let mut texts = Vec::with_capacity(request.tasks.len());
        let read: Vec<anyhow::Result<()>> = request
            .tasks
            .iter()
            .map(|task| {
                texts.push(project.text_of(choices.object, task)?);
                Ok(())
            })
            .collect();
        let guesses = classifier.classify(&texts, |label| labels.iter().any(|l| l == label))?;
        let mut guesses = guesses.into_iter();
        let predict = |read: anyhow::Result<()>| {
            read?;
            let guess = guesses.next().flatten();
            let guess = guess.context("the label config has none of the model's labels")?;
            let region = choices.control.region(json!({ "choices": [guess.label] }));
            Ok(Prediction::new([region.with_new_id()]).with_score(guess.score))
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
        let choices = project.label_config().first_pair("Choices", "Text")?;
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
        let samples = samples(&tasks, choices.control, |task| {
            Ok(project.text_of(choices.object, task)?)
        });
        let has_two_labels = samples
            .iter()
            .any(|sample| sample.label != samples[0].label);
        if !has_two_labels {
            let reason = "the annotations need at least two different labels";
            ensure!(
                !is_asked_for,
                "{reason}: annotate tasks with another choice"
            );
            return Ok(json!({ "skipped": reason }));
        }
        self.train(project, &choices.control.labels, &samples)
    }

    fn fit_on(&self) -> FitOn {
        FitOn::LatestPerAnnotation
    }
}
