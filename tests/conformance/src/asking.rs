//! Tools that ask the client something, and what they make of its answers.

use futures::join;
use gatehouse_sdk::{Client, Progress, Result, Value, data, json, serde_json, tool};

/// Asks the client's model
#[tool]
pub(crate) async fn test_sampling(prompt: &str, client: Client) -> Result<String> {
    let answer = client.sample("answer", prompt, 100).await?;
    Ok(format!("LLM response: {answer}"))
}

/// Asks the person
#[tool]
pub(crate) async fn test_elicitation(message: &str, client: Client) -> String {
    let properties = json!({
        "username": { "type": "string", "description": "User's response" },
        "email": { "type": "string", "description": "User's email address" },
    });
    let answer = elicit(&client, message, properties).await;
    format!("User response: {answer}")
}

/// Asks the person, with answers filled in
#[tool]
pub(crate) async fn test_elicitation_sep1034_defaults(client: Client) -> Result<String> {
    let properties = serde_json::from_str(DEFAULTS)?;
    let answer = elicit(&client, "Please look through these", properties).await;
    Ok(format!("Elicitation completed: {answer}"))
}

/// Asks the person to choose, in each way there is
#[tool]
pub(crate) async fn test_elicitation_sep1330_enums(client: Client) -> Result<String> {
    let properties = serde_json::from_str(ENUMS)?;
    let answer = elicit(&client, "Please look through these", properties).await;
    Ok(format!("Elicitation completed: {answer}"))
}

/// Asks the client's model, whether or not it has one
#[tool]
pub(crate) async fn test_missing_capability(client: Client) -> String {
    let text = json!({ "type": "text", "text": "Are you there?" });
    let params = json!({ "messages": [{ "role": "user", "content": text }], "maxTokens": 10 });
    let answer = client
        .request("answer", "sampling/createMessage", params)
        .await;
    answer["content"]["text"]
        .as_str()
        .unwrap_or("nothing")
        .to_owned()
}

/// Reports progress, and asks the person
#[tool]
pub(crate) async fn test_streaming_elicitation(
    client: Client,
    progress: Progress,
) -> Result<String> {
    progress.report(0).of(1).await;
    hello(&client).await
}

/// Asks the person for a name
#[tool]
pub(crate) async fn test_input_required_result_elicitation(client: Client) -> Result<String> {
    hello(&client).await
}

/// Asks the client's model for a capital
#[tool]
pub(crate) async fn test_input_required_result_sampling(client: Client) -> Result<String> {
    let question = "What is the capital of France?";
    Ok(client.sample("capital_question", question, 100).await?)
}

/// Asks for the client's roots
#[tool]
pub(crate) async fn test_input_required_result_list_roots(client: Client) -> Result<String> {
    let roots = client.roots("client_roots").await?;
    Ok(serde_json::to_string(&roots)?)
}

/// Asks the person to confirm, and remembers that it did
#[tool]
pub(crate) async fn test_input_required_result_request_state(
    client: Client,
) -> Result<&'static str> {
    confirm(&client, "asked to confirm").await
}

/// Asks the person to confirm, with a state that no one may change
#[tool]
pub(crate) async fn test_input_required_result_tampered_state(
    client: Client,
) -> Result<&'static str> {
    confirm(&client, "asked to confirm, once").await
}

/// Asks the person, the client's model and for the client's roots at once
#[tool]
pub(crate) async fn test_input_required_result_multiple_inputs(client: Client) -> Result<String> {
    client.remember("asked three times");
    let (name, greeting, roots) = join!(
        client.elicit::<Name>("user_name", "What is your name?"),
        client.sample("greeting", "Generate a greeting", 50),
        client.roots("client_roots"),
    );
    roots?;
    Ok(format!("{} ({})", greeting?, name?.name))
}

/// Asks the person twice, one question after the other
#[tool]
pub(crate) async fn test_input_required_result_multi_round(client: Client) -> Result<String> {
    client.remember("first round");
    client
        .elicit::<Name>("step1", "Step 1: What is your name?")
        .await?;
    client.remember("second round");
    let question = "Step 2: What is your favorite color?";
    let Color { color } = client.elicit("step2", question).await?;
    Ok(format!("Your color is {color}."))
}

/// Asks only what the client can be asked
#[tool]
pub(crate) async fn test_input_required_result_capabilities(client: Client) -> &'static str {
    // What the client cannot be asked is not asked.
    let _ = join!(
        client.elicit::<Name>("user_name", "What is your name?"),
        client.sample("greeting", "Generate a greeting", 50),
    );
    "All is answered."
}

#[data(input)]
pub(crate) struct Name {
    pub(crate) name: String,
}

#[data(input)]
struct Color {
    color: String,
}

#[data(input)]
struct Confirmation {
    ok: bool,
}

async fn hello(client: &Client) -> Result<String> {
    let Name { name } = client.elicit("user_name", "What is your name?").await?;
    Ok(format!("Hello, {name}!"))
}

async fn confirm(client: &Client, state: &str) -> Result<&'static str> {
    client.remember(state);
    let confirmation: Confirmation = client.elicit("confirm", "Please confirm").await?;
    let remembered: Option<String> = client.remembered();
    let is_ok = confirmation.ok && remembered.as_deref() == Some(state);
    Ok(if is_ok { "state-ok" } else { "state-lost" })
}

/// Asks the person for these properties, all of which are required, and returns what the person did and filled in.
async fn elicit(client: &Client, message: &str, properties: Value) -> String {
    let names = properties
        .as_object()
        .into_iter()
        .flat_map(|properties| properties.keys());
    let required: Vec<&String> = names.collect();
    let schema = json!({ "type": "object", "required": required, "properties": properties });
    let params = json!({ "message": message, "requestedSchema": schema });
    let answer = client.request("answer", "elicitation/create", params).await;
    let action = answer["action"].as_str().unwrap_or("none");
    format!("action={action}, content={}", answer["content"])
}

const DEFAULTS: &str = r#"{
    "name": { "type": "string", "default": "John Doe" },
    "age": { "type": "integer", "default": 30 },
    "score": { "type": "number", "default": 95.5 },
    "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
    "verified": { "type": "boolean", "default": true }
}"#;

const ENUMS: &str = r#"{
    "untitledSingle": { "type": "string", "enum": ["option1", "option2", "option3"] },
    "titledSingle": { "type": "string", "oneOf": [
        { "const": "value1", "title": "First Option" },
        { "const": "value2", "title": "Second Option" },
        { "const": "value3", "title": "Third Option" }
    ] },
    "legacyEnum": {
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"]
    },
    "untitledMulti": {
        "type": "array",
        "items": { "type": "string", "enum": ["option1", "option2", "option3"] }
    },
    "titledMulti": { "type": "array", "items": { "anyOf": [
        { "const": "value1", "title": "First Choice" },
        { "const": "value2", "title": "Second Choice" },
        { "const": "value3", "title": "Third Choice" }
    ] } }
}"#;
