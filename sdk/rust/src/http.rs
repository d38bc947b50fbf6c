//! Outbound HTTP, to the hosts that the manifest allows.
//!
//! ```
//! use gatehouse_sdk::{Result, data, http, tool};
//!
//! #[data]
//! struct Weather {
//!     celsius: f64,
//! }
//!
//! /// Says how warm it is.
//! #[tool(read_only)]
//! async fn weather(city: String) -> Result<Weather> {
//!     let response = http::get("https://api.example.com/weather").query("city", &city).send().await?;
//!     Ok(response.json()?)
//! }
//! ```

mod error;
#[cfg(not(target_arch = "wasm32"))]
mod native;
mod request;
mod response;
mod send;
mod url;
#[cfg(target_arch = "wasm32")]
mod wasi;
#[cfg(all(target_arch = "wasm32", feature = "portable"))]
mod wasi2;
#[cfg(all(target_arch = "wasm32", not(feature = "portable")))]
mod wasi3;

pub use error::Error;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{Answerer, answered_by};
pub use request::Request;
pub use response::Response;

/// Begins a GET request.
pub fn get(url: impl Into<String>) -> Request {
    Request::new("GET", url)
}

/// Begins a POST request.
pub fn post(url: impl Into<String>) -> Request {
    Request::new("POST", url)
}

/// Begins a PUT request.
pub fn put(url: impl Into<String>) -> Request {
    Request::new("PUT", url)
}

/// Begins a PATCH request.
pub fn patch(url: impl Into<String>) -> Request {
    Request::new("PATCH", url)
}

/// Begins a DELETE request.
pub fn delete(url: impl Into<String>) -> Request {
    Request::new("DELETE", url)
}
