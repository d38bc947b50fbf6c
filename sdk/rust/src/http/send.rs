//! The sending of a request.

use super::error::Error;
#[cfg(not(target_arch = "wasm32"))]
use super::native as platform;
use super::request::Request;
use super::response::Response;
use super::url::Url;
#[cfg(all(target_arch = "wasm32", feature = "portable"))]
use super::wasi2 as platform;
#[cfg(all(target_arch = "wasm32", not(feature = "portable")))]
use super::wasi3 as platform;

impl Request {
    /// Makes the request, and reads the whole response. Redirects are not followed. A response with an error status is a
    /// response; `json` and `text` fail for it.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn send(self) -> Result<Response, Error> {
        if let Some(reason) = &self.invalid {
            return Err(Error::InvalidRequest(reason.clone()));
        }
        let url = Url::parse(&self.url)?;
        let mut response = platform::send(&self, &url).await?;
        url.host().clone_into(&mut response.host);
        Ok(response)
    }
}
