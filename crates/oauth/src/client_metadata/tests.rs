use super::*;
use serde_json::json;

fn read_as(source: MetadataSource, value: &Value) -> Result<ClientMetadata, MetadataError> {
    let scopes = ["tools".to_owned(), "userinfo".to_owned()];
    let rules = Rules {
        source,
        scopes: &scopes,
        extra_origin: None,
        private_use: PrivateUse::Listed,
    };
    read(value.as_object().unwrap(), rules)
}

fn with(name: &str, value: Value) -> Result<ClientMetadata, MetadataError> {
    let mut fields = json!({ "redirect_uris": ["https://a.example/cb"] });
    fields[name] = value;
    read_as(MetadataSource::Registration, &fields)
}

fn document(more: Value) -> Result<ClientMetadata, MetadataError> {
    let mut fields = json!({ "redirect_uris": ["https://a.example/cb"] });
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    read_as(MetadataSource::Document, &fields)
}

fn jwks() -> Value {
    let key = jwt::SigningKey::ed25519(&[7; 32]).public().to_jwk();
    json!({ "keys": [key] })
}

#[test]
fn the_defaults_are_those_of_rfc_7591_and_refresh_tokens() {
    let metadata = with("unknown_field", json!({ "a": 1 })).unwrap();
    assert_eq!(
        metadata.token_endpoint_auth_method,
        AuthMethod::ClientSecretBasic
    );
    let both = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    assert_eq!(metadata.grant_types, both);
    assert_eq!(metadata.response_types, ["code"]);
    assert_eq!(metadata.client_name, None);
    for source in [
        MetadataSource::Registration,
        MetadataSource::Document,
        MetadataSource::Configuration,
    ] {
        for absent in [json!([]), Value::Null] {
            let fields = json!({ "redirect_uris": ["https://a.example/"], "grant_types": absent });
            assert_eq!(read_as(source, &fields).unwrap().grant_types, both);
        }
    }
    let listed = with("grant_types", json!(["authorization_code"])).unwrap();
    assert_eq!(listed.grant_types, [GrantType::AuthorizationCode]);
}

#[test]
fn an_error_names_the_field() {
    for (name, value) in [
        ("redirect_uris", json!("https://a.example/cb")),
        ("redirect_uris", json!([])),
        ("redirect_uris", json!([1])),
        ("redirect_uris", json!(["javascript:alert(1)"])),
        ("redirect_uris", json!(vec!["https://a.example/"; 21])),
        ("token_endpoint_auth_method", json!("tls_client_auth")),
        ("token_endpoint_auth_method", json!(1)),
        ("grant_types", json!(["implicit"])),
        ("grant_types", json!(["refresh_token"])),
        ("grant_types", json!(["client_credentials"])),
        ("grant_types", json!("authorization_code")),
        ("response_types", json!(["token"])),
        ("client_name", json!(["a"])),
        ("client_name", json!("a".repeat(201))),
        ("client_uri", json!("javascript:alert(1)")),
        ("client_uri", json!("https://me@a.example/")),
        ("logo_uri", json!("data:image/png,x")),
        ("policy_uri", json!("x")),
        ("tos_uri", json!("file:///x")),
        ("scope", json!("a\"b")),
        ("contacts", json!(vec!["a"; 21])),
        ("application_type", json!(1)),
        ("software_id", json!(1)),
        ("jwks", json!("https://a.example/keys")),
        ("jwks_uri", json!("https://127.0.0.1/keys")),
        ("token_endpoint_auth_signing_alg", json!("HS256")),
    ] {
        let error = with(name, value).unwrap_err();
        assert!(error.to_string().starts_with(name), "{name}: {error}");
    }
    assert_eq!(
        read_as(MetadataSource::Registration, &json!({})),
        Err(MetadataError::NoRedirectUri)
    );
}

/// Or a client could not send back, when it is changed, what it was answered (RFC 7592).
#[test]
fn an_address_is_as_long_as_it_is_with_its_escapes() {
    let address = |letters: usize| format!("https://a.example/{}", "ü".repeat(letters));
    let kept = with("logo_uri", json!(address(300))).unwrap().logo_uri;
    assert_eq!(with("logo_uri", json!(kept)).unwrap().logo_uri, kept);
    let refused = with("logo_uri", json!(address(400)));
    assert_eq!(refused, Err(MetadataError::TooLong("logo_uri")));
}

#[test]
fn a_client_may_list_more_than_is_supported() {
    let metadata = with(
        "grant_types",
        json!([
            "refresh_token",
            "authorization_code",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code"
        ]),
    );
    assert_eq!(
        metadata.unwrap().grant_types,
        [GrantType::AuthorizationCode, GrantType::RefreshToken]
    );
    let metadata = with("scope", json!("openid tools offline_access"));
    assert_eq!(
        metadata.unwrap().scope.as_deref(),
        Some("tools offline_access")
    );
}

#[test]
fn null_and_empty_fields_count_as_absent() {
    for value in [Value::Null, json!("")] {
        assert_eq!(with("client_uri", value.clone()).unwrap().client_uri, None);
        assert_eq!(with("client_name", value).unwrap().client_name, None);
    }
}

#[test]
fn a_name_has_no_invisible_characters() {
    let name = with("client_name", json!("  Good\u{202e}\u{200b}\n App\t")).unwrap();
    assert_eq!(name.client_name.as_deref(), Some("Good App"));
    for nothing in [
        "\u{200b}",
        " \n",
        "\u{2800}",
        "\u{301}\u{20dd}",
        "\u{3164}\u{ffa0}",
    ] {
        let name = with("client_name", json!(nothing)).unwrap();
        assert_eq!(name.client_name, None);
        let version = with("software_version", json!(nothing)).unwrap();
        assert_eq!(version.software_version, None);
    }
}

#[test]
fn application_type_is_a_hint_and_what_is_not_all_https_is_native() {
    let kind = |source: MetadataSource, kind: Value, uri: &str| {
        let fields = json!({
            "application_type": kind, "redirect_uris": ["https://a.example/", uri],
        });
        read_as(source, &fields).map(|metadata| metadata.application_type)
    };
    let native = Ok(Some("native".to_owned()));
    for source in [
        MetadataSource::Registration,
        MetadataSource::Document,
        MetadataSource::Configuration,
    ] {
        for uri in [
            "http://127.0.0.1/cb",
            "http://localhost:3000/callback",
            "http://[::1]/cb",
            "app.example:/cb",
            "cursor://anysphere.cursor-mcp/oauth/callback",
        ] {
            for said in ["web", "native"] {
                assert_eq!(kind(source, json!(said), uri), native, "{uri}");
            }
            for unknown in [json!("mobile"), json!("WEB"), json!(""), Value::Null] {
                assert_eq!(kind(source, unknown, uri), Ok(None), "{uri}");
            }
        }
        let web = Ok(Some("web".to_owned()));
        let https = "https://b.example/";
        assert_eq!(kind(source, json!("web"), https), web);
        assert_eq!(kind(source, json!("native"), https), native);
        // No hint makes a redirect URI one that may be.
        for said in ["web", "native"] {
            assert!(kind(source, json!(said), "http://a.example/").is_err());
        }
    }
}

#[test]
fn a_text_is_as_long_as_it_has_characters() {
    for letter in ["a", "\u{4e2d}", "\u{1f642}"] {
        for field in ["client_name", "software_id", "software_version"] {
            assert!(with(field, json!(letter.repeat(200))).is_ok(), "{letter}");
            let long = with(field, json!(letter.repeat(201)));
            assert_eq!(long, Err(MetadataError::TooLong(field)));
        }
        let contacts = with("contacts", json!([letter.repeat(200)]));
        assert!(contacts.is_ok(), "{letter}");
    }
}

/// Some send an empty set, or a part of it that they were generated with.
#[test]
fn keys_that_a_client_does_not_authenticate_by_are_no_reason_to_refuse_it() {
    for method in ["none", "client_secret_basic", "client_secret_post"] {
        for (field, value) in [
            ("jwks", json!({ "keys": [] })),
            (
                "jwks",
                json!({ "keys": [{ "kty": "EC", "crv": "secp256k1" }] }),
            ),
            ("jwks", jwks()),
            ("jwks_uri", json!("https://a.example/keys")),
        ] {
            let mut fields = json!({
                "redirect_uris": ["https://a.example/cb"], "token_endpoint_auth_method": method,
            });
            fields[field] = value.clone();
            let metadata = read_as(MetadataSource::Registration, &fields).unwrap();
            assert_eq!((metadata.jwks, metadata.jwks_uri), (None, None), "{value}");
        }
    }
}

#[test]
fn private_key_jwt_needs_keys_in_one_place() {
    let read = |more: Value| {
        let mut fields = json!({
            "redirect_uris": ["https://a.example/cb"],
            "token_endpoint_auth_method": "private_key_jwt",
        });
        for (name, value) in more.as_object().unwrap() {
            fields[name] = value.clone();
        }
        read_as(MetadataSource::Registration, &fields)
    };
    assert_eq!(
        read(json!({})),
        Err(MetadataError::Missing("jwks or jwks_uri"))
    );
    for (field, value) in [
        ("jwks", json!("https://a.example/keys")),
        ("jwks", json!({ "keys": [] })),
        ("jwks_uri", json!("https://127.0.0.1/keys")),
    ] {
        let error = read(json!({ field: value })).unwrap_err();
        assert!(error.to_string().starts_with(field), "{field}: {error}");
    }
    let both = json!({ "jwks": jwks(), "jwks_uri": "https://a.example/keys" });
    assert_eq!(read(both), Err(MetadataError::KeysTwice));
    assert_eq!(read(json!({ "jwks": jwks() })).unwrap().jwks, Some(jwks()));
    let uri = read(json!({ "jwks_uri": "https://a.example/keys" })).unwrap();
    assert_eq!(uri.jwks_uri.as_deref(), Some("https://a.example/keys"));
    let unused = with("jwks", jwks()).unwrap();
    assert_eq!(unused.jwks, None);
}

#[test]
fn a_private_key_in_public_is_refused() {
    let mut set = jwks();
    set["keys"][0]["d"] = json!("AAAA");
    for source in [MetadataSource::Registration, MetadataSource::Document] {
        for method in ["private_key_jwt", "none"] {
            let fields = json!({
                "redirect_uris": ["https://a.example/cb"],
                "token_endpoint_auth_method": method,
                "jwks": set,
            });
            assert_eq!(
                read_as(source, &fields),
                Err(MetadataError::Keys(KeyError::Private))
            );
        }
    }
}

#[test]
fn a_document_can_hold_no_secret() {
    for method in [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
    ] {
        let fields = json!({
            "token_endpoint_auth_method": method,
            "token_endpoint_auth_methods_supported": ["none"],
        });
        assert!(document(fields).is_err(), "{method}");
    }
    assert_eq!(
        document(json!({ "client_secret": "x" })),
        Err(MetadataError::Forbidden("client_secret"))
    );
    let metadata = document(json!({})).unwrap();
    assert_eq!(metadata.token_endpoint_auth_method, AuthMethod::None);
}

#[test]
fn a_document_that_prefers_private_key_jwt_but_allows_none_works_with_both() {
    let methods = json!(["none", "private_key_jwt"]);
    let metadata = document(json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg": "RS256",
        "jwks_uri": "https://a.example/keys",
    }))
    .unwrap();
    assert_eq!(
        metadata.token_endpoint_auth_method,
        AuthMethod::PrivateKeyJwt
    );
    assert_eq!(
        metadata.token_endpoint_auth_methods_supported,
        [AuthMethod::None]
    );
    // One that publishes no key, or prefers what does not exist here, is left with none.
    for preferred in ["private_key_jwt", "tls_client_auth"] {
        let metadata = document(json!({
            "token_endpoint_auth_method": preferred,
            "token_endpoint_auth_methods_supported": methods,
        }))
        .unwrap();
        assert_eq!(metadata.token_endpoint_auth_method, AuthMethod::None);
        assert!(metadata.token_endpoint_auth_methods_supported.is_empty());
    }
    assert!(document(json!({ "token_endpoint_auth_method": "tls_client_auth" })).is_err());
}

#[test]
fn a_document_that_names_private_key_jwt_alone_has_to_authenticate() {
    let fields = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks() });
    let metadata = document(fields).unwrap();
    assert_eq!(
        metadata.token_endpoint_auth_method,
        AuthMethod::PrivateKeyJwt
    );
    assert!(metadata.token_endpoint_auth_methods_supported.is_empty());
    assert!(document(json!({ "token_endpoint_auth_method": "private_key_jwt" })).is_err());
}
