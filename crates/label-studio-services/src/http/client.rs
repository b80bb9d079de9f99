//! Sends requests, with retries.

use std::{io::Read as _, sync::Arc, thread, time::Duration};

use label_studio_sdk::http::{HttpAgent, HttpOptions, error_message};
use serde::de::DeserializeOwned;
use ureq::{
    Body,
    http::{Method, Request, Response},
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

const MAX_MESSAGE_CHARS: usize = 400;

/// Calls services. Clones share connections and the bound on open requests.
#[derive(Debug, Clone)]
pub struct ServiceClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    agent: HttpAgent,
    options: ServiceOptions,
    permits: Permits,
}

impl ServiceClient {
    /// Creates a client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates cannot be read or a proxy's address is not one.
    pub fn new(options: ServiceOptions) -> Result<Self, ServiceError> {
        let http_options = HttpOptions {
            network: options.network.clone(),
            verify_ssl: options.verify_ssl,
            connect_timeout: options.connect_timeout,
            read_timeout: options.read_timeout,
            max_idle_connections: options.max_in_flight.get(),
            ..HttpOptions::default()
        };
        Ok(Self(Arc::new(Inner {
            agent: HttpAgent::new(&http_options)?,
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
        let body = request.redact(&error_message(response.body_mut()));
        Err(Failure {
            may_pass: status_may_pass(status, response.headers(), &body),
            is_unread: matches!(status, 429 | 503),
            error: ServiceError::Status {
                url: request.shown_url(),
                status,
                retry_after: retry_after(response.headers()),
                body: body.chars().take(MAX_MESSAGE_CHARS).collect(),
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
            return agent.run(builder.body(())?, time);
        }
        agent.run(builder.body(&*request.body)?, time)
    }
}

fn no_time_left(request: &ServiceRequest, last: Option<ServiceError>) -> ServiceError {
    ServiceError::NoTimeLeft {
        url: request.shown_url(),
        source: last.map(Box::new),
    }
}
