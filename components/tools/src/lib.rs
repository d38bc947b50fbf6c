//! Three tools, written with the SDK.
//!
//! | tool | scope | gives |
//! | --- | --- | --- |
//! | `add` | `tools` | the sum of two numbers |
//! | `getUserInfo` | `userinfo` | what the identity provider says of the person |
//! | `getToken` | `upstream_token` | the person's token of the identity provider |

mod sum;

use gatehouse_sdk::serde_json::{Map, Number, Value, to_string_pretty};
use gatehouse_sdk::{Caller, Credential, Error, Output, Result, data, tool};

gatehouse_sdk::server! {
    name: "gatehouse",
    title: "Gatehouse",
    description: "A remote MCP server behind an OAuth 2.1 login.",
    tools: [add, get_user_info, get_token],
}

#[data(output)]
#[schemars(deny_unknown_fields)]
struct Sum {
    /// a + b
    sum: Number,
}

/// Adds two numbers and gives their sum.
#[tool(
    title = "Add",
    read_only,
    destructive = false,
    idempotent,
    open_world = false
)]
fn add(
    /// The first number
    a: Number,
    /// The second number
    b: Number,
) -> Result<Output<Sum>> {
    let too_large = || Error::invalid_arguments("the sum is larger than any number can be");
    let sum = sum::add(&a, &b).ok_or_else(too_large)?;
    let text = sum.to_string();
    Ok(Output::structured(Sum { sum }).text(text))
}

#[data(output)]
struct UserInfo {
    /// The person's identifier at the identity provider
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Gives the profile of the person who is signed in: name, email address, and everything else that the identity
/// provider tells.
#[tool(
    name = "getUserInfo", title = "Who am I", scopes = ["userinfo"],
    read_only, destructive = false, idempotent, open_world = false,
)]
fn get_user_info(caller: Caller) -> Result<Output<UserInfo>> {
    let mut others = caller.claims();
    // A claim of another type than ours has would not fit the schema.
    others.retain(|name, _| {
        !["sub", "name", "email", "email_verified", "picture"].contains(&name.as_str())
    });
    let (sub, profile) = (caller.subject, caller.profile);
    let info = UserInfo {
        sub,
        name: profile.name,
        email: profile.email,
        email_verified: profile.email_verified,
        picture: profile.picture,
        others,
    };
    let text = to_string_pretty(&info)?;
    Ok(Output::structured(info).text(text))
}

/// Gives the token with which the person who is signed in can use the identity provider's own services. Where the
/// person put such a token into the client by hand, it is the value of the Authorization header.
#[tool(
    name = "getToken", title = "My token", scopes = ["upstream_token"],
    read_only, destructive = false, idempotent, open_world = false,
)]
fn get_token(credential: Credential) -> String {
    credential.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::SERVER;
    use gatehouse_sdk::{json, testing::TestClient};

    #[test]
    fn numbers_are_added() {
        let sum = |a, b| TestClient::new(&SERVER).call("add", json!({ "a": a, "b": b }));
        let outcome = sum(1.5, 2.5).unwrap();
        assert_eq!(outcome.text(), "4");
        assert_eq!(outcome.structured, Some(json!({ "sum": 4 })));
        let error = sum(1e308, 1e308).unwrap_err().to_string();
        assert_eq!(
            error,
            "invalid arguments: the sum is larger than any number can be"
        );
    }

    #[test]
    fn what_is_known_of_the_person_wins_over_the_raw_claims() {
        let client = TestClient::new(&SERVER)
            .claims(&json!({ "sub": "other", "email": 7, "phone": "1" }))
            .caller(|caller| {
                "U1".clone_into(&mut caller.subject);
                caller.profile.email = None;
            });
        let expected =
            json!({ "sub": "U1", "name": "Test Person", "email_verified": true, "phone": "1" });
        let outcome = client.call("getUserInfo", json!({})).unwrap();
        assert_eq!(outcome.structured, Some(expected));
    }

    #[test]
    fn the_token_is_given_to_its_person_as_long_as_there_is_one() {
        let client = TestClient::new(&SERVER);
        let outcome = client
            .clone()
            .credential("t0ken")
            .call("getToken", json!({}))
            .unwrap();
        assert_eq!(outcome.text(), "t0ken");
        assert!(client.call("getToken", json!({})).unwrap().is_error);
    }
}
