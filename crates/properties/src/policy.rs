//! The policy, `allowed` and `scope_rules`, and the claims that it decides by.

use ::policy::Policy;
use identity::Profile;

/// Who may come in. The bytes are a line each of `allowed`, `scope_rules`, an email address and claims:
/// whatever they are, no one gets a scope that was not asked for, and no one comes in by knowing less.
pub fn policy(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (allowed, rules, email, claims) = (line(), line(), line(), line());
    let existing = ["tools", "admin"].map(str::to_owned);
    let Ok(policy) = Policy::parse(allowed, rules, &existing) else {
        return;
    };
    let is_set = |text: &str| !text.trim().is_empty();
    assert_eq!(policy.is_set(), is_set(allowed) || is_set(rules));
    assert_eq!(policy.allowed_entries().is_some(), is_set(allowed));
    let asked = ["admin", "offline_access", "tools"].map(str::to_owned);
    let decide = |email_verified, claims| {
        let person = Profile {
            email: Some(email.to_owned()),
            email_verified,
            claims: String::from(claims),
            ..Profile::new("someone")
        };
        policy.decide(&person, &asked).unwrap_or_default()
    };
    let scopes = decide(Some(true), claims);
    assert!(scopes.iter().all(|scope| asked.contains(scope)));
    for less in [
        decide(None, claims),
        decide(Some(false), claims),
        decide(Some(true), "{}"),
        decide(None, ""),
    ] {
        assert!(less.iter().all(|scope| scopes.contains(scope)));
    }
    // Nothing but the subject is known of a person whose claims cannot be read.
    let is_about_others = !allowed.contains("subject:someone");
    if is_set(allowed) && is_about_others && !allowed.contains('\\') {
        assert!(decide(None, "nonsense").is_empty());
    }
}
