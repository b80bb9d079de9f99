//! The model: predicts ranges, and trains a network on annotation events.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use label_studio_ml::{
    Action, Event, FitOn, LabelConfig, Model, ModelState, PredictRequest, Prediction, Predictions,
    Project, Task, TaskPrediction, Value,
    anyhow::{self, Context, ensure},
    json,
};
use label_studio_training::state_file;

use crate::{
    Lesson, Options, Predictor, Sample, Segmenter, Tags,
    reading::{Row, read_task},
    samples::{notes, samples},
    segments::prediction,
};

const VERSION_PREFIX: &str = "TimeSeriesSegmenter-v0.0.";
/// Version of a project that was never trained: that of the original.
const FIRST_VERSION: &str = "TimeSeriesSegmenter-v0.0.3";

/// Labels ranges of time series with a network that is trained on the annotations of each project.
#[derive(Debug)]
pub struct TimeSeriesSegmenter {
    options: Options,
    model_dir: PathBuf,
    /// `None` for a project that was never trained.
    trained: ModelState<Option<Arc<Segmenter>>>,
}

impl TimeSeriesSegmenter {
    /// Creates the model. Trained networks are read when a project first needs them.
    pub fn new(options: Options, model_dir: &Path) -> Self {
        Self {
            options,
            model_dir: model_dir.to_owned(),
            trained: ModelState::default(),
        }
    }

    /// Returns the trained network, if it fits the channels and labels of the label config.
    fn segmenter(
        &self,
        project: &Project,
        tags: &Tags<'_>,
    ) -> anyhow::Result<Option<(Arc<Segmenter>, Vec<bool>)>> {
        let load = |version: &str| {
            let read = |folder: PathBuf| {
                Segmenter::read(&folder)
                    .map(Arc::new)
                    .with_context(|| format!("cannot use the model in {}", folder.display()))
            };
            project.version_folder(version)?.map(read).transpose()
        };
        let trained = self.trained.get(project, load)?;
        let Some(trained) = &*trained else {
            return Ok(None);
        };
        let channels = tags.channels();
        if !trained
            .channels
            .iter()
            .all(|channel| channels.contains(channel))
        {
            tracing::warn!(
                project = %project.id(),
                trained = ?trained.channels,
                "the label config has other channels than the trained model: train again"
            );
            return Ok(None);
        }
        let wanted = trained.wanted(&tags.control.labels);
        Ok(wanted.map(|wanted| (Arc::clone(trained), wanted)))
    }

    fn train(
        &self,
        project: &Project,
        tags: &Tags<'_>,
        samples: Vec<Sample>,
    ) -> anyhow::Result<Value> {
        let state = state_file(
            &self.model_dir,
            "timeseries_segmenter",
            project.id().as_str(),
        );
        let lesson = Lesson {
            labels: &tags.control.labels,
            channels: &tags.channels(),
            options: &self.options,
            state: Some(state),
        };
        let (segmenter, metrics) = lesson.learn(samples, project.job())?;
        let new = project.new_version()?;
        segmenter.save(new.path())?;
        let model_version = project.next_model_version(VERSION_PREFIX)?;
        project.publish(new, &model_version, metrics.clone())?;
        self.trained
            .replace(project, &model_version, Some(Arc::new(segmenter)))?;
        tracing::info!(project = %project.id(), model_version, "trained");
        Ok(metrics)
    }
}

impl Model for TimeSeriesSegmenter {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        if !project.model_version()?.starts_with(VERSION_PREFIX) {
            project.set_model_version(FIRST_VERSION)?;
        }
        Ok(())
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        Tags::find(label_config).map(|_| ())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let tags = Tags::find(project.label_config())?;
        let segmenter = self.segmenter(project, &tags)?;
        let predict = |task: &Task| match &segmenter {
            Some((segmenter, wanted)) => predict((project, task), &tags, (segmenter, wanted)),
            None => look_at((project, task), &tags),
        };
        let predictions = request.tasks.iter().map(predict);
        Ok(predictions.map(TaskPrediction::from).collect())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        if event.action == Action::AnnotationDeleted {
            return Ok(Value::Null);
        }
        let tags = Tags::find(project.label_config())?;
        let is_asked_for = event.action == Action::StartTraining;
        let tasks = project.labeled_tasks()?;
        let n_each = self.options.start_training_each_n_updates;
        if !is_asked_for && (tasks.is_empty() || tasks.len() % n_each != 0) {
            let reason = format!(
                "{} labelled tasks are not a multiple of {n_each}",
                tasks.len()
            );
            return Ok(json!({ "skipped": reason }));
        }
        let samples = samples(project, &tasks)?;
        let mut classes = samples.iter().flat_map(|sample| &sample.classes);
        if !classes.any(|class| *class > Some(0)) {
            let reason = "no annotation labels a range of a series that can be read";
            ensure!(
                !is_asked_for,
                "{reason}: the job's log says why tasks are left out"
            );
            return Ok(json!({ "skipped": reason }));
        }
        self.train(project, &tags, samples)
    }

    fn fit_on(&self) -> FitOn {
        FitOn::LatestPerAnnotation
    }
}

fn predict(
    task: (&Project, &Task),
    tags: &Tags<'_>,
    (segmenter, wanted): (&Segmenter, &[bool]),
) -> anyhow::Result<Prediction> {
    let Segmenter {
        inference,
        scaling,
        window,
        ..
    } = segmenter;
    let mut predictor = Predictor::new(inference, scaling, wanted, *window);
    let facts = read_task(task, tags, &segmenter.channels, &mut |row: Row<'_>| {
        predictor.push(row.time, row.values)
    })?;
    for note in notes(&facts) {
        tracing::info!(task = task.1.id, "{note}");
    }
    Ok(prediction(tags, &segmenter.labels, predictor.finish()?))
}

/// Says whether the series of a task can be read; without a trained network nothing is found in it.
fn look_at(task: (&Project, &Task), tags: &Tags<'_>) -> anyhow::Result<Prediction> {
    read_task(task, tags, &tags.channels(), &mut |_| Ok(()))?;
    Ok(Prediction::default().with_score(0.0))
}
