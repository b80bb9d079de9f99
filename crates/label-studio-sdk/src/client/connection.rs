//! Sending requests to Label Studio and reading its answers.

use std::{fmt, io::Read as _, sync::Arc, thread};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use ureq::http::{Method, Request, header};
use url::Url;

use super::{
    ClientError, ClientOptions, TokenKind,
    origin::Origin,
    token::{Credentials, TokenProblem},
};
use crate::http::{HttpAgent, HttpOptions, error_message, is_connection_failure};

const MAX_REDIRECTS: usize = 5;
const MAX_EXTRACT_CHARS: usize = 300;

/// A connection to Label Studio. Clones share it; threads may, too.
#[derive(Clone)]
pub struct Client(Arc<Connection>);

struct Connection {
    agent: HttpAgent,
    origin: Origin,
    credentials: Option<Result<Credentials, TokenProblem>>,
    options: ClientOptions,
}

#[derive(Clone, Copy)]
struct Call<'a> {
    method: &'a Method,
    url: &'a Url,
    body: Option<Body<'a>>,
    may_repeat: bool,
}

/// The body of a request.
#[derive(Clone, Copy)]
pub(super) struct Body<'a> {
    pub(super) content_type: &'a str,
    pub(super) content: &'a [u8],
}

struct Answer {
    status: u16,
    location: Option<String>,
    body: Bytes,
    extract: String,
}

#[derive(Deserialize)]
struct Exchanged {
    access: String,
}

impl Client {
    /// Creates a client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address is not a web address, the token has expired or is not a token, or the certificates cannot be
    /// read.
    pub fn new(options: ClientOptions) -> Result<Self, ClientError> {
        let token = options.token.as_deref().map(str::trim);
        let credentials = token
            .filter(|token| !token.is_empty())
            .map(Credentials::parse);
        if let Some(Err(problem)) = credentials
            && !options.defer_token_problems
        {
            return Err(problem.into());
        }
        let agent = HttpAgent::new(&HttpOptions {
            network: options.network.clone(),
            verify_ssl: options.verify_ssl,
            verify_setting: Some("LABEL_STUDIO_VERIFY_SSL"),
            connect_timeout: options.connect_timeout,
            read_timeout: options.read_timeout,
            overall_timeout: Some(options.overall_timeout),
            ..HttpOptions::default()
        })?;
        Ok(Self(Arc::new(Connection {
            agent,
            origin: Origin::parse(&options.url)?,
            credentials,
            options,
        })))
    }

    /// Returns Label Studio's address, its path ending in a slash.
    pub fn url(&self) -> &str {
        self.0.origin.url().as_str()
    }

    /// Returns whether a token is configured, usable or not.
    pub fn has_token(&self) -> bool {
        self.0.credentials.is_some()
    }

    /// Returns the kind of the configured token; `None` when there is no token or it cannot be used.
    pub fn token_kind(&self) -> Option<TokenKind> {
        let credentials = self.0.credentials.as_ref()?.as_ref().ok()?;
        Some(credentials.kind())
    }

    /// Returns why the configured token cannot be used with any server.
    pub fn token_problem(&self) -> Option<ClientError> {
        let problem = self.0.credentials.as_ref()?.as_ref().err()?;
        Some((*problem).into())
    }

    /// Returns the value of the `Authorization` header that Label Studio accepts now: `Token ...` or `Bearer ...`.
    ///
    /// A personal access token is exchanged first if the last access token has expired or soon will.
    pub fn authorization(&self) -> Result<String, ClientError> {
        self.authorization_after(None)
    }

    /// Like [`Client::authorization`], but never returns the value that was `refused`.
    pub(crate) fn authorization_after(&self, refused: Option<&str>) -> Result<String, ClientError> {
        let Some(credentials) = &self.0.credentials else {
            return Err(ClientError::MissingToken {
                url: self.url().to_owned(),
            });
        };
        let credentials = credentials.as_ref().map_err(|problem| *problem)?;
        credentials.header(refused, &|token| self.exchange(token))
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.0.origin
    }

    pub(super) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, ClientError> {
        let (url, body) = self.get_bytes(path, query)?;
        parse(&url, &body)
    }

    pub(super) fn get_bytes(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<(Url, Bytes), ClientError> {
        let mut url = self.0.origin.join(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let call = Call {
            method: &Method::GET,
            url: &url,
            body: None,
            may_repeat: true,
        };
        let body = self.call_authorized(call)?;
        Ok((url, body))
    }

    pub(super) fn get_public<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = self.0.origin.join(path);
        let call = Call {
            method: &Method::GET,
            url: &url,
            body: None,
            may_repeat: true,
        };
        let answer = self.call(call, None)?;
        parse(&url, &answer.into_body(&url, Hint::Other)?)
    }

    pub(super) fn send<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let url = self.0.origin.join(path);
        let content = serde_json::to_vec(body).map_err(|source| ClientError::Json {
            url: url.to_string(),
            source,
        })?;
        let body = Body {
            content_type: "application/json",
            content: &content,
        };
        self.send_body(method, path, body)
    }

    /// Like [`Client::send`], for a body of any kind.
    pub(super) fn send_body<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: Body<'_>,
    ) -> Result<T, ClientError> {
        let url = self.0.origin.join(path);
        let call = Call {
            method,
            url: &url,
            body: Some(body),
            may_repeat: false,
        };
        parse(&url, &self.call_authorized(call)?)
    }

    pub(super) fn delete(&self, path: &str) -> Result<(), ClientError> {
        let url = self.0.origin.join(path);
        let call = Call {
            method: &Method::DELETE,
            url: &url,
            body: None,
            may_repeat: false,
        };
        self.call_authorized(call).map(drop)
    }

    /// Exchanges a personal access token for an access token.
    fn exchange(&self, token: &str) -> Result<String, ClientError> {
        let url = self.0.origin.join("api/token/refresh/");
        let body = json!({ "refresh": token }).to_string();
        let call = Call {
            method: &Method::POST,
            url: &url,
            body: Some(Body {
                content_type: "application/json",
                content: body.as_bytes(),
            }),
            may_repeat: true,
        };
        let answer = self.call(call, None)?;
        let exchanged: Exchanged = parse(&url, &answer.into_body(&url, Hint::Exchange)?)?;
        tracing::debug!("exchanged the personal access token");
        Ok(exchanged.access)
    }

    /// Calls with the token; once more with a fresh access token when Label Studio does not accept the first.
    fn call_authorized(&self, call: Call<'_>) -> Result<Bytes, ClientError> {
        let authorization = self.authorization()?;
        let mut answer = self.call(call, Some(&authorization))?;
        if answer.status == 401 && self.token_kind() == Some(TokenKind::PersonalAccess) {
            let fresh = self.authorization_after(Some(&authorization))?;
            answer = self.call(call, Some(&fresh))?;
        }
        let hint = match self.token_kind() {
            Some(TokenKind::Legacy) => Hint::Legacy,
            _ => Hint::Other,
        };
        answer.into_body(call.url, hint)
    }

    /// Calls, follows redirects that stay on Label Studio, and repeats after connection failures where that is safe.
    fn call(&self, call: Call<'_>, authorization: Option<&str>) -> Result<Answer, ClientError> {
        let mut url = call.url.clone();
        let mut delay = self.0.options.retry_delay;
        let (mut n_retries, mut n_redirects) = (0, 0);
        loop {
            let answer = match self.call_once(Call { url: &url, ..call }, authorization) {
                Err(error)
                    if call.may_repeat
                        && n_retries < self.0.options.retries
                        && is_connection_failure(&error) =>
                {
                    tracing::debug!(%url, %error, "connection failed, trying again");
                    n_retries += 1;
                    thread::sleep(delay);
                    delay *= 2;
                    continue;
                }
                answer => answer.map_err(|source| ClientError::Connection {
                    url: shown(&url),
                    source: Box::new(source),
                })?,
            };
            let target = answer.location.as_deref().and_then(|to| url.join(to).ok());
            match target {
                Some(target) if self.0.origin.owns(&target) && n_redirects < MAX_REDIRECTS => {
                    n_redirects += 1;
                    url = target;
                }
                _ => return Ok(answer),
            }
        }
    }

    fn call_once(
        &self,
        call: Call<'_>,
        authorization: Option<&str>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(call.url.as_str());
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let mut response = match call.body {
            None => self.0.agent.run(request.body(())?, None)?,
            Some(body) => {
                let request = request.header(header::CONTENT_TYPE, body.content_type);
                self.0.agent.run(request.body(body.content)?, None)?
            }
        };
        let status = response.status();
        let location = status
            .is_redirection()
            .then(|| response.headers().get(header::LOCATION)?.to_str().ok())
            .flatten()
            .map(str::to_owned);
        let mut answer = Answer {
            status: status.as_u16(),
            location,
            body: Bytes::new(),
            extract: String::new(),
        };
        if status.is_success() {
            let mut body = Vec::new();
            response.body_mut().as_reader().read_to_end(&mut body)?;
            answer.body = body.into();
        } else {
            let message = error_message(response.body_mut());
            answer.extract = message.chars().take(MAX_EXTRACT_CHARS).collect();
        }
        Ok(answer)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.url())
            .field("token_kind", &self.token_kind())
            .finish_non_exhaustive()
    }
}

impl Answer {
    fn into_body(self, url: &Url, hint: Hint) -> Result<Bytes, ClientError> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        Err(ClientError::Status {
            url: shown(url),
            status: self.status,
            body: self.extract,
            fix: hint.fix(self.status),
        })
    }
}

/// The kind of request, for a fix in the error.
#[derive(Clone, Copy)]
enum Hint {
    Legacy,
    Exchange,
    Other,
}

impl Hint {
    fn fix(self, status: u16) -> &'static str {
        match (status, self) {
            (300..=399, _) => {
                "set LABEL_STUDIO_URL to the address that Label Studio has in the browser"
            }
            (401, Self::Legacy) => {
                "LABEL_STUDIO_API_KEY is no token of this server, or legacy tokens are switched off there; \
                 a personal access token works, too"
            }
            (401, Self::Exchange) => {
                "the personal access token was revoked or is of another server; \
                 create a new one and set LABEL_STUDIO_API_KEY"
            }
            (401, Self::Other) => "set LABEL_STUDIO_API_KEY to a token of this server",
            (403, _) => "the owner of LABEL_STUDIO_API_KEY must be a member of the project",
            (404, _) => {
                "it does not exist, its project is hidden from the token's owner, \
                 or LABEL_STUDIO_URL lacks a path such as /label-studio"
            }
            (500..=599, _) => "see the log of Label Studio",
            _ => "",
        }
    }
}

fn parse<T: DeserializeOwned>(url: &Url, body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|source| ClientError::Json {
        url: shown(url),
        source,
    })
}

/// The address without its query, which is long and says little.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}
