//! The monotonic clock, and waiting.

pub use spin_sdk::time::sleep;

/// Returns nanoseconds since some moment.
pub(crate) fn monotonic() -> u64 {
    spin_sdk::wasip3::clocks::monotonic_clock::now()
}
