//! The smallest complete backend: it predicts by fixed rules, also interactively, and counts its
//! trainings.
//!
//! | control tag | prediction | region score |
//! | --- | --- | --- |
//! | `Choices` | the first choice if the value contains “good”, else the second | 0.75 |
//! | `Labels` | the first word, or the span just drawn, under the first label | 0.625 |
//! | `RectangleLabels` | 30 × 40 % at (10, 20), or at the place just drawn, under the first label | 0.5 |
//! | `TextArea` | `echo: ` and the value | 0.875 |
//!
//! Every `fit` is counted; “Start training” makes the version `trivial-v<n + 1>`.

mod regions;

use std::{path::Path, thread, time::Duration};

use label_studio_ml::{
    Action, Event, Model, PredictRequest, Prediction, Predictions, Project, Region, Task, Value,
    anyhow::{self, Context},
    json, manifest,
};

const INITIAL_VERSION: &str = "trivial-v1";
const FITS: &str = "fits";
/// Image size unless images are fetched.
const DEFAULT_SIZE: (u32, u32) = (100, 50);

/// Predicts by fixed rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct TheSimplestBackend {
    /// Whether image sizes are read from the images, downloaded through Label Studio.
    pub fetch_images: bool,
    /// Duration of every `fit`.
    pub fit_time: Duration,
}

impl Model for TheSimplestBackend {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_initial_model_version(INITIAL_VERSION)?)
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let drawn = request
            .context_regions()
            .first()
            .and_then(|region| region.get("value"));
        let drawn = drawn.unwrap_or(&Value::Null);
        Ok(request
            .tasks
            .iter()
            .map(|task| self.predict_task(project, task, drawn))
            .collect())
    }

    fn manifest(&self) -> Option<&str> {
        Some(manifest!())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        thread::sleep(self.fit_time);
        let stored = project.get(FITS)?;
        let n_fits = stored
            .and_then(|count| count.parse::<u64>().ok())
            .unwrap_or(0)
            + 1;
        project.set(FITS, &n_fits.to_string())?;
        if event.action == Action::StartTraining {
            project.set_model_version(&format!("trivial-v{}", n_fits + 1))?;
        }
        Ok(json!({ "event": event.action.as_str(), "fits": n_fits }))
    }
}

impl TheSimplestBackend {
    fn predict_task(
        &self,
        project: &Project,
        task: &Task,
        drawn: &Value,
    ) -> anyhow::Result<Prediction> {
        let config = project.label_config();
        let mut found: Vec<Region> = Vec::new();
        for control in config.controls() {
            let Some(object) = config.objects_of(control).next() else {
                continue;
            };
            let value = object.value_in(&task.data).unwrap_or(&Value::Null);
            found.extend(match &*control.kind() {
                "choices" => regions::choice(control, value),
                "labels" => regions::span(control, value, drawn),
                "textarea" => Some(regions::echo(control, value)),
                "rectanglelabels" => {
                    let size = self.image_size(project, task, value)?;
                    regions::rectangle(control, drawn, size)
                }
                _ => None,
            });
        }
        Ok(Prediction::new(found).with_mean_score())
    }

    fn image_size(
        &self,
        project: &Project,
        task: &Task,
        url: &Value,
    ) -> anyhow::Result<(u32, u32)> {
        if !self.fetch_images {
            return Ok(DEFAULT_SIZE);
        }
        let url = url.as_str().context("the task has no image address")?;
        let path = project.local_path(task, url)?;
        read_size(&path).with_context(|| format!("cannot read the size of {url}"))
    }
}

fn read_size(path: &Path) -> anyhow::Result<(u32, u32)> {
    Ok(image::ImageReader::open(path)?
        .with_guessed_format()?
        .into_dimensions()?)
}
