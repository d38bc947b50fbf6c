//! Server-sent events (the HTML standard, section 9.2).

/// A comment, which keeps a connection from looking dead.
pub const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// A JSON-RPC message as an event.
pub fn message(json: &str) -> String {
    event("message", json)
}

/// A JSON-RPC message as an event with an id, which holds nothing but URL-safe characters.
pub fn message_with_id(id: &str, json: &str) -> String {
    format!("id: {id}\n{}", message(json))
}

/// The first event of a stream that a client may come back to: an id with nothing in it, and after
/// how many milliseconds to come back (2025-11-25, Transports, Sending Messages to the Server).
pub fn priming(id: &str, milliseconds: u32) -> String {
    format!("id: {id}\nretry: {milliseconds}\ndata: \n\n")
}

/// After how many milliseconds to come back.
pub fn retry(milliseconds: u32) -> String {
    format!("retry: {milliseconds}\n\n")
}

/// The event that tells an HTTP+SSE client where to post (2024-11-05, Transports).
pub fn endpoint(reference: &str) -> String {
    event("endpoint", reference)
}

fn event(name: &str, data: &str) -> String {
    let mut text = String::with_capacity(name.len() + data.len() + 16);
    text.push_str("event: ");
    text.push_str(name);
    text.push_str("\ndata: ");
    // Between the tokens of a JSON text a line break is worth a space, and inside of them there is
    // none; an event would end at it.
    if data.contains(['\r', '\n']) {
        text.extend(
            data.chars()
                .map(|c| if matches!(c, '\r' | '\n') { ' ' } else { c }),
        );
    } else {
        text.push_str(data);
    }
    text.push_str("\n\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_in_the_json_do_not_end_the_event() {
        assert_eq!(
            message("{\r\n\"a\":1}"),
            "event: message\ndata: {  \"a\":1}\n\n"
        );
        assert_eq!(endpoint("/m?x=1"), "event: endpoint\ndata: /m?x=1\n\n");
    }

    #[test]
    fn a_stream_that_goes_on_later_begins_with_an_id_and_nothing_else() {
        assert_eq!(priming("a.0", 500), "id: a.0\nretry: 500\ndata: \n\n");
        assert_eq!(
            message_with_id("a.1", "{}"),
            "id: a.1\nevent: message\ndata: {}\n\n"
        );
        assert_eq!(retry(500), "retry: 500\n\n");
    }
}
