//! HTTP taps: observers of the requests from outside and of their responses.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response, request, response};
use http_body_util::BodyExt;
use wasmtime_wasi_http::WasiBody;

/// The observer of one request from outside and its response. Data comes in the chunks of the connection.
pub trait HttpTap: Send + 'static {
    /// Called for a chunk of the request's body.
    fn sent(&mut self, data: &Bytes);

    /// Called for the head of the response.
    fn answered(&mut self, head: &response::Parts);

    /// Called for a chunk of the response's body.
    fn received(&mut self, data: &Bytes);
}

/// Returns the tap for a request from outside, if it is to have one.
pub(crate) type HttpTapHook =
    Arc<dyn Fn(&request::Parts) -> Option<Box<dyn HttpTap>> + Send + Sync>;

/// An exchange with a tap.
#[derive(Clone)]
pub(crate) struct TappedExchange(Arc<Mutex<Box<dyn HttpTap>>>);

impl TappedExchange {
    /// Returns the request to pass on, and the tap of its response.
    pub(crate) fn request(
        hook: Option<&HttpTapHook>,
        request: Request<WasiBody>,
    ) -> (Request<WasiBody>, Option<Self>) {
        let (head, body) = request.into_parts();
        let watched = hook
            .and_then(|hook| hook(&head))
            .map(|exchange| Self(Arc::new(Mutex::new(exchange))));
        let body = match watched.clone() {
            Some(watched) => tap(body, move |data| watched.lock().sent(data)),
            None => body,
        };
        (Request::from_parts(head, body), watched)
    }

    /// Returns the response to pass on.
    pub(crate) fn answer(self, answer: Response<WasiBody>) -> Response<WasiBody> {
        let (head, body) = answer.into_parts();
        self.lock().answered(&head);
        Response::from_parts(head, tap(body, move |data| self.lock().received(data)))
    }

    fn lock(&self) -> MutexGuard<'_, Box<dyn HttpTap>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tap(body: WasiBody, see: impl Fn(&Bytes) + Send + 'static) -> WasiBody {
    body.map_frame(move |frame| {
        if let Some(data) = frame.data_ref() {
            see(data);
        }
        frame
    })
    .boxed_unsync()
}
