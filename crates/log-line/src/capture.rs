//! The lines of one thread in memory, for tests.

use std::cell::RefCell;

thread_local! {
    static LINES: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the lines of this thread in memory from now on, instead of writing them.
pub fn capture() {
    LINES.set(Some(String::new()));
}

/// Returns the lines of this thread since the last [`capture`].
pub fn captured() -> String {
    LINES.with_borrow(|lines| lines.clone().unwrap_or_default())
}

/// Keeps the line if this thread's lines are kept.
pub(crate) fn keep(line: &str) -> bool {
    LINES.with_borrow_mut(|lines| match lines {
        Some(lines) => {
            lines.push_str(line);
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_reads_its_own_lines_since_the_last_capture() {
        capture();
        crate::write("before");
        capture();
        crate::write("one");
        std::thread::spawn(|| crate::write("another thread's"))
            .join()
            .unwrap();
        crate::write("two\n");
        assert_eq!(captured(), "one\ntwo\\n\n");
    }
}
