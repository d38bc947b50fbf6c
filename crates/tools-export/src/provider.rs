//! The provider of tools, prompts and resources, as a trait.

use crate::bindings::contract::{
    Call, Caller, Completion, Failure, Offer, PromptRequest, Prompting, Read, Reading,
    ResourcePage, Suggestions,
};
use crate::steps::Steps;
use platform::variables::{self, Variables};
use std::sync::OnceLock;

/// The functions of the contract. An instance serves many calls at once: no call may wait for another one of its instance.
pub trait Provider: Sync + 'static {
    /// A call of a tool that has begun.
    type Steps: Steps;

    /// Returns what there is. It must not depend on who asks.
    ///
    /// # Errors
    ///
    /// With a text for the operator's log if it cannot be found out.
    fn describe(&self) -> impl Future<Output = Result<Offer, Failure>>;

    /// Begins the call of a tool.
    ///
    /// # Errors
    ///
    /// If nothing was done; a tool's own error is an output with `is_error`.
    fn call_tool(&self, call: Call) -> impl Future<Output = Result<Self::Steps, Failure>>;

    /// Returns a page of the resources that the caller may see.
    ///
    /// # Errors
    ///
    /// [`Failure::Unsupported`], unless the offer has resources.
    fn list_resources(
        &self,
        _caller: Caller,
        _cursor: Option<String>,
    ) -> impl Future<Output = Result<ResourcePage, Failure>> {
        async { Err(Failure::Unsupported) }
    }

    /// Reads a resource.
    ///
    /// # Errors
    ///
    /// [`Failure::Unsupported`], unless the offer has resources.
    fn read_resource(&self, _read: Read) -> impl Future<Output = Result<Reading, Failure>> {
        async { Err(Failure::Unsupported) }
    }

    /// Returns a prompt.
    ///
    /// # Errors
    ///
    /// [`Failure::Unsupported`], unless the offer has prompts.
    fn get_prompt(
        &self,
        _request: PromptRequest,
    ) -> impl Future<Output = Result<Prompting, Failure>> {
        async { Err(Failure::Unsupported) }
    }

    /// Completes an argument of a prompt or a template.
    ///
    /// # Errors
    ///
    /// [`Failure::Unsupported`], unless the offer says that arguments are completed.
    fn complete(
        &self,
        _completion: Completion,
    ) -> impl Future<Output = Result<Suggestions, Failure>> {
        async { Err(Failure::Unsupported) }
    }
}

/// How an instance makes its only provider.
pub trait Instance: 'static {
    /// The provider.
    type Provider: Provider + Send;

    /// The variables that the provider is made of.
    const VARIABLES: &'static [&'static str];

    /// Returns where the instance keeps the provider.
    fn cell() -> &'static OnceLock<Self::Provider>;

    /// Makes the provider. One that is told nonsense by its variables says so when it is asked.
    fn provider(variables: &Variables) -> Self::Provider;
}

/// Returns the instance's only provider, made at its first use.
pub(crate) async fn provider<I: Instance>() -> &'static I::Provider {
    platform::log_panics();
    if let Some(provider) = I::cell().get() {
        return provider;
    }
    let variables = variables::read(I::VARIABLES).await;
    I::cell().get_or_init(|| I::provider(&variables))
}
