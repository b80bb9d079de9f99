//! Checks whether annotation events reach the backend.

use label_studio_sdk::client::Webhook;
use serde_json::{Map, Value, json};

use super::connection::without_credentials;
use crate::doctor::{
    fix::Fix,
    release::Release,
    report::{Finding, chain},
    state::Doctor,
};

/// Actions from which models learn.
const ACTIONS: [&str; 4] = [
    "ANNOTATION_CREATED",
    "ANNOTATION_UPDATED",
    "ANNOTATIONS_CREATED",
    "ANNOTATIONS_DELETED",
];

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
        let expected_ones = webhooks
            .iter()
            .filter(|webhook| without_credentials(&webhook.url) == expected);
        let Some(webhook) = expected_ones.max_by_key(|webhook| webhook.is_active) else {
            let advice = if self.is_before(Release::REFUSES_PRIVATE_ADDRESSES) {
                "remove and connect the backend again"
            } else {
                "if the address is private, start Label Studio with SSRF_PROTECTION_ENABLED=false, then remove and \
                 connect the backend again"
            };
            return Finding::Fixable {
                fault: format!(
                    "the project has none to {expected}, so annotations do not reach the model; {advice}"
                ),
                fix: Fix::CreateWebhook {
                    url: format!("{}/webhook", connected.url.trim_end_matches('/')),
                },
            };
        };
        if let Some((fault, changes)) = wrong_switches(webhook) {
            return Finding::Fixable {
                fault: format!(
                    "the one to {expected} {fault}; change it in the project's settings, under Webhooks"
                ),
                fix: Fix::UpdateWebhook {
                    id: webhook.id,
                    changes: changes.into(),
                },
            };
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
            Ok(reply) if reply.status == 401 => self.suggest_headers(webhook),
            Ok(reply) if reply.status < 300 => Finding::Fine("events reach the backend".to_owned()),
            Ok(reply) => Finding::Failure(format!(
                "/webhook answers {}: {}",
                reply.status,
                reply.detail()
            )),
            Err(error) => Finding::Failure(format!("no answer to /webhook: {error:#}")),
        }
    }

    fn suggest_headers(&self, webhook: &Webhook) -> Finding {
        let carried = if webhook.headers.is_empty() {
            "none"
        } else {
            "others"
        };
        let fault = format!("the backend requires credentials, and events carry {carried}");
        let Some(authorization) = &self.backend.authorization else {
            return Finding::Failure(format!(
                "{fault}; PATCH /api/webhooks/{} with {{\"headers\": {{\"Authorization\": \"Basic ...\"}}}}, or give \
                 the backend LABEL_STUDIO_API_KEY and it does so itself",
                webhook.id
            ));
        };
        let mut headers = webhook.headers.clone();
        headers.insert("Authorization".to_owned(), authorization.clone());
        Finding::Fixable {
            fault: format!(
                "{fault}; the backend adds them itself when it has LABEL_STUDIO_API_KEY"
            ),
            fix: Fix::UpdateWebhook {
                id: webhook.id,
                changes: json!({ "headers": headers }),
            },
        }
    }
}

/// Returns what is wrong with the switches of a webhook, and the changes that correct all of them.
fn wrong_switches(webhook: &Webhook) -> Option<(String, Map<String, Value>)> {
    let mut faults = Vec::new();
    let mut changes = Map::new();
    let mut wrong = |fault: String, switch: &str| {
        faults.push(fault);
        changes.insert(switch.to_owned(), true.into());
    };
    if !webhook.is_active {
        wrong("is switched off".to_owned(), "is_active");
    }
    if !webhook.send_payload {
        let fault = "sends no payload, so that the model gets no annotations";
        wrong(fault.to_owned(), "send_payload");
    }
    let is_missing = |action: &&&str| !webhook.actions.iter().any(|sent| sent == **action);
    let missing: Vec<_> = ACTIONS.iter().filter(is_missing).copied().collect();
    if !webhook.send_for_all_actions && !missing.is_empty() {
        let fault = format!("does not send {}", missing.join(", "));
        wrong(fault, "send_for_all_actions");
    }
    (!faults.is_empty()).then(|| (faults.join(", and "), changes))
}
