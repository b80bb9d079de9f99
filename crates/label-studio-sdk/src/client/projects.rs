//! Projects of Label Studio.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::{Client, ClientError};

const PAGE_SIZE: usize = 100;

/// A project as Label Studio's API describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectInfo {
    /// Number of the project.
    pub id: i64,
    /// Name of the project.
    #[serde(default, deserialize_with = "super::nullable::null_as_default")]
    pub title: String,
    /// Label config of the project, as XML.
    #[serde(default, deserialize_with = "super::nullable::null_as_default")]
    pub label_config: String,
    /// Fields that the SDK does not know, kept as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[derive(Deserialize)]
struct ProjectPage {
    results: Vec<ProjectInfo>,
    #[serde(default)]
    next: Option<String>,
}

impl Client {
    /// Asks for one project.
    pub fn project(&self, id: i64) -> Result<ProjectInfo, ClientError> {
        self.get(&format!("api/projects/{id}"), &[])
    }

    /// Makes a project.
    pub fn create_project(
        &self,
        title: &str,
        label_config: &str,
    ) -> Result<ProjectInfo, ClientError> {
        let project = json!({ "title": title, "label_config": label_config });
        self.send(&Method::POST, "api/projects/", &project)
    }

    /// Asks for all projects that the token's owner can see.
    pub fn projects(&self) -> Result<Vec<ProjectInfo>, ClientError> {
        let mut projects = Vec::new();
        for page in 1_u32.. {
            let query = [
                ("page", page.to_string()),
                ("page_size", PAGE_SIZE.to_string()),
            ];
            let answer: ProjectPage = self.get("api/projects", &query)?;
            let is_last = answer.next.is_none() || answer.results.is_empty();
            projects.extend(answer.results);
            if is_last {
                break;
            }
        }
        Ok(projects)
    }
}
