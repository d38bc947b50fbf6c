//! `getToken`: the person's token of the identity provider.

use crate::arguments::{self, NO_ARGUMENTS, NoArguments};
use crate::bindings::contract::{Call, Credential, Failure, Output, TaskUse, Tool};
use crate::common::{read_only, text};

pub(crate) const NAME: &str = "getToken";

pub(crate) fn tool() -> Tool {
    Tool {
        name: NAME.to_owned(),
        title: Some("My token".to_owned()),
        description: Some(
            "Gives the token with which the person who is signed in can use the identity provider's own services. Where the person put such a token into the client by hand, it is the value of the Authorization header."
                .to_owned(),
        ),
        input_schema: NO_ARGUMENTS.to_owned(),
        output_schema: None,
        icons: Vec::new(),
        annotations: read_only(),
        scopes: vec!["upstream_token".to_owned()],
        wants_credential: true,
        tasks: TaskUse::Never,
        meta: None,
    }
}

pub(crate) fn call(call: &Call) -> Result<Output, Failure> {
    let NoArguments {} = arguments::read(call)?;
    Ok(match &call.context.caller.credential {
        Some(Credential::Presented(token) | Credential::Upstream(token)) => text(token),
        None => Output {
            is_error: true,
            ..text(
                "There is no token of the identity provider for you any more. Disconnect this server in your client and sign in again.",
            )
        },
    })
}
