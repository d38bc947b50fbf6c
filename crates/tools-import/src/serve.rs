//! A tool server: the composed tools component over HTTP, for the MCP endpoint.

use crate::contract::{EventStream, tools};
use crate::wire::{Function, KEEP_ALIVE, MAX_FRAME_BYTES, WireError, decode, encode, frame};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures::future::{BoxFuture, Either, FutureExt, select};
use futures::stream::{self, Stream};
use http::{HeaderMap, Method, StatusCode};
use platform::time::sleep;
use serde::Serialize;
use std::net::SocketAddr;
use std::time::Duration;

/// How long a call may take before the head of its response is given, and then between two frames: a caller that is gone
/// is noticed when the next one is written, which cancels the call.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(2);

/// Returns the router of a component that serves the tools component it is composed with.
pub async fn router() -> Router {
    Router::new().fallback(handle)
}

/// What a function gives.
enum Answer {
    /// One payload.
    Whole(Result<Vec<u8>, WireError>),
    /// The events of a call.
    Events(EventStream),
}

async fn handle(request: Request) -> Response {
    if is_public(request.headers()) {
        const REFUSED: &str = "This component serves the MCP endpoint alone: give it the route { private = true } in spin.toml.";
        log_line::write(REFUSED);
        return text(StatusCode::FORBIDDEN, REFUSED);
    }
    let Some(function) = Function::at(request.uri().path()) else {
        return text(
            StatusCode::NOT_FOUND,
            "This tool server has no such function.",
        );
    };
    if request.method() != Method::POST {
        return text(
            StatusCode::METHOD_NOT_ALLOWED,
            "Functions are called with POST.",
        );
    }
    let Ok(parameters) = to_bytes(request.into_body(), MAX_FRAME_BYTES).await else {
        return text(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The parameters are too large, or broke off.",
        );
    };
    match call(function, &parameters) {
        Ok(answer) => respond(answer).await,
        Err(error) => text(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// Calls a function of the tools component.
///
/// # Errors
///
/// If the parameters are not those of the function.
fn call(function: Function, parameters: &[u8]) -> Result<BoxFuture<'static, Answer>, WireError> {
    Ok(match function {
        Function::Describe => whole(tools::describe()),
        Function::ListResources => {
            let (caller, cursor) = decode(parameters)?;
            whole(tools::list_resources(caller, cursor))
        }
        Function::ReadResource => whole(tools::read_resource(decode(parameters)?)),
        Function::GetPrompt => whole(tools::get_prompt(decode(parameters)?)),
        Function::Complete => whole(tools::complete(decode(parameters)?)),
        Function::CallTool => {
            let call = decode(parameters)?;
            async move {
                let event = match tools::call_tool(call).await {
                    Ok(tools::CallResult::Running(events)) => {
                        return Answer::Events(events);
                    }
                    Ok(tools::CallResult::Done(output)) => Ok(tools::Event::Done(output)),
                    Ok(tools::CallResult::InputRequired(questions)) => {
                        Ok(tools::Event::InputRequired(questions))
                    }
                    Err(failure) => Err(failure),
                };
                Answer::Whole(encode(&event))
            }
            .boxed()
        }
    })
}

fn whole<T: Serialize>(
    work: impl Future<Output = Result<T, tools::Failure>> + Send + 'static,
) -> BoxFuture<'static, Answer> {
    async { Answer::Whole(encode(&work.await)) }.boxed()
}

/// Responds when there is an answer, and with a stream when it takes longer.
async fn respond(answer: BoxFuture<'static, Answer>) -> Response {
    let waiting = match select(answer, sleep(KEEP_ALIVE_INTERVAL).boxed()).await {
        Either::Left((Answer::Whole(payload), _)) => {
            note_blocking();
            return match payload.and_then(|payload| frame(&payload)) {
                Ok(frame) => Response::new(frame.into()),
                Err(error) => failed(&error),
            };
        }
        Either::Left((Answer::Events(events), _)) => Waiting::Event(next(events)),
        Either::Right((_, answer)) => Waiting::Answer(answer),
    };
    note_blocking();
    Response::new(Body::from_stream(frames(waiting)))
}

/// What the next frame waits for. A future that is not over is kept: the read of a stream must not be given up.
enum Waiting {
    Answer(BoxFuture<'static, Answer>),
    Event(BoxFuture<'static, (Option<tools::Event>, EventStream)>),
    Nothing,
}

fn next(mut events: EventStream) -> BoxFuture<'static, (Option<tools::Event>, EventStream)> {
    async { (events.next().await, events) }.boxed()
}

/// Returns the frames of a call that takes its time.
fn frames(waiting: Waiting) -> impl Stream<Item = Result<Bytes, WireError>> + Send + 'static {
    stream::unfold(waiting, async |mut waiting| {
        loop {
            let interval = sleep(KEEP_ALIVE_INTERVAL).boxed();
            let (payload, next_wait) = match waiting {
                Waiting::Nothing => return None,
                Waiting::Answer(answer) => match select(answer, interval).await {
                    Either::Left((Answer::Whole(payload), _)) => (payload, Waiting::Nothing),
                    Either::Left((Answer::Events(events), _)) => {
                        waiting = Waiting::Event(next(events));
                        continue;
                    }
                    Either::Right((_, answer)) => {
                        return Some((Ok(KEEP_ALIVE), Waiting::Answer(answer)));
                    }
                },
                Waiting::Event(event) => match select(event, interval).await {
                    Either::Left(((None, _), _)) => return None,
                    Either::Left(((Some(event), events), _)) => {
                        let sent: Result<_, tools::Failure> = Ok(event);
                        (encode(&sent), Waiting::Event(next(events)))
                    }
                    Either::Right((_, event)) => {
                        return Some((Ok(KEEP_ALIVE), Waiting::Event(event)));
                    }
                },
            };
            return Some((payload.and_then(|payload| frame(&payload)), next_wait));
        }
    })
}

/// The composed component may have read variables and its store.
fn note_blocking() {
    platform::note_blocking();
}

/// Whether a request comes from outside of the application. The platform gives one of another component no client's
/// address, and a URL in the application.
fn is_public(headers: &HeaderMap) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let address = header("spin-client-addr").and_then(|value| value.parse::<SocketAddr>().ok());
    let is_client = address.is_some_and(|address| !address.ip().is_unspecified());
    let url = header("spin-full-url").and_then(|url| url.parse::<http::Uri>().ok());
    let is_chained = url.is_some_and(|url| {
        url.host()
            .is_some_and(|host| host.ends_with(".spin.internal"))
    });
    is_client && !is_chained
}

fn failed(error: &WireError) -> Response {
    log_line::write(format_args!(
        "tool-server: an answer cannot be sent: {error}"
    ));
    text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}

fn text(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_from_outside_is_told_by_the_platforms_headers() {
        let is_public = |address: Option<&str>, url: &str| {
            let mut headers = HeaderMap::new();
            if let Some(address) = address {
                headers.insert("spin-client-addr", address.parse().unwrap());
            }
            headers.insert("spin-full-url", url.parse().unwrap());
            is_public(&headers)
        };
        let inside = "http://weather.spin.internal/0.3.0/describe";
        let outside = "https://mcp.example.com/0.3.0/describe";
        assert!(is_public(Some("203.0.113.7:4711"), outside));
        assert!(is_public(
            Some("127.0.0.1:4711"),
            "http://localhost/0.3.0/describe"
        ));
        assert!(!is_public(
            Some("0.0.0.0:0"),
            "http://localhost/0.3.0/describe"
        ));
        assert!(!is_public(Some("203.0.113.7:4711"), inside));
        assert!(!is_public(None, inside));
    }
}
