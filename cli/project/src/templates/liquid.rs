//! The part of Liquid (the template language of `spin new`) that the templates use: `{{ project-name }}` with a filter,
//! and `{% raw %}`.

use anyhow::{Context, Result, bail};

/// Returns a text of a template for a project of this name, which is in kebab case.
///
/// # Errors
///
/// If the text has another tag, parameter or filter.
pub(super) fn render(text: &str, name: &str) -> Result<String> {
    const RAW: &str = "{% raw %}";
    const END: &str = "{% endraw %}";
    let mut rendered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        rendered += &rest[..at];
        rest = &rest[at..];
        if let Some(raw) = rest.strip_prefix(RAW) {
            let (raw, after) = raw.split_once(END).context("{% raw %} has no end")?;
            rendered += raw;
            rest = after;
        } else if let Some(expression) = rest.strip_prefix("{{") {
            let (expression, after) = expression.split_once("}}").context("{{ has no end")?;
            rendered += &value(expression, name)?;
            rest = after;
        } else {
            bail!(
                "there is a tag that is not known here: {}",
                first_line(rest)
            );
        }
    }
    Ok(rendered + rest)
}

fn value(expression: &str, name: &str) -> Result<String> {
    let mut parts = expression.split('|').map(str::trim);
    let parameter = parts.next().unwrap_or_default();
    if parameter != "project-name" {
        bail!("there is no parameter {parameter:?}");
    }
    let mut value = name.to_owned();
    for filter in parts {
        value = match filter {
            "kebab_case" => value,
            "snake_case" => value.replace('-', "_"),
            _ => bail!("there is no filter {filter:?}"),
        };
    }
    Ok(value)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_raw_text_is_left_alone() {
        let text = "a {{project-name}} {{ project-name | snake_case }}{% raw %} {{ x }} {% y %}{% endraw %} z";
        assert_eq!(render(text, "b-c").unwrap(), "a b-c b_c {{ x }} {% y %} z");
        assert_eq!(render("plain { } % text", "b").unwrap(), "plain { } % text");
        for wrong in [
            "{{ other }}",
            "{{ project-name | upcase }}",
            "{{ project-name",
            "{% if x %}",
            "{% raw %}",
        ] {
            assert!(render(wrong, "b").is_err(), "{wrong}");
        }
    }
}
