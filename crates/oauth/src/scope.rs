//! Scopes (RFC 6749 section 3.3).

/// Asks for refresh tokens; it always exists, and names no right of its own.
pub const OFFLINE_ACCESS: &str = "offline_access";

/// Why a scope is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScopeError {
    /// It has a character that scopes cannot have.
    #[error("scope has a character that scopes cannot have")]
    Malformed,
    /// It is more than the grant has.
    #[error("scope goes beyond what was granted")]
    BeyondGrant,
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
}
