//! A proxy that opens tunnels.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test file uses its own part"
)]

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A proxy that answers `CONNECT` and leads every tunnel to one server. It ends with the test's process.
pub struct TunnelProxy {
    pub address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl TunnelProxy {
    /// Starts a proxy; `status` answers each `CONNECT`.
    pub fn start(status: &'static str, server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (all, server) = (Arc::clone(&heads), server.to_owned());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (all, server) = (Arc::clone(&all), server.clone());
                thread::spawn(move || tunnel(&stream.unwrap(), status, &server, &all));
            }
        });
        Self { address, heads }
    }

    /// Returns the heads of the requests that came in.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
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
    all.lock().unwrap().push(head);
    let mut writer = client;
    drop(write!(writer, "HTTP/1.1 {status}\r\n\r\n"));
    if !status.starts_with("200") {
        return;
    }
    let server = TcpStream::connect(server).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| pipe(client, &server));
        pipe(&server, client);
    });
}

fn pipe(mut from: &TcpStream, mut to: &TcpStream) {
    drop(io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Write));
}
