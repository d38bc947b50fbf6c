//! A tool that calls others.

use futures::join;
use gatehouse_sdk::{Result, Value, data, http, json, tool};

#[data(output)]
pub(crate) struct Fetched {
    statuses: [u16; 2],
    content_type: Option<String>,
    body: Value,
}

/// Gets a URL, and posts to it, at once
#[tool]
pub(crate) async fn fetch(url: String) -> Result<Fetched> {
    let get = http::get(&url).query("a b", "c&d");
    let post = http::post(&url)
        .bearer("token")
        .json(&json!({ "large": "x".repeat(200_000) }));
    let (got, posted) = join!(get.send(), post.send());
    let (got, posted) = (got?, posted?);
    Ok(Fetched {
        statuses: [got.status, posted.status],
        content_type: got.header("content-type").map(str::to_owned),
        body: got.json()?,
    })
}
