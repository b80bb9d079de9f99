//! Predictions for label configs with `Repeater` tags: a model is asked about each entry.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use label_studio_sdk::{LabelConfig, LabelConfigError, Prediction, ResultEntry, Task};
use serde_json::{Map, Value};

use crate::{
    model::{Event, Model, PredictRequest},
    predictions::{Predictions, TaskPrediction},
    project::Project,
};

/// Asks a model for predictions, as the server does.
///
/// Where the label config has `Repeater` tags, the model is called once for each entry of their
/// lists, with the tasks that have such an entry: [`Project::label_config`] then holds the tags of
/// that entry, such as `labels_1` on `page_1`, and what stands outside. A task's regions of all
/// entries are one prediction. An interactive request about a region of one entry is about that
/// entry only. A label config without `Repeater` costs nothing more.
pub fn predict(
    model: &dyn Model,
    project: &Project,
    request: &PredictRequest,
) -> anyhow::Result<Predictions> {
    if !project.label_config().has_repeaters() || request.tasks.is_empty() {
        return model.predict(project, request);
    }
    Repeated::of(project, request).predict(model, request)
}

impl Project {
    /// Returns the parts of an annotation event: for each entry that `Repeater` tags repeat, a handle
    /// with the label config of that entry, and the regions of the annotation that its tags made.
    /// What stands outside of the repeated parts belongs to each. Without `Repeater` tags it is one
    /// part.
    pub fn annotated_entries(
        &self,
        event: &Event,
    ) -> Result<Vec<AnnotatedEntry>, LabelConfigError> {
        let regions = event.annotation_regions();
        let empty = Map::new();
        let data = event
            .payload
            .pointer("/task/data")
            .and_then(Value::as_object);
        let entries = self.label_config().for_entries(data.unwrap_or(&empty))?;
        let part = |label_config: &LabelConfig| {
            let is_elsewhere = |region: &Value| {
                let mut others = entries.iter();
                !has_tags_of(label_config, region) && others.any(|other| has_tags_of(other, region))
            };
            let own = regions.iter().filter(|region| !is_elsewhere(region));
            AnnotatedEntry {
                project: self.with_label_config(Arc::new(label_config.clone())),
                regions: own.cloned().collect(),
            }
        };
        Ok(entries.iter().map(part).collect())
    }
}

/// A part of an annotation: see [`Project::annotated_entries`].
#[derive(Clone)]
pub struct AnnotatedEntry {
    /// The project, with the label config of the entry.
    pub project: Project,
    /// The regions of the annotation that belong to the entry.
    pub regions: Vec<Value>,
}

/// A request, by the entries that its tasks have.
struct Repeated {
    entries: Vec<Entry>,
    /// The entries of each task, or why it has none.
    tasks: Vec<Result<Vec<usize>, String>>,
}

/// The entry at a position of a list, of all tasks that have one.
struct Entry {
    project: Project,
    /// Positions of the tasks.
    tasks: Vec<usize>,
}

/// The answers of one task, each with its entry.
type Answers = Result<Vec<(usize, TaskPrediction)>, String>;

impl Repeated {
    fn of(project: &Project, request: &PredictRequest) -> Self {
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut entries: Vec<Entry> = Vec::new();
        let mut entry_of = |text: String| {
            if let Some(&idx) = known.get(&text) {
                return Ok(idx);
            }
            let label_config = LabelConfig::parse(&text)?;
            anyhow::ensure!(
                !label_config.controls().is_empty(),
                "the lists that the label config repeats (<Repeater on=\"$list\">) are missing or empty in the task's data"
            );
            entries.push(Entry {
                project: project.with_label_config(Arc::new(label_config)),
                tasks: Vec::new(),
            });
            known.insert(text, entries.len() - 1);
            Ok(entries.len() - 1)
        };
        let mut entries_of = |task: &Task| {
            let texts = project.label_config().entries_of(&task.data)?;
            texts
                .into_iter()
                .map(&mut entry_of)
                .collect::<anyhow::Result<Vec<_>>>()
        };
        let tasks = request.tasks.iter();
        let tasks: Vec<_> = tasks
            .map(|task| entries_of(task).map_err(|error| format!("{error:#}")))
            .collect();
        let mut repeated = Self {
            entries,
            tasks: Vec::new(),
        };
        for (task_idx, task) in tasks.into_iter().enumerate() {
            let task = task.map(|entries| repeated.drawn_on(entries, request.context_regions()));
            for &entry in task.iter().flatten() {
                repeated.entries[entry].tasks.push(task_idx);
            }
            repeated.tasks.push(task);
        }
        repeated
    }

    /// Returns those of a task's entries that the newest region of an interactive context is about;
    /// all of them when it is about what stands outside.
    fn drawn_on(&self, entries: Vec<usize>, context: &[Value]) -> Vec<usize> {
        let with_tags_of = |region: &Value| {
            let has = |entry: &&usize| self.entries[**entry].has_tags_of(region);
            let found: Vec<_> = entries.iter().filter(has).copied().collect();
            (!found.is_empty() && found.len() < entries.len()).then_some(found)
        };
        let found = context.iter().rev().find_map(with_tags_of);
        found.unwrap_or(entries)
    }

    fn predict(self, model: &dyn Model, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let failures = self.tasks.iter();
        let mut answers: Vec<Answers> = failures
            .map(|task| task.as_ref().map(|_| Vec::new()).map_err(Clone::clone))
            .collect();
        let is_asked = |entry: &&(usize, &Entry)| !entry.1.tasks.is_empty();
        let asked: Vec<_> = self.entries.iter().enumerate().collect();
        let asked: Vec<_> = asked.iter().filter(is_asked).collect();
        let mut first_error = None;
        let mut n_failed = 0;
        for (idx, entry) in asked.iter().copied() {
            match entry.predict(model, &self.request_of(entry, request)) {
                Ok(found) => {
                    for (&task, found) in entry.tasks.iter().zip(found) {
                        if let Ok(answers) = &mut answers[task] {
                            answers.push((*idx, found));
                        }
                    }
                }
                Err(error) => {
                    n_failed += 1;
                    for &task in &entry.tasks {
                        answers[task] = Err(format!("{error:#}"));
                    }
                    first_error = first_error.or(Some(error));
                }
            }
        }
        let has_all_failed = n_failed == asked.len() && self.tasks.iter().all(Result::is_ok);
        if let Some(error) = first_error.filter(|_| has_all_failed) {
            return Err(error);
        }
        if answers
            .iter()
            .all(|answers| matches!(answers, Ok(found) if found.is_empty()))
        {
            return Ok(Predictions::default());
        }
        let joined = answers.into_iter().map(|answers| match answers {
            Ok(answers) => self.joined(answers),
            Err(reason) => TaskPrediction::Failed(reason),
        });
        Ok(joined.collect())
    }

    /// Returns the part of a request that is about an entry.
    fn request_of(&self, entry: &Entry, request: &PredictRequest) -> PredictRequest {
        let is_elsewhere = |region: &Value| {
            let mut entries = self.entries.iter();
            !entry.has_tags_of(region) && entries.any(|entry| entry.has_tags_of(region))
        };
        let mut context = request.context.clone();
        let regions = context
            .as_mut()
            .and_then(|context| context.get_mut("result"));
        if let Some(regions) = regions.and_then(Value::as_array_mut) {
            regions.retain(|region| !is_elsewhere(region));
        }
        PredictRequest {
            tasks: entry
                .tasks
                .iter()
                .map(|&task| request.tasks[task].clone())
                .collect(),
            context,
            params: request.params.clone(),
        }
    }

    /// Joins the answers for the entries of a task. What stands outside of the repeated parts is
    /// answered with each entry, and counts once.
    fn joined(&self, mut answers: Vec<(usize, TaskPrediction)>) -> TaskPrediction {
        if answers.len() == 1 {
            return answers.remove(0).1;
        }
        let mut answered: HashSet<&str> = HashSet::new();
        let mut joined: Vec<Joined> = Vec::new();
        let (mut is_unscored, mut is_list) = (!answers.is_empty(), false);
        for (entry, answer) in answers {
            is_unscored &= matches!(answer, TaskPrediction::Unscored(_));
            let predictions = match answer {
                TaskPrediction::One(prediction) | TaskPrediction::Unscored(prediction) => {
                    vec![prediction]
                }
                TaskPrediction::Several(predictions) => {
                    is_list = true;
                    predictions
                }
                TaskPrediction::Failed(reason) => return TaskPrediction::Failed(reason),
            };
            for (idx, prediction) in predictions.into_iter().enumerate() {
                if idx == joined.len() {
                    joined.push(Joined::default());
                }
                joined[idx].add(prediction, &answered);
            }
            let controls = self.entries[entry].project.label_config().controls();
            answered.extend(controls.iter().map(|control| &*control.name));
        }
        let mut predictions = joined.into_iter().map(Joined::finish);
        if is_list {
            return TaskPrediction::Several(predictions.collect());
        }
        let prediction = predictions.next();
        let prediction = prediction.unwrap_or_else(|| Prediction::new([] as [Value; 0]));
        if is_unscored {
            TaskPrediction::Unscored(prediction)
        } else {
            TaskPrediction::One(prediction)
        }
    }
}

impl Entry {
    /// Returns whether the control or the object of a region is one of the entry's.
    fn has_tags_of(&self, region: &Value) -> bool {
        has_tags_of(self.project.label_config(), region)
    }

    /// Returns one prediction per task, or none at all.
    fn predict(
        &self,
        model: &dyn Model,
        request: &PredictRequest,
    ) -> anyhow::Result<Vec<TaskPrediction>> {
        let found = model.predict(&self.project, request)?.tasks;
        let (n_found, n_tasks) = (found.len(), request.tasks.len());
        anyhow::ensure!(
            n_found == 0 || n_found == n_tasks,
            "the model answered with {n_found} predictions for {n_tasks} tasks"
        );
        Ok(found)
    }
}

/// Returns whether the control or the object of a region is one of a label config.
fn has_tags_of(label_config: &LabelConfig, region: &Value) -> bool {
    let name = |field: &str| region.get(field).and_then(Value::as_str);
    name("from_name").is_some_and(|name| label_config.control(name).is_ok())
        || name("to_name").is_some_and(|name| label_config.object(name).is_ok())
}

/// A prediction, joined from those for several entries.
#[derive(Default)]
struct Joined {
    model_version: Option<String>,
    result: Vec<ResultEntry>,
    scores: Vec<Option<f64>>,
    /// Whether each score is the mean of the scores of its regions.
    is_other: bool,
}

impl Joined {
    fn add(&mut self, prediction: Prediction, answered: &HashSet<&str>) {
        let score = prediction.score;
        let prediction = prediction.with_mean_score();
        self.is_other |= score != prediction.score;
        self.scores.push(score);
        self.model_version = self.model_version.take().or(prediction.model_version);
        let is_new = |entry: &ResultEntry| match entry {
            ResultEntry::Region(region) => !answered.contains(&*region.from_name),
            ResultEntry::Other(value) => {
                let name = value.get("from_name").and_then(Value::as_str);
                name.is_none_or(|name| !answered.contains(name))
            }
            ResultEntry::Relation(_) => true,
        };
        let (kept, dropped): (Vec<_>, Vec<_>) = prediction.result.into_iter().partition(is_new);
        let dropped: HashSet<_> = dropped.iter().filter_map(id_of).collect();
        let is_whole = |entry: &ResultEntry| match entry {
            ResultEntry::Relation(relation) => {
                !dropped.contains(&*relation.from_id) && !dropped.contains(&*relation.to_id)
            }
            ResultEntry::Region(_) | ResultEntry::Other(_) => true,
        };
        self.result.extend(kept.into_iter().filter(is_whole));
    }

    fn finish(self) -> Prediction {
        let known: Vec<f64> = self.scores.iter().flatten().copied().collect();
        let mut prediction = Prediction {
            model_version: self.model_version,
            result: self.result,
            score: None,
        };
        if !self.is_other {
            return prediction.with_mean_score();
        }
        if !known.is_empty() {
            #[expect(clippy::cast_precision_loss, reason = "there are few entries")]
            let n_scores = known.len() as f64;
            prediction.score = Some(known.iter().sum::<f64>() / n_scores);
        }
        prediction
    }
}

fn id_of(entry: &ResultEntry) -> Option<&str> {
    match entry {
        ResultEntry::Region(region) => region.id.as_deref(),
        ResultEntry::Other(value) => value.get("id").and_then(Value::as_str),
        ResultEntry::Relation(_) => None,
    }
}
