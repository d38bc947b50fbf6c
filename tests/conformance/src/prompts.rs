//! The prompts, and the completion of their arguments.

use crate::asking::{Answers, elicitation};
use crate::content::embedded;
use crate::contract::{
    Completion, CompletionTarget, ContentBody, InputRequired, Prompt, PromptArgument,
    PromptMessage, PromptMessages, PromptRequest, Prompting, Role, Suggestions,
};
use crate::fixture::{content, image, text};

/// All of them.
pub(crate) fn offered() -> Vec<Prompt> {
    vec![
        prompt(SIMPLE, "A text", &[]),
        prompt(
            WITH_ARGUMENTS,
            "A text with both arguments",
            &["arg1", "arg2"],
        ),
        prompt(
            WITH_EMBEDDED_RESOURCE,
            "A resource and a text",
            &["resourceUri"],
        ),
        prompt(WITH_IMAGE, "An image and a text", &[]),
        prompt(INPUT_REQUIRED, "A text that the person is asked for", &[]),
    ]
}

/// The prompt that is asked for.
pub(crate) fn get(request: &PromptRequest) -> Option<Prompting> {
    let argument = |name: &str| {
        let argument = request.arguments.iter().find(|given| given.name == name);
        argument.map_or("", |given| given.value.as_str())
    };
    let contents = match request.name.as_str() {
        SIMPLE => vec![text("This is a simple prompt for testing.")],
        WITH_ARGUMENTS => {
            let (first, second) = (argument("arg1"), argument("arg2"));
            vec![text(format!(
                "Prompt with arguments: arg1='{first}', arg2='{second}'"
            ))]
        }
        WITH_EMBEDDED_RESOURCE => vec![
            embedded(
                argument("resourceUri"),
                "text/plain",
                "Embedded resource content for testing.",
            ),
            text("Please process the embedded resource above."),
        ],
        WITH_IMAGE => vec![image(), text("Please analyze the image above.")],
        INPUT_REQUIRED => {
            let answers = Answers::of(&request.context);
            if !answers.has("user_context") {
                return Some(Prompting::InputRequired(InputRequired {
                    requests: vec![elicitation(
                        "user_context",
                        "What context should the prompt use?",
                        r#"{"context":{"type":"string"}}"#,
                    )],
                    state: None,
                }));
            }
            let context = answers.elicited("user_context", "context");
            vec![text(format!("Use this context: {context}"))]
        }
        _ => return None,
    };
    Some(Prompting::Messages(PromptMessages {
        description: None,
        messages: contents.into_iter().map(message).collect(),
        meta: None,
    }))
}

/// Words that begin with what there is of an argument.
pub(crate) fn complete(completion: &Completion) -> Suggestions {
    let typed = completion.argument.value.as_str();
    let values: Vec<String> = match &completion.target {
        CompletionTarget::Prompt(name) if name == WITH_ARGUMENTS => ["paris", "park", "party"]
            .into_iter()
            .filter(|word| word.starts_with(typed))
            .map(str::to_owned)
            .collect(),
        CompletionTarget::Prompt(_) | CompletionTarget::Resource(_) => Vec::new(),
    };
    Suggestions {
        total: u32::try_from(values.len()).ok(),
        values,
    }
}

fn prompt(name: &str, description: &str, arguments: &[&str]) -> Prompt {
    Prompt {
        name: name.to_owned(),
        title: None,
        description: Some(description.to_owned()),
        icons: Vec::new(),
        arguments: arguments
            .iter()
            .map(|name| PromptArgument {
                name: (*name).to_owned(),
                title: None,
                description: Some("An argument for testing".to_owned()),
                required: true,
            })
            .collect(),
        scopes: Vec::new(),
        meta: None,
    }
}

fn message(body: ContentBody) -> PromptMessage {
    PromptMessage {
        role: Role::User,
        content: content(body),
    }
}

const SIMPLE: &str = "test_simple_prompt";
const WITH_ARGUMENTS: &str = "test_prompt_with_arguments";
const WITH_EMBEDDED_RESOURCE: &str = "test_prompt_with_embedded_resource";
const WITH_IMAGE: &str = "test_prompt_with_image";
const INPUT_REQUIRED: &str = "test_input_required_result_prompt";
