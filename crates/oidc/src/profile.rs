//! Profiles of people, from claims.

use crate::claims::subject;
use identity::Profile;
use serde_json::{Map, Value};

/// Reads claims (OpenID Connect Core section 5.1), of which [`personal`] is kept. Returns `None` without a
/// usable subject.
pub fn from_claims(claims: Map<String, Value>) -> Option<Profile> {
    let subject = subject(&claims)?.to_owned();
    let claims = personal(claims);
    let text = |name: &str| {
        claims
            .get(name)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| (1..=MAX_TEXT_BYTES).contains(&text.len()))
            .map(ToOwned::to_owned)
    };
    let email_verified = match claims.get("email_verified") {
        Some(Value::Bool(verified)) => Some(*verified),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    Some(Profile {
        subject,
        name: text("name"),
        email: text("email"),
        email_verified,
        picture: text("picture"),
        claims: Value::Object(claims).to_string(),
    })
}

/// Returns the claims about a person, at most 16 KB as JSON: without those about the token, and where there are
/// too many, without the largest but the standard ones.
pub fn personal(mut claims: Map<String, Value>) -> Map<String, Value> {
    claims.retain(|name, value| !ABOUT_THE_TOKEN.contains(&name.as_str()) && !value.is_null());
    if Value::Object(claims.clone()).to_string().len() > MAX_CLAIMS_BYTES {
        claims = cut_down(claims);
    }
    claims
}

/// Returns the standard claims, and of the others the smallest, as many as there is room for: which groups
/// a person is in should not be lost to a list of everything they may do.
fn cut_down(claims: Map<String, Value>) -> Map<String, Value> {
    let (mut kept, others): (Map<_, _>, Map<_, _>) = claims
        .into_iter()
        .partition(|(name, _)| STANDARD.contains(&name.as_str()));
    kept.retain(|_, value| match value {
        Value::String(text) => text.len() <= MAX_TEXT_BYTES,
        Value::Bool(_) | Value::Number(_) => true,
        _ => false,
    });
    // A name, its quotes, a colon and a comma.
    let size = |name: &str, value: &Value| name.len() + value.to_string().len() + 4;
    let mut room = MAX_CLAIMS_BYTES.saturating_sub(Value::Object(kept.clone()).to_string().len());
    let mut others: Vec<_> = others
        .into_iter()
        .map(|(name, value)| (size(&name, &value), name, value))
        .collect();
    others.sort_by_key(|(size, ..)| *size);
    for (size, name, value) in others {
        if size > room {
            break;
        }
        room -= size;
        kept.insert(name, value);
    }
    kept
}

const ABOUT_THE_TOKEN: [&str; 17] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "client_id",
    "drn",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "scope",
    "sid",
];
const STANDARD: [&str; 12] = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "nickname",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "picture",
    "locale",
];
/// In bytes.
const MAX_TEXT_BYTES: usize = 1024;
/// In bytes.
const MAX_CLAIMS_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn profile(claims: Value) -> Option<Profile> {
        from_claims(claims.as_object().cloned().unwrap_or_default())
    }

    fn claims(profile: &Profile) -> Map<String, Value> {
        serde_json::from_str(&profile.claims).unwrap()
    }

    #[test]
    fn what_is_said_of_the_person_is_kept_and_what_is_said_of_the_token_is_not() {
        let profile = profile(json!({
            "sub": "U1", "name": "Ada", "email": "ada@example.com", "email_verified": true,
            "picture": "https://example.com/a.png", "department": ["maths"], "phone_number": null,
            "iss": "x", "aud": ["y"], "exp": 1, "iat": 1, "nonce": "n", "at_hash": "h", "amr": ["pwd"],
        }))
        .unwrap();
        assert_eq!(profile.subject, "U1");
        assert_eq!(profile.name.as_deref(), Some("Ada"));
        assert_eq!(profile.email_verified, Some(true));
        assert_eq!(
            profile.picture.as_deref(),
            Some("https://example.com/a.png")
        );
        let claims = claims(&profile);
        let mut names: Vec<_> = claims.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "department",
                "email",
                "email_verified",
                "name",
                "picture",
                "sub"
            ]
        );
    }

    #[test]
    fn without_a_usable_subject_there_is_no_profile() {
        for subject in [
            json!(null),
            json!(""),
            json!(7),
            json!("a\nb"),
            json!("s".repeat(256)),
        ] {
            assert!(profile(json!({ "sub": subject })).is_none(), "{subject}");
        }
        assert!(profile(json!({})).is_none());
    }

    #[test]
    fn claims_of_the_wrong_type_are_absent() {
        let profile = profile(json!({
            "sub": "U1", "name": 7, "email": "", "email_verified": "true", "picture": ["x"],
        }))
        .unwrap();
        assert_eq!(
            (profile.name, profile.email, profile.picture),
            (None, None, None)
        );
        assert_eq!(profile.email_verified, Some(true));
    }

    #[test]
    fn of_too_many_claims_the_largest_but_the_standard_ones_are_left_out() {
        let profile = profile(json!({
            "sub": "U1", "name": "Ada", "given_name": "y".repeat(2000), "roles": ["admin"],
            "resource_access": "x".repeat(20_000), "groups": "z".repeat(9_000), "other": "w".repeat(9_000),
        }))
        .unwrap();
        assert_eq!(profile.name.as_deref(), Some("Ada"));
        let claims = claims(&profile);
        assert_eq!(claims["roles"], json!(["admin"]));
        let names: Vec<_> = claims.keys().map(String::as_str).collect();
        assert!(names == ["name", "other", "roles", "sub"], "{names:?}");
        assert!(profile.claims.len() <= MAX_CLAIMS_BYTES);
    }
}
