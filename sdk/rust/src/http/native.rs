//! Requests in unit tests, which have no network: the test answers.

use super::error::Error;
use super::request::Request;
use super::response::Response;
use super::url::Url;
use std::cell::RefCell;
use std::rc::Rc;

/// What answers requests.
pub(crate) type Answerer = Rc<dyn Fn(&Request) -> Response>;

thread_local! {
    static ANSWERER: RefCell<Option<Answerer>> = const { RefCell::new(None) };
}

/// Has the requests that `run` makes answered.
pub(crate) fn answered_by<T>(answerer: Option<Answerer>, run: impl FnOnce() -> T) -> T {
    let before = ANSWERER.replace(answerer);
    let result = run();
    ANSWERER.set(before);
    result
}

pub(super) async fn send(request: &Request, url: &Url<'_>) -> Result<Response, Error> {
    let answerer = ANSWERER.with_borrow(Clone::clone);
    let response = answerer.map(|answer| answer(request));
    let response = response.ok_or_else(|| Error::NoNetwork(url.host()))?;
    if response.body.len() > request.max_bytes {
        return Err(Error::TooLarge(url.host(), request.max_bytes));
    }
    Ok(response)
}
