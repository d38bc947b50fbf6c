//! The parameters of the requests that have any.

use crate::jsonrpc::Text;
use crate::{ClientAbilities, Error, Revision};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What `initialize` asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct InitializeParams {
    /// The revision to answer with.
    pub revision: Revision,
    /// What the client can be asked.
    pub abilities: ClientAbilities,
}

/// What the lists that come in pages ask for.
#[derive(Debug, PartialEq, Eq)]
pub struct PageParams<'a> {
    /// Where the page begins.
    pub cursor: Option<Cow<'a, str>>,
}

/// What `resources/read`, and the subscriptions to a resource, ask for.
#[derive(Debug, PartialEq, Eq)]
pub struct ReadParams<'a> {
    /// The resource.
    pub uri: Cow<'a, str>,
}

/// What `prompts/get` asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct PromptParams<'a> {
    /// The prompt.
    pub name: Cow<'a, str>,
    /// What it is made with, by name.
    pub arguments: BTreeMap<String, String>,
}

/// What `completion/complete` asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct CompleteParams {
    /// Whose argument it is.
    pub reference: Reference,
    /// The argument, and what there is of it so far.
    pub argument: (String, String),
    /// The other arguments, as far as they are known; from 2025-06-18 on.
    pub known: BTreeMap<String, String>,
}

/// Whose argument is completed.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type")]
pub enum Reference {
    /// Of a prompt.
    #[serde(rename = "ref/prompt")]
    Prompt {
        /// Its name.
        name: String,
    },
    /// Of a resource template.
    #[serde(rename = "ref/resource")]
    Resource {
        /// The template, or a resource's URI.
        uri: String,
    },
}

/// What `tools/call` asks for.
#[derive(Debug)]
pub struct CallParams<'a> {
    /// The tool.
    pub name: Cow<'a, str>,
    /// A JSON object.
    pub arguments: &'a str,
    /// The token for progress notifications, as JSON text; absent when the client wants none.
    pub progress_token: Option<&'a str>,
    /// The trace that the call belongs to (`traceparent` of W3C Trace Context, as `_meta` has it).
    pub traceparent: Option<Cow<'a, str>>,
}

impl InitializeParams {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// Invalid params, if there is no protocol version to answer.
    pub fn read(params: Option<&RawValue>) -> Result<Self, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            #[serde(borrow)]
            protocol_version: Text<'a>,
            #[serde(default)]
            capabilities: Value,
        }
        let wire: Wire<'_> = read(params)?;
        Ok(Self {
            revision: Revision::negotiate(&wire.protocol_version.0),
            abilities: ClientAbilities::read(&wire.capabilities),
        })
    }
}

impl<'a> CallParams<'a> {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// Invalid params, if there is no name, or the arguments are no object.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Wire<'a> {
            #[serde(borrow)]
            name: Text<'a>,
            #[serde(borrow)]
            arguments: Option<&'a RawValue>,
            #[serde(borrow, rename = "_meta")]
            meta: Option<Meta<'a>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Meta<'a> {
            #[serde(borrow)]
            progress_token: Option<&'a RawValue>,
            #[serde(borrow)]
            traceparent: Option<&'a RawValue>,
        }
        let wire: Wire<'a> = read(params)?;
        let arguments = wire.arguments.map_or("{}", RawValue::get);
        if !arguments.starts_with('{') {
            return Err(Error::invalid_params("The `arguments` are an object."));
        }
        let traceparent = wire
            .meta
            .as_ref()
            .and_then(|meta| serde_json::from_str::<Text<'_>>(meta.traceparent?.get()).ok())
            .map(|text| text.0);
        let progress_token = wire
            .meta
            .and_then(|meta| meta.progress_token)
            .map(RawValue::get)
            .filter(|token| !token.starts_with(['{', '[', 't', 'f', 'n']));
        Ok(Self {
            name: wire.name.0,
            arguments,
            progress_token,
            traceparent,
        })
    }
}

impl<'a> PageParams<'a> {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// Invalid params, if the cursor is no string.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Wire<'a> {
            #[serde(borrow)]
            cursor: Option<Text<'a>>,
        }
        let wire: Wire<'a> = read(params)?;
        Ok(Self {
            cursor: wire.cursor.map(|cursor| cursor.0),
        })
    }
}

impl<'a> ReadParams<'a> {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// Invalid params, if there is no URI.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Wire<'a> {
            #[serde(borrow)]
            uri: Text<'a>,
        }
        let wire: Wire<'a> = read(params)?;
        Ok(Self { uri: wire.uri.0 })
    }
}

impl<'a> PromptParams<'a> {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// Invalid params, if there is no name, or an argument is no string.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Wire<'a> {
            #[serde(borrow)]
            name: Text<'a>,
            #[serde(default)]
            arguments: Option<BTreeMap<String, String>>,
        }
        let wire: Wire<'a> = read(params)?;
        Ok(Self {
            name: wire.name.0,
            arguments: wire.arguments.unwrap_or_default(),
        })
    }
}

impl CompleteParams {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// Invalid params, if anything is missing or of another shape.
    pub fn read(params: Option<&RawValue>) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(rename = "ref")]
            reference: Reference,
            argument: Argument,
            context: Option<Context>,
        }
        #[derive(Deserialize)]
        struct Argument {
            name: String,
            value: String,
        }
        #[derive(Deserialize)]
        struct Context {
            #[serde(default)]
            arguments: BTreeMap<String, String>,
        }
        let wire: Wire = read(params)?;
        Ok(Self {
            reference: wire.reference,
            argument: (wire.argument.name, wire.argument.value),
            known: wire
                .context
                .map(|context| context.arguments)
                .unwrap_or_default(),
        })
    }
}

pub(crate) fn read<'a, T: Deserialize<'a>>(params: Option<&'a RawValue>) -> Result<T, Error> {
    let params = params.map_or("{}", RawValue::get);
    serde_json::from_str(params).map_err(|error| {
        // Without the place, which is one inside of the parameters and not of the body.
        let text = error.to_string();
        let text = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(text, _)| text);
        Error::invalid_params(format!("The parameters do not fit: {text}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn arguments_pass_as_they_were_written() {
        let params =
            raw(r#"{"name":"add","arguments":{"a": 1.10, "b":2},"_meta":{"progressToken":"t"}}"#);
        let call = CallParams::read(Some(&params)).unwrap();
        assert_eq!(call.name, "add");
        assert_eq!(call.arguments, r#"{"a": 1.10, "b":2}"#);
        assert_eq!(call.progress_token, Some("\"t\""));
    }

    #[test]
    fn a_call_may_go_without_arguments_and_progress() {
        for text in [
            r#"{"name":"x"}"#,
            r#"{"name":"x","arguments":null,"_meta":null}"#,
            r#"{"name":"x","_meta":{"progressToken":{}}}"#,
        ] {
            let params = raw(text);
            let call = CallParams::read(Some(&params)).unwrap();
            assert_eq!((call.arguments, call.progress_token), ("{}", None));
        }
    }

    #[test]
    fn parameters_of_another_shape_are_invalid() {
        for text in [
            "{}",
            r#"{"name":1}"#,
            r#"{"name":"x","arguments":[1]}"#,
            r#"{"name":"x","arguments":"{}"}"#,
        ] {
            let params = raw(text);
            let error = CallParams::read(Some(&params)).unwrap_err();
            assert_eq!(error.code.number(), -32602, "{text}");
            assert!(!error.message.contains("line"), "{}", error.message);
        }
        assert!(CallParams::read(None).is_err());
        assert!(InitializeParams::read(None).is_err());
    }

    #[test]
    fn a_completion_is_of_a_prompt_or_a_resource_template() {
        let params = raw(
            r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"x"},
                "context":{"arguments":{"b":"y"}}}"#,
        );
        let read = CompleteParams::read(Some(&params)).unwrap();
        assert_eq!(read.reference, Reference::Prompt { name: "p".into() });
        assert_eq!(read.known["b"], "y");
        let other =
            raw(r#"{"ref":{"type":"ref/tool","name":"p"},"argument":{"name":"a","value":""}}"#);
        assert_eq!(
            CompleteParams::read(Some(&other))
                .unwrap_err()
                .code
                .number(),
            -32602
        );
    }

    #[test]
    fn an_argument_of_a_prompt_is_a_string() {
        let params = raw(r#"{"name":"p","arguments":{"a":1}}"#);
        assert!(PromptParams::read(Some(&params)).is_err());
        for params in [r#"{"name":"p"}"#, r#"{"name":"p","arguments":null}"#] {
            let params = raw(params);
            let read = PromptParams::read(Some(&params)).unwrap();
            assert!(read.arguments.is_empty());
        }
    }
}
