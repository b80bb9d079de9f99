//! Downloading a file: redirects, credentials, limits.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    sync::Arc,
    thread,
    time::Instant,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use ureq::{
    Body,
    http::{Request, Response, header},
};
use url::Url;

use super::{MediaError, MediaOptions, address::PublicAddresses, rate::Rate};
use crate::{
    Client, ClientError,
    client::{Origin, TokenKind},
    http::{HttpAgent, HttpOptions, RefusedAddress, error_message, is_connection_failure},
};

const MAX_REDIRECTS: usize = 10;
const MAX_EXTRACT_CHARS: usize = 300;
const CLOSED: [&str; 3] = ["admin", "api", "user"];
const BUFFER_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Downloader {
    agent: HttpAgent,
    client: Option<Client>,
    label_studio: Option<Origin>,
    options: MediaOptions,
}

impl Downloader {
    pub(super) fn new(
        client: Option<Client>,
        label_studio: Option<Origin>,
        options: MediaOptions,
    ) -> Result<Self, MediaError> {
        let http = HttpOptions {
            network: options.network.clone(),
            verify_ssl: options.verify_ssl,
            verify_setting: Some("LABEL_STUDIO_VERIFY_SSL"),
            connect_timeout: options.connect_timeout,
            read_timeout: options.read_timeout,
            overall_timeout: Some(options.overall_timeout),
            ..HttpOptions::default()
        };
        let agent = if options.allow_private_addresses {
            HttpAgent::new(&http)
        } else {
            let label_studio = label_studio.clone();
            HttpAgent::with_filter(&http, Arc::new(PublicAddresses { label_studio }))
        };
        Ok(Self {
            agent: agent.map_err(ClientError::from)?,
            client,
            label_studio,
            options,
        })
    }

    /// Returns when a download that starts now must have ended.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.options.overall_timeout
    }

    /// Writes what `url` serves to `file`, again from the start when the connection fails.
    pub(super) fn download(
        &self,
        url: &Url,
        file: &mut File,
        deadline: Instant,
    ) -> Result<(), MediaError> {
        let mut delay = self.options.retry_delay;
        for _ in 0..self.options.retries {
            match self.download_once(url, file, deadline) {
                Err(error) if is_worth_another_try(&error) => {
                    tracing::debug!(url = shown(url), %error, "download failed, trying again");
                }
                result => return result,
            }
            thread::sleep(delay);
            delay *= 2;
        }
        self.download_once(url, file, deadline)
    }

    fn download_once(
        &self,
        url: &Url,
        file: &mut File,
        deadline: Instant,
    ) -> Result<(), MediaError> {
        let mut response = self.open(url, deadline)?;
        let limit = self.options.max_bytes;
        let too_large = || MediaError::TooLarge {
            url: shown(url),
            limit,
        };
        let header = response.headers().get(header::CONTENT_LENGTH);
        let length: Option<u64> = header.and_then(|length| length.to_str().ok()?.parse().ok());
        if length.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let write_failed = |source| MediaError::Io {
            path: self.options.cache_dir.clone(),
            source,
        };
        file.rewind()
            .and_then(|()| file.set_len(0))
            .map_err(write_failed)?;
        let mut reader = response.body_mut().as_reader();
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut n_bytes = 0;
        let mut rate = Rate::new(self.options.rate_window);
        let min_rate = self.options.min_rate;
        loop {
            let n_read = match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n_read) => n_read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failure(url, error.into())),
            };
            n_bytes += n_read as u64;
            if n_bytes > limit {
                return Err(too_large());
            }
            if let Some(rate) = rate.add(n_read as u64).filter(|rate| *rate < min_rate) {
                return Err(MediaError::TooSlow {
                    url: shown(url),
                    rate,
                    min_rate,
                });
            }
            file.write_all(&buffer[..n_read]).map_err(write_failed)?;
        }
    }

    /// Follows redirects up to an answer with a body. The token is sent as long as every hop was Label Studio's.
    fn open(&self, url: &Url, deadline: Instant) -> Result<Response<Body>, MediaError> {
        let mut hop = url.clone();
        let mut is_trusted = true;
        for _ in 0..=MAX_REDIRECTS {
            is_trusted &= self.may_have_token(&hop);
            let mut response = self.request(&hop, is_trusted, deadline)?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION);
            let location =
                location.filter(|_| matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308));
            let Some(location) = location else {
                return Err(MediaError::Status {
                    url: shown(&hop),
                    status: status.as_u16(),
                    body: error_extract(response.body_mut()),
                    fallback: None,
                });
            };
            let target = location.to_str().ok().and_then(|to| hop.join(to).ok());
            hop = self.checked_redirect(&hop, target)?;
        }
        Err(MediaError::TooManyRedirects { url: shown(url) })
    }

    /// Asks Label Studio whether a file at one of its addresses may be used. The file itself is not read.
    pub(super) fn ask_for_access(&self, url: &Url) -> Result<(), MediaError> {
        let is_trusted = self.may_have_token(url);
        let mut response = self.request(url, is_trusted, self.deadline())?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        if !status.is_redirection() {
            return Err(MediaError::Status {
                url: shown(url),
                status: status.as_u16(),
                body: error_extract(response.body_mut()),
                fallback: None,
            });
        }
        let location = response.headers().get(header::LOCATION);
        let target = location.and_then(|to| url.join(to.to_str().ok()?).ok());
        self.checked_redirect(url, target).map(drop)
    }

    fn checked_redirect(&self, url: &Url, target: Option<Url>) -> Result<Url, MediaError> {
        let bad_redirect = |target: String| MediaError::BadRedirect {
            url: shown(url),
            target,
        };
        let target = target.ok_or_else(|| bad_redirect("an invalid address".to_owned()))?;
        match (url.scheme(), target.scheme()) {
            (_, "https") | ("http", "http") => {}
            _ => return Err(bad_redirect(shown(&target))),
        }
        // Label Studio redirects unknown users to the login page, which must not be stored as the file.
        let is_login = |own: &Origin| own.owns(&target) && target.path().contains("/user/login");
        if self.label_studio.as_ref().is_some_and(is_login) {
            return Err(MediaError::LoginRequired { url: shown(url) });
        }
        Ok(target)
    }

    /// Asks once, or twice when an access token turns out to have been revoked.
    fn request(
        &self,
        url: &Url,
        is_trusted: bool,
        deadline: Instant,
    ) -> Result<Response<Body>, MediaError> {
        let Some(client) = self.client.as_ref().filter(|_| is_trusted) else {
            return self.send(url, basic_auth(url), deadline);
        };
        let authorization = client.authorization()?;
        let response = self.send(url, Some(authorization.clone()), deadline)?;
        if response.status() != 401 || client.token_kind() != Some(TokenKind::PersonalAccess) {
            return Ok(response);
        }
        let fresh = client.authorization_after(Some(&authorization))?;
        self.send(url, Some(fresh), deadline)
    }

    fn send(
        &self,
        url: &Url,
        authorization: Option<String>,
        deadline: Instant,
    ) -> Result<Response<Body>, MediaError> {
        let mut target = url.clone();
        target.set_fragment(None);
        // A web address always takes these; they have become a header.
        let _ = (target.set_username(""), target.set_password(None));
        let mut request = Request::get(target.as_str());
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request
            .body(())
            .map_err(|error| failure(url, error.into()))?;
        let remaining = deadline.saturating_duration_since(Instant::now());
        self.agent
            .run(request, Some(remaining))
            .map_err(|error| failure(url, error))
    }

    /// The token opens what is below Label Studio's address, except its API and its pages about users: task data must
    /// not read those on behalf of the token's owner.
    fn may_have_token(&self, url: &Url) -> bool {
        let has_token = self.client.as_ref().is_some_and(Client::has_token);
        let Some(own) = self
            .label_studio
            .as_ref()
            .filter(|own| has_token && own.owns(url))
        else {
            return false;
        };
        let (path, base) = (segments(url.path()), segments(own.base_path()));
        let below = path.strip_prefix(base.as_slice());
        below.is_some_and(|path| {
            path.first()
                .is_none_or(|name| !CLOSED.contains(&name.as_str()))
        })
    }
}

/// Splits a path as the most lenient server would, so that no spelling of a path goes unrecognised.
fn segments(path: &str) -> Vec<String> {
    let mut segments = Vec::new();
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    for segment in path.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment.to_ascii_lowercase()),
        }
    }
    segments
}

fn basic_auth(url: &Url) -> Option<String> {
    let decoded = |part| percent_encoding::percent_decode_str(part).decode_utf8_lossy();
    let (user, password) = (
        decoded(url.username()),
        decoded(url.password().unwrap_or_default()),
    );
    let is_given = !user.is_empty() || !password.is_empty();
    is_given.then(|| {
        format!(
            "Basic {}",
            BASE64_STANDARD.encode(format!("{user}:{password}"))
        )
    })
}

fn is_worth_another_try(error: &MediaError) -> bool {
    match error {
        MediaError::Truncated { .. } => true,
        MediaError::Connection { source, .. } => is_connection_failure(source),
        _ => false,
    }
}

fn failure(url: &Url, error: ureq::Error) -> MediaError {
    let is_eof = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    match error {
        ureq::Error::Other(other) => match other.downcast::<RefusedAddress>() {
            Ok(refused) => MediaError::PrivateAddress {
                host: refused.host,
                address: refused.address,
            },
            Err(other) => connection_failure(url, ureq::Error::Other(other)),
        },
        ureq::Error::Io(error) if is_eof(&error) => MediaError::Truncated { url: shown(url) },
        ureq::Error::Timeout(_) => MediaError::Timeout {
            url: shown(url),
            source: Box::new(error),
        },
        error => connection_failure(url, error),
    }
}

fn error_extract(body: &mut Body) -> String {
    error_message(body)
        .chars()
        .take(MAX_EXTRACT_CHARS)
        .collect()
}

fn connection_failure(url: &Url, source: ureq::Error) -> MediaError {
    MediaError::Connection {
        url: shown(url),
        source: Box::new(source),
    }
}

/// The address without what may be secret in it: credentials, and queries, which presigned addresses have signatures
/// in.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Only this query says which upload is meant, and it holds no secret.
    let names_upload = |query: &str| query.starts_with("filepath=upload/") && !query.contains('&');
    if !url.query().is_some_and(names_upload) {
        url.set_query(None);
    }
    url.set_fragment(None);
    // A web address always takes these.
    let _ = (url.set_username(""), url.set_password(None));
    url.to_string()
}
