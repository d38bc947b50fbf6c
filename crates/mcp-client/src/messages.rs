//! The messages of a response, one after the other, as the bytes come.

use crate::environment::{Environment, SendError};
use crate::error::Error;
use crate::event_reader::EventReader;
use futures::future::{Either, select};
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;
use http_fields::MediaType;
use std::pin::pin;
use std::time::Duration;

/// The messages of a response.
#[derive(Debug)]
pub(crate) struct Messages<B> {
    body: B,
    format: Format,
    read: usize,
    /// Bytes that are read at most.
    limit: usize,
}

#[derive(Debug)]
enum Format {
    /// One message, of which these bytes have come.
    Json(Vec<u8>),
    Events(EventReader),
}

impl<B: Body<Data = bytes::Bytes, Error: std::fmt::Display> + Unpin> Messages<B> {
    /// Returns the messages of a response with these headers.
    ///
    /// # Errors
    ///
    /// If it is neither JSON nor a stream of events.
    pub(crate) fn new(headers: &HeaderMap, body: B, limit: usize) -> Result<Self, Error> {
        let format = match MediaType::of(headers) {
            Some(media_type) if media_type.is_json() => Format::Json(Vec::new()),
            Some(media_type) if media_type.is("text/event-stream") => {
                Format::Events(EventReader::default())
            }
            _ => {
                return Err(Error::Malformed(
                    "a response is neither JSON nor a stream of events; is the variable url the address of its MCP endpoint?",
                ));
            }
        };
        Ok(Self {
            body,
            format,
            read: 0,
            limit,
        })
    }

    /// Goes on with another body of events, in place of the one that has ended.
    pub(crate) fn resume(&mut self, body: B) {
        if let Format::Events(events) = &mut self.format {
            events.resume();
        }
        self.body = body;
    }

    /// Returns the text of the next message; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the body breaks off, is too large, or does not come before `deadline`.
    pub(crate) async fn next<E: Environment>(
        &mut self,
        environment: &E,
        deadline: Duration,
    ) -> Result<Option<Vec<u8>>, Error> {
        loop {
            if let Format::Events(events) = &mut self.format
                && let Some(event) = events.next_event()
            {
                return Ok(Some(event));
            }
            let frame = within(environment, deadline, self.body.frame()).await?;
            let Some(frame) = frame else {
                return Ok(match &mut self.format {
                    Format::Json(json) if !json.is_empty() => Some(std::mem::take(json)),
                    Format::Json(_) | Format::Events(_) => None,
                });
            };
            let frame = frame.map_err(|error| SendError::Unreachable(error.to_string()))?;
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            self.read = self.read.saturating_add(bytes.len());
            if self.read > self.limit {
                return Err(Error::TooLarge(self.limit));
            }
            match &mut self.format {
                Format::Json(json) => json.extend_from_slice(&bytes),
                Format::Events(events) => events.push(&bytes),
            }
        }
    }

    /// Returns from which event on the server can send the rest again, and after which time it wants to be asked.
    pub(crate) fn resumption(&self) -> Option<(&[u8], Option<Duration>)> {
        match &self.format {
            Format::Events(events) => events.last_id().map(|id| (id, events.retry())),
            Format::Json(_) => None,
        }
    }
}

/// Waits for `future` until the deadline.
///
/// # Errors
///
/// [`Error::TimedOut`].
pub(crate) async fn within<E: Environment, F: Future>(
    environment: &E,
    deadline: Duration,
    future: F,
) -> Result<F::Output, Error> {
    let left = deadline.saturating_sub(environment.elapsed());
    if left.is_zero() {
        return Err(Error::TimedOut);
    }
    match select(pin!(future), pin!(environment.sleep(left))).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(_) => Err(Error::TimedOut),
    }
}
