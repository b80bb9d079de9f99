//! What a stand-in answers, faults among it.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
};

use serde_json::Value;

/// What a stand-in answers.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Nothing is ever answered.
    Hang,
    /// The connection ends after half of the body.
    Cut,
    /// The whole body comes, and then nothing, though more was announced.
    Stall,
    /// The body goes on for this many bytes.
    Huge(u64),
}

impl Answer {
    /// Answers with status 200 and any bytes.
    pub fn bytes(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            fault: None,
        }
        .with_header("content-type", content_type)
    }

    /// Answers with status 200 and JSON.
    pub fn json(body: &Value) -> Self {
        Self::bytes("application/json", body.to_string())
    }

    /// Answers with status 200 and server-sent events, one for each text of `data`.
    pub fn events<S: AsRef<str>>(data: impl IntoIterator<Item = S>) -> Self {
        let event = |data: S| format!("data: {}\n\n", data.as_ref());
        let body: String = data.into_iter().map(event).collect();
        Self::bytes("text/event-stream", body)
    }

    /// Answers with a status and no body.
    pub fn status(status: u16) -> Self {
        Self::bytes("text/plain", "").with_status(status)
    }

    /// Never answers; the connection stays open until the caller leaves.
    pub fn hang() -> Self {
        Self {
            fault: Some(Fault::Hang),
            ..Self::status(200)
        }
    }

    /// Answers with as many bytes as wanted, as JSON.
    pub fn huge(n_bytes: u64) -> Self {
        Self {
            fault: Some(Fault::Huge(n_bytes)),
            ..Self::bytes("application/json", "")
        }
    }

    /// Breaks the connection off after half of the body.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.fault = Some(Fault::Cut);
        self
    }

    /// Announces more than the body, and falls silent after it; the connection stays open until the caller leaves.
    #[must_use]
    pub fn stalled(mut self) -> Self {
        self.fault = Some(Fault::Stall);
        self
    }

    /// Sets the status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn write(&self, mut stream: &TcpStream) -> io::Result<()> {
        let length = match self.fault {
            Some(Fault::Hang) => {
                // Ends when the caller closes the connection.
                stream.read_to_end(&mut Vec::new())?;
                return Ok(());
            }
            Some(Fault::Huge(n_bytes)) => n_bytes,
            Some(Fault::Stall) => self.body.len() as u64 + 1,
            Some(Fault::Cut) | None => self.body.len() as u64,
        };
        let mut head = Vec::new();
        write!(
            head,
            "HTTP/1.1 {} X\r\ncontent-length: {length}\r\n",
            self.status
        )?;
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n")?;
        }
        head.extend_from_slice(b"\r\n");
        stream.write_all(&head)?;
        match self.fault {
            Some(Fault::Cut) => {
                stream.write_all(&self.body[..self.body.len() / 2])?;
                stream.shutdown(Shutdown::Both)
            }
            Some(Fault::Stall) => {
                stream.write_all(&self.body)?;
                stream.read_to_end(&mut Vec::new()).map(|_| ())
            }
            Some(Fault::Huge(n_bytes)) => {
                io::copy(&mut io::repeat(b' ').take(n_bytes), &mut stream).map(|_| ())
            }
            _ => stream.write_all(&self.body),
        }
    }
}
