//! What was expected and what was predicted, task by task.

use label_studio_sdk::{Annotation, Region, ResultEntry, Task};
use serde::Deserialize;
use serde_json::Value;

use crate::project::{Model, Outcome, Target};

/// Tasks of a request to the backend.
const BATCH_SIZE: usize = 32;

/// The regions of a task.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) task: i64,
    pub(super) expected: Vec<Region>,
    pub(super) predicted: Vec<Region>,
    /// Score of the whole prediction, for regions without one.
    pub(super) score: f64,
}

/// Pairs with the predictions of one model version.
#[derive(Debug)]
pub(super) struct VersionPairs {
    pub(super) model_version: String,
    pub(super) pairs: Vec<Pair>,
    /// Number of the newest prediction.
    newest: i64,
}

/// Everything that is compared.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Tasks with an annotation to compare with.
    pub(super) n_annotated: usize,
    /// By model version, that of the newest prediction last.
    pub(super) versions: Vec<VersionPairs>,
}

#[derive(Debug, Deserialize)]
struct Stored {
    #[serde(default)]
    id: i64,
    #[serde(default)]
    model_version: Value,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    score: Option<f64>,
}

/// Reads tasks to the end, and has them predicted if a model is given.
pub(super) fn collect(
    next: &mut dyn FnMut() -> anyhow::Result<Option<Task>>,
    limit: usize,
    model: Option<(&Model<'_>, &Target)>,
) -> anyhow::Result<Collected> {
    let mut collected = Collected::default();
    let mut waiting = Vec::new();
    while collected.n_annotated < limit {
        let Some(task) = next()? else { break };
        let Some(expected) = expected(&task) else {
            continue;
        };
        collected.n_annotated += 1;
        match model {
            None => collected.add_stored(&task, &expected),
            Some((model, target)) => {
                waiting.push((task, expected));
                if waiting.len() == BATCH_SIZE {
                    collected.add_predicted(&mut waiting.drain(..), model, target)?;
                }
            }
        }
    }
    if let Some((model, target)) = model
        && !waiting.is_empty()
    {
        collected.add_predicted(&mut waiting.into_iter(), model, target)?;
    }
    collected.versions.sort_by_key(|version| version.newest);
    Ok(collected)
}

impl Collected {
    /// Adds the newest stored prediction of each version.
    fn add_stored(&mut self, task: &Task, expected: &[Region]) {
        let predictions = task.field("predictions").unwrap_or("[]");
        let predictions: Vec<Value> = serde_json::from_str(predictions).unwrap_or_default();
        let read = |prediction| serde_json::from_value::<Stored>(prediction).ok();
        let mut predictions: Vec<_> = predictions.into_iter().filter_map(read).collect();
        predictions.sort_by_key(|prediction| prediction.id);
        for prediction in predictions {
            let version = match &prediction.model_version {
                Value::String(version) => version.clone(),
                Value::Null => "without a version".to_owned(),
                version => version.to_string(),
            };
            let pair = Pair {
                task: task.id.unwrap_or_default(),
                expected: expected.to_vec(),
                predicted: regions(&prediction.result),
                score: prediction.score.unwrap_or_default(),
            };
            self.add(&version, prediction.id, pair);
        }
    }

    fn add_predicted(
        &mut self,
        waiting: &mut dyn Iterator<Item = (Task, Vec<Region>)>,
        model: &Model<'_>,
        target: &Target,
    ) -> anyhow::Result<()> {
        let (tasks, expected): (Vec<_>, Vec<_>) = waiting.unzip();
        let outcomes = model.predict(&tasks, target)?;
        for ((task, expected), outcome) in tasks.iter().zip(expected).zip(outcomes) {
            let Outcome::Predicted(predictions) = outcome else {
                continue;
            };
            let Some(prediction) = predictions.into_iter().next() else {
                continue;
            };
            let regions = prediction.result.into_iter().filter_map(region);
            let pair = Pair {
                task: task.id.unwrap_or_default(),
                expected,
                predicted: regions.collect(),
                score: prediction.score.unwrap_or_default(),
            };
            let version = prediction.model_version.unwrap_or_default();
            self.add(&version, 0, pair);
        }
        Ok(())
    }

    /// Adds a pair, which replaces an older one of the same task and version.
    fn add(&mut self, version: &str, id: i64, pair: Pair) {
        let known = self.versions.iter_mut();
        let known = { known }.find(|known| known.model_version == version);
        let Some(known) = known else {
            self.versions.push(VersionPairs {
                model_version: version.to_owned(),
                pairs: vec![pair],
                newest: id,
            });
            return;
        };
        known.newest = known.newest.max(id);
        match known.pairs.last_mut() {
            Some(last) if last.task == pair.task => *last = pair,
            _ => known.pairs.push(pair),
        }
    }
}

/// Returns the regions to compare with: of the ground truth, else of the newest annotation that was not skipped.
fn expected(task: &Task) -> Option<Vec<Region>> {
    let annotations = task.annotations().ok()?;
    let mut annotations: Vec<Annotation> = annotations
        .into_iter()
        .filter(|annotation| !annotation.is_skipped())
        .collect();
    annotations.sort_by_key(|annotation| (annotation.ground_truth, annotation.id));
    let chosen = annotations.pop()?;
    Some(chosen.result.into_iter().filter_map(region).collect())
}

fn region(entry: ResultEntry) -> Option<Region> {
    match entry {
        ResultEntry::Region(region) => Some(region),
        ResultEntry::Relation(_) | ResultEntry::Other(_) => None,
    }
}

fn regions(result: &Value) -> Vec<Region> {
    let entries = result.as_array().cloned().unwrap_or_default();
    entries
        .into_iter()
        .map(ResultEntry::from)
        .filter_map(region)
        .collect()
}
