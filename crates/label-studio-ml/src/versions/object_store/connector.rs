//! Requests to an object store through the agent of everything that goes out, so that its
//! certificate authorities and proxies count.

use std::io::Read as _;

use async_trait::async_trait;
use http_body_util::BodyExt as _;
use label_studio_sdk::http::{HttpAgent, HttpError as SetupError, HttpOptions, NetworkOptions};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use ureq::http::{Method, Request, Response, header};

/// Makes clients of one agent.
#[derive(Debug, Clone)]
pub(super) struct Connector(HttpAgent);

impl Connector {
    pub(super) fn new(network: NetworkOptions) -> Result<Self, SetupError> {
        let agent = HttpAgent::new(&HttpOptions {
            network,
            accept_compressed: false,
            ..HttpOptions::default()
        })?;
        Ok(Self(agent))
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    /// Sends a request, and blocks meanwhile: each has its own thread and runtime.
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        // The agent counts for itself.
        head.headers.remove(header::CONTENT_LENGTH);
        let has_body = !body.is_empty() || matches!(head.method, Method::PUT | Method::POST);
        let answer = if has_body {
            self.0.run(Request::from_parts(head, &body[..]), None)
        } else {
            self.0.run(Request::from_parts(head, ()), None)
        };
        let (head, mut body) = answer.map_err(failed)?.into_parts();
        let mut bytes = Vec::new();
        body.as_reader()
            .read_to_end(&mut bytes)
            .map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))?;
        Ok(Response::from_parts(head, HttpResponseBody::from(bytes)))
    }
}

fn failed(error: ureq::Error) -> HttpError {
    let kind = match &error {
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => HttpErrorKind::Connect,
        ureq::Error::Io(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
