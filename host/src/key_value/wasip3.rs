//! `spin:key-value@3.0.0`.

use tokio::sync::oneshot;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::granted::{Store, convert_errors};
use crate::{
    bindings::key_value::{Error, Host, HostStore, HostStoreWithStore},
    state::{Platform, State},
};

convert_errors!(Error);

impl Host for State {
    // None of them traps.
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl HostStore for State {
    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl<T: Send> HostStoreWithStore<T> for Platform {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> Result<Resource<Store>, Error> {
        let (component, region) = accessor.with(|mut access| {
            let state = access.get();
            (state.component.clone(), state.region())
        });
        let store = Store::open(component, region, &label).await?;
        accessor
            .with(|mut access| access.get().table.push(store))
            .map_err(|_| Error::StoreTableFull)
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(opened(accessor, &store)?.get(&key).await?)
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        Ok(opened(accessor, &store)?.set(&key, &value).await?)
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> Result<(), Error> {
        Ok(opened(accessor, &store)?.delete(&key).await?)
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> Result<bool, Error> {
        Ok(opened(accessor, &store)?.exists(&key).await?)
    }

    async fn get_keys(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let (keys, outcome) = match opened(accessor, &store) {
            Ok(store) => match store.keys().await {
                Ok(keys) => (keys, Ok(())),
                Err(error) => (Vec::new(), Err(error.into())),
            },
            Err(error) => (Vec::new(), Err(error)),
        };
        let (sender, receiver) = oneshot::channel();
        // The receiver is still here, so the outcome arrives.
        let _ = sender.send(outcome);
        accessor.with(|mut access| {
            Ok((
                StreamReader::new(&mut access, keys)?,
                FutureReader::new(&mut access, receiver)?,
            ))
        })
    }
}

fn opened<T: Send>(
    accessor: &Accessor<T, Platform>,
    store: &Resource<Store>,
) -> Result<Store, Error> {
    accessor
        .with(|mut access| access.get().table.get(store).cloned())
        .map_err(|_| Error::NoSuchStore)
}
