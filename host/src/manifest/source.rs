//! Sources of Wasm: a file, a URL with a digest, or a package of a registry.

use std::{fmt, path::PathBuf, str::FromStr};

use semver::{Comparator, Op, Version, VersionReq};
use url::{Host, Url};

/// Where the Wasm of a component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a file.
    File(PathBuf),
    /// On another machine, from where it is fetched once.
    Remote(Remote),
    /// In a registry, from where it is fetched once for each version.
    Package(Package),
}

/// A package of a registry of Wasm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Package {
    registry: String,
    namespace: String,
    name: String,
    versions: VersionReq,
}

/// A file on another machine, whose content is known by its digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remote {
    url: Url,
    digest: Sha256,
}

/// A SHA-256 digest, written `sha256:` and 64 small hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

/// Why a file on another machine cannot be named so.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSource {
    /// The digest is not one.
    #[error("`digest` must be `sha256:` and 64 hex digits in lower case, and is {0:?}")]
    Digest(String),
    /// The URL is not one, or of another scheme.
    #[error("`url` must begin with https://, or with http:// on a loopback host; {0}")]
    Url(String),
    /// The registry is none.
    #[error("`registry` must be a host such as \"registry.example.com\", and is {0:?}")]
    Registry(String),
    /// The name of a package is none.
    #[error("`package` must be such as \"example:weather\", and is {0:?}")]
    Package(String),
    /// The version is none.
    #[error("`version` {0:?} is none: {1}")]
    Version(String, semver::Error),
}

impl From<Remote> for Source {
    fn from(remote: Remote) -> Self {
        Self::Remote(remote)
    }
}

impl Remote {
    /// Returns the file at this URL with this digest.
    ///
    /// # Errors
    /// If the URL is neither of the scheme `https` nor of `http` with a loopback host, or the digest is none.
    pub fn new(url: &str, digest: &str) -> Result<Self, InvalidSource> {
        let digest = digest.parse()?;
        let invalid = |reason: &str| InvalidSource::Url(reason.to_owned());
        let url = Url::parse(url).map_err(|error| invalid(&format!("it is no URL ({error})")))?;
        if !may_be_fetched(&url) {
            return Err(invalid(&format!("it is on {}", shown(&url))));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("it may have no user name or password"));
        }
        Ok(Self { url, digest })
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The digest of what is there.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }
}

impl Package {
    /// Returns the package of this name, `<namespace>:<name>`, in one of these versions: for a component's own source
    /// exactly the one, for a dependency what satisfies a requirement such as `1.2`.
    ///
    /// # Errors
    /// If one of them is not as it should be.
    pub fn new(
        registry: &str,
        package: &str,
        version: &str,
        is_exact: bool,
    ) -> Result<Self, InvalidSource> {
        let url = Url::parse(&format!("https://{registry}/"));
        let is_host = url.is_ok_and(|url| url.as_str() == format!("https://{registry}/"));
        if !is_host || registry.contains(['/', '@', '?', '#']) {
            return Err(InvalidSource::Registry(registry.to_owned()));
        }
        let part = |part: &str| {
            let is_word = |word: &str| {
                word.starts_with(|letter: char| letter.is_ascii_lowercase())
                    && word
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            part.split('-').all(is_word)
        };
        let (namespace, name) = package
            .split_once(':')
            .filter(|(namespace, name)| part(namespace) && part(name))
            .ok_or_else(|| InvalidSource::Package(package.to_owned()))?;
        let invalid = |error| InvalidSource::Version(version.to_owned(), error);
        let versions = match is_exact {
            true => Version::parse(version).map(|version| VersionReq {
                comparators: vec![Comparator {
                    op: Op::Exact,
                    major: version.major,
                    minor: Some(version.minor),
                    patch: Some(version.patch),
                    pre: version.pre,
                }],
            }),
            false => VersionReq::parse(version),
        };
        Ok(Self {
            registry: registry.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            versions: versions.map_err(invalid)?,
        })
    }

    /// The host of the registry.
    pub(crate) fn registry(&self) -> &str {
        &self.registry
    }

    /// Where a registry has it.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    pub(crate) fn matches(&self, version: &Version) -> bool {
        self.versions.matches(version)
    }

    /// The version, if there is one alone that matches.
    pub(crate) fn exact_version(&self) -> Option<Version> {
        match &self.versions.comparators[..] {
            [
                Comparator {
                    op: Op::Exact,
                    major,
                    minor: Some(minor),
                    patch: Some(patch),
                    pre,
                },
            ] => Some(Version {
                pre: pre.clone(),
                ..Version::new(*major, *minor, *patch)
            }),
            _ => None,
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            registry,
            namespace,
            name,
            versions,
        } = self;
        write!(formatter, "{namespace}:{name}@{versions} of {registry}")
    }
}

/// Whether Wasm may come from this URL: by TLS, or from this machine.
pub(crate) fn may_be_fetched(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && is_loopback
}

/// The URL without what may be secret in it.
pub(crate) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // A URL without a host has no credentials either.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.into()
}

impl Sha256 {
    /// Returns the digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(<sha2::Sha256 as sha2::Digest>::digest(bytes).into())
    }

    /// The digits alone.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl From<[u8; 32]> for Sha256 {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sha256:{}", self.hex())
    }
}

impl FromStr for Sha256 {
    type Err = InvalidSource;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidSource::Digest(text.to_owned());
        let digits = text.strip_prefix("sha256:").ok_or_else(invalid)?.as_bytes();
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let (pairs, []) = digits.as_chunks::<2>() else {
            return Err(invalid());
        };
        let bytes = pairs
            .iter()
            .map(|[high, low]| Some(value(*high)? << 4 | value(*low)?))
            .collect::<Option<Vec<u8>>>();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That of no bytes (FIPS 180-4).
    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_written_as_it_is_read() {
        assert_eq!(Sha256::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse::<Sha256>().unwrap(), Sha256::of(b""));
        for wrong in [
            "",
            "sha256:",
            "sha256:e3",
            &EMPTY[7..],
            &EMPTY[..70],
            &format!("{EMPTY}00"),
            &EMPTY.to_uppercase(),
            "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha256:../../../../../../../../../../../../../../../../../etc/hostname/",
            "sha256:ä3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert!(wrong.parse::<Sha256>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn wasm_comes_by_tls_or_from_this_machine() {
        for good in [
            "https://a.test/b.wasm?token=c",
            "http://127.0.0.1:8080/b.wasm",
            "http://[::1]/b.wasm",
            "http://localhost/b.wasm",
        ] {
            assert_eq!(Remote::new(good, EMPTY).unwrap().url().as_str(), good);
        }
        for bad in [
            "http://a.test/b.wasm",
            "http://127.0.0.1.a.test/b.wasm",
            "ftp://a.test/b.wasm",
            "file:///b.wasm",
            "b.wasm",
            "",
        ] {
            assert!(Remote::new(bad, EMPTY).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_package_is_a_name_in_a_registry_with_its_versions() {
        let package =
            |registry, name, version, is_exact| Package::new(registry, name, version, is_exact);
        let exact = package("registry.example", "a-b:c2", "1.2.3-rc.1", true).unwrap();
        assert_eq!(exact.exact_version(), Some("1.2.3-rc.1".parse().unwrap()));
        assert_eq!(exact.to_string(), "a-b:c2@=1.2.3-rc.1 of registry.example");
        let some = package("127.0.0.1:5000", "a:b", "1.2", false).unwrap();
        assert_eq!(some.exact_version(), None);
        assert!(some.matches(&Version::new(1, 9, 0)) && !some.matches(&Version::new(2, 0, 0)));
        let one = package("registry.example", "a:b", "=1.2.3", false).unwrap();
        assert_eq!(one.exact_version(), Some(Version::new(1, 2, 3)));
        for (registry, name, version) in [
            ("", "a:b", "1.0.0"),
            ("registry.example/path", "a:b", "1.0.0"),
            ("user@registry.example", "a:b", "1.0.0"),
            ("https://registry.example", "a:b", "1.0.0"),
            ("registry.example", "a", "1.0.0"),
            ("registry.example", "a:../b", "1.0.0"),
            ("registry.example", "A:b", "1.0.0"),
            ("registry.example", "a:b-", "1.0.0"),
            ("registry.example", "a:b", "1.0"),
            ("registry.example", "a:b", "newest"),
        ] {
            assert!(
                package(registry, name, version, true).is_err(),
                "{registry} {name} {version}"
            );
        }
    }

    #[test]
    fn an_error_about_a_url_repeats_no_secret_of_it() {
        for url in [
            "http://a.test/b.wasm?token=hidden",
            "https://name:hidden@a.test/b.wasm",
        ] {
            let message = Remote::new(url, EMPTY).unwrap_err().to_string();
            assert!(!message.contains("hidden"), "{message}");
        }
    }
}
