//! The components whose tools the MCP endpoint offers.

use crate::{Problem, non_empty};

const NAME: &str = "tools";

/// The name, in the variable `tools`, of the component that `mcp` is composed with.
pub const COMPOSED: &str = "composed";

/// Components at most: each is asked what it offers before anything is listed.
const MAX_COMPONENTS: usize = 32;

/// Reads `tools`: ids of components in the manifest, and [`COMPOSED`], which is the default, in the order in which they
/// are asked.
///
/// # Errors
///
/// If a name is no id of a component, or is there twice, or there are too many.
pub(crate) fn read_tools<'a>(
    values: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Vec<String>, Problem> {
    let names = non_empty(values, NAME).unwrap_or(COMPOSED);
    let mut ids = Vec::<String>::new();
    for (index, name) in names.split_whitespace().enumerate() {
        let problem = if !is_id(name) {
            "is no id of a component"
        } else if ids.iter().any(|id| id == name) {
            "is there twice"
        } else if index == MAX_COMPONENTS {
            "is one too many: there may be 32"
        } else {
            ids.push(name.to_owned());
            continue;
        };
        return Err(Problem::new(
            NAME,
            format!("entry {} {problem}", index + 1),
            "List the ids of tools components in spin.toml, such as weather, with spaces between them, and composed for the one in the dependencies of mcp",
        ));
    }
    Ok(ids)
}

/// Whether a text is the id of a component, as Spin takes it: words of letters and digits with `-` between them.
fn is_id(name: &str) -> bool {
    name.len() <= 63
        && name.split('-').all(|word| {
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<Vec<String>, Problem> {
        read_tools(&|_: &str| Some(value))
    }

    #[test]
    fn tools_are_those_of_the_composed_component_unless_others_are_named() {
        assert_eq!(read("").unwrap(), [COMPOSED]);
        assert_eq!(
            read(" weather  crm-b2\ncomposed").unwrap(),
            ["weather", "crm-b2", "composed"]
        );
    }

    #[test]
    fn a_name_that_is_no_id_or_is_there_twice_is_a_problem_with_its_number() {
        for value in [
            "weather Crm",
            "weather crm.example.com",
            "weather crm/x",
            "weather crm_b",
            "weather crm-2",
            "weather -crm",
            "weather weather",
            "weather a@b",
        ] {
            let problem = read(value).unwrap_err().to_string();
            assert!(problem.starts_with("tools: entry 2 is "), "{problem}");
        }
        let many: Vec<_> = (0..33).map(|number| format!("c{number}")).collect();
        let problem = read(many.join(" ").leak()).unwrap_err().to_string();
        assert!(problem.contains("entry 33"), "{problem}");
    }
}
