//! Sends requests, with retries.

use std::{fs, io::Read as _, path::Path, sync::Arc, thread, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::{
    Agent, Body, Proxy,
    config::Config,
    http::{Method, Request, Response},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{
    deadline::Deadline,
    error::ServiceError,
    options::ServiceOptions,
    permits::Permits,
    request::ServiceRequest,
    response::ServiceResponse,
    retry::{Failure, jittered, retry_after, status_may_pass},
};

const USER_AGENT: &str = concat!("label-studio-ml/", env!("CARGO_PKG_VERSION"));
const MAX_EXTRACT_BYTES: u64 = 16 << 10;
const MAX_EXTRACT_CHARS: usize = 400;
/// Where services put the sentence that says what is wrong.
const MESSAGES: [&str; 6] = [
    "/error/message",
    "/errors/0/message",
    "/errorMessage",
    "/err_msg",
    "/detail",
    "/error",
];

/// Calls services. Clones share connections and the bound on open requests.
#[derive(Debug, Clone)]
pub struct ServiceClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    agent: Agent,
    options: ServiceOptions,
    permits: Permits,
}

impl ServiceClient {
    /// Creates a client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates cannot be read or the proxy's address is none.
    pub fn new(options: ServiceOptions) -> Result<Self, ServiceError> {
        Ok(Self(Arc::new(Inner {
            agent: Agent::new_with_config(agent_config(&options)?),
            permits: Permits::new(options.max_in_flight.get()),
            options,
        })))
    }

    /// Sends a request and reads the whole answer.
    ///
    /// Statuses 408, 409, 425, 429 and 5xx, broken connections and silence are taken for failures that may pass: the
    /// request is sent again after the pause that the service asks for (`Retry-After`) or a growing one, as often as the
    /// options say and while the deadline allows. Redirects are not followed, so that keys stay with the host they are
    /// for.
    ///
    /// # Errors
    /// With the last failure, or at once with one that stays.
    pub fn send(
        &self,
        request: &ServiceRequest,
        deadline: Deadline,
    ) -> Result<ServiceResponse, ServiceError> {
        self.repeatedly(request, deadline, |mut response| {
            let max_bytes = self.max_bytes();
            let mut body = Vec::new();
            let mut reader = response.body_mut().as_reader().take(max_bytes + 1);
            if let Err(error) = reader.read_to_end(&mut body) {
                return Err(Failure::of(request, error.into()));
            }
            if body.len() as u64 > max_bytes {
                return Err(Failure::that_stays(ServiceError::TooLarge {
                    url: request.shown_url(),
                    limit: max_bytes,
                }));
            }
            Ok(ServiceResponse {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                url: request.shown_url(),
                body: body.into(),
            })
        })
    }

    /// Sends a request and reads the answer as JSON.
    pub fn json<T: DeserializeOwned>(
        &self,
        request: &ServiceRequest,
        deadline: Deadline,
    ) -> Result<T, ServiceError> {
        self.send(request, deadline)?.json()
    }

    pub(crate) fn max_bytes(&self) -> u64 {
        self.0.options.max_bytes
    }

    /// Sends a request until `read` has its answer, a failure stays, or time or tries are used up.
    pub(crate) fn repeatedly<T>(
        &self,
        request: &ServiceRequest,
        deadline: Deadline,
        mut read: impl FnMut(Response<Body>) -> Result<T, Failure>,
    ) -> Result<T, ServiceError> {
        let options = &self.0.options;
        let mut pause = options.retry_delay;
        let mut n_left = options.retries;
        loop {
            let failure = match self.attempt(request, deadline, &mut read) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let helps = failure.may_pass && (failure.is_unread || !request.acts_once);
            if n_left == 0 || !helps {
                return Err(failure.error);
            }
            let asked_for = match &failure.error {
                ServiceError::Status { retry_after, .. } => *retry_after,
                _ => None,
            };
            let wait = asked_for.unwrap_or_else(|| jittered(pause.min(options.max_retry_delay)));
            if wait >= deadline.remaining() {
                return Err(no_time_left(request, Some(failure.error)));
            }
            tracing::debug!(
                url = request.shown_url(),
                error = %failure.error,
                wait_ms = wait.as_millis(),
                "retrying"
            );
            thread::sleep(wait);
            pause = pause.saturating_mul(2);
            n_left -= 1;
        }
    }

    fn attempt<T>(
        &self,
        request: &ServiceRequest,
        deadline: Deadline,
        read: &mut impl FnMut(Response<Body>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let permit = self.0.permits.take(deadline);
        let Some(_permit) = permit.filter(|_| !deadline.is_over()) else {
            return Err(Failure::that_stays(no_time_left(request, None)));
        };
        let mut response = self
            .run(request, deadline)
            .map_err(|error| Failure::of(request, error))?;
        if response.status().is_success() {
            return read(response);
        }
        let status = response.status().as_u16();
        let body = request.redact(&extract(response.body_mut()));
        Err(Failure {
            may_pass: status_may_pass(status, response.headers(), &body),
            is_unread: matches!(status, 429 | 503),
            error: ServiceError::Status {
                url: request.shown_url(),
                status,
                retry_after: retry_after(response.headers()),
                body: body.chars().take(MAX_EXTRACT_CHARS).collect(),
            },
        })
    }

    fn run(
        &self,
        request: &ServiceRequest,
        deadline: Deadline,
    ) -> Result<Response<Body>, ureq::Error> {
        let mut builder = Request::builder()
            .method(&request.method)
            .uri(request.url());
        for (name, value) in &request.headers {
            builder = builder.header(name, value.expose());
        }
        let agent = &self.0.agent;
        // The clock of some platforms does not reach for ever.
        let time = Some(deadline.remaining()).filter(|time| *time < Duration::MAX);
        if matches!(request.method, Method::GET | Method::DELETE) {
            let configured = agent.configure_request(builder.body(())?);
            return agent.run(configured.timeout_global(time).build());
        }
        let configured = agent.configure_request(builder.body(&*request.body)?);
        agent.run(configured.timeout_global(time).build())
    }
}

fn agent_config(options: &ServiceOptions) -> Result<Config, ServiceError> {
    let mut tls = TlsConfig::builder().disable_verification(!options.verify_ssl);
    if let Some(path) = &options.ca_bundle {
        let certificates = certificates(path).map_err(|source| ServiceError::CaBundle {
            path: path.clone(),
            source: Box::new(source),
        })?;
        tls = tls.root_certs(RootCerts::Specific(Arc::new(certificates)));
    }
    let proxy = options.proxy.as_deref().map(Proxy::new).transpose();
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(proxy.map_err(|error| ServiceError::Proxy(Box::new(error)))?)
        .user_agent(USER_AGENT)
        .max_idle_connections_per_host(options.max_in_flight.get())
        .timeout_resolve(Some(options.connect_timeout))
        .timeout_connect(Some(options.connect_timeout))
        .timeout_per_read(Some(options.read_timeout))
        .tls_config(tls.build());
    Ok(config.build())
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, ureq::Error> {
    let mut certificates = Vec::new();
    for item in parse_pem(&fs::read(path)?) {
        if let PemItem::Certificate(certificate) = item? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(ureq::Error::Tls("the file holds no certificate"));
    }
    Ok(certificates)
}

/// Returns what an error's body says, in a line: the message where there is one, of a page for people only that it was one.
fn extract(body: &mut Body) -> String {
    let mut bytes = Vec::new();
    let mut reader = body.as_reader().take(MAX_EXTRACT_BYTES);
    if let Err(error) = reader.read_to_end(&mut bytes) {
        tracing::debug!(%error, "cannot read the body of an error");
    }
    let text = String::from_utf8_lossy(&bytes);
    if text.trim_start().starts_with('<') {
        return xml_message(&text).unwrap_or_else(|| "an HTML page".to_owned());
    }
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let message = MESSAGES
        .iter()
        .find_map(|pointer| json.pointer(pointer)?.as_str());
    let words: Vec<_> = message.unwrap_or(&text).split_whitespace().collect();
    words.join(" ")
}

/// Returns code and message of an error in XML, as S3 and its like send it.
fn xml_message(text: &str) -> Option<String> {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.trim())
    };
    Some(format!("{}: {}", element("Code")?, element("Message")?))
}

fn no_time_left(request: &ServiceRequest, last: Option<ServiceError>) -> ServiceError {
    ServiceError::NoTimeLeft {
        url: request.shown_url(),
        source: last.map(Box::new),
    }
}
