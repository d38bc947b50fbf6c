//! A component of the bill of materials, of whichever registry.

use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A package that a release is made of, or that its SDKs bring.
#[derive(Clone, Debug, Default)]
pub(super) struct Component {
    /// Its name in its registry.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// Its package URL (github.com/package-url), which is also the reference inside of the document.
    pub(super) purl: String,
    /// Its licence, an SPDX expression.
    pub(super) license: Option<String>,
    /// The digest of what its registry has.
    pub(super) hash: Option<Hash>,
    /// Whether what needs it does without it where it does not fit, as on another platform.
    pub(super) is_optional: bool,
    /// The package URLs of what it is built from, or runs with.
    pub(super) needs: BTreeSet<String>,
}

/// A digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hash {
    /// The algorithm, as CycloneDX names it.
    pub(super) algorithm: &'static str,
    /// The digest, in hex.
    pub(super) hex: String,
}

impl Component {
    /// Returns how a list of licences has it.
    pub(super) fn license_line(&self) -> String {
        let license = self.license.as_deref().unwrap_or_default();
        format!("{} {}: {license}", self.name, self.version)
    }

    /// Returns it as CycloneDX has a component.
    pub(super) fn json(&self) -> Value {
        let mut component = json!({
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "purl": self.purl,
        });
        if self.is_optional {
            component["scope"] = "optional".into();
        }
        if let Some(license) = &self.license {
            component["licenses"] = json!([{ "expression": license }]);
        }
        if let Some(hash) = &self.hash {
            component["hashes"] = json!([hash.json()]);
        }
        component
    }
}

impl Hash {
    /// Returns it as CycloneDX has a hash.
    pub(super) fn json(&self) -> Value {
        json!({ "alg": self.algorithm, "content": self.hex })
    }
}
