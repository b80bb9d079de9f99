//! Client of a backend.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use label_studio_sdk::http::{HttpAgent, HttpError, HttpOptions};
use serde_json::Value;
use ureq::http::{
    Method, Request,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use url::Url;

use super::url::BackendUrl;

/// Masks of many tasks are large.
const MAX_ANSWER_BYTES: u64 = 1 << 30;

/// The backend's address, and how to call it.
pub(crate) struct Backend {
    pub(crate) url: Url,
    agent: HttpAgent,
    /// Value of the header for calls with credentials.
    pub(crate) authorization: Option<String>,
}

/// An answer of the backend.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The JSON, null if it was none.
    pub(crate) body: Value,
    text: String,
    pub(crate) elapsed: Duration,
    /// Time after which the backend wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
}

impl Backend {
    /// Creates the client. Nothing is sent yet.
    pub(crate) fn new(address: BackendUrl, options: &HttpOptions) -> Result<Self, HttpError> {
        Ok(Self {
            agent: HttpAgent::new(options)?,
            url: address.url,
            authorization: address.authorization,
        })
    }

    /// Returns the address without the slash at its end.
    pub(crate) fn shown_url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Posts `body` with the credentials that were given.
    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        let headers = self
            .authorization
            .iter()
            .map(|value| (AUTHORIZATION.as_str(), value.as_str()));
        self.post_with(headers, path, body)
    }

    /// Posts `body` with `headers` only.
    pub(crate) fn post_with<'a>(
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
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Reply> {
        let mut request = Request::get(self.at(path));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.call(request.body(String::new())?)
    }

    /// Gets `path` without credentials.
    pub(crate) fn get_anonymously(&self, path: &str) -> anyhow::Result<Reply> {
        self.call(Request::get(self.at(path)).body(String::new())?)
    }

    /// Sends a request with the credentials that were given, without a body, to a path that is given by its parts, and
    /// returns the JSON of the answer; any other answer is an error for the operator.
    pub(crate) fn json(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
    ) -> anyhow::Result<Value> {
        let mut url = self.url.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let reply = self.call(request.body(String::new())?);
        let shown = self.shown_url();
        let reply =
            reply.with_context(|| format!("cannot reach {shown}; is the backend running?"))?;
        match reply.status {
            200..300 => Ok(reply.body),
            401 => bail!(
                "{shown} refuses the credentials; set --basic-auth-user and --basic-auth-pass"
            ),
            _ => match reply.body["detail"].as_str() {
                Some(detail) => bail!("{detail}"),
                None => bail!(
                    "{url} answered {}; is it a current ML backend?",
                    reply.status
                ),
            },
        }
    }

    fn call(&self, request: Request<String>) -> anyhow::Result<Reply> {
        let start = Instant::now();
        let mut response = self.agent.run(request, None)?;
        let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES);
        let text = body.read_to_string()?;
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        Ok(Reply {
            retry_after: retry_after.map(Duration::from_secs),
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
    pub(crate) fn problem(&self, limit: Duration) -> Option<String> {
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
    pub(crate) fn detail(&self) -> String {
        let detail = self
            .body
            .get("detail")
            .or_else(|| self.body.get("error"))
            .and_then(Value::as_str);
        detail.unwrap_or(&self.text).chars().take(300).collect()
    }
}
