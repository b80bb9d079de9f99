//! Requests to a hub.

use label_studio_sdk::http::HttpAgent;
use ureq::{
    Body,
    http::{HeaderMap, Request, Response, header},
};
use url::Url;

use super::{HubError, HubFile, HubOptions, segment::is_plain_segment};

const MAX_REDIRECTS: usize = 10;
const COMMIT: &str = "x-repo-commit";
const LINKED_ETAG: &str = "x-linked-etag";
const LINKED_SIZE: &str = "x-linked-size";

/// Sends range requests, and follows redirects itself so that the headers of the hub
/// are read and the token is sent to the hub alone.
#[derive(Debug)]
pub(super) struct Remote {
    agent: HttpAgent,
    endpoint: Url,
    token: Option<String>,
}

/// The answer of a hub: a file from some byte on.
pub(super) struct Offer {
    /// The commit of the revision.
    pub(super) commit: String,
    /// The `ETag` of the content; that of a large file is its SHA-256.
    pub(super) etag: String,
    /// Bytes of the whole file.
    pub(super) size: u64,
    /// The first byte of the body.
    pub(super) start: u64,
    pub(super) body: Body,
}

impl Remote {
    pub(super) fn new(
        options: &HubOptions,
        agent: HttpAgent,
        token: Option<String>,
    ) -> Result<Self, HubError> {
        let invalid = || HubError::InvalidEndpoint(options.endpoint.clone());
        let endpoint = Url::parse(&options.endpoint).map_err(|_| invalid())?;
        if !matches!(endpoint.scheme(), "http" | "https") {
            return Err(invalid());
        }
        Ok(Self {
            agent,
            endpoint,
            token,
        })
    }

    pub(super) fn hub(&self) -> String {
        self.endpoint.as_str().trim_end_matches('/').to_owned()
    }

    /// Requests `file` from byte `start` on; `None` if it is shorter.
    pub(super) fn open(&self, file: &HubFile, start: u64) -> Result<Option<Offer>, HubError> {
        let not_a_hub = |problem| HubError::NotAHub {
            file: file.to_string(),
            hub: self.hub(),
            problem,
        };
        let mut url = self.address(file);
        let (mut commit, mut etag, mut size) = (None, None, None);
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(file, &url, start)?;
            let status = response.status().as_u16();
            let headers = response.headers();
            if commit.is_none() {
                commit = text(headers, COMMIT);
                etag = text(headers, LINKED_ETAG).or_else(|| text(headers, header::ETAG.as_str()));
                size = text(headers, LINKED_SIZE).and_then(|size| size.parse().ok());
            }
            match status {
                200 | 206 => {
                    let commit = commit.ok_or_else(|| not_a_hub("no header x-repo-commit"))?;
                    let etag = etag.ok_or_else(|| not_a_hub("no header etag"))?;
                    let etag = etag.trim_start_matches("W/").replace('"', "");
                    if !is_plain_segment(&commit) || !is_plain_segment(&etag) {
                        return Err(not_a_hub("a header that is no name"));
                    }
                    let (body_start, total) =
                        extent(&response).ok_or_else(|| not_a_hub("no length"))?;
                    if body_start != 0 && body_start != start {
                        return Err(not_a_hub("another range than was asked for"));
                    }
                    return Ok(Some(Offer {
                        commit,
                        etag,
                        size: size.unwrap_or(total),
                        start: body_start,
                        body: response.into_body(),
                    }));
                }
                301 | 302 | 303 | 307 | 308 => {
                    let location = text(headers, header::LOCATION.as_str());
                    let target = location.and_then(|to| url.join(&to).ok());
                    let target = target.filter(|target| {
                        target.scheme() == "https" || target.scheme() == self.endpoint.scheme()
                    });
                    url = target.ok_or_else(|| not_a_hub("a redirect to nowhere"))?;
                }
                416 => return Ok(None),
                _ => return Err(self.refusal(file, status)),
            }
        }
        Err(not_a_hub("too many redirects"))
    }

    fn address(&self, file: &HubFile) -> Url {
        let mut url = self.endpoint.clone();
        {
            let mut segments = url.path_segments_mut().expect("a web address has a path");
            segments.pop_if_empty();
            segments.extend(file.repo().split('/'));
            // The slash within a revision becomes %2F, as the hub expects it.
            segments.extend(["resolve", file.revision()]);
            segments.extend(file.path().split('/'));
        }
        url
    }

    fn send(&self, file: &HubFile, url: &Url, start: u64) -> Result<Response<Body>, HubError> {
        let mut request =
            Request::get(url.as_str()).header(header::RANGE, format!("bytes={start}-"));
        if let Some(token) = self.token.as_ref().filter(|_| self.is_hub(url)) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = match request.body(()) {
            Ok(request) => self.agent.run(request, None),
            Err(error) => Err(error.into()),
        };
        answer.map_err(|error| self.unreachable(file, error))
    }

    pub(super) fn unreachable(&self, file: &HubFile, error: ureq::Error) -> HubError {
        HubError::Unreachable {
            file: file.to_string(),
            hub: self.hub(),
            source: Box::new(error),
        }
    }

    fn is_hub(&self, url: &Url) -> bool {
        url.origin() == self.endpoint.origin()
    }

    fn refusal(&self, file: &HubFile, status: u16) -> HubError {
        let (file, repo, hub) = (file.to_string(), file.repo().to_owned(), self.hub());
        match status {
            401 | 403 => HubError::Gated {
                file,
                hub,
                repo,
                has_token: self.token.is_some(),
            },
            404 => HubError::NotFound { file, hub },
            _ => HubError::Status { file, hub, status },
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// Returns the first byte of a body and the bytes of the whole file. A server without range
/// requests sends the whole file.
fn extent(response: &Response<Body>) -> Option<(u64, u64)> {
    let Some(range) = text(response.headers(), header::CONTENT_RANGE.as_str()) else {
        let length = text(response.headers(), header::CONTENT_LENGTH.as_str());
        return Some((0, length?.parse().ok()?));
    };
    let (range, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, total.parse().ok()?))
}
