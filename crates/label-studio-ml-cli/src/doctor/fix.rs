//! Changes of a project's settings in Label Studio.

use label_studio_sdk::{Client, ClientError, client::MlBackend};
use serde_json::{Map, Value};

/// A change that resolves a finding.
#[derive(Debug)]
pub(super) enum Fix {
    /// Connects a backend with these fields.
    ConnectBackend { fields: Map<String, Value> },
    /// Changes fields of the backend as the project knows it.
    UpdateBackend {
        backend: Box<MlBackend>,
        changes: Map<String, Value>,
    },
    /// Sends the project's events to an address.
    CreateWebhook { url: String },
    /// Changes fields of a webhook.
    UpdateWebhook { id: i64, changes: Value },
}

impl Fix {
    /// Makes the change in a project.
    pub(super) fn apply(&self, client: &Client, project: i64) -> Result<(), ClientError> {
        match self {
            Self::ConnectBackend { fields } => client.create_ml_backend(project, fields),
            Self::UpdateBackend { backend, changes } => {
                client.update_ml_backend(project, backend, changes)
            }
            Self::CreateWebhook { url } => client.create_webhook(project, url),
            Self::UpdateWebhook { id, changes } => client.update_webhook(*id, changes),
        }
    }
}
