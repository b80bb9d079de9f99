//! A mock of Amazon's S3, as far as versions of models need it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{Answer, MockService, Received};

const MODIFIED: &str = "Mon, 01 Jan 2024 00:00:00 GMT";

/// A mock of S3 with one bucket, `models`, in memory.
pub struct MockObjectStore {
    service: MockService,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// Parts of uploads that are not complete, by number.
    uploads: Vec<BTreeMap<u32, Vec<u8>>>,
    is_broken: bool,
}

impl MockObjectStore {
    /// Starts to listen.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let service = MockService::start(move |request| lock(&shared).answer(request));
        Self { service, state }
    }

    /// Returns the service, with the requests that it got.
    pub fn service(&self) -> &MockService {
        &self.service
    }

    /// Returns the names of all objects, sorted.
    pub fn names(&self) -> Vec<String> {
        lock(&self.state).objects.keys().cloned().collect()
    }

    /// Changes an object, or makes one, behind the back of the clients.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut state = lock(&self.state);
        state.objects.insert(name.to_owned(), bytes.to_vec());
    }

    /// Makes the store refuse everything, or no longer.
    pub fn set_broken(&self, is_broken: bool) {
        lock(&self.state).is_broken = is_broken;
    }
}

impl State {
    fn answer(&mut self, request: &Received) -> Answer {
        if self.is_broken {
            return error(403, "AccessDenied");
        }
        let path = request.path();
        let path = path.strip_prefix("/models").unwrap_or(path);
        let name = decode(path.trim_start_matches('/'));
        let upload = request.query("uploadId").and_then(|id| id.parse().ok());
        match (request.method.as_str(), upload) {
            ("GET", None) if name.is_empty() => self.list(request),
            ("GET" | "HEAD", _) => self.get(&name, request.header("range")),
            ("POST", None) if request.target.contains("?uploads") => {
                self.uploads.push(BTreeMap::new());
                let id = self.uploads.len() - 1;
                xml(&format!(
                    "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                ))
            }
            ("POST", None) if request.target.ends_with("?delete") => {
                let text = request.text();
                let keys = text.split("<Key>").skip(1);
                let mut deleted = String::new();
                for key in keys.filter_map(|rest| rest.split("</Key>").next()) {
                    self.objects.remove(key);
                    deleted.extend(["<Deleted><Key>", key, "</Key></Deleted>"]);
                }
                xml(&format!("<DeleteResult>{deleted}</DeleteResult>"))
            }
            ("PUT", Some(id)) => {
                let number = request.query("partNumber").and_then(|n| n.parse().ok());
                let (Some(parts), Some(number)) = (self.uploads.get_mut::<usize>(id), number)
                else {
                    return error(404, "NoSuchUpload");
                };
                parts.insert(number, request.body.clone());
                Answer::status(200).with_header("etag", &format!("\"part-{number}\""))
            }
            ("POST", Some(id)) => {
                let Some(parts) = self.uploads.get(id) else {
                    return error(404, "NoSuchUpload");
                };
                let whole = parts.values().flatten().copied().collect();
                self.objects.insert(name, whole);
                xml(
                    "<CompleteMultipartUploadResult><ETag>whole</ETag></CompleteMultipartUploadResult>",
                )
            }
            ("PUT", None) => {
                let must_be_new = request.header("if-none-match") == Some("*");
                if must_be_new && self.objects.contains_key(&name) {
                    return error(412, "PreconditionFailed");
                }
                self.objects.insert(name, request.body.clone());
                Answer::status(200).with_header("etag", "\"1\"")
            }
            ("DELETE", _) => {
                self.objects.remove(&name);
                Answer::status(204)
            }
            _ => error(405, "MethodNotAllowed"),
        }
    }

    fn get(&self, name: &str, range: Option<&str>) -> Answer {
        let Some(bytes) = self.objects.get(name) else {
            return error(404, "NoSuchKey");
        };
        let range = range
            .and_then(|range| range.strip_prefix("bytes=")?.split_once('-'))
            .and_then(|(first, last)| {
                Some((first.parse::<usize>().ok()?, last.parse::<usize>().ok()?))
            });
        let answer = match range {
            Some((first, last)) => {
                let end = bytes.len().min(last + 1);
                let range = format!("bytes {first}-{}/{}", end - 1, bytes.len());
                Answer::new(206, &bytes[first..end]).with_header("content-range", &range)
            }
            None => Answer::ok(&bytes[..]),
        };
        answer
            .with_header("etag", "\"1\"")
            .with_header("last-modified", MODIFIED)
    }

    /// Lists names up to the next `/` after a prefix.
    fn list(&self, request: &Received) -> Answer {
        let prefix = request.query("prefix").unwrap_or_default();
        let mut folders = BTreeSet::new();
        let mut contents = String::new();
        for (name, bytes) in &self.objects {
            let Some(rest) = name.strip_prefix(&prefix) else {
                continue;
            };
            if let Some((folder, _)) = rest.split_once('/') {
                folders.insert(format!("{prefix}{folder}/"));
            } else {
                let n_bytes = bytes.len().to_string();
                contents.extend(["<Contents><Key>", name, "</Key><LastModified>"]);
                contents.extend(["2024-01-01T00:00:00Z</LastModified><ETag>1</ETag><Size>"]);
                contents.extend([&n_bytes, "</Size></Contents>"]);
            }
        }
        for folder in folders {
            contents.extend(["<CommonPrefixes><Prefix>", &folder]);
            contents.push_str("</Prefix></CommonPrefixes>");
        }
        xml(&format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        ))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn xml(text: &str) -> Answer {
    Answer::bytes("application/xml", text)
}

fn error(status: u16, code: &str) -> Answer {
    xml(&format!(
        "<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    ))
    .with_status(status)
}

/// Decodes the `%` of an address.
fn decode(path: &str) -> String {
    let path = path.replace('+', "%2B");
    let decoded = url::form_urlencoded::parse(path.as_bytes()).next();
    decoded.map_or_else(String::new, |(name, _)| name.into_owned())
}
