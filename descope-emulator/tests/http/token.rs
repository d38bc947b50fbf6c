//! The token endpoint.

use descope_emulator::{
    Config, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_MANAGEMENT_KEY,
    DEFAULT_MCP_SERVER_ID, DEFAULT_PROJECT_ID, TokenIssuer,
};
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn a_code_becomes_tokens_for_a_client_with_a_secret() {
    let descope = start().await;
    let code = code_for(&descope, &request()).await;
    let response = post_token(&descope, &exchange_form(&code)).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let tokens: Value = response.json().await.unwrap();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 600);
    assert_eq!(tokens["scope"], "openid profile email");
    assert!(tokens["refresh_token"].as_str().unwrap().len() >= 43);

    let access = verify(&descope, tokens["access_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(
        access["iss"],
        format!("{}/v1/apps/{DEFAULT_PROJECT_ID}", descope.base_url())
    );
    assert_eq!(access["aud"], json!([DEFAULT_PROJECT_ID]));
    assert_eq!(access["azp"], DEFAULT_CLIENT_ID);
    assert_eq!(access["client_id"], DEFAULT_CLIENT_ID);
    assert_eq!(access["scope"], "openid profile email");
    assert_eq!(access["sub"], descope.config().user.subject);
    let lifetime = access["exp"].as_u64().unwrap() - access["iat"].as_u64().unwrap();
    assert_eq!(lifetime, 600);
}

#[tokio::test]
async fn the_id_token_is_for_the_client_and_carries_the_nonce_and_the_profile() {
    let descope = start().await;
    let tokens = login(&descope).await;
    let id = verify(&descope, tokens["id_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(id["aud"], json!([DEFAULT_CLIENT_ID]));
    assert_eq!(id["nonce"], "the-nonce");
    assert_eq!(id["iss"], descope.issuer(TokenIssuer::InboundApp));
    assert_eq!(id["name"], "Local Developer");
    assert_eq!(id["given_name"], "Local");
    assert_eq!(id["email"], "developer@example.com");
    assert_eq!(id["email_verified"], true);
    assert!(id["auth_time"].is_u64());
}

#[tokio::test]
async fn without_openid_there_is_no_id_token() {
    let descope = start().await;
    let code = code_for(&descope, &request_with(&[("scope", "email")])).await;
    let response = post_token(&descope, &exchange_form(&code)).await;
    let tokens: Value = response.json().await.unwrap();
    assert!(tokens.get("id_token").is_none());
    assert_eq!(tokens["scope"], "email");
}

#[tokio::test]
async fn a_project_signs_in_with_json_and_its_management_key() {
    let descope = start().await;
    let tokens = login_with_key(&descope).await;
    let access = verify(&descope, tokens["access_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(access["azp"], DEFAULT_PROJECT_ID);
    let body = json!({
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
    });
    let response = post_token_with_key(&descope, DEFAULT_MANAGEMENT_KEY, &body).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_client_may_use_http_basic() {
    let descope = start().await;
    let code = code_for(&descope, &request()).await;
    let mut form = exchange_form(&code);
    form.retain(|(name, _)| *name != "client_secret");
    let url = format!("{}/oauth2/v1/apps/token", descope.base_url());
    let response = http()
        .post(url)
        .basic_auth(DEFAULT_CLIENT_ID, Some(DEFAULT_CLIENT_SECRET))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_wrong_or_missing_secret_is_refused_and_does_not_spend_the_code() {
    let descope = start().await;
    let code = code_for(&descope, &request()).await;
    let good = exchange_form(&code);
    for (name, value) in [
        ("client_secret", Some("wrong")),
        ("client_secret", None),
        ("client_id", Some("someone-else")),
        ("client_id", Some(DEFAULT_PROJECT_ID)),
    ] {
        let mut form = good.clone();
        form.retain(|(known, _)| *known != name);
        form.extend(value.map(|value| (name, value.to_owned())));
        let (_, message) = refusal(post_token(&descope, &form).await, 401).await;
        assert_eq!(message, "Invalid client credentials");
        assert!(!message.contains(DEFAULT_CLIENT_SECRET));
    }
    assert_eq!(post_token(&descope, &good).await.status(), 200);
}

#[tokio::test]
async fn a_wrong_management_key_or_project_is_refused() {
    let descope = start().await;
    let body = json!({ "grant_type": "refresh_token", "refresh_token": "x" });
    refusal(post_token_with_key(&descope, "wrong", &body).await, 401).await;
    let url = format!("{}/oauth2/v1/apps/token", descope.base_url());
    for bearer in [
        format!("P_OTHER:{DEFAULT_MANAGEMENT_KEY}"),
        DEFAULT_MANAGEMENT_KEY.to_owned(),
    ] {
        let request = http().post(&url).bearer_auth(bearer).json(&body);
        refusal(request.send().await.unwrap(), 401).await;
    }
}

#[tokio::test]
async fn credentials_of_one_client_do_not_redeem_the_code_or_token_of_another() {
    let descope = start().await;
    let code = code_for(&descope, &request()).await;
    let body = json!({
        "grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER,
    });
    refusal(
        post_token_with_key(&descope, DEFAULT_MANAGEMENT_KEY, &body).await,
        400,
    )
    .await;
    assert_eq!(
        post_token(&descope, &exchange_form(&code)).await.status(),
        200
    );

    let tokens = login(&descope).await;
    let body = json!({
        "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"],
    });
    refusal(
        post_token_with_key(&descope, DEFAULT_MANAGEMENT_KEY, &body).await,
        401,
    )
    .await;
}

#[tokio::test]
async fn a_code_works_once() {
    let descope = start().await;
    let code = code_for(&descope, &request()).await;
    assert_eq!(
        post_token(&descope, &exchange_form(&code)).await.status(),
        200
    );
    let (code, _) = refusal(post_token(&descope, &exchange_form(&code)).await, 400).await;
    assert_eq!(code, "E011003");
}

#[tokio::test]
async fn of_many_exchanges_of_one_code_at_once_one_wins() {
    let descope = start().await;
    let form = exchange_form(&code_for(&descope, &request()).await);
    let answers = futures_of(8, || post_token(&descope, &form)).await;
    let won = answers
        .iter()
        .filter(|answer| answer.status() == 200)
        .count();
    assert_eq!(won, 1);
}

async fn futures_of<F: Future>(count: usize, make: impl Fn() -> F) -> Vec<F::Output> {
    let mut running: Vec<_> = (0..count).map(|_| Box::pin(make())).collect();
    let mut done: Vec<Option<F::Output>> = (0..count).map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in running.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *slot = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_code_ends_with_its_lifetime() {
    let descope = start().await;
    let code = code_for(&descope, &request()).await;
    descope.advance_clock(descope.config().code_lifetime);
    refusal(post_token(&descope, &exchange_form(&code)).await, 400).await;
}

#[tokio::test]
async fn a_wrong_or_missing_verifier_is_refused_and_spends_the_code() {
    let descope = start().await;
    for verifier in [
        Some("another-verifier-of-enough-length-0123456789-abc"),
        None,
    ] {
        let code = code_for(&descope, &request()).await;
        let good = exchange_form(&code);
        let mut bad = good.clone();
        bad.retain(|(name, _)| *name != "code_verifier");
        bad.extend(verifier.map(|verifier| ("code_verifier", verifier.to_owned())));
        refusal(post_token(&descope, &bad).await, 400).await;
        refusal(post_token(&descope, &good).await, 400).await;
    }
}

#[tokio::test]
async fn a_verifier_for_a_login_without_a_challenge_is_refused() {
    let descope = start().await;
    let bare = request_with(&[("code_challenge", ""), ("code_challenge_method", "")]);
    let code = code_for(&descope, &bare).await;
    refusal(post_token(&descope, &exchange_form(&code)).await, 400).await;

    let code = code_for(&descope, &bare).await;
    let mut form = exchange_form(&code);
    form.retain(|(name, _)| *name != "code_verifier");
    assert_eq!(post_token(&descope, &form).await.status(), 200);
}

#[tokio::test]
async fn a_redirect_uri_that_differs_from_the_login_is_refused() {
    let descope = start().await;
    let code = code_for(&descope, &request()).await;
    let mut form = exchange_form(&code);
    for (name, value) in &mut form {
        if *name == "redirect_uri" {
            value.push('/');
        }
    }
    refusal(post_token(&descope, &form).await, 400).await;
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_and_a_new_refresh_token() {
    let descope = start().await;
    let first = login(&descope).await;
    let form = refresh_form(first["refresh_token"].as_str().unwrap());
    let second: Value = post_token(&descope, &form).await.json().await.unwrap();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_ne!(second["access_token"], first["access_token"]);
    assert_eq!(second["scope"], first["scope"]);
    let id = verify(&descope, second["id_token"].as_str().unwrap())
        .await
        .unwrap();
    assert!(id.get("nonce").is_none());
}

#[tokio::test]
async fn a_used_refresh_token_is_refused_and_its_successor_still_works() {
    let descope = start().await;
    let first = login(&descope).await;
    let form = refresh_form(first["refresh_token"].as_str().unwrap());
    let second: Value = post_token(&descope, &form).await.json().await.unwrap();
    let (code, message) = refusal(post_token(&descope, &form).await, 401).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("E061005", "Invalid refresh token")
    );
    let form = refresh_form(second["refresh_token"].as_str().unwrap());
    assert_eq!(post_token(&descope, &form).await.status(), 200);
}

#[tokio::test]
async fn without_rotation_a_refresh_token_stays_good() {
    let config = Config {
        rotate_refresh_tokens: false,
        ..Config::for_tests()
    };
    let descope = start_with(config).await;
    let first = login(&descope).await;
    let form = refresh_form(first["refresh_token"].as_str().unwrap());
    for _ in 0..2 {
        let next: Value = post_token(&descope, &form).await.json().await.unwrap();
        assert_eq!(next["refresh_token"], first["refresh_token"]);
    }
}

#[tokio::test]
async fn a_refresh_token_ends_with_its_lifetime() {
    let descope = start().await;
    let tokens = login(&descope).await;
    descope.advance_clock(descope.config().refresh_token_lifetime);
    let form = refresh_form(tokens["refresh_token"].as_str().unwrap());
    refusal(post_token(&descope, &form).await, 401).await;
}

#[tokio::test]
async fn a_refresh_may_narrow_the_scope_and_not_widen_it() {
    let descope = start().await;
    let tokens = login(&descope).await;
    let mut form = refresh_form(tokens["refresh_token"].as_str().unwrap());
    form.push(("scope", "openid phone".to_owned()));
    let (_, message) = refusal(post_token(&descope, &form).await, 400).await;
    assert_eq!(message, "Received invalid scope");
    form.pop();
    form.push(("scope", "openid".to_owned()));
    let narrow: Value = post_token(&descope, &form).await.json().await.unwrap();
    assert_eq!(narrow["scope"], "openid");
}

#[tokio::test]
async fn an_unknown_grant_type_and_a_missing_parameter_are_refused() {
    let descope = start().await;
    let credentials = refresh_form("x")[2..].to_vec();
    let mut form = credentials.clone();
    form.push(("grant_type", "password".to_owned()));
    assert_eq!(
        refusal(post_token(&descope, &form).await, 400).await.0,
        "E011003"
    );
    for (name, grant) in [
        ("code", "authorization_code"),
        ("refresh_token", "refresh_token"),
    ] {
        let mut form = credentials.clone();
        form.push(("grant_type", grant.to_owned()));
        let (code, message) = refusal(post_token(&descope, &form).await, 400).await;
        assert_eq!(code, "E011002");
        assert!(message.ends_with(name));
    }
    let (code, _) = refusal(post_token(&descope, &credentials).await, 400).await;
    assert_eq!(code, "E011002");
}

#[tokio::test]
async fn a_body_that_is_neither_form_nor_json_is_malformed() {
    let descope = start().await;
    let url = format!("{}/oauth2/v1/apps/token", descope.base_url());
    for (kind, body) in [
        ("text/plain", "grant_type=refresh_token"),
        ("application/json", "grant_type=refresh_token"),
        ("application/json", "[1]"),
        ("application/json", r#"{"grant_type": 1}"#),
        ("application/x-www-form-urlencoded", "a=1&a=2"),
    ] {
        let request = http().post(&url).header("content-type", kind).body(body);
        let (code, _) = refusal(request.send().await.unwrap(), 400).await;
        assert_eq!(code, "E011001", "{kind} {body}");
    }
}

#[tokio::test]
async fn the_lifetime_of_access_tokens_can_be_set_while_it_runs() {
    let descope = start().await;
    descope.set_access_token_lifetime(1);
    let tokens = login(&descope).await;
    assert_eq!(tokens["expires_in"], 1);
}

#[tokio::test]
async fn a_requested_resource_joins_the_audience() {
    let descope = start().await;
    let resource = "https://gatehouse.example.com/mcp";
    let code = code_for(&descope, &request_with(&[("resource", resource)])).await;
    let response = post_token(&descope, &exchange_form(&code)).await;
    let tokens: Value = response.json().await.unwrap();
    let access = verify(&descope, tokens["access_token"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(access["aud"], json!([resource, DEFAULT_PROJECT_ID]));
}

#[tokio::test]
async fn agentic_tokens_name_the_mcp_servers_issuer_and_url() {
    let url = "http://127.0.0.1:3000/mcp";
    for (issuer, parameter) in [
        (TokenIssuer::Agentic, ""),
        (TokenIssuer::InboundApp, DEFAULT_MCP_SERVER_ID),
    ] {
        let config = Config {
            token_issuer: issuer,
            mcp_server_url: Some(url.to_owned()),
            ..Config::for_tests()
        };
        let descope = start_with(config).await;
        let code = code_for(&descope, &request_with(&[("mcp_server_id", parameter)])).await;
        let response = post_token(&descope, &exchange_form(&code)).await;
        let tokens: Value = response.json().await.unwrap();
        let expected = descope.issuer(TokenIssuer::Agentic);
        assert!(expected.ends_with("/v1/apps/agentic/P_LOCAL/MS_LOCAL"));
        for name in ["access_token", "id_token"] {
            let claims = verify(&descope, tokens[name].as_str().unwrap())
                .await
                .unwrap();
            assert_eq!(claims["iss"], expected);
        }
        let access = verify(&descope, tokens["access_token"].as_str().unwrap())
            .await
            .unwrap();
        assert_eq!(access["aud"], json!([url, DEFAULT_PROJECT_ID]));
    }
}
