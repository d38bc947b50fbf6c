//! `spin:variables@3.0.0`.

use wasmtime::component::Accessor;

use super::{LookupError, look_up};
use crate::{
    bindings::variables::{Error, Host, HostWithStore},
    state::{Platform, State},
};

impl From<LookupError> for Error {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::InvalidName(reason) => Self::InvalidName(reason),
            LookupError::Undefined(message) => Self::Undefined(message),
        }
    }
}

impl Host for State {
    // None of them traps.
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}

impl<T: Send> HostWithStore<T> for Platform {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, Error> {
        let component = accessor.with(|mut access| access.get().component.clone());
        Ok(look_up(&component, &name)?)
    }
}
