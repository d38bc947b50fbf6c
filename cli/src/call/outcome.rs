//! The outcome of a call.

use anyhow::{Result, bail};
use serde_json::Value;

/// Prints the result of a call: texts as they are, the rest in words.
///
/// # Errors
///
/// If the tool gave an error.
pub(super) fn print(result: &Value) -> Result<()> {
    let content = result["content"].as_array();
    let lines: Vec<String> = content.into_iter().flatten().map(shown).collect();
    let text = lines.join("\n");
    if result["isError"] == true {
        bail!("The tool gives an error:\n{text}");
    }
    println!("{text}");
    Ok(())
}

/// Returns a part of a result as text.
fn shown(part: &Value) -> String {
    let of = |name: &str| part[name].as_str().unwrap_or_default().to_owned();
    match part["type"].as_str() {
        Some("text") => of("text"),
        Some(kind @ ("image" | "audio")) => format!("[{kind}, {}]", of("mimeType")),
        Some("resource_link") => format!("[{}]", of("uri")),
        Some("resource") => {
            let resource = &part["resource"];
            let text = resource["text"].as_str().map(str::to_owned);
            text.unwrap_or_else(|| format!("[{}]", resource["uri"].as_str().unwrap_or_default()))
        }
        _ => part.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_of_the_tool_ends_the_call_with_an_error() {
        let text = json!([{ "type": "text", "text": "There is no city." }]);
        print(&json!({ "content": text })).unwrap();
        print(&json!({ "resultType": "complete", "content": [] })).unwrap();
        let failed = print(&json!({ "content": text, "isError": true })).unwrap_err();
        assert!(failed.to_string().contains("There is no city."));
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (part, words) in [
            (
                json!({ "type": "image", "data": "AA", "mimeType": "image/png" }),
                "[image, image/png]",
            ),
            (json!({ "type": "resource_link", "uri": "a:b" }), "[a:b]"),
            (
                json!({ "type": "resource", "resource": { "uri": "a:b", "text": "c" } }),
                "c",
            ),
            (
                json!({ "type": "resource", "resource": { "uri": "a:b", "blob": "AA" } }),
                "[a:b]",
            ),
            (json!({ "type": "new" }), "{\"type\":\"new\"}"),
        ] {
            assert_eq!(shown(&part), words);
        }
    }
}
