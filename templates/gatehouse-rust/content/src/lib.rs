//! The tools.

use gatehouse_sdk::{server, tool};

server!(name: "{{project-name | kebab_case}}", tools: [greet]);

/// Greets a person.
#[tool(read_only)]
fn greet(
    /// Whom
    name: String,
) -> String {
    format!("Hello, {name}!")
}

#[cfg(test)]
mod tests {
    use super::SERVER;
    use gatehouse_sdk::{json, testing::TestClient};

    #[test]
    fn a_person_is_greeted() {
        let outcome = TestClient::new(&SERVER).call("greet", json!({ "name": "Ada" }));
        assert_eq!(outcome.unwrap().text(), "Hello, Ada!");
    }
}
