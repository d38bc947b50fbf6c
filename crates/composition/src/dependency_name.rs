//! Dependency names: the imports of a component that a dependency satisfies.

use std::{fmt, str::FromStr};

use semver::{BuildMetadata, Version};

/// The key of a dependency in a manifest: `pkg:name`, `pkg:name/interface`, either with `@version`, or a plain name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DependencyName {
    /// The plain name of an import.
    Plain(String),
    /// Imports of a package's interfaces.
    Package {
        /// Namespace and name, as in `wasi:http`.
        package: String,
        /// The one interface meant; all of them where it is absent.
        interface: Option<String>,
        /// The one version meant; any where it is absent.
        version: Option<Version>,
    },
}

impl DependencyName {
    /// Whether the import called `import` is one of those meant.
    pub fn matches(&self, import: &str) -> bool {
        match (self, import.parse::<Self>()) {
            (Self::Plain(name), Ok(Self::Plain(import))) => *name == import,
            (
                Self::Package {
                    package,
                    interface,
                    version,
                },
                Ok(Self::Package {
                    package: of,
                    interface: Some(import),
                    version: at,
                }),
            ) => {
                *package == of
                    && interface
                        .as_ref()
                        .is_none_or(|interface| *interface == import)
                    && version
                        .as_ref()
                        .is_none_or(|version| Some(version) == at.as_ref())
            }
            _ => false,
        }
    }

    /// Whether both may mean one import, or compatible versions of it: Spin refuses the two beside each other.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (
            Self::Package {
                package,
                interface,
                version,
            },
            Self::Package {
                package: of,
                interface: another,
                version: at,
            },
        ) = (self, other)
        else {
            return false;
        };
        let (version, at) = (version.clone().map(compatible), at.clone().map(compatible));
        let versions_differ = matches!((version, at), (Some(one), Some(other)) if one != other);
        let interfaces_differ =
            matches!((interface, another), (Some(one), Some(other)) if one != other);
        package == of && !versions_differ && !interfaces_differ
    }

    /// Whether all interfaces of a package are meant.
    pub fn is_whole_package(&self) -> bool {
        matches!(
            self,
            Self::Package {
                interface: None,
                ..
            }
        )
    }
}

/// The first version of those that are compatible with this one.
fn compatible(mut version: Version) -> Version {
    version.build = BuildMetadata::EMPTY;
    if version.pre.is_empty() {
        if version.major > 0 {
            (version.minor, version.patch) = (0, 0);
        } else if version.minor > 0 {
            version.patch = 0;
        }
    }
    version
}

impl FromStr for DependencyName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains([':', '/']) {
            crate::identifier_case::kebab(text)?;
            return Ok(Self::Plain(text.to_owned()));
        }
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => {
                let version = version
                    .parse()
                    .map_err(|error| format!("version {version:?}: {error}"))?;
                (name, Some(version))
            }
            None => (text, None),
        };
        let (package, interface) = match name.split_once('/') {
            Some((package, interface)) => (package, Some(interface.to_owned())),
            None => (name, None),
        };
        let (namespace, short) = package
            .split_once(':')
            .ok_or_else(|| format!("{package:?} is not a package's name"))?;
        for part in [namespace, short].into_iter().chain(interface.as_deref()) {
            crate::identifier_case::kebab(part)?;
        }
        Ok(Self::Package {
            package: package.to_owned(),
            interface,
            version,
        })
    }
}

impl fmt::Display for DependencyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(name) => formatter.write_str(name),
            Self::Package {
                package,
                interface,
                version,
            } => {
                formatter.write_str(package)?;
                if let Some(interface) = interface {
                    write!(formatter, "/{interface}")?;
                }
                if let Some(version) = version {
                    write!(formatter, "@{version}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(dependency: &str, import: &str) -> bool {
        dependency
            .parse::<DependencyName>()
            .unwrap()
            .matches(import)
    }

    #[test]
    fn a_name_matches_what_it_leaves_open() {
        assert!(matches("a:b/c@0.1.0", "a:b/c@0.1.0"));
        assert!(matches("a:b/c", "a:b/c@0.1.0"));
        assert!(matches("a:b/c", "a:b/c"));
        assert!(matches("a:b", "a:b/c@0.1.0"));
        assert!(matches("a:b@0.1.0", "a:b/d@0.1.0"));
        assert!(matches("plain-name", "plain-name"));
    }

    #[test]
    fn a_name_matches_nothing_but_what_it_says() {
        assert!(!matches("a:b/c@0.1.0", "a:b/c"));
        assert!(!matches("a:b/c@0.1.0", "a:b/c@0.2.0"));
        assert!(!matches("a:b/c", "a:b/d"));
        assert!(!matches("a:b", "a:c/d"));
        assert!(!matches("a:b", "plain-name"));
        assert!(!matches("plain-name", "a:b/c"));
    }
}
