//! The hosts, and what each has.

use crate::build::WasmBuild;
use clap::ValueEnum;

/// What a host takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flavour {
    /// Spin 4.1: the same as without a flavour
    Spin,
    /// Spin 3 and SpinKube, whose key-value stores have atomics
    Portable,
    /// Akamai Functions
    Akamai,
    /// Fermyon Cloud
    FermyonCloud,
}

impl Flavour {
    /// Returns the name of its folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Portable => "portable",
            Self::Akamai => "akamai",
            Self::FermyonCloud => "fermyon-cloud",
        }
    }

    /// Whether its key-value store has `wasi:keyvalue/atomics`.
    pub(super) fn has_atomics(self) -> bool {
        !matches!(self, Self::Akamai | Self::FermyonCloud)
    }

    /// Whether a component can call another one of the application (`*.spin.internal`).
    pub(super) fn has_service_chaining(self) -> bool {
        self != Self::FermyonCloud
    }

    /// Returns defaults of variables that are the host's limits: its requests end after 30 seconds, and
    /// HTTP+SSE needs a store with atomics.
    pub(super) fn defaults(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Spin | Self::Portable => &[],
            Self::Akamai => &[
                ("call_timeout", "25"),
                ("stream_seconds", "25"),
                ("http_sse", "false"),
            ],
            Self::FermyonCloud => &[
                ("call_timeout", "25"),
                ("stream_seconds", "25"),
                ("http_sse", "false"),
                ("client_metadata", "false"),
            ],
        }
    }

    /// Returns how its components are built: small and fast (`optimized`), or soon.
    pub(super) fn wasm_build(self, optimized: bool) -> WasmBuild {
        match self {
            Self::Spin => WasmBuild::Main,
            Self::Portable | Self::Akamai | Self::FermyonCloud => WasmBuild::Portable {
                atomics: self.has_atomics(),
                optimized,
            },
        }
    }
}
