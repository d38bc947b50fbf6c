//! Wasm that other machines have: fetched once, checked against its digest, and kept.

use std::{
    fs, io,
    io::{Read, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};

use futures::future::try_join_all;
use sha2::Digest;
use url::Url;

use crate::{
    cache::{self, unique},
    download::{Downloads, Ended, download},
    http_connector::Client,
    manifest::{Remote, Sha256, Source, may_be_fetched, shown},
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

    /// Fetches those of the files that are not here, at once. Without any, no connection is opened.
    ///
    /// # Errors
    /// If one cannot be fetched, is not what its digest says, or cannot be kept.
    pub async fn fetch(
        &self,
        remotes: impl IntoIterator<Item = &Remote>,
    ) -> Result<(), SourceError> {
        let mut missing = remotes.into_iter().peekable();
        if missing.peek().is_none() {
            return Ok(());
        }
        cache::claim(&self.directory)
            .map_err(|error| keep(&self.directory, io::Error::other(error)))?;
        let missing: Vec<_> = missing.filter(|remote| !self.has(remote)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let downloads = Downloads::default();
        let fetched = missing.into_iter().map(|remote| {
            tracing::info!("fetching {}", remote.url());
            self.fetch_one(downloads.client(), remote)
        });
        try_join_all(fetched).await.map(drop)
    }

    /// Fetches a file unless it is here, and returns what is in it.
    ///
    /// # Errors
    /// As [`Sources::fetch`].
    pub async fn read(&self, remote: &Remote) -> Result<Vec<u8>, SourceError> {
        self.fetch([remote]).await?;
        let path = self.path(remote.digest());
        fs::read(&path).map_err(|source| keep(&path, source))
    }

    /// The file that has this Wasm, after it was fetched.
    pub fn file(&self, source: &Source) -> PathBuf {
        match source {
            Source::File(path) => path.clone(),
            Source::Remote(remote) => self.path(remote.digest()),
        }
    }

    fn path(&self, digest: Sha256) -> PathBuf {
        self.directory.join(format!("{}.wasm", digest.hex()))
    }

    /// Whether the file is here, and whole.
    fn has(&self, remote: &Remote) -> bool {
        let path = self.path(remote.digest());
        match digest_of(&path) {
            Ok(digest) if digest == remote.digest() => {
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
        let path = self.path(remote.digest());
        // Several hosts may fetch it at once: each writes its own file, and the renaming is atomic.
        let partial = Partial(path.with_extension(format!("{}.partial", unique())));
        let mut file =
            fs::File::create_new(&partial.0).map_err(|source| keep(&partial.0, source))?;
        let mut hasher = sha2::Sha256::new();
        let mut failed = None;
        let downloaded = download(client, remote.url(), MAX_BYTES, |bytes| {
            hasher.update(bytes);
            file.write_all(bytes).map_err(|error| {
                failed = Some(error);
                Ended
            })
        });
        let downloaded = downloaded.await;
        if let Some(source) = failed {
            return Err(keep(&partial.0, source));
        }
        let url = || shown(remote.url());
        downloaded.map_err(|error| SourceError::Fetch {
            url: url(),
            reason: error.to_string(),
        })?;
        let actual = Sha256::from(<[u8; 32]>::from(hasher.finalize()));
        if actual != remote.digest() {
            return Err(SourceError::Digest {
                url: url(),
                expected: remote.digest(),
                actual,
            });
        }
        drop(file);
        fs::rename(&partial.0, &path).map_err(|source| keep(&path, source))?;
        // What is too much costs space and nothing else.
        let _ = cache::prune(&self.directory, "wasm", cache::KEPT);
        Ok(())
    }
}

/// Fetches what is at this URL, at most so many bytes, whatever it is.
///
/// # Errors
/// If it is at no URL that Wasm may come from, or cannot be fetched.
pub async fn fetch(url: &str, most: u64) -> Result<Vec<u8>, SourceError> {
    let failed = |reason: String| SourceError::Fetch {
        url: url.to_owned(),
        reason,
    };
    let read = Url::parse(url).map_err(|error| failed(error.to_string()))?;
    if !may_be_fetched(&read) {
        return Err(failed("it is no https URL".to_owned()));
    }
    let downloads = Downloads::default();
    let mut content = Vec::new();
    let downloaded = download(downloads.client(), &read, most, |bytes| {
        content.extend_from_slice(bytes);
        Ok(())
    });
    downloaded
        .await
        .map_err(|error| failed(error.to_string()))?;
    Ok(content)
}

/// A file that is removed unless it got another name.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // After the renaming it is not there.
        let _ = fs::remove_file(&self.0);
    }
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
