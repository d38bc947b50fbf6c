//! The parameters of requests.

use crate::members::Members;
use crate::{ClientCapabilities, Error, LogLevel, Revision};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What `initialize` asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct InitializeParams {
    /// The revision to answer with.
    pub revision: Revision,
    /// What the client can be asked.
    pub capabilities: ClientCapabilities,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// Of a prompt: `ref/prompt`.
    Prompt {
        /// Its name.
        name: String,
    },
    /// Of a resource template: `ref/resource`.
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
    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if there is no protocol version to answer.
    pub fn read(params: Option<&RawValue>) -> Result<Self, Error> {
        let members = Members::of_params(params)?;
        let version = members.required_text("protocolVersion")?;
        // What a client says there in another shape is no ability.
        let capabilities = members.get("capabilities")?;
        let capabilities = capabilities.and_then(|raw| serde_json::from_str(raw.get()).ok());
        Ok(Self {
            revision: Revision::negotiate(&version),
            capabilities: ClientCapabilities::read(&capabilities.unwrap_or_default()),
        })
    }
}

impl<'a> CallParams<'a> {
    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if there is no name, or the arguments are no object.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, Error> {
        let members = Members::of_params(params)?;
        let meta = members.object("_meta")?;
        let of_meta = |name| match &meta {
            Some(meta) => meta.get(name),
            None => Ok(None),
        };
        // What is no text is passed over: it is the caller's alone.
        let traceparent =
            of_meta("traceparent")?.and_then(|text| serde_json::from_str(text.get()).ok());
        let progress_token = of_meta("progressToken")?
            .map(RawValue::get)
            .filter(|token| !token.starts_with(['{', '[', 't', 'f', 'n']));
        Ok(Self {
            name: members.required_text("name")?,
            arguments: members.object_text("arguments")?.unwrap_or("{}"),
            progress_token,
            traceparent,
        })
    }
}

impl<'a> PageParams<'a> {
    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if the cursor is no string.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, Error> {
        let members = Members::of_params(params)?;
        Ok(Self {
            cursor: members.text("cursor")?,
        })
    }

    /// Reads those of a list that is one page, to which no cursor leads.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if there is a cursor.
    pub fn read_single_page(params: Option<&'a RawValue>) -> Result<(), Error> {
        match Self::read(params)?.cursor {
            None => Ok(()),
            Some(_) => Err(Error::invalid_cursor()),
        }
    }
}

impl<'a> ReadParams<'a> {
    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if there is no URI.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, Error> {
        let members = Members::of_params(params)?;
        Ok(Self {
            uri: members.required_text("uri")?,
        })
    }
}

impl<'a> PromptParams<'a> {
    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if there is no name, or an argument is no string.
    pub fn read(params: Option<&'a RawValue>) -> Result<Self, Error> {
        let members = Members::of_params(params)?;
        Ok(Self {
            name: members.required_text("name")?,
            arguments: texts(members.object("arguments")?)?,
        })
    }
}

impl CompleteParams {
    /// Reads the parameters.
    ///
    /// # Errors
    ///
    /// Fails with invalid params if anything is missing or of another shape.
    pub fn read(params: Option<&RawValue>) -> Result<Self, Error> {
        let members = Members::of_params(params)?;
        let argument = members.required_object("argument")?;
        let known = match members.object("context")? {
            Some(context) => texts(context.object("arguments")?)?,
            None => BTreeMap::new(),
        };
        Ok(Self {
            reference: Reference::read(&members.required_object("ref")?)?,
            argument: (
                argument.required_text("name")?.into_owned(),
                argument.required_text("value")?.into_owned(),
            ),
            known,
        })
    }
}

impl Reference {
    fn read(members: &Members<'_>) -> Result<Self, Error> {
        match &*members.required_text("type")? {
            "ref/prompt" => Ok(Self::Prompt {
                name: members.required_text("name")?.into_owned(),
            }),
            "ref/resource" => Ok(Self::Resource {
                uri: members.required_text("uri")?.into_owned(),
            }),
            _ => Err(Error::invalid_params(
                "`type` of `ref` must be ref/prompt or ref/resource.",
            )),
        }
    }
}

fn texts(members: Option<Members<'_>>) -> Result<BTreeMap<String, String>, Error> {
    members.map_or_else(|| Ok(BTreeMap::new()), Members::into_texts)
}

/// Reads what `logging/setLevel` sets.
///
/// # Errors
///
/// Fails with invalid params if there is no level, or none of RFC 5424.
pub fn read_level(params: Option<&RawValue>) -> Result<LogLevel, Error> {
    let members = Members::of_params(params)?;
    let level = members.required_text("level")?;
    LogLevel::parse(&level).ok_or_else(|| Error::unknown_level("level"))
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
            // As PHP writes empty objects.
            r#"{"name":"x","arguments":[],"_meta":[]}"#,
            r#"{"name":"x","arguments":[ ]}"#,
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
            r#"{"name":"x","arguments":[[]]}"#,
            r#"{"name":"x","_meta":["t"]}"#,
            r#"{"name":"x","_meta":1}"#,
            r#"{"name":"x","name":"y"}"#,
            "[\"x\"]",
            r#"{"name":"x","arguments":"{}"}"#,
        ] {
            let params = raw(text);
            let error = CallParams::read(Some(&params)).unwrap_err();
            assert_eq!(error.code.number(), -32602, "{text}");
            for foreign in ["line", "struct", "sequence", "expected", "Wire", "field"] {
                assert!(!error.message.contains(foreign), "{}", error.message);
            }
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
        // Parts that are arrays are not taken for objects, their items for members in some order.
        for text in [
            r#"{"ref":["ref/prompt","p"],"argument":{"name":"a","value":""}}"#,
            r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":["a",""]}"#,
            r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":""},"context":[{}]}"#,
        ] {
            let other = raw(text);
            let error = CompleteParams::read(Some(&other)).unwrap_err();
            assert!(error.message.ends_with("must be an object."), "{error}");
        }
    }

    #[test]
    fn an_empty_array_is_an_empty_object_wherever_an_object_is_read() {
        let params = raw(
            r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":""},"context":{"arguments":[]}}"#,
        );
        assert!(
            CompleteParams::read(Some(&params))
                .unwrap()
                .known
                .is_empty()
        );
        let params = raw(r#"{"name":"p","arguments":[]}"#);
        let read = PromptParams::read(Some(&params)).unwrap();
        assert!(read.arguments.is_empty());
        let params = raw("[]");
        assert_eq!(PageParams::read(Some(&params)).unwrap().cursor, None);
        let params =
            raw(r#"{"protocolVersion":"2025-11-25","capabilities":{"sampling":[],"roots":[]}}"#);
        let capabilities = InitializeParams::read(Some(&params)).unwrap().capabilities;
        assert!(capabilities.samples && capabilities.lists_roots);
    }

    #[test]
    fn a_list_of_one_page_has_no_cursor() {
        for text in ["{}", r#"{"cursor":null}"#, "[]"] {
            let params = raw(text);
            assert!(
                PageParams::read_single_page(Some(&params)).is_ok(),
                "{text}"
            );
        }
        for text in [r#"{"cursor":"x"}"#, r#"{"cursor":""}"#, r#"{"cursor":1}"#] {
            let params = raw(text);
            let error = PageParams::read_single_page(Some(&params)).unwrap_err();
            assert_eq!(error.code.number(), -32602, "{text}");
        }
    }

    #[test]
    fn a_level_is_one_of_rfc_5424() {
        let level = |text: &str| read_level(Some(&raw(text)));
        assert_eq!(level(r#"{"level":"notice"}"#), Ok(LogLevel::Notice));
        for text in ["{}", r#"{"level":"loud"}"#, r#"{"level":1}"#, "[\"info\"]"] {
            assert_eq!(level(text).unwrap_err().code.number(), -32602, "{text}");
        }
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
