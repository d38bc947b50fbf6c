//! The operations of an HTTP API as tools: the contract `wit/tools`, exported.
//!
//! The meaning of the document, of a call and of its response is in `crates/openapi`.
#![allow(unsafe_code)]

mod contract;
mod outbound;

use openapi::{Server, Settings};
use outbound::Outbound;
use platform::variables::Variables;
use std::sync::OnceLock;
use tools_export::{AtOnce, Call, Failure, Instance, Offer, Provider};

type Component = tools_export::Component<OpenApi>;
tools_export::export!(Component with_types_in tools_export::bindings);

struct OpenApi;

impl Instance for OpenApi {
    type Provider = Tools;
    const VARIABLES: &'static [&'static str] = Settings::VARIABLES;

    fn cell() -> &'static OnceLock<Tools> {
        static TOOLS: OnceLock<Tools> = OnceLock::new();
        &TOOLS
    }

    fn provider(variables: &Variables) -> Tools {
        let settings = Settings::read(|name| variables.get(name));
        Tools(Server::new(settings, Outbound))
    }
}

struct Tools(Server<Outbound>);

impl Provider for Tools {
    type Steps = AtOnce;

    async fn describe(&self) -> Result<Offer, Failure> {
        let offer = self.0.describe().await;
        offer.map(contract::offer).map_err(contract::failure)
    }

    async fn call_tool(&self, call: Call) -> Result<AtOnce, Failure> {
        let token = contract::token(&call.context.caller);
        let output = self.0.call(&call.name, &call.arguments, token).await;
        let output = output.map(contract::output).map_err(contract::failure)?;
        Ok(output.into())
    }
}
