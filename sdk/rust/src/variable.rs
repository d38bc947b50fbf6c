//! Variables of the manifest: settings and secrets.

#[cfg(not(target_arch = "wasm32"))]
use self::native as platform;
#[cfg(target_arch = "wasm32")]
use self::spin as platform;

/// Why a variable cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// The manifest gives these tools no such variable, or no value for it.
    #[error(
        "no variable for {0:?}: spin.toml gives these tools none of that name. Behind a tool server, add {0} = \"...\" to [component.NAME.variables] of its component, and inherit_configuration = true to their line in its dependencies; composed into mcp, they have no variables (docs/tools.md, \"A component of its own\")"
    )]
    Undefined(String),
    /// A name is lower-case letters, digits and single underscores, and begins with a letter.
    #[error("{0:?} is no name of a variable: {1}")]
    InvalidName(String, String),
    /// What provides the variables failed: the name, and the error.
    #[error("the variable {0:?} cannot be read: {1}")]
    Unavailable(String, String),
    /// There are no variables in a unit test.
    #[error("a unit test has no variables: TestClient::variable gives it {0:?}")]
    NotInTest(String),
}

/// Returns the value of a variable that `spin.toml` gives to these tools: a setting, or a secret.
///
/// It is read from the host each time, so that a secret may change while the tools are served.
///
/// ```
/// use gatehouse_sdk::{Result, http, tool, variable};
///
/// /// The weather in a city, now.
/// #[tool(read_only)]
/// async fn weather(city: String) -> Result<String> {
///     let request = http::get("https://api.example.com/now").query("city", &city);
///     let key = variable("api_key").await?;
///     Ok(request.bearer(&key).send().await?.text()?)
/// }
/// ```
///
/// # Errors
///
/// [`VariableError`].
pub async fn variable(name: &str) -> Result<String, VariableError> {
    platform::get(name).await
}

#[cfg(target_arch = "wasm32")]
mod spin {
    //! Spin's variables.

    use super::VariableError;
    #[cfg(not(feature = "portable"))]
    use crate::platform_main::spin::variables::variables::{Error, get as get_of_host};
    #[cfg(feature = "portable")]
    use crate::platform_portable::fermyon::spin::variables::{Error, get as get_of_host};

    pub(super) async fn get(name: &str) -> Result<String, VariableError> {
        #[cfg(feature = "portable")]
        let value = get_of_host(name);
        #[cfg(not(feature = "portable"))]
        let value = get_of_host(name.to_owned()).await;
        let name = || name.to_owned();
        value.map_err(|error| match error {
            Error::Undefined(_) => VariableError::Undefined(name()),
            Error::InvalidName(text) => VariableError::InvalidName(name(), text),
            Error::Provider(text) | Error::Other(text) => VariableError::Unavailable(name(), text),
        })
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod native {
    //! Variables of a unit test.

    use super::VariableError;
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    pub(crate) type Variables = BTreeMap<String, String>;

    thread_local! {
        static GIVEN: RefCell<Variables> = const { RefCell::new(Variables::new()) };
    }

    /// Gives these variables to what `run` calls.
    pub(crate) fn given<T>(variables: Variables, run: impl FnOnce() -> T) -> T {
        let before = GIVEN.replace(variables);
        let result = run();
        GIVEN.set(before);
        result
    }

    pub(super) async fn get(name: &str) -> Result<String, VariableError> {
        let value = GIVEN.with_borrow(|given| given.get(name).cloned());
        value.ok_or_else(|| VariableError::NotInTest(name.to_owned()))
    }
}
