use super::*;
use serde_json::{Value, json};

fn scopes(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn existing() -> Vec<String> {
    scopes("tools userinfo admin")
}

fn policy(allowed: &str, rules: &Value) -> Policy {
    let rules = match rules {
        Value::Null => String::new(),
        rules => rules.to_string(),
    };
    Policy::parse(allowed, &rules, &existing()).unwrap_or_else(|error| panic!("{error:?}"))
}

/// Whether `allowed` lets a person in.
fn lets_in(allowed: &str, person: &Profile) -> bool {
    policy(allowed, &json!(null)).decide(person, &scopes("tools")) == Ok(scopes("tools"))
}

fn with_email(email: &str, verified: Option<bool>) -> Profile {
    Profile {
        email: Some(email.to_owned()),
        email_verified: verified,
        ..Profile::new("U2abc")
    }
}

fn with_claims(claims: &str) -> Profile {
    Profile {
        claims: claims.to_owned(),
        ..Profile::new("U2abc")
    }
}

fn claim_matches(entry: &str, claims: &Value) -> bool {
    lets_in(entry, &with_claims(&claims.to_string()))
}

#[test]
fn without_rules_everyone_comes_in_with_every_scope() {
    for (allowed, rules) in [("", ""), ("  \n", " ")] {
        let policy = Policy::parse(allowed, rules, &existing()).unwrap();
        assert!(!policy.is_set());
        let asked = scopes("tools admin offline_access");
        assert_eq!(policy.decide(&with_claims("nonsense"), &asked), Ok(asked));
    }
    assert_eq!(
        Policy::default().decide(&with_claims("{}"), &[]),
        Ok(vec![])
    );
}

#[test]
fn an_email_address_counts_where_it_is_verified_alone() {
    for entry in ["email:ann@example.com", "domain:example.com"] {
        assert!(lets_in(entry, &with_email("ann@example.com", Some(true))));
        for verified in [None, Some(false)] {
            assert!(!lets_in(entry, &with_email("ann@example.com", verified)));
        }
        assert!(!lets_in(entry, &with_claims("{}")));
        // An address in the claims is not a verified one.
        let claims = r#"{"email":"ann@example.com","email_verified":true}"#;
        assert!(!lets_in(entry, &with_claims(claims)));
    }
}

#[test]
fn email_addresses_are_compared_without_the_case_of_ascii_letters() {
    let is_ann = |email| lets_in("email:Ann@Example.com", &with_email(email, Some(true)));
    assert!(is_ann("ann@example.com") && is_ann("ANN@EXAMPLE.COM"));
    for other in [
        "ann@example.co",
        "ann@sub.example.com",
        "ann+1@example.com",
        "a.nn@example.com",
        "ann@example.com.",
        "ann@example.com ",
        "ann@example.com\u{0}",
        "ann@example.com@evil.example",
        "ann@evil.example@example.com",
        "\"ann@evil.example\"@example.com",
        "<ann@example.com>",
        "ann@example.com,eve@evil.example",
        "@example.com",
        "ann",
        "",
        // A Cyrillic letter, a long s, and a full-width full stop.
        "\u{430}nn@example.com",
        "ann@example\u{ff0e}com",
        "ann@e\u{445}ample.com",
    ] {
        assert!(!is_ann(other), "{other}");
    }
    // The Kelvin sign folds to k where letters beyond ASCII are folded.
    let kelvin = with_email("ann@\u{212a}.example", Some(true));
    assert!(!lets_in("domain:k.example", &kelvin));
}

#[test]
fn a_domain_is_neither_its_subdomains_nor_what_ends_or_looks_like_it() {
    let is_in = |email| lets_in("domain:example.com", &with_email(email, Some(true)));
    assert!(is_in("ann@example.com") && is_in("bob@EXAMPLE.com"));
    for other in [
        "ann@mail.example.com",
        "ann@evilexample.com",
        "ann@example.com.evil.example",
        "example.com@evil.example",
        "ann@example.com@evil.example",
        "ann@xn--exmple-cua.com",
        "ann@ex\u{e4}mple.com",
        "\"@example.com\"@evil.example",
        "ann@(example.com)evil.example",
        "ann@[example.com]",
    ] {
        assert!(!is_in(other), "{other}");
    }
    let idn = with_email("ann@xn--exmple-cua.com", Some(true));
    assert!(lets_in("domain:xn--exmple-cua.com", &idn));
    let written = with_email("ann@ex\u{e4}mple.com", Some(true));
    assert!(!lets_in("domain:xn--exmple-cua.com", &written));
}

#[test]
fn a_subject_is_compared_character_by_character() {
    assert!(lets_in("subject:U2abc", &with_claims("{}")));
    for other in ["subject:u2abc", "subject:U2abcd", "subject:U2ab"] {
        assert!(!lets_in(other, &with_claims("{}")), "{other}");
    }
    let colons = Profile::new("auth0|a:b=c");
    assert!(lets_in("subject:auth0|a:b=c", &colons));
}

#[test]
fn a_claim_is_a_value_or_a_list_with_it() {
    let entry = "claim:/realm_access/roles=staff";
    for roles in [
        json!("staff"),
        json!(["user", "staff"]),
        json!([1, {}, "staff"]),
    ] {
        assert!(claim_matches(
            entry,
            &json!({"realm_access": {"roles": roles}})
        ));
    }
    for roles in [
        json!(null),
        json!("Staff"),
        json!("staff "),
        json!("user staff"),
        json!("user,staff"),
        json!([]),
        json!(["staffing"]),
        json!([["staff"]]),
        json!([{"name": "staff"}]),
        json!({"staff": true}),
        json!({"name": "staff"}),
        json!(true),
        json!(1),
    ] {
        let claims = json!({"realm_access": {"roles": roles}});
        assert!(!claim_matches(entry, &claims), "{claims}");
    }
    // The path as a name, and the claim somewhere else.
    for claims in [
        json!({"realm_access/roles": "staff"}),
        json!({"/realm_access/roles": "staff"}),
        json!({"realm_access.roles": "staff"}),
        json!({"roles": ["staff"]}),
        json!({"realm_access": ["roles", "staff"]}),
        json!({"realm_access": [{"roles": ["staff"]}]}),
        json!({}),
    ] {
        assert!(!claim_matches(entry, &claims), "{claims}");
    }
}

#[test]
fn numbers_and_booleans_are_their_json_text() {
    for (entry, claim) in [
        ("claim:/level=3", json!(3)),
        ("claim:/level=-3", json!(-3)),
        ("claim:/level=1.5", json!([1.5])),
        ("claim:/level=18446744073709551615", json!(u64::MAX)),
        ("claim:/level=true", json!(true)),
        ("claim:/level=false", json!([false])),
        ("claim:/level=3", json!("3")),
    ] {
        assert!(claim_matches(entry, &json!({"level": claim})), "{entry}");
    }
    for (entry, claim) in [
        ("claim:/level=3", json!(3.0)),
        ("claim:/level=03", json!(3)),
        ("claim:/level=1", json!(true)),
        ("claim:/level=True", json!(true)),
        ("claim:/level=null", json!(null)),
        ("claim:/level={}", json!({})),
        ("claim:/level=[]", json!([])),
    ] {
        assert!(!claim_matches(entry, &json!({"level": claim})), "{entry}");
    }
}

#[test]
fn a_claim_without_a_value_has_to_be_there_and_say_something() {
    let tenants = json!({"tenants": {"T2abc": {"roles": ["admin"]}, "T2empty": {}}});
    assert!(claim_matches("claim:/tenants/T2abc", &tenants));
    assert!(claim_matches("claim:/tenants/T2empty", &tenants));
    assert!(claim_matches("claim:/tenants/T2abc/roles=admin", &tenants));
    assert!(!claim_matches("claim:/tenants/T2abc/roles=owner", &tenants));
    assert!(!claim_matches("claim:/tenants/T2other", &tenants));
    assert!(!claim_matches("claim:/tenants/T2", &tenants));
    for said in [json!(true), json!(1), json!("x"), json!(["x"]), json!({})] {
        assert!(
            claim_matches("claim:/staff", &json!({"staff": said})),
            "{said}"
        );
    }
    for unsaid in [json!(false), json!(null), json!(0), json!(""), json!([])] {
        assert!(!claim_matches("claim:/staff", &json!({"staff": unsaid})));
    }
}

#[test]
fn a_path_is_a_json_pointer() {
    let auth0 = json!({"https://example.com/roles": ["admin"], "a~b": "x", "a=b": "x"});
    assert!(claim_matches(
        "claim:/https:~1~1example.com~1roles=admin",
        &auth0
    ));
    assert!(claim_matches("claim:/a~0b=x", &auth0));
    // A name with an equals sign cannot be written.
    assert!(!claim_matches("claim:/a=b=x", &auth0));
    let nested = json!({"groups": [{"id": "g1"}, {"id": "g2"}]});
    assert!(claim_matches("claim:/groups/1/id=g2", &nested));
    for none in [
        "claim:/groups/2/id=g2",
        "claim:/groups/01/id=g2",
        "claim:/groups/-/id=g2",
    ] {
        assert!(!claim_matches(none, &nested), "{none}");
    }
    for names in [
        "__proto__",
        "constructor",
        "length",
        "toString",
        "..",
        "%2e",
    ] {
        assert!(
            !claim_matches(&format!("claim:/{names}"), &nested),
            "{names}"
        );
        assert!(!claim_matches(&format!("claim:/groups/{names}"), &nested));
    }
    assert!(claim_matches(
        "claim:/hd=example.com",
        &json!({"hd": "example.com"})
    ));
    // A value may have everything that separates other things.
    let odd = json!({"group": "a=b:/c"});
    assert!(claim_matches("claim:/group=a=b:/c", &odd));
    assert!(claim_matches(
        r#"["claim:/group=x,y"]"#,
        &json!({"group": "x,y"})
    ));
}

#[test]
fn claims_that_cannot_be_read_let_no_one_in() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let deep_object = format!(r#"{{"roles":{deep}}}"#);
    for claims in [
        "",
        "null",
        "[\"admin\"]",
        "\"admin\"",
        "{\"roles\":[\"admin\"]",
        "{\"roles\":[\"admin\"]} {}",
        &deep,
        &deep_object,
    ] {
        assert!(!lets_in("claim:/roles=admin", &with_claims(claims)));
        assert!(!lets_in("claim:/0=admin", &with_claims(claims)));
    }
    // Many, and long.
    let many: Vec<_> = (0..50_000)
        .map(|number| format!("group-{number}"))
        .collect();
    let claims = json!({"groups": many, "other": "x".repeat(1_000_000)}).to_string();
    assert!(lets_in("claim:/groups=group-49999", &with_claims(&claims)));
    assert!(!lets_in("claim:/groups=group-50000", &with_claims(&claims)));
    // Of a name that comes twice one counts, and both readings are the provider's.
    let twice = r#"{"roles":["user"],"roles":["admin"]}"#;
    assert!(!lets_in("claim:/roles=user", &with_claims(twice)));
}

#[test]
fn entries_are_alternatives_and_a_list_in_the_list_holds_together() {
    let ann = Profile {
        email: Some("ann@example.com".to_owned()),
        email_verified: Some(true),
        ..with_claims(r#"{"roles":["staff"]}"#)
    };
    let bob = Profile {
        claims: "{}".to_owned(),
        ..ann.clone()
    };
    let both = r#"[["domain:example.com", "claim:/roles=staff"]]"#;
    assert!(lets_in(both, &ann) && !lets_in(both, &bob));
    let either = r#"["subject:other", ["domain:example.com", "claim:/roles=staff"]]"#;
    assert!(lets_in(either, &ann) && !lets_in(either, &bob));
    let text = "subject:other, domain:example.com ,claim:/roles=owner";
    assert!(lets_in(text, &ann) && lets_in(text, &bob));
    assert!(!lets_in("subject:a,subject:b", &ann));
}

#[test]
fn what_is_set_and_wrong_is_an_error_that_says_where_and_never_what() {
    for (allowed, at) in [
        ("ann@secret.example", "entry 1"),
        ("secret.example", "entry 1"),
        ("*", "entry 1"),
        ("anyone", "entry 1"),
        ("Email:ann@secret.example", "entry 1"),
        ("emails:ann@secret.example", "entry 1"),
        ("email:", "entry 1"),
        ("email:secret", "entry 1"),
        ("email:*@secret.example", "entry 1"),
        ("email:ann@secret", "entry 1"),
        ("email:ann@secret.example bob@secret.example", "entry 1"),
        ("email: ann@secret.example", "entry 1"),
        ("email:ann@secr\u{e9}t.example", "entry 1"),
        ("domain:", "entry 1"),
        ("domain:@secret.example", "entry 1"),
        ("domain:*.secret.example", "entry 1"),
        ("domain:.secret.example", "entry 1"),
        ("domain:secret.example.", "entry 1"),
        ("domain:secret..example", "entry 1"),
        ("domain:secret", "entry 1"),
        ("domain:secr\u{e9}t.example", "entry 1"),
        ("domain:https://secret.example", "entry 1"),
        ("domain: secret.example", "entry 1"),
        ("subject:", "entry 1"),
        ("subject: secret", "entry 1"),
        ("claim:", "entry 1"),
        ("claim:/", "entry 1"),
        ("claim:roles=secret", "entry 1"),
        ("claim:=secret", "entry 1"),
        ("claim://roles=secret", "entry 1"),
        ("claim:/roles/=secret", "entry 1"),
        ("claim:/ro~les=secret", "entry 1"),
        ("claim:/roles~2=secret", "entry 1"),
        ("claim:/roles~=secret", "entry 1"),
        ("claim:/roles=", "entry 1"),
        ("claim:/roles==", ""),
        ("domain:example.com,", "entry 2"),
        (",domain:example.com", "entry 1"),
        ("domain:example.com,,subject:x", "entry 2"),
        ("domain:example.com;secret", "entry 1"),
        ("domain:example.com secret", "entry 1"),
        ("domain:example.com,secret", "entry 2"),
        ("[", "JSON"),
        ("[]", "no one"),
        ("[\"domain:example.com\"", "JSON"),
        ("[\"domain:example.com\"] x", "JSON"),
        ("['domain:example.com']", "JSON"),
        ("[\"domain:example.com\", []]", "entry 2"),
        (
            "[\"domain:example.com\", [\"subject:x\", \"secret\"]]",
            "entry 2.2",
        ),
        ("[[[\"subject:x\"]]]", "entry 1.1"),
        ("[{\"who\":\"subject:x\"}]", "entry 1"),
        ("[true]", "entry 1"),
        ("[null]", "entry 1"),
        ("[\"\"]", "entry 1"),
        ("[\"anyone\"]", "entry 1"),
        ("{\"allowed\":[]}", "entry 1"),
        ("true", "entry 1"),
        ("everyone", "entry 1"),
        ("none", "entry 1"),
    ] {
        let read = Policy::parse(allowed, "", &existing());
        if at.is_empty() {
            assert!(read.is_ok(), "{allowed}");
            continue;
        }
        let (error, none) = read.expect_err(allowed);
        let words = error.expect(allowed).to_string();
        assert!(words.contains(at), "{allowed}: {words}");
        assert!(!words.contains("secret") && none.is_none(), "{words}");
    }
}

#[test]
fn wrong_rules_about_scopes_are_errors_that_say_where_and_never_what() {
    let who = "subject:x";
    for (rules, at) in [
        ("tools".to_owned(), "JSON"),
        ("{}".to_owned(), "JSON"),
        (json!({"who": who, "scopes": "tools"}).to_string(), "JSON"),
        ("[]".to_owned(), "no rule"),
        ("[{}]".to_owned(), "rule 1"),
        (json!([{"who": who}]).to_string(), "rule 1"),
        (json!([{"scopes": "tools"}]).to_string(), "rule 1"),
        (
            json!([{"who": who, "scope": "tools"}]).to_string(),
            "rule 1",
        ),
        (
            json!([{"who": who, "scopes": "tools", "secret": 1}]).to_string(),
            "rule 1",
        ),
        (json!([{"who": who, "scopes": ""}]).to_string(), "scopes"),
        (
            json!([{"who": who, "scopes": ["tools"]}]).to_string(),
            "scopes",
        ),
        (
            json!([{"who": who, "scopes": "tools secret"}]).to_string(),
            "rule 1",
        ),
        (
            json!([{"who": who, "scopes": "offline_access"}]).to_string(),
            "rule 1",
        ),
        (
            json!([{"who": who, "scopes": "tools"}, {"who": [], "scopes": "tools"}]).to_string(),
            "rule 2",
        ),
        (
            json!([{"who": "secret", "scopes": "tools"}]).to_string(),
            "rule 1, entry 1",
        ),
        (
            json!([{"who": "a,b", "scopes": "tools"}]).to_string(),
            "rule 1, entry 1",
        ),
        (
            json!([{"who": null, "scopes": "tools"}]).to_string(),
            "rule 1, entry 1",
        ),
        (
            json!([{"who": [who, ["secret"]], "scopes": "tools"}]).to_string(),
            "entry 2.1",
        ),
        (
            json!([{"who": ["anyone"], "scopes": "tools"}]).to_string(),
            "entry 1",
        ),
        ("[\"tools\"]".to_owned(), "rule 1"),
    ] {
        let (none, error) = Policy::parse("", &rules, &existing()).expect_err(&rules);
        let words = error.expect(&rules).to_string();
        assert!(words.contains(at), "{rules}: {words}");
        assert!(!words.contains("secret") && none.is_none(), "{words}");
    }
    let both = Policy::parse("x", "y", &existing()).unwrap_err();
    assert!(both.0.is_some() && both.1.is_some());
}

#[test]
fn a_person_has_the_scopes_of_every_rule_that_holds_as_far_as_they_were_asked_for() {
    let rules = json!([
        {"who": "anyone", "scopes": "tools"},
        {"who": "claim:/roles=staff", "scopes": "userinfo tools"},
        {"who": ["claim:/roles=admin", "subject:root"], "scopes": "admin"},
        {"who": [["claim:/roles=staff", "claim:/roles=owner"]], "scopes": "admin"},
    ]);
    let policy = policy("", &rules);
    let given = |claims: &Value, asked: &str| {
        let claims = claims.to_string();
        let decided = policy.decide(&with_claims(&claims), &scopes(asked));
        decided.map(|scopes| scopes.join(" "))
    };
    let all = "admin tools userinfo offline_access";
    for (claims, expected) in [
        (json!({}), "tools offline_access"),
        (json!({"roles": ["staff"]}), "tools userinfo offline_access"),
        (json!({"roles": ["admin"]}), "admin tools offline_access"),
        (json!({"roles": ["owner"]}), "tools offline_access"),
        (json!({"roles": ["staff", "owner"]}), all),
    ] {
        assert_eq!(given(&claims, all).as_deref(), Ok(expected), "{claims}");
    }
    let staff = json!({"roles": ["staff"]});
    assert_eq!(given(&staff, "userinfo admin").as_deref(), Ok("userinfo"));
    // Nothing that a rule does not give comes by being asked for.
    assert_eq!(given(&staff, "tools other").as_deref(), Ok("tools other"));
}

#[test]
fn who_has_none_of_the_scopes_that_were_asked_for_is_refused() {
    let rules = json!([{"who": "claim:/roles=staff", "scopes": "tools"}]);
    let policy = policy("", &rules);
    assert!(policy.is_set());
    let stranger = with_claims("{}");
    let staff = with_claims(r#"{"roles":"staff"}"#);
    for asked in ["tools", "tools offline_access", "admin"] {
        let decided = policy.decide(&stranger, &scopes(asked));
        assert_eq!(decided, Err(Refusal::NoScope), "{asked}");
    }
    assert_eq!(
        policy.decide(&staff, &scopes("admin")),
        Err(Refusal::NoScope)
    );
    assert_eq!(policy.decide(&staff, &[]), Ok(vec![]));
    let gone = scopes("offline_access");
    assert_eq!(policy.decide(&stranger, &gone), Ok(gone.clone()));
}

#[test]
fn a_rule_about_scopes_lets_no_one_in_whom_allowed_keeps_out() {
    let rules = json!([{"who": "anyone", "scopes": "tools"}]);
    let policy = policy("subject:other", &rules);
    let decided = policy.decide(&with_claims("{}"), &scopes("tools"));
    assert_eq!(decided, Err(Refusal::NotAllowed));
}

#[test]
fn it_says_what_it_is_about() {
    let rules = json!([{"who": "domain:example.com", "scopes": "tools"}]);
    let with_rules = policy("", &rules);
    assert!(with_rules.needs_email() && with_rules.allowed_entries().is_none());
    assert_eq!(with_rules.scope_rules(), 1);
    let allowed = policy("email:a@example.com,subject:x", &json!(null));
    assert!(allowed.needs_email());
    assert_eq!(
        (allowed.allowed_entries(), allowed.scope_rules()),
        (Some(2), 0)
    );
    assert!(!policy("claim:/email=a@example.com", &json!(null)).needs_email());
}
