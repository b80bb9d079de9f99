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
        let path = format!("api/webhooks/{webhook}");
        self.send::<IgnoredAny>(&Method::PATCH, &path, &json!({ "headers": headers }))?;
        Ok(())
    }
}
