//! Reads of the store that an instance trusts for `grant_check` seconds.

/// A value that was read at a time.
#[derive(Clone)]
pub(crate) struct Trusted<T> {
    pub(crate) value: T,
    /// Seconds since the Unix epoch.
    read_at: u64,
}

impl<T> Trusted<T> {
    pub(crate) fn new(value: T, now: u64) -> Self {
        Self {
            value,
            read_at: now,
        }
    }

    /// Returns whether the value was read less than `seconds` ago. Times are whole seconds, so the read is never older
    /// than that.
    pub(crate) fn is_recent(&self, now: u64, seconds: u64) -> bool {
        let age = now.checked_sub(self.read_at);
        age.is_some_and(|age| age < seconds)
    }
}
