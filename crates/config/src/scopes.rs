//! The scopes that exist (RFC 6749 section 3.3), and lists of them.

use crate::{Problem, non_empty};
use oauth::scope::OPENID_CONNECT;

/// Returns the scopes that exist, in the order in which pages list them.
pub(crate) fn read_scopes<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Vec<String>, Problem> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in non_empty(values, SCOPES)
        .unwrap_or_default()
        .split_whitespace()
    {
        if !is_scope_token(scope) {
            return Err(malformed(SCOPES));
        }
        if let Some(name) = OPENID_CONNECT.iter().find(|name| **name == scope) {
            return Err(Problem::new(
                SCOPES,
                format!(
                    "`{name}` in it is a scope of OpenID Connect, which many clients ask every server for"
                ),
                format!(
                    "Give that scope another name, here and in your tools component, or leave it out: `{name}` asks for nothing of this server. The one that getUserInfo needs is called userinfo"
                ),
            ));
        }
        if !scopes.iter().any(|known| known == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}

/// Returns the scopes of a request that asks for none of the `existing` ones; all of those unless the
/// variable names some.
pub(crate) fn read_default_scopes<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
    existing: Option<&[String]>,
) -> Result<Vec<String>, Problem> {
    let listed = read_some(values, "default_scopes", existing)?;
    Ok(listed.unwrap_or_else(|| existing.unwrap_or_default().to_vec()))
}

/// Returns what the variable `name` lists of the `existing` scopes, in their order; `None` if it is not set.
/// What exists is not known where that variable is wrong itself.
pub(crate) fn read_some<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
    name: &'static str,
    existing: Option<&[String]>,
) -> Result<Option<Vec<String>>, Problem> {
    let Some(text) = non_empty(values, name) else {
        return Ok(None);
    };
    let listed: Vec<&str> = text.split_whitespace().collect();
    if !listed.iter().all(|scope| is_scope_token(scope)) {
        return Err(malformed(name));
    }
    let Some(existing) = existing else {
        return Ok(None);
    };
    let exists = |scope: &&str| existing.iter().any(|known| known == scope);
    if !listed.iter().all(exists) {
        return Err(Problem::new(
            name,
            "it has a scope that is not in `scopes`",
            "List scopes of `scopes` with spaces between them, or add the missing one there",
        ));
    }
    let is_listed = |scope: &&String| listed.contains(&scope.as_str());
    Ok(Some(existing.iter().filter(is_listed).cloned().collect()))
}

/// RFC 6749 section 3.3; a comma in a scope is a wrong separator.
fn is_scope_token(scope: &str) -> bool {
    scope
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b','))
}

fn malformed(name: &'static str) -> Problem {
    Problem::new(
        name,
        "a scope in it has a character that scopes cannot have",
        "List the scopes with spaces between them",
    )
}

const SCOPES: &str = "scopes";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_of_openid_connect_is_refused_by_name_with_what_to_do() {
        for name in OPENID_CONNECT {
            let text = format!("tools {name}");
            let problem = read_scopes(&|_: &str| Some(text.as_str())).unwrap_err();
            assert_eq!(problem.variable, "scopes");
            let words = problem.to_string();
            assert!(words.contains(&format!("`{name}`")), "{words}");
            assert!(words.contains("another name"), "{words}");
        }
    }

    #[test]
    fn the_default_scopes_are_all_unless_some_of_them_are_listed() {
        let existing = ["tools".to_owned(), "userinfo".to_owned()];
        let read = |text: &'static str| read_default_scopes(&|_: &str| Some(text), Some(&existing));
        assert_eq!(read(" "), Ok(existing.to_vec()));
        assert_eq!(read("userinfo"), Ok(vec!["userinfo".to_owned()]));
        assert_eq!(read("userinfo tools"), Ok(existing.to_vec()));
        let problem = read("tools bad-value").unwrap_err();
        assert_eq!(problem.variable, "default_scopes");
        assert!(!problem.to_string().contains("bad-value"));
    }
}
