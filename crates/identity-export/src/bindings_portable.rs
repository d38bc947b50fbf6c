//! The contract `wit/portable/identity.wit` with the face of `wit/identity`.
#![allow(missing_docs, unsafe_code, unused_qualifications)]

use platform::wit_bindgen;

wit_bindgen::generate!({
    runtime_path: "platform::wit_bindgen::rt",
    world: "identity",
    path: "../../wit/portable/identity.wit",
    pub_export_macro: true,
    export_macro_name: "export_identity",
});

pub(crate) mod contract {
    //! Each function as a future, run to its end by the event loop of the component.

    use super::exports::gatehouse::identity_portable::provider as synchronous;
    use platform::block_on;
    pub(crate) use synchronous::{
        CodeExchange, Error, Login, Presented, Profile, Refreshed, RefreshedProfile, SignIn,
        TokenKind, Tokens,
    };

    pub(crate) trait Guest {
        async fn display_name() -> String;
        async fn scopes() -> Vec<String>;
        async fn login_url(login: Login) -> Result<String, Error>;
        async fn exchange_code(exchange: CodeExchange) -> Result<SignIn, Error>;
        async fn refresh(refresh_token: String, wants_profile: bool) -> Result<Refreshed, Error>;
        async fn revoke(tokens: Tokens) -> Result<(), Error>;
        async fn verify(access_token: String) -> Result<Presented, Error>;
    }

    impl<T: Guest> synchronous::Guest for T {
        fn display_name() -> String {
            block_on(<T as Guest>::display_name())
        }

        fn scopes() -> Vec<String> {
            block_on(<T as Guest>::scopes())
        }

        fn login_url(login: Login) -> Result<String, Error> {
            block_on(<T as Guest>::login_url(login))
        }

        fn exchange_code(exchange: CodeExchange) -> Result<SignIn, Error> {
            block_on(<T as Guest>::exchange_code(exchange))
        }

        fn refresh(refresh_token: String, wants_profile: bool) -> Result<Refreshed, Error> {
            block_on(<T as Guest>::refresh(refresh_token, wants_profile))
        }

        fn revoke(tokens: Tokens) -> Result<(), Error> {
            block_on(<T as Guest>::revoke(tokens))
        }

        fn verify(access_token: String) -> Result<Presented, Error> {
            block_on(<T as Guest>::verify(access_token))
        }
    }
}
