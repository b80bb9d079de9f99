//! Connect checks, run once when Label Studio connects a project: the log names what would fail
//! later, and the project's webhook gets the backend's credentials.

use std::{
    collections::HashSet,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use label_studio_sdk::{Client, ClientError, LabelConfig};
use lru::LruCache;

use crate::server::calls::projects::SeenProject;

const AUTHORIZATION: &str = "Authorization";
/// Problems of one label config that are logged.
const MAX_PROBLEMS: usize = 10;
/// Attempts before a check gives up: Label Studio calls `/setup` at every refresh of a page.
const MAX_ATTEMPTS: u32 = 5;

/// Projects whose checks are remembered.
const MAX_PROJECTS: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");

/// Checks projects that connect, and remembers the results.
pub(crate) struct ConnectChecks {
    webhook_header: Option<WebhookHeader>,
    client: Option<Client>,
    state: Mutex<State>,
}

/// A header that webhooks must have.
#[derive(Debug, Clone)]
pub(crate) struct WebhookHeader {
    name: &'static str,
    value: String,
}

struct State {
    /// The backend's own token, which Label Studio may or may not accept.
    token: Attempts,
    /// Projects that are being checked now.
    running: HashSet<Box<str>>,
    /// By project: the address of the backend that its webhooks must point to, and the attempts to
    /// find one.
    webhooks: LruCache<Box<str>, (Box<str>, Attempts)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            token: Attempts::default(),
            running: HashSet::new(),
            webhooks: LruCache::new(MAX_PROJECTS),
        }
    }
}

/// Counts the attempts of a check, which is done once it succeeded or failed too often.
#[derive(Default)]
struct Attempts {
    n_made: u32,
    is_done: bool,
}

impl Attempts {
    /// Counts an attempt. Returns whether it was the last one, and failed.
    fn count(&mut self, worked: bool) -> bool {
        self.n_made += 1;
        self.is_done = worked || self.n_made >= MAX_ATTEMPTS;
        self.is_done && !worked
    }
}

impl ConnectChecks {
    pub(crate) fn new(webhook_header: Option<WebhookHeader>, client: Option<Client>) -> Self {
        Self {
            webhook_header,
            client,
            state: Mutex::default(),
        }
    }

    /// Starts the checks of a project in the background: Label Studio waits for the answer to
    /// `/setup`, which a slow Label Studio must not delay. A check that succeeded is not repeated.
    pub(crate) fn start(self: &Arc<Self>, project: &Arc<SeenProject>, headers: &HeaderMap) {
        if project.take_report() {
            let project = Arc::clone(project);
            tokio::task::spawn_blocking(move || report_label_config(&project));
        }
        let Some(client) = &self.client else {
            return;
        };
        let Ok(number) = project.project.number() else {
            return;
        };
        let id: Box<str> = project.project.id().as_str().into();
        let address = own_address(headers);
        if self.is_done(&id, address.as_deref()) || !self.enter(&id) {
            return;
        }
        let (checks, client) = (Arc::clone(self), client.clone());
        tokio::task::spawn_blocking(move || {
            checks.run(&client, number, &id, address.as_deref());
            checks.state().running.remove(&id);
        });
    }

    fn is_done(&self, id: &str, address: Option<&str>) -> bool {
        let state = self.state();
        let webhook_is_done = || match (&self.webhook_header, address) {
            (Some(_), Some(address)) => state
                .webhooks
                .peek(id)
                .is_some_and(|(known, attempts)| **known == *address && attempts.is_done),
            (None, _) | (_, None) => true,
        };
        state.token.is_done && webhook_is_done()
    }

    fn enter(&self, id: &str) -> bool {
        self.state().running.insert(id.into())
    }

    fn run(&self, client: &Client, number: i64, id: &str, address: Option<&str>) {
        if !self.state().token.is_done {
            let accepted = client.whoami();
            self.state().token.count(accepted.is_ok());
            if let Err(error) = accepted {
                let error = anyhow::Error::from(error);
                tracing::warn!("uploaded files and annotations are not available: {error:#}");
                return;
            }
        }
        let (Some(header), Some(address)) = (&self.webhook_header, address) else {
            return;
        };
        let put = put_header(client, number, address, header);
        let was_last = self.count_webhook(id, address, matches!(put, Ok(true)));
        let reason = match put {
            // Label Studio makes the webhook after the first of the two setups of a new connection.
            Ok(false) if was_last => format!("no webhook of the project points to {address}"),
            Ok(_) => return,
            Err(error) => format!("{:#}", anyhow::Error::from(error)),
        };
        tracing::warn!(
            project = id,
            "annotation events will be refused: {reason}; \
             give the project's webhook the header {}",
            header.advice()
        );
    }

    fn count_webhook(&self, id: &str, address: &str, worked: bool) -> bool {
        let mut state = self.state();
        let (known, attempts) = state
            .webhooks
            .get_or_insert_mut(id.into(), Default::default);
        if **known != *address {
            (*known, *attempts) = (address.into(), Attempts::default());
        }
        attempts.count(worked)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Logs what Label Studio itself would report of the label config, and what keeps a model from
/// labelling.
fn report_label_config(project: &SeenProject) {
    let id = project.project.id();
    let config: &LabelConfig = project.project.label_config();
    let tags: Vec<_> = config
        .controls()
        .iter()
        .map(|control| control.tag.as_str())
        .collect();
    tracing::info!(project = %id, controls = tags.join(","), "Label Studio connected the project");
    if config.controls().is_empty() {
        tracing::warn!(
            project = %id,
            "the label config has no control tags yet: set up the labelling interface in the project's settings"
        );
    }
    let problems = project.alone(|| config.problems());
    for problem in problems.iter().take(MAX_PROBLEMS) {
        tracing::warn!(project = %id, "label config: {problem}");
    }
}

impl WebhookHeader {
    pub(crate) fn new(name: &'static str, value: &str) -> Self {
        Self {
            name,
            value: value.to_owned(),
        }
    }

    pub(crate) fn basic_auth(user: &str, pass: &str) -> Self {
        let credentials = BASE64_STANDARD.encode(format!("{user}:{pass}"));
        Self::new(AUTHORIZATION, &format!("Basic {credentials}"))
    }

    /// Returns what to put on a webhook by hand.
    fn advice(&self) -> &'static str {
        if self.name == AUTHORIZATION {
            "Authorization with the backend's user and password"
        } else {
            "X-Webhook-Secret with the value of WEBHOOK_SECRET"
        }
    }
}

/// Puts the header on the webhooks that point to the backend at `address`. Returns whether there is
/// any.
fn put_header(
    client: &Client,
    project: i64,
    address: &str,
    header: &WebhookHeader,
) -> Result<bool, ClientError> {
    let mut found = false;
    for webhook in client.webhooks(project)? {
        if !points_to(&webhook.url, address) {
            continue;
        }
        found = true;
        let mut headers = webhook.headers;
        // Credentials in the URL take precedence over headers.
        let is_overridden = header.name == AUTHORIZATION && webhook.url.contains('@');
        if headers.get(header.name) == Some(&header.value) || is_overridden {
            continue;
        }
        headers.insert(header.name.to_owned(), header.value.clone());
        client.update_webhook_headers(webhook.id, &headers)?;
        tracing::info!(
            project,
            "the project's webhook has the backend's credentials now"
        );
    }
    Ok(found)
}

/// Returns whether a webhook points to the backend at `address`, a host with or without port.
fn points_to(url: &str, address: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let plain = |host: &str| {
        let host = host
            .strip_suffix(":80")
            .or_else(|| host.strip_suffix(":443"))
            .unwrap_or(host);
        host.to_ascii_lowercase()
    };
    plain(host) == plain(address) && path.trim_end_matches('/').ends_with("webhook")
}

/// Returns the address that the caller uses for the backend, also behind a proxy.
fn own_address(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    text("x-forwarded-host").or_else(|| text(header::HOST.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_projects_take_no_more_memory() {
        let checks = ConnectChecks::new(None, None);
        for project in 0..10_000 {
            checks.count_webhook(&project.to_string(), "localhost:9090", true);
        }
        let state = checks.state();
        assert_eq!(state.webhooks.len(), MAX_PROJECTS.get());
        assert!(state.webhooks.contains("9999"));
    }
}
