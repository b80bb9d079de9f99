//! A backend's program that runs.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::Value;

/// A backend's program that runs; it ends with the value.
#[derive(Debug)]
pub struct RunningServer {
    process: Child,
    address: String,
}

impl RunningServer {
    /// Starts a program, whose flags should name a free port (`--port 0`) of this machine
    /// (`--host 127.0.0.1`), and waits until it listens.
    ///
    /// # Panics
    /// When the program cannot be started, or ends before it listens.
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the program starts");
        let log = process.stdout.take().expect("its output is read");
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let address = lines.find_map(|line| {
            let (_, address) = line.split_once("listening on http://")?;
            Some(address.trim().to_owned())
        });
        // What is written must be read.
        thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            address: address.expect("the server listens"),
        }
    }

    /// Sends JSON, and returns the status and the JSON of the answer; null if it is not JSON.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> io::Result<(u16, Value)> {
        let mut stream = TcpStream::connect(&self.address)?;
        let body = body.to_string();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let body = serde_json::from_str(body).unwrap_or_default();
        Ok((status.unwrap_or_default(), body))
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
