//! Client identifiers that are URLs, and the metadata documents behind them.

use crate::{existing, first_line};
use oauth::document::{self, check_url};
use oauth::redirect_uri::PrivateUse;
use url::{Host, Url};

/// A client identifier that is a URL, and the document behind it: nothing is fetched but from
/// public names by https, and a document makes only the client that it was fetched as.
pub fn client_document(data: &[u8]) {
    let Some((url, document)) = first_line(data) else {
        return;
    };
    if check_url(url, None).is_ok() {
        let parsed = Url::parse(url).expect("it was checked");
        assert_eq!(parsed.scheme(), "https");
        assert!(parsed.fragment().is_none());
        assert!(parsed.username().is_empty() && parsed.password().is_none());
        let Some(Host::Domain(host)) = parsed.host() else {
            panic!("an address: {url}");
        };
        assert!(host.trim_end_matches('.').contains('.'), "{host}");
        for private in ["localhost", ".local", ".internal"] {
            assert!(!host.trim_end_matches('.').ends_with(private), "{host}");
        }
    }
    if let Ok(client) = document::read(
        url,
        document.as_bytes(),
        &existing(),
        None,
        PrivateUse::Listed,
    ) {
        assert_eq!(client.client_id, url);
        assert!(client.secret_hash.is_none());
    }
}
