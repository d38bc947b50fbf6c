//! Compiled code that a process keeps in memory if it starts many hosts whose components have much in common.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
};

use wasmtime::{CacheStore, Config, Engine, component::Component};

use crate::engine;

/// Returns the component of this digest for [`engine::engine`], which is made at the first time alone.
///
/// # Errors
///
/// Those of `make`; the next time, it is made again.
pub(crate) fn component<E>(
    digest: [u8; 32],
    make: impl FnOnce() -> Result<Component, E>,
) -> Result<Component, E> {
    type Slot = Arc<Mutex<Option<Component>>>;
    static COMPONENTS: Mutex<BTreeMap<[u8; 32], Slot>> = Mutex::new(BTreeMap::new());
    let slot = {
        let mut components = COMPONENTS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(components.entry(digest).or_default())
    };
    // Hosts that start at once make it once.
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(component) = &*slot {
        return Ok(component.clone());
    }
    let component = make()?;
    *slot = Some(component.clone());
    Ok(component)
}

/// Returns an engine that compiles for [`engine::engine`] and keeps every function that it has compiled: a component that
/// has most of its functions in common with another one takes a third of the time.
pub(crate) fn compiler() -> wasmtime::Result<Engine> {
    static COMPILER: OnceLock<Engine> = OnceLock::new();
    if let Some(compiler) = COMPILER.get() {
        return Ok(compiler.clone());
    }
    let compiler = compiler_with(engine::config(), Arc::new(Functions::default()))?;
    Ok(COMPILER.get_or_init(|| compiler).clone())
}

fn compiler_with(mut config: Config, functions: Arc<Functions>) -> wasmtime::Result<Engine> {
    config.enable_incremental_compilation(functions)?;
    Engine::new(&config)
}

/// Compiled functions by what they were compiled from.
#[derive(Debug, Default)]
struct Functions(RwLock<HashMap<Vec<u8>, Vec<u8>>>);

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let functions = self.0.read().unwrap_or_else(PoisonError::into_inner);
        functions.get(key).cloned().map(Cow::Owned)
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let mut functions = self.0.write().unwrap_or_else(PoisonError::into_inner);
        functions.insert(key.to_vec(), value);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cache::Cache, engine::engine};

    /// A component with a function that a module inside has.
    fn component(constant: i32) -> Vec<u8> {
        let text = format!(
            "(component (core module (func (export \"f\") (result i32) i32.const 7)
                (func (export \"g\") (result i32) i32.const {constant})))"
        );
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn functions_are_compiled_once_and_run_in_the_engine() {
        let functions = Arc::new(Functions::default());
        let mut config = engine::config();
        // Threads that compile side by side compile some function twice now and then.
        config.parallel_compilation(false);
        let compiler = compiler_with(config, Arc::clone(&functions)).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(directory.path().join("cache"))).compiler(Some(compiler));
        let engine = engine().unwrap();
        let count = || functions.0.read().unwrap().len();
        cache.compile(&engine, &component(1)).unwrap();
        let first = count();
        assert!(first >= 2);
        cache.compile(&engine, &component(2)).unwrap();
        assert_eq!(count(), first + 1);
    }

    #[test]
    fn a_component_is_made_once_and_after_a_failure_again() {
        let engine = engine().unwrap();
        let digest = [7; 32];
        assert_eq!(
            super::component(digest, || Err("not yet")).err(),
            Some("not yet")
        );
        let make = || Ok::<_, &str>(Component::new(&engine, component(1)).unwrap());
        super::component(digest, make).unwrap();
        super::component(digest, || Err("made twice")).unwrap();
    }
}
