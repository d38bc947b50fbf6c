//! Registries of Wasm packages: OCI registries, which a registry's name leads to as with Bytecode Alliance's `wkg`.

use http::{HeaderMap, HeaderValue, header};
use semver::Version;
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use crate::{
    download::{DownloadError, Downloads, Ended, download},
    manifest::{InvalidSource, Package, Sha256, may_be_fetched, shown},
};

/// How many bytes a document of a registry may have.
const MAX_DOCUMENT_BYTES: u64 = 1 << 20;

/// How many lists of versions are read.
const MAX_PAGES: usize = 100;

/// The only form of a manifest that is read (OCI image specification 1.1).
const MANIFEST: HeaderValue =
    HeaderValue::from_static("application/vnd.oci.image.manifest.v1+json");

/// What a layer with a component says it is, in the guidance for Wasm OCI artifacts of CNCF's TAG Runtime.
const WASM: &str = "application/wasm";

/// A version of a package.
pub(crate) struct Release<'a> {
    repository: Repository<'a>,
    /// The digest of its Wasm.
    pub(crate) digest: Sha256,
}

/// Why a package cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    #[error("{0}: {1}")]
    Fetch(String, DownloadError),
    #[error("{0} is not what a registry for Wasm has there: {1}")]
    Document(String, serde_json::Error),
    #[error("the registry is {0:?}, which is no host")]
    Host(String),
    #[error("the registry wants credentials, and this host has none")]
    Credentials,
    #[error("the registry speaks {0:?}, and this host `oci` alone")]
    Protocol(String),
    #[error("no version of it matches; there are {}", listed(.0))]
    NoVersion(Vec<Version>),
    #[error("it is no component: no layer of it is of the type application/wasm")]
    NoWasm,
    #[error("{0}")]
    Digest(InvalidSource),
}

fn listed(versions: &[Version]) -> String {
    let mut versions: Vec<_> = versions.iter().map(Version::to_string).collect();
    if versions.is_empty() {
        return "none".to_owned();
    }
    versions.sort();
    versions.join(", ")
}

/// What a registry says of itself, at `/.well-known/wasm-pkg/registry.json`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    preferred_protocol: Option<String>,
    oci: Oci,
    // As older registries write it.
    oci_registry: Option<String>,
    oci_namespace_prefix: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Oci {
    registry: Option<String>,
    namespace_prefix: Option<String>,
}

/// What a manifest is read for (OCI image specification 1.1).
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
}

/// A page of tags (OCI distribution specification 1.1).
#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

/// A token for any client.
#[derive(Deserialize)]
struct Token {
    #[serde(alias = "access_token")]
    token: String,
}

/// Finds the newest version of a package that matches.
pub(crate) async fn find<'a>(
    downloads: &'a Downloads,
    package: &Package,
) -> Result<Release<'a>, RegistryError> {
    let url = url(package.registry(), "/.well-known/wasm-pkg/registry.json")?;
    let metadata = match document(downloads, &url, &HeaderMap::new()).await {
        Err(RegistryError::Fetch(_, DownloadError::Status(http::StatusCode::NOT_FOUND))) => {
            Metadata::default()
        }
        metadata => metadata?,
    };
    if let Some(other) = metadata.preferred_protocol
        && other != "oci"
    {
        return Err(RegistryError::Protocol(other));
    }
    let registry = metadata.oci_registry.or(metadata.oci.registry);
    let prefix = metadata
        .oci_namespace_prefix
        .or(metadata.oci.namespace_prefix);
    let mut repository = Repository {
        downloads,
        registry: registry.unwrap_or_else(|| package.registry().to_owned()),
        path: format!("/v2/{}{}", prefix.unwrap_or_default(), package.path()),
        headers: HeaderMap::from_iter([(header::ACCEPT, MANIFEST)]),
    };
    let version = match package.exact_version() {
        Some(version) => version,
        None => repository.newest(package).await?,
    };
    let manifest: Manifest = repository.get(&format!("/manifests/{version}")).await?;
    let mut layers = manifest.layers.into_iter();
    let layer = layers.find(|layer| layer.media_type == WASM);
    let layer = layer.ok_or(RegistryError::NoWasm)?;
    let digest = layer.digest.parse().map_err(RegistryError::Digest)?;
    Ok(Release { repository, digest })
}

impl Release<'_> {
    /// Fetches its Wasm, of at most so many bytes, and gives it to `part` piece by piece. Nothing is checked.
    pub(crate) async fn content(
        &self,
        most: u64,
        part: impl FnMut(&[u8]) -> Result<(), Ended>,
    ) -> Result<(), RegistryError> {
        let Repository {
            downloads,
            registry,
            path,
            headers,
        } = &self.repository;
        let url = url(registry, &format!("{path}/blobs/{}", self.digest))?;
        let fetched = download(downloads.client(), &url, headers, most, part).await;
        fetched.map_err(|error| RegistryError::Fetch(shown(&url), error))
    }
}

/// The versions of a package.
struct Repository<'a> {
    downloads: &'a Downloads,
    registry: String,
    path: String,
    /// With a token, once the registry has asked for one.
    headers: HeaderMap,
}

impl Repository<'_> {
    async fn newest(&mut self, package: &Package) -> Result<Version, RegistryError> {
        let mut versions = Vec::new();
        let mut last: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let path = match &last {
                None => "/tags/list".to_owned(),
                Some(last) => format!("/tags/list?last={last}"),
            };
            let page: Tags = self.get(&path).await?;
            let page = page.tags.unwrap_or_default();
            // A registry without pages gives the same again.
            if page.is_empty() || page.last() == last.as_ref() {
                break;
            }
            last = page.last().cloned();
            versions.extend(page.iter().filter_map(|tag| Version::parse(tag).ok()));
        }
        let matching = versions.iter().filter(|version| package.matches(version));
        let newest = matching.max().cloned();
        newest.ok_or(RegistryError::NoVersion(versions))
    }

    /// Gets a document, with a token if the registry gives one to everyone.
    async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, RegistryError> {
        let url = url(&self.registry, &format!("{}{path}", self.path))?;
        let challenge = match document(self.downloads, &url, &self.headers).await {
            Err(RegistryError::Fetch(_, DownloadError::Unauthorized(challenge))) => challenge,
            answer => return answer,
        };
        let token = challenge.as_ref().and_then(token_url);
        let token = token.ok_or(RegistryError::Credentials)?;
        let token: Token = document(self.downloads, &token, &HeaderMap::new()).await?;
        let bearer = HeaderValue::try_from(format!("Bearer {}", token.token));
        let bearer = bearer.map_err(|_| RegistryError::Credentials)?;
        self.headers.insert(header::AUTHORIZATION, bearer);
        document(self.downloads, &url, &self.headers).await
    }
}

async fn document<T: DeserializeOwned>(
    downloads: &Downloads,
    url: &Url,
    headers: &HeaderMap,
) -> Result<T, RegistryError> {
    let mut text = Vec::new();
    let part = |bytes: &[u8]| {
        text.extend_from_slice(bytes);
        Ok(())
    };
    download(downloads.client(), url, headers, MAX_DOCUMENT_BYTES, part)
        .await
        .map_err(|error| RegistryError::Fetch(shown(url), error))?;
    serde_json::from_slice(&text).map_err(|error| RegistryError::Document(shown(url), error))
}

/// Returns a URL of a registry: of the scheme `http` on this machine, and `https` on all others.
fn url(registry: &str, path: &str) -> Result<Url, RegistryError> {
    let no_host = || RegistryError::Host(registry.to_owned());
    let plain = Url::parse(&format!("http://{registry}{path}")).map_err(|_| no_host())?;
    if may_be_fetched(&plain) {
        return Ok(plain);
    }
    Url::parse(&format!("https://{registry}{path}")).map_err(|_| no_host())
}

/// Returns where a registry's challenge says that a token is (`Bearer realm="...",service="...",scope="..."`).
fn token_url(challenge: &HeaderValue) -> Option<Url> {
    let parameters = challenge.to_str().ok()?.strip_prefix("Bearer ")?;
    let mut realm = None;
    let mut rest = Vec::new();
    // No value of these has a comma and a quotation mark in it.
    for parameter in parameters.split("\",") {
        let (name, value) = parameter.trim().split_once("=\"")?;
        let value = value.trim_end_matches('"');
        match name {
            "realm" => realm = Some(Url::parse(value).ok()?),
            "service" | "scope" => rest.push((name, value)),
            _ => {}
        }
    }
    let mut url = realm.filter(may_be_fetched)?;
    url.query_pairs_mut().extend_pairs(rest);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_says_where_a_token_is() {
        let url = |challenge: &str| token_url(&HeaderValue::from_str(challenge).unwrap());
        let token = url(
            r#"Bearer realm="https://a.test/token",service="a.test",scope="repository:b/c:pull,push""#,
        );
        assert_eq!(
            token.unwrap().as_str(),
            "https://a.test/token?service=a.test&scope=repository%3Ab%2Fc%3Apull%2Cpush"
        );
        for other in [
            r#"Basic realm="a""#,
            r#"Bearer realm="http://a.test/token""#,
            r#"Bearer service="a.test""#,
            "Bearer",
            "Bearer realm",
        ] {
            assert_eq!(url(other), None, "{other}");
        }
    }
}
