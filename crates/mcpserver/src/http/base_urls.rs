//! The base URLs that the server is reached at.

use crate::Parts;
use crate::context::Context;
use crate::http::endpoints::EndpointUrls;
use crate::http::origin;
use cache::Cache;
use config::{Problem, PublicUrl};
use http::HeaderMap;
use std::sync::Arc;

/// Base URLs kept in memory per generation of the cache.
const MAX_BASE_URLS: usize = 16;

/// The URLs of the endpoints under each base URL, made once.
pub(crate) struct BaseUrls<P: Parts> {
    context: Arc<Context<P>>,
    endpoints: Cache<String, Arc<EndpointUrls>>,
}

impl<P: Parts> BaseUrls<P> {
    pub(crate) fn new(context: Arc<Context<P>>) -> Self {
        Self {
            context,
            endpoints: Cache::new(MAX_BASE_URLS),
        }
    }

    /// Returns the URLs under the base URL that a request reached.
    ///
    /// # Errors
    ///
    /// Fails if the request came for a host that no `public_url` names.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Result<Arc<EndpointUrls>, Problem> {
        let public_url = &self.context.config.public_url;
        let key = match public_url.configured() {
            Some(_) => String::new(),
            None => origin::base_url_key(headers).ok_or_else(PublicUrl::unknown)?,
        };
        if let Some(endpoints) = self.endpoints.get(&key) {
            return Ok(endpoints);
        }
        if public_url.configured().is_none() && !origin::is_loopback_host(headers) {
            return Err(PublicUrl::unknown());
        }
        let endpoints = Arc::new(EndpointUrls::new(&public_url.base(headers)?));
        self.endpoints.insert(key, Arc::clone(&endpoints));
        Ok(endpoints)
    }
}
