//! Authorization requests.

use descope_emulator::{Config, DEFAULT_MCP_SERVER_ID, DEFAULT_PROJECT_ID, Endpoint, User};

use crate::support::*;

#[tokio::test]
async fn auto_login_redirects_with_a_code_and_the_state() {
    let descope = start().await;
    let parameters = redirected(&authorize(&descope, &request()).await);
    assert_eq!(parameters["state"], "the state");
    assert!(parameters["code"].len() >= 43);
    assert_eq!(parameters.len(), 2);
    assert_eq!(descope.requests(Endpoint::Authorize), 1);
}

#[tokio::test]
async fn the_redirect_keeps_the_query_of_the_redirect_uri() {
    let descope = start().await;
    let uri = format!("{CALLBACK}?tenant=a%20b");
    let parameters =
        redirected(&authorize(&descope, &request_with(&[("redirect_uri", &uri)])).await);
    assert_eq!(parameters["tenant"], "a b");
    assert!(parameters.contains_key("code"));
}

#[tokio::test]
async fn the_project_id_is_a_client_id_too() {
    let descope = start().await;
    let request = request_with(&[("client_id", DEFAULT_PROJECT_ID)]);
    assert!(redirected(&authorize(&descope, &request).await).contains_key("code"));
}

#[tokio::test]
async fn an_unknown_client_is_refused_without_a_redirect() {
    let descope = start().await;
    let response = authorize(&descope, &request_with(&[("client_id", "someone-else")])).await;
    let (code, message) = refusal(response, 400).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("E011003", "Unknown client id")
    );
}

#[tokio::test]
async fn a_redirect_uri_that_is_not_approved_gets_no_redirect() {
    let descope = start().await;
    for uri in [
        "https://attacker.example/cb",
        "http://127.0.0.1.nip.example/cb",
        "x",
    ] {
        let response = authorize(&descope, &request_with(&[("redirect_uri", uri)])).await;
        let (code, _) = refusal(response, 400).await;
        assert_eq!(code, "E011003", "{uri}");
    }
}

#[tokio::test]
async fn a_missing_client_redirect_uri_or_state_is_refused_without_a_redirect() {
    let descope = start().await;
    for name in ["client_id", "redirect_uri", "state"] {
        let response = authorize(&descope, &request_with(&[(name, "")])).await;
        let (code, message) = refusal(response, 400).await;
        assert_eq!(code, "E011002");
        assert!(message.ends_with(name));
    }
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused() {
    let descope = start().await;
    let url = format!(
        "{}/oauth2/v1/apps/authorize?client_id=a&client_id=b",
        descope.base_url()
    );
    let (code, _) = refusal(http().get(url).send().await.unwrap(), 400).await;
    assert_eq!(code, "E011001");
}

#[tokio::test]
async fn an_undefined_scope_is_an_invalid_scope() {
    let descope = start().await;
    let request = request_with(&[("scope", "openid admin")]);
    let parameters = redirected(&authorize(&descope, &request).await);
    assert_eq!(parameters["error"], "invalid_scope");
    assert_eq!(parameters["error_description"], "Received invalid scope");
    assert_eq!(parameters["state"], "the state");
    assert!(!parameters.contains_key("code"));
}

#[tokio::test]
async fn a_missing_scope_is_an_invalid_scope() {
    let descope = start().await;
    let parameters = redirected(&authorize(&descope, &request_with(&[("scope", "")])).await);
    assert_eq!(parameters["error"], "invalid_scope");
}

#[tokio::test]
async fn another_response_type_is_unsupported() {
    let descope = start().await;
    for response_type in ["token", ""] {
        let request = request_with(&[("response_type", response_type)]);
        let parameters = redirected(&authorize(&descope, &request).await);
        assert_eq!(parameters["error"], "unsupported_response_type");
    }
}

#[tokio::test]
async fn only_s256_challenges_are_taken() {
    let descope = start().await;
    for changes in [
        [("code_challenge_method", "plain")].as_slice(),
        &[("code_challenge_method", "")],
        &[("code_challenge", "short")],
        &[("code_challenge", "")],
    ] {
        let parameters = redirected(&authorize(&descope, &request_with(changes)).await);
        assert_eq!(parameters["error"], "invalid_request", "{changes:?}");
    }
}

#[tokio::test]
async fn with_forced_pkce_a_login_without_a_challenge_is_refused() {
    let config = Config {
        force_pkce: true,
        ..Config::for_tests()
    };
    let descope = start_with(config).await;
    let bare = request_with(&[("code_challenge", ""), ("code_challenge_method", "")]);
    let parameters = redirected(&authorize(&descope, &bare).await);
    assert_eq!(parameters["error"], "invalid_request");
    code_for(&descope, &request()).await;
}

#[tokio::test]
async fn the_next_login_can_be_denied() {
    let descope = start().await;
    descope.deny_next();
    let parameters = redirected(&authorize(&descope, &request()).await);
    assert_eq!(parameters["error"], "access_denied");
    assert_eq!(parameters["state"], "the state");
    assert!(redirected(&authorize(&descope, &request()).await).contains_key("code"));
}

#[tokio::test]
async fn the_next_login_can_end_with_any_error() {
    let descope = start().await;
    descope.error_next("temporarily_unavailable", "Come <back> later");
    let parameters = redirected(&authorize(&descope, &request()).await);
    assert_eq!(parameters["error"], "temporarily_unavailable");
    assert_eq!(parameters["error_description"], "Come <back> later");
}

#[tokio::test]
async fn prompt_none_without_auto_login_requires_a_login() {
    let descope = start_with(Config::default()).await;
    let request = request_with(&[("prompt", "none")]);
    let parameters = redirected(&authorize(&descope, &request).await);
    assert_eq!(parameters["error"], "login_required");
    descope.set_auto_login(true);
    code_for(&descope, &request).await;
}

#[tokio::test]
async fn the_person_that_the_test_names_is_signed_in() {
    let descope = start().await;
    let ada = User::new("Ada Lovelace", "ada@example.com");
    descope.sign_in_as(ada.clone());
    login(&descope).await;
    assert_eq!(descope.users()[&ada.subject], ada);
    assert_eq!(descope.users().len(), 1);
}

#[tokio::test]
async fn the_paths_of_the_project_and_of_its_mcp_server_work_and_others_do_not() {
    let descope = start().await;
    let base = format!("{}/oauth2/v1/apps", descope.base_url());
    let get = async |path: &str| {
        let url = format!("{base}/{path}/authorize");
        http().get(url).query(&request()).send().await.unwrap()
    };
    let server = DEFAULT_MCP_SERVER_ID;
    for good in [
        DEFAULT_PROJECT_ID.to_owned(),
        format!("agentic/{DEFAULT_PROJECT_ID}/{server}"),
    ] {
        assert!(redirected(&get(&good).await).contains_key("code"), "{good}");
    }
    refusal(get("P_OTHER").await, 404).await;
    refusal(get(&format!("agentic/P_OTHER/{server}")).await, 404).await;
    let other = get(&format!("agentic/{DEFAULT_PROJECT_ID}/MS_OTHER")).await;
    assert_eq!(refusal(other, 400).await.0, "E063316");
}
