//! `/account/sign-in`: a person signs in to see their account. It ends at `/callback`, which sets the
//! session's cookie.

use crate::context::Context;
use crate::pages;
use crate::sign_in::{Browser, LOGIN_TTL, PendingAccount, ProviderLogin};
use http::header::SET_COOKIE;
use identity::{Login, SignInProvider};
use oauth::{ErrorCode, pkce, secret};
use rand::CryptoRng;
use web::{Request, Response, with_header};

/// Answers any request to `/account/sign-in`.
pub async fn handle<K>(
    context: &Context<'_, K>,
    random: &mut (impl CryptoRng + Send),
    provider: &impl SignInProvider,
    request: &Request,
) -> Response {
    let cookie = Browser::login_cookie(context.base);
    let browser = Browser::read_or_new(&cookie, request.headers(), random);
    let pending = PendingAccount {
        id: secret::random::<16>(random),
        provider: ProviderLogin::new(context.now, random),
    };
    let Some(state) = pending.seal(&context.config.keys, &browser, random) else {
        return pages::server_error("A value could not be sealed.");
    };
    let login = Login {
        redirect_uri: context.base.join("/callback"),
        state,
        nonce: pending.provider.nonce.clone(),
        code_challenge: pkce::challenge_of(&pending.provider.code_verifier),
        prompt: None,
    };
    match provider.login_url(login).await {
        Ok(url) => with_header(
            web::see_other(&url),
            SET_COOKIE,
            cookie.set(browser.as_str(), LOGIN_TTL),
        ),
        Err(error) => {
            log_line::write(format_args!("the sign-in cannot begin: {error}"));
            let code = match error {
                identity::Error::Misconfigured(_) => ErrorCode::ServerError,
                _ => ErrorCode::TemporarilyUnavailable,
            };
            context.refused("/account/sign-in", code, &error);
            pages::server_error(&error.to_string())
        }
    }
}
