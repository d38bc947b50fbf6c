//! The origins (RFC 6454) whose pages may call the MCP endpoint.

use crate::{Problem, non_empty};
use url::Url;

const NAME: &str = "allowed_origins";

const REMEDY: &str = "List origins such as https://app.example.com, app://obsidian.md or chrome-extension://<id>, with spaces between them and no path behind them";

/// Schemes whose URLs have an origin without a host, or the origin of another URL (the URL standard,
/// section 4.7).
const WITHOUT_ORIGIN: [&str; 7] = [
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "javascript",
    "view-source",
];

/// Reads `allowed_origins`: the origins as browsers write them in `Origin`, and what is wrong with the
/// other entries, which are left out and allow no caller.
pub(crate) fn read_origins<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
) -> (Vec<String>, Vec<Problem>) {
    let mut origins = Vec::new();
    let mut problems = Vec::new();
    let entries = non_empty(values, NAME)
        .unwrap_or_default()
        .split_whitespace();
    for (index, entry) in entries.enumerate() {
        match read_origin(entry) {
            Ok(origin) => origins.push(origin),
            Err(why) => {
                let problem = format!("entry {} {why}, and is left out", index + 1);
                problems.push(Problem::new(NAME, problem, REMEDY));
            }
        }
    }
    (origins, problems)
}

/// An origin is scheme, host and port. That of a scheme which browsers and app frameworks have made up
/// (`tauri:`, `chrome-extension:`) has a host as well, and no default port.
fn read_origin(entry: &str) -> Result<String, &'static str> {
    match entry {
        "*" => return Err("is `*`, which would let every page in"),
        "null" => return Err("is `null`, which is the origin of any page that hides its own"),
        _ => {}
    }
    if entry.contains(',') {
        return Err("has a comma in it");
    }
    let url = Url::parse(entry).map_err(|_| "is not an origin")?;
    if WITHOUT_ORIGIN.contains(&url.scheme()) {
        return Err("has a scheme whose pages have no origin of their own");
    }
    let host = url.host_str().filter(|host| !host.is_empty());
    let Some(host) = host else {
        return Err("has no host");
    };
    if host.contains('*') {
        return Err("has a wildcard in it");
    }
    if !url.username().is_empty() || url.password().is_some() || entry.contains('@') {
        return Err("has a user name in it");
    }
    let is_bare = matches!(url.path(), "" | "/") && !entry.contains(['?', '#', '\\']);
    if !is_bare {
        return Err("has more behind the host than a port");
    }
    let port = url.port().map(|port| format!(":{port}"));
    let origin = format!(
        "{}://{}{}",
        url.scheme(),
        host.to_ascii_lowercase(),
        port.unwrap_or_default()
    );
    Ok(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> (Vec<String>, Vec<Problem>) {
        read_origins(&|_: &str| Some(value))
    }

    #[test]
    fn an_origin_has_any_scheme_a_host_and_perhaps_a_port() {
        for (entry, origin) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example/", "https://a.example"),
            ("HTTPS://A.example:443", "https://a.example"),
            ("http://localhost:6274/", "http://localhost:6274"),
            ("http://[::1]:6274", "http://[::1]:6274"),
            (
                "https://b\u{fc}cher.example",
                "https://xn--bcher-kva.example",
            ),
            ("app://obsidian.md", "app://obsidian.md"),
            ("tauri://localhost", "tauri://localhost"),
            ("capacitor://localhost/", "capacitor://localhost"),
            ("vscode-webview://0abc-def", "vscode-webview://0abc-def"),
            (
                "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
                "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            ),
            ("moz-extension://3a-4b", "moz-extension://3a-4b"),
            ("APP://Obsidian.md:8080", "app://obsidian.md:8080"),
        ] {
            assert_eq!(read(entry), (vec![origin.to_owned()], vec![]), "{entry}");
        }
    }

    #[test]
    fn an_entry_that_is_no_origin_is_left_out_and_told_by_its_number_alone() {
        for entry in [
            "*",
            "null",
            "bad-value",
            "bad-value.example",
            "https://bad-value.example/path",
            "https://bad-value.example?x",
            "https://bad-value.example/#",
            "https://me@bad-value.example",
            "https://@bad-value.example",
            "https://*.bad-value.example",
            "app://*",
            "app://bad-value/index.html",
            "app://bad-value?x",
            "app:bad-value",
            "tauri:",
            "tauri://",
            "file://",
            "file:///bad-value",
            "data://bad-value",
            "javascript://bad-value",
            "blob:https://bad-value.example",
            "https://a.example,https://bad-value.example",
            "https://bad-value.example:99999",
        ] {
            let (origins, problems) = read(entry);
            assert!(origins.is_empty(), "{entry}");
            assert_eq!(problems.len(), 1, "{entry}");
            let text = problems[0].to_string();
            assert!(text.starts_with("allowed_origins: entry 1 "), "{text}");
            assert!(!text.contains("bad-value"), "{text}");
        }
        let (origins, problems) = read("bad-value https://a.example app://obsidian.md *");
        assert_eq!(origins, ["https://a.example", "app://obsidian.md"]);
        assert_eq!(problems.len(), 2);
        assert!(problems[1].to_string().contains("entry 4"));
        assert_eq!(read(""), (vec![], vec![]));
    }
}
