//! Messages of panics, each as one line of the log.
//!
//! The standard library writes such a message part by part, and every instance of every component writes to the same
//! stream: lines of two instances end up inside each other.

use std::panic::{self, Location};
use std::sync::Once;

/// Writes the message of every panic as one line of the log from now on. Each entry of a component begins with it.
pub fn log_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            log_line::write(message(panic.location(), panic.payload_as_str()));
        }));
    });
}

fn message(location: Option<&Location<'_>>, text: Option<&str>) -> String {
    let text = text.unwrap_or("no message");
    match location {
        Some(location) => format!("panicked at {location}: {text}"),
        None => format!("panicked: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place_and_its_text() {
        let here = Location::caller();
        let place = format!("{}:{}:{}", file!(), here.line(), here.column());
        assert_eq!(
            message(Some(here), Some("a\nb")),
            format!("panicked at {place}: a\nb")
        );
        assert_eq!(message(None, None), "panicked: no message");
    }
}
