//! The log of what the sandbox refused a tool, for the operator.
//!
//! A component cannot see the refusal itself, only what the tool makes of it: the text of a failure.
//! The names that the platform gives its errors are recognized there, and the log says, once for
//! each tool and kind in an instance, what to add where.

use cache::Cache;
use mcp::{Content, ContentBody};

/// Bytes of a text that are searched.
const MAX_BYTES: usize = 4096;

/// Refusals kept in memory per generation of the cache.
const MAX_LOGGED: usize = 64;

/// Something that a component gets only if the manifest grants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Denied {
    Host,
    Store,
    Variable,
}

impl Denied {
    /// The refusal that a text tells of, if there is one.
    fn find(text: &str) -> Option<Self> {
        let text = text.get(..MAX_BYTES).unwrap_or(text);
        let has = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
        let denied = text.contains("is not permitted");
        if has(&[
            "HttpRequestDenied",
            "HTTP-request-denied",
            "http-request-denied",
            "DestinationNotAllowed",
        ]) || denied && text.contains("wasi:http")
        {
            Some(Self::Host)
        } else if has(&["NoSuchStore", "no-such-store", "no such store"])
            || has(&["key-value", "keyvalue", "key_value"])
                && (denied || has(&["AccessDenied", "access-denied", "access denied"]))
            || text.trim() == "AccessDenied"
            || text.contains("Error::AccessDenied")
        {
            Some(Self::Store)
        } else if has(&["Undefined(\"", "undefined variable", "no variable for"])
            || denied && text.contains("variables")
        {
            Some(Self::Variable)
        } else {
            None
        }
    }

    /// Returns what was refused to a tool of this component (`None`: the composed one), and what to add where.
    fn advice(self, component: Option<&str>) -> String {
        let Some(id) = component else {
            let advice = match self {
                Self::Host => {
                    "may not call this host. In spin.toml, add \"allowed_outbound_hosts\" to inherit_configuration in the line of \"gatehouse:tools/tools@0.3.0\" in [component.mcp.dependencies], and the host to allowed_outbound_hosts of [component.mcp]"
                }
                Self::Store => {
                    "may not open a key-value store: that of [component.mcp] holds the grants of all people. A component behind a tool server has stores of its own: docs/tools.md, A component of its own"
                }
                Self::Variable => {
                    "may not read a variable: those of [component.mcp] hold secrets. A component behind a tool server has variables of its own: docs/tools.md, A component of its own"
                }
            };
            return advice.to_owned();
        };
        let (what, grant) = match self {
            Self::Host => (
                "may not call this host",
                format!("the host to allowed_outbound_hosts of [component.{id}]"),
            ),
            Self::Store => (
                "may not open this key-value store",
                format!("the store to key_value_stores of [component.{id}]"),
            ),
            Self::Variable => (
                "may not read this variable",
                format!("the variable to [component.{id}.variables]"),
            ),
        };
        format!(
            "{what}. In spin.toml, add {grant}, and inherit_configuration = true to the line of \"gatehouse:tools/tools@0.3.0\" in [component.{id}.dependencies]"
        )
    }
}

/// The refusals of the sandbox that are in the log, by tool or method.
pub(crate) struct SandboxLog {
    logged: Cache<(String, Denied), ()>,
}

impl Default for SandboxLog {
    fn default() -> Self {
        Self {
            logged: Cache::new(MAX_LOGGED),
        }
    }
}

impl SandboxLog {
    /// Tells the operator if a failure of `name`, a tool or method, is the sandbox's. `component` is where the tool is, if
    /// it is not composed.
    pub(crate) fn note_denied(&self, name: &str, component: Option<&str>, text: &str) {
        let Some(denied) = Denied::find(text) else {
            return;
        };
        let key = (name.to_owned(), denied);
        if self.logged.get(&key).is_some() {
            return;
        }
        self.logged.insert(key, ());
        let advice = denied.advice(component);
        log_line::write(format_args!(
            "mcp: {name} seems to have met the sandbox: it {advice}"
        ));
    }

    /// The same for what a tool tells the model of its failure.
    pub(crate) fn note_denied_in(&self, name: &str, component: Option<&str>, contents: &[Content]) {
        for content in contents {
            if let ContentBody::Text(text) = &content.body {
                self.note_denied(name, component, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Denied;

    #[test]
    fn the_platforms_errors_are_recognized_and_other_words_are_not() {
        for (text, denied) in [
            ("ErrorCode::HttpRequestDenied", Some(Denied::Host)),
            (
                "component_types.Err: ErrorCode_HttpRequestDenied()",
                Some(Denied::Host),
            ),
            ("{\"tag\":\"HTTP-request-denied\"}", Some(Denied::Host)),
            (
                "InternalError(Some(\"\\\"wasi:http/client@0.3.0\\\" is not permitted\"))",
                Some(Denied::Host),
            ),
            ("no such store: default", Some(Denied::Store)),
            ("Error::NoSuchStore", Some(Denied::Store)),
            ("key_value::Error::AccessDenied", Some(Denied::Store)),
            ("AccessDenied", Some(Denied::Store)),
            ("Undefined(\"api_key\")", Some(Denied::Variable)),
            ("undefined variable: api_key", Some(Denied::Variable)),
            ("S3 answered AccessDenied", None),
            ("the file is not permitted to be this large", None),
            ("cannot read properties of undefined", None),
        ] {
            assert_eq!(Denied::find(text), denied, "{text}");
        }
        assert_eq!(Denied::find(&"ä".repeat(5000)), None);
    }
}
