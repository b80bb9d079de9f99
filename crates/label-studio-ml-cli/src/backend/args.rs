//! The backend, as its operator calls it.

use std::time::Duration;

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args;
use serde_json::Value;
use ureq::{
    Agent,
    http::{Request, header::AUTHORIZATION},
};
use url::Url;

/// Longest time that an answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How to reach a backend
#[derive(Debug, Args)]
pub(crate) struct BackendArgs {
    /// Address of the backend
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://localhost:9090"
    )]
    backend_url: String,

    /// User name for the backend's basic auth
    #[arg(
        long,
        global = true,
        value_name = "USER",
        env = "BASIC_AUTH_USER",
        hide_env_values = true
    )]
    basic_auth_user: Option<String>,

    /// Password for the backend's basic auth
    #[arg(
        long,
        global = true,
        value_name = "PASSWORD",
        env = "BASIC_AUTH_PASS",
        hide_env_values = true
    )]
    basic_auth_pass: Option<String>,
}

/// Calls a backend.
pub(crate) struct Client {
    url: Url,
    agent: Agent,
    authorization: Option<String>,
}

impl Client {
    pub(crate) fn new(args: &BackendArgs) -> anyhow::Result<Self> {
        let shown = &args.backend_url;
        let url = Url::parse(shown)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let mut url = url.with_context(|| {
            format!("--backend-url {shown:?} is not a web address; write http:// or https:// first")
        })?;
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{path}/"));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .user_agent("label-studio-ml");
        let credentials = args
            .basic_auth_user
            .as_ref()
            .zip(args.basic_auth_pass.as_ref());
        Ok(Self {
            url,
            agent: config.build().into(),
            authorization: credentials.map(|(user, pass)| {
                format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{pass}")))
            }),
        })
    }

    /// Gets a path, given by its parts.
    pub(crate) fn get(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.call("GET", &self.at(path, query))
    }

    pub(crate) fn post(&self, path: &[&str], query: &[(&str, String)]) -> anyhow::Result<Value> {
        self.call("POST", &self.at(path, query))
    }

    pub(crate) fn delete(&self, path: &[&str]) -> anyhow::Result<Value> {
        self.call("DELETE", &self.at(path, &[]))
    }

    fn at(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn call(&self, method: &str, url: &Url) -> anyhow::Result<Value> {
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let mut response = self
            .agent
            .run(request.body(String::new())?)
            .with_context(|| format!("cannot reach {}; is the backend running?", self.url))?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string()?;
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        match status {
            200..300 => Ok(json),
            401 => bail!(
                "{} refuses the credentials; set --basic-auth-user and --basic-auth-pass",
                self.url
            ),
            _ => match json["detail"].as_str() {
                Some(detail) => bail!("{detail}"),
                None => bail!("{url} answered {status}; is it a current ML backend?"),
            },
        }
    }
}
