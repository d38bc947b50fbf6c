//! Messages from the server (JSON-RPC 2.0).

use crate::text::excerpt;
use mcp::jsonrpc::{self, Body, Id, Message};
use mcp::{ErrorCode, Revision};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A message from the server.
#[derive(Debug)]
pub(crate) enum Incoming {
    Notification {
        method: String,
        params: Option<Box<RawValue>>,
    },
    /// Revisions up to 2025-11-25 have them.
    Request {
        id: Id,
        method: String,
        params: Option<Box<RawValue>>,
    },
    Response {
        /// `None` where the server could not read the request's.
        id: Option<Id>,
        outcome: Result<Box<RawValue>, RpcError>,
    },
}

/// A JSON-RPC error.
#[derive(Debug)]
pub(crate) struct RpcError {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<Box<RawValue>>,
}

/// Reads a JSON text: a message, or as 2025-03-26 has it several.
///
/// # Errors
///
/// Says what is wrong.
pub(crate) fn read(text: &[u8]) -> Result<Vec<Incoming>, &'static str> {
    match jsonrpc::parse(text, Revision::V2025_03_26) {
        Ok(Body::Single(message)) => Ok(vec![incoming(message, text)?]),
        Ok(Body::Batch(messages)) => {
            // What is no message in a batch cannot be told apart from an error without an id, and is one of these.
            messages
                .into_iter()
                .map(|message| incoming(message, b""))
                .collect()
        }
        Err(_) => Err("a message is not JSON-RPC"),
    }
}

/// Reads the body of a response with an error status: the error, and whether it is of the request with this id.
pub(crate) fn read_error(text: &[u8]) -> Option<(Option<Id>, RpcError)> {
    match read(text).ok()?.pop()? {
        Incoming::Response {
            id,
            outcome: Err(error),
        } => Some((id, error)),
        _ => None,
    }
}

fn incoming(message: Message<'_>, text: &[u8]) -> Result<Incoming, &'static str> {
    Ok(match message {
        Message::Notification { method, params } => Incoming::Notification {
            method: method.into_owned(),
            params: params.map(ToOwned::to_owned),
        },
        Message::Request { id, method, params } => Incoming::Request {
            id,
            method: method.into_owned(),
            params: params.map(ToOwned::to_owned),
        },
        Message::Response { id, outcome } => Incoming::Response {
            id: Some(id),
            outcome: match outcome {
                Ok(result) => Ok(result.to_owned()),
                Err(error) => Err(rpc_error(error)?),
            },
        },
        Message::Invalid { .. } => {
            #[derive(Deserialize)]
            struct WithoutId<'a> {
                #[serde(borrow)]
                error: &'a RawValue,
            }
            let response: WithoutId<'_> =
                serde_json::from_slice(text).map_err(|_| "a message is not JSON-RPC")?;
            Incoming::Response {
                id: None,
                outcome: Err(rpc_error(response.error)?),
            }
        }
    })
}

fn rpc_error(error: &RawValue) -> Result<RpcError, &'static str> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        code: i64,
        #[serde(default)]
        message: String,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    let wire: Wire<'_> =
        serde_json::from_str(error.get()).map_err(|_| "an error is not one of JSON-RPC")?;
    Ok(RpcError {
        code: wire.code,
        message: excerpt(&wire.message),
        data: wire.data.map(ToOwned::to_owned),
    })
}

impl RpcError {
    /// Returns whether the error has this code.
    pub(crate) fn is(&self, code: ErrorCode) -> bool {
        self.code == i64::from(code.number())
    }

    /// Reads the data, if they are such.
    pub(crate) fn data<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.data.as_ref()?.get()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Incoming {
        let mut messages = read(text.as_bytes()).unwrap();
        assert_eq!(messages.len(), 1);
        messages.remove(0)
    }

    #[test]
    fn each_kind_of_message_is_read() {
        let notification = one(r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#);
        assert!(matches!(notification, Incoming::Notification { .. }));
        let request = one(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#);
        assert!(matches!(request, Incoming::Request { params: None, .. }));
        let response = one(r#"{"jsonrpc":"2.0","id":1,"result":{"x":1}}"#);
        assert!(matches!(
            response,
            Incoming::Response {
                id: Some(_),
                outcome: Ok(_)
            }
        ));
        let batch =
            read(br#"[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","id":1,"result":{}}]"#);
        assert_eq!(batch.unwrap().len(), 2);
    }

    #[test]
    fn an_error_may_be_of_no_request() {
        for id in ["", r#""id":null,"#] {
            let text =
                format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":-32700,"message":"no"}}}}"#);
            let Incoming::Response {
                id: None,
                outcome: Err(error),
            } = one(&text)
            else {
                panic!("{text}");
            };
            assert_eq!((error.code, &*error.message), (-32700, "no"));
        }
        let (id, error) = read_error(br#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#).unwrap();
        assert_eq!((id.unwrap().as_json(), error.code), ("1", 1));
    }

    #[test]
    fn what_is_no_message_is_told_and_nothing_else_happens() {
        for text in [
            "",
            "<html>",
            "[]",
            "{}",
            "null",
            r#"{"jsonrpc":"2.0"}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":"no"}"#,
            r#"{"jsonrpc":"2.0","error":{"code":"x"}}"#,
            r#"[{"jsonrpc":"2.0","id":null}]"#,
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(read(&[0xff, 0xfe]).is_err());
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }
}
