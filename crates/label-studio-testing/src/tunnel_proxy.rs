//! A mock proxy that opens tunnels.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

/// A proxy that answers `CONNECT` and leads every tunnel to one server. It ends with the test's process.
#[derive(Debug)]
pub struct MockTunnelProxy {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl MockTunnelProxy {
    /// Starts a proxy that answers each `CONNECT` with a status such as `200 OK`.
    ///
    /// # Panics
    /// When this machine has no free port.
    pub fn start(status: &'static str, server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener
            .local_addr()
            .expect("the listener has an address")
            .to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (all, server) = (Arc::clone(&heads), server.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (all, server) = (Arc::clone(&all), server.clone());
                thread::spawn(move || tunnel(&stream, status, &server, &all));
            }
        });
        Self { address, heads }
    }

    /// Returns host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the heads of the requests so far.
    pub fn heads(&self) -> Vec<String> {
        lock(&self.heads).clone()
    }
}

fn tunnel(client: &TcpStream, status: &str, server: &str, all: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    lock(all).push(head);
    let mut writer = client;
    drop(write!(writer, "HTTP/1.1 {status}\r\n\r\n"));
    if !status.starts_with("200") {
        return;
    }
    let Ok(server) = TcpStream::connect(server) else {
        return;
    };
    thread::scope(|scope| {
        scope.spawn(|| pipe(client, &server));
        pipe(&server, client);
    });
}

fn pipe(mut from: &TcpStream, mut to: &TcpStream) {
    drop(io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Write));
}

fn lock(heads: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    heads.lock().unwrap_or_else(PoisonError::into_inner)
}
