//! The MCP endpoint, by the revision 2026-07-28: no session, and every request says all there is to know.

use super::questions;
use crate::serving::local_client;
use anyhow::{Context, Result, bail};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::io::{stderr, stdin};

const REVISION: &str = "2026-07-28";

/// How many bytes a line of a stream, or a whole response, may have.
const MAX_BYTES: usize = 64 << 20;

/// How often a tool may ask.
const MAX_ROUNDS: u32 = 32;

/// An endpoint, with a token for it.
pub(super) struct Endpoint {
    url: String,
    token: String,
    http: Client,
}

impl Endpoint {
    /// Returns the endpoint of the server at this base URL.
    pub(super) fn new(base: &str, token: &str) -> Result<Self> {
        Ok(Self {
            url: format!("{base}/mcp"),
            token: token.to_owned(),
            http: local_client().build()?,
        })
    }

    /// Returns the tools that the token may call.
    ///
    /// # Errors
    ///
    /// If it does not answer, or refuses the token.
    pub(super) async fn tools(&self) -> Result<Vec<Value>> {
        let mut tools = Vec::new();
        let mut cursor = None;
        loop {
            let params = match cursor {
                None => json!({}),
                Some(cursor) => json!({ "cursor": cursor }),
            };
            let mut page = self.request("tools/list", params).await?;
            if let Some(listed) = page["tools"].as_array_mut() {
                tools.append(listed);
            }
            match page["nextCursor"].take() {
                Value::String(next) => cursor = Some(next),
                _ => return Ok(tools),
            }
        }
    }

    /// Calls a tool. What it reports on the way is printed, and what it asks is asked here.
    ///
    /// # Errors
    ///
    /// If it cannot be called, or asks what cannot be answered here.
    pub(super) async fn call(&self, tool: &str, arguments: Value) -> Result<Value> {
        let mut params = json!({ "name": tool, "arguments": arguments });
        for _ in 0..MAX_ROUNDS {
            let mut result = self.request("tools/call", params.clone()).await?;
            if result["resultType"] != "input_required" {
                return Ok(result);
            }
            let requests = &result["inputRequests"];
            let answers = questions::answers(requests, &mut stdin().lock(), &mut stderr().lock());
            params["inputResponses"] = answers?;
            if let state @ Value::String(_) = result["requestState"].take() {
                params["requestState"] = state;
            }
        }
        bail!("The tool asks without end")
    }

    async fn request(&self, method: &str, mut params: Value) -> Result<Value> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": REVISION,
            "io.modelcontextprotocol/clientInfo": {
                "name": "gatehouse call",
                "version": env!("CARGO_PKG_VERSION"),
            },
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": { "form": {} } },
            "io.modelcontextprotocol/logLevel": "info",
            "progressToken": 1,
        });
        let mut request = self
            .http
            .post(&self.url)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", REVISION)
            .header("mcp-method", method)
            .bearer_auth(&self.token);
        if let Some(name) = params["name"].as_str() {
            request = request.header("mcp-name", name);
        }
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let response = request.json(&message).send().await;
        let response = response.with_context(|| format!("{} does not answer", self.url))?;
        let status = response.status();
        let content_type = response.headers().get("content-type");
        let is_stream = content_type.is_some_and(|value| {
            let value = value.to_str().unwrap_or_default();
            value.starts_with("text/event-stream")
        });
        let message = match is_stream {
            true => last_message(response).await?,
            false => {
                let body = response.bytes().await?;
                serde_json::from_slice(&body).map_err(|_| refused(status, &body))?
            }
        };
        result(message)
    }
}

/// Returns the result of a response.
fn result(mut message: Value) -> Result<Value> {
    if let Some(error) = message.get("error") {
        let text = error["message"]
            .as_str()
            .unwrap_or("an error without a message");
        let data = match error.get("data") {
            None | Some(Value::Null) => String::new(),
            Some(data) => format!(" ({data})"),
        };
        bail!("The server answers: {text}{data}");
    }
    Ok(message["result"].take())
}

/// What a response without a message means.
fn refused(status: StatusCode, body: &[u8]) -> anyhow::Error {
    let body = String::from_utf8_lossy(body);
    match status {
        StatusCode::UNAUTHORIZED => anyhow::anyhow!("The server does not take the token (401)"),
        StatusCode::FORBIDDEN => anyhow::anyhow!("The token may not do that (403). {body}"),
        _ => anyhow::anyhow!("The server answers {status}. {body}"),
    }
}

/// Reads a stream to its end, prints what is reported, and returns the response in it.
async fn last_message(mut response: Response) -> Result<Value> {
    let mut events = Events::default();
    let mut last = None;
    while let Some(part) = response.chunk().await? {
        for message in events.read(&part)? {
            match message["method"].as_str() {
                Some("notifications/progress") => show_progress(&message["params"]),
                Some("notifications/message") => {
                    eprintln!(
                        "{}: {}",
                        message["params"]["level"].as_str().unwrap_or("log"),
                        message["params"]["data"]
                    );
                }
                Some(_) => {}
                None => last = Some(message),
            }
        }
    }
    last.context("The stream of the server ended without a response")
}

fn show_progress(params: &Value) {
    let of = match &params["total"] {
        Value::Null => String::new(),
        total => format!(" of {total}"),
    };
    let message = params["message"].as_str().unwrap_or_default();
    eprintln!("{}{of}  {message}", params["progress"]);
}

/// The messages of a stream of server-sent events.
#[derive(Default)]
struct Events {
    /// What has come of a line.
    line: Vec<u8>,
    /// The data of an event that is not over.
    data: String,
}

impl Events {
    /// Returns the messages that this part of the stream ends.
    fn read(&mut self, part: &[u8]) -> Result<Vec<Value>> {
        let mut messages = Vec::new();
        for byte in part {
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() + self.data.len() > MAX_BYTES {
                    bail!("A message of the server is too large");
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches('\r');
            if let Some(data) = line.strip_prefix("data:") {
                self.data += data.strip_prefix(' ').unwrap_or(data);
            } else if line.is_empty() && !self.data.is_empty() {
                let data = std::mem::take(&mut self.data);
                let message = serde_json::from_str(&data);
                messages.push(message.context("The stream of the server has no JSON")?);
            }
        }
        Ok(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_however_the_stream_is_cut() {
        let stream = ": hello\r\n\r\nid: 1\ndata: {\"a\":\ndata: 1}\n\nevent: message\ndata:{\"b\":\"ä\"}\n\n";
        for size in [1, 2, 7, 100] {
            let mut events = Events::default();
            let parts = stream.as_bytes().chunks(size);
            let messages: Vec<Value> = parts.flat_map(|part| events.read(part).unwrap()).collect();
            assert_eq!(messages, [json!({ "a": 1 }), json!({ "b": "ä" })]);
        }
        assert!(Events::default().read(b"data: x\n\n").is_err());
    }

    #[test]
    fn an_error_of_the_server_is_told_with_its_data() {
        let error = json!({ "error": { "code": 1, "message": "No.", "data": { "x": 1 } } });
        let message = result(error).unwrap_err().to_string();
        assert!(message.contains("No. ({\"x\":1})"), "{message}");
        assert_eq!(result(json!({ "result": 7 })).unwrap(), 7);
    }
}
