//! The contract `wit/portable/identity.wit` with the face of `wit/identity`. While a call waits, so does the
//! whole instance.

#[allow(
    missing_docs,
    unsafe_code,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]
mod bindings {
    use platform::wit_bindgen;

    wit_bindgen::generate!({
        runtime_path: "platform::wit_bindgen::rt",
        world: "identity-client",
        path: "../../wit/portable/identity.wit",
    });
}

pub(crate) mod provider {
    //! Each function as a future that is over at its first poll.

    use super::bindings::gatehouse::identity_portable::provider as synchronous;
    pub(crate) use synchronous::{
        CodeExchange, Error, Login, Presented, Profile, Refreshed, RefreshedProfile, SignIn,
        TokenKind, Tokens,
    };

    pub(crate) async fn display_name() -> String {
        synchronous::display_name()
    }

    pub(crate) async fn scopes() -> Vec<String> {
        synchronous::scopes()
    }

    pub(crate) async fn login_url(login: Login) -> Result<String, Error> {
        synchronous::login_url(&login)
    }

    pub(crate) async fn exchange_code(exchange: CodeExchange) -> Result<SignIn, Error> {
        synchronous::exchange_code(&exchange)
    }

    pub(crate) async fn refresh(
        refresh_token: String,
        wants_profile: bool,
    ) -> Result<Refreshed, Error> {
        synchronous::refresh(&refresh_token, wants_profile)
    }

    pub(crate) async fn revoke(tokens: Tokens) -> Result<(), Error> {
        synchronous::revoke(&tokens)
    }

    pub(crate) async fn verify(access_token: String) -> Result<Presented, Error> {
        synchronous::verify(&access_token)
    }
}
