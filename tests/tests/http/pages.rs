//! Rules for every page that a person sees.

use gatehouse_tests::{Client, Gatehouse, Page, Person, Settings};
use serde_json::json;

/// Whether the page says to browsers what every page of ours has to.
pub fn assert_strict(page: &Page) {
    for (directive, sources) in [
        ("default-src", "'none'"),
        ("base-uri", "'none'"),
        ("frame-ancestors", "'none'"),
    ] {
        assert_eq!(page.policy(directive).as_deref(), Some(sources));
    }
    let style = page.policy("style-src").unwrap_or_default();
    assert!(style.starts_with("'sha256-"), "{style}");
    // Browsers hold the redirects after a form to it: from the consent form on, the way leads to the
    // provider, the client, and wherever that sends the browser.
    let has_consent = page.html.contains("name=\"consent\"");
    let form_action = page.policy("form-action");
    assert_eq!(form_action.is_none(), has_consent, "{}", page.url);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{policy}"
    );
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(page.headers[name], value, "{name} at {}", page.url);
    }
}

#[tokio::test]
async fn every_page_has_a_strict_policy_no_frames_no_referrer_and_no_foreign_hosts() {
    let gatehouse = Gatehouse::start().await;
    let client = Client::register_as(
        &gatehouse,
        json!({
            "client_name": "Notes",
            "logo_uri": "https://notes.example/logo.png",
            "redirect_uris": ["https://notes.example/callback"],
            "token_endpoint_auth_method": "none",
        }),
    )
    .await;
    let person = Person::new();
    let mut request = client.authorization_request();
    request.insert("redirect_uri", "https://notes.example/callback".into());
    let url = client.authorization_url(&request);
    let mut pages = vec![
        person.page(&url).await,
        person.page(&gatehouse.url("/authorize")).await,
        person
            .page(&gatehouse.url("/authorize?client_id=unknown"))
            .await,
        person.page(&format!("{url}&prompt=none")).await,
        person.page(&gatehouse.url("/callback")).await,
        person.page(&gatehouse.url("/account")).await,
        person.page(&gatehouse.url("/account/nowhere")).await,
    ];
    let form = person.page(&url).await.form().with("decision", "allow");
    let stale = Person::new().submit(&form).await;
    pages.push(Page::read(stale).await);
    let callback = person.come_back(&person.submit(&form).await).await;
    person.open(callback.as_str()).await;
    pages.push(person.page(callback.as_str()).await);
    let used = person.submit(&form).await;
    pages.push(Page::read(used).await);
    let sign_in = person.open(&gatehouse.url("/account/sign-in")).await;
    person.finish(&sign_in).await;
    pages.push(person.page(&gatehouse.url("/account")).await);
    let forged = person.page(&gatehouse.url("/account")).await;
    let mut forged = forged.form_to("/end");
    forged.fields.clear();
    pages.push(Page::read(person.submit(&forged).await).await);
    for page in &pages {
        assert_strict(page);
        assert!(page.policy("script-src").is_none(), "{}", page.url);
        assert!(!page.html.contains("<script"), "{}", page.url);
        for part in page.html.split("://").skip(1) {
            // The redirect URI is shown, and linked to where a request has an error.
            let is_ours = [
                "127.0.0.1:",
                "www.w3.org/2000/svg'",
                "notes.example/callback",
            ]
            .iter()
            .any(|ours| part.starts_with(ours));
            assert!(is_ours, "{}: {}", page.url, &part[..part.len().min(40)]);
        }
        assert!(!page.heading().is_empty(), "{}", page.html);
        assert!(page.html.contains("<html lang=\"en\">"));
    }
    let forms = pages
        .iter()
        .filter(|page| page.policy("form-action").as_deref() != Some("'none'"));
    assert_eq!(forms.count(), 2, "consent and account alone have forms");
}

#[tokio::test]
async fn where_public_url_is_https_every_response_requires_https_from_then_on() {
    const PATHS: [&str; 9] = [
        "/",
        "/.well-known/oauth-authorization-server",
        "/authorize",
        "/callback",
        "/token",
        "/register",
        "/account",
        "/admin/clients",
        "/mcp",
    ];
    let public = Settings::default().variable("public_url", "https://mcp.example.com");
    let local = Gatehouse::start().await;
    let public = Gatehouse::start_with(public).await;
    for path in PATHS {
        let header = async |gatehouse: &Gatehouse| {
            let response = reqwest::get(gatehouse.url(path)).await.unwrap();
            response.headers().get("strict-transport-security").cloned()
        };
        let year = header(&public).await.unwrap_or_else(|| panic!("{path}"));
        assert_eq!(year, "max-age=31536000", "{path}");
        assert_eq!(header(&local).await, None, "{path}");
    }
}
