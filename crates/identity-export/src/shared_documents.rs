//! Copies of what a provider publishes, in the store of the component that this one is a part of.

use config::StoreSettings;
use platform::key_value::{self, KeyValueStore};
use platform::variables;
use store::Store;

/// The copies of this component.
pub type SharedDocuments = oidc::SharedDocuments<KeyValueStore>;

/// Returns the copies, where the variables say where the store is. That component reports what is wrong with them.
pub(crate) async fn read() -> SharedDocuments {
    let values = variables::read(StoreSettings::VARIABLES).await;
    match StoreSettings::read(|name| values.get(name)) {
        Ok(settings) => {
            let redis_url = settings.redis_url.as_ref();
            let backend = key_value::open(redis_url.map(config::RedisUrl::expose));
            SharedDocuments::new(Store::new(backend, settings.key_prefix), settings.keys)
        }
        Err(_) => SharedDocuments::unshared(),
    }
}
