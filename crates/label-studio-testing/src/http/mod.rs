//! A mock HTTP service: real HTTP on a free port of this machine, answers from a closure, and faults.

mod answer;
mod received;

use std::{
    fmt,
    io::{self, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

pub use answer::Answer;
pub use received::Received;

/// Server that answers every request with the result of a closure, and records the requests. It ends when dropped.
///
/// ```
/// use std::{io::{Read, Write}, net::TcpStream};
///
/// use label_studio_testing::{Answer, MockService};
///
/// let service = MockService::start(|request| match request.path() {
///     "/hello" => Answer::ok("Hello"),
///     _ => Answer::status(404),
/// });
/// let mut stream = TcpStream::connect(("127.0.0.1", service.port()))?;
/// stream.write_all(b"GET /hello?name=Ada HTTP/1.1\r\nconnection: close\r\n\r\n")?;
/// let mut answer = String::new();
/// stream.read_to_string(&mut answer)?;
/// assert!(answer.ends_with("\r\n\r\nHello"));
/// assert_eq!(service.received()[0].query("name").as_deref(), Some("Ada"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct MockService {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    answer: Box<dyn Fn(&Received) -> Answer + Send + Sync>,
    received: Mutex<Vec<Received>>,
    n_open: AtomicUsize,
    max_open: AtomicUsize,
    has_ended: AtomicBool,
}

impl MockService {
    /// Starts to listen.
    ///
    /// # Panics
    /// When this machine has no free port.
    pub fn start(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        Self::serve("http", answer, Shared::converse)
    }

    /// Starts to listen, and gives these answers one after the other; the last one answers all further requests.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn with_answers(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "a mock service needs an answer");
        let next = AtomicUsize::new(0);
        Self::start(move |_| {
            let idx = next.fetch_add(1, Ordering::SeqCst);
            answers[idx.min(answers.len() - 1)].clone()
        })
    }

    /// Starts to listen over TLS with a certificate.
    ///
    /// # Panics
    /// When this machine has no free port.
    #[cfg(feature = "tls")]
    pub fn start_tls(
        certificate: &crate::tls::Certificate,
        answer: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let certificate = certificate.server_config();
        Self::serve("https", answer, move |shared, stream| {
            let connection = rustls::ServerConnection::new(Arc::clone(&certificate));
            let connection = connection.map_err(io::Error::other)?;
            // A client that does not trust the certificate closes the connection during the first read.
            shared.converse(rustls::StreamOwned::new(connection, stream))
        })
    }

    fn serve(
        scheme: &'static str,
        answer: impl Fn(&Received) -> Answer + Send + Sync + 'static,
        converse: impl Fn(&Shared, TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            received: Mutex::default(),
            n_open: AtomicUsize::new(0),
            max_open: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
        });
        let (acceptor, converse) = (Arc::clone(&shared), Arc::new(converse));
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming() {
                if acceptor.has_ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (shared, converse) = (Arc::clone(&acceptor), Arc::clone(&converse));
                // Ignores the error of a client that closes the connection early.
                thread::spawn(move || converse(&shared, stream).ok());
            }
        });
        Self {
            address,
            scheme,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// Returns the address of a path that begins with `/`; of the server itself for an empty one.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the requests so far, in the order of their arrival.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received().clone()
    }

    /// Returns the requests for one path so far.
    pub fn received_at(&self, path: &str) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|request| request.path() == path);
        received
    }

    /// Returns paths and queries of the requests so far.
    pub fn targets(&self) -> Vec<String> {
        let received = self.received().into_iter();
        received.map(|request| request.target).collect()
    }

    /// Returns methods and paths of the requests so far, as `GET /path`.
    pub fn routes(&self) -> Vec<String> {
        self.received().iter().map(Received::route).collect()
    }

    /// Returns how many requests the closure was answering at once, at most.
    pub fn max_open(&self) -> usize {
        self.shared.max_open.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn converse(&self, stream: impl Read + Write) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        while let Some(request) = Received::read(&mut reader)? {
            self.received().push(request.clone());
            let n_open = self.n_open.fetch_add(1, Ordering::SeqCst) + 1;
            self.max_open.fetch_max(n_open, Ordering::SeqCst);
            let answer = (self.answer)(&request);
            self.n_open.fetch_sub(1, Ordering::SeqCst);
            let stays_open = answer.write(reader.get_mut())?;
            if !stays_open || request.header("connection") == Some("close") {
                break;
            }
        }
        Ok(())
    }

    fn received(&self) -> MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MockService {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts connections, which then closes the port.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

impl fmt::Debug for MockService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MockService").field(&self.address).finish()
    }
}
