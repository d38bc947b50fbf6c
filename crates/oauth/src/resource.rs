//! Resource indicators (RFC 8707): which of our endpoints a token is for.

use url::Url;

/// Why a resource is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ResourceError {
    /// It is not one of ours.
    #[error("resource is not one that this server protects")]
    Foreign,
}

/// The resources of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resources(Vec<String>);

impl Resources {
    /// Returns the resources below `base`, which has no trailing slash: `/mcp`, the canonical one, `/sse`,
    /// and the base itself, for clients that look no further.
    pub fn new(base: &str) -> Self {
        Self::with(base, &["/mcp", "/sse", ""])
    }

    /// Returns those of them that metadata names: `/sse` only where HTTP+SSE is offered (`http_sse`). A token for it is good
    /// at `/mcp` either way.
    pub fn advertised(base: &str, http_sse: bool) -> Self {
        if http_sse {
            Self::new(base)
        } else {
            Self::with(base, &["/mcp", ""])
        }
    }

    fn with(base: &str, paths: &[&str]) -> Self {
        Self(paths.iter().map(|path| format!("{base}{path}")).collect())
    }

    /// Returns the resource that a request means when it names none.
    pub fn canonical(&self) -> &str {
        &self.0[0]
    }

    /// Returns every resource, the canonical one first.
    pub fn all(&self) -> &[String] {
        &self.0
    }

    /// Whether `resource` is one of them, in whatever spelling.
    pub fn has(&self, resource: &str) -> bool {
        self.find(resource).is_some()
    }

    /// Returns the resources of an authorization request, in our spelling; the canonical one if it names
    /// none.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Foreign`].
    pub fn select<'a>(
        &self,
        requested: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<String>, ResourceError> {
        let mut selected = Vec::new();
        for resource in requested {
            let known = self.find(resource).ok_or(ResourceError::Foreign)?;
            if !selected.contains(known) {
                selected.push(known.clone());
            }
        }
        if selected.is_empty() {
            selected.push(self.canonical().to_owned());
        }
        Ok(selected)
    }

    /// Returns the resources of a token: those `requested` of the ones `granted`, or all of them if the
    /// request names none of these.
    ///
    /// Clients name one of our URLs when they send the browser here and another one for the token:
    /// the base, the base with a slash, the endpoint. All of them are this server, each token is good
    /// at every transport, and none is for more than was granted.
    ///
    /// # Errors
    ///
    /// [`ResourceError::Foreign`].
    pub fn narrow<'a>(
        &self,
        requested: impl Iterator<Item = &'a str>,
        granted: &[String],
    ) -> Result<Vec<String>, ResourceError> {
        let mut selected = Vec::new();
        for resource in requested {
            let known = self.find(resource).ok_or(ResourceError::Foreign)?;
            if granted.contains(known) && !selected.contains(known) {
                selected.push(known.clone());
            }
        }
        Ok(if selected.is_empty() {
            granted.to_vec()
        } else {
            selected
        })
    }

    /// Clients write a URL as their library does: with a slash behind a bare host, with a host in
    /// capitals. None of that makes it another resource.
    fn find(&self, resource: &str) -> Option<&String> {
        let canonical = |text: &str| {
            let url = Url::parse(text).ok()?;
            (url.fragment().is_none() && url.query().is_none())
                .then(|| url.as_str().trim_end_matches('/').to_owned())
        };
        let resource = canonical(resource)?;
        self.0
            .iter()
            .find(|known| canonical(known).as_ref() == Some(&resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://mcp.example.com";

    fn select(requested: &[&str]) -> Result<Vec<String>, ResourceError> {
        Resources::new(BASE).select(requested.iter().copied())
    }

    #[test]
    fn a_request_without_a_resource_means_the_canonical_one() {
        assert_eq!(select(&[]).unwrap(), ["https://mcp.example.com/mcp"]);
    }

    #[test]
    fn every_spelling_of_a_resource_of_ours_is_taken() {
        for (requested, expected) in [
            ("https://mcp.example.com", "https://mcp.example.com"),
            ("https://mcp.example.com/", "https://mcp.example.com"),
            (
                "HTTPS://MCP.example.com:443/sse",
                "https://mcp.example.com/sse",
            ),
            (
                "https://mcp.example.com/mcp/",
                "https://mcp.example.com/mcp",
            ),
        ] {
            assert_eq!(select(&[requested]).unwrap(), [expected]);
        }
    }

    #[test]
    fn one_foreign_resource_spoils_the_request() {
        for foreign in [
            "https://other.example/mcp",
            "http://mcp.example.com/mcp",
            "https://mcp.example.com/other",
            "https://mcp.example.com/mcp#x",
            "https://mcp.example.com/mcp?x",
            "nonsense",
        ] {
            let requested = ["https://mcp.example.com/mcp", foreign];
            assert_eq!(select(&requested), Err(ResourceError::Foreign));
        }
    }

    #[test]
    fn another_resource_of_ours_than_was_granted_is_taken_and_adds_nothing() {
        for base in [BASE, "https://example.com/tools"] {
            let resources = Resources::new(base);
            let slash = format!("{base}/");
            let named: Vec<&str> = resources.all().iter().map(String::as_str).collect();
            for granted in &named {
                let granted = [(*granted).to_owned()];
                for requested in named.iter().chain([&slash.as_str()]) {
                    let narrowed = resources.narrow(Some(*requested).into_iter(), &granted);
                    assert_eq!(narrowed.unwrap(), granted, "{requested}");
                }
                let foreign = ["https://mcp.example.com/mcp", "https://example.com/"];
                let foreign = if base == BASE { foreign[1] } else { foreign[0] };
                let requested = [named[0], foreign].into_iter();
                let narrowed = resources.narrow(requested, &granted);
                assert_eq!(narrowed, Err(ResourceError::Foreign));
            }
        }
    }

    #[test]
    fn a_token_is_for_no_more_resources_than_the_grant() {
        let resources = Resources::new(BASE);
        let granted = vec![resources.all()[0].clone(), resources.all()[1].clone()];
        let narrow =
            |requested: &'static str| resources.narrow(Some(requested).into_iter(), &granted);
        assert_eq!(
            narrow("https://mcp.example.com/sse").unwrap(),
            ["https://mcp.example.com/sse"]
        );
        for other in [BASE, "https://mcp.example.com/"] {
            assert_eq!(narrow(other).unwrap(), granted);
        }
        let both = ["https://mcp.example.com/", "https://mcp.example.com/sse"];
        assert_eq!(
            resources.narrow(both.into_iter(), &granted).unwrap(),
            ["https://mcp.example.com/sse"]
        );
        assert_eq!(narrow("https://a.example/"), Err(ResourceError::Foreign));
        assert_eq!(
            resources.narrow(std::iter::empty(), &granted).unwrap(),
            granted
        );
    }
}
