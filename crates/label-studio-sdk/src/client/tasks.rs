//! Tasks of a project, read page by page.

use std::collections::HashSet;

use bytes::Bytes;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};
use ureq::http::Method;

use super::{Client, ClientError, connection::shown};
use crate::{RawTasks, Task, TaskError};

const PAGE_SIZE: usize = 100;

/// Selects the tasks that have been completed, in the words of Label Studio's data manager.
const LABELED: &str = concat!(
    r#"{"filters":{"conjunction":"and","items":[{"filter":"filter:tasks:completed_at","#,
    r#""operator":"empty","value":false,"type":"Datetime"}]},"#,
    r#""ordering":[],"selectedItems":{"all":true,"excluded":[]}}"#
);

#[derive(Deserialize)]
struct TaskPage<'a> {
    #[serde(borrow)]
    tasks: RawTasks<'a>,
    total: Option<usize>,
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
        let body = serde_json::json!({ "data": data });
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
        self.all_tasks(project, Some(LABELED))
    }

    /// Reads pages until one is missing, or adds nothing, or all that Label Studio has counted are there.
    fn all_tasks(&self, project: i64, selection: Option<&str>) -> Result<Vec<Task>, ClientError> {
        let mut tasks = Vec::new();
        let mut ids = HashSet::new();
        for page in 1_u32.. {
            let mut query = vec![
                ("project", project.to_string()),
                ("page", page.to_string()),
                ("page_size", PAGE_SIZE.to_string()),
                ("fields", "all".to_owned()),
                ("resolve_uri", "True".to_owned()),
            ];
            query.extend(selection.map(|selection| ("query", selection.to_owned())));
            let (url, body) = match self.get_bytes("api/tasks", &query) {
                Err(error) if error.status() == Some(404) && page > 1 => break,
                answer => answer?,
            };
            let (found, total) = parse(&body).map_err(|source| ClientError::Task {
                url: shown(&url),
                source,
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
fn parse(body: &Bytes) -> Result<(Vec<Task>, Option<usize>), TaskError> {
    let text = std::str::from_utf8(body)?;
    if text.trim_start().starts_with('[') {
        return Ok((Task::parse_list(body)?, None));
    }
    let page: TaskPage<'_> = serde_json::from_str(text)?;
    Ok((page.tasks.into_tasks(body), page.total))
}
