//! A stand-in for a service: real HTTP on a free port of this machine, answers from a closure, and faults.

mod answer;
mod received;
mod variables;

use std::{
    fmt,
    io::{self, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

pub use answer::Answer;
pub use received::Received;
pub use variables::variables;

/// A server that answers every request with what a closure says, and remembers what was asked. It ends when dropped.
///
/// ```
/// use label_studio_services::{Answer, Deadline, ServiceClient, ServiceOptions, ServiceRequest, StandIn};
/// use serde_json::{Value, json};
///
/// let service = StandIn::start(|request| match request.path() {
///     "/hello" => Answer::json(&json!({ "hello": request.json()["name"] })),
///     _ => Answer::status(404),
/// });
/// let client = ServiceClient::new(ServiceOptions::default())?;
/// let request = ServiceRequest::post(&service.url("/hello"))?.json(&json!({ "name": "Ada" }));
/// let answer: Value = client.json(&request, Deadline::predict())?;
/// assert_eq!(answer, json!({ "hello": "Ada" }));
/// assert_eq!(service.received()[0].header("content-type"), Some("application/json"));
/// # Ok::<(), label_studio_services::ServiceError>(())
/// ```
pub struct StandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Box<dyn Fn(&Received) -> Answer + Send + Sync>,
    received: Mutex<Vec<Received>>,
    n_open: AtomicUsize,
    max_open: AtomicUsize,
    has_ended: AtomicBool,
}

impl StandIn {
    /// Starts to listen.
    ///
    /// # Panics
    /// When this machine has no port to listen on.
    pub fn start(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            received: Mutex::default(),
            n_open: AtomicUsize::new(0),
            max_open: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
        });
        let acceptor = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if acceptor.has_ended.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&acceptor)) else {
                    continue;
                };
                // A caller that hangs up is none of the stand-in's business.
                thread::spawn(move || shared.converse(&stream).ok());
            }
        });
        Self { address, shared }
    }

    /// Starts to listen, and gives these answers one after the other, the last one for ever.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn with_answers(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        assert!(!answers.is_empty(), "a stand-in needs an answer");
        let next = AtomicUsize::new(0);
        Self::start(move |_| {
            let idx = next.fetch_add(1, Ordering::SeqCst);
            answers[idx.min(answers.len() - 1)].clone()
        })
    }

    /// Returns the address of a path that begins with `/`; of the server itself for an empty one.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the requests so far, in the order of their arrival.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received().clone()
    }

    /// Returns how many requests the closure was answering at once, at most.
    pub fn max_open(&self) -> usize {
        self.shared.max_open.load(Ordering::SeqCst)
    }

    /// Returns the requests for one path so far.
    pub fn received_at(&self, path: &str) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|request| request.path() == path);
        received
    }
}

impl Shared {
    fn converse(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = Received::read(&mut reader)? {
            self.received().push(request.clone());
            let n_open = self.n_open.fetch_add(1, Ordering::SeqCst) + 1;
            self.max_open.fetch_max(n_open, Ordering::SeqCst);
            let answer = (self.answer)(&request);
            self.n_open.fetch_sub(1, Ordering::SeqCst);
            answer.write(stream)?;
        }
        Ok(())
    }

    fn received(&self) -> std::sync::MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StandIn").field(&self.address).finish()
    }
}
