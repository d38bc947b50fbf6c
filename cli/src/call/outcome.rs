//! What a call came to.

use anyhow::{Result, bail};
use serde_json::Value;

/// Prints the result of a call: texts as they are, the rest in words.
///
/// # Errors
///
/// If the tool gave an error, or wants to know something.
pub(super) fn print(result: &Value) -> Result<()> {
    let is_over = matches!(result["resultType"].as_str(), None | Some("complete"));
    if !is_over {
        let questions = questions(result);
        bail!(
            "The tool asks something, which `gatehouse call` cannot answer: connect a client that can.\n{questions}"
        );
    }
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

/// Returns what the client is asked, one question a line.
fn questions(result: &Value) -> String {
    let requests = result["inputRequests"].as_object();
    let messages = requests.into_iter().flatten().map(|(_, request)| {
        let message = request["params"]["message"].as_str();
        message.map_or_else(|| request["method"].to_string(), str::to_owned)
    });
    messages.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_of_the_tool_and_a_question_end_the_call_with_an_error() {
        let text = json!([{ "type": "text", "text": "There is no city." }]);
        print(&json!({ "content": text })).unwrap();
        print(&json!({ "resultType": "complete", "content": [] })).unwrap();
        let failed = print(&json!({ "content": text, "isError": true })).unwrap_err();
        assert!(failed.to_string().contains("There is no city."));
        let question = json!({
            "resultType": "input_required",
            "inputRequests": { "a": { "method": "elicitation/create", "params": { "message": "Which?" } } },
        });
        assert!(print(&question).unwrap_err().to_string().contains("Which?"));
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
