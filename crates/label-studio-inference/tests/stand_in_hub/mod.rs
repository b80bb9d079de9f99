//! A stand-in for a model hub, over real HTTP: answers ranged requests with the headers of the real one, sends large
//! files from a second address as the real one does, and remembers what it was asked.
#![expect(
    unreachable_pub,
    reason = "a module of a test is reached by the test only"
)]

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use sha2::{Digest, Sha256};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub range: Option<String>,
    pub authorization: Option<String>,
    /// Whether the second address was asked, where large files are.
    pub at_storage: bool,
}

/// How the hub behaves.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    /// What `owner/name/resolve/<revision>/<path>` holds.
    pub files: HashMap<String, Vec<u8>>,
    /// Files above this many bytes come from the second address.
    pub large: usize,
    /// The token without which there is nothing.
    pub token: Option<String>,
    /// Bytes after which each connection breaks, one after the other.
    pub breaks: Vec<usize>,
    /// Statuses to answer with, one after the other, before all goes well.
    pub statuses: Vec<u16>,
    /// Whether ranges are unknown.
    pub ignores_ranges: bool,
    /// Whether the headers of a hub are missing.
    pub is_plain: bool,
    /// Content to send in place of what was promised.
    pub tampered: Option<Vec<u8>>,
}

pub struct StandInHub {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptors: Vec<(SocketAddr, JoinHandle<()>)>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    asked: Mutex<Vec<Asked>>,
    storage: SocketAddr,
    is_over: AtomicBool,
}

impl StandInHub {
    pub fn start(behaviour: Behaviour) -> Self {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [address, storage] = listeners.each_ref().map(|l| l.local_addr().unwrap());
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            asked: Mutex::default(),
            storage,
            is_over: AtomicBool::new(false),
        });
        let acceptors = listeners.map(|listener| {
            let (address, shared) = (listener.local_addr().unwrap(), Arc::clone(&shared));
            let acceptor = thread::spawn(move || {
                for stream in listener.incoming() {
                    if shared.is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || shared.answer(&stream.unwrap(), address));
                }
            });
            (address, acceptor)
        });
        Self {
            address,
            shared,
            acceptors: acceptors.into(),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    pub fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.shared.behaviour.lock().unwrap());
    }
}

impl Drop for StandInHub {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        for (address, acceptor) in self.acceptors.drain(..) {
            drop(TcpStream::connect(address));
            drop(acceptor.join());
        }
    }
}

impl Shared {
    fn answer(&self, mut stream: &TcpStream, address: SocketAddr) {
        let Some(asked) = read(stream, address == self.storage) else {
            return;
        };
        self.asked.lock().unwrap().push(asked.clone());
        let (head, body, n_sent) = self.reply(&asked);
        // A client that has seen enough hangs up.
        drop(stream.write_all(head.as_bytes()));
        drop(stream.write_all(&body[..n_sent.min(body.len())]));
    }

    /// Returns the head and body of an answer, and how much of the body is sent.
    fn reply(&self, asked: &Asked) -> (String, Vec<u8>, usize) {
        let mut behaviour = self.behaviour.lock().unwrap();
        let bare = |status: u16| (head(status, "", 0), Vec::new(), 0);
        if !behaviour.statuses.is_empty() {
            return bare(behaviour.statuses.remove(0));
        }
        if let (Some(token), false) = (&behaviour.token, asked.at_storage) {
            let wanted = format!("Bearer {token}");
            match asked.authorization.as_ref() {
                Some(given) if *given == wanted => {}
                Some(_) => return bare(403),
                None => return bare(401),
            }
        }
        let Some(content) = behaviour.files.get(&asked.path).cloned() else {
            return bare(404);
        };
        let digest = hex(&Sha256::digest(&content));
        let mut headers = String::new();
        if !behaviour.is_plain && !asked.at_storage {
            write!(headers, "x-repo-commit: {COMMIT}\r\n").unwrap();
        }
        if content.len() > behaviour.large && !asked.at_storage {
            let (storage, size) = (self.storage, content.len());
            write!(
                headers,
                "x-linked-etag: \"{digest}\"\r\nx-linked-size: {size}\r\netag: \"of-the-redirect\"\r\n\
                 location: http://{storage}{}\r\n",
                asked.path
            )
            .unwrap();
            return (head(302, &headers, 0), Vec::new(), 0);
        }
        if !behaviour.is_plain {
            write!(headers, "etag: \"{}\"\r\n", &digest[..40]).unwrap();
        }
        let content = behaviour.tampered.clone().unwrap_or(content);
        let range = asked.range.as_ref().filter(|_| !behaviour.ignores_ranges);
        let start = range.map_or(0, |range| {
            let start = range.strip_prefix("bytes=").unwrap();
            start.split_once('-').unwrap().0.parse().unwrap()
        });
        if start >= content.len() {
            return bare(416);
        }
        let status = if range.is_some() {
            let (last, size) = (content.len() - 1, content.len());
            write!(headers, "content-range: bytes {start}-{last}/{size}\r\n").unwrap();
            206
        } else {
            200
        };
        let body = content[start..].to_vec();
        let n_sent = if behaviour.breaks.is_empty() {
            body.len()
        } else {
            behaviour.breaks.remove(0)
        };
        (head(status, &headers, body.len()), body, n_sent)
    }
}

pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

fn head(status: u16, headers: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status} Status\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
    )
}

fn read(stream: &TcpStream, at_storage: bool) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let headers: HashMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_lowercase(), value.to_owned()))
        })
        .collect();
    Some(Asked {
        path,
        range: headers.get("range").cloned(),
        authorization: headers.get("authorization").cloned(),
        at_storage,
    })
}
