//! Wasm that other machines have: fetched once, checked against its digest, and kept.

use std::{
    fmt::Display,
    fs, io,
    io::{Read, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use futures::future::try_join_all;
use http::HeaderMap;
use sha2::Digest;
use url::Url;

use crate::{
    cache::{self, unique},
    download::{Downloads, Ended, download},
    http_connector::Client,
    manifest::{Package, Remote, Sha256, Source, may_be_fetched, shown},
    registry,
};

/// How many bytes a file may have.
const MAX_BYTES: u64 = 256 << 20;

/// A directory of files by their digests. What lies there is checked at each start, before it is used; so that no other user
/// can change it in between, the directory has to be this user's alone.
#[derive(Clone, Debug)]
pub struct Sources {
    directory: PathBuf,
}

/// Why a file of another machine cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be fetched.
    #[error("cannot fetch {url}: {reason}")]
    Fetch {
        /// Where it is.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// It is not what it should be.
    #[error(
        "{url} is not what the manifest names: its digest is {actual} and should be {expected}. If it was published again, write its new digest into the manifest once you trust it"
    )]
    Digest {
        /// Where it is.
        url: String,
        /// What the manifest says.
        expected: Sha256,
        /// What is there.
        actual: Sha256,
    },
    /// It cannot be kept.
    #[error(
        "cannot keep what is fetched in {path}: {source}. XDG_CACHE_HOME can name another directory"
    )]
    Keep {
        /// The file or directory.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
}

impl Default for Sources {
    /// The directory `sources` of the host, in the user's cache directory.
    fn default() -> Self {
        Self::new(cache::default_directory().join("sources"))
    }
}

impl Sources {
    /// Files in this directory, which is made when something is fetched.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// Fetches what of the Wasm is not here, at once. Without any on other machines, no connection is opened.
    ///
    /// # Errors
    /// If some cannot be fetched, is not what its digest says, or cannot be kept.
    pub async fn fetch(
        &self,
        sources: impl IntoIterator<Item = &Source>,
    ) -> Result<(), SourceError> {
        // Several components may name one.
        let mut wanted: Vec<&Source> = Vec::new();
        for source in sources {
            if !matches!(source, Source::File(_)) && !wanted.contains(&source) {
                wanted.push(source);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        cache::claim(&self.directory)
            .map_err(|error| keep(&self.directory, io::Error::other(error)))?;
        let downloads = Downloads::default();
        let fetched = wanted
            .into_iter()
            .map(|source| self.fetch_source(&downloads, source));
        try_join_all(fetched).await.map(drop)
    }

    async fn fetch_source(
        &self,
        downloads: &Downloads,
        source: &Source,
    ) -> Result<(), SourceError> {
        match source {
            Source::Remote(remote) if !self.has(remote.digest()) => {
                tracing::info!("fetching {}", remote.url());
                self.fetch_one(downloads.client(), remote).await
            }
            Source::Package(package) => self.fetch_package(downloads, package).await,
            Source::File(_) | Source::Remote(_) => Ok(()),
        }
    }

    /// Fetches a file unless it is here, and returns what is in it.
    ///
    /// # Errors
    /// As [`Sources::fetch`].
    pub async fn read(&self, remote: &Remote) -> Result<Vec<u8>, SourceError> {
        self.fetch(&[remote.clone().into()]).await?;
        let path = self.path(remote.digest());
        fs::read(&path).map_err(|source| keep(&path, source))
    }

    /// The file that has this Wasm, after it was fetched.
    pub fn file(&self, source: &Source) -> PathBuf {
        match source {
            Source::File(path) => path.clone(),
            Source::Remote(remote) => self.path(remote.digest()),
            Source::Package(package) => match self.found(package) {
                Some(digest) => self.path(digest),
                None => self.name(package),
            },
        }
    }

    /// The file that says which Wasm a package was found to be.
    fn name(&self, package: &Package) -> PathBuf {
        let digest = Sha256::of(package.to_string().as_bytes());
        self.directory.join(format!("{}.package", digest.hex()))
    }

    /// Which Wasm a package was found to be the last time.
    fn found(&self, package: &Package) -> Option<Sha256> {
        let text = fs::read_to_string(self.name(package)).ok()?;
        text.trim_end().parse().ok()
    }

    fn path(&self, digest: Sha256) -> PathBuf {
        self.directory.join(format!("{}.wasm", digest.hex()))
    }

    /// Whether the file is here, and whole.
    fn has(&self, digest: Sha256) -> bool {
        let path = self.path(digest);
        match digest_of(&path) {
            Ok(actual) if actual == digest => {
                // Only to know later what was used last.
                let _ = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                true
            }
            Ok(_) => {
                tracing::warn!("{} is damaged and fetched again", path.display());
                false
            }
            Err(_) => false,
        }
    }

    async fn fetch_one(&self, client: &Client, remote: &Remote) -> Result<(), SourceError> {
        let mut partial = Partial::new(&self.path(remote.digest()))?;
        let none = HeaderMap::new();
        let part = |bytes: &[u8]| partial.write(bytes);
        let fetched = download(client, remote.url(), &none, MAX_BYTES, part).await;
        self.keep_fetched(partial, remote.digest(), fetched, || shown(remote.url()))
    }

    /// Finds the newest version of a package that matches, unless it is here and there is one alone, and fetches it. Where
    /// the registry cannot be reached, what was found the last time is as good.
    async fn fetch_package(
        &self,
        downloads: &Downloads,
        package: &Package,
    ) -> Result<(), SourceError> {
        let here = self.found(package).filter(|digest| self.has(*digest));
        if here.is_some() && package.exact_version().is_some() {
            return Ok(());
        }
        let release = match registry::find(downloads, package).await {
            Ok(release) => release,
            Err(error) if here.is_some() => {
                tracing::warn!("{package} is what was found the last time: {error}");
                return Ok(());
            }
            Err(error) => return Err(not_fetched(package.to_string(), error)),
        };
        if here == Some(release.digest) {
            return Ok(());
        }
        if !self.has(release.digest) {
            tracing::info!("fetching {package}");
            let mut partial = Partial::new(&self.path(release.digest))?;
            let part = |bytes: &[u8]| partial.write(bytes);
            let fetched = release.content(MAX_BYTES, part).await;
            self.keep_fetched(partial, release.digest, fetched, || package.to_string())?;
        }
        let mut name = Partial::new(&self.name(package))?;
        // A failure is told when it is kept.
        let _ = name.write(release.digest.to_string().as_bytes());
        name.keep()
    }

    /// Keeps what was fetched from `origin` if that is all of it, and has the digest that it should have.
    fn keep_fetched(
        &self,
        partial: Partial,
        expected: Sha256,
        fetched: Result<(), impl Display>,
        origin: impl Fn() -> String,
    ) -> Result<(), SourceError> {
        if partial.failed.is_none() {
            fetched.map_err(|error| not_fetched(origin(), error))?;
            let actual = partial.digest();
            if actual != expected {
                return Err(SourceError::Digest {
                    url: origin(),
                    expected,
                    actual,
                });
            }
        }
        partial.keep()?;
        // What is too much costs space and nothing else.
        let _ = cache::prune(&self.directory, "wasm", cache::MAX_CACHE_BYTES);
        Ok(())
    }
}

/// Fetches what is at this URL, at most so many bytes, whatever it is.
///
/// # Errors
/// If it is at no URL that Wasm may come from, or cannot be fetched.
pub async fn fetch(url: &str, most: u64) -> Result<Vec<u8>, SourceError> {
    let failed = |reason: &dyn Display| not_fetched(url.to_owned(), reason);
    let read = Url::parse(url).map_err(|error| failed(&error))?;
    if !may_be_fetched(&read) {
        return Err(failed(&"it is no https URL"));
    }
    let downloads = Downloads::default();
    let mut content = Vec::new();
    let none = HeaderMap::new();
    let downloaded = download(downloads.client(), &read, &none, most, |bytes| {
        content.extend_from_slice(bytes);
        Ok(())
    });
    downloaded.await.map_err(|error| failed(&error))?;
    Ok(content)
}

/// What was fetched so far of a file. Several hosts may fetch it at once: each writes its own file, and the renaming is
/// atomic.
struct Partial {
    path: PathBuf,
    partial: Removed,
    file: fs::File,
    hasher: sha2::Sha256,
    /// Why it could not be written.
    failed: Option<io::Error>,
}

/// A file that is removed unless it got another name.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // After the renaming it is not there.
        let _ = fs::remove_file(&self.0);
    }
}

impl Partial {
    fn new(path: &Path) -> Result<Self, SourceError> {
        let partial = Removed(path.with_extension(format!("{}.partial", unique())));
        let file = fs::File::create_new(&partial.0).map_err(|source| keep(&partial.0, source))?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            file,
            hasher: sha2::Sha256::new(),
            failed: None,
        })
    }

    /// Writes what follows. If it cannot be written, [`keep()`](Self::keep) says why.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        self.hasher.update(bytes);
        self.file.write_all(bytes).map_err(|error| {
            self.failed = Some(error);
            Ended
        })
    }

    fn digest(&self) -> Sha256 {
        Sha256::from(<[u8; 32]>::from(self.hasher.clone().finalize()))
    }

    /// Gives it its name.
    fn keep(self) -> Result<(), SourceError> {
        if let Some(source) = self.failed {
            return Err(keep(&self.partial.0, source));
        }
        drop(self.file);
        fs::rename(&self.partial.0, &self.path).map_err(|source| keep(&self.path, source))
    }
}

fn not_fetched(url: String, reason: impl Display) -> SourceError {
    let reason = reason.to_string();
    SourceError::Fetch { url, reason }
}

fn keep(path: &Path, source: io::Error) -> SourceError {
    SourceError::Keep {
        path: path.display().to_string(),
        source,
    }
}

fn digest_of(path: &Path) -> io::Result<Sha256> {
    let mut file = fs::File::open(path)?;
    let mut hasher = sha2::Sha256::new();
    let mut part = vec![0; 1 << 16];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(Sha256::from(<[u8; 32]>::from(hasher.finalize()))),
            read => hasher.update(&part[..read]),
        }
    }
}
