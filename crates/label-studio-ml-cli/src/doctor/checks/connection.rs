//! Checks whether the backend is connected to the project, and in which state.

use label_studio_sdk::{LabelConfig, client::MlBackend};
use serde_json::Value;
use url::Url;

use crate::doctor::{
    click::is_smart,
    fix::Fix,
    release::Release,
    report::{Finding, chain},
    state::{Doctor, Treatment},
};

impl Doctor {
    pub(super) fn check_connection(&mut self) -> Finding {
        let (Some(client), Some(project)) = (&self.client, &self.project) else {
            return Finding::Skipped("needs a project");
        };
        let backends = match client.ml_backends(project.id) {
            Ok(backends) => backends,
            Err(error) => return Finding::Failure(chain(error)),
        };
        let Some(connected) = find(&backends, &self.backend.url) else {
            return self.suggest_connecting(&backends);
        };
        if let Some(finding) = self.suggest_new_address(connected) {
            return finding;
        }
        self.connected = Some(connected.clone());
        let url = without_credentials(&connected.url);
        let reason = connected
            .error_message
            .as_deref()
            .unwrap_or("it gives no reason");
        if connected.state == "DI" && self.lacks_credentials(connected) {
            return self.suggest_credentials(connected);
        }
        if connected.state == "DI" {
            return Finding::Failure(format!(
                "Label Studio does not reach {url}: {reason}; from a container localhost is the container itself, \
                 so connect http://host.docker.internal:PORT or this machine's name"
            ));
        }
        if connected.state == "ER" {
            return Finding::Failure(format!(
                "Label Studio reports an error: {reason}; see the backend's log"
            ));
        }
        match backends.first() {
            Some(asked) if asked.id != connected.id => Finding::Warning(format!(
                "{url} is connected, but Label Studio asks only the project's first ML backend, {}, for predictions",
                without_credentials(&asked.url)
            )),
            _ => Finding::Fine(format!("{url} is connected as {:?}", connected.title)),
        }
    }
}

impl Doctor {
    /// Returns the finding for a backend that the project does not know, but perhaps others.
    fn suggest_connecting(&self, others: &[MlBackend]) -> Finding {
        let others: Vec<_> = others
            .iter()
            .map(|backend| without_credentials(&backend.url))
            .collect();
        let others = if others.is_empty() {
            String::new()
        } else {
            format!(" (but {})", others.join(", "))
        };
        let url = self.backend.shown_url();
        let fault = format!("the project has no ML backend at {url}{others}");
        let Treatment::Connect { title } = &self.treatment else {
            return Finding::Warning(format!(
                "{fault}; connect it in the project's settings, under Model, or with `label-studio-ml connect`"
            ));
        };
        if !self.is_up {
            return Finding::Skipped("needs a backend that answers");
        }
        let title = title.as_ref().or(self.model_class.as_ref());
        let mut controls = self.label_config.iter().flat_map(LabelConfig::controls);
        let is_interactive = controls.any(is_smart);
        Finding::Fixable {
            fix: Fix::ConnectBackend {
                fields: self.with_credentials([
                    ("url", url.into()),
                    ("title", title.map_or("backend", String::as_str).into()),
                    ("is_interactive", is_interactive.into()),
                ]),
            },
            fault,
        }
    }

    /// Returns the finding for a backend that has moved to the address which is to be connected.
    fn suggest_new_address(&self, connected: &MlBackend) -> Option<Finding> {
        let url = self.backend.shown_url();
        let is_moved = connected.state == "DI"
            && matches!(self.treatment, Treatment::Connect { .. })
            && without_credentials(&connected.url) != url;
        is_moved.then(|| Finding::Fixable {
            fault: format!(
                "Label Studio does not reach {}, the backend's address so far",
                without_credentials(&connected.url)
            ),
            fix: Fix::UpdateBackend {
                backend: Box::new(connected.clone()),
                changes: self.with_credentials([("url", url.into())]),
            },
        })
    }

    /// Returns whether the backend requires credentials that Label Studio does not have.
    fn lacks_credentials(&self, connected: &MlBackend) -> bool {
        let is_stored = connected.extra.get("basic_auth_pass_is_set");
        let health = self.backend.get_anonymously("health");
        is_stored != Some(&Value::Bool(true)) && health.is_ok_and(|reply| reply.status == 401)
    }

    fn suggest_credentials(&self, connected: &MlBackend) -> Finding {
        if self.is_before(Release::SENDS_BASIC_AUTH) {
            return Finding::Failure(format!(
                "the backend requires credentials, which Label Studio stores from {} on; connect it as \
                 http://USER:PASSWORD@HOST:PORT instead",
                Release::SENDS_BASIC_AUTH
            ));
        }
        let fault = "the backend requires credentials, and Label Studio has none for it; enter them in the project's \
                     settings, under Model";
        if self.args.basic_auth.credentials().is_none() {
            return Finding::Failure(fault.to_owned());
        }
        Finding::Fixable {
            fault: fault.to_owned(),
            fix: Fix::UpdateBackend {
                backend: Box::new(connected.clone()),
                changes: self.with_credentials([]),
            },
        }
    }
}

/// Finds the backend by its address, or failing that by its port: a container has other names for this machine.
fn find<'a>(backends: &'a [MlBackend], url: &Url) -> Option<&'a MlBackend> {
    let parsed = || {
        backends
            .iter()
            .filter_map(|backend| Some((backend, Url::parse(&backend.url).ok()?)))
    };
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    let is_alike = |other: &Url| {
        other.port_or_known_default() == url.port_or_known_default() && path(other) == path(url)
    };
    let same_host = parsed().find(|(_, other)| is_alike(other) && other.host() == url.host());
    same_host
        .or_else(|| parsed().find(|(_, other)| is_alike(other)))
        .map(|(backend, _)| backend)
}

/// Returns an address as it may be shown.
pub(super) fn without_credentials(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        return "an address that cannot be read".to_owned();
    };
    let _ = (url.set_username(""), url.set_password(None));
    url.as_str().trim_end_matches('/').to_owned()
}
