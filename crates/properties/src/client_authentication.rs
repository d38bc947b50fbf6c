//! Client authentication (RFC 6749 section 2.3).

use crate::{first_line, registered};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use oauth::client_authentication::read;
use oauth::{Client, Parameters, secret};

const SECRET: &str = "ghs_a secret+of:100%";

/// An Authorization header, and the form in the lines behind it: no client with a secret is believed
/// without it, in the header or in the form, and none without one that shows any.
pub fn client_authentication(data: &[u8]) {
    let Some((header, form)) = first_line(data) else {
        return;
    };
    let Ok(form) = Parameters::from_query(Some(form)) else {
        return;
    };
    let mut headers = HeaderMap::new();
    if !header.is_empty() {
        let Ok(value) = HeaderValue::from_str(header) else {
            return;
        };
        headers.insert(AUTHORIZATION, value);
    }
    if let Ok(presented) = read(&headers, &form) {
        assert!(!presented.client_id.is_empty());
        if let Some(named) = form.get("client_id") {
            assert_eq!(named, presented.client_id);
        }
        let in_form = form.get("client_secret");
        let is_believed = |method: &str| presented.check(&client(method)).is_ok();
        if is_believed("none") {
            assert!(header.is_empty() && in_form.is_none());
        }
        let by_secret = ["client_secret_basic", "client_secret_post"].map(is_believed);
        // Whichever way a client registered.
        assert_eq!(by_secret[0], by_secret[1]);
        if by_secret[0] {
            let ways = [in_form == Some(SECRET), basic_names_the_secret(header)];
            assert!(ways[0] != ways[1], "{header}");
            assert!(!is_believed("none"));
        }
    }
    check_round_trip(header, form.get("client_secret").unwrap_or_default());
}

/// A client that writes its id and secret as RFC 6749 section 2.3.1 says is read as it meant.
fn check_round_trip(id: &str, secret: &str) {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&format!("Basic {basic}")).expect("Base64 is header text");
    headers.insert(AUTHORIZATION, value);
    match read(&headers, &Parameters::default()) {
        Ok(presented) => assert_eq!(presented.client_id, id),
        Err(_) => assert!(id.is_empty()),
    }
}

fn basic_names_the_secret(header: &str) -> bool {
    let Some((_, credentials)) = header.split_once(' ') else {
        return false;
    };
    let Some(text) = STANDARD
        .decode(credentials.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
    else {
        return false;
    };
    text.split_once(':').is_some_and(|(_, secret)| {
        let secret = secret.replace('=', "%3D").replace('&', "%26");
        form_urlencoded::parse(secret.as_bytes()).any(|(name, _)| name == SECRET)
    })
}

fn client(method: &str) -> Client {
    let metadata = serde_json::json!({
        "redirect_uris": ["https://client.example/cb"],
        "token_endpoint_auth_method": method,
    });
    let secret_hash = (method != "none").then(|| secret::hash(SECRET));
    registered(&metadata.to_string(), secret_hash)
}
