//! Error redirects before a person was asked about the client (RFC 9700 section 4.11.2).

use crate::context::Context;
use crate::fingerprint::Fingerprint;
use crate::remembered_consents::RememberedConsents;
use crate::{pages, responses};
use http::HeaderMap;
use oauth::authorization_request::Target;
use oauth::redirect_uri::{Destination, destination};
use oauth::{Client, Error, document};
use store::KeyValue;
use url::Url;
use web::Response;

/// Whether an error may go to the redirect URI at once, though no person was asked about the client.
/// Anybody can register a client, and a link to `/authorize` would then lead from this server to
/// any host they like. So the client has to be one of these:
///
/// - one that the operator has configured;
/// - one on the machine of the browser;
/// - one that is identified by a metadata document of the same origin as the redirect URI: a link to
///   this server leads to the host that it names;
/// - one with a remembered consent in this browser: codes have gone to it before.
fn may_be_sent_to<K: KeyValue>(
    context: &Context<'_, K>,
    client: &Client,
    target: &Target,
    headers: &HeaderMap,
) -> bool {
    context.is_configured(client)
        || matches!(destination(&target.redirect_uri), Destination::Loopback(_))
        || is_of_document(client, target)
        || is_remembered(context, client, target, headers)
}

/// Returns the response to a request with an error in it, about whose client no person has been asked: back
/// to the client, or a page that says what was wrong and links there. `provider` is what the identity
/// provider is called.
pub(crate) fn error_unasked<K: KeyValue>(
    context: &Context<'_, K>,
    client: &Client,
    target: &Target,
    headers: &HeaderMap,
    provider: &str,
    error: &Error,
) -> Response {
    let issuer = context.base.as_str();
    if may_be_sent_to(context, client, target, headers) {
        responses::error_redirect(target, issuer, error)
    } else {
        let url = responses::error_url(target, issuer, error);
        pages::bad_request(client, target, context.base, provider, error, &url)
    }
}

fn is_of_document(client: &Client, target: &Target) -> bool {
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    document::is_url(&client.client_id)
        && origin(&client.client_id)
            .is_some_and(|own| own.is_tuple() && Some(own) == origin(&target.redirect_uri))
}

fn is_remembered<K>(
    context: &Context<'_, K>,
    client: &Client,
    target: &Target,
    headers: &HeaderMap,
) -> bool {
    let remembered =
        RememberedConsents::read(&context.config.keys, context.base, headers, context.now);
    remembered.has_destination(&Fingerprint::of_destination(client, target))
}
