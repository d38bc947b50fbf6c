//! Tokens: claims, signing keys, and minting without a login.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::config::TokenIssuer;
use crate::error::DescopeError;
use crate::keys::{KeyError, SigningKey};
use crate::state::{Grant, RefreshToken, State, hash, random_token};
use crate::user::User;

/// The answer of the token endpoint (RFC 6749 section 5.1).
#[derive(Serialize)]
pub(crate) struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
    refresh_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

/// Tokens for a grant: an access token, an ID token if `openid` is among the scopes, and a refresh token, which is
/// `refresh_token` if one is given and else a new one. The grant lives on with it.
pub(crate) fn issue(
    app: &App,
    state: &mut State,
    grant_id: &str,
    scopes: &[String],
    nonce: Option<&str>,
    refresh_token: Option<String>,
) -> Result<TokenResponse, DescopeError> {
    let now = app.now();
    let lifetime = app
        .access_token_lifetime
        .load(std::sync::atomic::Ordering::Relaxed);
    let refresh_ends = now.saturating_add(app.config.refresh_token_lifetime);
    let grant = state
        .grants
        .get_mut(grant_id)
        .ok_or(DescopeError::ConsentNotFound)?;
    grant.expires_at = refresh_ends;
    let grant = grant.clone();
    let user = state
        .users
        .get(&grant.subject)
        .ok_or(DescopeError::UserNotFound)?;

    let sign = |typ: &str, claims: &Map<String, Value>| {
        app.sign(state, grant.issuer, typ, claims)
            .map_err(|KeyError| DescopeError::Storage)
    };
    let access = access_claims(app, &grant, user, grant_id, scopes, now, lifetime);
    let access_token = sign(access_type(grant.issuer), &access)?;
    let id_token = if scopes.iter().any(|scope| scope == "openid") {
        let mut claims = id_claims(app, &grant, user, scopes, nonce, now, lifetime);
        change(&mut claims, std::mem::take(&mut app.plan().id_token));
        Some(sign("JWT", &claims)?)
    } else {
        None
    };

    let refresh_token = refresh_token.unwrap_or_else(random_token);
    state.refresh_tokens.insert(
        hash(&refresh_token),
        RefreshToken {
            grant_id: grant_id.to_owned(),
            client_id: grant.client_id,
            expires_at: refresh_ends,
        },
    );
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: lifetime,
        scope: scopes.join(" "),
        refresh_token,
        id_token,
    })
}

fn access_claims(
    app: &App,
    grant: &Grant,
    user: &User,
    grant_id: &str,
    scopes: &[String],
    now: u64,
    lifetime: u64,
) -> Map<String, Value> {
    let mut claims = user.claims.clone();
    claims.extend(object(json!({
        "iss": app.issuer(grant.issuer),
        "aud": audience(app, grant.issuer, grant.resource.as_deref()),
        "sub": grant.subject,
        "azp": grant.client_id,
        "client_id": grant.client_id,
        "scope": scopes.join(" "),
        "iat": now,
        "exp": now.saturating_add(lifetime),
        "jti": format!("{grant_id}.{}", random_token()),
    })));
    claims
}

/// OpenID Connect Core 1.0 section 2.
fn id_claims(
    app: &App,
    grant: &Grant,
    user: &User,
    scopes: &[String],
    nonce: Option<&str>,
    now: u64,
    lifetime: u64,
) -> Map<String, Value> {
    let mut claims = user.claims(scopes);
    if grant.issuer == TokenIssuer::OpenId {
        claims.extend(user.claims.clone());
    }
    claims.extend(object(json!({
        "iss": app.issuer(grant.issuer),
        "aud": [grant.client_id],
        "azp": grant.client_id,
        "iat": now,
        "exp": now.saturating_add(lifetime),
        "auth_time": grant.auth_time,
    })));
    if let Some(nonce) = nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    claims
}

/// Returns the project, and with it the resource or the MCP server's URL; at `/openid` the client.
fn audience(app: &App, issuer: TokenIssuer, resource: Option<&str>) -> Vec<String> {
    let (server_url, own) = match issuer {
        TokenIssuer::Agentic => (app.config.mcp_server_url.as_deref(), &app.config.project_id),
        TokenIssuer::InboundApp => (None, &app.config.project_id),
        TokenIssuer::OpenId => (None, &app.config.client_id),
    };
    let target = resource.or(server_url).map(ToOwned::to_owned);
    target.into_iter().chain([own.clone()]).collect()
}

/// Returns the `typ` of an access token: Descope has none of its own for it, `/openid` that of RFC 9068 section 2.1.
fn access_type(issuer: TokenIssuer) -> &'static str {
    match issuer {
        TokenIssuer::InboundApp | TokenIssuer::Agentic => "JWT",
        TokenIssuer::OpenId => "at+jwt",
    }
}

/// Puts `changes` over `claims`; `null` takes one away.
fn change(claims: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            claims.remove(&name);
        } else {
            claims.insert(name, value);
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// Returns the grant that an access token of [`issue`] belongs to.
pub(crate) fn grant_id(claims: &Map<String, Value>) -> Option<&str> {
    let (grant_id, _) = claims.get("jti")?.as_str()?.split_once('.')?;
    Some(grant_id)
}

/// An access token to be made without a login, for tests of pasted tokens. Hand it to
/// [`Running::mint`](crate::Running::mint).
///
/// By default it is what Descope would issue: signed by the current key, issued now by the inbound apps' issuer for
/// the project, good for ten minutes, for the scopes `openid profile email` and the user who signs in without the
/// page.
#[derive(Clone, Debug)]
pub struct Mint {
    subject: Option<String>,
    issuer: Option<String>,
    kind: TokenIssuer,
    audience: Option<Vec<String>>,
    scopes: String,
    lifetime: i64,
    signature: Signature,
    extra: Map<String, Value>,
}

/// Which key signs a minted token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The project's current key.
    Genuine,
    /// A foreign key under the current key's id.
    ForeignKey,
    /// A foreign key under its own id, which the JWKS does not have.
    UnknownKey,
}

impl Default for Mint {
    fn default() -> Self {
        Self {
            subject: None,
            issuer: None,
            kind: TokenIssuer::InboundApp,
            audience: None,
            scopes: "openid profile email".to_owned(),
            lifetime: 600,
            signature: Signature::Genuine,
            extra: Map::new(),
        }
    }
}

impl Mint {
    /// Returns a token as described on the type.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `sub`. Userinfo answers for users who have signed in or were named to the emulator.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets `iss` to any text.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets `iss` to the project's agentic issuer.
    #[must_use]
    pub fn agentic(self) -> Self {
        self.of(TokenIssuer::Agentic)
    }

    /// Sets who issues it: `iss`, and with it the audience, the type and the key.
    #[must_use]
    pub fn of(mut self, issuer: TokenIssuer) -> Self {
        self.kind = issuer;
        self
    }

    /// Sets `aud`.
    #[must_use]
    pub fn audience<T: Into<String>>(mut self, audience: impl IntoIterator<Item = T>) -> Self {
        self.audience = Some(audience.into_iter().map(Into::into).collect());
        self
    }

    /// Sets `scope`: scopes separated by spaces.
    #[must_use]
    pub fn scopes(mut self, scopes: impl Into<String>) -> Self {
        self.scopes = scopes.into();
        self
    }

    /// Sets how many seconds from now the token ends; a negative number makes one that has ended.
    #[must_use]
    pub fn lifetime(mut self, seconds: i64) -> Self {
        self.lifetime = seconds;
        self
    }

    /// Sets the client that it was issued to: `azp` and `client_id`.
    #[must_use]
    pub fn client(self, id: &str) -> Self {
        self.claim("azp", json!(id)).claim("client_id", json!(id))
    }

    /// Makes it a person's session of the project `project_id`: with the bare project for the issuer,
    /// and without audience, client and scopes.
    #[must_use]
    pub fn session(self, project_id: &str) -> Self {
        ["aud", "azp", "client_id", "scope"]
            .into_iter()
            .fold(self, |mint, name| mint.claim(name, Value::Null))
            .issuer(project_id)
            .claim("drn", json!("DS"))
    }

    /// Makes it the session of the project `project_id` that an access key is exchanged for.
    #[must_use]
    pub fn machine_session(self, project_id: &str) -> Self {
        self.session(project_id).subject("K2LocalAccessKey")
    }

    /// Sets who signs.
    #[must_use]
    pub fn signature(mut self, signature: Signature) -> Self {
        self.signature = signature;
        self
    }

    /// Sets a claim, over what the other methods set; `null` removes it.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: Value) -> Self {
        self.extra.insert(name.into(), value);
        self
    }

    pub(crate) fn sign(self, app: &App) -> Result<String, KeyError> {
        let now = app.now();
        let kind = self.kind;
        let subject = self.subject.unwrap_or_else(|| {
            let user = app.plan().user.clone();
            let subject = user.subject.clone();
            app.state().users.insert(subject.clone(), user);
            subject
        });
        let user = app.state().users.get(&subject).cloned();
        let mut claims = user.map(|user| user.claims).unwrap_or_default();
        let ends = now.saturating_add_signed(self.lifetime);
        claims.extend(object(json!({
            "iss": self.issuer.unwrap_or_else(|| app.issuer(kind)),
            "aud": self.audience.unwrap_or_else(|| audience(app, kind, None)),
            "sub": subject,
            "azp": app.config.client_id,
            "client_id": app.config.client_id,
            "scope": self.scopes,
            "iat": now.min(ends.saturating_sub(1)),
            "exp": ends,
            "jti": random_token().replace('.', ""),
        })));
        change(&mut claims, self.extra);
        let typ = access_type(kind);
        match self.signature {
            Signature::Genuine => app.sign(&app.state(), kind, typ, &claims),
            Signature::ForeignKey => {
                let ours = app.key_id(&app.state(), kind)?;
                SigningKey::generate()?.sign(typ, &ours, &claims)
            }
            Signature::UnknownKey => {
                let foreign = SigningKey::generate()?;
                foreign.sign(typ, &foreign.kid, &claims)
            }
        }
    }
}
