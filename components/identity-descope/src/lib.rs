//! How a person signs in with Descope: the identity contract (`wit/identity`), exported for the
//! authorization server and the MCP server.
//!
//! What Descope is sent and what its answers mean is in `crates/descope`; here are the variables,
//! the clock and outbound HTTP. The variables are read once per instance.

mod outbound;

mod bindings {
    #![allow(missing_docs, unsafe_code, unused_qualifications)]
    use platform::wit_bindgen;

    wit_bindgen::generate!({
        runtime_path: "platform::wit_bindgen::rt",
        world: "identity",
        path: "../../wit/identity",
    });

    use super::Component;
    export!(Component with_types_in self);
}

use bindings::exports::gatehouse::identity::provider::{
    CodeExchange, Error, Guest, Login, Presented, Profile, SignIn, Tokens,
};
use descope::{Descope, Settings};
use outbound::Outbound;
use platform::time::now;
use platform::variables;
use serde_json::Value;
use std::sync::OnceLock;

struct Component;

impl Guest for Component {
    async fn display_name() -> String {
        "Descope".to_owned()
    }

    async fn login_url(login: Login) -> Result<String, Error> {
        let login = descope::Login {
            redirect_uri: login.redirect_uri,
            state: login.state,
            nonce: login.nonce,
            code_challenge: login.code_challenge,
            prompt: login.prompt,
        };
        Ok(descope().await.login_url(&login)?)
    }

    async fn exchange_code(exchange: CodeExchange) -> Result<SignIn, Error> {
        let exchange = descope::CodeExchange {
            code: exchange.code,
            redirect_uri: exchange.redirect_uri,
            code_verifier: exchange.code_verifier,
            nonce: exchange.nonce,
        };
        let sign_in = descope().await.exchange_code(&exchange, now()).await?;
        Ok(SignIn {
            profile: sign_in.profile.into(),
            tokens: sign_in.tokens.into(),
        })
    }

    async fn refresh(refresh_token: String) -> Result<Tokens, Error> {
        let tokens = descope().await.refresh(&refresh_token, now()).await?;
        Ok(tokens.into())
    }

    async fn verify(access_token: String) -> Result<Presented, Error> {
        let presented = descope().await.verify(&access_token, now()).await?;
        Ok(Presented {
            profile: presented.profile.into(),
            scopes: presented.scopes,
            expires_at: presented.expires_at,
        })
    }
}

/// This instance's only one, with its cache of public keys.
async fn descope() -> &'static Descope<Outbound> {
    static DESCOPE: OnceLock<Descope<Outbound>> = OnceLock::new();
    if let Some(descope) = DESCOPE.get() {
        return descope;
    }
    let values = variables::read(Settings::VARIABLES).await;
    let settings = Settings::read(|name| values.get(name).map(String::as_str));
    DESCOPE.get_or_init(|| Descope::new(settings, Outbound))
}

impl From<descope::Error> for Error {
    fn from(error: descope::Error) -> Self {
        match error {
            descope::Error::Misconfigured(text) => Self::Misconfigured(text),
            descope::Error::Refused(text) => Self::Refused(text),
            descope::Error::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

impl From<descope::Tokens> for Tokens {
    fn from(tokens: descope::Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at,
        }
    }
}

impl From<descope::Profile> for Profile {
    fn from(profile: descope::Profile) -> Self {
        Self {
            subject: profile.subject,
            name: profile.name,
            email: profile.email,
            email_verified: profile.email_verified,
            picture: profile.picture,
            claims: Value::Object(profile.claims).to_string(),
        }
    }
}
