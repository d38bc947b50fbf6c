//! The stored forms of a counter in Spin's key-value stores.

/// Below this, eight bytes are a number, and never eight digits: the last digit would be the highest byte.
const MAX_COUNT: i64 = 1 << 61;

/// Returns the counter that `bytes` are: a number of 64 bits, least significant byte first, as Spin's SQLite store has it, or
/// decimal digits, as in Redis. `None` if they are neither.
///
/// No counter is negative, or reaches 2^61.
pub(crate) fn decode_counter(bytes: &[u8]) -> Option<i64> {
    let is_count = |count: &i64| (0..MAX_COUNT).contains(count);
    let number = bytes.try_into().ok().map(i64::from_le_bytes);
    number.filter(is_count).or_else(|| {
        let digits = std::str::from_utf8(bytes).ok()?;
        digits.parse().ok().filter(is_count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_read_as_sqlite_and_as_redis_have_it() {
        let claims = 32 * ((1 << 32) + 0xffff);
        for count in [0, 1, 255, 12_345_678, 99_999_999, claims, MAX_COUNT - 1] {
            assert_eq!(decode_counter(&count.to_le_bytes()), Some(count));
            assert_eq!(decode_counter(count.to_string().as_bytes()), Some(count));
        }
    }

    #[test]
    fn what_is_no_counter_is_not_read_as_one() {
        let negative = (-1_i64).to_le_bytes();
        let too_much = MAX_COUNT.to_le_bytes();
        for bytes in [
            &b""[..],
            b"-1",
            b"1.5",
            b"{\"exp\":1}",
            b"12 45 78",
            &[0; 7],
            &negative,
            &too_much,
        ] {
            assert_eq!(decode_counter(bytes), None, "{bytes:?}");
        }
    }
}
