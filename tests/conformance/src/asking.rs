//! Tools that ask the client something, and what they make of its answers.

use crate::contract::{Call, Context, Event, InputRequest, InputRequired, Output};
use crate::fixture::{Fixture, arguments, output, text};
use crate::script::{Script, Step, done, progress};
use serde_json::{Map, Value, json};

pub(crate) const FIXTURES: &[Fixture] = &[
    Fixture::new("test_sampling", "Asks the client's model", |call| {
        let prompt = arguments(call)["prompt"].clone();
        let question = sampling("answer", prompt.as_str().unwrap_or_default(), 100);
        ask(call, vec![question], |answers| {
            let answer = answers.sampled("answer");
            output(vec![text(format!("LLM response: {answer}"))])
        })
    })
    .input(r#"{"type":"object","properties":{"prompt":{"type":"string"}},"required":["prompt"]}"#),
    Fixture::new("test_elicitation", "Asks the person", |call| {
        let message = arguments(call)["message"].clone();
        let properties = json!({
            "username": { "type": "string", "description": "User's response" },
            "email": { "type": "string", "description": "User's email address" },
        });
        let question = elicitation(
            "answer",
            message.as_str().unwrap_or_default(),
            &properties.to_string(),
        );
        ask(call, vec![question], |answers| {
            let answer = answers.described("answer");
            output(vec![text(format!("User response: {answer}"))])
        })
    })
    .input(
        r#"{"type":"object","properties":{"message":{"type":"string"}},"required":["message"]}"#,
    ),
    Fixture::new(
        "test_elicitation_sep1034_defaults",
        "Asks the person, with answers filled in",
        |call| elicited(call, DEFAULTS),
    ),
    Fixture::new(
        "test_elicitation_sep1330_enums",
        "Asks the person to choose, in each way there is",
        |call| elicited(call, ENUMS),
    ),
    Fixture::new(
        "test_missing_capability",
        "Asks the client's model, whether or not it has one",
        |call| {
            let question = sampling("answer", "Are you there?", 10);
            ask(call, vec![question], |answers| {
                output(vec![text(answers.sampled("answer"))])
            })
        },
    ),
    Fixture::new(
        "test_streaming_elicitation",
        "Reports progress, and asks the person",
        |call| {
            let mut script = named(call);
            script.insert(0, progress(0, 1));
            script
        },
    ),
    Fixture::new(
        "test_input_required_result_elicitation",
        "Asks the person for a name",
        named,
    ),
    Fixture::new(
        "test_input_required_result_sampling",
        "Asks the client's model for a capital",
        |call| {
            let question = sampling("capital_question", "What is the capital of France?", 100);
            ask(call, vec![question], |answers| {
                output(vec![text(answers.sampled("capital_question"))])
            })
        },
    ),
    Fixture::new(
        "test_input_required_result_list_roots",
        "Asks for the client's roots",
        |call| {
            ask(call, vec![roots("client_roots")], |answers| {
                output(vec![text(answers.get("client_roots")["roots"].to_string())])
            })
        },
    ),
    Fixture::new(
        "test_input_required_result_request_state",
        "Asks the person to confirm, and remembers that it did",
        |call| confirmed(call, "asked to confirm"),
    ),
    Fixture::new(
        "test_input_required_result_tampered_state",
        "Asks the person to confirm, with a state that nobody may change",
        |call| confirmed(call, "asked to confirm, once"),
    ),
    Fixture::new(
        "test_input_required_result_multiple_inputs",
        "Asks the person, the client's model and for the client's roots at once",
        |call| {
            let questions = vec![
                elicitation("user_name", "What is your name?", NAME),
                sampling("greeting", "Generate a greeting", 50),
                roots("client_roots"),
            ];
            ask_with(call, questions, Some("asked three times"), |answers| {
                let name = answers.elicited("user_name", "name");
                let greeting = answers.sampled("greeting");
                output(vec![text(format!("{greeting} ({name})"))])
            })
        },
    ),
    Fixture::new(
        "test_input_required_result_multi_round",
        "Asks the person twice, one question after the other",
        |call| {
            let state = call.context.state.as_deref();
            let knows_the_name = Answers::of(&call.context).has("step1");
            if state.is_none() || (state == Some("first round") && !knows_the_name) {
                let first = elicitation("step1", "Step 1: What is your name?", NAME);
                return require(vec![first], Some("first round"));
            }
            let color = r#"{"color":{"type":"string"}}"#;
            let second = elicitation("step2", "Step 2: What is your favorite color?", color);
            ask_with(call, vec![second], Some("second round"), |answers| {
                let color = answers.elicited("step2", "color");
                output(vec![text(format!("Your color is {color}."))])
            })
        },
    ),
    Fixture::new(
        "test_input_required_result_capabilities",
        "Asks only what the client can be asked",
        |call| {
            let capabilities = call.context.capabilities;
            let mut questions = Vec::new();
            if capabilities.elicits_forms {
                questions.push(elicitation("user_name", "What is your name?", NAME));
            }
            if capabilities.samples {
                questions.push(sampling("greeting", "Generate a greeting", 50));
            }
            ask(call, questions, |_| output(vec![text("All is answered.")]))
        },
    ),
];

/// What the client answered.
pub(crate) struct Answers(Map<String, Value>);

impl Answers {
    /// Those that came with a call.
    pub(crate) fn of(context: &Context) -> Self {
        let answers = context.answers.iter().filter_map(|answer| {
            let result = serde_json::from_str::<Map<String, Value>>(&answer.result).ok()?;
            Some((answer.id.clone(), result.into()))
        });
        Self(answers.collect())
    }

    /// Whether a question is answered.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    fn get(&self, id: &str) -> &Value {
        self.0.get(id).unwrap_or(&Value::Null)
    }

    /// A field of what the person filled in.
    pub(crate) fn elicited(&self, id: &str, field: &str) -> String {
        let value = &self.get(id)["content"][field];
        value.as_str().unwrap_or("nobody").to_owned()
    }

    /// What the person did, and filled in.
    fn described(&self, id: &str) -> String {
        let answer = self.get(id);
        let action = answer["action"].as_str().unwrap_or("none");
        format!("action={action}, content={}", answer["content"])
    }

    /// What the client's model wrote.
    fn sampled(&self, id: &str) -> String {
        let text = &self.get(id)["content"]["text"];
        text.as_str().unwrap_or("nothing").to_owned()
    }
}

/// Asks these questions until they are answered, and then gives what `answered` makes of it.
pub(crate) fn ask(
    call: &Call,
    questions: Vec<InputRequest>,
    answered: impl FnOnce(&Answers) -> Output,
) -> Script {
    ask_with(call, questions, None, answered)
}

/// [`ask`] with a state that has to come back.
fn ask_with(
    call: &Call,
    questions: Vec<InputRequest>,
    state: Option<&str>,
    answered: impl FnOnce(&Answers) -> Output,
) -> Script {
    let answers = Answers::of(&call.context);
    let is_answered = questions.iter().all(|question| answers.has(&question.id));
    if is_answered && call.context.state.as_deref() == state {
        vec![done(answered(&answers))]
    } else {
        require(questions, state)
    }
}

fn require(requests: Vec<InputRequest>, state: Option<&str>) -> Script {
    vec![Step::Tell(Event::InputRequired(InputRequired {
        requests,
        state: state.map(str::to_owned),
    }))]
}

/// Asks the person for these properties (JSON), all of which are required.
pub(crate) fn elicitation(id: &str, message: &str, properties: &str) -> InputRequest {
    let properties: Map<String, Value> = serde_json::from_str(properties).unwrap_or_default();
    let required: Vec<&String> = properties.keys().collect();
    InputRequest {
        id: id.to_owned(),
        method: "elicitation/create".to_owned(),
        params: json!({
            "message": message,
            "requestedSchema": { "type": "object", "required": required, "properties": properties },
        })
        .to_string(),
    }
}

fn sampling(id: &str, prompt: &str, max_tokens: u32) -> InputRequest {
    InputRequest {
        id: id.to_owned(),
        method: "sampling/createMessage".to_owned(),
        params: json!({
            "messages": [{ "role": "user", "content": { "type": "text", "text": prompt } }],
            "maxTokens": max_tokens,
        })
        .to_string(),
    }
}

fn roots(id: &str) -> InputRequest {
    InputRequest {
        id: id.to_owned(),
        method: "roots/list".to_owned(),
        params: "{}".to_owned(),
    }
}

fn named(call: &Call) -> Script {
    let question = elicitation("user_name", "What is your name?", NAME);
    ask(call, vec![question], |answers| {
        let name = answers.elicited("user_name", "name");
        output(vec![text(format!("Hello, {name}!"))])
    })
}

fn elicited(call: &Call, properties: &str) -> Script {
    let question = elicitation("answer", "Please look through these", properties);
    ask(call, vec![question], |answers| {
        let answer = answers.described("answer");
        output(vec![text(format!("Elicitation completed: {answer}"))])
    })
}

fn confirmed(call: &Call, state: &str) -> Script {
    let question = elicitation("confirm", "Please confirm", r#"{"ok":{"type":"boolean"}}"#);
    ask_with(call, vec![question], Some(state), |_| {
        output(vec![text("state-ok")])
    })
}

const NAME: &str = r#"{"name":{"type":"string"}}"#;

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
