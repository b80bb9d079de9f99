//! The server with mock workers, which ask the test what to do.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use label_studio_ml::{
    Resources, ServerArgs, Value, json, store::MemoryStore, testing::TestClient,
};
use label_studio_ml_python::workers::{Program, StartMethod, Workers, WorkersOptions};

/// A server, and the socket on which its workers ask.
pub(crate) struct Mock {
    pub(crate) client: Arc<TestClient>,
    pub(crate) orders: TcpListener,
}

/// A call that waits for its order.
pub(crate) struct Asking {
    pub(crate) process: u64,
    pub(crate) call: String,
    stream: TcpStream,
}

/// Returns the mock program in a mode.
pub(crate) fn program(mode: &str) -> Program {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mock_worker.py");
    Program {
        program: "python3".into(),
        args: vec![script.into(), mode.into()],
        env: Vec::new(),
        task: json!({}),
    }
}

/// Returns options without deadlines.
pub(crate) fn options(n_workers: usize) -> WorkersOptions {
    WorkersOptions {
        n_workers,
        n_threads: 4,
        start_method: StartMethod::Spawn,
        predict_deadline: None,
        fit_deadline: None,
        cancel_grace: Duration::from_secs(600),
        name: "model".to_owned(),
    }
}

impl Mock {
    pub(crate) fn start(mode: &str, options: WorkersOptions) -> Self {
        Self::with_args(mode, options, &ServerArgs::default())
    }

    /// Starts the server with further flags.
    pub(crate) fn with_args(mode: &str, options: WorkersOptions, args: &ServerArgs) -> Self {
        let program = program(mode);
        let resources = Resources::new(MemoryStore::default());
        let start = move || Workers::start(program, options);
        Self {
            client: Arc::new(TestClient::with_raw(start, args, resources)),
            orders: TcpListener::bind(("127.0.0.1", 0)).unwrap(),
        }
    }

    pub(crate) fn with_workers(n_workers: usize) -> Self {
        Self::start("works", options(n_workers))
    }

    /// Sends a call that will ask what to do.
    pub(crate) fn send(&self, path: &'static str, call: &str) -> JoinHandle<(u16, Value)> {
        let port = self.orders.local_addr().unwrap().port();
        let project = if path == "/webhook" {
            json!({ "id": call })
        } else {
            json!("1")
        };
        let body =
            json!({ "ask": port, "call": call, "action": "START_TRAINING", "project": project });
        let client = Arc::clone(&self.client);
        thread::spawn(move || client.post(path, &body))
    }

    /// Waits until a call asks.
    pub(crate) fn asking(&self) -> Asking {
        let (stream, _) = self.orders.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Asking {
            process: said["process"].as_u64().unwrap(),
            call: said["call"].as_str().unwrap().to_owned(),
            stream,
        }
    }

    /// Makes a call that is answered at once; returns which process answered.
    pub(crate) fn process(&self) -> u64 {
        let (status, answer) = self.client.post("/predict", &json!({ "tasks": [] }));
        assert_eq!(status, 200, "{answer}");
        answer["process"].as_u64().unwrap()
    }

    /// Waits until so many processes answer.
    pub(crate) fn wait_for_processes(&self, n_processes: f64) {
        let running = || {
            let headers = [("accept", "application/json")];
            let (_, metrics) = self.client.send("GET", "/metrics", &headers, "");
            metrics["samples"]["label_studio_ml_workers"].as_f64()
        };
        while running() != Some(n_processes) {
            thread::yield_now();
        }
    }
}

impl Asking {
    pub(crate) fn tell(mut self, order: &str) {
        writeln!(self.stream, "{order}").unwrap();
    }
}
