//! Requests for the custom routes of a model.

use std::{fmt, sync::Arc};

use label_studio_sdk::LabelConfig;
use serde_json::Value;

use crate::{project::Project, project_id::ProjectId, resources::Resources};

/// A request for a custom route.
#[derive(Clone)]
pub struct CustomRequest {
    /// Method, in capitals.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// Headers that are text: names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, which is JSON; null when there is none.
    pub body: Value,
    /// The store, Label Studio and the files of tasks.
    pub resources: Arc<Resources>,
}

/// The answer to a request for a custom route.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomReply {
    /// HTTP status.
    pub status: u16,
    /// What is sent as JSON.
    pub body: Value,
}

impl CustomRequest {
    /// Returns a header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }

    /// Returns the handle of a project, without its label config.
    pub fn project(&self, id: &str) -> Project {
        let label_config = LabelConfig::parse("<View></View>").expect("the text is XML");
        Project::new(
            ProjectId::parse(id),
            Arc::new(label_config),
            Arc::clone(&self.resources),
        )
    }
}

impl fmt::Debug for CustomRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl CustomReply {
    /// Creates an answer.
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, body }
    }
}
