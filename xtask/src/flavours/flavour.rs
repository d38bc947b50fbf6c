//! The hosts, and what each has.

use crate::build::WasmBuild;
use crate::shell::target;
use clap::ValueEnum;
use host_limits::HostLimits;
use std::path::PathBuf;

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
    /// Returns its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Portable => "portable",
            Self::Akamai => "akamai",
            Self::FermyonCloud => "fermyon-cloud",
        }
    }

    /// Returns the folder that has its manifest and Wasm.
    pub fn folder(self) -> PathBuf {
        target().join(self.name())
    }

    /// Returns what it gives to an application at most.
    pub fn limits(self) -> HostLimits {
        match self {
            Self::Spin | Self::Portable => HostLimits::default(),
            Self::Akamai => HostLimits::akamai(),
            Self::FermyonCloud => HostLimits::fermyon_cloud(),
        }
    }

    /// Whether its key-value store has `wasi:keyvalue/atomics`.
    pub(super) fn has_atomics(self) -> bool {
        self.limits().key_value.atomics
    }

    /// Whether a component can call another one of the application (`*.spin.internal`).
    pub(super) fn has_service_chaining(self) -> bool {
        self.limits().service_chaining
    }

    /// Returns defaults of variables that the host's limits ask for: its requests end after 30 seconds, and HTTP+SSE
    /// needs a store with atomics.
    pub fn defaults(self) -> &'static [(&'static str, &'static str)] {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_calls_end_before_the_host_ends_their_request() {
        for flavour in Flavour::value_variants() {
            let Some(most) = flavour.limits().request_timeout else {
                continue;
            };
            for name in ["call_timeout", "stream_seconds"] {
                let default = flavour.defaults().iter().find(|(other, _)| *other == name);
                let seconds: u64 = default.unwrap().1.parse().unwrap();
                assert!(seconds < most.as_secs(), "{flavour:?}: {name}");
            }
        }
    }
}
