//! The model: from an interactive context to one region per occurrence.

use std::{borrow::Cow, fs};

use label_studio_ml::{
    LabelConfig, Model, PredictRequest, Prediction, Predictions, Project, Region, Task,
    TaskPrediction, Value,
    anyhow::{self, Context, bail},
    json,
};

use crate::{Exclude, ScoreMode, SearchOptions, occurrences, score, selection::Selection};

const MODEL_VERSION: &str = "InteractiveSubstringMatching-v0.0.1";

/// Labels every other occurrence of the word that the annotator has just labelled.
#[derive(Debug, Clone, Copy, Default)]
pub struct InteractiveSubstringMatching {
    /// Options of the search.
    pub search: SearchOptions,
    /// Form of the keyword that an occurrence is compared with.
    pub score: ScoreMode,
    /// Maximum number of regions per task; all by default.
    pub max_matches: Option<usize>,
    /// Which occurrences are not suggested; the selected region by default.
    pub exclude: Exclude,
}

impl Model for InteractiveSubstringMatching {
    fn setup(&self, project: &Project) -> anyhow::Result<()> {
        Ok(project.set_model_version(MODEL_VERSION)?)
    }

    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        label_config.first_pair("Labels", "Text")?;
        Ok(())
    }

    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let regions = request.context_regions();
        let Some(selection) = Selection::find(project.label_config(), regions)? else {
            if !regions.is_empty() {
                tracing::warn!(
                    "no region of the interactive context belongs to a <Labels> control on a <Text>"
                );
            }
            return Ok(Predictions::default());
        };
        let predict = |task| TaskPrediction::from(self.predict_task(project, &selection, task));
        Ok(request.tasks.iter().map(predict).collect())
    }
}

impl InteractiveSubstringMatching {
    fn predict_task(
        &self,
        project: &Project,
        selection: &Selection<'_>,
        task: &Task,
    ) -> anyhow::Result<Prediction> {
        let text = task_text(project, selection, task)?;
        let keyword = selection.keyword(&text)?;
        let occurrences = occurrences(&text, &keyword, self.search);
        let wanted = occurrences.into_iter().filter(|range| match self.exclude {
            Exclude::Nothing => true,
            Exclude::Selected => !selection.is_at(range),
            Exclude::Annotated => !selection.is_annotated(range),
        });
        let mut chars = text.chars();
        let mut n_read = 0;
        let regions = wanted
            .take(self.max_matches.unwrap_or(usize::MAX))
            .map(|range| {
                let skipped = chars.by_ref().skip(range.start - n_read);
                let found: String = skipped.take(range.len()).collect();
                n_read = range.end;
                let value = json!({
                    "start": range.start,
                    "end": range.end,
                    "text": found,
                    "labels": selection.labels,
                });
                let kind = selection.control.tag.to_lowercase();
                Region::new(&selection.control.name, &selection.object.name, kind, value)
                    .with_score(score(&keyword, &found, self.score))
                    .with_new_id()
            });
        Ok(Prediction::new(regions).with_mean_score())
    }
}

/// Returns the text of a task, fetched when the `<Text>` tag says that the task holds its address.
fn task_text<'a>(
    project: &Project,
    selection: &Selection<'_>,
    task: &'a Task,
) -> anyhow::Result<Cow<'a, str>> {
    let name = &selection.object.value_name;
    let text = match task.value(name) {
        Some(Value::String(text)) => text,
        Some(Value::Null) => return Ok(Cow::Borrowed("")),
        Some(_) => bail!("data field {name:?} of the task is not a text"),
        None => bail!(
            "the task has no data field {name:?}, which <Text name={:?}> shows",
            selection.object.name
        ),
    };
    if text.is_empty() || selection.object.value_type.as_deref() != Some("url") {
        return Ok(Cow::Borrowed(text));
    }
    let path = project.local_path(task, text)?;
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {} as text", path.display()))?;
    Ok(Cow::Owned(text))
}
