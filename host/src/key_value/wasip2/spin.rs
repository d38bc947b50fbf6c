//! `fermyon:spin/key-value@2.0.0`.

use wasmtime::component::Resource;

use crate::{
    bindings::spin2::key_value::{Error, Host, HostStore},
    key_value::granted::{Store, convert_errors},
    state::State,
};

convert_errors!(Error);

impl State {
    fn store(&self, store: &Resource<Store>) -> Result<Store, Error> {
        self.table
            .get(store)
            .cloned()
            .map_err(|_| Error::NoSuchStore)
    }
}

impl Host for State {
    // None of them traps.
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl HostStore for State {
    async fn open(&mut self, label: String) -> Result<Resource<Store>, Error> {
        let store = Store::open(self.component.clone(), self.region(), &label).await?;
        self.table.push(store).map_err(|_| Error::StoreTableFull)
    }

    async fn get(&mut self, store: Resource<Store>, key: String) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.store(&store)?.get(&key).await?)
    }

    async fn set(
        &mut self,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        Ok(self.store(&store)?.set(&key, &value).await?)
    }

    async fn delete(&mut self, store: Resource<Store>, key: String) -> Result<(), Error> {
        Ok(self.store(&store)?.delete(&key).await?)
    }

    async fn exists(&mut self, store: Resource<Store>, key: String) -> Result<bool, Error> {
        Ok(self.store(&store)?.exists(&key).await?)
    }

    async fn get_keys(&mut self, store: Resource<Store>) -> Result<Vec<String>, Error> {
        Ok(self.store(&store)?.keys().await?)
    }

    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}
