//! The tools contract over HTTP, between the MCP endpoint and a tool server.
//!
//! `POST /<version of the contract>/<function>` with the function's parameters. The response is 200 with frames: a length
//! of four bytes (little-endian), and as many bytes. A frame of no bytes says that the call goes on. The others are the
//! function's result, or those of `call-tool` one event each, or its failure. Parameters and payloads are in the format of
//! the crate `postcard`, with the contract's records and variants as the bindings have them.

use bytes::{Buf, Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of the contract, whose records both sides have.
const CONTRACT: &str = "0.3.0";

/// Bytes of a payload, and of a request, at most.
pub(crate) const MAX_FRAME_BYTES: usize = 16 << 20;

/// Bytes of a frame's length.
const LENGTH_BYTES: usize = 4;

/// The frame that says that the call goes on.
pub(crate) const KEEP_ALIVE: Bytes = Bytes::from_static(&[0; LENGTH_BYTES]);

/// A function of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Describe,
    CallTool,
    ListResources,
    ReadResource,
    GetPrompt,
    Complete,
}

impl Function {
    const ALL: [Self; 6] = [
        Self::Describe,
        Self::CallTool,
        Self::ListResources,
        Self::ReadResource,
        Self::GetPrompt,
        Self::Complete,
    ];

    /// Returns the function of a path, if it is one of this version of the contract.
    pub(crate) fn at(path: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|function| function.path() == path)
    }

    pub(crate) fn path(self) -> String {
        let name = match self {
            Self::Describe => "describe",
            Self::CallTool => "call-tool",
            Self::ListResources => "list-resources",
            Self::ReadResource => "read-resource",
            Self::GetPrompt => "get-prompt",
            Self::Complete => "complete",
        };
        format!("/{CONTRACT}/{name}")
    }
}

/// Why frames cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum WireError {
    /// The body ended within a frame, or its connection broke.
    #[error("its response broke off")]
    BrokenOff,
    /// A frame is larger than [`MAX_FRAME_BYTES`].
    #[error("its response has more than {MAX_FRAME_BYTES} bytes")]
    TooLarge,
    /// A payload is not of the contract.
    #[error("its response is not of this version of the contract")]
    Malformed,
}

/// Returns parameters or a payload.
///
/// # Errors
///
/// If the value cannot be written, which no value of the contract is.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, WireError> {
    postcard::to_allocvec(value).map_err(|_| WireError::Malformed)
}

/// Reads parameters or a payload.
///
/// # Errors
///
/// If the bytes are not a `T`.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err(WireError::Malformed),
    }
}

/// Returns a payload as a frame.
///
/// # Errors
///
/// If it is larger than [`MAX_FRAME_BYTES`].
pub(crate) fn frame(payload: &[u8]) -> Result<Bytes, WireError> {
    let length = u32::try_from(payload.len()).map_err(|_| WireError::TooLarge)?;
    if payload.len() > MAX_FRAME_BYTES {
        return Err(WireError::TooLarge);
    }
    Ok([&length.to_le_bytes(), payload].concat().into())
}

/// The frames of a body.
pub(crate) struct Frames<B> {
    body: B,
    read: BytesMut,
}

impl<B: Body<Data = Bytes> + Unpin> Frames<B> {
    pub(crate) fn new(body: B) -> Self {
        Self {
            body,
            read: BytesMut::new(),
        }
    }

    /// Returns the payload of the next frame that has one; `None` at the end of the body.
    ///
    /// # Errors
    ///
    /// [`WireError`].
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, WireError> {
        loop {
            if let Some(payload) = self.take()? {
                if payload.is_empty() {
                    continue;
                }
                return Ok(Some(payload));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
                None if self.read.is_empty() => return Ok(None),
                Some(Err(_)) | None => return Err(WireError::BrokenOff),
            }
        }
    }

    /// Takes the payload of a frame that is read whole.
    fn take(&mut self) -> Result<Option<Bytes>, WireError> {
        let Some(length) = self.read.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > MAX_FRAME_BYTES {
            return Err(WireError::TooLarge);
        }
        if self.read.len() < LENGTH_BYTES + length {
            return Ok(None);
        }
        self.read.advance(LENGTH_BYTES);
        Ok(Some(self.read.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::tools;
    use futures::executor::block_on;
    use futures::stream;
    use http_body_util::StreamBody;

    fn frames(chunks: Vec<Vec<u8>>) -> Frames<impl Body<Data = Bytes> + Unpin> {
        let chunks = chunks.into_iter().map(|chunk| {
            let frame = http_body::Frame::data(Bytes::from(chunk));
            Ok::<_, std::convert::Infallible>(frame)
        });
        Frames::new(StreamBody::new(stream::iter(chunks)))
    }

    #[test]
    fn frames_are_read_however_the_body_is_cut() {
        let payloads = [vec![7; 300], vec![1], vec![2; 70_000]];
        let mut whole = Vec::new();
        for payload in &payloads {
            whole.extend(KEEP_ALIVE);
            whole.extend(frame(payload).unwrap());
        }
        whole.extend(KEEP_ALIVE);
        for size in [1, 3, 299, whole.len()] {
            let mut frames = frames(whole.chunks(size).map(<[u8]>::to_vec).collect());
            for payload in &payloads {
                let next = block_on(frames.next()).unwrap();
                assert_eq!(next.as_deref(), Some(&payload[..]), "{size}");
            }
            assert_eq!(block_on(frames.next()), Ok(None), "{size}");
        }
    }

    #[test]
    fn a_frame_that_breaks_off_or_is_too_large_is_an_error() {
        let whole = frame(b"payload").unwrap().to_vec();
        for length in 1..whole.len() {
            let mut frames = frames(vec![whole[..length].to_vec()]);
            assert_eq!(
                block_on(frames.next()),
                Err(WireError::BrokenOff),
                "{length}"
            );
        }
        let mut frames = frames(vec![u32::MAX.to_le_bytes().to_vec()]);
        assert_eq!(block_on(frames.next()), Err(WireError::TooLarge));
        assert_eq!(
            frame(&vec![0; MAX_FRAME_BYTES + 1]),
            Err(WireError::TooLarge)
        );
    }

    #[test]
    fn a_function_is_found_at_its_path_of_this_version_alone() {
        for function in Function::ALL {
            assert_eq!(Function::at(&function.path()), Some(function));
        }
        for path in ["/", "/describe", "/0.2.0/describe", "/0.3.0/describe/"] {
            assert_eq!(Function::at(path), None, "{path}");
        }
    }

    #[test]
    fn what_the_contract_has_arrives_as_it_was() {
        let event = tools::Event::Done(tools::Output {
            content: vec![tools::Content {
                body: tools::ContentBody::Image(tools::Media {
                    data: vec![0, 127, 128, 255],
                    mime_type: "image/png".to_owned(),
                }),
                annotations: Some(tools::Annotations {
                    audience: vec![tools::Role::Assistant],
                    priority: Some(0.25),
                    last_modified: None,
                }),
                meta: None,
            }],
            structured: Some("{\"a\":1}".to_owned()),
            is_error: true,
            meta: None,
        });
        let sent: Result<_, tools::Failure> = Ok(event);
        let bytes = encode(&sent).unwrap();
        let received: Result<tools::Event, tools::Failure> = decode(&bytes).unwrap();
        assert_eq!(format!("{received:?}"), format!("{sent:?}"));
        let longer = [&bytes[..], &[0]].concat();
        for other in [&[][..], &bytes[..bytes.len() - 1], &longer[..], &[9, 9]] {
            let read = decode::<Result<tools::Event, tools::Failure>>(other);
            assert_eq!(read.err(), Some(WireError::Malformed));
        }
    }
}
