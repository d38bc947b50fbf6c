//! The variables of the store: where records are, and the keys that seal and authenticate them.

use crate::redis_url::{RedisUrl, read_redis_url};
use crate::{Problem, non_empty};
use keys::KeyRing;

/// The configuration of a component that needs the store and nothing else of [`Server`](crate::Server).
pub struct StoreSettings {
    /// Every key.
    pub keys: KeyRing,
    /// What every key in the key-value store starts with.
    pub key_prefix: String,
    /// The Redis that holds the store; `None`: Spin's key-value store.
    pub redis_url: Option<RedisUrl>,
}

impl StoreSettings {
    /// The variables that [`StoreSettings::read`] asks for.
    pub const VARIABLES: &[&'static str] = &["encryption_key", "key_prefix", "redis_url"];

    /// Reads and checks every variable.
    ///
    /// # Errors
    ///
    /// The first [`Problem`] that there is.
    pub fn read<'a>(values: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Problem> {
        Ok(Self {
            keys: read_keys(&values)?,
            key_prefix: read_key_prefix(&values)?,
            redis_url: read_redis_url(&values)?,
        })
    }
}

pub(crate) fn read_keys<'a>(values: &impl Fn(&str) -> Option<&'a str>) -> Result<KeyRing, Problem> {
    KeyRing::parse(values("encryption_key").unwrap_or_default()).map_err(|error| {
        Problem::new(
            "encryption_key",
            error.to_string(),
            "Set it to what `openssl rand -hex 32` prints; to rotate, put the new key before the old one with a comma between them",
        )
    })
}

pub(crate) fn read_key_prefix<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
) -> Result<String, Problem> {
    let prefix = non_empty(values, "key_prefix").unwrap_or("gatehouse:");
    let fits = prefix.len() <= 64
        && prefix
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'\\' | b'?' | b'#'));
    if fits {
        Ok(prefix.to_owned())
    } else {
        Err(Problem::new(
            "key_prefix",
            "it is longer than 64 characters, or has one that some key-value store refuses",
            "Use ASCII letters, digits, `:`, `-` and `_`",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn the_store_is_where_the_server_has_it() {
        let read = |name: &str, value: &'static str| {
            StoreSettings::read(|asked| match asked {
                asked if asked == name => Some(value),
                "encryption_key" => Some(KEY),
                _ => None,
            })
        };
        let settings = read("", "").unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(settings.key_prefix, "gatehouse:");
        assert!(settings.redis_url.is_none());
        for name in StoreSettings::VARIABLES {
            let problem = read(name, "bad-value/").err();
            assert_eq!(problem.map(|problem| problem.variable), Some(*name));
        }
    }
}
