//! A reader of server-sent events (the HTML standard, section 9.2.6), as the Streamable HTTP transport has them.

use std::collections::VecDeque;
use std::time::Duration;

/// The events of a stream, of which bytes come in any portions. The caller bounds how many.
#[derive(Debug, Default)]
pub struct EventReader {
    line: Vec<u8>,
    /// The last byte was a CR, whose LF may follow.
    after_cr: bool,
    is_first_line_over: bool,
    data: Vec<u8>,
    has_data: bool,
    /// The name of the event is another than `message`.
    is_other: bool,
    id: Option<Vec<u8>>,
    /// That of the event which is not complete yet.
    next_id: Option<Vec<u8>>,
    retry: Option<Duration>,
    ready: VecDeque<Vec<u8>>,
}

impl EventReader {
    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    self.end_line();
                }
                _ => {
                    self.after_cr = false;
                    self.line.push(byte);
                }
            }
        }
    }

    /// Returns the data of the next event that is complete: of those named `message` or not at all. Events without data are
    /// left out.
    pub fn next_event(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }

    /// Begins another stream, which goes on where this one broke off.
    pub fn resume(&mut self) {
        *self = Self {
            id: self.id.take(),
            retry: self.retry,
            ..Self::default()
        };
    }

    /// Returns the id of the last complete event that had one, if it is not empty.
    pub fn last_id(&self) -> Option<&[u8]> {
        self.id.as_deref().filter(|id| !id.is_empty())
    }

    /// Returns after which time the server wants to be asked for the rest.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        if !self.is_first_line_over {
            self.is_first_line_over = true;
            if line.starts_with(BYTE_ORDER_MARK) {
                line.drain(..BYTE_ORDER_MARK.len());
            }
        }
        if line.is_empty() {
            self.end_event();
            return;
        }
        let colon = line.iter().position(|&byte| byte == b':');
        let (field, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.has_data = true;
            }
            b"event" => self.is_other = !matches!(value, b"" | b"message"),
            b"id" if !value.contains(&0) => self.next_id = Some(value.to_vec()),
            b"retry" => {
                let milliseconds = std::str::from_utf8(value).ok();
                let milliseconds =
                    milliseconds.filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
                let milliseconds = milliseconds.and_then(|text| text.parse().ok());
                self.retry = milliseconds.map(Duration::from_millis).or(self.retry);
            }
            // Comments, and fields that there are not.
            _ => {}
        }
    }

    fn end_event(&mut self) {
        let data = std::mem::take(&mut self.data);
        if !data.is_empty() && !self.is_other {
            self.ready.push_back(data);
        }
        self.has_data = false;
        self.is_other = false;
        self.id = self.next_id.take().or(self.id.take());
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &[u8], portion: usize) -> (Vec<String>, EventReader) {
        let mut reader = EventReader::default();
        let mut events = Vec::new();
        for bytes in stream.chunks(portion) {
            reader.push(bytes);
            events.extend(std::iter::from_fn(|| reader.next_event()));
        }
        let texts = events
            .into_iter()
            .map(|event| String::from_utf8(event).unwrap());
        (texts.collect(), reader)
    }

    #[test]
    fn events_are_the_same_in_whatever_portions_and_with_whatever_line_ends() {
        let stream = "\u{feff}: comment\n\nevent: message\ndata: {\"a\":\ndata:1}\nid: 7\n\nretry: 250\ndata: two\n\n";
        for end in ["\n", "\r\n", "\r"] {
            let stream = stream.replace('\n', end);
            for portion in 1..stream.len() {
                let (events, reader) = read(stream.as_bytes(), portion);
                assert_eq!(events, ["{\"a\":\n1}", "two"], "{end:?} {portion}");
                assert_eq!(reader.last_id(), Some(&b"7"[..]));
                assert_eq!(reader.retry(), Some(Duration::from_millis(250)));
            }
        }
    }

    #[test]
    fn what_is_no_message_is_left_out() {
        for stream in [
            "data\n\n",
            "id: 1\ndata: \n\n",
            "event: endpoint\ndata: /messages\n\n",
            "data: without an end\n",
            "unknown: field\n\n",
            "\n\n\n",
        ] {
            assert!(read(stream.as_bytes(), 3).0.is_empty(), "{stream}");
        }
        let (events, _) = read(b"event: other\ndata: a\n\ndata: b\n\n", 5);
        assert_eq!(events, ["b"], "a name is of one event");
    }

    #[test]
    fn an_event_that_breaks_off_leaves_no_id() {
        let (_, mut reader) = read(b"id: 1\ndata: a\n\nid: 2\ndata: b\n", 4);
        assert_eq!(reader.last_id(), Some(&b"1"[..]));
        reader.resume();
        reader.push(b"data: b\n\n");
        assert_eq!(reader.last_id(), Some(&b"1"[..]));
    }

    #[test]
    fn an_empty_id_takes_the_last_one_back_and_a_bad_retry_is_none() {
        let (_, reader) = read(b"id: 1\nretry: 9\n\nid\nretry: -1\nretry: +5\n\n", 4);
        assert_eq!(reader.last_id(), None);
        assert_eq!(reader.retry(), Some(Duration::from_millis(9)));
    }
}
