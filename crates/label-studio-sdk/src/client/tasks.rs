//! Tasks of a project, read page by page.

use std::collections::HashSet;

use bytes::Bytes;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::{Client, ClientError, connection::shown};
use crate::{RawTasks, Task, TaskError};

const PAGE_SIZE: usize = 100;

/// Selects the tasks that have been completed, in the words of Label Studio's data manager.
fn labeled() -> Value {
    let filter = json!({
        "filter": "filter:tasks:completed_at", "operator": "empty", "value": false, "type": "Datetime",
    });
    json!({
        "filters": { "conjunction": "and", "items": [filter] },
        "ordering": [],
        "selectedItems": { "all": true, "excluded": [] },
    })
}

#[derive(Deserialize)]
struct RawTaskPage<'a> {
    #[serde(borrow)]
    tasks: RawTasks<'a>,
    total: Option<usize>,
}

/// Which tasks of a project to ask for, and how many at once.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskQuery {
    /// Number of the project.
    pub project: i64,
    /// Number of a tab of the data manager, whose filters and order apply instead of `selection`.
    pub view: Option<i64>,
    /// Filters, order and selected items in the words of the data manager; all tasks by number if `None`.
    pub selection: Option<Value>,
    /// Number of the page, from 1.
    pub page: usize,
    /// Tasks of a page.
    pub page_size: usize,
    /// Whether tasks come with their annotations and predictions.
    pub has_results: bool,
}

/// Tasks of one page.
#[derive(Debug, Clone, Default)]
pub struct TaskPage {
    /// The tasks; none when there is no such page.
    pub tasks: Vec<Task>,
    /// Tasks of all pages; `None` from old versions of Label Studio.
    pub total: Option<usize>,
}

impl TaskQuery {
    /// Asks for the first page of all tasks of a project, with annotations and predictions.
    pub fn new(project: i64) -> Self {
        Self {
            project,
            view: None,
            selection: None,
            page: 1,
            page_size: PAGE_SIZE,
            has_results: true,
        }
    }

    /// Asks for tasks whose number is above `id`, in the order of their numbers.
    ///
    /// Unlike a page's number this still means the same after tasks were deleted.
    pub fn after(project: i64, id: i64) -> Self {
        let filter = json!({
            "filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": id,
        });
        Self {
            selection: Some(json!({
                "filters": { "conjunction": "and", "items": [filter] },
                "ordering": [],
                "selectedItems": { "all": true, "excluded": [] },
            })),
            ..Self::new(project)
        }
    }

    /// Asks for tasks by their numbers. Those that do not exist are left out.
    pub fn of_ids(project: i64, ids: &[i64]) -> Self {
        Self {
            selection: Some(json!({
                "ordering": [],
                "selectedItems": { "all": false, "included": ids },
            })),
            page_size: ids.len().max(1),
            ..Self::new(project)
        }
    }
}

impl Client {
    /// Asks for one task with its annotations and predictions.
    ///
    /// Label Studio asks the ML backend for a prediction first when the task has none, so a model must not ask for a
    /// task while it predicts.
    pub fn task(&self, id: i64) -> Result<Task, ClientError> {
        self.get(&format!("api/tasks/{id}"), &[])
    }

    /// Replaces the data of a task, all of it.
    pub fn set_task_data(&self, id: i64, data: &Map<String, Value>) -> Result<(), ClientError> {
        let body = json!({ "data": data });
        let _: IgnoredAny = self.send(&Method::PATCH, &format!("api/tasks/{id}/"), &body)?;
        Ok(())
    }

    /// Asks for all tasks of a project with their annotations and predictions.
    pub fn tasks(&self, project: i64) -> Result<Vec<Task>, ClientError> {
        self.all_tasks(project, None)
    }

    /// Asks for the tasks of a project that have been completed, with their annotations and predictions.
    ///
    /// Links to cloud storage in their data are ready to be downloaded.
    pub fn labeled_tasks(&self, project: i64) -> Result<Vec<Task>, ClientError> {
        self.all_tasks(project, Some(&labeled()))
    }

    /// Asks for one page of tasks.
    ///
    /// Links to cloud storage in their data are ready to be downloaded. A page behind the last one has no tasks.
    pub fn task_page(&self, query: &TaskQuery) -> Result<TaskPage, ClientError> {
        let mut pairs = vec![
            ("project", query.project.to_string()),
            ("page", query.page.to_string()),
            ("page_size", query.page_size.to_string()),
            ("resolve_uri", "True".to_owned()),
        ];
        if query.has_results {
            pairs.push(("fields", "all".to_owned()));
        }
        if let Some(view) = query.view {
            pairs.push(("view", view.to_string()));
        } else if let Some(selection) = &query.selection {
            pairs.push(("query", selection.to_string()));
        }
        let (url, body) = match self.get_bytes("api/tasks", &pairs) {
            Err(error) if error.status() == Some(404) && query.page > 1 => {
                return Ok(TaskPage::default());
            }
            answer => answer?,
        };
        parse(&body).map_err(|source| ClientError::Task {
            url: shown(&url),
            source,
        })
    }

    /// Reads pages until one is missing, or adds nothing, or all that Label Studio has counted are there.
    fn all_tasks(&self, project: i64, selection: Option<&Value>) -> Result<Vec<Task>, ClientError> {
        let mut tasks = Vec::new();
        let mut ids = HashSet::new();
        for page in 1.. {
            let TaskPage {
                tasks: found,
                total,
            } = self.task_page(&TaskQuery {
                page,
                selection: selection.cloned(),
                ..TaskQuery::new(project)
            })?;
            let (n_found, n_before) = (found.len(), tasks.len());
            tasks.extend(
                found
                    .into_iter()
                    .filter(|task| task.id.is_none_or(|id| ids.insert(id))),
            );
            let is_last = total.map_or(n_found < PAGE_SIZE, |total| tasks.len() >= total);
            if is_last || tasks.len() == n_before {
                break;
            }
        }
        Ok(tasks)
    }
}

/// Reads a page; old versions of Label Studio send the bare list.
fn parse(body: &Bytes) -> Result<TaskPage, TaskError> {
    let text = std::str::from_utf8(body)?;
    if text.trim_start().starts_with('[') {
        return Ok(TaskPage {
            tasks: Task::parse_list(body)?,
            total: None,
        });
    }
    let page: RawTaskPage<'_> = serde_json::from_str(text)?;
    Ok(TaskPage {
        tasks: page.tasks.into_tasks(body),
        total: page.total,
    })
}
