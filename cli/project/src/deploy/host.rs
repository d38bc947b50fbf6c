//! Hosts that an application is deployed to.

use super::tools::Tool;
use crate::flavours::Flavour;

/// What is known of a host before anything is deployed to it.
pub(super) struct Host {
    /// The name in messages.
    pub(super) name: &'static str,
    /// The name on the command line.
    pub(super) argument: &'static str,
    /// What is built for it.
    pub(super) flavour: Flavour,
    /// The domain below which an application gets its address, at its first deployment; `None`: it gets none.
    pub(super) domain: Option<&'static str>,
    /// What deploys to it.
    pub(super) tools: Vec<Tool>,
}

/// The domain of applications on Akamai Functions.
pub(super) const AKAMAI_DOMAIN: &str = "fwf.app";

/// The domain of applications on Fermyon Cloud.
pub(super) const FERMYON_CLOUD_DOMAIN: &str = "fermyon.app";

/// The domains in which applications are at the root, each on one host alone.
pub(super) const DOMAINS: [&str; 2] = [AKAMAI_DOMAIN, FERMYON_CLOUD_DOMAIN];
