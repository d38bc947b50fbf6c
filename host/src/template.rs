//! Templates over application variables: text with `{{ name }}` in it.

use std::collections::BTreeMap;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Parses a template, or says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (literal, after) = rest
                .split_once("{{")
                .map_or((rest, None), |(literal, after)| (literal, Some(after)));
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let Some(after) = after else { break };
            let (name, after) = after
                .split_once("}}")
                .ok_or("there is a `{{` without its `}}`")?;
            parts.push(Part::Variable(name.trim().to_owned()));
            rest = after;
        }
        Ok(Self(parts))
    }

    /// Whether there is no variable in it.
    pub(crate) fn is_literal(&self) -> bool {
        self.variables().next().is_none()
    }

    /// The names of its variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text with every variable replaced by its value, or the name of one that has none.
    pub(crate) fn resolve(&self, values: &BTreeMap<String, String>) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.0 {
            text.push_str(match part {
                Part::Literal(literal) => literal,
                Part::Variable(name) => values.get(name).ok_or_else(|| name.clone())?,
            });
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(template: &str) -> Result<String, String> {
        let values =
            [("a", "1"), ("b", "{{ a }}")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        Template::parse(template)
            .unwrap()
            .resolve(&values.into_iter().collect())
    }

    #[test]
    fn variables_are_replaced_once() {
        assert_eq!(resolve("").unwrap(), "");
        assert_eq!(resolve("plain").unwrap(), "plain");
        assert_eq!(resolve("x-{{ a }}-{{a}}").unwrap(), "x-1-1");
        assert_eq!(resolve("{{ b }}").unwrap(), "{{ a }}");
    }

    #[test]
    fn an_unknown_variable_is_named() {
        assert_eq!(resolve("{{ unknown }}").unwrap_err(), "unknown");
    }

    #[test]
    fn an_open_brace_needs_its_close() {
        Template::parse("{{ a }} {{ b").unwrap_err();
    }
}
