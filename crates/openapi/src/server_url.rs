//! The URL that an operation's path is appended to (Server Object).

use crate::document::{Document, object};
use crate::request::scalar::scalar;
use crate::safe_url::is_safe;
use crate::unusable::Unusable;
use serde_json::{Map, Value};
use strict_json::excerpt;
use url::Url;

/// Returns the URL of the server that is named first, by the operation, else by its path, else by the document. Its path ends
/// without a slash.
///
/// # Errors
///
/// Fails with [`Unusable::Server`] if that is no URL which nothing on the way can read.
pub(crate) fn server_url(
    document: &Document,
    path_item: &Value,
    operation: &Value,
) -> Result<Url, Unusable> {
    let servers = [
        operation.get("servers"),
        path_item.get("servers"),
        document.get("servers"),
    ];
    let server = servers
        .into_iter()
        .flatten()
        .find_map(|servers| servers.get(0));
    let template = server
        .and_then(|server| server.get("url")?.as_str())
        .unwrap_or("/");
    let variables = server.and_then(|server| server.get("variables"));
    let written = with_defaults(template, variables.map(object));
    let written = written.ok_or_else(|| unusable(template))?;
    let url = match document.url() {
        Some(document) => document.join(&written),
        None => Url::parse(&written),
    };
    let mut url = url.map_err(|_| unusable(&written))?;
    if !is_safe(&url) || written.contains('{') {
        return Err(unusable(&written));
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Returns the error for a URL, which names it without a user and a password.
fn unusable(url: &str) -> Unusable {
    Unusable::Server(excerpt(url.rsplit('@').next().unwrap_or_default()))
}

/// Returns a template with each variable replaced by its default; `None` if that has more than [`MAX_BYTES`].
fn with_defaults(template: &str, variables: Option<&Map<String, Value>>) -> Option<String> {
    let default = |name: &str| {
        let variable = variables?.get(name)?;
        let default = variable
            .get("default")
            .or_else(|| variable.get("enum")?.get(0));
        default.filter(|default| default.is_string() || default.is_number())
    };
    let mut url = String::new();
    for (n, part) in template.split('{').enumerate() {
        match part
            .split_once('}')
            .and_then(|(name, rest)| Some((default(name)?, rest)))
        {
            Some((default, rest)) if n > 0 => url.extend([&scalar(default), rest]),
            _ => url.extend([if n > 0 { "{" } else { "" }, part]),
        }
        if url.len() > MAX_BYTES {
            return None;
        }
    }
    Some(url)
}

/// Bytes of a server's URL.
const MAX_BYTES: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn url_of(servers: &Value, path_item: &Value, operation: &Value) -> Result<String, Unusable> {
        let document = json!({"openapi": "3.0.0", "servers": servers}).to_string();
        let fetched = Url::parse("https://docs.example/v2/openapi.json").unwrap();
        let document = Document::read(&document, Some(fetched)).unwrap();
        server_url(&document, path_item, operation).map(Into::into)
    }

    #[test]
    fn the_nearest_server_counts() {
        let server = |url: &str| json!([{"url": url}, {"url": "https://second.example"}]);
        let root = server("https://root.example/v1/");
        let path = json!({"servers": server("https://path.example")});
        let operation = json!({"servers": server("https://operation.example/x")});
        let none = json!({});
        assert_eq!(
            url_of(&root, &none, &none).unwrap(),
            "https://root.example/v1"
        );
        assert_eq!(
            url_of(&root, &path, &none).unwrap(),
            "https://path.example/"
        );
        assert_eq!(
            url_of(&root, &path, &operation).unwrap(),
            "https://operation.example/x"
        );
        assert_eq!(
            url_of(&json!([]), &none, &none).unwrap(),
            "https://docs.example/"
        );
    }

    #[test]
    fn a_relative_server_is_resolved_against_the_documents_url() {
        let url_of = |url: &str| url_of(&json!([{"url": url}]), &json!({}), &json!({})).unwrap();
        assert_eq!(url_of("/api"), "https://docs.example/api");
        assert_eq!(url_of("."), "https://docs.example/v2");
        assert_eq!(url_of("//other.example/a?x#y"), "https://other.example/a");
        let text =
            Document::read(r#"{"openapi":"3.0.0","servers":[{"url":"/api"}]}"#, None).unwrap();
        let error = server_url(&text, &json!({}), &json!({}));
        assert_eq!(error, Err(Unusable::Server("/api".to_owned())));
    }

    #[test]
    fn variables_have_their_defaults() {
        let server = json!([{
            "url": "https://{name}.example:{port}/{version}",
            "variables": {
                "name": {"default": "demo"},
                "port": {"enum": ["8443", "443"]},
                "version": {"default": 2},
            },
        }]);
        assert_eq!(
            url_of(&server, &json!({}), &json!({})).unwrap(),
            "https://demo.example:8443/2"
        );
    }

    #[test]
    fn a_server_that_anyone_on_the_way_can_read_is_refused() {
        for url in [
            "http://api.example",
            "https://user:word@api.example",
            "https://{tenant}.example",
            "https://api.example/{missing}",
            "ftp://api.example",
        ] {
            let error = url_of(&json!([{"url": url}]), &json!({}), &json!({}));
            let named = url.replace("https://user:word@", "");
            assert_eq!(error, Err(Unusable::Server(named)));
        }
    }

    #[test]
    fn a_server_does_not_grow_by_its_variables() {
        let next = |n: usize| json!({"default": format!("{{{0}}}{{{0}}}", n + 1)});
        let variables: Map<_, _> = (0..60).map(|n| (n.to_string(), next(n))).collect();
        let long = json!({"a": {"default": "x".repeat(1500)}});
        for (url, variables) in [
            ("https://{0}", Value::Object(variables)),
            ("https://api.example/{a}{a}", long),
        ] {
            let servers = json!([{"url": url, "variables": variables}]);
            let refused = url_of(&servers, &json!({}), &json!({}));
            assert!(matches!(refused, Err(Unusable::Server(_))));
        }
    }
}
