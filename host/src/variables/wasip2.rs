//! `fermyon:spin/variables@2.0.0`.

use super::{LookupError, look_up};
use crate::{
    bindings::spin2::variables::{Error, Host},
    state::State,
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
    async fn get(&mut self, name: String) -> Result<String, Error> {
        Ok(look_up(&self.component, &name)?)
    }

    // None of them traps.
    fn convert_error(&mut self, error: Error) -> wasmtime::Result<Error> {
        Ok(error)
    }
}
