//! A stand-in for Label Studio and other web servers: answers as it is told and remembers what it was asked.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test file uses its own part"
)]

pub mod fetcher;

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use label_studio_sdk::{Client, ClientOptions};
use serde_json::{Value, json};

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub target: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Asked {
    pub fn authorization(&self) -> Option<&str> {
        self.headers.get("authorization").map(String::as_str)
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }
}

/// What to answer with.
pub enum Reply {
    /// These bytes, whatever they are; then the connection is closed.
    Raw(Vec<u8>),
    /// Nothing until the other side gives up.
    Hang,
    /// These bytes, and nothing more until the other side gives up.
    HangAfter(Vec<u8>),
    /// These bytes, and then one byte after each pause until the other side gives up.
    Drip(Vec<u8>, Duration),
}

impl Reply {
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let headers: String = headers
            .iter()
            .flat_map(|(name, value)| [name, ": ", value, "\r\n"])
            .collect();
        let head = format!(
            "HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n",
            body.len()
        );
        Self::Raw([head.as_bytes(), body].concat())
    }

    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::new(200, &[], body)
    }

    pub fn json(body: &Value) -> Self {
        Self::new(
            200,
            &[("content-type", "application/json")],
            body.to_string(),
        )
    }

    pub fn status(status: u16) -> Self {
        Self::new(status, &[], json!({ "detail": "no" }).to_string())
    }

    pub fn redirect(to: &str) -> Self {
        Self::new(302, &[("location", to)], "")
    }
}

type Handler = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A web server on a free port of this machine, gone when dropped.
pub struct StandIn {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    is_over: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl StandIn {
    pub fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let acceptor = thread::spawn({
            let (asked, is_over) = (Arc::clone(&asked), Arc::clone(&is_over));
            let handler: Arc<Handler> = Arc::new(handler);
            move || {
                for stream in listener.incoming() {
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    let (asked, handler) = (Arc::clone(&asked), Arc::clone(&handler));
                    thread::spawn(move || answer(&stream.unwrap(), &asked, &*handler));
                }
            }
        });
        Self {
            address,
            asked,
            is_over,
            acceptor: Some(acceptor),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn targets(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.target).collect()
    }

    pub fn client(&self, token: &str) -> Client {
        Client::new(options(&self.url()).with_token(token)).unwrap()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

/// Options that do not make a failing test wait.
pub fn options(url: &str) -> ClientOptions {
    ClientOptions {
        retry_delay: Duration::from_millis(1),
        read_timeout: Duration::from_secs(5),
        ..ClientOptions::new(url)
    }
}

/// A JWT with these claims and a signature that nobody checks.
pub fn jwt(claims: &Value) -> String {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(&json!({ "alg": "HS256", "typ": "JWT" })),
        part(claims)
    )
}

/// A personal access token that is good for a day.
pub fn personal_access_token() -> String {
    jwt(&json!({ "token_type": "refresh", "exp": now() + 86400 }))
}

/// An access token that is good for five minutes; `name` tells it from others.
pub fn access_token(name: &str) -> String {
    jwt(&json!({ "token_type": "access", "jti": name, "iat": now(), "exp": now() + 300 }))
}

pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn answer(stream: &TcpStream, all: &Mutex<Vec<Asked>>, handler: &Handler) {
    let Some(asked) = read(stream) else { return };
    all.lock().unwrap().push(asked.clone());
    let mut stream = stream;
    match handler(&asked) {
        Reply::Raw(bytes) => drop(stream.write_all(&bytes)),
        Reply::Hang => drop(stream.read(&mut [0; 1])),
        Reply::HangAfter(bytes) => {
            drop(stream.write_all(&bytes));
            drop(stream.read(&mut [0; 1]));
        }
        Reply::Drip(bytes, pause) => {
            drop(stream.write_all(&bytes));
            stream.set_read_timeout(Some(pause)).unwrap();
            while stream.write_all(b".").is_ok() {
                drop(stream.read(&mut [0; 1]));
            }
        }
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = HashMap::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let n_bytes = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; n_bytes];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        target,
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}
