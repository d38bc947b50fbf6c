//! Scopes (RFC 6749 section 3.3).

/// Asks for refresh tokens; it always exists, and names no right of its own.
pub const OFFLINE_ACCESS: &str = "offline_access";

/// What concerns a person: no client has these for itself.
const PERSONAL: [&str; 3] = ["profile", "upstream_token", OFFLINE_ACCESS];

/// Why a scope is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScopeError {
    /// It has a character that scopes cannot have.
    #[error("scope has a character that scopes cannot have")]
    Malformed,
    /// It is more than the grant has.
    #[error("scope goes beyond what was granted")]
    BeyondGrant,
    /// Nothing is left of it for a client that acts for nobody.
    #[error("scope has nothing that this client can have without a person")]
    NeedsPerson,
}

/// The scopes of a request that a person will be asked for: what exists of those `requested`, in
/// the order of `existing`; all that exist if none is left, for a client that asks for nothing or
/// only for what it knows from elsewhere cannot ask better.
///
/// # Errors
///
/// [`ScopeError::Malformed`].
pub fn grantable(requested: Option<&str>, existing: &[String]) -> Result<Vec<String>, ScopeError> {
    let requested = parse(requested.unwrap_or_default())?;
    let mut scopes: Vec<String> = existing
        .iter()
        .filter(|scope| requested.contains(&scope.as_str()))
        .cloned()
        .collect();
    if scopes.is_empty() {
        scopes = existing.to_vec();
    }
    if requested.contains(&OFFLINE_ACCESS) {
        scopes.push(OFFLINE_ACCESS.to_owned());
    }
    Ok(scopes)
}

/// The scopes of a token: those `requested` of the ones `granted`, or all of them. What does not
/// exist at all is left out, as it was when the grant was made.
///
/// # Errors
///
/// [`ScopeError::Malformed`], and [`ScopeError::BeyondGrant`] for a scope that exists and was not
/// granted (RFC 6749 section 6).
pub fn narrow(
    requested: Option<&str>,
    granted: &[String],
    existing: &[String],
) -> Result<Vec<String>, ScopeError> {
    let mut scopes = Vec::new();
    for scope in parse(requested.unwrap_or_default())? {
        if granted.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        } else if existing.iter().any(|known| known == scope) {
            return Err(ScopeError::BeyondGrant);
        }
    }
    Ok(if scopes.is_empty() {
        granted.to_vec()
    } else {
        scopes
    })
}

/// The scopes of a token that a client gets for itself (RFC 6749 section 4.4): those `requested` of
/// the ones that it is `registered` for, or all of these; without a registration, of all that exist.
/// What concerns a person is none of them. More than that is left out and not refused, for MCP
/// clients ask for whatever a challenge names.
///
/// # Errors
///
/// [`ScopeError::Malformed`], and [`ScopeError::NeedsPerson`] if nothing is left of a request.
pub fn for_client(
    requested: Option<&str>,
    registered: Option<&str>,
    existing: &[String],
) -> Result<Vec<String>, ScopeError> {
    let requested = parse(requested.unwrap_or_default())?;
    let registered = registered.map(parse).transpose()?;
    let scopes: Vec<String> = existing
        .iter()
        .map(String::as_str)
        .filter(|scope| !PERSONAL.contains(scope))
        .filter(|scope| registered.as_ref().is_none_or(|all| all.contains(scope)))
        .filter(|scope| requested.is_empty() || requested.contains(scope))
        .map(str::to_owned)
        .collect();
    if scopes.is_empty() && !requested.is_empty() {
        return Err(ScopeError::NeedsPerson);
    }
    Ok(scopes)
}

/// The scopes of a space-separated list, each once.
///
/// # Errors
///
/// [`ScopeError::Malformed`].
pub fn parse(text: &str) -> Result<Vec<&str>, ScopeError> {
    let mut scopes = Vec::new();
    for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
        let is_token = scope
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
        if !is_token {
            return Err(ScopeError::Malformed);
        }
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_request_is_cut_to_what_exists() {
        let existing = list("tools profile");
        for (requested, expected) in [
            (None, "tools profile"),
            (Some(""), "tools profile"),
            (Some("profile email tools"), "tools profile"),
            (Some("profile profile"), "profile"),
            (Some("openid email"), "tools profile"),
            (Some("profile offline_access"), "profile offline_access"),
            (Some("offline_access"), "tools profile offline_access"),
        ] {
            assert_eq!(grantable(requested, &existing), Ok(list(expected)));
        }
        assert_eq!(
            grantable(Some("a\tb"), &existing),
            Err(ScopeError::Malformed)
        );
    }

    #[test]
    fn a_token_has_no_more_than_the_grant() {
        let existing = list("tools profile upstream_token");
        let granted = list("tools profile");
        for (requested, expected) in [
            (None, Ok(granted.clone())),
            (Some("profile"), Ok(list("profile"))),
            (Some("profile email"), Ok(list("profile"))),
            (Some("email"), Ok(granted.clone())),
            (Some("upstream_token"), Err(ScopeError::BeyondGrant)),
            (Some("tools upstream_token"), Err(ScopeError::BeyondGrant)),
        ] {
            assert_eq!(narrow(requested, &granted, &existing), expected);
        }
    }

    #[test]
    fn a_client_gets_for_itself_nothing_that_concerns_a_person() {
        let existing = list("tools profile upstream_token reports");
        for (requested, registered, expected) in [
            (None, None, Ok("tools reports")),
            (None, Some("reports profile"), Ok("reports")),
            (Some("tools profile upstream_token"), None, Ok("tools")),
            (Some("made_up tools"), None, Ok("tools")),
            (Some("tools"), Some("reports"), Err(ScopeError::NeedsPerson)),
            (Some("profile"), None, Err(ScopeError::NeedsPerson)),
            (Some("offline_access"), None, Err(ScopeError::NeedsPerson)),
            (Some("a\tb"), None, Err(ScopeError::Malformed)),
        ] {
            assert_eq!(
                for_client(requested, registered, &existing),
                expected.map(list),
                "{requested:?} {registered:?}"
            );
        }
    }
}
