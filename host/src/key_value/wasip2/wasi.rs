//! `wasi:keyvalue@0.2.0-draft2`: store, batch and atomics.

use wasmtime::component::Resource;

use crate::{
    bindings::keyvalue::{
        atomics::{self, CasError},
        batch,
        store::{self, Error, KeyResponse},
    },
    key_value::{
        error::{KeyValueError, Pairs},
        granted::{Cas, Store, SwapError, convert_errors},
    },
    state::State,
};

convert_errors!(Error);

impl State {
    fn bucket(&self, bucket: &Resource<Store>) -> Result<Store, Error> {
        self.table
            .get(bucket)
            .cloned()
            .map_err(|_| Error::NoSuchStore)
    }

    fn cas(&mut self, cas: &Resource<Cas>) -> Result<&mut Cas, Error> {
        self.table
            .get_mut(cas)
            .map_err(|_| Error::Other("compare and swap not found".to_owned()))
    }
}

impl store::Host for State {
    async fn open(&mut self, label: String) -> Result<Resource<Store>, Error> {
        let store = Store::open(self.component.clone(), self.region(), &label).await?;
        self.table
            .push(store)
            .map_err(|_| Error::Other("store table full".to_owned()))
    }

    // None of them traps.
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl store::HostBucket for State {
    async fn get(
        &mut self,
        bucket: Resource<Store>,
        key: String,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.bucket(&bucket)?.get(&key).await?)
    }

    async fn set(
        &mut self,
        bucket: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        Ok(self.bucket(&bucket)?.set(&key, &value).await?)
    }

    async fn delete(&mut self, bucket: Resource<Store>, key: String) -> Result<(), Error> {
        Ok(self.bucket(&bucket)?.delete(&key).await?)
    }

    async fn exists(&mut self, bucket: Resource<Store>, key: String) -> Result<bool, Error> {
        Ok(self.bucket(&bucket)?.exists(&key).await?)
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Store>,
        cursor: Option<String>,
    ) -> Result<KeyResponse, Error> {
        if cursor.is_some() {
            return Err(Error::Other("list_keys: cursor not supported".to_owned()));
        }
        Ok(KeyResponse {
            keys: self.bucket(&bucket)?.keys().await?,
            cursor: None,
        })
    }

    async fn drop(&mut self, bucket: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl batch::Host for State {
    async fn get_many(
        &mut self,
        bucket: Resource<Store>,
        keys: Vec<String>,
    ) -> Result<Pairs, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.bucket(&bucket)?.get_many(keys).await?)
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Store>,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> Result<(), Error> {
        if pairs.is_empty() {
            return Ok(());
        }
        Ok(self.bucket(&bucket)?.set_many(pairs).await?)
    }

    async fn delete_many(
        &mut self,
        bucket: Resource<Store>,
        keys: Vec<String>,
    ) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        Ok(self.bucket(&bucket)?.delete_many(keys).await?)
    }
}

impl atomics::Host for State {
    async fn increment(
        &mut self,
        bucket: Resource<Store>,
        key: String,
        delta: i64,
    ) -> Result<i64, Error> {
        Ok(self.bucket(&bucket)?.increment(&key, delta).await?)
    }

    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> Result<(), CasError> {
        let outcome = self
            .cas(&cas)
            .map_err(CasError::StoreError)?
            .swap(value)
            .await;
        let lost = self
            .table
            .delete(cas)
            .map_err(|error| CasError::StoreError(Error::Other(error.to_string())))?;
        match outcome {
            Ok(()) => Ok(()),
            Err(SwapError::Backend(error)) => Err(CasError::StoreError(error.into())),
            Err(SwapError::Lost) => {
                let again = async {
                    let mut cas = Cas::new(lost.store, lost.key).await?;
                    cas.current().await?;
                    Ok::<_, KeyValueError>(cas)
                };
                let again = again
                    .await
                    .map_err(|error| CasError::StoreError(error.into()))?;
                Err(match self.table.push(again) {
                    Ok(cas) => CasError::CasFailed(cas),
                    Err(error) => CasError::StoreError(Error::Other(error.to_string())),
                })
            }
        }
    }

    fn convert_cas_error(&mut self, error: CasError) -> wasmtime::Result<CasError> {
        Ok(error)
    }
}

impl atomics::HostCas for State {
    async fn new(&mut self, bucket: Resource<Store>, key: String) -> Result<Resource<Cas>, Error> {
        let cas = Cas::new(self.bucket(&bucket)?, key).await?;
        self.table
            .push(cas)
            .map_err(|_| Error::Other("too many compare_and_swaps opened".to_owned()))
    }

    async fn current(&mut self, cas: Resource<Cas>) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.cas(&cas)?.current().await?)
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}
