//! Scopes (RFC 6749 section 3.3).
//!
//! Every rule about which scopes a client gets is in [`effective`]: at the authorization
//! endpoint, at the token endpoint, and wherever a token is accepted.

/// Asks for refresh tokens; it always exists, and names no right of its own.
pub const OFFLINE_ACCESS: &str = "offline_access";

/// The scope of the tool that gives the provider's token away.
pub const UPSTREAM_TOKEN: &str = "upstream_token";

/// The scopes of OpenID Connect (Core sections 3.1.2.1, 5.4 and 11). Many clients ask every server
/// for them. Here they ask for nothing, so no scope of ours can have such a name.
pub const OPENID_CONNECT: [&str; 6] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    OFFLINE_ACCESS,
];

/// What concerns a person: no client has these for itself.
const PERSONAL: [&str; 3] = ["userinfo", UPSTREAM_TOKEN, OFFLINE_ACCESS];

/// Why a scope is refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScopeError {
    /// It has a character that scopes cannot have.
    #[error("scope has a character that scopes cannot have")]
    Malformed,
    /// It is more than the grant has.
    #[error("scope goes beyond what was granted")]
    BeyondGrant,
    /// The client may have none of it.
    #[error("scope has nothing that this client may have")]
    BeyondClient,
    /// None of the grant's scopes exists any more, or none is the client's any more.
    #[error("none of the granted scopes is left, so the person has to sign in again")]
    NothingLeft,
    /// No scope of it is left for a client that acts for itself.
    #[error("scope has nothing that this client can have without a person")]
    NeedsPerson,
}

/// The bounds of what a request or a token can have.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// The scopes that exist now, in the order in which they are listed.
    pub existing: &'a [String],
    /// The client's own `scope` (RFC 7591 section 2), as it was [registrable]: a bound, even where nothing that
    /// it names exists any more.
    pub registered: Option<&'a str>,
    /// What the person has now of what was granted, where a policy says so; `None`: all of it.
    pub person: Option<&'a [String]>,
    /// For whom the scopes are.
    pub holder: Holder<'a>,
}

/// For whom scopes are.
#[derive(Clone, Copy, Debug)]
pub enum Holder<'a> {
    /// A client for which a person is about to be asked. It gets these if it asks for nothing of
    /// ours.
    Asking(&'a [String]),
    /// A client to which a person granted these. It gets all of them if it asks for nothing of ours.
    Granted(&'a [String]),
    /// A client that acts for itself (RFC 6749 section 4.4). It gets these if it asks for nothing
    /// of ours.
    Client(&'a [String]),
}

/// Returns the effective scopes, in the order of [`Bounds::existing`]: what was `asked` for, and is the
/// client's own, and exists now, and was granted.
///
/// What does not exist, and OpenID Connect's scopes, ask for nothing: clients ask for what they know
/// from elsewhere. `offline_access` is given to every client that asks for it, for a person.
///
/// # Errors
///
/// [`ScopeError`]. [`ScopeError::BeyondGrant`] is for a scope that exists and was not granted (RFC
/// 6749 section 6).
pub fn effective(asked: Option<&str>, bounds: &Bounds<'_>) -> Result<Vec<String>, ScopeError> {
    let asked = parse(asked.unwrap_or_default())?;
    let can_have = bounds.can_have();
    let exists = |scope: &&str| bounds.existing.iter().any(|known| known == scope);
    let wanted: Vec<&str> = asked.iter().copied().filter(exists).collect();
    let asks_for_refresh = asked.contains(&OFFLINE_ACCESS);
    let mut scopes = can_have.clone();
    match bounds.holder {
        Holder::Asking(defaults) => {
            scopes.retain(|scope| wanted.is_empty() || wanted.contains(scope));
            if wanted.is_empty() {
                scopes = by_default(scopes, defaults);
            }
            if scopes.is_empty() && !bounds.existing.is_empty() {
                return Err(ScopeError::BeyondClient);
            }
            if asks_for_refresh {
                scopes.push(OFFLINE_ACCESS);
            }
        }
        Holder::Granted(granted) => {
            let is_granted = |scope: &&str| granted.iter().any(|known| known == scope);
            if !wanted.iter().all(is_granted) {
                return Err(ScopeError::BeyondGrant);
            }
            if scopes.is_empty() && !granted.is_empty() {
                return Err(ScopeError::NothingLeft);
            }
            scopes.retain(|scope| wanted.is_empty() || wanted.contains(scope));
            if scopes.is_empty() && !wanted.is_empty() {
                return Err(ScopeError::BeyondClient);
            }
            let refreshes = is_granted(&OFFLINE_ACCESS);
            if refreshes && (asks_for_refresh || wanted.is_empty()) {
                scopes.push(OFFLINE_ACCESS);
            }
        }
        Holder::Client(defaults) => {
            let asks_for_ours = !wanted.is_empty() || asks_for_refresh;
            scopes.retain(|scope| !asks_for_ours || wanted.contains(scope));
            if !asks_for_ours {
                scopes = by_default(scopes, defaults);
            }
            if scopes.is_empty() && !asked.is_empty() {
                return Err(ScopeError::NeedsPerson);
            }
        }
    }
    Ok(scopes.into_iter().map(str::to_owned).collect())
}

/// Returns what is left of the scopes that a token or a grant names, where it is accepted or shown: the same
/// bounds as of [`effective`], and no error for what is gone.
pub fn still<'t>(named: impl Iterator<Item = &'t str>, bounds: &Bounds<'_>) -> Vec<String> {
    let can_have = bounds.can_have();
    let refreshes = match bounds.holder {
        Holder::Granted(granted) => granted.iter().any(|scope| scope == OFFLINE_ACCESS),
        Holder::Asking(_) => true,
        Holder::Client(_) => false,
    };
    named
        .filter(|scope| can_have.contains(scope) || (refreshes && *scope == OFFLINE_ACCESS))
        .map(str::to_owned)
        .collect()
}

impl<'a> Bounds<'a> {
    /// Returns every scope but `offline_access` within the bounds.
    fn can_have(&self) -> Vec<&'a str> {
        // What cannot be read was refused when the client became known.
        let registered = self.registered.map(|text| parse(text).unwrap_or_default());
        self.existing
            .iter()
            .map(String::as_str)
            .filter(|scope| registered.as_ref().is_none_or(|own| own.contains(scope)))
            .filter(|scope| {
                let has = |own: &[String]| own.iter().any(|known| known == scope);
                self.person.is_none_or(has)
            })
            .filter(|scope| match self.holder {
                Holder::Asking(_) => true,
                Holder::Granted(granted) => granted.iter().any(|known| known == scope),
                Holder::Client(_) => !PERSONAL.contains(scope),
            })
            .collect()
    }
}

/// Returns the `defaults` among `scopes`; all of `scopes` if none is: then what the client can have says
/// more.
fn by_default<'a>(scopes: Vec<&'a str>, defaults: &[String]) -> Vec<&'a str> {
    let is_default = |scope: &&str| defaults.iter().any(|known| known == scope);
    if scopes.iter().any(&is_default) {
        scopes
            .into_iter()
            .filter(|scope| is_default(scope))
            .collect()
    } else {
        scopes
    }
}

/// Returns the client's own `scope`, as far as it names scopes that exist; `None` if it names none of ours,
/// so that it is no bound.
///
/// # Errors
///
/// [`ScopeError::Malformed`].
pub fn registrable(own: &str, existing: &[String]) -> Result<Option<String>, ScopeError> {
    let own = parse(own)?;
    let exists = |scope: &str| existing.iter().any(|known| known == scope);
    if !own.iter().any(|scope| exists(scope)) {
        return Ok(None);
    }
    let ours = own
        .into_iter()
        .filter(|scope| exists(scope) || *scope == OFFLINE_ACCESS);
    Ok(Some(ours.collect::<Vec<_>>().join(" ")))
}

/// Returns the scopes of a space-separated list, each once.
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

    const EXISTING: &str = "tools userinfo upstream_token";

    fn asking(asked: &str, registered: Option<&str>, defaults: &str) -> Result<String, ScopeError> {
        let (existing, defaults) = (list(EXISTING), list(defaults));
        let bounds = Bounds {
            existing: &existing,
            registered,
            person: None,
            holder: Holder::Asking(&defaults),
        };
        effective(Some(asked), &bounds).map(|scopes| scopes.join(" "))
    }

    fn granted(asked: &str, registered: Option<&str>, granted: &str) -> Result<String, ScopeError> {
        let (existing, granted) = (list(EXISTING), list(granted));
        let bounds = Bounds {
            existing: &existing,
            registered,
            person: None,
            holder: Holder::Granted(&granted),
        };
        effective(Some(asked), &bounds).map(|scopes| scopes.join(" "))
    }

    fn client(asked: &str, registered: Option<&str>, defaults: &str) -> Result<String, ScopeError> {
        let (existing, defaults) = (
            list("tools userinfo upstream_token reports"),
            list(defaults),
        );
        let bounds = Bounds {
            existing: &existing,
            registered,
            person: None,
            holder: Holder::Client(&defaults),
        };
        effective(Some(asked), &bounds).map(|scopes| scopes.join(" "))
    }

    #[test]
    fn a_request_is_cut_to_the_scopes_that_exist() {
        for (asked, expected) in [
            ("userinfo made_up tools", "tools userinfo"),
            ("userinfo userinfo", "userinfo"),
            ("userinfo offline_access", "userinfo offline_access"),
        ] {
            assert_eq!(asking(asked, None, EXISTING), Ok(expected.into()));
        }
        assert_eq!(asking("a\tb", None, EXISTING), Err(ScopeError::Malformed));
        let nothing = Bounds {
            existing: &[],
            registered: Some("tools"),
            person: None,
            holder: Holder::Asking(&[]),
        };
        assert_eq!(effective(Some("tools"), &nothing), Ok(vec![]));
    }

    #[test]
    fn a_request_for_nothing_of_ours_gets_the_default_scopes() {
        for asked in ["", "openid email profile", "address phone", "made_up"] {
            assert_eq!(
                asking(asked, None, EXISTING),
                Ok(EXISTING.into()),
                "{asked}"
            );
            assert_eq!(asking(asked, None, "tools"), Ok("tools".into()), "{asked}");
        }
        let refresh = asking("openid offline_access", None, "tools");
        assert_eq!(refresh, Ok("tools offline_access".into()));
        let bounded = asking("openid", Some("tools upstream_token"), "tools userinfo");
        assert_eq!(bounded, Ok("tools".into()));
        let own = asking("openid", Some("upstream_token"), "tools userinfo");
        assert_eq!(own, Ok("upstream_token".into()));
    }

    #[test]
    fn a_client_gets_nothing_beyond_its_own_scope() {
        for asked in ["", "openid", "tools", "tools upstream_token"] {
            assert_eq!(asking(asked, Some("tools"), EXISTING), Ok("tools".into()));
        }
        let error = Err(ScopeError::BeyondClient);
        assert_eq!(asking("upstream_token", Some("tools"), EXISTING), error);
        assert_eq!(granted("", Some("tools"), EXISTING), Ok("tools".into()));
        assert_eq!(granted("upstream_token", Some("tools"), EXISTING), error);
    }

    #[test]
    fn an_own_scope_of_which_nothing_exists_any_more_is_a_bound() {
        for asked in ["", "openid", "tools", "gone"] {
            for own in ["gone", "gone offline_access"] {
                let refused = asking(asked, Some(own), EXISTING);
                assert_eq!(refused, Err(ScopeError::BeyondClient), "{asked} {own}");
                let refused = granted("", Some(own), "tools");
                assert_eq!(refused, Err(ScopeError::NothingLeft), "{own}");
            }
        }
        // What a client asks of others was no scope of its own when it registered.
        let existing = list(EXISTING);
        assert_eq!(registrable("openid profile email", &existing), Ok(None));
    }

    #[test]
    fn a_token_has_no_more_than_the_grant() {
        let grant = "tools userinfo";
        for (asked, expected) in [
            ("", Ok(grant)),
            ("userinfo", Ok("userinfo")),
            ("userinfo email", Ok("userinfo")),
            ("openid email profile", Ok(grant)),
            ("upstream_token", Err(ScopeError::BeyondGrant)),
            ("tools upstream_token", Err(ScopeError::BeyondGrant)),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(granted(asked, None, grant), expected, "{asked}");
        }
        let refreshes = granted("", None, "tools offline_access");
        assert_eq!(refreshes, Ok("tools offline_access".into()));
        let narrowed = granted("tools", None, "tools offline_access");
        assert_eq!(narrowed, Ok("tools".into()));
    }

    #[test]
    fn a_scope_that_no_longer_exists_is_lost_to_every_grant() {
        assert_eq!(granted("", None, "tools profile gone"), Ok("tools".into()));
        let nothing = Err(ScopeError::NothingLeft);
        assert_eq!(granted("", None, "profile"), nothing);
        assert_eq!(granted("", None, "profile offline_access"), nothing);
        assert_eq!(granted("", Some("tools"), "userinfo"), nothing);
    }

    #[test]
    fn what_the_person_no_longer_has_is_lost_and_what_was_granted_stays_granted() {
        let (existing, grant) = (list(EXISTING), list("tools userinfo offline_access"));
        let refreshed = |asked, person: &str| {
            let person = list(person);
            let bounds = Bounds {
                existing: &existing,
                registered: None,
                person: Some(&person),
                holder: Holder::Granted(&grant),
            };
            effective(Some(asked), &bounds).map(|scopes| scopes.join(" "))
        };
        assert_eq!(refreshed("", "tools"), Ok("tools offline_access".into()));
        // Clients repeat what they asked for first: what was granted is nothing beyond the grant.
        let repeated = refreshed("tools userinfo", "tools upstream_token");
        assert_eq!(repeated, Ok("tools".into()));
        let beyond = refreshed("upstream_token", "tools upstream_token");
        assert_eq!(beyond, Err(ScopeError::BeyondGrant));
        assert!(refreshed("userinfo", "tools").is_err());
        assert!(refreshed("", "").is_err());
    }

    #[test]
    fn what_a_token_names_is_cut_to_grant_client_and_what_exists() {
        let (existing, grant) = (list(EXISTING), list("tools userinfo gone offline_access"));
        let bounds = |registered| Bounds {
            existing: &existing,
            registered,
            person: None,
            holder: Holder::Granted(&grant),
        };
        let named = || "tools userinfo upstream_token gone offline_access".split(' ');
        let left = still(named(), &bounds(None));
        assert_eq!(left, list("tools userinfo offline_access"));
        let left = still(named(), &bounds(Some("tools")));
        assert_eq!(left, list("tools offline_access"));
    }

    #[test]
    fn a_client_gets_for_itself_nothing_that_concerns_a_person() {
        let all = "tools userinfo upstream_token reports";
        for (asked, registered, expected) in [
            ("", None, Ok("tools reports")),
            ("", Some("reports userinfo"), Ok("reports")),
            ("tools userinfo upstream_token", None, Ok("tools")),
            ("made_up tools", None, Ok("tools")),
            ("openid profile", None, Ok("tools reports")),
            ("tools", Some("reports"), Err(ScopeError::NeedsPerson)),
            ("userinfo", None, Err(ScopeError::NeedsPerson)),
            ("offline_access", None, Err(ScopeError::NeedsPerson)),
            ("a\tb", None, Err(ScopeError::Malformed)),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(
                client(asked, registered, all),
                expected,
                "{asked} {registered:?}"
            );
        }
        assert_eq!(client("", None, "tools"), Ok("tools".into()));
    }

    #[test]
    fn a_registered_scope_with_nothing_of_ours_is_no_bound() {
        let existing = list(EXISTING);
        for (own, expected) in [
            ("openid profile email", None),
            ("", None),
            ("offline_access", None),
            ("openid tools offline_access", Some("tools offline_access")),
            ("upstream_token gone", Some("upstream_token")),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(registrable(own, &existing), Ok(expected), "{own}");
        }
        assert_eq!(registrable("a\"b", &existing), Err(ScopeError::Malformed));
    }
}
