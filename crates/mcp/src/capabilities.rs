//! The capabilities of server and client (2025-11-25, Lifecycle, Capability Negotiation).

use crate::Revision;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a server offers. A revision is told what it knows, and what works there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ServerCapabilities {
    /// Argument completion; from 2025-03-26 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completions: Option<Empty>,
    /// Log messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Empty>,
    /// Prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts: Option<ListChanged>,
    /// Resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceCapabilities>,
    /// Tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<ListChanged>,
    /// Extensions by their names; from 2026-07-28 on.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
}

/// A list, and whether clients are told when it changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListChanged {
    /// Whether clients are told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub list_changed: bool,
}

/// Resources, and what clients are told of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceCapabilities {
    /// Whether clients are told when one changes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub subscribe: bool,
    /// Whether clients are told when the list changes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub list_changed: bool,
}

/// Something that is there, and has no more to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// What a client can be asked (`ClientCapabilities` of every revision).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCapabilities {
    /// `elicitation/create` with a form; from 2025-06-18 on.
    pub elicits_forms: bool,
    /// `elicitation/create` with a URL; from 2025-11-25 on.
    pub elicits_urls: bool,
    /// `sampling/createMessage`.
    pub samples: bool,
    /// The same with tools; from 2025-11-25 on.
    pub samples_with_tools: bool,
    /// `roots/list`.
    pub lists_roots: bool,
    /// The extension `io.modelcontextprotocol/tasks`.
    pub knows_tasks: bool,
}

/// Whether the value is an object, or `[]`, as PHP writes an empty one.
pub(crate) fn is_object(value: &Value) -> bool {
    value.is_object() || value.as_array().is_some_and(Vec::is_empty)
}

/// The name of the tasks extension.
pub const TASKS: &str = "io.modelcontextprotocol/tasks";

impl ClientCapabilities {
    /// Reads a client's `capabilities`. What it says of other things is passed over.
    pub fn read(capabilities: &Value) -> Self {
        let has = |path: &[&str]| {
            path.iter()
                .try_fold(capabilities, |value, name| value.get(name))
                .is_some_and(is_object)
        };
        let elicits_urls = has(&["elicitation", "url"]);
        Self {
            // An empty `elicitation` is one of forms (2025-11-25, Elicitation, Capabilities).
            elicits_forms: has(&["elicitation", "form"])
                || (has(&["elicitation"]) && !elicits_urls),
            elicits_urls,
            samples: has(&["sampling"]),
            samples_with_tools: has(&["sampling", "tools"]),
            lists_roots: has(&["roots"]),
            knows_tasks: has(&["extensions", TASKS]),
        }
    }

    /// Those of them that `revision` has.
    pub fn known_to(self, revision: Revision) -> Self {
        Self {
            elicits_forms: self.elicits_forms && revision >= Revision::V2025_06_18,
            elicits_urls: self.elicits_urls && revision >= Revision::V2025_11_25,
            samples_with_tools: self.samples_with_tools && revision >= Revision::V2025_11_25,
            knows_tasks: self.knows_tasks && revision >= Revision::V2026_07_28,
            ..self
        }
    }

    /// All of them in a byte, for what has to be short.
    pub fn to_bits(self) -> u8 {
        let flags = [
            self.elicits_forms,
            self.elicits_urls,
            self.samples,
            self.samples_with_tools,
            self.lists_roots,
            self.knows_tasks,
        ];
        let bits = flags.iter().enumerate();
        bits.fold(0, |bits, (place, flag)| bits | u8::from(*flag) << place)
    }

    /// What [`to_bits`](Self::to_bits) put there.
    pub fn from_bits(bits: u8) -> Self {
        let has = |place: u8| bits & 1 << place != 0;
        Self {
            elicits_forms: has(0),
            elicits_urls: has(1),
            samples: has(2),
            samples_with_tools: has(3),
            lists_roots: has(4),
            knows_tasks: has(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_client_can_be_asked_what_it_says() {
        let read = |value| ClientCapabilities::read(&value);
        assert_eq!(read(json!({})), ClientCapabilities::default());
        assert_eq!(read(json!([1])), ClientCapabilities::default());
        assert_eq!(
            read(json!({"sampling": true})),
            ClientCapabilities::default()
        );
        let forms = ClientCapabilities {
            elicits_forms: true,
            ..ClientCapabilities::default()
        };
        assert_eq!(read(json!({"elicitation": {}})), forms);
        assert_eq!(read(json!({"elicitation": {"form": {}}})), forms);
        assert!(!read(json!({"elicitation": {"url": {}}})).elicits_forms);
        let all = read(json!({
            "elicitation": {"form": {}, "url": {}},
            "sampling": {"tools": {}},
            "roots": {"listChanged": true},
            "extensions": {TASKS: {}},
        }));
        assert_eq!(
            all,
            ClientCapabilities {
                elicits_forms: true,
                elicits_urls: true,
                samples: true,
                samples_with_tools: true,
                lists_roots: true,
                knows_tasks: true,
            }
        );
        for bits in 0..64 {
            assert_eq!(ClientCapabilities::from_bits(bits).to_bits(), bits);
        }
        assert!(!all.known_to(Revision::V2025_03_26).elicits_forms);
        assert!(all.known_to(Revision::V2025_11_25).elicits_urls);
    }

    #[test]
    fn what_is_not_offered_is_not_told() {
        let tools = ServerCapabilities {
            tools: Some(ListChanged { list_changed: true }),
            ..ServerCapabilities::default()
        };
        assert_eq!(
            serde_json::to_value(&tools).unwrap(),
            json!({"tools": {"listChanged": true}})
        );
    }
}
