//! A mock model hub, over real HTTP: answers ranged requests with the headers of the real one, sends large files from a
//! second address as the real one does, and records the requests.

use std::{
    collections::HashMap,
    fmt::{self, Write as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest, Sha256};

use crate::{Answer, MockService, Received};

/// Commit that every file belongs to.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Request that the hub received.
#[derive(Debug, Clone)]
pub struct HubRequest {
    /// Path and query.
    pub path: String,
    /// Header `range`.
    pub range: Option<String>,
    /// Header `authorization`.
    pub authorization: Option<String>,
    /// Whether the second address was asked, which has the large files.
    pub at_storage: bool,
}

/// Files and faults of a hub.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// Content by path, `owner/name/resolve/<revision>/<path>`.
    pub files: HashMap<String, Vec<u8>>,
    /// Files above this many bytes come from the second address.
    pub large: usize,
    /// Token that every request must carry.
    pub token: Option<String>,
    /// Bytes after which each connection closes, one after the other.
    pub breaks: Vec<usize>,
    /// Statuses of the first requests, one after the other.
    pub statuses: Vec<u16>,
    /// Whether ranges are ignored.
    pub ignores_ranges: bool,
    /// Whether the headers of a hub are missing.
    pub is_plain: bool,
    /// Content that replaces the announced one.
    pub tampered: Option<Vec<u8>>,
}

/// Model hub on two free ports of this machine. It ends when dropped.
pub struct MockHub {
    hub: MockService,
    /// Has the large files; ends with the hub.
    _storage: MockService,
    shared: Arc<Shared>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    received: Mutex<Vec<HubRequest>>,
}

impl MockHub {
    /// Starts to listen.
    pub fn start(behaviour: Behaviour) -> Self {
        Self::start_with(behaviour, |answer| MockService::start(answer))
    }

    /// Starts to listen over TLS, with the certificate at both addresses.
    #[cfg(feature = "tls")]
    pub fn start_tls(behaviour: Behaviour, certificate: &crate::tls::Certificate) -> Self {
        Self::start_with(behaviour, |answer| {
            MockService::start_tls(certificate, answer)
        })
    }

    fn start_with(
        behaviour: Behaviour,
        start: impl Fn(Box<dyn Fn(&Received) -> Answer + Send + Sync>) -> MockService,
    ) -> Self {
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            received: Mutex::default(),
        });
        let at_storage = Arc::clone(&shared);
        let storage = start(Box::new(move |request| at_storage.answer(request, None)));
        let (at_hub, storage_url) = (Arc::clone(&shared), storage.url(""));
        let hub = start(Box::new(move |request| {
            at_hub.answer(request, Some(&storage_url))
        }));
        Self {
            hub,
            _storage: storage,
            shared,
        }
    }

    /// Returns the hub's address.
    pub fn url(&self) -> String {
        self.hub.url("")
    }

    /// Returns the requests at both addresses so far.
    pub fn received(&self) -> Vec<HubRequest> {
        lock(&self.shared.received).clone()
    }

    /// Changes files or faults.
    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.shared.behaviour));
    }
}

impl fmt::Debug for MockHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MockHub").field(&self.hub).finish()
    }
}

impl Shared {
    /// Answers a request at the hub, which sends large files from the address of `storage`, or at the storage itself.
    fn answer(&self, request: &Received, storage: Option<&str>) -> Answer {
        let request = HubRequest {
            path: request.target.clone(),
            range: request.header("range").map(str::to_owned),
            authorization: request.authorization().map(str::to_owned),
            at_storage: storage.is_none(),
        };
        lock(&self.received).push(request.clone());
        lock(&self.behaviour).answer(&request, storage)
    }
}

impl Behaviour {
    fn answer(&mut self, request: &HubRequest, storage: Option<&str>) -> Answer {
        let bare = |status| Answer::new(status, "");
        if !self.statuses.is_empty() {
            return bare(self.statuses.remove(0));
        }
        if let (Some(token), Some(_)) = (&self.token, storage) {
            let wanted = format!("Bearer {token}");
            match request.authorization.as_ref() {
                Some(given) if *given == wanted => {}
                Some(_) => return bare(403),
                None => return bare(401),
            }
        }
        let Some(content) = self.files.get(&request.path).cloned() else {
            return bare(404);
        };
        let digest = hex(&Sha256::digest(&content));
        let with_commit = |answer: Answer| {
            if self.is_plain || storage.is_none() {
                answer
            } else {
                answer.with_header("x-repo-commit", COMMIT)
            }
        };
        if let Some(storage) = storage
            && content.len() > self.large
        {
            let answer = Answer::redirect(&format!("{storage}{}", request.path))
                .with_header("x-linked-etag", &format!("\"{digest}\""))
                .with_header("x-linked-size", &content.len().to_string())
                .with_header("etag", "\"of-the-redirect\"");
            return with_commit(answer);
        }
        let content = self.tampered.clone().unwrap_or(content);
        let range = request.range.as_ref().filter(|_| !self.ignores_ranges);
        let start = range.map_or(0, |range| start_of(range));
        if start >= content.len() {
            return bare(416);
        }
        let mut answer = Answer::ok(&content[start..]);
        if range.is_some() {
            let (last, size) = (content.len() - 1, content.len());
            let range = format!("bytes {start}-{last}/{size}");
            answer = answer.with_status(206).with_header("content-range", &range);
        }
        if !self.is_plain {
            answer = answer.with_header("etag", &format!("\"{}\"", &digest[..40]));
        }
        answer = with_commit(answer);
        if self.breaks.is_empty() {
            answer
        } else {
            answer.cut_after(self.breaks.remove(0))
        }
    }
}

/// Returns the first byte of a range, `bytes=START-END`.
fn start_of(range: &str) -> usize {
    let range = range.strip_prefix("bytes=").unwrap_or_default();
    let start = range.split('-').next().unwrap_or_default();
    start.parse().expect("a range has a first byte")
}

/// Returns bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string grows");
    }
    text
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
