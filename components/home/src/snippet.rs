//! Text to copy, and how a URL is quoted in it.

use maud::{Markup, html};

/// `text` with a button to copy it. `name` tells the buttons of one page apart, for the ears and in
/// the markup.
pub fn snippet(name: &str, text: &str) -> Markup {
    let id: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    html! {
        div.snippet {
            pre { code id=(id) { (text) } }
            // Shown by the script, which is what makes it work.
            button.quiet type="button" hidden data-copy=(id) aria-label={ "Copy: " (name) } { "Copy" }
        }
    }
}

/// `text` as one word of a POSIX shell.
pub fn shell_word(text: &str) -> String {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/%+@=[]".contains(&byte));
    // Brackets are for file names; in a URL they stand around an IPv6 address.
    if is_plain && !text.contains('[') {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// `text` as a JSON string, with its quotes.
pub fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_special_characters_is_one_word_for_the_shell() {
        assert_eq!(shell_word("https://a.example/mcp"), "https://a.example/mcp");
        assert_eq!(
            shell_word("http://[::1]:3000/mcp"),
            "'http://[::1]:3000/mcp'"
        );
        assert_eq!(
            shell_word("https://a.example/x'$(id)"),
            r"'https://a.example/x'\''$(id)'"
        );
    }

    #[test]
    fn a_snippet_is_escaped_and_its_button_is_hidden_without_the_script() {
        let markup = snippet("Claude Code, command", "a <b> & \"c\"").into_string();
        assert!(markup.contains("a &lt;b&gt; &amp; &quot;c&quot;"));
        assert!(markup.contains(r#"hidden data-copy="claude-code--command""#));
        assert!(markup.contains(r#"<code id="claude-code--command">"#));
    }
}
