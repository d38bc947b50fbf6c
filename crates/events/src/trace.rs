//! The trace context of a request (W3C Trace Context, section 3.2).

use http::HeaderMap;

/// The identifiers in a `traceparent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Of the whole trace: 32 lower-case hexadecimal digits.
    pub(crate) trace_id: String,
    /// Of the caller's span: 16 such digits.
    pub(crate) parent_id: String,
}

impl TraceContext {
    /// Reads the `traceparent` header; `None` if there is none, more than one, or an invalid one.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all("traceparent").iter();
        let (value, None) = (values.next()?, values.next()) else {
            return None;
        };
        Self::parse(value.to_str().ok()?)
    }

    /// Reads the value of a `traceparent`; `None` if it is invalid. Of a version that is newer than
    /// 00, the first four fields count (section 4.3).
    pub fn parse(value: &str) -> Option<Self> {
        let mut fields = value.trim().split('-');
        let version = hex(fields.next()?, 2)?;
        let trace_id = hex(fields.next()?, 32)?;
        let parent_id = hex(fields.next()?, 16)?;
        hex(fields.next()?, 2)?;
        let is_invalid = version == "ff" || (version == "00" && fields.next().is_some());
        let is_zero = |id: &str| id.bytes().all(|digit| digit == b'0');
        (!is_invalid && !is_zero(trace_id) && !is_zero(parent_id)).then(|| Self {
            trace_id: trace_id.to_owned(),
            parent_id: parent_id.to_owned(),
        })
    }
}

fn hex(field: &str, length: usize) -> Option<&str> {
    let is_hex = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    (field.len() == length && field.bytes().all(is_hex)).then_some(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    #[test]
    fn a_traceparent_gives_its_trace_and_its_parent() {
        for value in [
            format!("00-{TRACE}-{PARENT}-01"),
            format!("01-{TRACE}-{PARENT}-00-more"),
        ] {
            let trace = TraceContext::parse(&value);
            let ids = trace.map(|trace| (trace.trace_id, trace.parent_id));
            assert_eq!(ids, Some((TRACE.to_owned(), PARENT.to_owned())), "{value}");
        }
    }

    #[test]
    fn an_invalid_traceparent_is_ignored() {
        let zeros = "0".repeat(32);
        for value in [
            String::new(),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-01-more"),
            format!("00-{TRACE}-{PARENT}"),
            format!("00-{zeros}-{PARENT}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00-{}-{PARENT}-01", &TRACE[1..]),
        ] {
            assert_eq!(TraceContext::parse(&value), None, "{value}");
        }
    }

    #[test]
    fn two_traceparents_are_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(TraceContext::of(&headers), None);
        let value = format!("00-{TRACE}-{PARENT}-01");
        let Ok(value) = HeaderValue::from_str(&value) else {
            panic!("{value}")
        };
        headers.append("traceparent", value.clone());
        assert!(TraceContext::of(&headers).is_some());
        headers.append("traceparent", value);
        assert_eq!(TraceContext::of(&headers), None);
    }
}
