//! The flavours that are served in place of `spin.toml`, as `cargo xtask test` builds them.

use crate::Provider;
use crate::workspace::root;
use host::HostLimits;
use std::path::{Path, PathBuf};

/// A build of the application for hosts of WASI 0.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// For Spin 3, whose key-value stores have atomics.
    Portable,
    /// For Akamai Functions.
    Akamai,
    /// For Fermyon Cloud.
    FermyonCloud,
}

/// The environment variable that names the flavour over which every test runs that does not name one.
const VARIABLE: &str = "GATEHOUSE_TEST_FLAVOUR";

impl Flavour {
    /// Returns the flavour that the environment names, if it does.
    ///
    /// # Panics
    ///
    /// If there is no flavour of the name.
    pub fn chosen() -> Option<Self> {
        let name = std::env::var(VARIABLE).ok()?;
        let of_name = |flavour: &Self| flavour.name() == name;
        let all = [Self::Portable, Self::Akamai, Self::FermyonCloud];
        let chosen = all.into_iter().find(of_name);
        assert!(chosen.is_some(), "{VARIABLE}: there is no flavour {name}");
        chosen
    }

    /// Returns whether the application under test offers HTTP+SSE.
    pub fn offers_http_sse() -> bool {
        !matches!(Self::chosen(), Some(Self::Akamai | Self::FermyonCloud))
    }

    /// Returns whether the application under test knows clients by their metadata documents.
    pub fn offers_client_documents() -> bool {
        Self::chosen() != Some(Self::FermyonCloud)
    }

    /// Returns the paths of its protected resources below its base URL; the first is the base itself.
    pub fn resource_paths() -> &'static [&'static str] {
        if Self::offers_http_sse() {
            &["", "/mcp", "/sse"]
        } else {
            &["", "/mcp"]
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Akamai => "akamai",
            Self::FermyonCloud => "fermyon-cloud",
        }
    }

    /// Returns the folder of its build with the identity component of this provider and with these tools, whose Wasm
    /// of the main build has this path.
    pub(crate) fn folder(self, provider: Provider, tools: Option<&str>) -> PathBuf {
        let stem = |path: &str| {
            let stem = Path::new(path).file_stem().expect("the name of a file");
            stem.to_string_lossy().into_owned()
        };
        let identity = stem(provider.component());
        let tools = stem(tools.unwrap_or("gatehouse_tools.wasm"));
        root()
            .join(format!("target/{}-for-tests", self.name()))
            .join(format!("{identity}+{tools}"))
    }

    /// Returns what its host restricts.
    pub(crate) fn limits(self) -> HostLimits {
        match self {
            Self::Portable => HostLimits::default(),
            Self::Akamai => HostLimits::akamai(),
            Self::FermyonCloud => HostLimits::fermyon_cloud(),
        }
    }
}
