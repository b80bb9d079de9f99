//! ML backends that are connected to a project.

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::{Client, ClientError};

/// An ML backend as Label Studio sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MlBackend {
    /// Number of the ML backend.
    pub id: i64,
    /// Address that Label Studio calls.
    pub url: String,
    /// Name of the ML backend.
    #[serde(default, deserialize_with = "super::nullable::null_as_default")]
    pub title: String,
    /// `CO` connected, `DI` disconnected, `ER` error, `TR` training.
    #[serde(default, deserialize_with = "super::nullable::null_as_default")]
    pub state: String,
    /// Why it is in error.
    #[serde(default)]
    pub error_message: Option<String>,
    /// Model version that the last setup answered with.
    #[serde(default)]
    pub model_version: Option<String>,
    /// Whether it is asked for predictions while a user labels.
    #[serde(default)]
    pub is_interactive: bool,
    /// Fields that the SDK does not know, kept as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Client {
    /// Asks for the ML backends of a project.
    ///
    /// Label Studio calls the health check and the setup of each one before it answers, so a model must not ask for
    /// this while it is being set up.
    pub fn ml_backends(&self, project: i64) -> Result<Vec<MlBackend>, ClientError> {
        self.get("api/ml", &[("project", project.to_string())])
    }

    /// Connects an ML backend to a project. `fields` are those of Label Studio's API: `url`, `title`,
    /// `is_interactive`, `auth_method`, ...
    ///
    /// Label Studio calls the backend's health check and setup first, stores nothing if one of them fails, and sends
    /// the project's events to it afterwards.
    pub fn create_ml_backend(
        &self,
        project: i64,
        fields: &Map<String, Value>,
    ) -> Result<(), ClientError> {
        let mut body = json!({ "project": project });
        for (name, value) in fields {
            body[name] = value.clone();
        }
        self.send::<IgnoredAny>(&Method::POST, "api/ml", &body)?;
        Ok(())
    }

    /// Changes fields of an ML backend of a project, such as `is_interactive`.
    ///
    /// Label Studio calls the backend's health check and setup before it stores anything.
    pub fn update_ml_backend(
        &self,
        project: i64,
        backend: &MlBackend,
        changes: &Map<String, Value>,
    ) -> Result<(), ClientError> {
        // Without its address and project Label Studio answers 500.
        let mut body = json!({ "url": backend.url, "project": project });
        for (name, value) in changes {
            body[name] = value.clone();
        }
        let path = format!("api/ml/{}", backend.id);
        self.send::<IgnoredAny>(&Method::PATCH, &path, &body)?;
        Ok(())
    }
}
