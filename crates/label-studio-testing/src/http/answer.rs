//! Answers of a mock service, with or without a fault.

use std::{
    io::{self, Read, Write},
    thread,
    time::Duration,
};

use serde_json::Value;

/// Length that a body that drips announces.
const DRIPPED_BYTES: u64 = 1 << 20;

/// Answer of a mock service.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    /// No answer at all.
    Hang,
    /// The body is the whole answer, status line included, and then the connection closes.
    Raw,
    /// The connection closes after this many bytes of the body.
    Cut(usize),
    /// The headers announce one byte more than the body has, and the connection stays open.
    Stall,
    /// The body has this many blanks.
    Huge(u64),
    /// The body never ends: blanks follow one by one, each after a pause.
    Drip(Duration),
}

impl Answer {
    /// Answers with a status and a body, without a content type.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            fault: None,
        }
    }

    /// Answers with status 200 and a body, without a content type.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    /// Answers with status 200 and bytes of a content type.
    pub fn bytes(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::ok(body).with_header("content-type", content_type)
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
        Self::new(status, "").with_header("content-type", "text/plain")
    }

    /// Redirects to an address or a path.
    pub fn redirect(location: &str) -> Self {
        Self::new(302, "").with_header("location", location)
    }

    /// Sends these bytes, status line and headers included, and closes the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::ok(bytes).with_fault(Fault::Raw)
    }

    /// Never answers; the connection stays open until the client closes it.
    pub fn hang() -> Self {
        Self::ok("").with_fault(Fault::Hang)
    }

    /// Answers with `n_bytes` blanks, as JSON.
    pub fn huge(n_bytes: u64) -> Self {
        Self::bytes("application/json", "").with_fault(Fault::Huge(n_bytes))
    }

    /// Closes the connection after half of the body.
    #[must_use]
    pub fn cut(self) -> Self {
        let n_bytes = self.body.len() / 2;
        self.cut_after(n_bytes)
    }

    /// Closes the connection after `n_bytes` of the body.
    #[must_use]
    pub fn cut_after(self, n_bytes: usize) -> Self {
        self.with_fault(Fault::Cut(n_bytes))
    }

    /// Announces more than the body, sends the body and then nothing; the connection stays open until the client closes
    /// it.
    #[must_use]
    pub fn stalled(self) -> Self {
        self.with_fault(Fault::Stall)
    }

    /// Sends the body, and then blanks one by one with pauses between them, until the client closes the connection.
    #[must_use]
    pub fn dripping(self, pause: Duration) -> Self {
        self.with_fault(Fault::Drip(pause))
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

    fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Writes the answer, and returns whether the connection can carry another request.
    pub(super) fn write(&self, stream: &mut (impl Read + Write)) -> io::Result<bool> {
        match self.fault {
            Some(Fault::Hang) => wait_for_close(stream),
            Some(Fault::Raw) => close_after(stream, &self.body),
            Some(Fault::Cut(n_bytes)) => {
                stream.write_all(&self.head(self.body.len() as u64))?;
                close_after(stream, &self.body[..n_bytes.min(self.body.len())])
            }
            Some(Fault::Stall) => {
                stream.write_all(&self.head(self.body.len() as u64 + 1))?;
                stream.write_all(&self.body)?;
                stream.flush()?;
                wait_for_close(stream)
            }
            Some(Fault::Huge(n_bytes)) => {
                stream.write_all(&self.head(n_bytes))?;
                io::copy(&mut io::repeat(b' ').take(n_bytes), stream)?;
                Ok(true)
            }
            Some(Fault::Drip(pause)) => {
                stream.write_all(&self.head(DRIPPED_BYTES))?;
                stream.write_all(&self.body)?;
                loop {
                    stream.write_all(b" ")?;
                    stream.flush()?;
                    thread::park_timeout(pause);
                }
            }
            None => {
                stream.write_all(&self.head(self.body.len() as u64))?;
                stream.write_all(&self.body)?;
                stream.flush()?;
                Ok(true)
            }
        }
    }

    fn head(&self, n_bytes: u64) -> Vec<u8> {
        let headers = self.headers.iter();
        let headers: String = headers
            .flat_map(|(name, value)| [name, ": ", value, "\r\n"])
            .collect();
        let status = self.status;
        format!("HTTP/1.1 {status} Status\r\ncontent-length: {n_bytes}\r\n{headers}\r\n")
            .into_bytes()
    }
}

fn close_after(stream: &mut impl Write, bytes: &[u8]) -> io::Result<bool> {
    stream.write_all(bytes)?;
    stream.flush()?;
    Ok(false)
}

fn wait_for_close(stream: &mut impl Read) -> io::Result<bool> {
    io::copy(stream, &mut io::sink())?;
    Ok(false)
}
