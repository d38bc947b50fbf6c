//! The body of a request or response that goes to the host.

use super::bindings::wasi::http::types::{Fields, HeaderError, OutgoingBody};
use super::bindings::wasi::io::streams::{OutputStream, StreamError};
use super::tasks::Subscription;
use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;
use std::pin::pin;

/// Why a body was not written to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError<E> {
    /// The body itself failed.
    #[error("the body broke off: {0}")]
    Body(E),
    /// The other side reads no more.
    #[error("the other side reads no more")]
    Closed,
}

/// Writes `body` as fast as the other side reads, each frame at once, and ends it.
///
/// # Errors
///
/// See [`WriteError`]. The other side then sees a body that broke off.
pub(crate) async fn write<B: Body<Data = Bytes>>(
    outgoing: OutgoingBody,
    body: B,
) -> Result<(), WriteError<B::Error>> {
    let stream = outgoing.write().map_err(|()| WriteError::Closed)?;
    write_frames(&stream, body).await?;
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(|_| WriteError::Closed)
}

async fn write_frames<B: Body<Data = Bytes>>(
    stream: &OutputStream,
    body: B,
) -> Result<(), WriteError<B::Error>> {
    let writable = Subscription::new(stream.subscribe());
    let mut body = pin!(body);
    while let Some(frame) = body.as_mut().frame().await {
        let Ok(mut data) = frame.map_err(WriteError::Body)?.into_data() else {
            continue;
        };
        while !data.is_empty() {
            let permitted = permit(stream, &writable).await?;
            let part = data.split_to(data.len().min(permitted));
            stream.write(&part).map_err(closed)?;
        }
        stream.flush().map_err(closed)?;
    }
    // Nothing is permitted before the flush is over.
    permit(stream, &writable).await?;
    Ok(())
}

/// Waits until something may be written, and returns how many bytes.
async fn permit<E>(stream: &OutputStream, writable: &Subscription) -> Result<usize, WriteError<E>> {
    loop {
        match stream.check_write().map_err(closed)? {
            0 => writable.ready().await,
            permitted => return Ok(usize::try_from(permitted).unwrap_or(usize::MAX)),
        }
    }
}

fn closed<E>(_error: StreamError) -> WriteError<E> {
    WriteError::Closed
}

/// Returns the header fields as WASI has them.
///
/// # Errors
///
/// If one is the host's to set, such as `Connection`.
pub(crate) fn fields(headers: &HeaderMap) -> Result<Fields, HeaderError> {
    let entry = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    Fields::from_list(&headers.iter().map(entry).collect::<Vec<_>>())
}
