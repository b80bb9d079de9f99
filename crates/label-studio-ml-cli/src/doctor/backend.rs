//! The backend, called as Label Studio calls it.

use std::time::{Duration, Instant};

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use ureq::{
    Agent,
    http::{Request, header::AUTHORIZATION},
    tls::TlsConfig,
};
use url::Url;

use super::args::DoctorArgs;

/// Time that Label Studio gives a prediction, the longest it waits for anything.
const LONGEST_LIMIT: Duration = Duration::from_secs(100);

/// The backend's address, and how to call it.
pub(super) struct Backend {
    pub(super) url: Url,
    agent: Agent,
    /// Value of the header for calls with credentials.
    authorization: Option<String>,
}

/// An answer of the backend.
pub(super) struct Reply {
    pub(super) status: u16,
    /// The JSON, null if it was none.
    pub(super) body: Value,
    text: String,
    pub(super) elapsed: Duration,
}

impl Backend {
    pub(super) fn new(args: &DoctorArgs) -> anyhow::Result<Self> {
        let shown = &args.backend_url;
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let url = Url::parse(shown).ok().filter(is_web);
        let mut url = url.with_context(|| {
            format!(
                "--backend-url {shown:?} is not a web address; write it with http:// or https://"
            )
        })?;
        let in_url = (!url.username().is_empty())
            .then(|| basic(url.username(), url.password().unwrap_or_default()));
        let authorization = args
            .basic_auth()
            .map(|(user, pass)| basic(user, pass))
            .or(in_url);
        // Both succeed on a web address. Credentials must not be shown.
        let _ = (url.set_username(""), url.set_password(None));
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{path}/"));
        let tls = TlsConfig::builder().disable_verification(!args.verify_ssl);
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(LONGEST_LIMIT))
            .user_agent("label-studio-ml doctor");
        Ok(Self {
            agent: config.build().into(),
            url,
            authorization,
        })
    }

    /// Returns the address without the slash at its end.
    pub(super) fn shown_url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Posts `body` with the credentials that were given.
    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        let headers = self
            .authorization
            .iter()
            .map(|value| (AUTHORIZATION.as_str(), value.as_str()));
        self.post_with(headers, path, body)
    }

    /// Posts `body` with `headers` only.
    pub(super) fn post_with<'a>(
        &self,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Reply> {
        let mut request = Request::post(self.at(path)).header("Content-Type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        self.call(request.body(body.to_string())?)
    }

    /// Gets `path` with the credentials that were given.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<Reply> {
        let mut request = Request::get(self.at(path));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.call(request.body(String::new())?)
    }

    fn call(&self, request: Request<String>) -> anyhow::Result<Reply> {
        let start = Instant::now();
        let mut response = self.agent.run(request)?;
        let text = response.body_mut().read_to_string()?;
        Ok(Reply {
            status: response.status().as_u16(),
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
            elapsed: start.elapsed(),
        })
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Reply {
    /// Returns why Label Studio would reject the reply: a status other than 2xx, or more time than its limit; else `None`.
    pub(super) fn problem(&self, limit: Duration) -> Option<String> {
        let seconds = self.elapsed.as_secs_f32();
        match self.status {
            200..300 if self.elapsed > limit => Some(format!(
                "answers after {seconds:.1} s, and Label Studio waits {} s only",
                limit.as_secs()
            )),
            200..300 => None,
            401 => Some(
                "refuses the credentials; set --basic-auth-user and --basic-auth-pass".to_owned(),
            ),
            status => Some(format!("answers {status}: {}", self.detail())),
        }
    }

    /// Returns the reason in the backend's answer, which Label Studio does not show.
    pub(super) fn detail(&self) -> String {
        let detail = self
            .body
            .get("detail")
            .or_else(|| self.body.get("error"))
            .and_then(Value::as_str);
        detail.unwrap_or(&self.text).chars().take(300).collect()
    }
}

fn basic(user: &str, pass: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{pass}")))
}
