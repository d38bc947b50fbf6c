//! Questions of the server to its client: `elicitation/create`, `sampling/createMessage` and `roots/list`.

use crate::json::Members;
use serde_json::value::RawValue;
use tools_export::ClientCapabilities;

/// A question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) method: String,
    /// A JSON object.
    pub(crate) params: String,
    /// Whether the person is sent to a URL.
    pub(crate) is_of_url: bool,
}

/// Why no question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAsked {
    /// There is no such question.
    Unknown,
    /// The parameters are no object.
    Malformed,
    /// The client has no way to ask it.
    Unsupported,
}

impl Question {
    /// Reads a question that this client can be asked. What the server says in `_meta` to its own client is left out.
    ///
    /// # Errors
    ///
    /// If the client cannot be asked.
    pub(crate) fn read(
        method: &str,
        params: Option<&RawValue>,
        capabilities: &ClientCapabilities,
    ) -> Result<Self, NotAsked> {
        let params = params.map_or("{}", RawValue::get);
        let members = serde_json::from_str(params);
        let Members(mut members) = members.map_err(|_| NotAsked::Malformed)?;
        members.remove("_meta");
        let is_of_url = members
            .get("mode")
            .is_some_and(|mode| mode.get() == "\"url\"");
        let wants_tools = members.contains_key("tools") || members.contains_key("toolChoice");
        let can = match method {
            "elicitation/create" if is_of_url => capabilities.elicits_urls,
            "elicitation/create" => capabilities.elicits_forms,
            "sampling/createMessage" if wants_tools => capabilities.samples_with_tools,
            "sampling/createMessage" => capabilities.samples,
            "roots/list" => capabilities.lists_roots,
            _ => return Err(NotAsked::Unknown),
        };
        if !can {
            return Err(NotAsked::Unsupported);
        }
        Ok(Self {
            method: method.to_owned(),
            params: serde_json::to_string(&members).map_err(|_| NotAsked::Malformed)?,
            is_of_url,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    fn read(
        method: &str,
        params: &str,
        change: impl Fn(&mut ClientCapabilities),
    ) -> Result<Question, NotAsked> {
        let mut capabilities = context().capabilities;
        change(&mut capabilities);
        let params = RawValue::from_string(params.to_owned()).unwrap();
        Question::read(method, Some(&params), &capabilities)
    }

    #[test]
    fn a_client_is_asked_what_it_declared_and_nothing_else() {
        let form = r#"{"message":"?","_meta":{"progressToken":1}}"#;
        let question = read("elicitation/create", form, |_| {}).unwrap();
        assert_eq!(question.params, r#"{"message":"?"}"#);
        let url = r#"{"mode":"url"}"#;
        let tools = r#"{"tools":[]}"#;
        let unsupported = [
            read("elicitation/create", form, |can| can.elicits_forms = false),
            read("elicitation/create", url, |can| can.elicits_urls = false),
            read("sampling/createMessage", form, |can| can.samples = false),
            read("sampling/createMessage", tools, |can| {
                can.samples_with_tools = false
            }),
            read("roots/list", "{}", |can| can.lists_roots = false),
        ];
        assert!(
            unsupported
                .iter()
                .all(|read| *read == Err(NotAsked::Unsupported))
        );
        assert_eq!(read("tools/call", "{}", |_| {}), Err(NotAsked::Unknown));
        assert_eq!(read("roots/list", "[1]", |_| {}), Err(NotAsked::Malformed));
        assert!(Question::read("roots/list", None, &context().capabilities).is_ok());
    }
}
