//! The backend, called as Label Studio calls it.

use std::time::{Duration, Instant};

use label_studio_sdk::http::{HttpAgent, HttpOptions};
use serde_json::Value;
use ureq::http::{Request, header::AUTHORIZATION};
use url::Url;

use super::{
    args::DoctorArgs,
    backend_url::{BackendUrl, basic},
};

/// Time that Label Studio gives a prediction, the longest it waits for anything.
const LONGEST_LIMIT: Duration = Duration::from_secs(100);

/// The backend's address, and how to call it.
pub(super) struct Backend {
    pub(super) url: Url,
    agent: HttpAgent,
    /// Value of the header for calls with credentials.
    pub(super) authorization: Option<String>,
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
        let BackendUrl { url, authorization } = args.backend_url.clone();
        let authorization = args
            .basic_auth
            .credentials()
            .map(|(user, pass)| basic(user, pass))
            .or(authorization);
        let options = HttpOptions {
            network: args.network.options(),
            verify_ssl: args.label_studio.verifies_certificates(),
            verify_setting: Some("LABEL_STUDIO_VERIFY_SSL"),
            connect_timeout: Duration::from_secs(5),
            read_timeout: LONGEST_LIMIT,
            overall_timeout: Some(LONGEST_LIMIT),
            ..HttpOptions::default()
        };
        Ok(Self {
            agent: HttpAgent::new(&options)?,
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

    /// Gets `path` without credentials.
    pub(super) fn get_anonymously(&self, path: &str) -> anyhow::Result<Reply> {
        self.call(Request::get(self.at(path)).body(String::new())?)
    }

    fn call(&self, request: Request<String>) -> anyhow::Result<Reply> {
        let start = Instant::now();
        let mut response = self.agent.run(request, None)?;
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
