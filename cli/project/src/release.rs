//! Releases: a folder of files at a URL whose last part is the version, and the digests of those that projects are made
//! of, in `release.sha256`.

use anyhow::{Context, Result, bail, ensure};
use config::is_loopback;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use url::Url;

/// The file of a release that has the digests of what projects are made of, as `sha256sum` writes them. Its own digest
/// stands in a project's `spin.toml`, and so stands for the whole release.
pub const SUMS: &str = "release.sha256";

/// Where a release is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    url: String,
}

/// A release, with the digests of its files.
#[derive(Clone, Debug)]
pub struct Release {
    address: Address,
    /// The SHA-256 digests, in hex, by the names of the files.
    sums: BTreeMap<String, String>,
}

impl Address {
    /// Reads the URL of a release.
    ///
    /// # Errors
    ///
    /// If it is not of the scheme `https` (`http` on a loopback host), or does not end with a version.
    pub fn new(url: &str) -> Result<Self> {
        let url = url.trim_end_matches('/');
        let read = Url::parse(url).with_context(|| format!("{url} is no URL"))?;
        ensure!(
            read.scheme() == "https" || read.scheme() == "http" && is_loopback(&read),
            "{url}: a release has to be at an https URL, or at an http URL of this machine"
        );
        // Every part of it stands in files of other syntaxes.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:%+[]".contains(&byte);
        ensure!(
            url.bytes().all(is_plain),
            "{url}: the URL of a release may have no query and no special characters"
        );
        let address = Self {
            url: url.to_owned(),
        };
        ensure!(
            is_version(address.version()),
            "{url}: the URL of a release has to end with its version, such as /0.1.0"
        );
        Ok(address)
    }

    /// The URL, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The version.
    pub fn version(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// Returns where another version of it is, beside it.
    ///
    /// # Errors
    ///
    /// If that is no version.
    pub fn of_version(&self, version: &str) -> Result<Self> {
        ensure!(
            is_version(version),
            "{version} is no version, such as 0.2.0"
        );
        let folder = self.url.strip_suffix(self.version()).unwrap_or_default();
        Self::new(&format!("{folder}{version}"))
    }

    /// The URL of a file.
    pub fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.url)
    }
}

impl Release {
    /// Reads the release at this address from its [`SUMS`].
    ///
    /// # Errors
    ///
    /// If that is not as `sha256sum` writes it.
    pub fn new(address: Address, sums: &str) -> Result<Self> {
        let mut read = BTreeMap::new();
        for line in sums.lines() {
            // Two spaces, or a space and an asterisk for binary files.
            let (digest, name) = line
                .split_once(' ')
                .with_context(|| format!("{SUMS} has a line that is no digest and file: {line}"))?;
            let name = name.trim_start_matches([' ', '*']);
            ensure!(
                is_digest(digest) && is_file_name(name),
                "{SUMS} has a line that is no digest and file: {line}"
            );
            read.insert(name.to_owned(), digest.to_owned());
        }
        ensure!(!read.is_empty(), "{SUMS} is empty");
        let digest = hex(sums.as_bytes());
        read.insert(SUMS.to_owned(), digest);
        Ok(Self {
            address,
            sums: read,
        })
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the digest of a file, `sha256:` and 64 hex digits.
    ///
    /// # Errors
    ///
    /// If it has no such file.
    pub fn digest(&self, name: &str) -> Result<String> {
        let digest = self
            .sums
            .get(name)
            .with_context(|| format!("the release {} has no file {name}", self.address.url))?;
        Ok(format!("sha256:{digest}"))
    }

    /// Returns a text with this release in the place of the one at `from`: in URLs, in the names of files, in the digests that
    /// follow a URL in its line, and in the versions of packages from the registry `gatehouse` of Cargo.
    ///
    /// # Errors
    ///
    /// If the release lacks a file or package that the text names.
    pub fn put_into(&self, text: &str, from: &Address) -> Result<String> {
        let mut replaced = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let line = self.put_into_line(line, from)?;
            if line.contains("registry = \"gatehouse\"") {
                let version = |address: &Address| format!("version = \"{}\"", address.version());
                let name = line.split('=').next().unwrap_or_default().trim();
                self.digest(&format!("{name}-{}.crate", self.address.version()))?;
                replaced += &line.replace(&version(from), &version(&self.address));
            } else {
                replaced += &line;
            }
        }
        Ok(replaced)
    }

    fn put_into_line(&self, line: &str, from: &Address) -> Result<String> {
        let mut parts = line.split(from.url());
        let mut replaced = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let Some(part) = part.strip_prefix('/') else {
                let is_other = part.starts_with(|next: char| is_in_file_name(next));
                replaced += if is_other {
                    from.url()
                } else {
                    self.address.url()
                };
                replaced += part;
                continue;
            };
            let end = part.find(|next| !is_in_file_name(next));
            let (name, rest) = part.split_at(end.unwrap_or(part.len()));
            let name = name.replace(from.version(), self.address.version());
            replaced += &self.address.file(&name);
            if rest.starts_with('/') {
                // Digests are of files in the folder itself.
                replaced += rest;
                continue;
            }
            let new = self.digest(&name)?;
            replaced += &match digest_in(rest) {
                None => rest.to_owned(),
                Some(old) => rest.replacen(old, new.trim_start_matches("sha256:"), 1),
            };
        }
        Ok(replaced)
    }
}

/// Finds the release that a manifest names.
///
/// # Errors
///
/// If it names none.
pub fn of_manifest(manifest: &toml::Table) -> Result<(Address, String)> {
    let release = manifest
        .get("application")
        .and_then(|application| application.get("tool")?.get("gatehouse")?.get("release"));
    let text = |name: &str| release.and_then(|release| release.get(name)?.as_str());
    let (Some(url), Some(digest)) = (text("url"), text("digest")) else {
        bail!(
            "spin.toml names no release of Gatehouse: it has no `release = {{ url = \"...\", digest = \"...\" }}` under [application.tool.gatehouse]"
        );
    };
    let folder = url.strip_suffix(SUMS).with_context(|| {
        format!("spin.toml, application.tool.gatehouse.release: the url has to end with {SUMS}")
    })?;
    Ok((Address::new(folder)?, digest.to_owned()))
}

/// Returns the lines of `sha256sum` for these files: their names and contents.
pub fn sums<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let sums: BTreeMap<&str, String> = files
        .into_iter()
        .map(|(name, content)| (name, hex(content)))
        .collect();
    let lines = sums
        .iter()
        .map(|(name, digest)| format!("{digest}  {name}\n"));
    lines.collect()
}

/// Returns the lines of `sha256sum` for every file in a folder and the folders inside, but for `SHA256SUMS`.
///
/// # Errors
///
/// If one cannot be read.
pub fn sums_of(folder: &Path) -> Result<String> {
    let paths = files(folder)?;
    sums_of_paths(folder, paths.iter().filter(|path| *path != "SHA256SUMS"))
}

/// Returns the lines of `sha256sum` for the files in a folder itself.
///
/// # Errors
///
/// If one cannot be read.
pub fn sums_of_files_in(folder: &Path) -> Result<String> {
    let paths = files(folder)?;
    sums_of_paths(folder, paths.iter().filter(|path| !path.contains('/')))
}

fn sums_of_paths<'a>(folder: &Path, paths: impl Iterator<Item = &'a String>) -> Result<String> {
    let contents = paths.map(|path| {
        let content = fs::read(folder.join(path));
        Ok((
            path.as_str(),
            content.with_context(|| format!("{path} cannot be read"))?,
        ))
    });
    let contents: Vec<(&str, Vec<u8>)> = contents.collect::<Result<_>>()?;
    Ok(sums(
        contents.iter().map(|(path, content)| (*path, &content[..])),
    ))
}

/// Returns the paths of the files in a folder and the folders inside, in order.
///
/// # Errors
///
/// If a folder cannot be read.
pub fn files(folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut waiting = vec![String::new()];
    while let Some(inside) = waiting.pop() {
        let path = folder.join(&inside);
        let entries = fs::read_dir(&path);
        for entry in entries.with_context(|| format!("{} cannot be read", path.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let name = match &*inside {
                "" => name,
                inside => format!("{inside}/{name}"),
            };
            match entry.file_type()?.is_dir() {
                true => waiting.push(name),
                false => files.push(name),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Returns the SHA-256 digest of a content, in hex.
pub fn hex(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first digest in a text, without what says of which algorithm it is.
fn digest_in(text: &str) -> Option<&str> {
    let at = text.find("sha256")? + "sha256".len();
    let digest = text.get(at..)?.strip_prefix([':', '='])?.get(..64)?;
    is_digest(digest).then_some(digest)
}

fn is_digest(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 64 && text.bytes().all(is_digit)
}

/// Whether a name is one of a file in the folder itself, which needs no quoting anywhere.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_in_file_name)
}

fn is_in_file_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._+-".contains(character)
}

/// Whether this is a version (semver.org), as far as the look of its numbers.
fn is_version(text: &str) -> bool {
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    let is_number =
        |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    numbers.split('.').count() == 3
        && numbers.split('.').all(is_number)
        && text.chars().all(is_in_file_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn address(url: &str) -> Address {
        Address::new(url).unwrap()
    }

    fn release() -> Release {
        let files = [
            ("gatehouse_mcp.wasm", &b"mcp"[..]),
            ("sdk-1.2.3.whl", b"sdk"),
            ("sdk-1.2.3.crate", b"crate"),
        ];
        Release::new(address("https://b.test/c/1.2.3"), &sums(files)).unwrap()
    }

    #[test]
    fn a_release_is_at_a_url_that_ends_with_its_version() {
        for good in [
            "https://a.test/releases/0.1.0",
            "https://a.test/0.1.0-rc.1/",
            "http://127.0.0.1:8080/10.20.30",
        ] {
            let version = good.trim_end_matches('/').rsplit('/').next();
            assert_eq!(Some(address(good).version()), version);
        }
        for bad in [
            "https://a.test/",
            "https://a.test/latest",
            "https://a.test/1.0",
            "https://a.test/1.0.x",
            "http://a.test/0.1.0",
            "https://a.test/0.1.0?x=1",
            "https://a.test/\"/0.1.0",
            "file:///0.1.0",
            "0.1.0",
        ] {
            assert!(Address::new(bad).is_err(), "{bad}");
        }
        let other = address("https://a.test/r/0.1.0")
            .of_version("0.2.0")
            .unwrap();
        assert_eq!(other.url(), "https://a.test/r/0.2.0");
        for bad in ["next", "../0.2.0", "1.2.3/..", ""] {
            assert!(other.of_version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sums_are_read_as_they_are_written() {
        let release = release();
        // FIPS 180-4, of `mcp`.
        let digest = format!("sha256:{}", hex(b"mcp"));
        assert_eq!(release.digest("gatehouse_mcp.wasm").unwrap(), digest);
        assert!(release.digest(SUMS).is_ok());
        let missing = release.digest("other.wasm").unwrap_err().to_string();
        assert!(missing.contains("other.wasm") && missing.contains("https://b.test/c/1.2.3"));
        for bad in [
            "",
            "x",
            &format!("{ZERO}  "),
            &format!("{ZERO}  ../a"),
            &format!("{ZERO}  a/b"),
            &format!("{}  a", &ZERO[1..]),
            "<html>not found</html>",
        ] {
            let address = address("https://a.test/0.1.0");
            assert!(Release::new(address, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn another_release_changes_urls_names_digests_and_versions_and_nothing_else() {
        let from = address("https://a.test/0.1.0");
        let text = format!(
            "source = {{ url = \"https://a.test/0.1.0/gatehouse_mcp.wasm\", digest = \"sha256:{ZERO}\" }}\n\
             sdk @ https://a.test/0.1.0/sdk-0.1.0.whl#sha256={ZERO}\n\
             index = \"sparse+https://a.test/0.1.0/index/\"\n\
             sdk = {{ version = \"0.1.0\", registry = \"gatehouse\" }}\n\
             version = \"0.1.0\"\n\
             other = {{ url = \"https://other.test/0.1.0/x.wasm\", digest = \"sha256:{ZERO}\" }}\n\
             longer = \"https://a.test/0.1.01/x\"\n\
             alone = \"https://a.test/0.1.0\""
        );
        let (mcp, sdk) = (hex(b"mcp"), hex(b"sdk"));
        let expected = format!(
            "source = {{ url = \"https://b.test/c/1.2.3/gatehouse_mcp.wasm\", digest = \"sha256:{mcp}\" }}\n\
             sdk @ https://b.test/c/1.2.3/sdk-1.2.3.whl#sha256={sdk}\n\
             index = \"sparse+https://b.test/c/1.2.3/index/\"\n\
             sdk = {{ version = \"1.2.3\", registry = \"gatehouse\" }}\n\
             version = \"0.1.0\"\n\
             other = {{ url = \"https://other.test/0.1.0/x.wasm\", digest = \"sha256:{ZERO}\" }}\n\
             longer = \"https://a.test/0.1.01/x\"\n\
             alone = \"https://b.test/c/1.2.3\""
        );
        assert_eq!(release().put_into(&text, &from).unwrap(), expected);
        for (name, missing) in [
            (
                "gatehouse_new.wasm",
                text.replace("gatehouse_mcp", "gatehouse_new"),
            ),
            ("a.tgz", "\"https://a.test/0.1.0/a.tgz\"".to_owned()),
            ("new-1.2.3.crate", text.replace("sdk = {", "new = {")),
        ] {
            let error = release().put_into(&missing, &from).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn the_manifest_says_which_release_it_is_of() {
        let manifest = |release: &str| {
            let text = format!("[application.tool.gatehouse]\nrelease = {release}");
            text.parse::<toml::Table>().unwrap()
        };
        let named =
            manifest("{ url = 'https://a.test/0.1.0/release.sha256', digest = 'sha256:0' }");
        let (address, digest) = of_manifest(&named).unwrap();
        assert_eq!((address.version(), &*digest), ("0.1.0", "sha256:0"));
        for wrong in ["'0.1.0'", "{ url = 'https://a.test/0.1.0/x', digest = '' }"] {
            assert!(of_manifest(&manifest(wrong)).is_err());
        }
        let none = of_manifest(&toml::Table::new()).unwrap_err().to_string();
        assert!(none.contains("application.tool.gatehouse"), "{none}");
    }
}
