//! Checks whether annotation events reach the backend.

use label_studio_sdk::client::Webhook;
use serde_json::json;

use super::connection::without_credentials;
use crate::doctor::{
    report::{Finding, chain},
    state::Doctor,
};

impl Doctor {
    pub(super) fn check_webhook(&mut self) -> Finding {
        let (Some(client), Some(project), Some(connected)) =
            (&self.client, &self.project, &self.connected)
        else {
            return Finding::Skipped("needs a connected backend");
        };
        let webhooks = match client.webhooks(project.id) {
            Ok(webhooks) => webhooks,
            Err(error) => return Finding::Failure(chain(error)),
        };
        let expected = format!("{}/webhook", without_credentials(&connected.url));
        let is_expected = |webhook: &&Webhook| without_credentials(&webhook.url) == expected;
        let Some(webhook) = webhooks.iter().find(is_expected) else {
            return Finding::Failure(format!(
                "the project has none to {expected}, so annotations do not reach the model; start Label Studio with \
                 SSRF_PROTECTION_ENABLED=false if the address is private, then remove and connect the backend again"
            ));
        };
        if !webhook.is_active {
            return Finding::Failure(format!(
                "the one to {expected} is switched off; switch it on in the project's settings, under Webhooks"
            ));
        }
        if self.is_up {
            self.try_webhook(webhook)
        } else {
            Finding::Fine(expected)
        }
    }

    /// Sends an event that no model handles, with the headers that Label Studio sends.
    fn try_webhook(&self, webhook: &Webhook) -> Finding {
        let event = json!({ "action": "DOCTOR" });
        let has_credentials_in_url = webhook.url.contains('@');
        let headers = webhook
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        match self.backend.post_with(headers, "webhook", &event) {
            Ok(reply) if reply.status == 401 && has_credentials_in_url => {
                Finding::Fine("events carry the credentials in the backend's address".to_owned())
            }
            Ok(reply) if reply.status == 401 => Finding::Failure(format!(
                "the backend requires credentials, and events carry {}; PATCH /api/webhooks/{} with \
                 {{\"headers\": {{\"Authorization\": \"Basic ...\"}}}}, or give the backend LABEL_STUDIO_API_KEY \
                 and it does so itself",
                if webhook.headers.is_empty() {
                    "none"
                } else {
                    "others"
                },
                webhook.id
            )),
            Ok(reply) if reply.status < 300 => Finding::Fine("events reach the backend".to_owned()),
            Ok(reply) => Finding::Failure(format!(
                "/webhook answers {}: {}",
                reply.status,
                reply.detail()
            )),
            Err(error) => Finding::Failure(format!("no answer to /webhook: {error:#}")),
        }
    }
}
