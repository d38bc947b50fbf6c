//! Reads of several keys in one step, ahead of those who ask for them.

use crate::{Error, KeyValue, Store};

/// Values that were read in one step. Each is for who asks for its key first; any other key is read when it is
/// asked for.
#[derive(Debug, Default)]
pub struct ReadAhead(Vec<(String, Option<Vec<u8>>)>);

impl ReadAhead {
    /// Reads these keys, in one step where the backend can.
    ///
    /// # Errors
    ///
    /// Fails if the backend does.
    pub async fn read(store: &Store<impl KeyValue>, keys: Vec<String>) -> Result<Self, Error> {
        let values = store.backend().get_many(&keys).await?;
        Ok(Self(keys.into_iter().zip(values).collect()))
    }

    pub(crate) async fn get(
        &mut self,
        backend: &impl KeyValue,
        key: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        match self.0.iter().position(|(read, _)| read == key) {
            Some(at) => Ok(self.0.swap_remove(at).1),
            None => backend.get(key).await,
        }
    }
}
