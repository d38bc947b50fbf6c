//! Header fields of requests to the MCP endpoint.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use mcp::Revision;
use mcp::headers::{accepted, is_json, protocol_version};

/// The header lines of a request to the MCP endpoint.
pub fn mcp_headers(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            continue;
        };
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    if let Ok(Some(revision)) = protocol_version(&headers) {
        assert!(Revision::ALL.contains(&revision));
        let name = headers["mcp-protocol-version"]
            .to_str()
            .expect("it was read");
        assert_eq!(name.trim(), revision.as_str());
    }
    let before = accepted(&headers);
    if is_json(&headers) {
        let kind = headers["content-type"].to_str().expect("it was read");
        assert!(
            kind.trim_start()
                .to_ascii_lowercase()
                .starts_with("application/json")
        );
    }
    // What is accepted besides takes nothing away.
    headers.append(
        "accept",
        HeaderValue::from_static("application/json, text/event-stream"),
    );
    let after = accepted(&headers);
    assert!(after.json && after.event_stream);
    assert!(before.json <= after.json && before.event_stream <= after.event_stream);
    web::wants_html(&headers);
}
