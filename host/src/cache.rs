//! Compiled components on disk, so that a second start need not compile them again.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

/// How many bytes of components are kept, compiled and fetched ones each; those not used for the longest time go first.
pub(crate) const MAX_CACHE_BYTES: u64 = 1 << 30;

/// How old a file may be that is still written.
const MAX_PARTIAL_AGE: Duration = Duration::from_secs(24 * 60 * 60);

const DIGEST: usize = 32;

/// A directory of compiled components. Each file is the SHA-256 digest of the rest of it, and the rest of it.
#[derive(Clone)]
pub(crate) struct Cache {
    directory: Option<PathBuf>,
    /// What compiles, if not the engine that runs it.
    compiler: Option<Engine>,
}

impl Cache {
    /// A cache in this directory, which is made if it is not there, or none at all.
    ///
    /// What lies there is run, so it has to be the user's own, where no one else can write. If it is not, nothing is cached.
    pub(crate) fn new(directory: Option<PathBuf>) -> Self {
        let usable = directory.filter(|directory| match claim(directory) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(
                    "components are compiled at every start: compiled ones are not kept in {}: {error}",
                    directory.display()
                );
                false
            }
        });
        Self {
            directory: usable,
            compiler: None,
        }
    }

    /// Compiles with this engine for another one of the same configuration.
    pub(crate) fn compiler(mut self, compiler: Option<Engine>) -> Self {
        self.compiler = compiler;
        self
    }

    /// Compiles a component, or finds what came of it last time.
    pub(crate) fn compile(&self, engine: &Engine, component: &[u8]) -> wasmtime::Result<Component> {
        let Some(directory) = &self.directory else {
            return Component::new(engine, component);
        };
        let path = directory.join(format!("{}.cwasm", key(engine, component)));
        let turn = turn(&path);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = load(engine, &path) {
            return Ok(found);
        }
        let compiler = self.compiler.as_ref().unwrap_or(engine);
        let compiled = compiler.precompile_component(component)?;
        // A cache that cannot be written costs time at the next start and nothing else.
        if let Err(error) = store(directory, &path, &compiled) {
            tracing::debug!("cannot write {}: {error}", path.display());
        }
        deserialize(engine, &compiled)
    }
}

/// Returns what is locked while a file is made: hosts of this process that start at once compile a component once.
fn turn(path: &Path) -> Arc<Mutex<()>> {
    static TURNS: Mutex<BTreeMap<PathBuf, Arc<Mutex<()>>>> = Mutex::new(BTreeMap::new());
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(turns.entry(path.to_owned()).or_default())
}

/// Where compiled components lie by default: the user's cache directory, or else the system's temporary one.
pub(crate) fn default_directory() -> PathBuf {
    let user = ["XDG_CACHE_HOME", "LOCALAPPDATA"]
        .iter()
        .find_map(|name| {
            env::var_os(name)
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
        })
        .or_else(|| env::home_dir().map(|home| home.join(".cache")));
    user.unwrap_or_else(env::temp_dir).join("gatehouse-host")
}

/// Why a directory is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error(transparent)]
    System(#[from] std::io::Error),
    #[cfg(unix)]
    #[error("it is not a directory; remove it")]
    NoDirectory,
    #[cfg(unix)]
    #[error("it is another user's")]
    AnotherOwner,
    #[cfg(unix)]
    #[error("other users can write there (mode {0:o}); remove it with what is in it")]
    Writable(u32),
}

/// Makes sure that there is this directory and that it is this user's alone.
#[cfg(unix)]
pub(crate) fn claim(directory: &Path) -> Result<(), Unusable> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};

    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent)?;
    }
    if let Err(error) = fs::DirBuilder::new().mode(0o700).create(directory)
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        return Err(error.into());
    }
    // Not of what a link leads to: the maker of the link chose that.
    let metadata = fs::symlink_metadata(directory)?;
    let mode = metadata.mode() & 0o7777;
    if !metadata.is_dir() {
        return Err(Unusable::NoDirectory);
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(Unusable::AnotherOwner);
    }
    if mode & 0o022 != 0 {
        return Err(Unusable::Writable(mode));
    }
    if mode != 0o700 {
        // Others could read, and nothing else.
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes sure that there is this directory; its parent's access rules hold for it.
#[cfg(not(unix))]
pub(crate) fn claim(directory: &Path) -> Result<(), Unusable> {
    Ok(fs::create_dir_all(directory)?)
}

fn key(engine: &Engine, component: &[u8]) -> String {
    // Covers Wasmtime's version and configuration, and the processor's features.
    let mut compatibility = DefaultHasher::new();
    engine
        .precompile_compatibility_hash()
        .hash(&mut compatibility);
    let digest = Sha256::new()
        .chain_update(compatibility.finish().to_le_bytes())
        .chain_update(component)
        .finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn load(engine: &Engine, path: &Path) -> Option<Component> {
    let file = fs::read(path).ok()?;
    let (digest, compiled) = file.split_at_checked(DIGEST)?;
    if Sha256::digest(compiled).as_slice() != digest {
        tracing::warn!("{} is damaged and made again", path.display());
        return None;
    }
    let component = deserialize(engine, compiled).ok()?;
    // Only to know later what was used last.
    let _ = fs::File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
    Some(component)
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes must be what `Engine::precompile_component` made. They come from there just now, or from a file whose
    // digest says that it is as this program wrote it, in a directory that is this user's and where no one else can write.
    // A user who can write there can run code as this user.
    unsafe { Component::deserialize(engine, compiled) }
}

fn store(directory: &Path, path: &Path, compiled: &[u8]) -> std::io::Result<()> {
    // Several hosts may write at once: each writes its own file, and the renaming is atomic.
    let partial = directory.join(format!(
        "{}.{}.partial",
        path.file_name().unwrap_or_default().to_string_lossy(),
        unique()
    ));
    let mut file = fs::File::create_new(&partial)?;
    let written = file
        .write_all(&Sha256::digest(compiled))
        .and_then(|()| file.write_all(compiled));
    drop(file);
    if let Err(error) = written.and_then(|()| fs::rename(&partial, path)) {
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    prune(directory, "cwasm", MAX_CACHE_BYTES)
}

/// Returns a part for the name of a file that only this host writes. It is random: in a container, every process has the
/// same number, and one that was killed leaves its file behind.
pub(crate) fn unique() -> String {
    use std::hash::BuildHasher;
    format!("{:016x}", std::hash::RandomState::new().hash_one(0))
}

/// Removes the files with this extension that were not used for the longest time, until no more bytes are left than these;
/// and what was begun so long ago that its writer is no more.
pub(crate) fn prune(directory: &Path, extension: &str, kept: u64) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        let found = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        if found != extension && found != "partial" {
            continue;
        }
        let metadata = entry.metadata()?;
        let modified = metadata.modified()?;
        if found == extension {
            files.push((modified, metadata.len(), path));
        } else if modified.elapsed().is_ok_and(|age| age > MAX_PARTIAL_AGE) {
            // Another host may have removed it first.
            let _ = fs::remove_file(path);
        }
    }
    files.sort_unstable();
    let mut total = 0;
    for (_, size, path) in files.into_iter().rev() {
        total += size;
        if total > kept {
            // Another host may have removed it first.
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest component: its header alone.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn files(directory: &Path) -> Vec<PathBuf> {
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    #[test]
    fn a_component_is_compiled_once() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(directory.path().join("cache")));
        let engine = Engine::default();
        cache.compile(&engine, EMPTY).unwrap();
        let [file] = &files(&directory.path().join("cache"))[..] else {
            panic!("one file")
        };
        assert!(load(&engine, file).is_some());
        cache.compile(&engine, EMPTY).unwrap();
        assert_eq!(files(&directory.path().join("cache")).len(), 1);
    }

    #[test]
    fn a_damaged_or_cut_file_is_not_used_and_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(directory.path().to_owned()));
        let engine = Engine::default();
        cache.compile(&engine, EMPTY).unwrap();
        let file = files(directory.path()).remove(0);
        let good = fs::read(&file).unwrap();
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for bad in [
            flipped,
            good[..good.len() / 2].to_vec(),
            good[..7].to_vec(),
            Vec::new(),
        ] {
            fs::write(&file, bad).unwrap();
            assert!(load(&engine, &file).is_none());
            cache.compile(&engine, EMPTY).unwrap();
            assert_eq!(fs::read(&file).unwrap(), good);
        }
    }

    #[cfg(unix)]
    #[test]
    fn compiled_code_lies_in_a_directory_of_this_user_alone_or_nowhere() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let parent = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let directory = |name: &str, mode: u32| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let is_used = |path: &Path| Cache::new(Some(path.to_owned())).directory.is_some();

        let new = parent.path().join("a/b/new");
        assert!(is_used(&new));
        assert_eq!(mode(&new), 0o700);
        assert!(is_used(&new));
        // No one else could write there so far.
        let readable = directory("readable", 0o755);
        assert!(is_used(&readable));
        assert_eq!(mode(&readable), 0o700);
        for (name, writable) in [("group", 0o770), ("all", 0o777), ("sticky", 0o1777)] {
            assert!(!is_used(&directory(name, writable)), "{name}");
        }
        let link = parent.path().join("link");
        symlink(&new, &link).unwrap();
        assert!(!is_used(&link));
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(!is_used(&file));
        assert!(!is_used(&file.join("inside")));
        // A directory of another user, which only root can make.
        let another = directory("another", 0o700);
        if std::os::unix::fs::chown(&another, Some(65534), None).is_ok() {
            assert!(!is_used(&another));
        }
    }

    #[test]
    fn without_a_usable_directory_components_are_compiled_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let cache = Cache::new(Some(file));
        cache.compile(&Engine::default(), EMPTY).unwrap();
    }

    #[test]
    fn what_a_killed_host_left_unfinished_is_removed_after_a_day() {
        let directory = tempfile::tempdir().unwrap();
        let partial = |name: &str, age: Duration| {
            let path = directory.path().join(name);
            let file = fs::File::create(&path).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
            path
        };
        let old = partial("a.1.partial", MAX_PARTIAL_AGE * 2);
        let new = partial("b.2.partial", Duration::ZERO);
        prune(directory.path(), "wasm", MAX_CACHE_BYTES).unwrap();
        assert!(!old.exists() && new.exists());
        assert_ne!(unique(), unique());
    }

    #[test]
    fn the_files_used_last_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        for age in 0..5 {
            let path = directory.path().join(format!("{age}.cwasm"));
            fs::write(&path, [0; 10]).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000 - age);
            fs::File::open(&path).unwrap().set_modified(time).unwrap();
        }
        prune(directory.path(), "cwasm", 35).unwrap();
        for age in 0..5 {
            assert_eq!(
                directory.path().join(format!("{age}.cwasm")).exists(),
                age < 3
            );
        }
    }
}
