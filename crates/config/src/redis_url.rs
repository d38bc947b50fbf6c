//! `redis_url`: the Redis that holds the store in place of Spin's key-value store.

use crate::{Problem, non_empty};
use std::fmt;
use url::Url;

/// The address of a Redis, which may have a password in it.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(Url);

impl RedisUrl {
    /// Returns the whole address, with the password. Not for logs.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// Returns scheme, host and port: what `redis_host` has to be, for the manifest to let calls through. Nothing
    /// in it is secret.
    pub fn origin(&self) -> String {
        const DEFAULT_PORT: u16 = 6379;
        let Self(url) = self;
        let host = url.host_str().unwrap_or_default();
        format!(
            "{}://{host}:{}",
            url.scheme(),
            url.port().unwrap_or(DEFAULT_PORT)
        )
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl")
    }
}

/// Reads `redis_url`. `None`: Spin's key-value store.
pub(crate) fn read_redis_url<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Option<RedisUrl>, Problem> {
    const NAME: &str = "redis_url";
    let Some(value) = non_empty(values, NAME) else {
        return Ok(None);
    };
    let problem = |problem: &str| {
        let remedy = "Set it to `redis://user:password@host:port/0`, with `rediss` for TLS and special characters of the password percent-encoded, or to nothing for Spin's key-value store";
        Problem::new(NAME, problem, remedy)
    };
    let url = Url::parse(value).map_err(|_| problem("it is no URL"))?;
    if !matches!(url.scheme(), "redis" | "rediss") {
        return Err(problem("its scheme is neither `redis` nor `rediss`"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(problem("it names no host"));
    }
    let database = url.path().trim_start_matches('/');
    if !database.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(problem("its path is not the number of a database"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(problem("it has a query or a fragment"));
    }
    Ok(Some(RedisUrl(url)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<Option<RedisUrl>, Problem> {
        read_redis_url(&|_| Some(value))
    }

    #[test]
    fn an_address_of_a_redis_is_read_as_it_is_and_an_empty_one_is_none() {
        assert!(read("").is_ok_and(|url| url.is_none()));
        for value in [
            "redis://127.0.0.1",
            "redis://redis.example.com:6379/",
            "rediss://default:secret%2F@eu1.upstash.example:6380/2",
            "redis://:secret@[::1]:6379",
        ] {
            let url = read(value).ok().flatten();
            assert_eq!(url.as_ref().map(RedisUrl::expose), Some(value));
            assert_eq!(format!("{url:?}"), "Some(RedisUrl)");
        }
    }

    #[test]
    fn a_wrong_address_is_refused_without_its_password() {
        for value in [
            "secret",
            "redis://",
            "redis://:secret@",
            "https://user:secret@redis.example.com",
            "redis://user:sec/ret@redis.example.com",
            "redis://user:secret@redis.example.com/db",
            "redis://user:secret@redis.example.com/0?timeout=1",
            "redis://user:secret@redis.example.com/0#secret",
            "redis://user:secret@redis.example.com:secret",
        ] {
            let problem = read(value).err();
            assert!(problem.is_some(), "{value}");
            let told = format!("{problem:?} {}", problem.as_ref().unwrap());
            assert!(!told.contains("secret") && !told.contains("sec/"), "{told}");
            assert!(told.contains("redis_url"), "{told}");
        }
    }

    #[test]
    fn the_origin_of_a_redis_has_a_port_and_no_password() {
        for (url, origin) in [
            (
                "redis://u:secret@cache.example.com:6380/2",
                "redis://cache.example.com:6380",
            ),
            (
                "rediss://cache.example.com",
                "rediss://cache.example.com:6379",
            ),
            ("redis://[::1]/0", "redis://[::1]:6379"),
        ] {
            let url = read(url).unwrap().unwrap();
            assert_eq!(url.origin(), origin);
        }
    }
}
