//! Watching what passes between clients and the application.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response, request, response};
use http_body_util::BodyExt;
use wasmtime_wasi_http::WasiBody;

/// Sees one request from outside and its answer, as they pass. Data comes in the parts that a connection gave or takes.
pub trait Exchange: Send + 'static {
    /// A part of the request's body.
    fn sent(&mut self, data: &Bytes);

    /// The head of the answer.
    fn answered(&mut self, head: &response::Parts);

    /// A part of the answer's body.
    fn received(&mut self, data: &Bytes);
}

/// Called for every request from outside; what it returns sees the exchange.
pub(crate) type ExchangeHook =
    Arc<dyn Fn(&request::Parts) -> Option<Box<dyn Exchange>> + Send + Sync>;

/// An exchange that is watched.
#[derive(Clone)]
pub(crate) struct Watched(Arc<Mutex<Box<dyn Exchange>>>);

impl Watched {
    /// The request as it is to be passed on, and what watches its answer.
    pub(crate) fn request(
        hook: Option<&ExchangeHook>,
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

    /// The answer as it is to be passed on.
    pub(crate) fn answer(self, answer: Response<WasiBody>) -> Response<WasiBody> {
        let (head, body) = answer.into_parts();
        self.lock().answered(&head);
        Response::from_parts(head, tap(body, move |data| self.lock().received(data)))
    }

    fn lock(&self) -> MutexGuard<'_, Box<dyn Exchange>> {
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
