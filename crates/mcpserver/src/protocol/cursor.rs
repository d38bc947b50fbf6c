//! Cursors of lists in pages (2025-11-25 and 2026-07-28, Pagination): those that a tools component gave,
//! with a code that tells them from others. A component that has a single page ignores its cursor, and
//! an invalid one has to be an error for every list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keys::{KeyRing, Purpose};

const CURSOR: Purpose = Purpose("cursor");

/// Returns the client's form of a cursor that a component gave for `subject`'s list.
pub(crate) fn seal(keys: &KeyRing, subject: &str, cursor: &str) -> String {
    let code = keys.mac(CURSOR, &message(subject, cursor));
    format!("{}.{cursor}", URL_SAFE_NO_PAD.encode(code))
}

/// Returns the component's cursor; `None` if [`seal`] did not make this one for `subject`.
pub(crate) fn open(keys: &KeyRing, subject: &str, sealed: &str) -> Option<String> {
    let (code, cursor) = sealed.split_once('.')?;
    let code = URL_SAFE_NO_PAD.decode(code).ok()?;
    let is_ours = keys.verify_mac(CURSOR, &message(subject, cursor), &code);
    is_ours.then(|| cursor.to_owned())
}

fn message(subject: &str, cursor: &str) -> Vec<u8> {
    // The length keeps the two apart.
    let length = (subject.len() as u64).to_be_bytes();
    [&length, subject.as_bytes(), cursor.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn a_cursor_is_good_for_its_person_and_as_it_was_given_alone() {
        let keys = KeyRing::parse(KEY).unwrap();
        for cursor in ["2", "", "a.b", "\u{1f642}"] {
            let sealed = seal(&keys, "anna", cursor);
            let open = |subject: &str, sealed: &str| open(&keys, subject, sealed);
            assert_eq!(open("anna", &sealed).as_deref(), Some(cursor));
            assert_eq!(open("berta", &sealed), None);
            for other in [&format!("{sealed}x"), &sealed[1..], cursor, ".", "x.2"] {
                assert_eq!(open("anna", other), None, "{other}");
            }
        }
    }
}
