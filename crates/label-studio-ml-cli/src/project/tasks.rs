//! Tasks of a project, read page by page, with what Label Studio has stored for them.

use std::collections::VecDeque;

use label_studio_sdk::{Client, Task, client::TaskQuery};
use serde::Deserialize;
use serde_json::Value;

use super::Patience;

const PAGE_SIZE: usize = 100;

/// A prediction that Label Studio has stored, as far as it is told apart from others.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct StoredPrediction {
    pub(crate) id: i64,
    #[serde(default)]
    pub(crate) model_version: Value,
}

impl StoredPrediction {
    /// Returns whether a version of a model made the prediction.
    pub(crate) fn is_of(&self, version: &str) -> bool {
        self.model_version.as_str() == Some(version)
    }
}

/// Returns the stored predictions of a task that came with them; those that cannot be read are left out.
pub(crate) fn stored_predictions(task: &Task) -> Vec<StoredPrediction> {
    let predictions = task.field("predictions").unwrap_or("[]");
    let predictions: Vec<Value> = serde_json::from_str(predictions).unwrap_or_default();
    let read = |prediction| serde_json::from_value(prediction).ok();
    predictions.into_iter().filter_map(read).collect()
}

/// Asks for tasks by their numbers, with annotations and predictions. Those that do not exist are left out.
pub(crate) fn tasks_of(
    client: &Client,
    project: i64,
    ids: &[i64],
    patience: &Patience<'_>,
) -> anyhow::Result<Vec<Task>> {
    let mut tasks = Vec::with_capacity(ids.len());
    for ids in ids.chunks(PAGE_SIZE) {
        let query = TaskQuery::of_ids(project, ids);
        tasks.extend(patience.ask(|| client.task_page(&query))?.tasks);
    }
    Ok(tasks)
}

/// Reads the tasks of a project in the order of their numbers, or of a list.
pub(crate) struct TaskSource {
    client: Client,
    project: i64,
    rest: Rest,
    page: VecDeque<Task>,
}

/// What has not been read yet.
enum Rest {
    After(i64),
    Ids(VecDeque<i64>),
    Nothing,
}

impl TaskSource {
    /// Reads all tasks whose number is above `id`.
    pub(crate) fn after(client: &Client, project: i64, id: i64) -> Self {
        Self::new(client, project, Rest::After(id))
    }

    /// Reads the tasks of a list.
    pub(crate) fn of_ids(client: &Client, project: i64, ids: Vec<i64>) -> Self {
        Self::new(client, project, Rest::Ids(ids.into()))
    }

    fn new(client: &Client, project: i64, rest: Rest) -> Self {
        Self {
            client: client.clone(),
            project,
            rest,
            page: VecDeque::new(),
        }
    }

    /// Returns the next task; `None` after the last.
    pub(crate) fn next(&mut self, patience: &Patience<'_>) -> anyhow::Result<Option<Task>> {
        while self.page.is_empty() {
            let tasks = match &mut self.rest {
                Rest::Nothing => return Ok(None),
                Rest::After(id) => {
                    let query = TaskQuery {
                        page_size: PAGE_SIZE,
                        ..TaskQuery::after(self.project, *id)
                    };
                    let mut tasks = patience.ask(|| self.client.task_page(&query))?.tasks;
                    tasks.retain(|task| task.id.is_some_and(|found| found > *id));
                    match tasks.iter().filter_map(|task| task.id).max() {
                        Some(last) => *id = last,
                        None => self.rest = Rest::Nothing,
                    }
                    tasks
                }
                Rest::Ids(ids) => {
                    let page: Vec<_> = ids.drain(..ids.len().min(PAGE_SIZE)).collect();
                    if page.is_empty() {
                        self.rest = Rest::Nothing;
                        return Ok(None);
                    }
                    let mut tasks = tasks_of(&self.client, self.project, &page, patience)?;
                    tasks.retain(|task| task.id.is_some());
                    let place = |task: &Task| page.iter().position(|id| task.id == Some(*id));
                    tasks.sort_by_key(place);
                    tasks
                }
            };
            self.page = tasks.into();
        }
        Ok(self.page.pop_front())
    }
}
