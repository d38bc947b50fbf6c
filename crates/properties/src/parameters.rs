//! Parameters of queries and forms (RFC 6749 appendix B).

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use oauth::{ParameterError, Parameters};

/// Bytes that a query or form may have.
const MAX_BYTES: usize = 64 * 1024;

/// Parameters that a query or form may have.
const MAX_COUNT: usize = 64;

/// A form or query: what was read and is written again reads the same, and of repeated and empty
/// parameters every function says the same.
pub fn parameters(data: &[u8]) {
    let mut headers = HeaderMap::new();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, form);
    let read = match Parameters::from_form(&headers, data) {
        Ok(read) => read,
        Err(error) => {
            assert_eq!(error, ParameterError::TooMuch);
            assert!(data.len() > MAX_BYTES || data.split(|byte| *byte == b'&').count() > MAX_COUNT);
            return;
        }
    };
    assert!(read.iter().count() <= MAX_COUNT);
    let mut written = form_urlencoded::Serializer::new(String::new());
    let written = written.extend_pairs(read.iter()).finish();
    match Parameters::from_query(Some(&written)) {
        Ok(again) => assert!(again == read, "{written}"),
        // Escapes are longer than what they stand for.
        Err(_) => assert!(written.len() > MAX_BYTES),
    }
    let mut any_repeated = false;
    for (name, _) in read.iter() {
        let values: Vec<&str> = read
            .iter()
            .filter(|pair| pair.0 == name)
            .map(|pair| pair.1)
            .collect();
        let given: Vec<&str> = values
            .iter()
            .copied()
            .filter(|value| !value.is_empty())
            .collect();
        assert_eq!(read.all(name).collect::<Vec<_>>(), given);
        assert_eq!(read.get(name), given.first().copied());
        assert_eq!(read.is_repeated(name), values.len() > 1);
        any_repeated |= values.len() > 1;
    }
    assert_eq!(read.refuse_repeated(&[]).is_err(), any_repeated);
}
