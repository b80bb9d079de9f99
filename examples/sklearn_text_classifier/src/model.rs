//! The model: predicts choices, and trains a new classifier on annotation events.

use std::{
    fs,
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use label_studio_ml::{
    Action, Event, LabelConfig, Model, ModelState, Object, PredictRequest, Prediction, Predictions,
    Project, Task, TaskPrediction, Value,
    anyhow::{self, Context, bail, ensure},
    json,
};

use crate::{
    Sample, Storage, TextClassifier, load_version, samples, save_version,
    untrained::UntrainedClassifiers,
};

const VERSION_PREFIX: &str = "SklearnTextClassifier-v0.0.";
/// Name of the data field when an import has none.
const UNDEFINED_FIELD: &str = "$undefined$";

/// Options of training.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder for trained classifiers.
    pub model_dir: PathBuf,
    /// Inverse of the regularization strength.
    pub c: f64,
    /// An annotation starts a training when the number of labelled tasks is a multiple of this.
    pub train_each_n_updates: NonZeroUsize,
}

/// Classifies texts by their n-grams, and is trained on the annotations of each project.
#[derive(Debug)]
pub struct SklearnTextClassifier {
    options: Options,
    storage: Storage,
    /// `None` for a project that was never trained.
    trained: ModelState<Option<Arc<TextClassifier>>>,
    untrained: UntrainedClassifiers,
}

impl SklearnTextClassifier {
    /// Creates the model. Trained classifiers are read when a project first needs them.
    pub fn new(options: Options) -> Self {
        Self {
            storage: Storage::new(&options.model_dir),
            options,
            trained: ModelState::default(),
            untrained: UntrainedClassifiers::default(),
        }
    }

    /// Returns the trained classifier if the label config still has all its classes, else an
    /// untrained one.
    fn classifier(
        &self,
        project: &Project,
        labels: &[String],
    ) -> anyhow::Result<Arc<TextClassifier>> {
        let load = |version: &str| {
            let saved = match project.version_folder(version)? {
                Some(folder) => Some(load_version(&folder)?),
                None => self.storage.load(project.id().as_str())?,
            };
            Ok(saved.map(Arc::new))
        };
        if let Some(trained) = &*self.trained.get(project, load)?
            && trained.classes().iter().all(|class| labels.contains(class))
        {
            return Ok(Arc::clone(trained));
        }
        let mut labels = labels.to_vec();
        labels.sort_unstable();
        self.untrained.get(project.id(), &labels, || {
            TextClassifier::blank(&labels, self.options.c)
        })
    }

    fn train(
        &self,
        project: &Project,
        labels: &[String],
        samples: &[Sample],
    ) -> anyhow::Result<Value> {
        let trained_at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let classifier = TextClassifier::train(labels, samples, self.options.c, trained_at)?;
        let result = json!({
            "trained_samples": samples.len(),
            "classes": classifier.classes(),
            "train_accuracy": classifier.accuracy(samples),
        });
        let new = project.new_version()?;
        save_version(new.path(), &classifier)?;
        let model_version = project.next_model_version(VERSION_PREFIX)?;
        project.publish(new, &model_version, result.clone())?;
        // For older releases on the same folder, and for those who read the file.
        self.storage.save(project.id().as_str(), &classifier)?;
        let trained = Some(Arc::new(classifier));
        self.trained.replace(project, &model_version, trained)?;
        tracing::info!(project = %project.id(), model_version, n_samples = samples.len(), "trained");
        Ok(result)
    }
}

impl Model for SklearnTextClassifier {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        if !project.model_version()?.starts_with(VERSION_PREFIX) {
            project.set_model_version(&format!("{VERSION_PREFIX}1"))?;
        }
        Ok(())
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        let choices = label_config.first_pair("Choices", "Text")?;
        ensure!(
            choices.control.labels.len() > 1,
            "<Choices name={:?}> needs at least two choices",
            choices.control.name
        );
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let choices = project.label_config().first_pair("Choices", "Text")?;
        let classifier = self.classifier(project, &choices.control.labels)?;
        let predict = |task| {
            let text = text_of(project, choices.object, task)?;
            let guess = classifier.classify(&text);
            let region = choices.control.region(json!({ "choices": [guess.label] }));
            Ok(Prediction::new([region]).with_score(guess.score))
        };
        Ok(request
            .tasks
            .iter()
            .map(|task| TaskPrediction::from(predict(task)))
            .collect())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        let choices = project.label_config().first_pair("Choices", "Text")?;
        let is_asked_for = event.action == Action::StartTraining;
        let tasks = project.labeled_tasks()?;
        let n_each = self.options.train_each_n_updates;
        if !is_asked_for && (tasks.is_empty() || tasks.len() % n_each != 0) {
            let reason = format!(
                "{} labelled tasks are not a multiple of {n_each}",
                tasks.len()
            );
            return Ok(json!({ "skipped": reason }));
        }
        let samples = samples(&tasks, project.label_config(), |object, task| {
            text_of(project, object, task)
        });
        let has_two_labels = samples
            .iter()
            .any(|sample| sample.label != samples[0].label);
        if !is_asked_for && !has_two_labels {
            return Ok(
                json!({ "skipped": "the annotations have fewer than two different labels" }),
            );
        }
        self.train(project, &choices.control.labels, &samples)
    }
}

/// Returns the text of a task, fetched when the `<Text>` tag says that the task holds its address.
fn text_of(project: &Project, object: &Object, task: &Task) -> anyhow::Result<String> {
    let name = object.value_name.as_str();
    let field = |name: &str| task.value(name).filter(|value| !value.is_null());
    let text = match field(name).or_else(|| field(UNDEFINED_FIELD)) {
        Some(Value::String(text)) => text.clone(),
        Some(number @ (Value::Number(_) | Value::Bool(_))) => return Ok(number.to_string()),
        Some(_) => bail!("data field {name:?} of the task is not a text"),
        None => bail!("the task has no text in its data field {name:?}"),
    };
    if text.is_empty() || object.value_type.as_deref() != Some("url") {
        return Ok(text);
    }
    let path = project.local_path(task, &text)?;
    fs::read_to_string(&path).with_context(|| format!("cannot read {} as text", path.display()))
}
