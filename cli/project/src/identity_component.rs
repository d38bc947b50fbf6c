//! The component that the manifest has behind the contract `gatehouse:identity`.

/// The component, by the file that the manifest names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// `components/identity-descope`.
    Descope,
    /// `components/identity-oidc`.
    OpenId,
    /// The operator's own, of which nothing is known here.
    Own,
}

impl Identity {
    /// Reads the component `identity` of a manifest.
    pub fn of(manifest: &toml::Table) -> Self {
        let source = manifest
            .get("component")
            .and_then(|components| components.get("identity")?.get("source"));
        // A path, or where a release has it.
        let source =
            source.and_then(|source| source.as_str().or_else(|| source.get("url")?.as_str()));
        let source = source.unwrap_or_default();
        match source.rsplit('/').next() {
            Some("gatehouse_identity_descope.wasm") => Self::Descope,
            Some("gatehouse_identity_oidc.wasm") => Self::OpenId,
            _ => Self::Own,
        }
    }

    /// Describes it in a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Descope => "your Descope project",
            Self::OpenId => "your OpenID Connect provider",
            Self::Own => "a component of your own",
        }
    }
}
