//! The authorization request (RFC 6749 section 4.1.1), checked in the order that decides whether an
//! error may be sent to the redirect URI.

use crate::client::{Client, GrantType};
use crate::parameters::{ParameterError, Parameters};
use crate::pkce::{self, PkceError};
use crate::redirect_uri::{self, PrivateUse, RedirectUriError};
use crate::resource::{ResourceError, Resources};
use crate::scope::{self, Bounds, Holder, ScopeError};
use crate::secret::is_sha256;
use serde::{Deserialize, Serialize};

/// Bytes that a client's `state` may have, written as JSON: it travels through the identity provider
/// inside our own, sealed, which makes a third more of it. All that clients, proxies and browsers
/// take in a URL fits in.
const MAX_STATE_BYTES: usize = 32 * 1024;

/// Why a request leads nowhere: the browser must not be sent to a redirect URI that is not known to
/// be the client's (RFC 6749 section 4.1.2.1).
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TargetError {
    /// `client_id` is missing or repeated.
    #[error("client_id is missing, or there is more than one")]
    ClientId,
    /// `redirect_uri` is missing, and the client has not registered exactly one.
    #[error("redirect_uri is missing, and the client has registered more than one")]
    MissingRedirectUri,
    /// `redirect_uri` is repeated.
    #[error("redirect_uri is there more than once")]
    RepeatedRedirectUri,
    /// The client has not registered the redirect URI.
    #[error("redirect_uri is not one that the client has registered")]
    RedirectUri,
    /// The client has registered the redirect URI, and it is no longer one that may be.
    #[error("this server no longer takes the app's redirect_uri: {0}")]
    Refused(RedirectUriError),
}

/// Why a request is refused, once it is known where the browser goes.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RequestError {
    /// A parameter is repeated.
    #[error(transparent)]
    Parameter(ParameterError),
    /// There is no response type.
    #[error("response_type is missing")]
    MissingResponseType,
    /// It is not `code`.
    #[error("response_type must be code")]
    ResponseType,
    /// The client is not registered for codes.
    #[error("the client is not registered for the grant type authorization_code")]
    ClientGrant,
    /// `response_mode` is not `query`.
    #[error("response_mode must be query")]
    ResponseMode,
    /// There is a request object (RFC 9101).
    #[error("request is not supported")]
    RequestObject,
    /// There is a reference to a request object.
    #[error("request_uri is not supported")]
    RequestUri,
    /// There is an inline registration (OpenID Connect Core section 7.2.1).
    #[error("registration is not supported")]
    Registration,
    /// `prompt` has `none` and something else.
    #[error("prompt cannot have none together with another value")]
    Prompt,
    /// `prompt` is `none`, but a person has to sign in (OpenID Connect Core section 3.1.2.6).
    #[error("the person has to sign in, and prompt=none forbids asking")]
    NoPrompt,
    /// `max_age` is no number.
    #[error("max_age must be a number of seconds")]
    MaxAge,
    /// `state` is too long.
    #[error("state is longer than {MAX_STATE_BYTES} bytes")]
    StateTooLong,
    /// `dpop_jkt` is no thumbprint (RFC 9449 section 10).
    #[error("dpop_jkt is not 43 characters of URL-safe Base64")]
    DpopJkt,
    /// The PKCE parameters are refused.
    #[error(transparent)]
    Pkce(#[from] PkceError),
    /// A resource is refused.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// The scope is refused.
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

/// Where the browser goes back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The redirect URI.
    pub redirect_uri: String,
    /// Whether the request had it, so that the token request may have to repeat it (RFC 6749
    /// section 4.1.3).
    pub in_request: bool,
    /// The client's `state`, which comes back unchanged.
    pub state: Option<String>,
}

/// What is asked of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// The scopes, all of which exist.
    pub scopes: Vec<String>,
    /// The resources, all of which are ours.
    pub resources: Vec<String>,
    /// The PKCE S256 challenge.
    pub challenge: String,
    /// The thumbprint of the key that the token request has to prove (RFC 9449 section 10).
    pub dpop_jkt: Option<String>,
    /// What is asked of the way there.
    #[serde(default)]
    pub prompt: Prompt,
}

/// What `prompt` and `max_age` ask for (OpenID Connect Core section 3.1.2.1), apart from
/// `prompt=none`, which cannot be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The person has to be asked for consent, whatever they said before.
    #[serde(default, rename = "c", skip_serializing_if = "std::ops::Not::not")]
    pub consent: bool,
    /// The person has to sign in again. So says any `max_age` as well: when they last did is the
    /// identity provider's to know.
    #[serde(default, rename = "l", skip_serializing_if = "std::ops::Not::not")]
    pub login: bool,
    /// The person has to be asked which account to use.
    #[serde(default, rename = "s", skip_serializing_if = "std::ops::Not::not")]
    pub select_account: bool,
}

impl Prompt {
    /// Returns the `prompt` for the identity provider, which is where people sign in.
    pub fn for_provider(self) -> Option<String> {
        let values = [
            (self.login, "login"),
            (self.select_account, "select_account"),
        ];
        let wanted: Vec<_> = values
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, v)| *v)
            .collect();
        (!wanted.is_empty()).then(|| wanted.join(" "))
    }
}

/// Returns which client asks.
///
/// # Errors
///
/// [`TargetError::ClientId`].
pub fn client_id(parameters: &Parameters) -> Result<&str, TargetError> {
    if parameters.is_repeated("client_id") {
        return Err(TargetError::ClientId);
    }
    parameters.get("client_id").ok_or(TargetError::ClientId)
}

/// Returns where the browser goes back to, whether with a code or with an error. A redirect URI is checked
/// again: what may be registered can have changed since it was, and `private_use` says which
/// private-use schemes it may have.
///
/// # Errors
///
/// [`TargetError`].
pub fn target(
    parameters: &Parameters,
    client: &Client,
    private_use: PrivateUse,
) -> Result<Target, TargetError> {
    if parameters.is_repeated("redirect_uri") {
        return Err(TargetError::RepeatedRedirectUri);
    }
    // A repeated state is ignored; the request is refused later on.
    let state = (!parameters.is_repeated("state"))
        .then(|| parameters.get("state"))
        .flatten()
        .filter(|state| !is_too_long(state))
        .map(str::to_owned);
    let (redirect_uri, in_request) = match parameters.get("redirect_uri") {
        Some(uri) if client.has_redirect_uri(uri) => (uri, true),
        Some(_) => return Err(TargetError::RedirectUri),
        None => match client.metadata.redirect_uris.as_slice() {
            [only] => (only.as_str(), false),
            _ => return Err(TargetError::MissingRedirectUri),
        },
    };
    redirect_uri::check(redirect_uri, private_use).map_err(TargetError::Refused)?;
    Ok(Target {
        redirect_uri: redirect_uri.to_owned(),
        in_request,
        state,
    })
}

/// Reads and checks the rest of the request. `existing` are the scopes that exist, `defaults` those
/// of a request that asks for none of them.
///
/// # Errors
///
/// [`RequestError`], for the redirect URI.
pub fn read(
    parameters: &Parameters,
    client: &Client,
    existing: &[String],
    defaults: &[String],
    resources: &Resources,
) -> Result<AuthorizationRequest, RequestError> {
    // RFC 8707 section 2 lets `resource` repeat.
    parameters
        .refuse_repeated(&["resource"])
        .map_err(RequestError::Parameter)?;
    if parameters.get("state").is_some_and(is_too_long) {
        return Err(RequestError::StateTooLong);
    }
    for (name, error) in [
        ("request", RequestError::RequestObject),
        ("request_uri", RequestError::RequestUri),
        ("registration", RequestError::Registration),
    ] {
        if parameters.get(name).is_some() {
            return Err(error);
        }
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(RequestError::ResponseType),
        None => return Err(RequestError::MissingResponseType),
    }
    if parameters
        .get("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        return Err(RequestError::ResponseMode);
    }
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(RequestError::ClientGrant);
    }
    let challenge = pkce::check_challenge(
        parameters.get("code_challenge"),
        parameters.get("code_challenge_method"),
    )?;
    let dpop_jkt = parameters.get("dpop_jkt");
    if dpop_jkt.is_some_and(|thumbprint| !is_sha256(thumbprint)) {
        return Err(RequestError::DpopJkt);
    }
    let bounds = Bounds {
        existing,
        registered: client.metadata.scope.as_deref(),
        person: None,
        holder: Holder::Asking(defaults),
    };
    let request = AuthorizationRequest {
        dpop_jkt: dpop_jkt.map(str::to_owned),
        resources: resources.select(parameters.all("resource"))?,
        scopes: scope::effective(parameters.get("scope"), &bounds)?,
        challenge: challenge.to_owned(),
        prompt: prompt(parameters)?,
    };
    Ok(request)
}

fn is_too_long(state: &str) -> bool {
    // Escapes make it longer, control characters most of all.
    serde_json::to_string(state).is_ok_and(|written| written.len() > MAX_STATE_BYTES + 2)
}

/// Values of `prompt` that mean nothing here are passed over, as unknown parameters are.
fn prompt(parameters: &Parameters) -> Result<Prompt, RequestError> {
    let text = parameters.get("prompt").unwrap_or_default();
    let values: Vec<&str> = text.split(' ').filter(|value| !value.is_empty()).collect();
    if values.contains(&"none") {
        // The person always has to sign in: no session is kept for clients.
        return Err(if values.iter().all(|value| *value == "none") {
            RequestError::NoPrompt
        } else {
            RequestError::Prompt
        });
    }
    let max_age = match parameters.get("max_age") {
        None => None,
        Some(text) => Some(text.parse::<u64>().map_err(|_| RequestError::MaxAge)?),
    };
    Ok(Prompt {
        consent: values.contains(&"consent"),
        login: values.contains(&"login") || max_age.is_some(),
        select_account: values.contains(&"select_account"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_metadata::{self, MetadataSource, Rules};

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn client(redirect_uris: &[&str]) -> Client {
        let body = serde_json::json!({ "redirect_uris": redirect_uris });
        let rules = Rules {
            source: MetadataSource::Registration,
            scopes: &[],
            extra_origin: None,
            private_use: PrivateUse::Listed,
        };
        Client {
            client_id: "id".into(),
            issued_at: 0,
            secret_hash: None,
            metadata: client_metadata::read(body.as_object().unwrap(), rules).unwrap(),
            resource_server: false,
        }
    }

    fn target(parameters: &Parameters, client: &Client) -> Result<Target, TargetError> {
        super::target(parameters, client, PrivateUse::Listed)
    }

    fn query(change: &str) -> Parameters {
        Parameters::from_query(Some(&format!(
            "client_id=id&response_type=code&code_challenge={CHALLENGE}&code_challenge_method=S256{change}"
        )))
        .unwrap()
    }

    fn read_query(parameters: &Parameters) -> Result<AuthorizationRequest, RequestError> {
        let client = client(&["https://a.example/cb"]);
        let existing = ["tools".to_owned()];
        read(
            parameters,
            &client,
            &existing,
            &existing,
            &Resources::new("https://m.example"),
        )
    }

    #[test]
    fn nothing_but_a_registered_redirect_uri_is_a_target() {
        let one = client(&["https://a.example/cb"]);
        let two = client(&["https://a.example/cb", "http://127.0.0.1/cb"]);
        assert_eq!(
            target(&query("&redirect_uri=https://a.example/cb&state=x"), &two),
            Ok(Target {
                redirect_uri: "https://a.example/cb".into(),
                in_request: true,
                state: Some("x".into())
            })
        );
        assert!(target(&query("&redirect_uri=http://127.0.0.1:5000/cb"), &two).is_ok());
        assert_eq!(
            target(&query("&redirect_uri=https://evil.example/cb"), &two),
            Err(TargetError::RedirectUri)
        );
        assert_eq!(
            target(&query("&redirect_uri=a&redirect_uri=b"), &two),
            Err(TargetError::RepeatedRedirectUri)
        );
        assert_eq!(
            target(&query(""), &two),
            Err(TargetError::MissingRedirectUri)
        );
        assert_eq!(
            target(&query(""), &one).map(|target| target.in_request),
            Ok(false)
        );
    }

    #[test]
    fn a_registered_redirect_uri_that_may_no_longer_be_is_refused() {
        let mut old = client(&["cursor://a/cb"]);
        let query = query("");
        assert!(target(&query, &old).is_ok());
        let off = super::target(&query, &old, PrivateUse::Off);
        let reason = RedirectUriError::PrivateUseOff;
        assert_eq!(off, Err(TargetError::Refused(reason)));
        old.metadata.redirect_uris = vec!["firefox://open-url?url=https://evil.example".into()];
        let refused = target(&query, &old);
        assert_eq!(refused, Err(TargetError::Refused(RedirectUriError::Scheme)));
    }

    #[test]
    fn a_complete_request_is_read() {
        let more = format!("&resource=https://m.example/sse&scope=tools+x&dpop_jkt={CHALLENGE}");
        let request = read_query(&query(&more)).unwrap();
        assert_eq!(request.dpop_jkt.as_deref(), Some(CHALLENGE));
        assert_eq!(request.resources, ["https://m.example/sse"]);
        assert_eq!(request.scopes, ["tools"]);
        assert_eq!(request.challenge, CHALLENGE);
    }

    #[test]
    fn a_state_may_be_as_long_as_a_url_carries() {
        let url = client(&["https://a.example/cb"]);
        for (unit, longest) in [
            ("x", MAX_STATE_BYTES),
            ("%22", MAX_STATE_BYTES / 2),
            ("%01", MAX_STATE_BYTES / 6),
        ] {
            for (length, fits) in [(longest, true), (longest + 1, false)] {
                let state = unit.repeat(length);
                let Ok(query) = Parameters::from_query(Some(&format!("state={state}"))) else {
                    continue;
                };
                let state = query.get("state").map(str::to_owned);
                let kept = target(&query, &url).unwrap().state;
                assert_eq!(kept, state.filter(|_| fits), "{unit} {length}");
            }
        }
    }

    #[test]
    fn each_wrong_parameter_is_refused_for_its_reason() {
        use crate::ErrorCode::*;
        let long = format!("&state={}", "x".repeat(MAX_STATE_BYTES + 1));
        for (change, code) in [
            ("&scope=a&scope=b", InvalidRequest),
            ("&state=a&state=b", InvalidRequest),
            ("&response_type=code", InvalidRequest),
            (long.as_str(), InvalidRequest),
            ("&request=x", RequestNotSupported),
            ("&request_uri=x", RequestUriNotSupported),
            ("&registration=x", RegistrationNotSupported),
            ("&response_mode=fragment", InvalidRequest),
            ("&resource=https://other.example/", InvalidTarget),
            ("&scope=%01", InvalidScope),
            ("&dpop_jkt=short", InvalidRequest),
            ("&prompt=none", LoginRequired),
            ("&prompt=none+login", InvalidRequest),
            ("&max_age=soon", InvalidRequest),
        ] {
            let error = crate::Error::from(read_query(&query(change)).unwrap_err());
            assert_eq!(error.code, code, "{change}");
        }
        for (text, code) in [
            ("client_id=id", InvalidRequest),
            ("response_type=token", UnsupportedResponseType),
            ("response_type=code", InvalidRequest),
            ("response_type=code&code_challenge=x", InvalidRequest),
        ] {
            let query = Parameters::from_query(Some(text)).unwrap();
            let error = crate::Error::from(read_query(&query).unwrap_err());
            assert_eq!(error.code, code, "{text}");
        }
    }

    #[test]
    fn what_prompt_and_max_age_ask_of_the_sign_in_goes_to_the_identity_provider() {
        for (change, consent, for_provider) in [
            ("", false, None),
            ("&prompt=consent", true, None),
            ("&prompt=login", false, Some("login")),
            (
                "&prompt=select_account+login+consent",
                true,
                Some("login select_account"),
            ),
            ("&max_age=0", false, Some("login")),
            ("&prompt=create", false, None),
        ] {
            let prompt = read_query(&query(change)).unwrap().prompt;
            assert_eq!(prompt.consent, consent, "{change}");
            assert_eq!(prompt.for_provider().as_deref(), for_provider, "{change}");
        }
    }

    #[test]
    fn other_prompts_and_unknown_parameters_are_no_obstacle() {
        for change in [
            "&prompt=consent",
            "&prompt=login",
            "&nonce=x&anything=1",
            "&response_mode=query",
        ] {
            assert!(read_query(&query(change)).is_ok(), "{change}");
        }
    }
}
