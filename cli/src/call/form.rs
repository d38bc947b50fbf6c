//! The form of a page of ours: of the consent page, and of the emulator's sign-in page.

/// A form, with what its fields have already.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Where it is sent to, as the page says.
    pub(super) action: String,
    /// Names and values.
    pub(super) fields: Vec<(String, String)>,
}

/// Returns the first form of a page.
pub(super) fn first(html: &str) -> Option<Form> {
    let (_, form) = html.split_once("<form")?;
    let form = form.split("</form>").next()?;
    let (head, _) = form.split_once('>')?;
    let inputs = form.split("<input").skip(1);
    let inputs = inputs.filter_map(|input| input.split('>').next());
    // A box is not sent unless it is ticked.
    let inputs = inputs.filter(|input| {
        let kind = attribute(input, "type");
        !matches!(kind.as_deref(), Some("checkbox" | "radio" | "submit"))
    });
    Some(Form {
        action: attribute(head, "action").unwrap_or_default(),
        fields: inputs
            .filter_map(|input| {
                let value = attribute(input, "value").unwrap_or_default();
                Some((attribute(input, "name")?, value))
            })
            .collect(),
    })
}

/// Returns an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = value.split_once('"')?;
    Some(unescaped(value))
}

fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (reference, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        // At the end, as it begins the others.
        ("&amp;", "&"),
    ] {
        text = text.replace(reference, character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_the_first_form_are_read_as_a_browser_sends_them() {
        let html = r#"<h1>x</h1><form method="post" action="/a?b=1&amp;c=2">
            <input type="hidden" name="request" value="a &quot;b&quot; &amp;lt;">
            <input type="text" name="name" value="Ada" required>
            <input type="checkbox" name="remember" value="yes">
            <input type="text" name="empty">
            <button name="decision" value="allow">Allow</button></form><form action="/b"></form>"#;
        let form = first(html).unwrap();
        assert_eq!(form.action, "/a?b=1&c=2");
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            form.fields,
            [
                field("request", "a \"b\" &lt;"),
                field("name", "Ada"),
                field("empty", "")
            ]
        );
        assert_eq!(first("<p>no form</p>"), None);
    }
}
