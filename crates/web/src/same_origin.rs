//! The origin of a form: whether a page of ours sent it. It guards against forgery beside the form's own token.

use http::HeaderMap;
use http::header::ORIGIN;

/// What a browser says of who sent a request (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Whether a browser sent this request from a page of `origin` (scheme, host and port).
///
/// It has to say so, by `Sec-Fetch-Site` or by `Origin`, and neither may contradict. Our pages ask
/// for no referrer, for which a browser also makes the `Origin` of their forms `null`: that says
/// nothing by itself.
pub fn is_same_origin(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let by_site = text(SEC_FETCH_SITE).map(|site| site == "same-origin");
    let by_origin = text(ORIGIN.as_str())
        .filter(|given| *given != "null")
        .map(|given| given == origin);
    match (by_site, by_origin) {
        (Some(site), Some(origin)) => site && origin,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => false,
    }
}

/// Whether a browser says that the request comes from elsewhere. A client without these headers is
/// no browser that could be made to send a forged form.
pub fn is_cross_origin(headers: &HeaderMap, origin: &str) -> bool {
    let says = headers.contains_key(SEC_FETCH_SITE)
        || headers.get(ORIGIN).is_some_and(|given| given != "null");
    says && !is_same_origin(headers, origin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const OURS: &str = "https://mcp.example.com";

    fn ask(site: Option<&'static str>, origin: Option<&'static str>) -> (bool, bool) {
        let mut headers = HeaderMap::new();
        if let Some(site) = site {
            headers.insert(SEC_FETCH_SITE, HeaderValue::from_static(site));
        }
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        (
            is_same_origin(&headers, OURS),
            is_cross_origin(&headers, OURS),
        )
    }

    #[test]
    fn a_form_is_ours_if_the_browser_says_so_and_nothing_contradicts() {
        for (site, origin) in [
            (Some("same-origin"), Some(OURS)),
            (Some("same-origin"), Some("null")),
            (Some("same-origin"), None),
            (None, Some(OURS)),
        ] {
            assert_eq!(ask(site, origin), (true, false), "{site:?} {origin:?}");
        }
        for (site, origin) in [
            (Some("cross-site"), Some(OURS)),
            (Some("same-site"), None),
            (Some("none"), Some("null")),
            (Some("same-origin"), Some("https://evil.example")),
            (None, Some("https://evil.example")),
        ] {
            assert_eq!(ask(site, origin), (false, true), "{site:?} {origin:?}");
        }
        assert_eq!(ask(None, None), (false, false));
        assert_eq!(ask(None, Some("null")), (false, false));
    }
}
