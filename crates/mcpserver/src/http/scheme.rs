//! Authentication schemes of access tokens: `Bearer` (RFC 6750) and `DPoP` (RFC 9449).

use http::HeaderMap;

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Without a proof (RFC 6750).
    Bearer,
    /// With a proof of the key that it is bound to (RFC 9449 section 7.1).
    Dpop,
}

impl Scheme {
    /// Returns the scheme of a request's header, valid or not; `Bearer` for other schemes and without one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        headers
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| Self::parse(value.split(' ').next()?))
            .unwrap_or(Self::Bearer)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Bearer, Self::Dpop]
            .into_iter()
            .find(|scheme| name.eq_ignore_ascii_case(scheme.as_str()))
    }

    /// Returns the name as in challenges.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}
