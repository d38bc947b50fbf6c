//! Units of measurement for a model: an example of a tools component.
//!
//! It converts, shows how far it has come, asks which gallon is meant, and offers what it knows as
//! resources and a prompt. The same is in ../tools-js and ../tools-python.

#[cfg(not(feature = "portable"))]
mod contract;
#[cfg(feature = "portable")]
#[path = "contract_portable.rs"]
mod contract;
mod units;

use contract::*;
use serde_json::{Value, json};
use units::{KINDS, UNITS, Unit};

struct Units;

impl Guest for Units {
    async fn describe() -> Result<Offer, Failure> {
        let value = json!({ "type": "number", "description": "How many" });
        let unit = json!({ "type": "string", "description": "A unit, such as mile or celsius" });
        let number = json!({ "type": "number" });
        let values = |item: &Value| json!({ "type": "array", "items": item, "maxItems": 1000 });
        Ok(Offer {
            server: ServerInfo {
                name: "units".into(),
                title: Some("Units of measurement".into()),
                version: "1.0.0".into(),
                description: None,
                icons: vec![],
                website: None,
            },
            instructions: Some("Converts units. `units:all` lists them.".into()),
            tools: vec![
                tool(
                    "convert",
                    "Converts a value into another unit.",
                    "value",
                    &value,
                    &unit,
                    &number,
                ),
                tool(
                    "convert_many",
                    "Converts many values.",
                    "values",
                    &values(&value),
                    &unit,
                    &values(&number),
                ),
            ],
            prompts: vec![Prompt {
                name: "explain".into(),
                title: Some("Explain a unit".into()),
                description: None,
                icons: vec![],
                arguments: vec![PromptArgument {
                    name: "unit".into(),
                    title: None,
                    description: Some("Which".into()),
                    required: true,
                }],
                scopes: vec!["tools".into()],
                meta: None,
            }],
            resources: Some(ResourceOffer {
                templates: vec![ResourceTemplate {
                    uri_template: "units:{kind}".into(),
                    name: "units".into(),
                    title: Some("The units of a kind".into()),
                    description: None,
                    icons: vec![],
                    mime_type: Some("application/json".into()),
                    annotations: None,
                    meta: None,
                }],
                scopes: vec!["tools".into()],
                wants_credential: false,
            }),
            completes: true,
            changes: Changes {
                tools: false,
                prompts: false,
                resources: false,
                resource_contents: false,
            },
        })
    }

    async fn call_tool(call: Call) -> Result<CallResult, Failure> {
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_default();
        let name = |field: &str| arguments[field].as_str().unwrap_or_default().to_owned();
        let mut pair = Vec::new();
        for given in [name("from"), name("to")] {
            match meant(&given, &call.context)? {
                Meant::Unit(unit) => pair.push(unit),
                Meant::Say(result) => return Ok(result),
            }
        }
        let (from, to) = (pair[0], pair[1]);
        let convert = |value: &Value| {
            let value = value.as_f64().unwrap_or_default();
            let different = || {
                let text = format!(
                    "{} is {}, and {} is {}",
                    from.name, from.kind, to.name, to.kind
                );
                Failure::InvalidArguments(text)
            };
            units::convert(value, from, to).ok_or_else(different)
        };
        match call.name.as_str() {
            "convert" => {
                let value = convert(&arguments["value"])?;
                let structured = json!({ "value": value, "unit": to.name });
                Ok(CallResult::Done(result(
                    format!("{value} {}", to.name),
                    structured,
                )))
            }
            "convert_many" => {
                let none = Vec::new();
                let values = arguments["values"].as_array().unwrap_or(&none);
                let mut events = Vec::new();
                let mut converted = Vec::new();
                for value in values {
                    converted.push(convert(value)?);
                    events.push(Event::Progress(Progress {
                        progress: converted.len() as f64,
                        total: Some(values.len() as f64),
                        message: None,
                    }));
                }
                let structured = json!({ "value": converted, "unit": to.name });
                let text = structured["value"].to_string();
                events.push(Event::Done(result(text, structured)));
                Ok(running(events.into_iter()))
            }
            _ => Err(Failure::NotFound),
        }
    }

    async fn list_resources(_: Caller, _: Option<String>) -> Result<ResourcePage, Failure> {
        Ok(ResourcePage {
            resources: vec![ListedResource {
                uri: "units:all".into(),
                name: "all".into(),
                title: Some("All units".into()),
                description: None,
                icons: vec![],
                mime_type: Some("application/json".into()),
                size: None,
                annotations: None,
                meta: None,
            }],
            next_cursor: None,
            freshness: FRESHNESS,
        })
    }

    async fn read_resource(read: Read) -> Result<Reading, Failure> {
        let kind = read.uri.strip_prefix("units:").ok_or(Failure::NotFound)?;
        let units = UNITS
            .iter()
            .filter(|unit| kind == "all" || kind == unit.kind);
        let names: Vec<&str> = units.map(|unit| unit.name).collect();
        if names.is_empty() {
            return Err(Failure::NotFound);
        }
        Ok(Reading::Contents(Contents {
            parts: vec![ResourceContents {
                uri: read.uri,
                mime_type: Some("application/json".into()),
                body: ResourceBody::Text(json!(names).to_string()),
                meta: None,
            }],
            freshness: FRESHNESS,
        }))
    }

    async fn get_prompt(request: PromptRequest) -> Result<Prompting, Failure> {
        let unit = request
            .arguments
            .iter()
            .find(|argument| argument.name == "unit");
        let unit = unit.map_or("", |argument| &argument.value);
        let text = format!(
            "What is one {unit}, and what would one measure with it? Compare it with two other units."
        );
        Ok(Prompting::Messages(PromptMessages {
            description: None,
            messages: vec![PromptMessage {
                role: Role::User,
                content: content(text),
            }],
            meta: None,
        }))
    }

    async fn complete(completion: Completion) -> Result<Suggestions, Failure> {
        let known: Vec<&str> = match completion.target {
            CompletionTarget::Prompt(_) => UNITS.iter().map(|unit| unit.name).collect(),
            CompletionTarget::Resource(_) => KINDS.to_vec(),
        };
        let begun = completion.argument.value.as_str();
        let values = known.into_iter().filter(|name| name.starts_with(begun));
        Ok(Suggestions {
            values: values.map(str::to_owned).collect(),
            total: None,
        })
    }
}

/// What a name of a unit leads to.
enum Meant {
    Unit(&'static Unit),
    /// The call cannot go on: its result.
    Say(CallResult),
}

/// The unit of this name. A gallon may be one of two: the person is asked, if the client can ask.
fn meant(name: &str, context: &Context) -> Result<Meant, Failure> {
    if let Some(unit) = units::find(name) {
        return Ok(Meant::Unit(unit));
    }
    if name != "gallon" {
        let text = format!("there is no unit “{name}”; the resource units:all lists them");
        return Err(Failure::InvalidArguments(text));
    }
    let answer = context.answers.iter().find(|answer| answer.id == "gallon");
    let answer = answer.and_then(|answer| serde_json::from_str::<Value>(&answer.result).ok());
    let chosen = answer
        .as_ref()
        .and_then(|answer| answer["content"]["gallon"].as_str());
    if let Some(unit) = chosen.and_then(units::find) {
        return Ok(Meant::Unit(unit));
    }
    if answer.is_some() || !context.capabilities.elicits_forms {
        let output = output(
            "Say “US gallon” or “imperial gallon”.".to_owned(),
            None,
            true,
        );
        return Ok(Meant::Say(CallResult::Done(output)));
    }
    let choices =
        json!({ "type": "string", "title": "Gallon", "enum": ["US gallon", "imperial gallon"] });
    let params = json!({
        "message": "Which gallon?",
        "requestedSchema": { "type": "object", "properties": { "gallon": choices }, "required": ["gallon"] },
    });
    Ok(Meant::Say(CallResult::InputRequired(InputRequired {
        requests: vec![InputRequest {
            id: "gallon".into(),
            method: "elicitation/create".into(),
            params: params.to_string(),
        }],
        state: None,
    })))
}

fn tool(
    name: &str,
    description: &str,
    field: &str,
    value: &Value,
    unit: &Value,
    result: &Value,
) -> Tool {
    let input = json!({
        "type": "object",
        "properties": { field: value, "from": unit, "to": unit },
        "required": [field, "from", "to"],
    });
    let output = json!({
        "type": "object",
        "properties": { "value": result, "unit": { "type": "string" } },
        "required": ["value", "unit"],
    });
    Tool {
        name: name.into(),
        title: None,
        description: Some(description.into()),
        icons: vec![],
        input_schema: input.to_string(),
        output_schema: Some(output.to_string()),
        annotations: Some(ToolAnnotations {
            read_only: Some(true),
            destructive: None,
            idempotent: None,
            open_world: Some(false),
        }),
        scopes: vec!["tools".into()],
        wants_credential: false,
        tasks: TaskUse::Never,
        meta: None,
    }
}

fn result(text: String, structured: Value) -> Output {
    output(text, Some(structured.to_string()), false)
}

fn output(text: String, structured: Option<String>, is_error: bool) -> Output {
    Output {
        content: vec![content(text)],
        structured,
        is_error,
        meta: None,
    }
}

fn content(text: String) -> Content {
    Content {
        body: ContentBody::Text(text),
        annotations: None,
        meta: None,
    }
}

/// Units do not change from one hour to the next, nor from one person to another.
const FRESHNESS: Option<Freshness> = Some(Freshness {
    ttl: 3_600_000,
    shared: true,
});
