//! Requests for `http` addresses that a proxy is asked for in full: `GET http://host/path HTTP/1.1`.
//!
//! ureq itself opens a tunnel for every address, which proxies commonly refuse for ports other than 443.

use std::{
    fmt,
    io::{self, Read as _, Write as _},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ureq::{
    Proxy,
    unversioned::transport::{
        Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
        TransportAdapter,
    },
};

/// Rewrites requests on connections to a proxy.
pub(super) struct ForwardConnector {
    /// Value of the header `Proxy-Authorization`.
    credentials: Option<String>,
}

impl ForwardConnector {
    pub(super) fn new(proxy: &Proxy) -> Self {
        let is_given = proxy.username().is_some() || proxy.password().is_some();
        let user = proxy.username().unwrap_or_default();
        let password = proxy.password().unwrap_or_default();
        Self {
            credentials: is_given.then(|| {
                format!(
                    "Basic {}",
                    BASE64_STANDARD.encode(format!("{user}:{password}"))
                )
            }),
        }
    }
}

impl<In: Transport> Connector<In> for ForwardConnector {
    type Out = ForwardTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<ForwardTransport>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        let authority = details.uri.authority().map_or("", |part| part.as_str());
        let clock = Arc::clone(&details.current_time);
        Ok(Some(ForwardTransport {
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            stream: TransportAdapter::new(transport.boxed(), clock),
            head: Some(Head {
                origin: format!("http://{authority}"),
                credentials: self.credentials.clone(),
            }),
        }))
    }
}

impl fmt::Debug for ForwardConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForwardConnector")
    }
}

/// A connection to a proxy, good for one request.
pub(super) struct ForwardTransport {
    buffers: LazyBuffers,
    stream: TransportAdapter,
    /// What is put into the request's first lines; taken when they are sent.
    head: Option<Head>,
}

struct Head {
    origin: String,
    credentials: Option<String>,
}

impl Head {
    /// Rewrites the start of a request, which holds the whole first line.
    fn rewritten(&self, output: &[u8]) -> io::Result<Vec<u8>> {
        let incomplete = || io::Error::other("the request's first line is too long");
        let line_end = output.windows(2).position(|pair| pair == b"\r\n");
        let line_end = line_end.ok_or_else(incomplete)? + 2;
        let target = output.iter().position(|byte| *byte == b' ');
        let target = target.ok_or_else(incomplete)? + 1;
        let credentials = self.credentials.as_ref();
        let header = credentials.map(|value| format!("proxy-authorization: {value}\r\n"));
        Ok([
            &output[..target],
            self.origin.as_bytes(),
            &output[target..line_end],
            header.unwrap_or_default().as_bytes(),
            &output[line_end..],
        ]
        .concat())
    }
}

impl Transport for ForwardTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        match self.head.take() {
            Some(head) => self.stream.write_all(&head.rewritten(output)?)?,
            None => self.stream.write_all(output)?,
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.set_timeout(timeout);
        let n_read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(n_read);
        Ok(n_read > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }
}

impl fmt::Debug for ForwardTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardTransport")
            .field("inner", &self.stream.inner())
            .finish_non_exhaustive()
    }
}
