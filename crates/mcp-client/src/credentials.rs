//! Authorization of requests to the remote server. The token that a client holds for Gatehouse is never sent on.

use http::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING,
    UPGRADE, USER_AGENT,
};
use http::{HeaderName, HeaderValue};
use tools_export::{Caller, Credential};

/// What requests are authorized by.
#[derive(Clone, Debug, Default)]
pub(crate) enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// A secret of the operator's, the same for all.
    Secret(Header),
    /// The token that the identity provider gave the person. Lists, which are the same for all, are asked for with
    /// the operator's secret, or with nothing.
    Upstream { lists: Option<Header> },
}

/// A header that authorizes. Its value is never shown.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

/// Why a caller's requests are not authorized, for the caller to read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Unauthorized {
    #[error(
        "There is no token of the identity provider for you any more. Disconnect this server in your client and sign in again."
    )]
    NoToken,
    #[error(
        "This needs a token that you get by signing in. You came with a token that you pasted into your client, which is not sent on to other servers."
    )]
    Pasted,
    #[error("This needs the token of a person who has signed in, and this client acts for itself.")]
    NotAPerson,
}

impl Credentials {
    /// Reads the choice.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub(crate) fn read(
        choice: &str,
        secret: Result<Option<Header>, &'static str>,
    ) -> Result<Self, &'static str> {
        match (choice, secret?) {
            ("none", None) => Ok(Self::None),
            ("none", Some(_)) => {
                Err("they are none, and there is a secret: set credentials = secret")
            }
            ("secret", Some(header)) => Ok(Self::Secret(header)),
            ("secret", None) => Err("they are secret, and the variable secret is empty"),
            ("upstream", lists) => Ok(Self::Upstream { lists }),
            _ => Err("they are none, secret or upstream"),
        }
    }

    /// Returns whether each person has their own.
    pub(crate) fn are_personal(&self) -> bool {
        matches!(self, Self::Upstream { .. })
    }

    /// Returns what authorizes a request for the lists.
    pub(crate) fn for_lists(&self) -> Option<Header> {
        match self {
            Self::None => None,
            Self::Secret(header) => Some(header.clone()),
            Self::Upstream { lists } => lists.clone(),
        }
    }

    /// Returns what authorizes a request of a caller.
    ///
    /// # Errors
    ///
    /// If the caller has no token that may be sent on.
    pub(crate) fn for_caller(&self, caller: &Caller) -> Result<Option<Header>, Unauthorized> {
        if !self.are_personal() {
            return Ok(self.for_lists());
        }
        match &caller.credential {
            Some(Credential::Upstream(token)) => {
                let value = HeaderValue::try_from(format!("Bearer {token}"));
                let mut value = value.map_err(|_| Unauthorized::NoToken)?;
                value.set_sensitive(true);
                Ok(Some(Header {
                    name: AUTHORIZATION,
                    value,
                }))
            }
            Some(Credential::Presented(_)) => Err(Unauthorized::Pasted),
            None if caller.kind == tools_export::CallerKind::Client => {
                Err(Unauthorized::NotAPerson)
            }
            None => Err(Unauthorized::NoToken),
        }
    }
}

impl Header {
    /// Reads the header of a secret. In `Authorization`, a secret without a space is a bearer token.
    ///
    /// # Errors
    ///
    /// Says what is wrong.
    pub(crate) fn read(
        secret: Option<&str>,
        name: Option<&str>,
    ) -> Result<Option<Self>, &'static str> {
        let Some(secret) = secret else {
            return Ok(None);
        };
        let name = name.map_or(Ok(AUTHORIZATION), HeaderName::try_from);
        let name = name.map_err(|_| "secret_header is not a name that headers have")?;
        if OUR_HEADERS.contains(&name) || name.as_str().starts_with("mcp-") {
            return Err("secret_header is a header that carries something else");
        }
        let value = if name == AUTHORIZATION && !secret.contains(' ') {
            HeaderValue::try_from(format!("Bearer {secret}"))
        } else {
            HeaderValue::try_from(secret)
        };
        let mut value = value.map_err(|_| "secret has characters that headers cannot have")?;
        value.set_sensitive(true);
        Ok(Some(Self { name, value }))
    }

    /// Returns what is secret of it: behind the name of a scheme, such as `Bearer`, if there is one.
    pub(crate) fn secret(&self) -> &[u8] {
        let value = self.value.as_bytes();
        let space = value.iter().position(|&byte| byte == b' ');
        space.map_or(value, |space| &value[space + 1..])
    }
}

/// The headers that have another use.
const OUR_HEADERS: [HeaderName; 8] = [
    ACCEPT,
    CONNECTION,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    HOST,
    TRANSFER_ENCODING,
    UPGRADE,
    USER_AGENT,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::caller;

    fn header(secret: &str, name: Option<&str>) -> (String, String) {
        let header = Header::read(Some(secret), name).unwrap().unwrap();
        (
            header.name.to_string(),
            header.value.to_str().unwrap().to_owned(),
        )
    }

    fn of(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_secret_is_a_bearer_token_unless_its_header_or_itself_says_otherwise() {
        assert_eq!(header("s3cret", None), of("authorization", "Bearer s3cret"));
        assert_eq!(
            header("Basic eDp5", None),
            of("authorization", "Basic eDp5")
        );
        assert_eq!(
            header("s3cret", Some("X-Api-Key")),
            of("x-api-key", "s3cret")
        );
        for name in ["Host", "Mcp-Session-Id", "Content-Type", "no header", ""] {
            assert!(Header::read(Some("s3cret"), Some(name)).is_err(), "{name}");
        }
        assert!(Header::read(Some("two\nlines"), None).is_err());
    }

    #[test]
    fn a_secret_is_never_shown() {
        let header = Header::read(Some("s3cret"), None).unwrap().unwrap();
        assert!(!format!("{header:?}").contains("s3cret"));
    }

    #[test]
    fn the_secret_of_a_header_is_behind_its_scheme() {
        for (secret, name, expected) in [
            ("s3cret", None, "s3cret"),
            ("Basic eDp5", None, "eDp5"),
            ("s3cret", Some("X-Api-Key"), "s3cret"),
        ] {
            let header = Header::read(Some(secret), name).unwrap().unwrap();
            assert_eq!(header.secret(), expected.as_bytes());
        }
    }

    #[test]
    fn a_choice_and_a_secret_fit_each_other() {
        let secret = || Header::read(Some("s3cret"), None);
        assert!(Credentials::read("secret", secret()).is_ok());
        assert!(Credentials::read("upstream", Ok(None)).is_ok());
        assert!(Credentials::read("upstream", secret()).is_ok());
        assert!(Credentials::read("none", Ok(None)).is_ok());
        for (choice, secret) in [("none", secret()), ("secret", Ok(None)), ("", Ok(None))] {
            assert!(Credentials::read(choice, secret).is_err(), "{choice}");
        }
    }

    #[test]
    fn the_persons_token_is_sent_and_a_pasted_one_never() {
        let upstream = Credentials::Upstream { lists: None };
        let mut caller = caller("person");
        assert_eq!(
            upstream.for_caller(&caller).unwrap_err(),
            Unauthorized::NoToken
        );
        caller.credential = Some(Credential::Presented("Bearer t0ken".to_owned()));
        assert_eq!(
            upstream.for_caller(&caller).unwrap_err(),
            Unauthorized::Pasted
        );
        caller.credential = Some(Credential::Upstream("t0ken".to_owned()));
        let header = upstream.for_caller(&caller).unwrap().unwrap();
        assert_eq!(header.value, "Bearer t0ken");
        // Nothing of the caller is sent where the credentials are not the person's.
        assert!(Credentials::None.for_caller(&caller).unwrap().is_none());
        let secret = Credentials::Secret(Header::read(Some("s3cret"), None).unwrap().unwrap());
        assert_eq!(
            secret.for_caller(&caller).unwrap().unwrap().value,
            "Bearer s3cret"
        );
        caller.credential = None;
        caller.kind = tools_export::CallerKind::Client;
        assert_eq!(
            upstream.for_caller(&caller).unwrap_err(),
            Unauthorized::NotAPerson
        );
    }

    #[test]
    fn lists_are_requested_with_credentials_that_are_not_personal() {
        let secret = || Header::read(Some("s3cret"), None).unwrap();
        assert!(Credentials::Upstream { lists: None }.for_lists().is_none());
        assert!(
            Credentials::Upstream { lists: secret() }
                .for_lists()
                .is_some()
        );
        assert!(Credentials::None.for_lists().is_none());
    }
}
