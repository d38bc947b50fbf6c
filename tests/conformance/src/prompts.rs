//! The prompts, and the completion of their arguments.

use crate::content::embedded;
use crate::media::image;
use gatehouse_sdk::{Client, Message, Result, data, prompt};

/// A text
#[prompt]
pub(crate) fn test_simple_prompt() -> &'static str {
    "This is a simple prompt for testing."
}

/// A text with both arguments
#[prompt]
pub(crate) fn test_prompt_with_arguments(
    /// An argument for testing
    #[complete(["paris", "park", "party"])]
    arg1: &str,
    /// An argument for testing
    #[complete(["paris", "park", "party"])]
    arg2: &str,
) -> String {
    format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")
}

/// A resource and a text
#[prompt]
pub(crate) fn test_prompt_with_embedded_resource(
    /// An argument for testing
    #[serde(rename = "resourceUri")]
    uri: &str,
) -> [Message; 2] {
    let text = "Embedded resource content for testing.";
    [
        Message::user(embedded(uri, "text/plain", text)),
        Message::user("Please process the embedded resource above."),
    ]
}

/// An image and a text
#[prompt]
pub(crate) fn test_prompt_with_image() -> [Message; 2] {
    [
        Message::user(image()),
        Message::user("Please analyze the image above."),
    ]
}

/// A text that the person is asked for
#[prompt]
pub(crate) async fn test_input_required_result_prompt(client: Client) -> Result<String> {
    let question = "What context should the prompt use?";
    let Answer { context } = client.elicit("user_context", question).await?;
    Ok(format!("Use this context: {context}"))
}

#[data(input)]
struct Answer {
    context: String,
}
