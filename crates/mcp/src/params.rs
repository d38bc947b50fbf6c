//! The parameters of the requests that have any.

use crate::jsonrpc::Text;
use crate::{Error, Revision};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What `initialize` asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct InitializeParams {
    /// The revision to answer with.
    pub revision: Revision,
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
        }
        let wire: Wire<'_> = read(params)?;
        Ok(Self {
            revision: Revision::negotiate(&wire.protocol_version.0),
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
        }
        let wire: Wire<'a> = read(params)?;
        let arguments = wire.arguments.map_or("{}", RawValue::get);
        if !arguments.starts_with('{') {
            return Err(Error::invalid_params("The `arguments` are an object."));
        }
        let progress_token = wire
            .meta
            .and_then(|meta| meta.progress_token)
            .map(RawValue::get)
            .filter(|token| !token.starts_with(['{', '[', 't', 'f', 'n']));
        Ok(Self {
            name: wire.name.0,
            arguments,
            progress_token,
        })
    }
}

fn read<'a, T: Deserialize<'a>>(params: Option<&'a RawValue>) -> Result<T, Error> {
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
}
