//! Server-sent events: answers that arrive piece by piece.

use std::{
    io::{BufRead, BufReader, Read},
    ops::ControlFlow,
};

use super::{
    client::ServiceClient, deadline::Deadline, error::ServiceError, request::ServiceRequest,
    retry::Failure,
};

impl ServiceClient {
    /// Sends a request and hands over the data of each server-sent event as it arrives, until the answer ends or
    /// `on_event` breaks off.
    ///
    /// An answer in JSON, from a service that does not stream after all, is handed over as one event.
    ///
    /// Like [`ServiceClient::send`] it sends the request again after failures that may pass, but only while no event has
    /// been handed over.
    pub fn events(
        &self,
        request: &ServiceRequest,
        deadline: Deadline,
        on_event: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), ServiceError> {
        self.repeatedly(request, deadline, |mut response| {
            let max_bytes = self.max_bytes();
            let is_json = response
                .headers()
                .get("content-type")
                .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
            let reader = response.body_mut().as_reader().take(max_bytes);
            let mut events = Events::new(BufReader::new(reader));
            events.is_whole = is_json;
            let mut has_handed_over = false;
            loop {
                match events.next() {
                    Ok(Some(data)) => {
                        has_handed_over = true;
                        if on_event(&data).is_break() {
                            return Ok(());
                        }
                    }
                    Ok(None) if events.reader.get_ref().limit() == 0 => {
                        return Err(Failure::that_stays(ServiceError::TooLarge {
                            url: request.shown_url(),
                            limit: max_bytes,
                        }));
                    }
                    Ok(None) => return Ok(()),
                    Err(error) => {
                        let mut failure = Failure::of(request, error.into());
                        failure.may_pass &= !has_handed_over;
                        return Err(failure);
                    }
                }
            }
        })
    }
}

/// Splits a body into the data of its events.
pub(crate) struct Events<R> {
    reader: R,
    line: Vec<u8>,
    is_whole: bool,
}

impl<R: BufRead> Events<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            line: Vec::new(),
            is_whole: false,
        }
    }

    /// Returns the data of the next event; an event that the end cuts off is handed over, too.
    pub(crate) fn next(&mut self) -> std::io::Result<Option<String>> {
        if std::mem::take(&mut self.is_whole) {
            self.reader.read_to_end(&mut self.line)?;
            return Ok(Some(String::from_utf8_lossy(&self.line).into_owned()));
        }
        let mut data: Option<String> = None;
        loop {
            self.line.clear();
            if self.reader.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(data);
            }
            let line = String::from_utf8_lossy(&self.line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                if data.is_some() {
                    return Ok(data);
                }
            } else if let Some(part) = line.strip_prefix("data:") {
                let part = part.strip_prefix(' ').unwrap_or(part);
                match &mut data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(part);
                    }
                    None => data = Some(part.to_owned()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Events;

    #[test]
    fn splits_a_body_into_events() {
        let body = ": hello\nevent: x\ndata: {\"a\":1}\r\n\r\n\ndata:b\ndata: c\n\ndata: cut";
        let mut events = Events::new(body.as_bytes());
        let mut next = || events.next().unwrap();
        assert_eq!(next().as_deref(), Some("{\"a\":1}"));
        assert_eq!(next().as_deref(), Some("b\nc"));
        assert_eq!(next().as_deref(), Some("cut"));
        assert_eq!(next(), None);
    }
}
