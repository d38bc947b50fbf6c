//! What the tests share: a project, a key that exists for them alone, tokens.

use crate::settings::{App, Credentials, Project};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::sha2::{Digest as _, Sha256};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use serde_json::{Value, json};
use std::sync::LazyLock;

pub(crate) const PROJECT: &str = "P123";
pub(crate) const CLIENT_ID: &str = "inbound-app==";
pub(crate) const SECRET: &str = "s3cret";
pub(crate) const KEY_ID: &str = "SK1";

pub(crate) fn project() -> Project {
    Project {
        base_url: "https://api.descope.com".to_owned(),
        id: PROJECT.to_owned(),
        mcp_server_id: None,
        client_id: Some(CLIENT_ID.to_owned()),
        public_url: None,
    }
}

pub(crate) fn client_app() -> App {
    App {
        credentials: Credentials::Client {
            id: CLIENT_ID.to_owned(),
            secret: SECRET.to_owned(),
        },
        scopes: "openid profile email".to_owned(),
    }
}

pub(crate) fn key_app() -> App {
    App {
        credentials: Credentials::ManagementKey(SECRET.to_owned()),
        ..client_app()
    }
}

pub(crate) fn public_key() -> RsaPublicKey {
    KEY.to_public_key()
}

pub(crate) fn jwk() -> Value {
    json!({
        "alg": "RS256",
        "e": URL_SAFE_NO_PAD.encode(KEY.e().to_bytes_be()),
        "kid": KEY_ID,
        "kty": "RSA",
        "n": URL_SAFE_NO_PAD.encode(KEY.n().to_bytes_be()),
        "use": "sig",
    })
}

/// A token of the fixture's key with an ordinary header.
pub(crate) fn sign(claims: &Value) -> String {
    sign_under(
        &json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID }),
        claims,
    )
}

/// A token of the fixture's key with any header.
pub(crate) fn sign_under(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let digest = Sha256::digest(signed.as_bytes());
    let signature = KEY.sign(Pkcs1v15Sign::new::<Sha256>(), &digest).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| {
    let der = STANDARD.decode(KEY_DER.concat()).unwrap();
    RsaPrivateKey::from_pkcs1_der(&der).unwrap()
});

/// PKCS #1. It protects nothing.
const KEY_DER: &[&str] = &[
    "MIIEpAIBAAKCAQEA1hB4HUhuhbXVirfhaDl+VUPZFQP0J2pNVWT3NOEMKBy7K6L6dvGVlidd0psTUKdqF8Y0UCTZbv/kYptnQdUc",
    "SpC59yQmG6slDH+Erud0CO3yXeM4XX8HpCe5sH9lrp+1cSyWkQRxYr+gjo3B5EQ46l/F3a5X5r1kE+QoXJH8JkD8ygJzgEhtmKoz",
    "5m1/Vyz4+Jt3hmb2u4kHCK0/4LHQeLn+DR9JhlG9V2zalnFmtQCtMciJrlH6ERezTb/8FEcgOQ30GEihruURmtTCJ5E0FGUa3otv",
    "vhzeE76oJlIqvAKwbOnxbdjvkfE0okeGwYdhJHZIl+h7I2QP8Vq3m6GsJQIDAQABAoIBABj+1k+xB/rD9znZ68+UOwywvfXmvskl",
    "b/9DKVx61MUQSci4IJ/n6KweT6XKZtB5o/k/sxcSnnMIHT5oX/+/ZyzLxnM1vN9pNgvGDhOwQgvS4QSWhhvgu98upk+WKKTh0Dl1",
    "V+V6C9VYg+Jxag0B7FVttniCpY/zWG68KvxYLYW3xQ+i7Hw1wwjKCzCPd3fGM+euyITpW3YJAu6gFOmWXDgoPjVS+Oz5CkUsXLmX",
    "qRuZIuTncQoK0t6P9lkwRddWvm4QuPQRG5hCVEAQuyG1gKqd+ynqQH9qfwGimntdcthJXtYZh+Z2UW8qCYvq//EUUHE0YRujczpH",
    "SNGqTAQoXncCgYEA/qxnD+7ukfM6yvBFrlor1QVnhk244lv7K6IVVP4Lrj7KemPciptDRcegSfgXTQy/4ndJLg3BMwwY+PGEhjgu",
    "KDy3PyTG7dXOkxodDBgLvDfFy3f2gTEOS6BgTP6GQi3zTaeooAJ1JP7D8/V2RZgrY/+Mmctesk1JkI137bVnP4sCgYEA1y3qd9G0",
    "4DGzlpJGqMC7orUsrRq1y3c9Z0OAKh9w3ba3jT5Fh993VZ3LduC+VfbtOeziJZnYlmYy3h3a2MbiqlBeKpAMaRWw1G5Ai2jv4wIV",
    "uY0J+HKP8Bkol86Ymd2FUhhbbZ7merkQOZnqMtMCHcbuqChul3OvHB6mmbYtOQ8CgYA7BBKiA5lvYvEF5CYRoD22EJmL6ujkM7KB",
    "yv6sgm6Mg2qCcC/EQvSU8Ay5927W4RR6U3A25uMVhEEpNzahr9UqZ9+DF2+t37UOK6f9jHjztez1GKicCZUpe1G1penQ3jsajLar",
    "1cX1u8AHAaPVvsyXULnxTcp1ASoCAHaBNF9nvwKBgQCN9g/7TtH7Gy81RnnxeX4RIWBBMB8CBj/vcbwLjkSjMZm1SIEM3CRZysni",
    "OvG3uznU/nBQiEg5KWGj4qRwYf5GiNEnWXOmnJXWAIr6rpec99InYWJTlBlcOOzsAnPxBxGfEMy47J14F8IZjm7Rax65UHZBYLNd",
    "ngfIEHyval45hwKBgQC5kS0gsW9GoGsx5PugKBzLOO8RtDgUfdvGlgLbcQHgAwo4vvj3rUlG54FmDCVa/l/Dhg//hvJn+25ay1Ys",
    "xu1oJvr37PZzYyK7i9QMg3T1wvUnT0KUpk3fuEgclEb5NM1SYc5ZeIZ9yW6QNzQ09L0ZRgs9PvkatWGc35qFLdaE+g==",
];
