//! Webhooks that Label Studio sends events to.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::{Client, ClientError};

/// A webhook of a project.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    /// Number of the webhook.
    pub id: i64,
    /// Address that events are sent to.
    pub url: String,
    /// Headers sent with each event. They may hold credentials.
    #[serde(default, deserialize_with = "super::nullable::null_as_default")]
    pub headers: BTreeMap<String, String>,
    /// Whether events are sent at all.
    #[serde(default)]
    pub is_active: bool,
    /// Whether events carry more than their action: the annotation, the task, the project.
    #[serde(default = "yes")]
    pub send_payload: bool,
    /// Whether all actions are sent, instead of those in `actions` only.
    #[serde(default = "yes")]
    pub send_for_all_actions: bool,
    /// Actions that are sent, such as `ANNOTATION_CREATED`, unless all are.
    #[serde(default, deserialize_with = "super::nullable::null_as_default")]
    pub actions: Vec<String>,
    /// Fields that the SDK does not know, kept as they came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("url", &self.url)
            .field("headers", &self.headers.keys())
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Asks for the webhooks of a project.
    pub fn webhooks(&self, project: i64) -> Result<Vec<Webhook>, ClientError> {
        self.get("api/webhooks/", &[("project", project.to_string())])
    }

    /// Replaces the headers that Label Studio sends with the events of a webhook.
    pub fn update_webhook_headers(
        &self,
        webhook: i64,
        headers: &BTreeMap<String, String>,
    ) -> Result<(), ClientError> {
        self.update_webhook(webhook, &json!({ "headers": headers }))
    }

    /// Changes fields of a webhook, such as `{"is_active": true}`.
    pub fn update_webhook(&self, webhook: i64, changes: &Value) -> Result<(), ClientError> {
        let path = format!("api/webhooks/{webhook}");
        self.send::<IgnoredAny>(&Method::PATCH, &path, changes)?;
        Ok(())
    }

    /// Creates a webhook that sends all actions of a project with their payload, as Label Studio does for an ML backend.
    ///
    /// Label Studio refuses addresses that it must not call.
    pub fn create_webhook(&self, project: i64, url: &str) -> Result<(), ClientError> {
        let webhook = json!({
            "project": project,
            "url": url,
            "is_active": true,
            "send_payload": true,
            "send_for_all_actions": true,
        });
        self.send::<IgnoredAny>(&Method::POST, "api/webhooks/", &webhook)?;
        Ok(())
    }
}

/// What Label Studio means where it leaves a switch out.
fn yes() -> bool {
    true
}
