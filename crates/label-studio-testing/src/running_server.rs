//! A backend's program that runs.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use serde_json::Value;

/// How long a line of the log may be waited for.
const LOG_TIMEOUT: Duration = Duration::from_secs(30);

/// A backend's program that runs; it ends with the value.
#[derive(Debug)]
pub struct RunningServer {
    process: Child,
    address: String,
    log: Mutex<Receiver<String>>,
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
        let (sender, log) = mpsc::channel();
        // What is written must be read, whether or not the test looks at it.
        thread::spawn(move || lines.for_each(|line| drop(sender.send(line))));
        Self {
            process,
            address: address.expect("the server listens"),
            log: Mutex::new(log),
        }
    }

    /// Returns the next line of the log that contains `text`.
    ///
    /// # Panics
    /// When there is none within half a minute.
    pub fn wait_for_log(&self, text: &str) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = Vec::new();
        while let Ok(line) = log.recv_timeout(LOG_TIMEOUT) {
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line of the log contains {text:?}: {seen:#?}")
    }

    /// Returns the number of the process.
    pub fn process(&self) -> u32 {
        self.process.id()
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
