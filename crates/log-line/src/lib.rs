//! Log lines on standard error, each in a single write.
//!
//! `eprintln!` writes the parts of its message one by one, and every instance of every component
//! writes to the same stream: lines of two instances end up inside each other. Spin passes each
//! write of a component on as one write of its own, so a line that is one write stays whole.

#[cfg(feature = "capture")]
mod capture;

#[cfg(feature = "capture")]
pub use capture::{capture, captured};

use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

/// What a line holds at most, its end included. Wasmtime takes no more than this in one write of a
/// component, and a pipe keeps no longer write together (`PIPE_BUF`).
const MAX_LINE_BYTES: usize = 4096;

/// What a message that was too long ends with.
const CUT: &str = " [cut]";

/// Writes a message to the log as one line.
///
/// A control character in it is written as an escape sequence: what a client or a provider sent
/// cannot begin a line of its own, nor command the operator's terminal. A message that is too long
/// is cut.
pub fn write(message: impl Display) {
    let line = line(&message);
    #[cfg(feature = "capture")]
    if capture::keep(&line) {
        return;
    }
    write_to(&mut io::stderr(), &line);
}

fn write_to(output: &mut impl Write, line: &str) {
    // There is nowhere to report that standard error is closed.
    let _ = output.write_all(line.as_bytes());
}

fn line(message: &impl Display) -> String {
    let mut line = LineWriter(String::new());
    if write!(line, "{message}").is_err() {
        line.0.push_str(CUT);
    }
    line.0.push('\n');
    line.0
}

/// A line that is being written. It takes what there is room for, and then fails.
struct LineWriter(String);

impl LineWriter {
    fn push(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() + CUT.len() >= MAX_LINE_BYTES {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

impl fmt::Write for LineWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if needs_escape(character) {
                self.push(&character.escape_default().to_string())?;
            } else {
                self.push(character.encode_utf8(&mut [0; 4]))?;
            }
        }
        Ok(())
    }
}

/// Whether a character ends a line, commands a terminal, or changes the order in which others are shown.
/// [`write`] escapes these and no others.
pub fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts writes, and takes each as a whole.
    #[derive(Default)]
    struct Writes(Vec<String>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(message: impl Display) -> Vec<String> {
        let mut writes = Writes::default();
        write_to(&mut writes, &line(&message));
        writes.0
    }

    #[test]
    fn a_message_of_many_parts_is_one_write_with_its_line_end() {
        let message = format_args!("{} of {:?}: {}", 1, "two", 3.0).to_string();
        assert_eq!(written(&message), ["1 of \"two\": 3\n"]);
        struct Parts;
        impl Display for Parts {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                for part in ["a", "b", "c"] {
                    formatter.write_str(part)?;
                }
                Ok(())
            }
        }
        assert_eq!(written(Parts), ["abc\n"]);
    }

    #[test]
    fn a_line_break_or_control_character_is_escaped() {
        assert_eq!(
            written("a\r\nforged: b\u{1b}[2J\u{7f}\u{85}\u{2028}\u{202e}c\t"),
            ["a\\r\\nforged: b\\u{1b}[2J\\u{7f}\\u{85}\\u{2028}\\u{202e}c\\t\n"]
        );
        assert_eq!(written("Zoë 漢字 ok"), ["Zoë 漢字 ok\n"]);
    }

    #[test]
    fn a_message_that_is_too_long_is_cut_to_one_write() {
        for message in ["x".repeat(10_000), "漢".repeat(10_000), "\n".repeat(10_000)] {
            let writes = written(&message);
            assert_eq!(writes.len(), 1);
            assert!(writes[0].len() <= MAX_LINE_BYTES);
            assert!(writes[0].ends_with(" [cut]\n"));
        }
        let fits = "x".repeat(4000);
        assert_eq!(written(&fits), [format!("{fits}\n")]);
    }
}
