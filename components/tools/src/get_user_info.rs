//! `getUserInfo`: what the identity provider says of the person.

use crate::arguments::{self, NO_ARGUMENTS, NoArguments};
use crate::bindings::contract::{Call, Caller, Failure, Output, TaskUse, Tool};
use crate::common::{read_only, text};
use serde_json::{Map, Value};

pub(crate) const NAME: &str = "getUserInfo";

pub(crate) fn tool() -> Tool {
    Tool {
        name: NAME.to_owned(),
        title: Some("Who am I".to_owned()),
        description: Some(
            "Gives the profile of the person who is signed in: name, email address, and everything else that the identity provider tells."
                .to_owned(),
        ),
        input_schema: NO_ARGUMENTS.to_owned(),
        output_schema: Some(r#"{"type":"object","properties":{"sub":{"type":"string","description":"The person's identifier at the identity provider"},"name":{"type":"string"},"email":{"type":"string"},"email_verified":{"type":"boolean"},"picture":{"type":"string"}},"required":["sub"]}"#.to_owned()),
        icons: Vec::new(),
        annotations: read_only(),
        scopes: vec!["userinfo".to_owned()],
        wants_credential: false,
        tasks: TaskUse::Never,
        meta: None,
    }
}

pub(crate) fn call(call: &Call) -> Result<Output, Failure> {
    let NoArguments {} = arguments::read(call)?;
    let profile = profile(&call.context.caller);
    let pretty = serde_json::to_string_pretty(&profile)
        .map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(Output {
        structured: Some(Value::Object(profile).to_string()),
        ..text(pretty)
    })
}

/// Returns the provider's claims, with those that every provider has under their OpenID Connect names.
fn profile(caller: &Caller) -> Map<String, Value> {
    let known = &caller.profile;
    let mut profile: Map<String, Value> = serde_json::from_str(&known.claims).unwrap_or_default();
    let mut put = |name: &str, value: Option<Value>| match value {
        Some(value) => {
            profile.insert(name.to_owned(), value);
        }
        // A claim of another type than ours has would not fit the schema.
        None => {
            profile.remove(name);
        }
    };
    put("sub", Some(caller.subject.clone().into()));
    put("name", known.name.clone().map(Value::from));
    put("email", known.email.clone().map(Value::from));
    put("email_verified", known.email_verified.map(Value::from));
    put("picture", known.picture.clone().map(Value::from));
    profile
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::contract::{CallerKind, Profile};
    use serde_json::json;

    #[test]
    fn what_is_known_of_the_person_wins_over_the_raw_claims() {
        let caller = Caller {
            kind: CallerKind::Person,
            subject: "U1".to_owned(),
            client_id: None,
            scopes: Vec::new(),
            profile: Profile {
                name: Some("Ann".to_owned()),
                email: None,
                email_verified: Some(true),
                picture: None,
                claims: r#"{"sub":"other","email":7,"phone":"1"}"#.to_owned(),
            },
            credential: None,
        };
        assert_eq!(
            Value::Object(profile(&caller)),
            json!({"sub":"U1","name":"Ann","email_verified":true,"phone":"1"})
        );
    }
}
