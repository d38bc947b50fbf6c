//! The offer of the MCP endpoint, as the component `mcp` says by service chaining.

use http::{Request, StatusCode, Uri};
use platform::http_client::{Bounds, Error, send};
use serde::Deserialize;
use std::time::Duration;

/// What the MCP endpoint offers.
#[derive(Clone, Debug, Deserialize)]
pub struct Offer {
    /// The server.
    pub server: Server,
    /// Its tools.
    pub tools: Items,
    /// Its prompts.
    pub prompts: Items,
}

/// The server, as its tools component describes it: `Implementation` of MCP.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    name: String,
    title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    #[serde(default)]
    icons: Vec<Icon>,
    website_url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Icon {
    src: String,
}

/// Some of them.
#[derive(Clone, Debug, Deserialize)]
pub struct Items {
    /// The first ones.
    pub first: Vec<Item>,
    /// How many there are beside these.
    pub more: usize,
}

/// A tool or a prompt.
#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    /// For programs.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// What a client has to be allowed to use it.
    pub scopes: Vec<String>,
}

/// An image that a page may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// Its URL.
    pub src: &'a str,
    /// The origin that it comes from, unless the URL has the image itself.
    pub origin: Option<String>,
}

impl Server {
    /// Its name for people.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// Returns its first icon that lies at an `https:` URL or in the URL itself: MCP has no others.
    pub fn icon(&self) -> Option<Image<'_>> {
        self.icons.iter().find_map(|Icon { src }| {
            let is_inline = src.starts_with("data:image/");
            let origin = origin(src);
            (is_inline || origin.is_some()).then_some(Image { src, origin })
        })
    }

    /// Returns its website, if that is an `https:` URL.
    pub fn website(&self) -> Option<&str> {
        let url = self.website_url.as_deref()?;
        origin(url).map(|_| url)
    }
}

/// Returns the origin of an `https:` URL.
fn origin(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    let authority = url.authority()?;
    let has_no_user = !authority.as_str().contains('@');
    (url.scheme_str() == Some("https") && has_no_user).then(|| format!("https://{authority}"))
}

/// Where `mcp` says what it offers. No route of the manifest leads there from outside.
const OFFER: &str = "http://mcp.spin.internal/offer";

const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(3),
    size: 512 * 1024,
};

/// Asks the component `mcp`. `None`: the manifest does not let this component ask, the host cannot, or there is no answer,
/// which is in the log.
pub async fn offer() -> Option<Offer> {
    let request = Request::get(OFFER).body(Default::default()).ok()?;
    match send(request, BOUNDS).await {
        Ok(response) if response.status() == StatusCode::OK => {
            let offer = serde_json::from_slice(response.body());
            let said = |error| log_line::write(format_args!("home: what mcp offers: {error}"));
            offer.map_err(said).ok()
        }
        // Its own log says why, and its endpoint does to every client.
        Ok(_) | Err(Error::Denied(_)) => None,
        Err(error) => {
            log_line::write(format_args!("home: what mcp offers: {error}"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(icons: &[&str]) -> Server {
        Server {
            name: "weather".to_owned(),
            title: None,
            description: None,
            icons: icons
                .iter()
                .map(|src| Icon {
                    src: (*src).to_owned(),
                })
                .collect(),
            website_url: icons.first().map(|src| (*src).to_owned()),
        }
    }

    #[test]
    fn an_icon_is_inline_or_at_an_https_url() {
        let inline = "data:image/png;base64,AAAA";
        let elsewhere = "https://a.example:8443/icon.png";
        for (src, origin) in [
            (inline, None),
            (elsewhere, Some("https://a.example:8443".to_owned())),
        ] {
            let server = server(&[
                "http://a.example/icon.png",
                "javascript:alert(1)",
                "data:text/html,x",
                "https://x@a.example/",
                src,
            ]);
            assert_eq!(server.icon(), Some(Image { src, origin }));
            assert_eq!(server.website(), None);
        }
        assert_eq!(server(&["x"]).icon(), None);
        assert_eq!(server(&[elsewhere]).website(), Some(elsewhere));
    }
}
