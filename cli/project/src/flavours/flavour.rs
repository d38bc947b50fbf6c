//! The hosts, and what each has.

use clap::ValueEnum;
use host_limits::HostLimits;

/// What Wasm is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wasi {
    /// WASI 0.3.
    Main,
    /// WASI 0.2.
    Portable {
        /// Whether the host's key-value store has an atomic increment.
        atomics: bool,
    },
}

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

    /// Returns what it gives to an application at most.
    pub fn limits(self) -> HostLimits {
        match self {
            Self::Spin | Self::Portable => HostLimits::default(),
            Self::Akamai => HostLimits::akamai(),
            Self::FermyonCloud => HostLimits::fermyon_cloud(),
        }
    }

    /// Whether its key-value store has `wasi:keyvalue/atomics`.
    pub fn has_atomics(self) -> bool {
        self.limits().key_value.atomics
    }

    /// Whether a component can call another one of the application (`*.spin.internal`).
    pub fn has_service_chaining(self) -> bool {
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

    /// Returns what its Wasm is built for.
    pub fn wasi(self) -> Wasi {
        match self {
            Self::Spin => Wasi::Main,
            Self::Portable | Self::Akamai | Self::FermyonCloud => Wasi::Portable {
                atomics: self.has_atomics(),
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
